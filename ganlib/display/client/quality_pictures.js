// Pictures by which a reader sees whether two contrasts lie on each other. `window`, `field` and the cross are shared.

const FIELD_MM = 20; // of the checkerboard
const EDGE_SHARE = 0.08; // the strongest edges of a slice, as a share of its pixels well inside the mask
const EDGE_MARGIN = 2; // pixels: the outline of a stripped head is the strongest edge, and says nothing of the contrasts
const EDGE = opaque(255, 176, 0);

/** Gradient strength of an image after a small blur: Float32Array. */
function edgeStrength(values, width, height) {
  const blurred = blur(values, width, height);
  const strength = new Float32Array(values.length);
  for (let y = 1; y < height - 1; y++)
    for (let x = 1; x < width - 1; x++) {
      const i = y * width + x;
      strength[i] = Math.hypot(blurred[i + 1] - blurred[i - 1], blurred[i + width] - blurred[i - width]);
    }
  return strength;
}

/** Binomial blur, 3 by 3; what is not finite counts as 0. */
function blur(values, width, height) {
  const clean = values.holes.length ? values.map((value) => (value === value ? value : 0)) : values;
  const across = new Float32Array(values.length);
  const down = new Float32Array(values.length);
  for (let i = 1; i < clean.length - 1; i++) across[i] = (clean[i - 1] + 2 * clean[i] + clean[i + 1]) / 4;
  for (let i = width; i < clean.length - width; i++)
    down[i] = (across[i - width] + 2 * across[i] + across[i + width]) / 4;
  return down;
}

/** Pixels whose neighbours as far as the margin are inside the mask too: Uint8Array. */
function wellInside(mask, width, height, margin = EDGE_MARGIN) {
  const inside = new Uint8Array(mask.length);
  for (let y = margin; y < height - margin; y++)
    for (let x = margin; x < width - margin; x++) {
      let all = mask[y * width + x];
      for (let row = y - margin; all && row <= y + margin; row++)
        for (let i = row * width + x - margin; all && i <= row * width + x + margin; i++) all = mask[i];
      inside[y * width + x] = all;
    }
  return inside;
}

/** The strength that only the strongest edges among some pixels pass. */
function edgeLimit(strength, among) {
  const inside = strength.filter((_, i) => among[i]).sort();
  return inside.length ? Math.max(inside[Math.floor((1 - EDGE_SHARE) * (inside.length - 1))], 1e-12) : Infinity;
}

/** One picture of the quality page: `kind` is "first", "second", "checkerboard" or "edges". */
class QualityPicture {
  constructor(page, kind) {
    Object.assign(this, { page, kind });
    const [height, width] = page.about.shape;
    this.native = h("canvas", { width, height });
    this.pixels = new ImageData(width, height);
    this.codes = new Uint32Array(this.pixels.data.buffer);
    this.title = h("b");
    this.note = h("span");
    this.image = h("canvas.gv-image");
    this.marks = h("canvas.gv-marks");
    this.stage = h("div.gv-stage", { role: "img" }, this.image, this.marks);
    this.figure = h(
      `figure.gv-panel.gq-${kind}`,
      {},
      h("figcaption.gv-name", {}, this.title, this.note),
      this.stage,
      h("div.gv-foot", {}, (this.value = h("output.gv-value")), (this.foot = h("span.gv-note"))),
    );
    page.pointer.listen(this);
  }

  resize(width, height) {
    const ratio = window.devicePixelRatio || 1;
    for (const canvas of [this.image, this.marks])
      Object.assign(canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
    Object.assign(this.stage.style, { width: `${width}px`, height: `${height}px` });
  }

  /** Which of the two contrasts is seen where: "first", "second", or both. */
  get shows() {
    if (this.kind === "first" || this.kind === "second") {
      const other = this.kind === "first" ? "second" : "first";
      return this.page.blink ? other : this.kind;
    }
    return this.kind;
  }

  paint(pair, mask) {
    const { page } = this;
    const [first, second] = page.contrasts;
    const words = {
      first: [first, ""],
      second: [second, ""],
      checkerboard: ["Checkerboard", `${first} | ${second}, ${FIELD_MM} mm`],
      edges: ["Edges", `of ${second} on ${first}`],
    };
    [this.title.textContent, this.note.textContent] = words[this.shows];
    this.stage.setAttribute("aria-label", `${this.title.textContent} ${this.note.textContent}, ${page.subject}`);
    this.fill(pair, mask);
    this.native.getContext("2d").putImageData(this.pixels, 0, 0);
    this.compose();
  }

  fill([first, second], mask) {
    const { page, codes } = this;
    const [a, b] = page.contrasts.map((contrast) => page.greyScale(contrast));
    const [height, width] = page.about.shape;
    if (this.shows === "checkerboard") {
      const [rows, columns] = page.about.voxel_mm.map((size) => Math.max(1, Math.round(FIELD_MM / size)));
      for (let i = 0; i < codes.length; i++) {
        const odd = (Math.floor(Math.floor(i / width) / rows) + Math.floor((i % width) / columns)) % 2;
        codes[i] = odd ? b(second[i]) : a(first[i]);
      }
      return;
    }
    const [values, grey] = this.shows === "second" ? [second, b] : [first, a];
    for (let i = 0; i < codes.length; i++) codes[i] = grey(values[i]);
    if (this.shows !== "edges") return;
    const strength = edgeStrength(second, width, height);
    const inside = wellInside(mask, width, height);
    const limit = edgeLimit(strength, inside);
    for (let i = 0; i < codes.length; i++) if (inside[i] && strength[i] > limit) codes[i] = EDGE;
  }

  compose() {
    const context = this.image.getContext("2d");
    const { width, height } = this.image;
    const view = this.page.placement(width, height);
    context.fillStyle = "#000";
    context.fillRect(0, 0, width, height);
    context.imageSmoothingEnabled = this.page.smooth && this.kind !== "edges";
    context.imageSmoothingQuality = "high";
    const [rows, columns] = this.page.about.shape;
    context.drawImage(this.native, view.x, view.y, columns * view.columnScale, rows * view.rowScale);
    this.annotate();
  }

  annotate() {
    const context = this.marks.getContext("2d");
    const { width, height } = this.marks;
    const unit = window.devicePixelRatio || 1;
    context.clearRect(0, 0, width, height);
    context.font = `600 ${11 * unit}px system-ui, "DejaVu Sans", sans-serif`;
    Object.assign(context, { fillStyle: "#cfd6de", shadowColor: "#000", shadowBlur: 3 * unit, textBaseline: "middle" });
    context.textAlign = "left";
    context.fillText(this.page.sides[0], 5 * unit, height / 2);
    context.textAlign = "right";
    context.fillText(this.page.sides[1], width - 5 * unit, height / 2);
    if (this.kind === "first") this.scaleBar(context, unit);
    context.shadowBlur = 0;
    this.crosshair(context);
  }

  scaleBar(context, unit) {
    const { width, height } = this.marks;
    const { pixelsPerMm } = this.page.placement(width, height);
    const length = [100, 50, 20, 10, 5, 2, 1].find((mm) => mm * pixelsPerMm < 0.36 * width) || 1;
    context.textAlign = "left";
    context.fillRect(8 * unit, height - 10 * unit, length * pixelsPerMm, 2 * unit);
    context.fillText(`${length} mm`, 8 * unit, height - 18 * unit);
  }

  crosshair(context) {
    const { cross } = this.page;
    if (!cross) return;
    const { width, height } = this.marks;
    const view = this.page.placement(width, height);
    const x = view.x + (cross.column + 0.5) * view.columnScale;
    const y = view.y + (cross.row + 0.5) * view.rowScale;
    const gap = 7;
    Object.assign(context, { strokeStyle: "rgba(124, 196, 255, .6)", lineWidth: 1 });
    context.beginPath();
    for (const [from, to] of [
      [0, x - gap],
      [x + gap, width],
    ])
      context.moveTo(from, y), context.lineTo(to, y);
    for (const [from, to] of [
      [0, y - gap],
      [y + gap, height],
    ])
      context.moveTo(x, from), context.lineTo(x, to);
    context.stroke();
  }
}
