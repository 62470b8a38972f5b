// The saliency map of Itti, Koch & Niebur 1998, as attnbook.nn.saliency computes it (its docstring says what is
// padded how). A map is {w, h, a}: a Float64Array, row by row.

export const CHANNELS = ["intensity", "colour", "orientation"];
const ANGLES = [0, 45, 90, 135];
// Of features, in the order of FEATURES below: intensity; red–green, blue–yellow; four angles.
export const channelOf = (k) => (k > 2 ? 2 : +(k > 0));
const GOAL = 2;

const clip = (i, n) => (i < 0 ? 0 : i < n ? i : n - 1);

export function grid(w, h, f) {
  const a = new Float64Array(w * h);
  for (let y = 0, i = 0; y < h; y++) for (let x = 0; x < w; x++) a[i] = f(x, y, i++);
  return { w, h, a };
}

// [1 4 6 4 1]/16 along the rows at every `step`-th pixel, the map turned over its diagonal: twice is rows and columns.
const alongRows = ({ w, h, a }, step) =>
  grid(h, Math.ceil(w / step), (x, y) => {
    const at = (k) => a[x * w + clip(step * y + k, w)];
    return (at(-2) + 4 * at(-1) + 6 * at(0) + 4 * at(1) + at(2)) / 16;
  });
const smooth = (map) => alongRows(alongRows(map, 1), 1);
const halve = (map) => alongRows(alongRows(map, 2), 2);

const stretch = ({ w, h, a }, width, steps) =>
  grid(h, width, (x, y) => {
    const place = Math.min(y / 2 ** steps, w - 1);
    const before = Math.floor(place);
    const share = place - before;
    return a[x * w + before] * (1 - share) + a[x * w + clip(before + 1, w)] * share;
  });
const enlarge = (map, w, h, steps) => stretch(stretch(map, w, steps), h, steps);

// [cosine, sine] Gabor of 5 × 5 pixels and period 4 along theta degrees.
const TAPS = [1, 4, 6, 4, 1];
const gabors = ANGLES.map((theta) =>
  [0, Math.PI / 2].map((phase) => {
    const angle = (theta * Math.PI) / 180;
    return grid(5, 5, (x, y) => {
      const distance = (2 - y) * Math.cos(angle) - (x - 2) * Math.sin(angle);
      return ((TAPS[x] * TAPS[y]) / 256) * Math.cos((Math.PI / 2) * distance - phase);
    }).a;
  }),
);
const FADE = 3; // pixels next to a border, where the filters look past it

function orientation({ w, h, a }, [cosine, sine]) {
  // The edge repeated outwards first: no test a pixel.
  const W = w + 4;
  const wide = grid(W, h + 4, (x, y) => a[clip(y - 2, h) * w + clip(x - 2, w)]).a;
  const width = Math.min(FADE, w >> 1, h >> 1);
  const faded = (i, n) => Math.min(1, (Math.min(i, n - 1 - i) + 1) / (width + 1));
  return grid(w, h, (x, y) => {
    let [c, s] = [0, 0];
    for (let j = 0, k = 0; j < 5; j++) {
      for (let i = (y + j) * W + x, end = i + 5; i < end; i++, k++) {
        c += wide[i] * cosine[k];
        s += wide[i] * sine[k];
      }
    }
    return Math.hypot(c, s) * faded(x, w) * faded(y, h);
  });
}

// What smoothing takes away from each scale.
const detail = (map) => {
  const { a } = smooth(map);
  return { ...map, a: map.a.map((v, i) => v - a[i]) };
};

// N(·).
function normalise({ w, h, a }) {
  let [low, high] = [Infinity, -Infinity];
  for (const v of a) {
    if (v < low) low = v;
    if (v > high) high = v;
  }
  if (high - low < 1e-5) return grid(w, h, () => 0);
  const scaled = a.map((v) => (v - low) / (high - low));
  const stepped = scaled.map((v) => Math.round(v * 65536)); // smaller differences are rounding
  let sum = -1;
  let count = -1;
  for (let i = 0; i < scaled.length; i++) {
    const v = scaled[i];
    if (v <= 0.1) continue;
    const x = i % w;
    // The neighbours before it must be smaller, those after it no larger; outside the map there are none.
    let peak = true;
    for (let across = -1; across < 2; across++) {
      if (x + across < 0 || x + across >= w) continue;
      const before =
        across < 0 ? Math.max(stepped[i - w - 1] ?? 0, stepped[i - 1]) : (stepped[i - w + across] ?? 0);
      const after =
        across > 0 ? Math.max(stepped[i + w + 1] ?? 0, stepped[i + 1]) : (stepped[i + w + across] ?? 0);
      if (before >= stepped[i] || after > stepped[i]) peak = false;
    }
    if (peak) {
      sum += v;
      count++;
    }
  }
  const factor = count > 0 ? (1 - sum / count) ** 2 : 1;
  return { w, h, a: scaled.map((v) => v * factor) };
}

// Every feature of a picture ({w, h, rgb: bytes}): pyramids, as far down as scale 2 + delta + 1 needs.
export function features({ w, h, rgb }) {
  // In torch's order of operations: a pixel of exactly a tenth of the brightest must fall on the same side.
  const intensity = grid(
    w,
    h,
    (_x, _y, i) => (rgb[3 * i] / 255 + rgb[3 * i + 1] / 255 + rgb[3 * i + 2] / 255) / 3,
  );
  const top = Math.max(...intensity.a) / 10;
  const colour = (f) =>
    grid(w, h, (_x, _y, i) => {
      if (!(intensity.a[i] > top)) return 0;
      const [r, g, b] = [0, 1, 2].map((k) => rgb[3 * i + k] / 255 / intensity.a[i]);
      return f(r, g, b);
    });
  const up = Math.max;
  const bases = [
    intensity,
    colour((r, g, b) => up(r - (g + b) / 2, 0) - up(g - (r + b) / 2, 0)),
    colour((r, g, b) => up(b - (r + g) / 2, 0) - up((r + g) / 2 - Math.abs(r - g) / 2 - b, 0)),
  ].map((map) => {
    const scales = [map];
    while (scales.length < 9) scales.push(halve(scales[scales.length - 1]));
    return scales;
  });
  const details = bases[0].map(detail);
  return [...bases, ...gabors.map((pair) => details.map((scale) => orientation(scale, pair)))];
}
const FEATURES = ["intensity", "red-green", "blue-yellow", ...ANGLES.map((a) => `${a}°`)];

// Centre minus surround over three centres and two surrounds, N(·) on each, added at scale 2: one map a feature.
export const contrasts = (pyramids, delta) =>
  pyramids.map((scales, k) => {
    let total;
    for (let c = 0; c < 3; c++) {
      for (const d of [delta, delta + 1]) {
        const { w, h, a } = scales[c];
        const around = enlarge(scales[c + d], w, h, d).a;
        let map = normalise({ w, h, a: a.map((v, i) => Math.abs(v - around[i])) });
        for (let i = c; i < GOAL; i++) map = halve(map);
        total = { ...map, a: map.a.map((v, i) => v + (total ? total.a[i] : 0)) };
      }
    }
    return k > 2 ? normalise(total) : total;
  });

// Gains: three numbers for channels, by name for features. -> parts (conspicuity after N(·) and gain) and saliency.
export function combine(added, gains, byFeature, size) {
  const [{ w, h }] = added;
  const parts = gains.map((gain, channel) => {
    const conspicuity = grid(w, h, (_x, _y, i) =>
      added.reduce(
        (sum, { a }, k) => (channelOf(k) === channel ? sum + (byFeature[FEATURES[k]] ?? 1) * a[i] : sum),
        0,
      ),
    );
    return { w, h, a: normalise(conspicuity).a.map((v) => v * gain) };
  });
  const coarse = grid(w, h, (_x, _y, i) => (parts[0].a[i] + parts[1].a[i] + parts[2].a[i]) / 3);
  return { parts, saliency: enlarge(coarse, size.w, size.h, GOAL) };
}

// 1 + 4 · colour_match(picture, colour), for somebody who looks for a colour.
export const colourGain = ({ w, h, rgb }, colour) =>
  grid(
    w,
    h,
    (_x, _y, i) =>
      1 + 4 * Math.exp(-colour.reduce((sum, c, k) => sum + (rgb[3 * i + k] / 255 - c) ** 2, 0) / 0.08),
  );

// Winner take all with inhibition of return: [row, column] of each look.
export function scanpath({ w, h, a }, n, radius, decay) {
  const inhibition = new Float64Array(w * h);
  const path = [];
  while (path.length < n) {
    let [best, most] = [0, 0];
    for (let i = 0; i < a.length; i++) {
      const left = a[i] * (1 - inhibition[i]);
      if (left > most) [best, most] = [i, left];
    }
    if (!most) break;
    const [row, column] = [Math.floor(best / w), best % w];
    path.push([row, column]);
    for (let y = 0, i = 0; y < h; y++) {
      for (let x = 0; x < w; x++, i++)
        inhibition[i] = (y - row) ** 2 + (x - column) ** 2 <= radius ** 2 ? 1 : inhibition[i] * decay;
    }
  }
  return path;
}

// How often a place outranks a pixel drawn at random, ties half: the area under the ROC curve.
export const auc = ({ w, a }, places) =>
  places.reduce((sum, [row, column]) => {
    const v = a[row * w + column];
    let won = 0;
    for (const other of a) won += (v > other) + (v === other) / 2;
    return sum + won / a.length;
  }, 0) / places.length;

// A map that ranks pixels by how near the middle they are, each side counted as 1: whole numbers, so that pixels
// equally near tie exactly.
export const centred = (w, h) =>
  grid(w, h, (x, y) => -(((2 * x + 1 - w) * h) ** 2) - ((2 * y + 1 - h) * w) ** 2);
