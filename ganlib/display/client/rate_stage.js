// The image or the pair at its fixed size, and the moment when it came on screen.

const BOX_PX = { yes_no: 560, two_alternative: 460 };
const CHROME_PX = 250; // height of all that is not the image

class Stage {
  constructor(about) {
    this.about = about;
    const count = about.mode === "two_alternative" ? 2 : 1;
    const [rows, columns] = about.shape.map((pixels, axis) => pixels * about.pixel_mm[axis]);
    const room = Math.min((innerWidth - 40 - 24 * (count - 1)) / count, innerHeight - CHROME_PX);
    const scale = Math.max(Math.min(BOX_PX[about.mode], room), 160) / Math.max(rows, columns);
    // Chosen once: every image of the session has the same size.
    this.size = [columns * scale, rows * scale].map(Math.round);
    this.canvases = Array.from({ length: count }, (_, index) => this.canvas(index, count));
    this.element = h("div.gr-stage", {}, ...this.canvases);
  }

  canvas(index, count) {
    const label = count === 1 ? "The image" : ["Left image", "Right image"][index];
    const canvas = h("canvas.gr-image", { role: "img", "aria-label": label });
    [canvas.width, canvas.height] = this.size.map((size) => Math.round(size * devicePixelRatio));
    canvas.style.cssText = `width:${this.size[0]}px;height:${this.size[1]}px`;
    return canvas;
  }

  clear() {
    for (const canvas of this.canvases) canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
    this.element.classList.add("gr-blank");
  }

  /** Draw, and tell when the images are on screen. */
  show(buffers) {
    const [rows, columns] = this.about.shape;
    buffers.forEach((view, index) => {
      const grey = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      const rgba = new Uint8ClampedArray(4 * grey.length);
      grey.forEach((level, at) => rgba.set([level, level, level, 255], 4 * at));
      const whole = new OffscreenCanvas(columns, rows);
      whole.getContext("2d").putImageData(new ImageData(rgba, columns, rows), 0, 0);
      const canvas = this.canvases[index];
      const context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(whole, 0, 0, canvas.width, canvas.height);
    });
    this.element.classList.remove("gr-blank");
    // The first frame paints, at the second one it is on screen.
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))));
  }
}
