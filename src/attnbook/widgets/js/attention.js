// The five steps of attention for one query, in float64: the same as attnbook.nn within 1e-5.

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

// The index of the largest number that may be taken, or -1; the first of equals, as torch.argmax.
export const argmax = (numbers, may) =>
  numbers.reduce((best, x, i) => (may[i] && !(x <= numbers[best]) ? i : best), -1);

// query (d_k), key (n, d_k), value (n, d_v) -> every step. A fully masked row gives zeros.
export function attend({ query, key, value, temperature = 1, scale = null, mask, mode = "soft", fixed }) {
  const factor = scale ?? query.length ** -0.5;
  const may = mask || key.map(() => true);
  const scores = key.map((k) => dot(query, k));
  const scaled = scores.map((s) => (s * factor) / temperature);
  const best = argmax(scaled, may);
  const top = best < 0 ? 0 : scaled[best];
  // The largest is subtracted first so that exp cannot overflow; shares do not change.
  const exps = scaled.map((s, i) => (may[i] ? Math.exp(s - top) : 0));
  const total = exps.reduce((a, b) => a + b, 0);
  let weights = exps.map((e) => (total ? e / total : 0));
  if (mode === "hard") weights = weights.map((_, i) => (i === best ? 1 : 0));
  if (mode === "fixed") weights = fixed.map((w, i) => (may[i] ? w : 0));
  const context = value[0].map((_, j) => weights.reduce((sum, w, i) => sum + w * value[i][j], 0));
  return { factor, scores, scaled, top, exps, total, weights, context, best: argmax(weights, may) };
}
