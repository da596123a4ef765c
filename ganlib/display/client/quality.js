// The quality page: a person looks at every subject, and accepts or rejects it with a note. Every decision is on the
// disk before the page says so.

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
const FILTERS = {
  all: ["All", () => true],
  flagged: ["Flagged", (subject) => subject.flags.length > 0],
  undecided: ["To do", (subject) => subject.decision.verdict === "undecided"],
  rejected: ["Rejected", (subject) => subject.decision.verdict === "rejected"],
};
const VERDICT_WORDS = { accepted: "accepted", rejected: "rejected", undecided: "not decided" };
const VERDICT_MARKS = { accepted: "✓", rejected: "✕", undecided: "" };

class QualityPage {
  constructor(model, root) {
    this.about = model.get("description");
    this.root = root;
    this.subjects = this.about.subjects;
    const [top, bottom, left, right] = this.about.field;
    this.field = { rows: bottom - top, columns: right - left, centre: [(left + right) / 2, (top + bottom) / 2] };
    Object.assign(this, { index: 0, slice: 0, second: 1, zoom: 1, centre: this.field.centre, cross: null, smooth: true });
    Object.assign(this, { blink: false, filter: "all", histograms: new Map(), painted: 0 });
    this.sides = this.about.plane === "sagittal" ? ["A", "P"] : ["R", "L"];
    this.resetWindows();
    this.store = new SliceStore(model, {
      arrived: (key) => key === this.key && this.paint(),
      failed: (_, text) => this.say(text, true),
      silent: (lost) => lost && this.say("The kernel does not answer: nothing is stored. Reload the page.", true),
      scored: () => {},
      answered: (message) => this.answered(message),
    });
    this.build();
    this.listenToKeys();
    this.resizing = new ResizeObserver(() => this.layout());
    this.resizing.observe(this.grid);
    window.addEventListener("resize", (this.onResize = () => this.layout()));
    this.go(0);
  }

  dispose() {
    this.store.dispose();
    this.resizing.disconnect();
    window.removeEventListener("resize", this.onResize);
    this.keyTarget.removeEventListener("keydown", this.onKeyDown);
    this.keyTarget.removeEventListener("keyup", this.onKeyUp);
  }

  get entry() {
    return this.subjects[this.index];
  }

  get subject() {
    return this.entry.id;
  }

  get contrasts() {
    const { contrasts } = this.about;
    return [contrasts[0], contrasts[this.second] || contrasts[0]];
  }

  get key() {
    return this.keyOf(this.index, this.slice);
  }

  keyOf(index, slice) {
    return `all|${this.subjects[index].id}|${slice}`;
  }

  resetWindows() {
    this.windows = Object.fromEntries(
      Object.entries(this.about.ranges).map(([name, [low, high]]) => [name, { window: high - low, level: (low + high) / 2 }]),
    );
  }

  greyScale(contrast) {
    const { window: width, level } = this.windows[contrast];
    const [low, gain] = [level - width / 2, 255 / width];
    return (value) => {
      if (value !== value) return NOT_A_NUMBER;
      const grey = (value - low) * gain;
      return GREY[grey > 0 ? (grey < 255 ? (grey + 0.5) | 0 : 255) : 0];
    };
  }

  placement(width, height) {
    const { rows, columns } = this.field;
    const [rowMm, columnMm] = this.about.voxel_mm;
    const pixelsPerMm = Math.min(width / (columns * columnMm), height / (rows * rowMm)) * this.zoom;
    const [columnScale, rowScale] = [columnMm * pixelsPerMm, rowMm * pixelsPerMm];
    return {
      columnScale,
      rowScale,
      pixelsPerMm,
      x: width / 2 - this.centre[0] * columnScale,
      y: height / 2 - this.centre[1] * rowScale,
    };
  }

  // ---- what is on the page

  build() {
    this.buildHead();
    this.buildList();
    this.buildDecision();
    this.pictures = ["first", "second", "checkerboard", "edges"].map((kind) => new QualityPicture(this, kind));
    this.grid = h("div.gq-grid", {}, ...this.pictures.map((picture) => picture.figure));
    this.figures = new QualityFigures(this);
    this.flags = h("ul.gq-flags", { "aria-label": "What stands out" });
    const main = h("main.gq-main", {}, this.bar(), this.decision, this.flags, this.grid, this.figures.element);
    this.frame = h("div.gv.gq", { tabindex: "0" }, this.head, this.message, h("div.gq-body", {}, this.side, main), this.help);
    this.root.append(this.frame);
  }

  buildHead() {
    const { about } = this;
    const badges = h("span.gv-badges");
    if (about.phantom) badges.append(h("span.gv-badge.gv-phantom", {}, "PHANTOM"));
    this.counts = h("span.gq-counts", { role: "status" });
    this.head = h(
      "header.gv-head",
      {},
      h("h1", {}, `Quality of ${about.cohort}`),
      badges,
      this.counts,
      h("span.gv-room"),
      h("button", { onclick: () => this.help.showModal(), title: "Keys (?)" }, "Keys ?"),
    );
    this.message = h("div.gq-messages", { role: "alert" });
    about.notes.forEach((note) => this.message.append(h("div.gv-notice", {}, note)));
    const rows = QUALITY_KEYS.map(([key, text]) => h("tr", {}, h("th", {}, key), h("td", {}, text)));
    const close = h("button", { onclick: () => this.help.close() }, "Close");
    this.help = h("dialog.gv-help", { "aria-label": "Keys" }, h("table", {}, ...rows), close);
  }

  buildList() {
    const buttons = Object.entries(FILTERS).map(([name, [label]]) =>
      h("button", { "aria-pressed": String(name === this.filter), "data-filter": name, onclick: () => this.setFilter(name) }, label),
    );
    this.filters = h("div.gv-choice", { role: "group", "aria-label": "Which subjects" }, ...buttons);
    this.rows = this.subjects.map((subject, index) => this.listRow(subject, index));
    this.list = h("ol.gq-list", { role: "listbox", "aria-label": "Subjects" }, ...this.rows);
    this.side = h("nav.gq-side", {}, this.filters, this.list);
    this.subjects.forEach((_, index) => this.dressRow(index));
  }

  listRow(subject, index) {
    const flag = h("span.gq-flag", { title: subject.flags.join("\n") }, subject.flags.length ? "⚑" : "");
    return h(
      "li",
      { role: "option", "data-subject": subject.id, onclick: () => this.go(index) },
      h("span.gq-verdict"),
      h("span.gq-id", { title: subject.id }, subject.id),
      h("span.gq-part", {}, subject.split),
      flag,
    );
  }

  dressRow(index) {
    const { verdict, note } = this.subjects[index].decision;
    const row = this.rows[index];
    row.dataset.verdict = verdict;
    row.firstChild.textContent = VERDICT_MARKS[verdict];
    row.title = [VERDICT_WORDS[verdict], note].filter(Boolean).join(": ");
  }

  bar() {
    this.where = h("span.gq-where");
    this.slider = h("input.gv-slider", { type: "range", min: 0, "aria-label": "Slice" });
    this.slider.addEventListener("input", () => this.setSlice(Number(this.slider.value)));
    this.position = h("span.gv-where");
    this.sliceField = h("label.gv-field.gv-grow", {}, "Slice", this.slider, this.position);
    this.choice = h("div.gv-choice", { role: "group", "aria-label": "Second contrast" });
    if (this.about.contrasts.length > 2)
      this.about.contrasts.slice(1).forEach((name, at) => {
        this.choice.append(h("button", { onclick: () => this.setSecond(at + 1), "data-second": at + 1 }, name));
      });
    return h("div.gv-bar", {}, this.where, this.choice, this.sliceField);
  }

  buildDecision() {
    const button = (verdict, label, key) =>
      h("button", { "data-verdict": verdict, title: `Key ${key}`, onclick: () => this.decide(verdict) }, label, h("kbd", {}, key));
    this.verdicts = h(
      "div.gv-choice",
      { role: "group", "aria-label": "Decision" },
      button("accepted", "Accept", "a"),
      button("rejected", "Reject", "r"),
      button("undecided", "Take back", "x"),
    );
    this.note = h("input.gq-note", { type: "text", maxlength: 2000, placeholder: "Note (n): why", "aria-label": "Note" });
    this.note.addEventListener("keydown", (event) => this.noteKey(event));
    this.stored = h("output.gq-stored", { "aria-live": "polite" });
    this.decision = h("div.gq-decision", {}, this.verdicts, this.note, this.stored);
  }

  layout() {
    const across = this.grid.clientWidth;
    if (!across) return;
    const [rowMm, columnMm] = this.about.voxel_mm;
    const aspect = (this.field.rows * rowMm) / (this.field.columns * columnMm);
    const room = window.innerHeight - this.grid.getBoundingClientRect().top - window.scrollY - 190;
    const widthIn = (columns) => {
      const height = columns === 4 ? Math.max(220, room - 40) : Math.max(200, room / 2 - 40);
      return Math.floor(Math.min((across - 8 * (columns - 1)) / columns, height / aspect));
    };
    const columns = widthIn(4) >= widthIn(2) ? 4 : 2;
    const width = widthIn(columns);
    this.grid.style.gridTemplateColumns = `repeat(${columns}, ${width}px)`;
    this.pictures.forEach((picture) => picture.resize(width, Math.round(width * aspect)));
    this.paint();
  }

  // ---- moving

  go(index) {
    this.index = index;
    const count = this.entry.slice_mm.length;
    this.slice = Math.min(this.slice || this.entry.middle, count - 1);
    if (!this.visited) this.slice = this.entry.middle;
    this.visited = true;
    this.slider.max = count - 1;
    this.sliceField.hidden = count < 2;
    this.rows.forEach((row, at) => row.setAttribute("aria-selected", String(at === index)));
    this.rows[index].scrollIntoView({ block: "nearest" });
    this.figures.show(this.entry);
    this.flags.replaceChildren(...this.entry.flags.map((flag) => h("li", {}, flag)));
    this.flags.hidden = !this.entry.flags.length;
    this.stored.textContent = "";
    this.showDecision();
    if (this.histograms.has(this.subject)) this.figures.draw(this.histograms.get(this.subject));
    else this.store.send({ kind: "histogram", key: `histogram|${this.subject}`, subject: this.subject });
    this.setSlice(this.slice);
  }

  setSlice(slice) {
    this.slice = clamp(slice, 0, this.entry.slice_mm.length - 1);
    this.slider.value = this.slice;
    const axis = { axial: "z", coronal: "y", sagittal: "x" }[this.about.plane];
    const mm = this.entry.slice_mm[this.slice];
    this.position.textContent = `${this.slice + 1} of ${this.entry.slice_mm.length}, ${axis} ${mm < 0 ? "−" : "+"}${Math.abs(mm).toFixed(1)} mm`;
    const at = this.listed.indexOf(this.index);
    this.where.replaceChildren(h("b", {}, this.subject), ` ${this.entry.split}, ${at + 1} of ${this.listed.length}`);
    this.frame.classList.toggle("gv-waiting", !this.store.get(this.key));
    this.paint();
    this.wantAround();
  }

  wantAround() {
    const at = this.listed.indexOf(this.index);
    const near = [1, 2, -1].map((step) => this.listed[at + step]).filter((index) => index !== undefined);
    const slices = [this.slice + 1, this.slice - 1].filter((slice) => slice >= 0 && slice < this.entry.slice_mm.length);
    const others = near.map((index) => this.keyOf(index, Math.min(this.slice, this.subjects[index].slice_mm.length - 1)));
    this.store.want([this.key, ...others, ...slices.map((slice) => this.keyOf(this.index, slice))]);
  }

  /** Numbers of the subjects in the list as it is filtered, the current one among them. */
  get listed() {
    return this.subjects.map((_, index) => index).filter((index) => !this.rows[index].hidden || index === this.index);
  }

  step(by) {
    const { listed } = this;
    this.go(listed[clamp(listed.indexOf(this.index) + by, 0, listed.length - 1)]);
  }

  next(wanted) {
    const after = [...this.subjects.keys()].map((at) => (this.index + 1 + at) % this.subjects.length);
    const found = after.find((index) => wanted(this.subjects[index]) && index !== this.index);
    if (found === undefined) return this.say("There is none left.");
    this.rows[found].hidden = false;
    this.go(found);
  }

  setFilter(name) {
    this.filter = name;
    const [, wanted] = FILTERS[name];
    this.subjects.forEach((subject, index) => (this.rows[index].hidden = !wanted(subject)));
    for (const button of this.filters.children) button.setAttribute("aria-pressed", String(button.dataset.filter === name));
    const first = this.subjects.findIndex(wanted);
    if (first >= 0 && this.rows[this.index].hidden) this.go(first);
    else this.go(this.index);
  }

  setSecond(second) {
    this.second = second;
    this.paint();
  }

  // ---- deciding

  decide(verdict, { advance = verdict === "accepted" } = {}) {
    const key = `decide|${this.subject}`;
    this.stored.textContent = "storing …";
    this.store.send({ kind: "decide", key, subject: this.subject, verdict, note: this.note.value });
    this.afterwards = { key, advance };
    if (verdict === "rejected" && !advance) this.note.focus();
  }

  answered(message) {
    if (message.kind === "histogram") {
      this.histograms.set(message.subject, message.histograms);
      if (message.subject === this.subject) this.figures.draw(message.histograms);
    }
    if (message.kind === "decided") this.decided(message);
  }

  decided({ key, subject, decision }) {
    const index = this.subjects.findIndex((entry) => entry.id === subject);
    this.subjects[index].decision = decision;
    this.dressRow(index);
    const goOn = this.afterwards?.key === key && this.afterwards.advance;
    if (index === this.index && goOn && this.listed.indexOf(index) < this.listed.length - 1) this.step(1);
    else if (index === this.index) this.showDecision(this.note !== document.activeElement);
    this.stored.textContent = `${subject} ${VERDICT_WORDS[decision.verdict]}, stored ${new Date(decision.made).toLocaleTimeString([], { hour12: false })}`;
    this.frame.dataset.stored = `${subject}|${decision.verdict}|${decision.note}`;
    this.count();
  }

  showDecision(replaceNote = true) {
    const { verdict, note } = this.entry.decision;
    for (const button of this.verdicts.children)
      button.setAttribute("aria-pressed", String(verdict !== "undecided" && button.dataset.verdict === verdict));
    this.verdicts.lastChild.disabled = verdict === "undecided";
    this.decision.dataset.verdict = verdict;
    if (replaceNote) this.note.value = note;
    this.count();
  }

  count() {
    const number = (verdict) => this.subjects.filter((subject) => subject.decision.verdict === verdict).length;
    const flagged = this.subjects.filter((subject) => subject.flags.length).length;
    this.counts.textContent =
      `${this.subjects.length} subjects, ${flagged} flagged · ${number("accepted")} accepted, ` +
      `${number("rejected")} rejected, ${number("undecided")} to do`;
  }

  noteKey(event) {
    event.stopPropagation();
    if (event.key === "Escape") {
      this.note.value = this.entry.decision.note;
      this.frame.focus();
    }
    if (event.key !== "Enter") return;
    const { verdict } = this.entry.decision;
    this.frame.focus();
    this.decide(verdict === "undecided" ? "rejected" : verdict, { advance: true });
  }

  say(text, bad = false) {
    const line = h(bad ? "div.gv-message" : "div.gv-notice", {}, text);
    [...this.message.children].filter((child) => child.dataset.passing).forEach((child) => child.remove());
    line.dataset.passing = "1";
    this.message.append(line);
    if (bad) this.stored.textContent = "";
    else setTimeout(() => line.remove(), 3000);
  }

  // ---- painting

  paint() {
    const slice = this.store.get(this.key);
    for (const button of this.choice.children)
      button.setAttribute("aria-pressed", String(Number(button.dataset.second) === this.second));
    if (!slice || !this.pictures[0].image.width) return;
    const images = [slice.source, slice.target, ...slice.synthetic];
    const pair = [images[0], images[this.second] || images[0]];
    this.pictures.forEach((picture) => picture.paint(pair, slice.mask));
    this.frame.classList.remove("gv-waiting");
    this.shownPair = pair;
    this.readValues();
    this.frame.dataset.painted = `${this.subject}|${this.slice}|${this.contrasts.join("+")}|${++this.painted}`;
  }

  readValues() {
    const digits = (contrast) => Math.max(0, digitsFor(this.windows[contrast].window) - 1);
    this.contrasts.forEach((contrast, at) => {
      const { window: width, level } = this.windows[contrast];
      this.pictures[at].foot.textContent = `W ${format(width, digits(contrast))} L ${format(level, digits(contrast))}`;
      const value = this.cross ? this.shownPair[at][this.cross.row * this.about.shape[1] + this.cross.column] : null;
      this.pictures[at].value.textContent = value === null || value !== value ? "" : format(value, digits(contrast));
    });
  }

  // ---- keyboard and pointer

  get keys() {
    const zoom = (factor) => () => this.setZoom(this.zoom * factor);
    return {
      ArrowLeft: () => this.step(-1),
      ArrowRight: () => this.step(1),
      ArrowUp: () => this.setSlice(this.slice + 1),
      ArrowDown: () => this.setSlice(this.slice - 1),
      Home: () => this.go(this.listed[0]),
      End: () => this.go(this.listed.at(-1)),
      f: () => this.next((subject) => subject.flags.length),
      u: () => this.next((subject) => subject.decision.verdict === "undecided"),
      a: () => this.decide("accepted"),
      r: () => this.decide("rejected"),
      x: () => this.entry.decision.verdict !== "undecided" && this.decide("undecided"),
      n: () => this.note.focus(),
      b: () => this.setBlink(true),
      " ": () => this.setBlink(true),
      c: () => this.setSecond((this.second % (this.about.contrasts.length - 1)) + 1),
      "+": zoom(1.25),
      "=": zoom(1.25),
      "-": zoom(0.8),
      0: () => this.reset(),
      s: () => ((this.smooth = !this.smooth), this.paint()),
      "?": () => this.help.showModal(),
    };
  }

  listenToKeys() {
    this.keyTarget = document.body.dataset.voila === undefined ? this.frame : document;
    this.keyTarget.addEventListener("keydown", (this.onKeyDown = (event) => this.keyDown(event)));
    this.keyTarget.addEventListener("keyup", (this.onKeyUp = (event) => this.keyUp(event)));
  }

  keyDown(event) {
    const own = event.target.matches?.("input[type=range]") && /^(Arrow|Home|End)/.test(event.key);
    const pressed = event.key === " " && event.target.matches?.("button");
    if (this.help.open || event.ctrlKey || event.metaKey || event.altKey || own || pressed || event.target === this.note) return;
    const work = this.keys[event.key];
    if (!work || (event.repeat && (event.key === " " || event.key === "b"))) return;
    event.preventDefault();
    work();
  }

  keyUp(event) {
    if (event.key === " " || event.key === "b") this.setBlink(false);
  }

  setBlink(on) {
    if (this.blink === on) return;
    this.blink = on;
    this.paint();
  }

  setZoom(zoom, at = null) {
    const next = clamp(zoom, 0.5, 12);
    if (at) this.centre = this.centre.map((middle, axis) => at[axis] + ((middle - at[axis]) * this.zoom) / next);
    this.zoom = next;
    this.paint();
  }

  reset() {
    Object.assign(this, { zoom: 1, centre: this.field.centre });
    this.resetWindows();
    this.paint();
  }

  listenToPointer(picture) {
    const { stage } = picture;
    stage.addEventListener("pointermove", (event) => this.pointed(picture, event));
    stage.addEventListener("pointerleave", () => this.setCross(null));
    stage.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      stage.setPointerCapture(event.pointerId);
      this.drag = { button: event.button, x: event.clientX, y: event.clientY };
    });
    stage.addEventListener("pointerup", () => (this.drag = null));
    stage.addEventListener("dblclick", () => this.reset());
    stage.addEventListener("wheel", (event) => this.wheel(picture, event), { passive: false });
  }

  place(picture, event) {
    const box = picture.stage.getBoundingClientRect();
    const view = this.placement(box.width, box.height);
    return [(event.clientX - box.left - view.x) / view.columnScale, (event.clientY - box.top - view.y) / view.rowScale];
  }

  pointed(picture, event) {
    if (this.drag) return this.dragged(picture, event);
    const [column, row] = this.place(picture, event).map(Math.floor);
    const [rows, columns] = this.about.shape;
    this.setCross(row >= 0 && row < rows && column >= 0 && column < columns ? { row, column } : null);
  }

  setCross(cross) {
    this.cross = cross;
    if (!this.shownPair) return;
    this.pictures.forEach((picture) => picture.annotate());
    this.readValues();
  }

  dragged(picture, event) {
    const [x, y] = [event.clientX - this.drag.x, event.clientY - this.drag.y];
    Object.assign(this.drag, { x: event.clientX, y: event.clientY });
    if (this.drag.button === 1) {
      const box = picture.stage.getBoundingClientRect();
      const view = this.placement(box.width, box.height);
      this.centre = [this.centre[0] - x / view.columnScale, this.centre[1] - y / view.rowScale];
    } else {
      const contrast = this.contrasts[picture.kind === "second" ? 1 : 0];
      const [low, high] = this.about.ranges[contrast];
      const shade = this.windows[contrast];
      shade.window = Math.max((high - low) / 100, shade.window + ((high - low) * x) / 300);
      shade.level -= ((high - low) * y) / 300;
    }
    this.paint();
  }

  wheel(picture, event) {
    event.preventDefault();
    this.setZoom(this.zoom * (event.deltaY < 0 ? 1.15 : 1 / 1.15), this.place(picture, event));
  }
}

export default {
  render({ model, el }) {
    const page = new QualityPage(model, el);
    return () => page.dispose();
  },
};
