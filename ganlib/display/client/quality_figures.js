// What was measured of a subject, among all others: strips of points, and histograms against the cohort's.

const STRIP = { width: 300, height: 26, pad: 6 };
const HISTOGRAM = { width: 330, height: 104, left: 4, bottom: 16 };
const VERDICTS = { accepted: "#6fd3a0", rejected: "#ff7a6b", undecided: "#7d8590" };
const SIDES = { high: "high is bad", low: "low is bad", both: "either end is bad" };

/** A number for a reader: three significant digits, or a dash. */
const shown = (value) => (value === null ? "–" : format(value, clamp(2 - Math.floor(Math.log10(Math.abs(value) || 1)), 0, 3)));

class QualityFigures {
  constructor(page) {
    this.page = page;
    this.rows = page.about.figures.map((figure) => this.row(figure));
    this.histograms = page.about.contrasts.map((contrast) => this.histogram(contrast));
    this.element = h(
      "section.gq-figures",
      { "aria-label": "Figures" },
      h("div.gq-strips", {}, h("h2", {}, "Among all subjects"), ...this.rows.map((row) => row.element)),
      h("div.gq-histograms", {}, h("h2", {}, "Intensities inside the mask", h("span", {}, " this subject; band: 9 in 10 of the cohort")), ...this.histograms.map((one) => one.element)),
    );
  }

  row(figure) {
    const values = this.page.about.subjects.map((subject) => subject.figures[figure.key]);
    const known = values.filter((value) => value !== null);
    const [low, high] = known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
    const room = (high - low || Math.abs(high) || 1) * 0.04;
    const x = (value) => STRIP.pad + ((value - low + room) / (high - low + 2 * room)) * (STRIP.width - 2 * STRIP.pad);
    const strip = svg("svg", { viewBox: `0 0 ${STRIP.width} ${STRIP.height}`, class: "gq-strip", "aria-hidden": "true" });
    strip.append(svg("line", { x1: 0, x2: STRIP.width, y1: 20.5, y2: 20.5, class: "gq-axis" }));
    values.forEach((value, index) => value !== null && strip.append(this.point(figure, x(value), index)));
    const now = strip.appendChild(svg("path", { d: "M0,19L-4.5,10h9Z", class: "gq-now" }));
    const number = h("output.gv-number");
    const name = h("span.gq-name", { title: `${figure.meaning}; ${SIDES[figure.side]}` }, figure.title);
    const element = h("div.gq-row", {}, name, strip, number, h("span.gq-unit", {}, figure.unit));
    return { figure, x, now, number, element };
  }

  point(figure, x, index) {
    const point = svg("circle", { cx: x, cy: 20, r: 2.4, class: "gq-point" });
    const subject = this.page.about.subjects[index];
    point.append(svg("title", {}, `${subject.id}: ${shown(subject.figures[figure.key])} ${figure.unit}`));
    if (subject.flags.length) point.classList.add("gq-flagged");
    point.addEventListener("click", () => this.page.go(index));
    return point;
  }

  histogram(contrast) {
    const { cohort } = this.page.about.histograms[contrast];
    const frame = svg("svg", { viewBox: `0 0 ${HISTOGRAM.width} ${HISTOGRAM.height}`, class: "gq-histogram", role: "img" });
    const top = 1.15 * Math.max(...cohort.high, 1e-9);
    const x = (bin) => HISTOGRAM.left + (bin / (cohort.middle.length - 1)) * (HISTOGRAM.width - 2 * HISTOGRAM.left);
    const y = (share) => (HISTOGRAM.height - HISTOGRAM.bottom) * (1 - Math.min(1, share / top));
    const line = (values) => values.map((value, bin) => `${bin ? "L" : "M"}${x(bin).toFixed(1)},${y(value).toFixed(1)}`).join("");
    const band = `${line(cohort.high)}L${[...cohort.low].reverse().map((value, i) => `${x(cohort.low.length - 1 - i).toFixed(1)},${y(value).toFixed(1)}`).join("L")}Z`;
    frame.append(svg("path", { d: band, class: "gq-band" }), svg("path", { d: line(cohort.middle), class: "gq-middle" }));
    const curve = frame.appendChild(svg("path", { class: "gq-curve" }));
    const { ends } = this.page.about.histograms[contrast];
    const base = HISTOGRAM.height - HISTOGRAM.bottom + 0.5;
    frame.append(svg("line", { x1: 0, x2: HISTOGRAM.width, y1: base, y2: base, class: "gq-axis" }));
    const digits = digitsFor(ends[1] - ends[0]) - 2;
    const tick = (bin, anchor, text) =>
      frame.append(svg("text", { x: x(bin), y: HISTOGRAM.height - 3, class: "gv-tick", style: `text-anchor:${anchor}` }, text));
    tick(0, "start", format(ends[0], clamp(digits, 0, 3)));
    tick(cohort.middle.length - 1, "end", format(ends[1], clamp(digits, 0, 3)));
    return { contrast, curve, line, frame, element: h("div", {}, h("h3", {}, contrast), frame) };
  }

  show(subject) {
    for (const { figure, x, now, number, element } of this.rows) {
      const value = subject.figures[figure.key];
      number.textContent = shown(value);
      now.style.display = value === null ? "none" : "";
      if (value !== null) now.setAttribute("transform", `translate(${x(value).toFixed(1)},0)`);
      element.classList.toggle("gq-bad", subject.far.includes(figure.key));
    }
    for (const { contrast, curve, frame } of this.histograms) {
      curve.setAttribute("d", "");
      frame.setAttribute("aria-label", `Histogram of ${contrast}, ${subject.id}`);
    }
  }

  draw(histograms) {
    for (const { contrast, curve, line } of this.histograms) curve.setAttribute("d", line(histograms[contrast]));
  }
}
