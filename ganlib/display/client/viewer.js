// The viewer: state, layout, keyboard and pointer.

const KEYS = [
  ["← →", "previous, next subject (Home, End: first, last; Page Up, Page Down: ten)"],
  ["↑ ↓", "next, previous slice"],
  ["1 … 9", "show or hide a model"],
  ["b, or hold Space", "blink: the synthetic panels show the real image while the key is down"],
  ["d", "other direction"],
  ["[  ]", "narrower, wider window;  , and . : lower, higher level"],
  ["+  −", "zoom in, out at the crosshair"],
  ["Shift + arrows", "move the crosshair one pixel;  c: show or hide it"],
  ["Alt + arrows", "pan"],
  ["0", "reset zoom, window and level"],
  ["e", "relative error or signed difference;  < and > : its upper limit"],
  ["s", "smooth pixels or show them as they are"],
  ["p", "other protocol of the scores"],
  ["g", "save the picture (PNG)"],
  ["?", "this help; Esc closes it"],
  ["Mouse", "drag: window (across) and level (up, down); on an error map: its upper limit"],
  ["", "wheel: zoom · middle button or Space + drag: pan · double click: reset · click a point: that subject"],
];

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
    this.listenToKeys();
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
    this.keyTarget.removeEventListener("keydown", this.onKeyDown);
    this.keyTarget.removeEventListener("keyup", this.onKeyUp);
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
    this.truth = new Panel(this, "target");
    this.sourcePanel = new Panel(this, "source");
    this.pairs = this.models.map((_, index) => [new Panel(this, "synthetic", index), new Panel(this, "error", index)]);
    this.grid = h("div.gv-grid", { "aria-label": "Images" });
    this.colourBar = this.buildColourBar();
    this.says = h("p.gv-says");
    this.message = h("div.gv-message", { role: "alert", hidden: "" });
    this.frame = h("div.gv", {
      tabindex: "0",
      role: "region",
      "aria-label": "Comparison of real and synthetic images. Press question mark for the keys.",
    });
    this.frame.append(
      this.buildHead(),
      this.message,
      this.buildNotes(),
      this.buildBar(),
      this.grid,
      this.says,
      this.scores.element,
      this.buildHelp(),
    );
    this.root.append(this.frame);
    this.frame.focus({ preventScroll: true });
  }

  buildHead() {
    const badges = h("div.gv-badges");
    if (this.about.phantom)
      badges.append(
        h("span.gv-badge.gv-phantom", { title: "Simulated from signal equations: no scanner was involved" }, "PHANTOM"),
      );
    badges.append(h("span.gv-badge", {}, DISCLAIMER));
    const save = h(
      "button",
      { type: "button", onclick: () => this.save(), title: "Save what is on screen as a picture (g)" },
      "Save PNG",
    );
    const help = h(
      "button",
      { type: "button", onclick: () => this.toggleHelp(), title: "Keys (?)", "aria-label": "Help: keys" },
      "?",
    );
    return h(
      "header.gv-head",
      {},
      h("h1", {}, this.about.cohort),
      badges,
      this.buildChips(),
      h("span.gv-room"),
      save,
      help,
    );
  }

  buildNotes() {
    this.notes = h("div", { role: "status" }, ...this.about.notes.map((note) => h("p.gv-notice", {}, note)));
    return this.notes;
  }

  buildBar() {
    this.directionButtons = this.about.directions.map((direction, index) =>
      h(
        "button",
        {
          type: "button",
          onclick: () => this.setDirection(index),
          title: "Direction of translation (d)",
          ...(direction.subjects.length ? {} : { disabled: "" }),
        },
        direction.label,
      ),
    );
    this.subjectSlider = h("input.gv-slider", {
      type: "range",
      min: 0,
      step: 1,
      "aria-label": "Subject",
      oninput: () => this.go(this.order[this.subjectSlider.value]),
    });
    this.subjectText = h("output.gv-where");
    this.sliceSlider = h("input.gv-slider", {
      type: "range",
      min: 0,
      step: 1,
      "aria-label": "Slice",
      oninput: () => this.goSlice(Number(this.sliceSlider.value)),
    });
    this.sliceText = h("output.gv-where");
    this.sliceBox = h("label.gv-field.gv-grow.gv-slices", {}, h("span", {}, "Slice"), this.sliceSlider, this.sliceText);
    return h(
      "div.gv-bar",
      {},
      h("span.gv-choice", { role: "group", "aria-label": "Direction" }, ...this.directionButtons),
      h("label.gv-field.gv-grow", {}, h("span", {}, "Subject"), this.subjectSlider, this.subjectText),
      this.sliceBox,
      ...this.buildSort(),
      this.buildLook(),
    );
  }

  buildSort() {
    const option = (value, text) => h("option", { value }, text);
    const metrics = this.about.metrics.map((metric) => option(metric.key, `worst ${metric.title}`));
    this.sortMetric = h(
      "select",
      { "aria-label": "Order of subjects", onchange: () => this.setSort() },
      option("", "id"),
      ...metrics,
    );
    this.sortModel = h(
      "select",
      { "aria-label": "Order by the score of", onchange: () => this.setSort() },
      ...this.models.map((model, index) => option(index, model.label)),
    );
    this.sortOf = h("label.gv-field", { hidden: "" }, h("span", {}, "of"), this.sortModel);
    return [h("label.gv-field", {}, h("span", {}, "Sort"), this.sortMetric), this.sortOf];
  }

  buildChips() {
    this.chips = this.models.map((model, index) =>
      h(
        "button.gv-chip",
        { type: "button", onclick: () => this.toggleModel(index), title: `Show or hide (${index + 1})` },
        h("kbd", {}, String(index + 1)),
        mark(model),
        model.label,
      ),
    );
    return h("span.gv-chips", { role: "group", "aria-label": "Models" }, ...this.chips);
  }

  buildLook() {
    this.errorButtons = Object.keys(ERRORS).map((name) =>
      h(
        "button",
        { type: "button", "data-error": name, onclick: () => this.setError(name), title: "Error map (e)" },
        name,
      ),
    );
    this.limitSlider = h("input.gv-limit", {
      type: "range",
      min: 0,
      max: ERROR_STEPS.length - 1,
      step: 1,
      "aria-label": "Upper limit of the error map",
      oninput: () => this.setLimit(ERROR_STEPS[this.limitSlider.value]),
    });
    this.limitText = h("output.gv-number");
    this.smoothBox = h("input", { type: "checkbox", onchange: () => this.setSmooth(this.smoothBox.checked) });
    return h(
      "span.gv-look",
      {},
      h(
        "span.gv-field",
        {},
        h("span", {}, "Error"),
        h("span.gv-choice", { role: "group", "aria-label": "Error map" }, ...this.errorButtons),
      ),
      h("label.gv-field", {}, h("span", {}, "up to"), this.limitSlider, this.limitText),
      h("label.gv-field", { title: "Interpolate between pixels (s)" }, this.smoothBox, h("span", {}, "Smooth")),
    );
  }

  buildColourBar() {
    this.bar = h("canvas.gv-ramp", { width: 1, height: 256 });
    this.barTicks = [0, 1, 2].map(() => h("span"));
    this.barTitle = h("span.gv-bar-title");
    return h(
      "div.gv-colour-bar",
      { role: "img" },
      this.bar,
      h("div.gv-bar-ticks", {}, ...this.barTicks),
      this.barTitle,
    );
  }

  buildHelp() {
    const rows = KEYS.map(([key, text]) => h("tr", {}, h("th", { scope: "row" }, key), h("td", {}, text)));
    this.help = h(
      "dialog.gv-help",
      { "aria-label": "Keys" },
      h("table", {}, h("tbody", {}, ...rows)),
      h("form", { method: "dialog" }, h("button", {}, "Close")),
    );
    return this.help;
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
    this.grid.replaceChildren(...cells, ...(pairs.length ? [this.colourBar] : []));
    this.colourBar.style.height = `${height}px`;
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
    const at = this.order.indexOf(this.subject);
    const slices = this.about.slice_mm[this.subject];
    this.subjectSlider.max = this.order.length - 1;
    this.subjectSlider.value = at;
    this.subjectSlider.setAttribute("aria-valuetext", this.subject);
    this.subjectText.replaceChildren(h("b", {}, this.subject), ` ${at + 1} of ${this.order.length}`);
    this.sliceBox.hidden = slices.length < 2;
    this.sliceSlider.max = slices.length - 1;
    this.sliceSlider.value = this.slice;
    this.sliceText.replaceChildren(
      h("b", {}, `${format(slices[this.slice], 1)} mm`),
      ` ${this.slice + 1} of ${slices.length}`,
    );
    this.frame.dataset.wanted = this.key;
  }

  tellLook() {
    this.directionButtons.forEach((button, index) =>
      button.setAttribute("aria-pressed", String(index === this.directionIndex)),
    );
    this.errorButtons.forEach((button) =>
      button.setAttribute("aria-pressed", String(button.dataset.error === this.errorName)),
    );
    this.chips.forEach((chip, index) => chip.setAttribute("aria-pressed", String(!this.hidden.has(index))));
    this.limitSlider.value = ERROR_STEPS.indexOf(this.limit);
    this.limitSlider.setAttribute("aria-valuetext", `${this.limit} %`);
    this.limitText.textContent = `${this.limit} %`;
    this.smoothBox.checked = this.smooth;
    this.says.textContent = this.errorKind.says(this.scale);
    this.tellColourBar();
  }

  tellColourBar() {
    const pixels = new ImageData(1, 256);
    new Uint32Array(pixels.data.buffer).set(this.errorKind.table.slice().reverse());
    this.bar.getContext("2d").putImageData(pixels, 0, 0);
    const ends = this.errorKind.ends(this.limit).reverse();
    this.barTicks.forEach((tick, index) => (tick.textContent = ends[index]));
    this.barTitle.textContent = this.errorKind.title;
    this.colourBar.setAttribute("aria-label", `Colour bar: ${this.errorKind.title}, from ${ends[2]} to ${ends[0]}`);
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
    this.sort = { metric: this.sortMetric.value, model: Number(this.sortModel.value) };
    this.sortOf.hidden = !this.sort.metric;
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

  /** Zooms so that the pixel at (column, row) stays where it is on the screen. */
  zoomAt(factor, column, row) {
    const zoom = clamp(this.zoom * factor, this.leastZoom, 20);
    const share = this.zoom / zoom;
    this.setView(zoom, [column + (this.centre[0] - column) * share, row + (this.centre[1] - row) * share]);
  }

  toggleHelp() {
    if (this.help.open) this.help.close();
    else this.help.showModal();
  }

  // ---- pointer

  listenToPointer(panel) {
    const { stage } = panel;
    stage.addEventListener("pointerdown", (event) => this.pointerDown(event, panel));
    stage.addEventListener("pointermove", (event) => this.pointerMove(event, panel));
    stage.addEventListener("pointerup", () => (this.drag = null));
    stage.addEventListener("pointercancel", () => (this.drag = null));
    stage.addEventListener("pointerleave", () => this.drag || this.pointAt(null));
    stage.addEventListener("dblclick", () => this.reset());
    stage.addEventListener("wheel", (event) => this.wheel(event, panel), { passive: false });
    stage.addEventListener("auxclick", (event) => event.preventDefault());
  }

  pixelUnder(event, panel) {
    const box = panel.stage.getBoundingClientRect();
    const view = this.placement(box.width, box.height);
    return {
      column: (event.clientX - box.left - view.x) / view.columnScale,
      row: (event.clientY - box.top - view.y) / view.rowScale,
    };
  }

  pointerDown(event, panel) {
    if (event.button > 1) return;
    event.preventDefault();
    this.frame.focus({ preventScroll: true });
    panel.stage.setPointerCapture(event.pointerId);
    const pan = event.button === 1 || this.spaceDown;
    if (pan) this.setBlink(false);
    const start = { ...this.windows[panel.contrast], limit: this.limit, centre: [...this.centre] };
    this.drag = { pan, panel, start, x: event.clientX, y: event.clientY };
  }

  pointerMove(event, panel) {
    if (this.drag) return this.dragTo(event.clientX - this.drag.x, event.clientY - this.drag.y);
    const { column, row } = this.pixelUnder(event, panel);
    this.soon(() => this.pointAt({ column: Math.floor(column), row: Math.floor(row) }));
  }

  dragTo(right, down) {
    const { pan, panel, start } = this.drag;
    if (pan) return this.panBy(start.centre, right, down);
    if (panel.kind === "error") return this.dragLimit(start.limit, right);
    const perPixel = this.rangeWidth(panel.contrast) / 300;
    this.setWindow(panel.contrast, start.window + right * perPixel, start.level + down * perPixel);
  }

  panBy(centre, right, down) {
    const box = this.truth.stage.getBoundingClientRect();
    const view = this.placement(box.width, box.height);
    this.setView(this.zoom, [centre[0] - right / view.columnScale, centre[1] - down / view.rowScale]);
  }

  dragLimit(limit, right) {
    const step = ERROR_STEPS.indexOf(limit) + Math.round(right / 30);
    this.setLimit(ERROR_STEPS[clamp(step, 0, ERROR_STEPS.length - 1)]);
  }

  wheel(event, panel) {
    event.preventDefault();
    const { column, row } = this.pixelUnder(event, panel);
    this.zoomAt(Math.exp(-event.deltaY * 0.002), column, row);
  }

  // ---- keyboard

  /** Voila's page is ours, so the keys work wherever the focus is; in a notebook only inside the viewer. */
  listenToKeys() {
    this.keyTarget = document.body.dataset.voila === undefined ? this.frame : document;
    this.keyTarget.addEventListener("keydown", (this.onKeyDown = (event) => this.keyDown(event)));
    this.keyTarget.addEventListener("keyup", (this.onKeyUp = (event) => this.keyUp(event)));
    this.frame.addEventListener("blur", () => this.releaseSpace(), true);
  }

  /** A control that needs this key itself keeps it: a list its arrows and letters, the limit its arrows, a button Space. */
  belongsToControl(event) {
    const { target } = event;
    if (this.help.open || event.ctrlKey || event.metaKey) return true;
    if (target.matches?.("select")) return event.key !== "?";
    if (target === this.limitSlider) return /^(Arrow|Home|End|Page)/.test(event.key);
    return event.key === " " && target.matches?.("button, input[type=checkbox]");
  }

  keyDown(event) {
    if (this.belongsToControl(event)) return;
    const work =
      event.shiftKey && event.key.startsWith("Arrow")
        ? this.crossKeys[event.key]
        : event.altKey
          ? this.panKeys[event.key]
          : this.keys[event.key];
    if (work) {
      event.preventDefault();
      event.stopPropagation();
      work(event);
    } else if (/^[1-9]$/.test(event.key)) this.toggleModel(Number(event.key) - 1);
  }

  keyUp(event) {
    if (event.key === " ") this.releaseSpace();
    if (event.key === "b") this.setBlink(false);
  }

  releaseSpace() {
    this.spaceDown = false;
    this.setBlink(false);
  }

  pressSpace() {
    this.spaceDown = true;
    if (!this.drag) this.setBlink(true);
  }

  get keys() {
    return (this.keyTable ||= {
      ArrowLeft: () => this.goBy(-1),
      ArrowRight: () => this.goBy(1),
      PageUp: () => this.goBy(-10),
      PageDown: () => this.goBy(10),
      Home: () => this.goBy(-Infinity),
      End: () => this.goBy(Infinity),
      ArrowUp: () => this.goSlice(this.slice + 1),
      ArrowDown: () => this.goSlice(this.slice - 1),
      " ": () => this.pressSpace(),
      b: () => this.setBlink(true),
      d: () => this.setDirection(1 - this.directionIndex),
      "[": () => this.nudge(1 / 1.1, 0),
      "]": () => this.nudge(1.1, 0),
      ",": () => this.nudge(1, -0.02),
      ".": () => this.nudge(1, 0.02),
      "+": () => this.zoomKey(1.25),
      "=": () => this.zoomKey(1.25),
      "-": () => this.zoomKey(0.8),
      0: () => this.reset(),
      e: () => this.setError(this.errorName === "relative" ? "signed" : "relative"),
      "<": () => this.stepLimit(-1),
      ">": () => this.stepLimit(1),
      s: () => this.setSmooth(!this.smooth),
      c: () => this.toggleCross(),
      p: () => this.nextProtocol(),
      g: () => this.save(),
      "?": () => this.toggleHelp(),
    });
  }

  get crossKeys() {
    return {
      ArrowLeft: () => this.moveCross(-1, 0),
      ArrowRight: () => this.moveCross(1, 0),
      ArrowUp: () => this.moveCross(0, -1),
      ArrowDown: () => this.moveCross(0, 1),
    };
  }

  get panKeys() {
    const step = 30;
    return {
      ArrowLeft: () => this.panBy(this.centre, step, 0),
      ArrowRight: () => this.panBy(this.centre, -step, 0),
      ArrowUp: () => this.panBy(this.centre, 0, step),
      ArrowDown: () => this.panBy(this.centre, 0, -step),
    };
  }

  /** Window and level by key, of the target's contrast: that of the synthetic images. */
  nudge(factor, share) {
    const contrast = this.direction.target;
    const { window: width, level } = this.windows[contrast];
    this.setWindow(contrast, width * factor, level + share * this.rangeWidth(contrast));
  }

  zoomKey(factor) {
    const { column, row } = this.cross || { column: this.centre[0], row: this.centre[1] };
    this.zoomAt(factor, column, row);
  }

  moveCross(right, down) {
    const [rows, columns] = this.shape;
    const { column, row } = this.cross || { column: Math.floor(columns / 2), row: Math.floor(rows / 2) };
    this.pointAt({ column: clamp(column + right, 0, columns - 1), row: clamp(row + down, 0, rows - 1) });
  }

  toggleCross() {
    this.showCross = !this.showCross;
    this.redraw();
  }

  nextProtocol() {
    const { protocols } = this.about;
    this.setProtocol(protocols[(protocols.indexOf(this.protocol) + 1) % protocols.length]);
  }

  // ---- the picture that leaves the dashboard: it says what it is

  save() {
    if (!this.shown) return;
    const { subject, direction } = this.shown;
    const name = [this.about.cohort, subject, direction, "synthetic"].join("_").replace(/[^\w.-]+/g, "-");
    this.picture().toBlob((blob) => {
      const link = h("a", { href: URL.createObjectURL(blob), download: `${name}.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }

  /** The panels at twice their size, with captions, colour bar and disclaimer. */
  picture(unit = 2) {
    const [width, height] = [this.truth.stage.clientWidth * unit, this.truth.stage.clientHeight * unit];
    const [gap, caption, head, foot, bar] = [10, 24, 34, 58, 96].map((size) => size * unit);
    const canvas = h("canvas", {
      width: this.top * (width + gap) + gap + bar,
      height: head + 2 * (height + caption + gap) + foot,
    });
    const context = canvas.getContext("2d");
    context.fillStyle = "#0d0f12";
    context.fillRect(0, 0, canvas.width, canvas.height);
    this.panels.forEach((panel, index) => {
      const frame = {
        x: gap + (index % this.top) * (width + gap),
        y: head + caption + Math.floor(index / this.top) * (height + caption + gap),
        width,
        height,
      };
      this.drawForPicture(context, panel, frame, unit);
    });
    if (this.top > 1)
      this.drawBar(
        context,
        { x: gap + this.top * (width + gap), y: head + 2 * caption + height + gap, width: 12 * unit, height },
        unit,
      );
    this.drawWords(context, canvas, gap, unit);
    return canvas;
  }

  drawForPicture(context, panel, frame, unit) {
    panel.draw(context, frame);
    panel.drawMarks(context, frame, unit);
    context.font = `600 ${11 * unit}px system-ui, "DejaVu Sans", sans-serif`;
    context.fillStyle = "#e8ebef";
    const indent = panel.index === null ? 0 : 16 * unit;
    context.fillText(panel.title(), frame.x + indent, frame.y - 7 * unit, frame.width - indent);
    if (indent) this.drawMark(context, this.models[panel.index], frame.x + 6 * unit, frame.y - 11 * unit, unit);
  }

  drawMark(context, model, x, y, unit) {
    context.save();
    context.translate(x, y);
    context.fillStyle = model.colour;
    context.fill(new Path2D(markPath(model.symbol, 5 * unit)));
    context.restore();
  }

  drawBar(context, { x, y, width, height }, unit) {
    context.drawImage(this.bar, x, y, width, height);
    context.fillStyle = "#aab2bc";
    context.font = `${10 * unit}px system-ui, "DejaVu Sans", sans-serif`;
    const ends = this.errorKind.ends(this.limit).reverse();
    ends.forEach((text, index) =>
      context.fillText(text, x + width + 5 * unit, y + (index / 2) * height + (1 - index) * 5 * unit + 4 * unit),
    );
  }

  drawWords(context, canvas, gap, unit) {
    const warning = [this.about.phantom ? "PHANTOM" : "", DISCLAIMER].filter(Boolean).join(" · ");
    const { source, target } = this.direction;
    const heading = [this.about.cohort, this.shown.subject, this.direction.label, this.positionText()].join("  ·  ");
    const windows = [target, source].map((contrast) => `${contrast}: ${this.windowText(contrast)}`).join("   ");
    const room = canvas.width - 2 * gap;
    const line = (text, y, size, colour, weight = 400) => {
      context.font = `${weight} ${size * unit}px system-ui, "DejaVu Sans", sans-serif`;
      context.fillStyle = colour;
      context.fillText(text, gap, y, room);
    };
    line(heading, 22 * unit, 13, "#e8ebef", 600);
    line(`${this.errorKind.says(this.scale)}   ${windows}`, canvas.height - 34 * unit, 10, "#aab2bc");
    line(warning, canvas.height - 13 * unit, 13, "#ffb454", 700);
  }
}

export default {
  render({ model, el }) {
    const viewer = new Viewer(model, el);
    return () => viewer.dispose();
  },
};
