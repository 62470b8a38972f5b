// Soft, hard and local attention over the same scores, in float64: the same as attnbook.nn within 1e-5.

import { argmax, softmax } from "../lib/softmax.js";
import { generator } from "./mulberry32.js";

const SHARE = 0.9; // of the soft weights, which the reader's window has to cover

export const isLocal = (mode) => mode.startsWith("local");

export const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// scores (S) -> soft weights, what the window holds, the softmax within it, the Gaussian of sigma = D / 2 around the
// centre (Luong et al. 2015, equation 10), weights, and how much of the soft weights the window covers.
export function attendWithin({ scores, mode, centre, window, temperature = 1 }) {
  const scaled = scores.map((score) => score / temperature);
  const distances = scores.map((_, s) => Math.abs(s - centre));
  const inside = distances.map((distance) => !isLocal(mode) || distance <= window);
  const best = argmax(scores);
  const soft = softmax(scaled).weights;
  const align = softmax(scaled, inside).weights;
  const gauss = distances.map((distance) =>
    mode === "local-p" ? Math.exp((-2 * distance ** 2) / window ** 2) : 1,
  );
  // Nothing divides by the sum after the Gaussian.
  const weights = align.map((weight, s) => (mode === "hard" ? Number(s === best) : weight * gauss[s]));
  const covered = sum(soft.filter((_, s) => inside[s]));
  return { scores, distances, inside, soft, align, gauss, weights, best, covered, total: sum(weights) };
}

// The share of the soft weights within D of the centre.
export const covers = (soft, distances, D) => sum(soft.filter((_, s) => distances[s] <= D));

// The smallest whole D that covers 90 %.
export function leastWindow(soft, distances) {
  let D = 1;
  while (covers(soft, distances, D) < SHARE - 1e-9) D += 1;
  return D;
}

// How often each word comes up in n draws with these odds.
export function drawCounts(odds, n, seed) {
  const counts = odds.map(() => 0);
  const draw = generator(seed);
  for (let i = 0; i < n; i += 1) {
    let left = draw();
    let word = 0;
    while (word < odds.length - 1) {
      left -= odds[word];
      if (left < 0) break;
      word += 1;
    }
    counts[word] += 1;
  }
  return counts;
}
