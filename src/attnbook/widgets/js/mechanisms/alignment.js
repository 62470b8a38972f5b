// Attention of a decoder over source words, in float64: the same as attnbook.nn's scores within 1e-5.

import { softmax } from "../lib/softmax.js";

// Flat numbers as rows.
export const rowsOf = (flat, columns) =>
  Array.from({ length: flat.length / columns }, (_, i) => [...flat.subarray(i * columns, (i + 1) * columns)]);

// One score's terms: v_k · tanh(query_k + key_k) with v (Bahdanau et al. 2015), query_k · key_k without (Luong et al.).
export const terms = (query, key, v) => query.map((q, k) => (v ? v[k] * Math.tanh(q + key[k]) : q * key[k]));

// W key for every key, (src, d): with it the general score is query · (W key).
export const turned = (key, W) =>
  key.map((k) => W.map((row) => row.reduce((sum, w, j) => sum + w * k[j], 0)));

// query (tgt, d), key (src, d), v (d) or undefined -> scores and weights, (tgt, src).
export function align(query, key, v) {
  const scores = query.map((q) => key.map((k) => terms(q, k, v).reduce((a, b) => a + b)));
  return { scores, weights: scores.map((row) => softmax(row).weights) };
}
