// The quality page: a person looks at every subject, and accepts or rejects it with a note. Every decision is on the
// disk before the page says so.

class QualityPage {
  constructor(model, root) {
    this.about = model.get("description");
    this.root = root;
    this.subjects = this.about.subjects;
    const [top, bottom, left, right] = this.about.field;
    this.field = { rows: bottom - top, columns: right - left, centre: [(left + right) / 2, (top + bottom) / 2] };
    Object.assign(this, { index: 0, slice: 0, second: 1, zoom: 1, centre: this.field.centre, cross: null, smooth: true });
    Object.assign(this, { blink: false, histograms: new Map(), painted: 0 });
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
    this.keyboard.listen();
    this.resizing = new ResizeObserver(() => this.layout());
    this.resizing.observe(this.grid);
    window.addEventListener("resize", (this.onResize = () => this.layout()));
    this.go(0);
  }

  dispose() {
    this.store.dispose();
    this.resizing.disconnect();
    window.removeEventListener("resize", this.onResize);
    this.keyboard.dispose();
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
    Object.assign(this, { keyboard: new QualityKeyboard(this), pointer: new QualityPointer(this) });
    Object.assign(this, { list: new QualityList(this), decision: new QualityDecision(this) });
    this.buildHead();
    this.pictures = ["first", "second", "checkerboard", "edges"].map((kind) => new QualityPicture(this, kind));
    this.grid = h("div.gq-grid", {}, ...this.pictures.map((picture) => picture.figure));
    this.figures = new QualityFigures(this);
    this.flags = h("ul.gq-flags", { "aria-label": "What stands out" });
    const main = h("main.gq-main", {}, this.bar(), this.decision.element, this.flags, this.grid, this.figures.element);
    this.frame = h("div.gv.gq", { tabindex: "0" }, this.head, this.message, h("div.gq-body", {}, this.list.element, main), this.keyboard.help);
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
      h("button", { onclick: () => this.keyboard.help.showModal(), title: "Keys (?)" }, "Keys ?"),
    );
    this.message = h("div.gq-messages", { role: "alert" });
    about.notes.forEach((note) => this.message.append(h("div.gv-notice", {}, note)));
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
    this.list.select(index);
    this.figures.show(this.entry);
    this.flags.replaceChildren(...this.entry.flags.map((flag) => h("li", {}, flag)));
    this.flags.hidden = !this.entry.flags.length;
    this.decision.stored.textContent = "";
    this.decision.show();
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
    const at = this.list.shown.indexOf(this.index);
    this.where.replaceChildren(h("b", {}, this.subject), ` ${this.entry.split}, ${at + 1} of ${this.list.shown.length}`);
    this.frame.classList.toggle("gv-waiting", !this.store.get(this.key));
    this.paint();
    this.wantAround();
  }

  wantAround() {
    const at = this.list.shown.indexOf(this.index);
    const near = [1, 2, -1].map((step) => this.list.shown[at + step]).filter((index) => index !== undefined);
    const slices = [this.slice + 1, this.slice - 1].filter((slice) => slice >= 0 && slice < this.entry.slice_mm.length);
    const others = near.map((index) => this.keyOf(index, Math.min(this.slice, this.subjects[index].slice_mm.length - 1)));
    this.store.want([this.key, ...others, ...slices.map((slice) => this.keyOf(this.index, slice))]);
  }

  step(by) {
    const { shown } = this.list;
    this.go(shown[clamp(shown.indexOf(this.index) + by, 0, shown.length - 1)]);
  }

  next(wanted) {
    const after = [...this.subjects.keys()].map((at) => (this.index + 1 + at) % this.subjects.length);
    const found = after.find((index) => wanted(this.subjects[index]) && index !== this.index);
    if (found === undefined) return this.say("There is none left.");
    this.list.reveal(found);
    this.go(found);
  }

  setSecond(second) {
    this.second = second;
    this.paint();
  }

  // ---- what the kernel says

  answered(message) {
    if (message.kind === "histogram") {
      this.histograms.set(message.subject, message.histograms);
      if (message.subject === this.subject) this.figures.draw(message.histograms);
    }
    if (message.kind === "decided") this.decision.decided(message);
  }

  count() {
    this.counts.textContent = this.list.counts;
  }

  say(text, bad = false) {
    const line = h(bad ? "div.gv-message" : "div.gv-notice", {}, text);
    [...this.message.children].filter((child) => child.dataset.passing).forEach((child) => child.remove());
    line.dataset.passing = "1";
    this.message.append(line);
    if (bad) this.decision.stored.textContent = "";
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

  // ---- what keys and pointer change

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

  setCross(cross) {
    this.cross = cross;
    if (!this.shownPair) return;
    this.pictures.forEach((picture) => picture.annotate());
    this.readValues();
  }
}

export default {
  render({ model, el }) {
    const page = new QualityPage(model, el);
    return () => page.dispose();
  },
};
