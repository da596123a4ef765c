// The one colour bar that all error maps share.

class ColourBar {
  constructor(viewer) {
    this.viewer = viewer;
    this.element = this.build();
  }

  build() {
    this.ramp = h("canvas.gv-ramp", { width: 1, height: 256 });
    this.ticks = [0, 1, 2].map(() => h("span"));
    this.title = h("span.gv-bar-title");
    return h(
      "div.gv-colour-bar",
      { role: "img" },
      this.ramp,
      h("div.gv-bar-ticks", {}, ...this.ticks),
      this.title,
    );
  }

  tell() {
    const pixels = new ImageData(1, 256);
    new Uint32Array(pixels.data.buffer).set(this.viewer.errorKind.table.slice().reverse());
    this.ramp.getContext("2d").putImageData(pixels, 0, 0);
    const ends = this.viewer.errorKind.ends(this.viewer.limit).reverse();
    this.ticks.forEach((tick, index) => (tick.textContent = ends[index]));
    this.title.textContent = this.viewer.errorKind.title;
    this.element.setAttribute("aria-label", `Colour bar: ${this.viewer.errorKind.title}, from ${ends[2]} to ${ends[0]}`);
  }
}
