// Soft, hard and local attention over the same scores, in float64: the same as attnbook.nn within 1e-5.

import { softmax } from "../lib/softmax.js";

export const local = (mode) => mode[0] === "l";

export const add = (numbers) => numbers.reduce((a, b) => a + b, 0);

// scores (S) -> soft (S), inside (S), gauss (S), weights (S), covered, total. As attention_window.py's window_weights.
export function look({ scores, mode, centre, window, temperature = 1 }) {
  const far = scores.map((_, s) => Math.abs(s - centre));
  const inside = far.map((f) => !local(mode) || f <= window);
  const scaled = scores.map((score) => score / temperature);
  const best = scores.indexOf(Math.max(...scores));
  const soft = softmax(scaled).weights;
  // sigma = D / 2, and nothing divides by the sum afterwards.
  const gauss = far.map((f) => (mode === "local-p" ? Math.exp((-2 * f * f) / (window * window)) : 1));
  const align = softmax(scaled, inside).weights;
  const weights = align.map((w, s) => (mode === "hard" ? +(s === best) : w * gauss[s]));
  return {
    scores,
    far,
    inside,
    soft,
    align,
    gauss,
    weights,
    best,
    covered: cover(soft, far, window, mode),
    total: add(weights),
  };
}

// The share of the soft weights within D of the centre.
export const cover = (soft, far, D, mode = "local") =>
  add(soft.filter((_, s) => !local(mode) || far[s] <= D));

// The smallest whole D that covers 90 %.
export function least(soft, far) {
  let D = 1;
  while (cover(soft, far, D) < 0.9 - 1e-9) D += 1;
  return D;
}

// Counts of n draws with these odds: mulberry32, and so the very draws that Python makes.
export function draw(odds, n, seed) {
  const counts = odds.map(() => 0);
  for (let a = seed; n > 0; n -= 1) {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    let left = ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
    let s = 0;
    while (s < odds.length - 1 && (left -= odds[s]) >= 0) s += 1;
    counts[s] += 1;
  }
  return counts;
}
