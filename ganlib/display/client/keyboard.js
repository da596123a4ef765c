// What the keys do. The first table is the help that the question mark opens.

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

class Keyboard {
  constructor(viewer) {
    this.viewer = viewer;
    this.spaceDown = false;
    this.listen();
  }

  dispose() {
    this.keyTarget.removeEventListener("keydown", this.onKeyDown);
    this.keyTarget.removeEventListener("keyup", this.onKeyUp);
  }

  /** Voila's page is ours, so the keys work wherever the focus is; in a notebook only inside the viewer. */
  listen() {
    this.keyTarget = document.body.dataset.voila === undefined ? this.viewer.frame : document;
    this.keyTarget.addEventListener("keydown", (this.onKeyDown = (event) => this.keyDown(event)));
    this.keyTarget.addEventListener("keyup", (this.onKeyUp = (event) => this.keyUp(event)));
    this.viewer.frame.addEventListener("blur", () => this.releaseSpace(), true);
  }

  /** A control that needs this key itself keeps it: a list its arrows and letters, the limit its arrows, a button Space. */
  belongsToControl(event) {
    const { target } = event;
    if (this.viewer.toolbar.help.open || event.ctrlKey || event.metaKey) return true;
    if (target.matches?.("select")) return event.key !== "?";
    if (target === this.viewer.toolbar.limitSlider) return /^(Arrow|Home|End|Page)/.test(event.key);
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
    } else if (/^[1-9]$/.test(event.key)) this.viewer.toggleModel(Number(event.key) - 1);
  }

  keyUp(event) {
    if (event.key === " ") this.releaseSpace();
    if (event.key === "b") this.viewer.setBlink(false);
  }

  releaseSpace() {
    this.spaceDown = false;
    this.viewer.setBlink(false);
  }

  pressSpace() {
    this.spaceDown = true;
    if (!this.viewer.pointer.drag) this.viewer.setBlink(true);
  }

  get keys() {
    return (this.keyTable ||= {
      ArrowLeft: () => this.viewer.goBy(-1),
      ArrowRight: () => this.viewer.goBy(1),
      PageUp: () => this.viewer.goBy(-10),
      PageDown: () => this.viewer.goBy(10),
      Home: () => this.viewer.goBy(-Infinity),
      End: () => this.viewer.goBy(Infinity),
      ArrowUp: () => this.viewer.goSlice(this.viewer.slice + 1),
      ArrowDown: () => this.viewer.goSlice(this.viewer.slice - 1),
      " ": () => this.pressSpace(),
      b: () => this.viewer.setBlink(true),
      d: () => this.viewer.setDirection(1 - this.viewer.directionIndex),
      "[": () => this.nudge(1 / 1.1, 0),
      "]": () => this.nudge(1.1, 0),
      ",": () => this.nudge(1, -0.02),
      ".": () => this.nudge(1, 0.02),
      "+": () => this.zoomKey(1.25),
      "=": () => this.zoomKey(1.25),
      "-": () => this.zoomKey(0.8),
      0: () => this.viewer.reset(),
      e: () => this.viewer.setError(this.viewer.errorName === "relative" ? "signed" : "relative"),
      "<": () => this.viewer.stepLimit(-1),
      ">": () => this.viewer.stepLimit(1),
      s: () => this.viewer.setSmooth(!this.viewer.smooth),
      c: () => this.toggleCross(),
      p: () => this.nextProtocol(),
      g: () => this.viewer.picture.save(),
      "?": () => this.viewer.toolbar.toggleHelp(),
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
      ArrowLeft: () => this.viewer.panBy(this.viewer.centre, step, 0),
      ArrowRight: () => this.viewer.panBy(this.viewer.centre, -step, 0),
      ArrowUp: () => this.viewer.panBy(this.viewer.centre, 0, step),
      ArrowDown: () => this.viewer.panBy(this.viewer.centre, 0, -step),
    };
  }

  /** Window and level by key, of the target's contrast: that of the synthetic images. */
  nudge(factor, share) {
    const contrast = this.viewer.direction.target;
    const { window: width, level } = this.viewer.windows[contrast];
    this.viewer.setWindow(contrast, width * factor, level + share * this.viewer.rangeWidth(contrast));
  }

  zoomKey(factor) {
    const { column, row } = this.viewer.cross || { column: this.viewer.centre[0], row: this.viewer.centre[1] };
    this.viewer.zoomAt(factor, column, row);
  }

  moveCross(right, down) {
    const [rows, columns] = this.viewer.shape;
    const { column, row } = this.viewer.cross || { column: Math.floor(columns / 2), row: Math.floor(rows / 2) };
    this.viewer.pointAt({ column: clamp(column + right, 0, columns - 1), row: clamp(row + down, 0, rows - 1) });
  }

  toggleCross() {
    this.viewer.showCross = !this.viewer.showCross;
    this.viewer.redraw();
  }

  nextProtocol() {
    const { protocols } = this.viewer.about;
    this.viewer.setProtocol(protocols[(protocols.indexOf(this.viewer.protocol) + 1) % protocols.length]);
  }
}
