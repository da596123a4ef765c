// The six answers, from surely the one to surely the other: their words, their keys, their places on the page.

const RATINGS = ["surely", "probably", "perhaps", "perhaps", "probably", "surely"];
const CONFIDENCE = [3, 2, 1, 1, 2, 3];
// The places of keys, not their letters: they are the same on every keyboard's home row.
const CODES = ["KeyS", "KeyD", "KeyF", "KeyJ", "KeyK", "KeyL"];
const LETTERS = "SDFJKL";

class RatingScale {
  constructor(pairs) {
    this.verdicts = pairs ? ["left", "right"] : ["synthetic", "real"];
    this.titles = pairs ? ["the left one is real", "the right one is real"] : this.verdicts;
  }

  /** What the answer at a place says. */
  answer(index) {
    return { verdict: this.verdicts[index > 2 ? 1 : 0], confidence: CONFIDENCE[index] };
  }

  /** The place that a key stands for; −1 where it stands for none. */
  placeOf({ code }) {
    const digit = /^(?:Digit|Numpad)([1-6])$/.exec(code);
    return digit ? Number(digit[1]) - 1 : CODES.indexOf(code);
  }

  /** How it looks, for the instructions. */
  legend() {
    return this.element((index) => h("span.gr-key", {}, `${index + 1}`), "gr-legend");
  }

  /** To be answered by a click; `chosen` gets the place and the event. */
  buttons(chosen) {
    const button = (index) =>
      h(
        "button",
        { type: "button", tabindex: "-1", "data-rating": `${index + 1}`, "aria-label": `${RATINGS[index]} ${this.answer(index).verdict}`, onclick: (event) => chosen(index, event) },
        h("b", {}, `${index + 1}`),
        h("span.gr-letter", {}, LETTERS[index]),
      );
    return this.element(button, "gr-answers");
  }

  element(place, className) {
    return h(`div.gr-scale.${className}`, {}, ...this.titles.map((title, side) => this.half(title, 3 * side, place)));
  }

  half(title, from, place) {
    const places = [from, from + 1, from + 2].map((at) => h("span.gr-place", {}, place(at), h("small", {}, RATINGS[at])));
    return h("div.gr-half", {}, h("span.gr-title", {}, title), h("div.gr-row", {}, ...places));
  }
}
