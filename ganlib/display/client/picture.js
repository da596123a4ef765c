// The picture that leaves the dashboard: it says what it is.

class Picture {
  constructor(viewer) {
    this.viewer = viewer;
  }

  save() {
    if (!this.viewer.shown) return;
    const { subject, direction } = this.viewer.shown;
    const name = [this.viewer.about.cohort, subject, direction, "synthetic"].join("_").replace(/[^\w.-]+/g, "-");
    this.drawn().toBlob((blob) => {
      const link = h("a", { href: URL.createObjectURL(blob), download: `${name}.png` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    });
  }

  /** The panels at twice their size, with captions, colour bar and disclaimer. */
  drawn(unit = 2) {
    const [width, height] = [this.viewer.truth.stage.clientWidth * unit, this.viewer.truth.stage.clientHeight * unit];
    const [gap, caption, head, foot, bar] = [10, 24, 34, 58, 96].map((size) => size * unit);
    const canvas = h("canvas", {
      width: this.viewer.top * (width + gap) + gap + bar,
      height: head + 2 * (height + caption + gap) + foot,
    });
    const context = canvas.getContext("2d");
    context.fillStyle = "#0d0f12";
    context.fillRect(0, 0, canvas.width, canvas.height);
    this.viewer.panels.forEach((panel, index) => {
      const frame = {
        x: gap + (index % this.viewer.top) * (width + gap),
        y: head + caption + Math.floor(index / this.viewer.top) * (height + caption + gap),
        width,
        height,
      };
      this.drawPanel(context, panel, frame, unit);
    });
    if (this.viewer.top > 1)
      this.drawBar(
        context,
        { x: gap + this.viewer.top * (width + gap), y: head + 2 * caption + height + gap, width: 12 * unit, height },
        unit,
      );
    this.drawWords(context, canvas, gap, unit);
    return canvas;
  }

  drawPanel(context, panel, frame, unit) {
    panel.draw(context, frame);
    panel.drawMarks(context, frame, unit);
    context.font = `600 ${11 * unit}px system-ui, "DejaVu Sans", sans-serif`;
    context.fillStyle = "#e8ebef";
    const indent = panel.index === null ? 0 : 16 * unit;
    context.fillText(panel.title(), frame.x + indent, frame.y - 7 * unit, frame.width - indent);
    if (indent) this.drawMark(context, this.viewer.models[panel.index], frame.x + 6 * unit, frame.y - 11 * unit, unit);
  }

  drawMark(context, model, x, y, unit) {
    context.save();
    context.translate(x, y);
    context.fillStyle = model.colour;
    context.fill(new Path2D(markPath(model.symbol, 5 * unit)));
    context.restore();
  }

  drawBar(context, { x, y, width, height }, unit) {
    context.drawImage(this.viewer.colourBar.ramp, x, y, width, height);
    context.fillStyle = "#aab2bc";
    context.font = `${10 * unit}px system-ui, "DejaVu Sans", sans-serif`;
    const ends = this.viewer.errorKind.ends(this.viewer.limit).reverse();
    ends.forEach((text, index) =>
      context.fillText(text, x + width + 5 * unit, y + (index / 2) * height + (1 - index) * 5 * unit + 4 * unit),
    );
  }

  drawWords(context, canvas, gap, unit) {
    const warning = [this.viewer.about.phantom ? "PHANTOM" : "", DISCLAIMER].filter(Boolean).join(" · ");
    const { source, target } = this.viewer.direction;
    const heading = [this.viewer.about.cohort, this.viewer.shown.subject, this.viewer.direction.label, this.viewer.positionText()].join("  ·  ");
    const windows = [target, source].map((contrast) => `${contrast}: ${this.viewer.windowText(contrast)}`).join("   ");
    const room = canvas.width - 2 * gap;
    const line = (text, y, size, colour, weight = 400) => {
      context.font = `${weight} ${size * unit}px system-ui, "DejaVu Sans", sans-serif`;
      context.fillStyle = colour;
      context.fillText(text, gap, y, room);
    };
    line(heading, 22 * unit, 13, "#e8ebef", 600);
    line(`${this.viewer.errorKind.says(this.viewer.scale)}   ${windows}`, canvas.height - 34 * unit, 10, "#aab2bc");
    line(warning, canvas.height - 13 * unit, 13, "#ffb454", 700);
  }
}
