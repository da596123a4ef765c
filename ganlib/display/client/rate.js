// The rating page: consent, practice, one image at a time, one key; the states that a rater goes through.
//
// Whether an image is real is nowhere in this page: it is told after a practice answer, and never else.

const BLANK_MS = 150; // between two images, so that they cannot be compared by flicker
const GO_ON = new Set(["Space", "Enter", "NumpadEnter"]);

class RatingPage {
  constructor(model, root) {
    this.about = model.get("about");
    this.pairs = this.about.mode === "two_alternative";
    this.scale = new RatingScale(this.pairs);
    this.memory = new Memory(`${this.about.fingerprint}-${this.about.study}`);
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
    const form = new StartForm(this.about, this.scale, (given) => this.join(given));
    this.show("start", this.panel(...form.content(notice)));
    form.name.focus();
  }

  async join(given) {
    const reply = await this.connection.request({ kind: "join", ...given });
    if (reply.kind === "failure") return reply.text;
    this.memory.keepToken(reply.token);
    this.memory.beAtWork(reply.token);
    return void this.arrive(reply);
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
      this.scale.buttons((index, event) => this.answer(index, event.timeStamp)),
      this.says,
    );
    this.frame.dataset.step = trial.step;
  }

  async answer(index, timeStamp) {
    if (!this.ready) return;
    this.ready = false;
    this.pressed = performance.now();
    const { step, resumed } = this.trial;
    const given = {
      step,
      resumed,
      ...this.scale.answer(index),
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
    const text = h("span", {}, "Everything you have answered is stored. In this browser you can close the page and open it again; elsewhere, this link of your own brings you back here:", link);
    this.pause("Pause", text, () => this.present(trial));
  }

  end(kind, score) {
    const closed = kind === "closed";
    const lines = [h("h1", {}, closed ? "This study is closed" : "That was the last one. Thank you!")];
    if (closed) lines.push(h("p", {}, "It takes no more answers. All that were given are stored."));
    else if (score) lines.push(h("p.gr-score", {}, `You were right in ${score[0]} of ${score[1]}; guessing gives about ${Math.round(score[1] / 2)}.`));
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
    const index = this.scale.placeOf(event);
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
