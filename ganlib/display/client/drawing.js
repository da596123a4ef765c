// The compare viewer: everything a reader does happens here, in the browser. The kernel is asked for slices only.
//
//   SliceStore   slices by position: cache, requests, prefetch, and the watch over a kernel that no longer answers
//   Panel        one picture: pixels, zoom, marks, value under the crosshair
//   Scores       the strips of points: every subject of every method, the current one marked
//   Viewer       state, layout, keyboard and pointer
//
// Positions are strings `direction|subject|slice`. Pixels are painted synchronously in the key handler: waiting for an
// animation frame would add up to 16 ms to a change that is already in memory.

const CACHE_BYTES = 256 * 2 ** 20;
const REQUESTS_AT_ONCE = 3;
const SILENCE_MS = 5000; // a request without an answer for so long means that the kernel or the connection is gone
const PING_MS = 8000;
const PREFETCH = 3;
const ERROR_STEPS = [5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300];
const NOT_FINITE = 65535;
const DISCLAIMER = "Synthetic images, not for diagnosis";

// ------------------------------------------------------------------------------------------------ colour

// Every fifth of the 256 entries of matplotlib's `magma` (CC0) and of Crameri's `berlin` (MIT): linear interpolation
// gives the rest to within one grey level. Berlin has a dark centre, which suits a dark page: no error is black.
const MAGMA =
  "00000402020b0504160907200e0b2b140e361a104221114e29115a311165390f6e420f754a107952137c5a167e6219806a1c81721f81792282" +
  "812581892881912b81992d80a1307eaa337db2357bba3878c23b75ca3e72d2426fd9466be04c67e75263ec5860f1605df4695cf7725cf97b5d" +
  "fb8560fc8e64fd9869fea16efeaa74feb47bfebd82fec68afecf92fed89afde2a3fdebacfcf4b6fcfdbf";
const BERLIN =
  "9eb0ff93affa87adf47bacee6fa9e862a6e056a2d74b9bcd4194c1398bb43382a82f789c2b6f8f276683245d7820546c1d4b611a4256173a4b" +
  "143240122a3611232c101c2311161b121214160e0d1b0b07210b03260d012c0e00330f00391100411201481502501803591c0763210c6e2813" +
  "79301b8439248e422e984c39a25544ac5e4fb6685ac07165ca7b71d5857ddf8f89ea9995f4a3a1ffadad";

const opaque = (red, green, blue) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
const GREY = Uint32Array.from({ length: 256 }, (_, level) => opaque(level, level, level));
const NOT_A_NUMBER = opaque(150, 70, 220);

function colourMap(stops) {
  const channel = (stop, which) => parseInt(stops.substr(6 * stop + 2 * which, 2), 16);
  return Uint32Array.from({ length: 256 }, (_, level) => {
    const stop = Math.min(50, Math.floor(level / 5));
    const share = level / 5 - stop;
    const mixed = [0, 1, 2].map((c) => Math.round(channel(stop, c) * (1 - share) + channel(stop + 1, c) * share));
    return opaque(...mixed);
  });
}

/**
 * What an error panel shows: colour map, value at a pixel, and `fill`, the colours of all pixels, none outside the mask.
 * The arithmetic stands twice, since a loop of calls to `value` takes longer than a key press should.
 */
const ERRORS = {
  relative: {
    table: colourMap(MAGMA),
    first: 100,
    value: (real, synthetic, { low, floor }) =>
      (100 * Math.abs(synthetic - real)) / Math.max(Math.abs(real - low), floor),
    fill(codes, real, synthetic, mask, { low, floor }, limit) {
      const { table } = this;
      const gain = (255 * 100) / limit;
      for (let i = 0; i < codes.length; i++) {
        const level = (gain * Math.abs(synthetic[i] - real[i])) / Math.max(Math.abs(real[i] - low), floor);
        codes[i] = mask[i] ? table[level < 255 ? (level + 0.5) | 0 : 255] : 0;
      }
    },
    ends: (limit) => ["0 %", `${limit / 2} %`, `≥ ${limit} %`],
    title: "relative error, %",
    short: "rel. error",
    says: (scale) =>
      `Relative error |synthetic − real| ∕ max(real, floor), in %. Floor ${scale.percent} % of the training range ` +
      `(${format(scale.floor, scale.digits)}). Inside the mask only (protocol masked).`,
  },
  signed: {
    table: colourMap(BERLIN),
    first: 30,
    value: (real, synthetic, { width }) => (100 * (synthetic - real)) / width,
    fill(codes, real, synthetic, mask, { width }, limit) {
      const { table } = this;
      const gain = (255 * 100) / (2 * limit * width);
      for (let i = 0; i < codes.length; i++) {
        const level = 127.5 + gain * (synthetic[i] - real[i]);
        codes[i] = mask[i] ? table[level > 0 ? (level < 255 ? (level + 0.5) | 0 : 255) : 0] : 0;
      }
    },
    ends: (limit) => [`≤ −${limit} %`, "0", `≥ +${limit} %`],
    title: "synthetic − real, % of range",
    short: "difference",
    says: (scale) =>
      `Difference synthetic − real, in % of the training range (${format(scale.width, scale.digits)}): ` +
      "red too bright, blue too dark. Inside the mask only (protocol masked).",
  },
};

// ------------------------------------------------------------------------------------------------ small things

/** A number with a true minus sign, and none before a zero. */
const format = (value, digits) =>
  value
    .toFixed(digits)
    .replace(/^-(?=0*\.?0*$)/, "")
    .replace("-", "−");

/** A label cut in its middle: the ends of two runs' names are what tells them apart. */
function shorten(label, letters) {
  if (label.length <= letters) return label;
  const tail = Math.floor((letters - 1) / 2);
  return `${label.slice(0, letters - 1 - tail)}…${label.slice(-tail)}`;
}

/** Decimals that tell neighbouring ticks apart. */
const tickDigits = (step) => Math.max(0, -Math.floor(Math.log10(step) + 1e-9));

/** Decimals that resolve a thousandth of a width. */
const digitsFor = (width) => Math.max(0, 3 - Math.floor(Math.log10(width)));

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

const polygon = (angles, radius) =>
  `M${angles.map((a, i) => [Math.sin(a) * radius[i % radius.length], -Math.cos(a) * radius[i % radius.length]]).join("L")}Z`;
const turns = (count) => Array.from({ length: count }, (_, i) => (2 * Math.PI * i) / count);

/** SVG paths of the marks, by Plotly's names (see `palette.py`), for a mark of radius r. */
const MARKS = {
  circle: (r) => `M${-r},0a${r},${r} 0 1,0 ${2 * r},0a${r},${r} 0 1,0 ${-2 * r},0Z`,
  square: (r) => `M${-0.88 * r},${-0.88 * r}h${1.76 * r}v${1.76 * r}h${-1.76 * r}Z`,
  diamond: (r) => polygon(turns(4), [1.25 * r]),
  "triangle-up": (r) => polygon(turns(3), [1.25 * r]),
  "triangle-down": (r) =>
    polygon(
      turns(3).map((a) => a + Math.PI),
      [1.25 * r],
    ),
  cross: (r) =>
    `M${-r},${-0.35 * r}h${0.65 * r}v${-0.65 * r}h${0.7 * r}v${0.65 * r}h${0.65 * r}v${0.7 * r}h${-0.65 * r}v${0.65 * r}h${-0.7 * r}v${-0.65 * r}h${-0.65 * r}Z`,
  x: (r) =>
    polygon(
      turns(8).map((a) => a + Math.PI / 4),
      [1.2 * r, 0.45 * r],
    ),
  star: (r) => polygon(turns(10), [1.3 * r, 0.55 * r]),
  pentagon: (r) => polygon(turns(5), [1.1 * r]),
  hexagon: (r) => polygon(turns(6), [1.1 * r]),
  "line-ns": (r) => `M-0.6,${-1.2 * r}h1.2v${2.4 * r}h-1.2Z`,
};
const markPath = (symbol, radius) => (MARKS[symbol] || MARKS.circle)(radius);

function mark(method, radius = 5) {
  const icon = svg("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", class: "gv-mark", "aria-hidden": "true" });
  icon.append(svg("path", { d: markPath(method.symbol, radius), fill: method.colour }));
  return icon;
}
