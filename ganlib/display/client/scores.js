// The strips of points: every subject of every method, the current one marked.

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
    const count = viewer.direction.subjects.length;
    this.heading.textContent = `Scores of ${viewer.subject}${count > 1 ? ` among ${count} subjects` : ", the only one"}`;
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
