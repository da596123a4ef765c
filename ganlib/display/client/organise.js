// The organiser's page: choose or make a study, watch its raters, close it, see what came out.

const WATCH_MS = 2000;
// What the page of results says of itself, so that it is as high as it is and does not scroll within this page.
const TELL_HEIGHT = `<script>new ResizeObserver(() => parent.postMessage({ height: document.documentElement.offsetHeight }, "*")).observe(document.documentElement)</script>`;

class OrganiserPage {
  constructor(model, root) {
    this.connection = new Connection(model, () => this.lost());
    this.frame = h("main.go", { "data-state": "opening" });
    root.append(this.frame);
    window.addEventListener("message", (this.onMessage = (event) => this.grow(event)));
    const given = /^#organiser=([\w-]+)$/.exec(location.hash);
    if (given) sessionStorage.setItem("ganlib-organiser", given[1]);
    // The token leaves the address, so that it is not handed on with it.
    if (given) history.replaceState(null, "", location.pathname + location.search);
    const token = sessionStorage.getItem("ganlib-organiser");
    if (token) this.open(token);
    else this.ask();
  }

  dispose() {
    clearInterval(this.timer);
    window.removeEventListener("message", this.onMessage);
    this.connection.dispose();
  }

  ask(notice = "") {
    const token = h("input", { type: "password", id: "go-token", autocomplete: "off" });
    const submit = (event) => {
      event.preventDefault();
      this.open(token.value.trim());
    };
    this.show(
      "locked",
      h("form.go-lock", { onsubmit: submit }, h("h1", {}, "Perceptual studies"), h("label", { for: "go-token" }, "Organiser's token"), token, h("button.go-go", {}, "Open"), h("p.go-quiet", {}, "It was printed when the study was made; `ganlib study serve` prints the address of this page with one for all studies."), h("p.go-says", { role: "alert" }, notice)),
    );
    token.focus();
  }

  async open(token) {
    const reply = await this.connection.request({ kind: "open", token });
    if (reply.kind === "failure") {
      sessionStorage.removeItem("ganlib-organiser");
      return this.ask(reply.text);
    }
    sessionStorage.setItem("ganlib-organiser", token);
    this.about = reply;
    return this.build();
  }

  build() {
    const { studies, may_create: mayCreate } = this.about;
    this.side = h("nav.go-side", { "aria-label": "Studies" });
    this.main = h("section.go-main", {});
    this.show("open", this.side, this.main);
    this.list();
    if (studies.length) this.watch(studies.at(-1));
    else if (mayCreate) this.form();
    else this.main.replaceChildren(h("p", {}, "There is no study yet."));
  }

  list() {
    const entry = (name) => h("button", { type: "button", "aria-pressed": `${name === this.study}`, onclick: () => this.watch(name) }, name);
    const make = this.about.may_create ? [h("button.go-new", { type: "button", "aria-pressed": `${this.study === null}`, onclick: () => this.form() }, "New study …")] : [];
    this.side.replaceChildren(h("h2", {}, "Studies"), ...this.about.studies.map(entry), ...make);
  }

  // ---- one study

  watch(name) {
    clearInterval(this.timer);
    this.study = name;
    this.list();
    this.head = h("div.go-head");
    this.table = h("div.go-table");
    this.says = h("p.go-says", { role: "alert" });
    this.results = h("div.go-results");
    this.main.replaceChildren(this.head, this.says, this.table, this.results);
    this.update();
    this.timer = setInterval(() => document.hidden || this.update(), WATCH_MS);
  }

  async update() {
    const study = this.study;
    const reply = await this.connection.request({ kind: "progress", study });
    if (study !== this.study) return;
    if (reply.kind === "failure") return void (this.says.textContent = reply.text);
    this.drawHead(reply);
    this.drawRaters(reply);
    this.frame.dataset.raters = reply.raters.length;
  }

  drawHead(about) {
    const key = JSON.stringify([about.study, about.closed, about.missing]);
    if (this.drawn === key && this.head.childElementCount) return;
    this.drawn = key;
    const noun = about.mode === "two_alternative" ? "pairs" : "images";
    const badges = [h("span.go-badge", {}, about.closed ? "closed" : "open"), ...(about.phantom ? [h("span.go-badge", {}, "PHANTOM")] : [])];
    const close = h("button", { type: "button", "data-do": "close", onclick: (event) => this.close(event.target) }, "Close the study");
    const address = `${this.about.address}?study=${encodeURIComponent(about.study)}`;
    this.head.replaceChildren(
      h("div.go-title", {}, h("h1", {}, about.study), ...badges),
      h("p.go-quiet", {}, `${about.trials} ${noun} after ${about.practice} for practice · ${about.preset} · ${about.methods.join(", ")} · ${about.contrasts.join(", ")} · trials ${about.fingerprint.slice(0, 12)} · made ${about.created.slice(0, 16).replace("T", " ")} UTC`),
      ...(this.about.address && !about.closed ? [h("p", {}, "Raters open ", h("a", { href: address, target: "_blank" }, address))] : []),
      ...about.missing.map((line) => h("p.go-quiet", {}, line)),
      h("div.go-deeds", {}, h("button.go-go", { type: "button", "data-do": "results", onclick: () => this.see() }, "Results"), h("button", { type: "button", "data-do": "export", onclick: () => this.export() }, "Answers (CSV)"), ...(about.closed ? [] : [close])),
    );
  }

  drawRaters({ raters, trials }) {
    const finished = raters.filter((rater) => rater.finished).length;
    const row = (rater) =>
      h(
        "tr",
        {},
        h("td", {}, rater.rater),
        h("td", {}, rater.label),
        h("td", {}, rater.experience),
        h("td", {}, h("progress", { max: `${rater.total}`, value: `${rater.answered}` }), ` ${rater.answered} / ${rater.total}`),
        h("td", {}, rater.finished ? "finished" : rater.answered ? "" : "in practice"),
        h("td", {}, rater.last_utc ? `${rater.last_utc.slice(11, 19)} UTC` : "–"),
      );
    const head = ["", "Name", "Experience", "Progress", "", "Last answer"].map((text) => h("th", {}, text));
    this.table.replaceChildren(
      h("h2", {}, raters.length ? `${raters.length} ${raters.length === 1 ? "rater" : "raters"}, ${finished} finished` : "Nobody has joined yet"),
      ...(raters.length ? [h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...raters.map(row)))] : []),
    );
  }

  async close(button) {
    if (button.dataset.sure === undefined) {
      button.dataset.sure = "";
      button.textContent = "Really close? Nobody can answer any more";
      return;
    }
    const reply = await this.connection.request({ kind: "close", study: this.study });
    if (reply.kind === "failure") this.says.textContent = reply.text;
    this.update();
  }

  async see() {
    this.says.textContent = "Evaluating …";
    const reply = await this.connection.request({ kind: "results", study: this.study });
    this.says.textContent = reply.kind === "failure" ? reply.text : "";
    if (reply.kind === "failure") return;
    const text = new TextDecoder().decode(reply.buffers[0]);
    // A document of its own, without this page's rights: whatever stands in it, it can reach nothing here.
    this.page = h("iframe", { sandbox: "allow-scripts allow-downloads", title: "Results", scrolling: "no", srcdoc: text + TELL_HEIGHT });
    const save = h("button", { type: "button", onclick: () => this.save(new Blob([text], { type: "text/html" }), "results.html") }, "Save this page");
    this.results.replaceChildren(h("div.go-deeds", {}, h("h2", {}, "Results"), save), this.page);
  }

  /** The results are as high as they say; when they first say so, they are brought into view. */
  grow({ source, data }) {
    if (!this.page || source !== this.page.contentWindow || !(data?.height > 0)) return;
    if (!this.page.style.height) requestAnimationFrame(() => this.results.scrollIntoView());
    this.page.style.height = `${Math.min(data.height, 20000) + 4}px`;
  }

  async export() {
    const reply = await this.connection.request({ kind: "export", study: this.study });
    if (reply.kind === "failure") return void (this.says.textContent = reply.text);
    this.save(new Blob([reply.buffers[0]], { type: "application/zip" }), "answers.zip");
  }

  save(blob, suffix) {
    const name = `${this.study.replace(/[^\w-]+/g, "-")}_${suffix}`;
    const link = h("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // ---- a new study

  form() {
    clearInterval(this.timer);
    this.study = null;
    this.list();
    const { runs, presets, folder } = this.about;
    const name = h("input", { type: "text", id: "go-name", maxlength: "80", required: "" });
    const preset = h("select", { id: "go-preset" }, ...presets.map((text) => h("option", {}, text)));
    preset.value = "balanced"; // fits any runs; the paper's design needs three methods
    const number = (id, value, step) => h("input", { type: "number", id, value, step, min: "0" });
    const fields = {
      synthetic_per_cell: number("go-cell", "10", "1"),
      practice: number("go-practice", "10", "1"),
      repeats: number("go-repeats", "0.1", "0.05"),
      seed: number("go-seed", `${Math.floor(Math.random() * 1e6)}`, "1"),
    };
    preset.addEventListener("change", () => (fields.synthetic_per_cell.value = preset.value === "paper_2018" ? "12" : "10"));
    const boxes = runs.map((run) => h("input", { type: "checkbox", value: run, checked: "" }));
    const splits = h("input", { type: "checkbox", id: "go-splits" });
    const says = h("p.go-says", { role: "alert" });
    const create = async (event) => {
      event.preventDefault();
      says.textContent = "Drawing trials and images …";
      const settings = Object.fromEntries(Object.entries(fields).map(([key, field]) => [key, Number(field.value)]));
      const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
      const reply = await this.connection.request({ kind: "create", name: name.value, preset: preset.value, runs: chosen, settings, all_splits: splits.checked });
      if (reply.kind === "failure") return void (says.textContent = reply.text);
      this.about = await this.connection.request({ kind: "studies" });
      this.watch(reply.study);
      this.says.replaceChildren("Made. The study's own token, for somebody who may watch and close this study only: ", h("code", {}, reply.token));
    };
    const label = (text, field) => [h("label", { for: field.id }, text), field];
    this.main.replaceChildren(
      h("h1", {}, "New study"),
      h(
        "form.go-form",
        { onsubmit: create },
        ...label("Name, as raters see it", name),
        ...label("Design", preset),
        h("span", {}, "Runs"),
        h("div.go-runs", {}, ...(runs.length ? boxes.map((box) => h("label", {}, box, ` ${box.value}`)) : [`no translated runs in ${folder || "a folder: start the server with --runs"}`])),
        ...label("Synthetic images per method and contrast", fields.synthetic_per_cell),
        ...label("Practice trials", fields.practice),
        ...label("Hidden repeats (fraction)", fields.repeats),
        ...label("Seed", fields.seed),
        ...label("Real images from training subjects too", splits),
        says,
        h("button.go-go", {}, "Make the study"),
      ),
      h("p.go-quiet", {}, "paper_2018: 96 real and 72 synthetic images of three methods. balanced: as many real as synthetic ones. two_alternative: pairs, which is real? The trials are fixed and hashed when the study is made."),
    );
    name.focus();
  }

  lost() {
    clearInterval(this.timer);
    this.show("lost", h("p", {}, "No answer from the server. This page comes back by itself as soon as the server does; studies and answers are safe."));
  }

  show(state, ...content) {
    this.frame.replaceChildren(...content);
    this.frame.dataset.state = state;
  }
}

export default {
  render({ model, el }) {
    const page = new OrganiserPage(model, el);
    return () => page.dispose();
  },
};
