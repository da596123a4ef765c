// What the mouse does on a picture of the quality page: the cross, window and level, pan, zoom.

class QualityPointer {
  constructor(page) {
    this.page = page;
    this.drag = null;
  }

  listen(picture) {
    const { stage } = picture;
    stage.addEventListener("pointermove", (event) => this.pointed(picture, event));
    stage.addEventListener("pointerleave", () => this.page.setCross(null));
    stage.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      stage.setPointerCapture(event.pointerId);
      this.drag = { button: event.button, x: event.clientX, y: event.clientY };
    });
    stage.addEventListener("pointerup", () => (this.drag = null));
    stage.addEventListener("dblclick", () => this.page.reset());
    stage.addEventListener("wheel", (event) => this.wheel(picture, event), { passive: false });
  }

  /** Column and row of the image under the pointer, not whole numbers. */
  place(picture, event) {
    const box = picture.stage.getBoundingClientRect();
    const view = this.page.placement(box.width, box.height);
    return [(event.clientX - box.left - view.x) / view.columnScale, (event.clientY - box.top - view.y) / view.rowScale];
  }

  pointed(picture, event) {
    if (this.drag) return this.dragged(picture, event);
    const [column, row] = this.place(picture, event).map(Math.floor);
    const [rows, columns] = this.page.about.shape;
    this.page.setCross(row >= 0 && row < rows && column >= 0 && column < columns ? { row, column } : null);
  }

  dragged(picture, event) {
    const [x, y] = [event.clientX - this.drag.x, event.clientY - this.drag.y];
    Object.assign(this.drag, { x: event.clientX, y: event.clientY });
    if (this.drag.button === 1) this.pan(picture, x, y);
    else this.shade(this.page.contrasts[picture.kind === "second" ? 1 : 0], x, y);
    this.page.paint();
  }

  pan(picture, x, y) {
    const { page } = this;
    const box = picture.stage.getBoundingClientRect();
    const view = page.placement(box.width, box.height);
    page.centre = [page.centre[0] - x / view.columnScale, page.centre[1] - y / view.rowScale];
  }

  shade(contrast, x, y) {
    const [low, high] = this.page.about.ranges[contrast];
    const shade = this.page.windows[contrast];
    shade.window = Math.max((high - low) / 100, shade.window + ((high - low) * x) / 300);
    shade.level -= ((high - low) * y) / 300;
  }

  wheel(picture, event) {
    event.preventDefault();
    this.page.setZoom(this.page.zoom * (event.deltaY < 0 ? 1.15 : 1 / 1.15), this.place(picture, event));
  }
}
