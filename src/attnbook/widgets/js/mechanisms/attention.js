// The five steps of attention for one query, in float64: the same as attnbook.nn within 1e-5.

import { argmax, softmax } from "../lib/softmax.js";

export const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

// The rows, each times its weight, added up: weights (n), rows (n, d) -> (d).
export const mix = (weights, rows) =>
  rows[0].map((_, j) => weights.reduce((sum, weight, i) => sum + weight * rows[i][j], 0));

// query (d_k), key (n, d_k), value (n, d_v) -> every step. A fully masked row gives zeros.
export function attend({ query, key, value, temperature = 1, scale = null, mask, mode = "soft", fixed }) {
  const factor = scale ?? query.length ** -0.5;
  const scores = key.map((row) => dot(query, row));
  const scaled = scores.map((score) => (score * factor) / temperature);
  const soft = softmax(scaled, mask);
  const largest = argmax(scaled, mask);
  let { weights } = soft;
  if (mode === "hard") weights = weights.map((_, i) => (i === largest ? 1 : 0));
  if (mode === "fixed") weights = fixed.map((weight, i) => (!mask || mask[i] ? weight : 0));
  return {
    factor,
    scores,
    scaled,
    ...soft,
    weights,
    context: mix(weights, value),
    best: argmax(weights, mask),
  };
}
