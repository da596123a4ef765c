// The viewer: its state, how the page is laid out and painted, and what moves it.

class Viewer {
  constructor(model, root) {
    this.about = model.get("description");
    this.models = this.about.models;
    this.shape = this.about.shape;
    this.setUp();
    this.root = root;
    this.store = new SliceStore(model, {
      arrived: (key) => this.arrived(key),
      failed: (key, text) => this.failed(key, text),
      silent: (lost) => this.lost(lost),
      scored: (message) => this.scored(message),
    });
    this.build();
    this.setDirection(
      Math.max(
        0,
        this.about.directions.findIndex((direction) => direction.subjects.length),
      ),
    );
    this.keyboard = new Keyboard(this);
    this.resizing = new ResizeObserver(() => this.layout());
    this.resizing.observe(this.frame);
    window.addEventListener("resize", (this.onResize = () => this.layout()));
  }

  setUp() {
    const [top, bottom, left, right] = this.about.field;
    this.field = { rows: bottom - top, columns: right - left, centre: [(left + right) / 2, (top + bottom) / 2] };
    Object.assign(this, { zoom: 1, centre: this.field.centre, cross: null, showCross: true });
    Object.assign(this, { blink: false, smooth: true, errorName: "relative", protocol: this.about.protocols[0] });
    Object.assign(this, {
      hidden: new Set(),
      shown: null,
      painted: 0,
      step: 1,
      sort: { metric: "", model: 0 },
      failures: new Map(),
    });
    this.limits = Object.fromEntries(Object.entries(ERRORS).map(([name, kind]) => [name, kind.first]));
    this.sides = this.about.plane === "sagittal" ? ["A", "P"] : ["R", "L"];
    this.windows = {};
    this.resetWindows();
  }

  dispose() {
    this.store.dispose();
    this.resizing.disconnect();
    window.removeEventListener("resize", this.onResize);
    this.keyboard.dispose();
  }

  // ---- what is derived from the state

  get direction() {
    return this.about.directions[this.directionIndex];
  }

  get errorKind() {
    return ERRORS[this.errorName];
  }

  get limit() {
    return this.limits[this.errorName];
  }

  /** What the error maps divide by: the target's training range. */
  get scale() {
    const [low, high] = this.about.ranges[this.direction.target];
    const width = high - low;
    return { low, width, floor: this.about.floor * width, percent: 100 * this.about.floor, digits: digitsFor(width) };
  }

  get key() {
    return `${this.direction.name}|${this.subject}|${this.slice}`;
  }

  /** The zoom at which the whole slice is seen. */
  get leastZoom() {
    return Math.min(1, this.field.rows / this.shape[0], this.field.columns / this.shape[1]);
  }

  rangeWidth(contrast) {
    const [low, high] = this.about.ranges[contrast];
    return high - low;
  }

  windowText(contrast) {
    const { window: width, level } = this.windows[contrast];
    const digits = Math.max(0, digitsFor(this.rangeWidth(contrast)) - 1);
    return `W ${format(width, digits)} L ${format(level, digits)}`;
  }

  positionText() {
    const axis = { axial: "z", coronal: "y", sagittal: "x" }[this.about.plane];
    if (!this.shown) return "";
    const mm = this.about.slice_mm[this.shown.subject][this.shown.slice];
    return `${axis} ${mm < 0 ? "−" : "+"}${Math.abs(mm).toFixed(1)} mm`;
  }

  shownModels() {
    return this.models.map((_, index) => index).filter((index) => !this.hidden.has(index));
  }

  /** Where the image lies in a panel of this many pixels: all panels share zoom and centre. Zoom 1 shows the field. */
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

  // ---- building the page

  build() {
    this.scores = new Scores(this);
    this.pointer = new Pointer(this);
    this.picture = new Picture(this);
    this.toolbar = new Toolbar(this);
    this.colourBar = new ColourBar(this);
    this.truth = new Panel(this, "target");
    this.sourcePanel = new Panel(this, "source");
    this.pairs = this.models.map((_, index) => [new Panel(this, "synthetic", index), new Panel(this, "error", index)]);
    this.grid = h("div.gv-grid", { "aria-label": "Images" });
    this.says = h("p.gv-says");
    this.message = h("div.gv-message", { role: "alert", hidden: "" });
    this.frame = h("div.gv", {
      tabindex: "0",
      role: "region",
      "aria-label": "Comparison of real and synthetic images. Press question mark for the keys.",
    });
    this.frame.append(
      this.toolbar.head,
      this.message,
      this.buildNotes(),
      this.toolbar.bar,
      this.grid,
      this.says,
      this.scores.element,
      this.toolbar.help,
    );
    this.root.append(this.frame);
    this.frame.focus({ preventScroll: true });
  }

  buildNotes() {
    this.notes = h("div", { role: "status" }, ...this.about.notes.map((note) => h("p.gv-notice", {}, note)));
    return this.notes;
  }

  // ---- layout: two rows of panels that fit the window with the scores below

  layout() {
    const width = this.frame.clientWidth;
    if (!width) return;
    const columns = 1 + this.shownModels().length;
    const [rowMm, columnMm] = this.about.voxel_mm;
    const aspect = (this.field.rows * rowMm) / (this.field.columns * columnMm);
    const [barRoom, gap, captions] = [74, 8, 40];
    const wide = (width - 24 - barRoom - gap * columns) / columns;
    const strips = 30 + 17 + TOP + ROW * (this.shownModels().length + 1) + TICKS + 16;
    const free = window.innerHeight - this.grid.offsetTop - strips - 42;
    const tall = Math.max(150, free / 2 - captions);
    const panelWidth = Math.floor(Math.max(100, Math.min(wide, tall / aspect)));
    this.place(columns, panelWidth, Math.round(panelWidth * aspect));
    this.scores.draw();
  }

  place(columns, width, height) {
    this.grid.style.gridTemplateColumns = `repeat(${columns}, ${width}px) 66px`;
    const pairs = this.shownModels().map((index) => this.pairs[index]);
    this.panels = [this.truth, ...pairs.map((pair) => pair[0]), this.sourcePanel, ...pairs.map((pair) => pair[1])];
    this.top = 1 + pairs.length;
    const cells = this.panels.map((panel) => panel.figure);
    cells.splice(this.top, 0, h("div"));
    this.grid.replaceChildren(...cells, ...(pairs.length ? [this.colourBar.element] : []));
    this.colourBar.element.style.height = `${height}px`;
    this.panels.forEach((panel) => panel.resize(width, height));
    this.refresh();
  }

  // ---- painting

  /** Goes to the wanted position: paints it if it is here, asks for it otherwise, and fetches its neighbours. */
  show() {
    const slice = this.store.get(this.key);
    if (slice) this.paintSlice(slice);
    this.frame.classList.toggle("gv-waiting", !slice);
    this.tellPlace();
    this.scores.highlight();
    // After the paint: the answers to these requests cost time on this thread.
    clearTimeout(this.asking);
    this.asking = setTimeout(() => this.store.want([this.key, ...this.neighbours()]), 0);
  }

  paintSlice(slice) {
    // Reading score tables takes longer than reading a slice, so they are asked for after the first picture.
    if (!this.shown) this.store.send({ kind: "scores", key: "scores" });
    this.shown = { subject: this.subject, slice: this.slice, direction: this.direction.name, data: slice };
    this.refresh();
  }

  /** Paints what is shown again: after a move, or a change of window, error, models or blink. */
  refresh() {
    if (!this.shown || !this.panels || this.shown.direction !== this.direction.name) return;
    for (const panel of this.panels) {
      panel.paint(this.shown.data);
      panel.caption();
      panel.annotate();
      panel.tell(this.shown.data);
    }
    this.painted += 1;
    this.frame.dataset.bytes = this.store.received; // of one position, for the latency benchmark
    this.frame.dataset.painted = [this.shown.subject, this.shown.slice, this.shown.direction, this.painted].join("|");
  }

  /** Draws again what zoom, pan or crosshair change: the pixels themselves stay. */
  redraw() {
    for (const panel of this.panels || []) {
      panel.compose();
      panel.annotate();
    }
  }

  pointAt(cross) {
    this.cross = cross;
    for (const panel of this.panels || []) {
      panel.annotate();
      panel.tell(this.shown && this.shown.data);
    }
  }

  /** At most one repaint per frame while the pointer moves. */
  soon(work) {
    if (this.waiting) return;
    this.waiting = requestAnimationFrame(() => {
      this.waiting = null;
      work();
    });
  }

  tellPlace() {
    this.toolbar.tellPlace();
    this.frame.dataset.wanted = this.key;
  }

  tellLook() {
    this.toolbar.tellLook();
    this.says.textContent = this.errorKind.says(this.scale);
    this.colourBar.tell();
  }

  // ---- answers of the kernel

  arrived(key) {
    if (key === this.key && !(this.shown && this.shownKey() === key)) this.show();
  }

  scored({ scores, notes }) {
    this.about.scores = scores;
    this.notes.append(...notes.map((note) => h("p.gv-notice", {}, note)));
    this.sortSubjects();
    this.layout();
  }

  shownKey() {
    return `${this.shown.direction}|${this.shown.subject}|${this.shown.slice}`;
  }

  failed(key, text) {
    if (key === this.key || key === "scores") this.say(text);
  }

  lost(lost) {
    if (lost === Boolean(this.isLost)) return;
    this.isLost = lost;
    if (!lost) return this.say("");
    this.say(
      "No answer from the server: its kernel has ended or the connection is lost. What is on screen stays valid; to go on, reload this page.",
    );
    this.message.append(h("button", { type: "button", onclick: () => location.reload() }, "Reload"));
  }

  say(text) {
    this.message.textContent = text;
    this.message.hidden = !text;
    this.layout();
  }

  // ---- moving

  go(subject) {
    if (!subject || subject === this.subject) return;
    this.step = this.order.indexOf(subject) < this.order.indexOf(this.subject) ? -1 : 1;
    this.slice = this.nearestSlice(subject);
    this.subject = subject;
    if (!this.isLost) this.message.hidden = true;
    this.show();
  }

  /** The slice of another subject that lies nearest to the present one, in mm. */
  nearestSlice(subject) {
    const here = (this.about.slice_mm[this.subject] || [0])[this.slice || 0];
    const gaps = this.about.slice_mm[subject].map((mm) => Math.abs(mm - here));
    return gaps.indexOf(Math.min(...gaps));
  }

  goBy(step) {
    const at = this.order.indexOf(this.subject);
    this.go(this.order[clamp(at + step, 0, this.order.length - 1)]);
  }

  goSlice(slice) {
    const last = this.about.slice_mm[this.subject].length - 1;
    const next = clamp(slice, 0, last);
    if (next === this.slice) return;
    this.slice = next;
    this.show();
  }

  /** Positions to have at hand, nearest first, and those in the direction of movement before those behind. */
  neighbours() {
    const at = this.order.indexOf(this.subject);
    const steps = Array.from({ length: PREFETCH }, (_, i) => [this.step * (i + 1), -this.step * (i + 1)]).flat();
    const further = [PREFETCH + 1, PREFETCH + 2, PREFETCH + 3].map((i) => i * this.step);
    const subjects = [...steps, ...further].map((step) => this.order[at + step]).filter(Boolean);
    const slices = steps
      .map((step) => this.slice + step)
      .filter((slice) => slice >= 0 && slice < this.about.slice_mm[this.subject].length);
    const beside = subjects.map((subject) => `${this.direction.name}|${subject}|${this.nearestSlice(subject)}`);
    const above = slices.map((slice) => `${this.direction.name}|${this.subject}|${slice}`);
    return beside
      .flatMap((key, index) => [key, above[index]])
      .concat(above.slice(beside.length))
      .filter(Boolean);
  }

  setDirection(index) {
    if (index === this.directionIndex || !this.about.directions[index].subjects.length) return;
    this.directionIndex = index;
    this.sortSubjects();
    if (!this.order.includes(this.subject)) {
      this.subject = this.order[0];
      this.slice = Math.floor(((this.about.slice_mm[this.subject] || [0]).length - 1) / 2); // the ends show little
    }
    this.tellLook();
    this.layout();
    this.show();
  }

  setSort() {
    this.sort = this.toolbar.chosenSort();
    this.sortSubjects();
    if (this.sort.metric && this.order[0] !== this.subject) this.go(this.order[0]);
    else this.show();
  }

  sortSubjects() {
    const { subjects } = this.direction;
    const metric = this.about.metrics.find((candidate) => candidate.key === this.sort.metric);
    const values = metric && this.scores.values(metric.key)[this.models[this.sort.model].label];
    const sign = metric && metric.better === "higher" ? 1 : -1;
    const badness = (subject) => {
      const value = values[subjects.indexOf(subject)];
      return value === null ? Infinity : sign * value;
    };
    this.order = values ? [...subjects].sort((a, b) => badness(a) - badness(b) || (a < b ? -1 : 1)) : [...subjects];
  }

  // ---- looks

  toggleModel(index) {
    if (index >= this.models.length) return;
    if (!this.hidden.delete(index)) this.hidden.add(index);
    this.tellLook();
    this.layout();
  }

  setError(name) {
    this.errorName = name;
    this.tellLook();
    this.refresh();
  }

  setLimit(limit) {
    this.limits[this.errorName] = limit;
    this.tellLook();
    this.refresh();
  }

  stepLimit(step) {
    this.setLimit(ERROR_STEPS[clamp(ERROR_STEPS.indexOf(this.limit) + step, 0, ERROR_STEPS.length - 1)]);
  }

  setSmooth(smooth) {
    this.smooth = smooth;
    this.tellLook();
    this.refresh();
  }

  setProtocol(protocol) {
    this.protocol = protocol;
    this.sortSubjects();
    this.scores.draw();
    this.tellPlace();
  }

  setBlink(blink) {
    if (blink === this.blink) return;
    this.blink = blink;
    this.refresh();
  }

  setWindow(contrast, width, level) {
    const range = this.rangeWidth(contrast);
    this.windows[contrast] = { window: clamp(width, range / 200, 4 * range), level };
    this.soon(() => this.refresh());
  }

  resetWindows() {
    for (const [contrast, [low, high]] of Object.entries(this.about.ranges))
      this.windows[contrast] = { window: high - low, level: (low + high) / 2 };
  }

  reset() {
    this.resetWindows();
    this.limits[this.errorName] = this.errorKind.first;
    this.setView(1, this.field.centre);
    this.tellLook();
    this.refresh();
  }

  /** Zoom and centre of all panels; the picture cannot be pushed out of its panel. */
  setView(zoom, [x, y]) {
    const [rows, columns] = this.shape;
    this.zoom = clamp(zoom, this.leastZoom, 20);
    const keep = (centre, size, seen) => (seen >= size ? size / 2 : clamp(centre, seen / 2, size - seen / 2));
    this.centre = [keep(x, columns, this.field.columns / this.zoom), keep(y, rows, this.field.rows / this.zoom)];
    this.soon(() => this.redraw());
  }

  panBy(centre, right, down) {
    const box = this.truth.stage.getBoundingClientRect();
    const view = this.placement(box.width, box.height);
    this.setView(this.zoom, [centre[0] - right / view.columnScale, centre[1] - down / view.rowScale]);
  }

  /** Zooms so that the pixel at (column, row) stays where it is on the screen. */
  zoomAt(factor, column, row) {
    const zoom = clamp(this.zoom * factor, this.leastZoom, 20);
    const share = this.zoom / zoom;
    this.setView(zoom, [column + (this.centre[0] - column) * share, row + (this.centre[1] - row) * share]);
  }
}

export default {
  render({ model, el }) {
    const viewer = new Viewer(model, el);
    return () => viewer.dispose();
  },
};
