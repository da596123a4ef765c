// What the keys do on the quality page. The table is the help that the question mark opens.

const QUALITY_KEYS = [
  ["← →", "previous, next subject of the list (Home, End: first, last)"],
  ["↑ ↓", "next, previous slice"],
  ["f, u", "next flagged, next undecided subject"],
  ["a", "accept, and go on to the next"],
  ["r", "reject, and write why; Enter stores the note and goes on, Esc leaves it"],
  ["n", "write a note"],
  ["x", "take the decision back"],
  ["b, or hold Space", "blink: the first two pictures change places while the key is down"],
  ["c", "other contrast against the first, where there are more than two"],
  ["+  −  0", "zoom in, out; reset zoom and windows"],
  ["s", "smooth pixels or show them as they are"],
  ["Mouse", "move: the same place in every picture · drag: window and level · wheel: zoom · middle button: pan"],
  ["?", "this help; Esc closes it"],
];

class QualityKeyboard {
  constructor(page) {
    this.page = page;
    const rows = QUALITY_KEYS.map(([key, text]) => h("tr", {}, h("th", {}, key), h("td", {}, text)));
    const close = h("button", { onclick: () => this.help.close() }, "Close");
    this.help = h("dialog.gv-help", { "aria-label": "Keys" }, h("table", {}, ...rows), close);
  }

  /** Voila's page is ours, so the keys work wherever the focus is; in a notebook only inside the page's frame. */
  listen() {
    this.target = document.body.dataset.voila === undefined ? this.page.frame : document;
    this.target.addEventListener("keydown", (this.onKeyDown = (event) => this.keyDown(event)));
    this.target.addEventListener("keyup", (this.onKeyUp = (event) => this.keyUp(event)));
  }

  dispose() {
    this.target.removeEventListener("keydown", this.onKeyDown);
    this.target.removeEventListener("keyup", this.onKeyUp);
  }

  get keys() {
    const { page } = this;
    const zoom = (factor) => () => page.setZoom(page.zoom * factor);
    return (this.keyTable ||= {
      ArrowLeft: () => page.step(-1),
      ArrowRight: () => page.step(1),
      ArrowUp: () => page.setSlice(page.slice + 1),
      ArrowDown: () => page.setSlice(page.slice - 1),
      Home: () => page.go(page.list.shown[0]),
      End: () => page.go(page.list.shown.at(-1)),
      f: () => page.next((subject) => subject.flags.length),
      u: () => page.next((subject) => subject.decision.verdict === "undecided"),
      a: () => page.decision.decide("accepted"),
      r: () => page.decision.decide("rejected"),
      x: () => page.entry.decision.verdict !== "undecided" && page.decision.decide("undecided"),
      n: () => page.decision.note.focus(),
      b: () => page.setBlink(true),
      " ": () => page.setBlink(true),
      c: () => page.setSecond((page.second % (page.about.contrasts.length - 1)) + 1),
      "+": zoom(1.25),
      "=": zoom(1.25),
      "-": zoom(0.8),
      0: () => page.reset(),
      s: () => ((page.smooth = !page.smooth), page.paint()),
      "?": () => this.help.showModal(),
    });
  }

  /** A control that needs this key itself keeps it: the slice its arrows, a button Space, the note every letter. */
  belongsToControl(event) {
    const { target, key } = event;
    if (this.help.open || event.ctrlKey || event.metaKey || event.altKey || target === this.page.decision.note) return true;
    if (target.matches?.("input[type=range]") && /^(Arrow|Home|End)/.test(key)) return true;
    return key === " " && target.matches?.("button");
  }

  keyDown(event) {
    if (this.belongsToControl(event)) return;
    const work = this.keys[event.key];
    if (!work || (event.repeat && (event.key === " " || event.key === "b"))) return;
    event.preventDefault();
    work();
  }

  keyUp(event) {
    if (event.key === " " || event.key === "b") this.page.setBlink(false);
  }
}
