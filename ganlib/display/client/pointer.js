// What the mouse does on a panel: window and level, the limit of an error map, pan, zoom, crosshair.

class Pointer {
  constructor(viewer) {
    this.viewer = viewer;
    this.drag = null;
  }

  listen(panel) {
    const { stage } = panel;
    stage.addEventListener("pointerdown", (event) => this.pointerDown(event, panel));
    stage.addEventListener("pointermove", (event) => this.pointerMove(event, panel));
    stage.addEventListener("pointerup", () => (this.drag = null));
    stage.addEventListener("pointercancel", () => (this.drag = null));
    stage.addEventListener("pointerleave", () => this.drag || this.viewer.pointAt(null));
    stage.addEventListener("dblclick", () => this.viewer.reset());
    stage.addEventListener("wheel", (event) => this.wheel(event, panel), { passive: false });
    stage.addEventListener("auxclick", (event) => event.preventDefault());
  }

  pixelUnder(event, panel) {
    const box = panel.stage.getBoundingClientRect();
    const view = this.viewer.placement(box.width, box.height);
    return {
      column: (event.clientX - box.left - view.x) / view.columnScale,
      row: (event.clientY - box.top - view.y) / view.rowScale,
    };
  }

  pointerDown(event, panel) {
    if (event.button > 1) return;
    event.preventDefault();
    this.viewer.frame.focus({ preventScroll: true });
    panel.stage.setPointerCapture(event.pointerId);
    const pan = event.button === 1 || this.viewer.keyboard.spaceDown;
    if (pan) this.viewer.setBlink(false);
    const start = { ...this.viewer.windows[panel.contrast], limit: this.viewer.limit, centre: [...this.viewer.centre] };
    this.drag = { pan, panel, start, x: event.clientX, y: event.clientY };
  }

  pointerMove(event, panel) {
    if (this.drag) return this.dragTo(event.clientX - this.drag.x, event.clientY - this.drag.y);
    const { column, row } = this.pixelUnder(event, panel);
    this.viewer.soon(() => this.viewer.pointAt({ column: Math.floor(column), row: Math.floor(row) }));
  }

  dragTo(right, down) {
    const { pan, panel, start } = this.drag;
    if (pan) return this.viewer.panBy(start.centre, right, down);
    if (panel.kind === "error") return this.dragLimit(start.limit, right);
    const perPixel = this.viewer.rangeWidth(panel.contrast) / 300;
    this.viewer.setWindow(panel.contrast, start.window + right * perPixel, start.level + down * perPixel);
  }

  dragLimit(limit, right) {
    const step = ERROR_STEPS.indexOf(limit) + Math.round(right / 30);
    this.viewer.setLimit(ERROR_STEPS[clamp(step, 0, ERROR_STEPS.length - 1)]);
  }

  wheel(event, panel) {
    event.preventDefault();
    const { column, row } = this.pixelUnder(event, panel);
    this.viewer.zoomAt(Math.exp(-event.deltaY * 0.002), column, row);
  }
}
