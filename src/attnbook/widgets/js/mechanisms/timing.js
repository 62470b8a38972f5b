// The two tasks that the reader does, without a page: trials from a seed, medians, slopes, a made-up reader.
// search_and_cueing.py computes the same, and the tests hold both together.

import { generator } from "./mulberry32.js";

const round = (x) => Math.floor(x + 0.5);

function shuffle(list, draw) {
  for (let i = list.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [list[i], list[j]] = [list[j], list[i]];
  }
  return list;
}

// Cueing: [kind, side, wait in ms], kinds 0 valid, 1 neutral, 2 invalid; neutral cues from 60 trials on.
// Search: [kind, size, present], kinds 0 feature, 1 conjunction; every combination equally often.
export function plan(task, trials, seed, sizes) {
  const draw = generator(seed);
  if (task === "cueing") {
    const neutral = trials < 60 ? 0 : round(trials / 6);
    const invalid = round((trials - neutral) / 5);
    const kinds = Array.from({ length: trials }, (_, i) => (i < neutral ? 1 : i < neutral + invalid ? 2 : 0));
    return shuffle(kinds, draw).map((kind) => [kind, +(draw() < 0.5), 300 + Math.floor(draw() * 600)]);
  }
  const cells = [0, 1].flatMap((kind) =>
    sizes.flatMap((size) => [
      [kind, size, 0],
      [kind, size, 1],
    ]),
  );
  return shuffle(
    Array.from({ length: trials }, (_, i) => cells[i % cells.length]),
    draw,
  );
}

// Where the items of one display stand: [column, row, jitter across, jitter down, shape, colour], the target first if
// present; shape 1 is a square, colour 1 is orange and filled. The target is an orange square.
export const COLUMNS = 8;
export const ROWS = 6;
export function display([kind, size, present], draw) {
  const places = shuffle(
    Array.from({ length: COLUMNS * ROWS }, (_, i) => i),
    draw,
  ).slice(0, size);
  return places.map((place, i) => {
    const odd = i % 2;
    const look = present && !i ? [1, 1] : kind ? [odd, 1 - odd] : [odd, 0];
    return [place % COLUMNS, Math.floor(place / COLUMNS), draw(), draw(), ...look];
  });
}

// A made-up reader: benefit 25 ms, cost 40 ms; 3 ms an item for a feature, 28.7 and 67.1 for a conjunction.
export function simulate(task, trials, seed, sizes) {
  const draw = generator(seed + 1000003);
  return plan(task, trials, seed, sizes).map(([kind, size, present]) => {
    const noise = (draw() + draw() + draw() - 1.5) * 2;
    const tail = -Math.log(1 - draw());
    if (task === "cueing") return [kind, round(300 + [0, 25, 65][kind] + 40 * noise + 50 * tail)];
    const slope = kind ? (present ? 28.7 : 67.1) : 3;
    return [kind, size, present, round(450 + slope * size + 60 * noise + 60 * tail), +(draw() >= 0.04)];
  });
}

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length ? (sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2) : null;
}

// Reaction times of the three kinds of cue; 0 (too early) and −1 (missed) are left out.
export const byCue = (results) =>
  [0, 1, 2].map((kind) => results.filter((one) => one[0] === kind && one[1] > 0).map((one) => one[1]));

// Least squares over the right answers: [slope in ms an item, intercept], or null.
export function line(points) {
  const n = points.length;
  const mean = (k) => points.reduce((sum, point) => sum + point[k], 0) / n;
  const [mx, my] = [mean(0), mean(1)];
  const square = points.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
  if (!n || !square) return null;
  const slope = points.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / square;
  return [slope, my - slope * mx];
}

// The four conditions of search, in this order: [kind, present].
export const CONDITIONS = [
  [0, 1],
  [0, 0],
  [1, 1],
  [1, 0],
];
export const points = (results, [kind, present]) =>
  results.filter((one) => one[0] === kind && one[2] === present && one[4]).map((one) => [one[1], one[3]]);

// The number that the reader predicts: invalid − valid, or ms an item in a conjunction with its target there.
export function effect(task, results) {
  if (task === "cueing") {
    const [valid, , invalid] = byCue(results).map(median);
    return valid === null || invalid === null ? null : invalid - valid;
  }
  const fit = line(points(results, CONDITIONS[2]));
  return fit ? fit[0] : null;
}

export const score = (guess, actual) =>
  actual === null ? null : Math.floor(Math.max(0, 1 - Math.abs(guess - actual) / 100) * 100 + 0.5) / 100;
