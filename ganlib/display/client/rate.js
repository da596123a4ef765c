// The rating page: consent, practice, one image at a time, one key.
//
//   Memory     what the browser keeps: the rater's token, and an answer that is not confirmed yet
//   Stage      the image or the pair at its fixed size, and the moment when it came on screen
//   RatingPage the states a rater goes through
//
// Whether an image is real is nowhere in this page: it is told after a practice answer, and never else.

const BLANK_MS = 150; // between two images, so that they cannot be compared by flicker
const BOX_PX = { yes_no: 560, two_alternative: 460 };
const CHROME_PX = 250; // height of all that is not the image
const RATINGS = ["surely", "probably", "perhaps", "perhaps", "probably", "surely"];
const CONFIDENCE = [3, 2, 1, 1, 2, 3];
// The places of keys, not their letters: they are the same on every keyboard's home row.
const CODES = ["KeyS", "KeyD", "KeyF", "KeyJ", "KeyK", "KeyL"];
const LETTERS = "SDFJKL";
const GO_ON = new Set(["Space", "Enter", "NumpadEnter"]);

class Memory {
  constructor(fingerprint) {
    this.key = `ganlib-study-${fingerprint}`;
  }

  get token() {
    const given = /^#rater=([\w-]+)$/.exec(location.hash);
    return given ? given[1] : localStorage.getItem(this.key);
  }

  keepToken(token) {
    localStorage.setItem(this.key, token);
    this.pending = null;
  }

  get pending() {
    const kept = JSON.parse(localStorage.getItem(`${this.key}-pending`) ?? "null");
    return kept?.token === this.token ? kept?.answer : null;
  }

  set pending(answer) {
    const kept = answer && JSON.stringify({ token: this.token, answer });
    if (kept) localStorage.setItem(`${this.key}-pending`, kept);
    else localStorage.removeItem(`${this.key}-pending`);
  }

  /** Whether the rater is at work in this very tab, so that a reload goes straight on. */
  get atWork() {
    return sessionStorage.getItem(this.key) === this.token;
  }

  beAtWork(token) {
    sessionStorage.setItem(this.key, token);
  }

  forget() {
    this.pending = null;
    localStorage.removeItem(this.key);
    sessionStorage.removeItem(this.key);
    history.replaceState(null, "", location.pathname + location.search);
  }

  get link() {
    return `${location.origin}${location.pathname}${location.search}#rater=${this.token}`;
  }
}

class Stage {
  constructor(about) {
    this.about = about;
    const count = about.mode === "two_alternative" ? 2 : 1;
    const [rows, columns] = about.shape.map((pixels, axis) => pixels * about.pixel_mm[axis]);
    const room = Math.min((innerWidth - 40 - 24 * (count - 1)) / count, innerHeight - CHROME_PX);
    const scale = Math.max(Math.min(BOX_PX[about.mode], room), 160) / Math.max(rows, columns);
    // Chosen once: every image of the session has the same size.
    this.size = [columns * scale, rows * scale].map(Math.round);
    this.canvases = Array.from({ length: count }, (_, index) => this.canvas(index, count));
    this.element = h("div.gr-stage", {}, ...this.canvases);
  }

  canvas(index, count) {
    const label = count === 1 ? "The image" : ["Left image", "Right image"][index];
    const canvas = h("canvas.gr-image", { role: "img", "aria-label": label });
    [canvas.width, canvas.height] = this.size.map((size) => Math.round(size * devicePixelRatio));
    canvas.style.cssText = `width:${this.size[0]}px;height:${this.size[1]}px`;
    return canvas;
  }

  clear() {
    for (const canvas of this.canvases) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    this.element.classList.add("gr-blank");
  }

  /** Draw, and tell when the images are on screen. */
  show(buffers) {
    const [rows, columns] = this.about.shape;
    buffers.forEach((view, index) => {
      const grey = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      const rgba = new Uint8ClampedArray(4 * grey.length);
      grey.forEach((level, at) => rgba.set([level, level, level, 255], 4 * at));
      const whole = new OffscreenCanvas(columns, rows);
      whole.getContext("2d").putImageData(new ImageData(rgba, columns, rows), 0, 0);
      const canvas = this.canvases[index];
      const context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(whole, 0, 0, canvas.width, canvas.height);
    });
    this.element.classList.remove("gr-blank");
    // The first frame paints, at the second one it is on screen.
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))));
  }
}

class RatingPage {
  constructor(model, root) {
    this.about = model.get("about");
    this.pairs = this.about.mode === "two_alternative";
    this.words = this.pairs ? ["left", "right"] : ["synthetic", "real"];
    this.memory = new Memory(this.about.fingerprint);
    this.connection = new Connection(model, () => this.lost());
    this.frame = h("main.gr", { "data-state": "opening" });
    root.append(this.frame);
    this.target = document.body.dataset.voila === undefined ? this.frame : document;
    this.target.addEventListener("keydown", (this.onKey = (event) => this.key(event)));
    document.addEventListener("visibilitychange", (this.onHide = () => (this.away ||= document.hidden)));
    this.open();
  }

  dispose() {
    this.connection.dispose();
    this.target.removeEventListener("keydown", this.onKey);
    document.removeEventListener("visibilitychange", this.onHide);
  }

  // ---- states

  async open() {
    const { token } = this.memory;
    const reply = await this.connection.request({ kind: "hello", token, pending: token ? this.memory.pending : null });
    if (reply.kind === "failure") return this.failed(reply.text, () => this.open());
    if (reply.kind === "start") {
      if (token) this.memory.forget();
      return reply.closed ? this.end("closed") : this.start(reply.text);
    }
    // What was pending is stored now, unless the same trial waits again.
    if (this.memory.pending && this.memory.pending.step !== reply.step) this.memory.pending = null;
    if (reply.kind !== "trial" || this.memory.atWork) return this.arrive(reply);
    return this.welcomeBack(reply);
  }

  start(notice) {
    const name = h("input", { type: "text", maxlength: "80", autocomplete: "off", id: "gr-name" });
    const experience = h("select", { id: "gr-experience" }, ...this.about.experience.map((text) => h("option", {}, text)));
    const consent = h("input", { type: "checkbox", id: "gr-consent" });
    const says = h("p.gr-says", { role: "alert" }, notice ?? "");
    const begin = h("button.gr-go", { type: "submit" }, "Begin");
    const join = async (event) => {
      event.preventDefault();
      if (!consent.checked) return (says.textContent = "Please tick the box: without your consent nothing can be stored.");
      begin.disabled = true;
      const answers = { name: name.value, experience: experience.value, consent: consent.checked };
      const reply = await this.connection.request({ kind: "join", ...answers });
      begin.disabled = false;
      if (reply.kind === "failure") return (says.textContent = reply.text);
      this.memory.keepToken(reply.token);
      this.memory.beAtWork(reply.token);
      return this.arrive(reply);
    };
    const form = h(
      "form.gr-form",
      { onsubmit: join },
      h("label", { for: "gr-name" }, "Name or pseudonym ", h("span.gr-quiet", {}, "(may be left empty)")),
      name,
      h("label", { for: "gr-experience" }, "Experience with MR images"),
      experience,
      h("label.gr-consent", {}, consent, h("span", {}, this.consentText())),
      says,
      begin,
    );
    this.show("start", this.panel(h("h1", {}, this.question()), ...this.instructions(), form));
    name.focus();
  }

  question() {
    return this.pairs ? "Which of the two images is real?" : "Is this image real, or made by a computer?";
  }

  instructions() {
    const { practice, total, minutes, contrasts } = this.about;
    const shown = this.pairs
      ? "Two MR images of the brain appear side by side: one was acquired by a scanner, the other is synthetic, made by a neural network. Say which one is real, and how sure you are."
      : "MR images of the brain appear one at a time. Some were acquired by a scanner, others are synthetic, made by a neural network. Say which it is, and how sure you are.";
    const told = practice ? `After each of the first ${practice}, for practice, you are told what was right; then no more. ` : "";
    return [
      h("p", {}, shown),
      h("p", {}, `There are ${practice + total} ${this.pairs ? "pairs" : "images"} (${contrasts.join(" and ")}), about ${minutes + 1} minutes. `, told, "Go by your impression; an answer cannot be changed."),
      this.scale((index) => h("span.gr-key", {}, `${index + 1}`), "gr-legend"),
      h("p.gr-quiet", {}, "Keys 1 to 6, or S D F and J K L, or a click. You may stop at any time and come back to the same place."),
    ];
  }

  consentText() {
    return (
      "I agree that my answers, my response times, and the name and experience given here are stored by the organiser " +
      "of this study and evaluated under a pseudonym."
    );
  }

  welcomeBack(reply) {
    const done = reply.practice ? "" : `, ${reply.position - 1} of ${reply.total} done`;
    const go = () => {
      this.memory.keepToken(this.memory.token);
      this.memory.beAtWork(this.memory.token);
      this.arrive({ ...reply, break_due: false }, true);
    };
    const other = () => {
      this.memory.forget();
      location.reload();
    };
    this.pause(
      "Welcome back",
      `The same ${this.pairs ? "pair" : "image"} waits for you${done}.`,
      go,
      h("button", { type: "button", onclick: other }, "I am somebody else"),
    );
  }

  /** A reply about where the rater stands: feedback first, then breaks, then the trial or the end. */
  async arrive(reply, straight = false) {
    if (reply.feedback && this.trial) return this.tell(reply);
    if (reply.kind !== "trial") return this.end(reply.kind, reply.score);
    const first = !reply.practice && reply.position === 1 && this.about.practice > 0;
    const noun = this.pairs ? "pairs" : "images";
    if (!straight && !reply.resumed && first)
      return this.pause("Practice is over", `From here on the answers count, and you are not told whether they are right. ${reply.total} ${noun} follow.`, () => this.arrive(reply, true));
    if (!straight && !reply.resumed && reply.break_due)
      return this.pause("Time for a break", `${reply.position - 1} of ${reply.total} ${noun} done. Look away for a moment; rested eyes judge better.`, () => this.arrive(reply, true));
    return this.present(reply);
  }

  async present(trial) {
    this.trial = trial;
    this.ready = false;
    this.stage ??= new Stage(this.about);
    this.layOut(trial);
    const wait = BLANK_MS - (performance.now() - (this.pressed ?? -BLANK_MS));
    this.stage.clear();
    if (wait > 0) await new Promise((done) => setTimeout(done, wait));
    this.shownAt = await this.stage.show(trial.buffers);
    this.away = document.hidden;
    this.ready = true;
    Object.assign(this.frame.dataset, { painted: this.shownAt, ready: trial.step });
  }

  layOut(trial) {
    const noun = this.pairs ? "pair" : "image";
    const text = `${trial.practice ? "Practice" : noun[0].toUpperCase() + noun.slice(1)} ${trial.position} of ${trial.total}`;
    const done = (trial.position - 1) / trial.total;
    this.says = h("p.gr-says", { role: "status" });
    this.show(
      "trial",
      h(
        "header.gr-head",
        {},
        h("span", {}, text),
        h("progress", { max: "1", value: `${done}`, "aria-label": "Progress" }),
        ...this.badges(),
        h("button.gr-small", { type: "button", onclick: () => this.rest(), title: "Pause (Esc)" }, "Pause"),
      ),
      this.stage.element,
      this.pairs ? h("p.gr-ask", {}, "Which one is real?") : h("p.gr-ask", {}, "Real or synthetic?"),
      this.scale((index) => this.button(index), "gr-answers"),
      this.says,
    );
    this.frame.dataset.step = trial.step;
  }

  button(index) {
    return h(
      "button",
      { type: "button", tabindex: "-1", "data-rating": `${index + 1}`, "aria-label": `${RATINGS[index]} ${this.words[index > 2 ? 1 : 0]}`, onclick: (event) => this.answer(index, event.timeStamp) },
      h("b", {}, `${index + 1}`),
      h("span.gr-letter", {}, LETTERS[index]),
    );
  }

  /** Six places, from the one side to the other, each with its word. */
  scale(place, className) {
    const [low, high] = this.pairs ? ["the left one is real", "the right one is real"] : this.words;
    const half = (from, title) =>
      h(
        "div.gr-half",
        {},
        h("span.gr-title", {}, title),
        h("div.gr-row", {}, ...[0, 1, 2].map((at) => h("span.gr-place", {}, place(from + at), h("small", {}, RATINGS[from + at])))),
      );
    return h(`div.gr-scale.${className}`, {}, half(0, low), half(3, high));
  }

  async answer(index, timeStamp) {
    if (!this.ready) return;
    this.ready = false;
    this.pressed = performance.now();
    const { step, resumed } = this.trial;
    const given = {
      step,
      resumed,
      verdict: this.words[index > 2 ? 1 : 0],
      confidence: CONFIDENCE[index],
      response_ms: this.away ? null : Math.max(0, timeStamp - this.shownAt),
    };
    this.memory.pending = given;
    this.frame.querySelector(`[data-rating="${index + 1}"]`)?.classList.add("gr-pressed");
    if (!this.trial.practice) this.stage.clear();
    const reply = await this.connection.request({ kind: "answer", ...given });
    if (reply.kind === "failure") return this.refused(reply.text);
    this.memory.pending = null;
    return this.arrive(reply);
  }

  /** The answer was not stored: the same image comes again, with what is wrong. */
  async refused(text) {
    await this.present({ ...this.trial, resumed: true });
    this.says.textContent = `Not stored: ${text}`;
  }

  tell(reply) {
    const { correct, truth } = reply.feedback;
    const what = this.pairs ? `the ${truth} image is real` : `this image is ${truth}`;
    const text = correct ? `✓ Right: ${what}.` : `✗ No: ${what}.`;
    const go = () => this.arrive({ ...reply, feedback: null });
    this.frame.querySelector(".gr-ask").replaceChildren(h("b.gr-truth", { role: "alert" }, text));
    this.frame.querySelector(".gr-answers").replaceWith(h("div.gr-on", {}, this.goButton("Next", go)));
    this.frame.dataset.state = "feedback";
    this.goOn = go;
  }

  rest() {
    if (!this.ready) return;
    const trial = { ...this.trial, resumed: true };
    const link = h("input.gr-link", { readonly: "", value: this.memory.link, "aria-label": "Your link", onfocus: (event) => event.target.select() });
    this.pause("Pause", "Everything you have answered is stored. In this browser you can close the page and open it again; elsewhere, this link of your own brings you back here:", () => this.present(trial), link);
  }

  end(kind, score) {
    const closed = kind === "closed";
    const lines = [h("h1", {}, closed ? "This study is closed" : "That was the last one. Thank you!")];
    if (closed) lines.push(h("p", {}, "It takes no more answers. All that were given are stored."));
    else if (score) lines.push(h("p.gr-score", {}, `You were right in ${score[0]} of ${score[1]}.`));
    if (!closed) lines.push(h("p", {}, "All your answers are stored; you can close this page."));
    this.show(kind, this.panel(...lines));
    if (!closed) lines.at(-1).after(h("button.gr-small", { type: "button", onclick: () => (this.memory.forget(), location.reload()) }, "Another rater"));
  }

  failed(text, again) {
    this.pause("The server cannot go on", text, again);
  }

  lost() {
    this.ready = false;
    this.goOn = null;
    this.stage?.clear();
    this.show("lost", this.panel(h("h1", {}, "No answer from the server"), h("p", {}, "What you have answered is safe. This page comes back by itself as soon as the server does."), h("p.gr-quiet", {}, "Nothing happens for a minute? Reload the page, or ask the organiser.")));
  }

  pause(title, text, go, ...more) {
    this.ready = false;
    this.show("pause", this.panel(h("h1", {}, title), h("p", {}, text), this.goButton("Go on", go), ...more));
    this.goOn = go;
  }

  goButton(text, go) {
    return h("button.gr-go", { type: "button", onclick: () => this.proceed(go) }, text, h("span.gr-key", {}, "Space"));
  }

  proceed(go) {
    this.goOn = null;
    this.pressed = performance.now();
    go();
  }

  // ---- the page

  panel(...content) {
    return h("section.gr-panel", {}, h("div.gr-badges", {}, h("span.gr-badge", {}, this.about.study), ...this.badges()), ...content);
  }

  badges() {
    return this.about.phantom ? [h("span.gr-badge", { title: "Simulated anatomy: no scanner was involved, “real” means the simulated original" }, "PHANTOM")] : [];
  }

  show(state, ...content) {
    this.goOn = null;
    this.frame.replaceChildren(...content);
    this.frame.dataset.state = state;
  }

  key(event) {
    if (event.repeat || event.ctrlKey || event.altKey || event.metaKey) return;
    if (this.goOn && GO_ON.has(event.code)) {
      event.preventDefault();
      return this.proceed(this.goOn);
    }
    if (this.frame.dataset.state !== "trial") return;
    if (event.code === "Escape") return this.rest();
    const digit = /^(?:Digit|Numpad)([1-6])$/.exec(event.code);
    const index = digit ? Number(digit[1]) - 1 : CODES.indexOf(event.code);
    if (index >= 0) {
      event.preventDefault();
      this.answer(index, event.timeStamp);
    }
  }
}

export default {
  render({ model, el }) {
    const page = new RatingPage(model, el);
    return () => page.dispose();
  },
};
