// One picture: pixels, zoom, marks, and the value under the crosshair.

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
    viewer.pointer.listen(this);
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
