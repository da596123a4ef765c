// The compare viewer: everything a reader does happens here, in the browser. The kernel is asked for slices only.
//
//   SliceStore   slices by position: cache, requests, prefetch, and the watch over a kernel that no longer answers
//   Panel        one picture: pixels, zoom, marks, value under the crosshair
//   Scores       the strips of points: every subject of every method, the current one marked
//   Viewer       state, layout, keyboard and pointer
//
// Positions are strings `direction|subject|slice`. Pixels are painted synchronously in the key handler: waiting for an
// animation frame would add up to 16 ms to a change that is already in memory.

const CACHE_BYTES = 256 * 2 ** 20;
const REQUESTS_AT_ONCE = 3;
const SILENCE_MS = 5000; // a request without an answer for so long means that the kernel or the connection is gone
const PING_MS = 8000;
const PREFETCH = 3;
const ERROR_STEPS = [5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300];
const NOT_FINITE = 65535;
const DISCLAIMER = "Synthetic images, not for diagnosis";

// ------------------------------------------------------------------------------------------------ colour

// Every fifth of the 256 entries of matplotlib's `magma` (CC0) and of Crameri's `berlin` (MIT): linear interpolation
// gives the rest to within one grey level. Berlin has a dark centre, which suits a dark page: no error is black.
const MAGMA =
  "00000402020b0504160907200e0b2b140e361a104221114e29115a311165390f6e420f754a107952137c5a167e6219806a1c81721f81792282" +
  "812581892881912b81992d80a1307eaa337db2357bba3878c23b75ca3e72d2426fd9466be04c67e75263ec5860f1605df4695cf7725cf97b5d" +
  "fb8560fc8e64fd9869fea16efeaa74feb47bfebd82fec68afecf92fed89afde2a3fdebacfcf4b6fcfdbf";
const BERLIN =
  "9eb0ff93affa87adf47bacee6fa9e862a6e056a2d74b9bcd4194c1398bb43382a82f789c2b6f8f276683245d7820546c1d4b611a4256173a4b" +
  "143240122a3611232c101c2311161b121214160e0d1b0b07210b03260d012c0e00330f00391100411201481502501803591c0763210c6e2813" +
  "79301b8439248e422e984c39a25544ac5e4fb6685ac07165ca7b71d5857ddf8f89ea9995f4a3a1ffadad";

const opaque = (red, green, blue) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const GREY = Uint32Array.from({ length: 256 }, (_, level) => opaque(level, level, level));
const NOT_A_NUMBER = opaque(150, 70, 220);

function colourMap(stops) {
  const channel = (stop, which) => parseInt(stops.substr(6 * stop + 2 * which, 2), 16);
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const stop = Math.min(50, Math.floor(level / 5));
    const share = level / 5 - stop;
    const mixed = [0, 1, 2].map((c) => Math.round(channel(stop, c) * (1 - share) + channel(stop + 1, c) * share));
    return opaque(...mixed);
  });
}

/**
 * What an error panel shows: colour map, value at a pixel, and `fill`, the colours of all pixels, none outside the mask.
 * The arithmetic stands twice, since a loop of calls to `value` takes longer than a key press should.
 */
const ERRORS = {
  relative: {
    table: colourMap(MAGMA),
    first: 100,
    value: (real, synthetic, { low, floor }) =>
      (100 * Math.abs(synthetic - real)) / Math.max(Math.abs(real - low), floor),
    fill(codes, real, synthetic, mask, { low, floor }, limit) {
      const { table } = this;
      const gain = (255 * 100) / limit;
      for (let i = 0; i < codes.length; i++) {
        const level = (gain * Math.abs(synthetic[i] - real[i])) / Math.max(Math.abs(real[i] - low), floor);
        codes[i] = mask[i] ? table[level < 255 ? (level + 0.5) | 0 : 255] : 0;
      }
    },
    ends: (limit) => ["0 %", `${limit / 2} %`, `≥ ${limit} %`],
    title: "relative error, %",
    short: "rel. error",
    says: (scale) =>
      `Relative error |synthetic − real| ∕ max(real, floor), in %. Floor ${scale.percent} % of the training range ` +
      `(${format(scale.floor, scale.digits)}). Inside the mask only (protocol masked).`,
  },
  signed: {
    table: colourMap(BERLIN),
    first: 30,
    value: (real, synthetic, { width }) => (100 * (synthetic - real)) / width,
    fill(codes, real, synthetic, mask, { width }, limit) {
      const { table } = this;
      const gain = (255 * 100) / (2 * limit * width);
      for (let i = 0; i < codes.length; i++) {
        const level = 127.5 + gain * (synthetic[i] - real[i]);
        codes[i] = mask[i] ? table[level > 0 ? (level < 255 ? (level + 0.5) | 0 : 255) : 0] : 0;
      }
    },
    ends: (limit) => [`≤ −${limit} %`, "0", `≥ +${limit} %`],
    title: "synthetic − real, % of range",
    short: "difference",
    says: (scale) =>
      `Difference synthetic − real, in % of the training range (${format(scale.width, scale.digits)}): ` +
      "red too bright, blue too dark. Inside the mask only (protocol masked).",
  },
};

// ------------------------------------------------------------------------------------------------ small things

/** A number with a true minus sign, and none before a zero. */
const format = (value, digits) =>
  value
    .toFixed(digits)
    .replace(/^-(?=0*\.?0*$)/, "")
    .replace("-", "−");

/** A label cut in its middle: the ends of two runs' names are what tells them apart. */
function shorten(label, letters) {
  if (label.length <= letters) return label;
  const tail = Math.floor((letters - 1) / 2);
  return `${label.slice(0, letters - 1 - tail)}…${label.slice(-tail)}`;
}

/** Decimals that tell neighbouring ticks apart. */
const tickDigits = (step) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

/** Decimals that resolve a thousandth of a width. */
const digitsFor = (width) => Math.max(0, 3 - Math.floor(Math.log10(width)));

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

/** An element: `h("button.name", {title: "…", onclick: f}, child, "text")`. */
function h(spec, attributes = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag);
  element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function svg(tag, attributes = {}, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

const polygon = (angles, radius) =>
  `M${angles.map((a, i) => [Math.sin(a) * radius[i % radius.length], -Math.cos(a) * radius[i % radius.length]]).join("L")}Z`;
const turns = (count) => Array.from({ length: count }, (_, i) => (2 * Math.PI * i) / count);

/** SVG paths of the marks, by Plotly's names (see `palette.py`), for a mark of radius r. */
const MARKS = {
  circle: (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0Z`,
  square: (r) => `M${-0.88 * r},${-0.88 * r}h${1.76 * r}v${1.76 * r}h${-1.76 * r}Z`,
  diamond: (r) => polygon(turns(4), [1.25 * r]),
  "triangle-up": (r) => polygon(turns(3), [1.25 * r]),
  "triangle-down": (r) =>
    polygon(
      turns(3).map((a) => a + Math.PI),
      [1.25 * r],
    ),
  cross: (r) =>
    `M${-r},${-0.35 * r}h${0.65 * r}v${-0.65 * r}h${0.7 * r}v${0.65 * r}h${0.65 * r}v${0.7 * r}h${-0.65 * r}v${0.65 * r}h${-0.7 * r}v${-0.65 * r}h${-0.65 * r}Z`,
  x: (r) =>
    polygon(
      turns(8).map((a) => a + Math.PI / 4),
      [1.2 * r, 0.45 * r],
    ),
  star: (r) => polygon(turns(10), [1.3 * r, 0.55 * r]),
  pentagon: (r) => polygon(turns(5), [1.1 * r]),
  hexagon: (r) => polygon(turns(6), [1.1 * r]),
  "line-ns": (r) => `M-0.6,${-1.2 * r}h1.2v${2.4 * r}h-1.2Z`,
};
const markPath = (symbol, radius) => (MARKS[symbol] || MARKS.circle)(radius);

function mark(method, radius = 5) {
  const icon = svg("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", class: "gv-mark", "aria-hidden": "true" });
  icon.append(svg("path", { d: markPath(method.symbol, radius), fill: method.colour }));
  return icon;
}

// ------------------------------------------------------------------------------------------------ slices

/** Values of an image from its 16-bit codes; `holes` are the pixels whose value is not finite. */
function decode(view, [offset, step]) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength).slice(); // a copy, for its alignment
  const codes = new Uint16Array(bytes.buffer);
  const values = new Float32Array(codes.length);
  for (let i = 0; i < codes.length; i++) values[i] = offset + step * codes[i];
  values.holes = [];
  for (let i = codes.indexOf(NOT_FINITE); i >= 0; i = codes.indexOf(NOT_FINITE, i + 1)) values.holes.push(i);
  for (const hole of values.holes) values[hole] = NaN;
  return values;
}

class SliceStore {
  constructor(model, { arrived, failed, silent, scored }) {
    Object.assign(this, { model, arrived, failed, silent, scored });
    this.cache = new Map(); // a Map keeps the order of insertion: the first key is the one unused for longest
    this.bytes = 0;
    this.received = 0;
    this.queue = [];
    this.pending = new Map();
    this.model.on("msg:custom", (this.listener = (message, buffers) => this.receive(message, buffers)));
    this.timer = setInterval(() => this.watch(), 1000);
    this.lastPing = performance.now();
  }

  dispose() {
    clearInterval(this.timer);
    this.model.off("msg:custom", this.listener);
  }

  get(key) {
    const slice = this.cache.get(key);
    if (!slice) return null;
    this.cache.delete(key);
    this.cache.set(key, slice);
    return slice;
  }

  /** What is wanted now, most urgent first. It replaces what was wanted before, so that nothing piles up. */
  want(keys) {
    this.queue = keys.filter((key) => !this.cache.has(key) && !this.pending.has(key));
    this.pump();
  }

  pump() {
    while (this.queue.length && this.pending.size < REQUESTS_AT_ONCE) {
      const key = this.queue.shift();
      const [direction, subject, slice] = key.split("|");
      this.send({ kind: "slice", key, direction, subject, slice: Number(slice) });
    }
  }

  send(request) {
    this.pending.set(request.key, performance.now());
    this.model.send(request);
  }

  receive(message, buffers) {
    this.pending.delete(message.key);
    this.silent(false);
    if (message.kind === "failure") this.failed(message.key, message.text);
    if (message.kind === "slice") this.keep(message, buffers);
    if (message.kind === "scores") this.scored(message);
    this.pump();
  }

  keep({ key, scales }, buffers) {
    let next = 0;
    const images = scales.map((scale) => (scale ? decode(buffers[next++], scale) : null));
    const mask = buffers[next];
    const bytes = images.reduce((sum, image) => sum + (image ? image.byteLength : 0), mask.byteLength);
    const [source, target, ...synthetic] = images;
    this.received = buffers.reduce((sum, buffer) => sum + buffer.byteLength, 0);
    this.cache.set(key, {
      source,
      target,
      synthetic,
      bytes,
      mask: new Uint8Array(mask.buffer, mask.byteOffset, mask.byteLength).slice(),
    });
    this.bytes += bytes;
    while (this.bytes > CACHE_BYTES && this.cache.size > 1) this.drop(this.cache.keys().next().value);
    this.arrived(key);
  }

  drop(key) {
    this.bytes -= this.cache.get(key).bytes;
    this.cache.delete(key);
  }

  watch() {
    const now = performance.now();
    const late = [...this.pending].filter(([, since]) => now - since > SILENCE_MS);
    late.forEach(([key]) => this.pending.delete(key)); // asked again with the next move: the connection may come back
    if (late.length) this.silent(true);
    if (now - this.lastPing < PING_MS || document.hidden || this.pending.size) return;
    this.lastPing = now;
    this.send({ kind: "ping", key: "ping" });
  }
}

// ------------------------------------------------------------------------------------------------ panels

/** One picture. `kind` is "target" (the truth), "source", "synthetic" or "error"; the last two have a model's index. */
class Panel {
  constructor(viewer, kind, index = null) {
    Object.assign(this, { viewer, kind, index });
    const [height, width] = viewer.shape;
    this.native = h("canvas", { width, height });
    this.pixels = new ImageData(width, height);
    this.codes = new Uint32Array(this.pixels.data.buffer);
    this.build();
  }

  build() {
    const { viewer } = this;
    this.name = h("figcaption.gv-name");
    this.image = h("canvas.gv-image");
    this.marks = h("canvas.gv-marks");
    this.absent = h("span.gv-absent");
    this.stage = h("div.gv-stage", { role: "img" }, this.image, this.marks, this.absent);
    this.value = h("output.gv-value");
    this.note = h("span.gv-note");
    this.figure = h(
      `figure.gv-panel.gv-${this.kind}`,
      {},
      this.name,
      this.stage,
      h("div.gv-foot", {}, this.value, this.note),
    );
    this.figure.dataset.kind = this.kind;
    if (this.index !== null) this.figure.dataset.model = viewer.models[this.index].label;
    viewer.listenToPointer(this);
  }

  get contrast() {
    return this.viewer.direction[this.kind === "source" ? "source" : "target"];
  }

  /** The values shown: for an error panel the synthetic ones, from which its errors are computed. */
  values(slice, blink = false) {
    if (this.kind === "source" || this.kind === "target") return slice[this.kind];
    const synthetic = slice.synthetic[this.index];
    return blink && this.kind === "synthetic" && synthetic ? slice.target : synthetic;
  }

  resize(width, height) {
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.image, this.marks]) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
    }
    this.stage.style.width = `${width}px`;
    this.stage.style.height = `${height}px`;
    this.annotated = null;
  }

  paint(slice) {
    const values = this.values(slice, this.viewer.blink);
    this.absent.textContent = values ? "" : "not translated";
    if (!values) this.codes.fill(0);
    else if (this.kind === "error") this.paintError(slice.target, values, slice.mask);
    else this.paintGrey(values);
    this.native.getContext("2d").putImageData(this.pixels, 0, 0);
    this.compose();
  }

  paintGrey(values) {
    const { codes } = this;
    const { window: width, level } = this.viewer.windows[this.contrast];
    const low = level - width / 2;
    const gain = 255 / width;
    for (let i = 0; i < codes.length; i++) {
      const grey = (values[i] - low) * gain;
      codes[i] = GREY[grey > 0 ? (grey < 255 ? (grey + 0.5) | 0 : 255) : 0];
    }
    for (const hole of values.holes) codes[hole] = NOT_A_NUMBER;
  }

  paintError(real, synthetic, mask) {
    const { codes, viewer } = this;
    viewer.errorKind.fill(codes, real, synthetic, mask, viewer.scale, viewer.limit);
    for (const hole of synthetic.holes) codes[hole] = NOT_A_NUMBER;
  }

  /** Draws the pixels through the view that all panels share. */
  compose() {
    this.draw(this.image.getContext("2d"), { x: 0, y: 0, width: this.image.width, height: this.image.height });
  }

  draw(context, frame) {
    const { viewer } = this;
    const view = viewer.placement(frame.width, frame.height);
    context.save();
    context.beginPath();
    context.rect(frame.x, frame.y, frame.width, frame.height);
    context.clip();
    context.fillStyle = "#000";
    context.fillRect(frame.x, frame.y, frame.width, frame.height);
    // An error map is never smoothed: mixing colours of a map makes values that no pixel has.
    context.imageSmoothingEnabled = viewer.smooth && this.kind !== "error";
    context.imageSmoothingQuality = "medium";
    context.translate(frame.x + view.x, frame.y + view.y);
    context.scale(view.columnScale, view.rowScale);
    context.drawImage(this.native, 0, 0);
    context.restore();
  }

  /** Marks and crosshair, drawn again only when they change: lettering costs more than the picture below it. */
  annotate() {
    const { cross, showCross, zoom, centre } = this.viewer;
    const state = JSON.stringify([
      this.marks.width,
      zoom,
      centre,
      showCross && cross,
      this.kind === "target" && this.viewer.positionText(),
    ]);
    if (state === this.annotated) return;
    this.annotated = state;
    const context = this.marks.getContext("2d");
    context.clearRect(0, 0, this.marks.width, this.marks.height);
    const frame = { x: 0, y: 0, width: this.marks.width, height: this.marks.height };
    this.drawMarks(context, frame, window.devicePixelRatio || 1);
    this.drawCrosshair(context, frame);
  }

  drawMarks(context, frame, unit) {
    const { viewer } = this;
    const [left, right] = viewer.sides;
    context.save();
    context.font = `600 ${11 * unit}px system-ui, "DejaVu Sans", sans-serif`;
    context.fillStyle = "#cfd6de";
    context.shadowColor = "#000";
    context.shadowBlur = 3 * unit;
    context.textBaseline = "middle";
    context.fillText(left, frame.x + 5 * unit, frame.y + frame.height / 2);
    context.textAlign = "right";
    context.fillText(right, frame.x + frame.width - 5 * unit, frame.y + frame.height / 2);
    if (this.index === null) this.drawScaleBar(context, frame, unit);
    if (this.kind === "target") this.drawPosition(context, frame, unit);
    context.restore();
  }

  drawScaleBar(context, frame, unit) {
    const pixelsPerMm = this.viewer.placement(frame.width, frame.height).pixelsPerMm;
    const length = [100, 50, 20, 10, 5, 2, 1].find((mm) => mm * pixelsPerMm < 0.36 * frame.width) || 1;
    const [x, y] = [frame.x + 8 * unit, frame.y + frame.height - 8 * unit];
    context.fillRect(x, y - 2 * unit, length * pixelsPerMm, 2 * unit);
    context.textAlign = "left";
    context.fillText(`${length} mm`, x, y - 10 * unit);
  }

  drawPosition(context, frame, unit) {
    context.textAlign = "right";
    context.fillText(this.viewer.positionText(), frame.x + frame.width - 6 * unit, frame.y + 11 * unit);
  }

  drawCrosshair(context, frame) {
    const { cross, showCross } = this.viewer;
    if (!cross || !showCross) return;
    const view = this.viewer.placement(frame.width, frame.height);
    const x = frame.x + view.x + (cross.column + 0.5) * view.columnScale;
    const y = frame.y + view.y + (cross.row + 0.5) * view.rowScale;
    const gap = Math.max(7, view.rowScale);
    context.strokeStyle = "rgba(124, 196, 255, .55)";
    context.lineWidth = 1;
    context.beginPath();
    for (const [x0, y0, x1, y1] of [
      [0, y, x - gap, y],
      [x + gap, y, frame.width, y],
      [x, 0, x, y - gap],
      [x, y + gap, x, frame.height],
    ]) {
      context.moveTo(Math.round(x0) + 0.5, Math.round(y0) + 0.5);
      context.lineTo(Math.round(x1) + 0.5, Math.round(y1) + 0.5);
    }
    context.stroke();
  }

  /** The value under the crosshair, with its unit; null outside the image or, for an error, outside the mask. */
  valueAt(slice, { row, column }) {
    const i = row * this.viewer.shape[1] + column;
    const values = this.values(slice, this.viewer.blink);
    if (!values || i < 0 || i >= values.length) return null;
    if (this.kind !== "error") return values[i];
    return slice.mask[i] ? this.viewer.errorKind.value(slice.target[i], values[i], this.viewer.scale) : null;
  }

  tell(slice) {
    const value = slice && this.viewer.cross ? this.valueAt(slice, this.viewer.cross) : null;
    const digits = this.kind === "error" ? 1 : digitsFor(this.viewer.rangeWidth(this.contrast));
    this.value.textContent = value === null ? "–" : format(value, digits) + (this.kind === "error" ? " %" : "");
  }

  caption() {
    const { viewer, kind } = this;
    const title = this.title();
    const letters = Math.floor(this.stage.clientWidth / 7.5) - 4;
    this.note.textContent =
      this.index === null
        ? viewer.windowText(this.contrast)
        : kind === "error"
          ? viewer.errorKind.short
          : viewer.blink
            ? "REAL (blink)"
            : "synthetic";
    this.stage.setAttribute("aria-label", `${title}, subject ${viewer.shown.subject}`);
    if (title + letters === this.captioned) return;
    this.captioned = title + letters;
    this.name.title = title;
    const model = viewer.models[this.index];
    if (model) this.name.replaceChildren(mark(model), h("b", {}, shorten(model.label, letters)));
    else
      this.name.replaceChildren(
        h("b", {}, `Real ${this.contrast}`),
        h("span", {}, kind === "target" ? "truth" : "source"),
      );
    this.note.classList.toggle("gv-blinking", kind === "synthetic" && viewer.blink);
  }

  /** The panel in words, as on an exported picture. */
  title() {
    const model = this.viewer.models[this.index];
    if (this.kind === "target") return `Real ${this.contrast} (truth)`;
    if (this.kind === "source") return `Real ${this.contrast} (source)`;
    if (this.kind === "error") return `${model.label}: ${this.viewer.errorName} error`;
    return this.viewer.blink ? `Real ${this.contrast} (blink)` : `${model.label}: synthetic ${this.contrast}`;
  }
}

// ------------------------------------------------------------------------------------------------ scores

const ROW = 18;
const TOP = 17;
const LABELS = 94;
const VALUES = 50;
const TICKS = 16;

/** Strips of points, one card per metric: a row per method, a point per subject; the current subject stands out. */
class Scores {
  constructor(viewer) {
    this.viewer = viewer;
    this.heading = h("h2.gv-scores-name");
    this.protocols = h("span.gv-choice", { role: "group", "aria-label": "Protocol of the scores" });
    this.cards = h("div.gv-cards");
    this.element = h(
      "section.gv-scores",
      { "aria-label": "Scores" },
      h("div.gv-scores-head", {}, this.heading, this.protocols),
      this.cards,
    );
    this.moving = [];
    for (const protocol of viewer.about.protocols) this.protocols.append(this.protocolButton(protocol));
  }

  protocolButton(protocol) {
    const { viewer } = this;
    const meaning =
      protocol === "masked"
        ? "inside the mask, fractions of the training range"
        : "as published: z-scored whole slice, background included";
    return h(
      "button",
      {
        type: "button",
        title: `${protocol}: ${meaning}`,
        "data-protocol": protocol,
        onclick: () => viewer.setProtocol(protocol),
      },
      protocol,
    );
  }

  /** Values of one metric by method, in the order of the direction's subjects; the baseline comes last. */
  values(metric) {
    const { viewer } = this;
    return viewer.about.scores?.[viewer.direction.name]?.[viewer.protocol]?.[metric] || {};
  }

  rows(metric) {
    const { viewer } = this;
    const values = this.values(metric.key);
    const methods = [...viewer.shownModels().map((index) => viewer.models[index]), viewer.about.baseline];
    return methods.filter((method) => values[method.label]).map((method) => ({ method, values: values[method.label] }));
  }

  draw() {
    const { viewer } = this;
    for (const button of this.protocols.children)
      button.setAttribute("aria-pressed", String(button.dataset.protocol === viewer.protocol));
    this.moving = [];
    const metrics = viewer.about.metrics.filter((metric) => this.rows(metric).length);
    const width = Math.floor((this.cards.clientWidth - 20 * (metrics.length - 1)) / Math.max(1, metrics.length));
    this.cards.replaceChildren(...metrics.map((metric) => this.card(metric, width)));
    if (!metrics.length)
      this.cards.append(
        h(
          "p.gv-none",
          {},
          viewer.about.scores
            ? "No scores yet for these runs under this protocol: evaluate them with 03_evaluate.ipynb."
            : "Reading scores …",
        ),
      );
    this.highlight();
  }

  card(metric, width) {
    const rows = this.rows(metric);
    const unit = metric.unit[this.viewer.protocol];
    const better = metric.better === "higher" ? "higher is better →" : "← lower is better";
    const scale = this.axis(...this.extent(rows), width);
    const drawing = svg("svg", {
      width,
      height: TOP + ROW * rows.length + TICKS,
      role: "img",
      "aria-label": this.words(metric, unit, better),
    });
    this.drawAxis(drawing, scale, rows, metric);
    rows.forEach((row, line) => this.drawRow(drawing, row, line, scale, metric));
    this.listen(drawing, rows, scale);
    const name = h("h3", {}, h("b", {}, metric.title), h("span", {}, [unit, better].filter(Boolean).join(" · ")));
    const card = h("div.gv-card", { "data-metric": metric.key }, name, drawing);
    if (metric.note) card.append(h("p.gv-card-note", {}, metric.note));
    return card;
  }

  words(metric, unit, better) {
    return `${metric.title} ${unit}, ${better.replace(/[←→ ]+$|^[←→ ]+/g, "")}, protocol ${this.viewer.protocol}: one point per subject and method`;
  }

  /** The values to show. The baseline is left off the scale where it would squeeze the methods into a corner. */
  extent(rows) {
    const ends = (some) => {
      const values = some.flatMap((row) => row.values).filter((value) => value !== null);
      return [Math.min(...values), Math.max(...values)];
    };
    const methods = rows.filter((row) => row.method !== this.viewer.about.baseline);
    const [[low, high], [least, most]] = [ends(methods.length ? methods : rows), ends(rows)];
    return high - low > 0.4 * (most - least) ? [least, most] : [low, high];
  }

  axis(low, high, width) {
    const span = high - low || Math.abs(high) || 1;
    const [from, to] = [low - 0.05 * span, high + 0.05 * span];
    const [left, right] = [LABELS, width - VALUES];
    const power = 10 ** Math.floor(Math.log10(span / 5));
    const room = (size) => 8 + 6 * Math.max(...[low, high].map((end) => format(end, tickDigits(size)).length));
    const fits = (size) => span / size <= 5 && (span / size) * room(size) <= right - left;
    const step = [1, 2, 5, 10, 20].map((m) => m * power).find(fits) || span;
    const ticks = [];
    for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(tick);
    const shows = (value) => value !== null && value >= from && value <= to;
    return {
      left,
      right,
      ticks,
      step,
      from,
      shows,
      x: (value) => left + ((value - from) / (to - from)) * (right - left),
    };
  }

  drawAxis(drawing, scale, rows, metric) {
    const bottom = TOP + ROW * rows.length;
    const digits = tickDigits(scale.step);
    for (const tick of scale.ticks) {
      const x = scale.x(tick);
      drawing.append(svg("line", { x1: x, x2: x, y1: TOP - 4, y2: bottom, class: "gv-grid-line" }));
      drawing.append(svg("text", { x, y: bottom + 13, class: "gv-tick" }, format(tick, digits)));
    }
    drawing.append(svg("text", { x: scale.right + VALUES - 2, y: TOP - 8, class: "gv-tick gv-end" }, "this one"));
    const reference = rows.find((row) => row.method === this.viewer.about.baseline);
    if (!reference || !scale.shows(median(reference.values))) return;
    const x = scale.x(median(reference.values));
    drawing.append(
      svg("line", { x1: x, x2: x, y1: TOP - 4, y2: bottom, class: "gv-reference", "data-metric": metric.key }),
    );
  }

  drawRow(drawing, { method, values }, line, scale, metric) {
    const y = TOP + ROW * line + ROW / 2;
    const path = markPath(method.symbol, 2.3);
    const quiet = method === this.viewer.about.baseline;
    drawing.append(
      svg(
        "text",
        { x: 0, y: y + 4, class: quiet ? "gv-label gv-quiet" : "gv-label" },
        shorten(method.label, Math.floor(scale.left / 6.6)),
      ),
    );
    values.forEach((value, at) => {
      if (!scale.shows(value)) return;
      const wobble = quiet ? 0 : (((at * 7919) % 11) - 5) * 0.8; // spreads points of equal value, the same at every draw
      drawing.append(
        svg("path", {
          d: path,
          fill: method.colour,
          class: "gv-point",
          transform: `translate(${scale.x(value)},${y + wobble})`,
        }),
      );
    });
    if (scale.shows(median(values))) this.drawMedian(drawing, method, scale.x(median(values)), y);
    else this.drawOffScale(drawing, median(values) < scale.from, scale, y);
    const now = svg("path", { d: markPath(method.symbol, 5.2), fill: method.colour, class: "gv-now" });
    const number = svg("text", { x: scale.right + VALUES - 2, y: y + 4, class: "gv-number" });
    drawing.append(now, number);
    this.moving.push({ now, number, values, y, scale, digits: metric.digits });
  }

  drawMedian(drawing, method, middle, y) {
    drawing.append(
      svg("line", { x1: middle, x2: middle, y1: y - 7, y2: y + 7, stroke: method.colour, class: "gv-median" }),
    );
  }

  drawOffScale(drawing, below, scale, y) {
    const [x, side] = below ? [scale.left, "gv-off"] : [scale.right, "gv-off gv-end"];
    drawing.append(svg("text", { x, y: y + 4, class: side }, below ? "◂ off scale" : "off scale ▸"));
  }

  /** Moves the marks of the current subject; nothing else is drawn again. */
  highlight() {
    const { viewer } = this;
    const at = viewer.direction.subjects.indexOf(viewer.subject);
    this.heading.textContent = `Scores of ${viewer.subject} among ${viewer.direction.subjects.length} subjects`;
    for (const { now, number, values, y, scale, digits } of this.moving) {
      const value = values[at];
      now.style.display = scale.shows(value) ? "" : "none";
      number.textContent = value === null ? "–" : format(value, digits);
      if (scale.shows(value)) now.setAttribute("transform", `translate(${scale.x(value)},${y})`);
    }
  }

  /** The nearest point within a finger's width; points are small. */
  nearest(event, drawing, rows, scale) {
    const box = drawing.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const row = rows[Math.floor((y - TOP) / ROW)];
    if (!row || x < scale.left - 8) return null;
    const gaps = row.values.map((value) => (!scale.shows(value) ? Infinity : Math.abs(scale.x(value) - x)));
    const at = gaps.indexOf(Math.min(...gaps));
    return gaps[at] < 12 ? this.viewer.direction.subjects[at] : null;
  }

  listen(drawing, rows, scale) {
    const title = svg("title");
    drawing.append(title);
    drawing.addEventListener("pointermove", (event) => {
      const subject = this.nearest(event, drawing, rows, scale);
      drawing.style.cursor = subject ? "pointer" : "";
      title.textContent = subject || "";
    });
    drawing.addEventListener("click", (event) => {
      const subject = this.nearest(event, drawing, rows, scale);
      if (subject) this.viewer.go(subject);
    });
  }
}

function median(values) {
  const sorted = values.filter((value) => value !== null).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// ------------------------------------------------------------------------------------------------ the viewer

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
    if (!this.order.includes(this.subject)) [this.subject, this.slice] = [this.order[0], 0];
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
