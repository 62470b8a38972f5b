// Self-attention of words in the plane, in float64: the same as attnbook.nn.SelfAttention within 1e-5.

import { argmax, softmax } from "../lib/softmax.js";
import { dot, mix } from "./attention.js";

export const SCALES = { sqrt: 2 ** -0.5, none: 1, d: 0.5 };

// W x for every row x.
const project = (rows, matrix) => rows.map((x) => matrix.map((row) => dot(row, x)));

// x (n, 2), matrices (2, 2) -> query, key, value (n, 2), and for each word every step of its row.
export function selfAttend({ x, w_q, w_k, w_v, causal, scale }) {
  const [query, key, value] = [w_q, w_k, w_v].map((matrix) => project(x, matrix));
  const factor = SCALES[scale];
  const rows = query.map((q, i) => {
    const scores = key.map((k) => dot(q, k));
    const scaled = scores.map((score) => score * factor);
    const allowed = key.map((_, j) => !causal || j <= i);
    const soft = softmax(scaled, allowed);
    return { factor, scores, scaled, ...soft, context: mix(soft.weights, value), best: argmax(soft.weights) };
  });
  return { query, key, value, rows };
}
