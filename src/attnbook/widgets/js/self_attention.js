// Self-attention of words in the plane, in float64: the same as attnbook.nn.SelfAttention within 1e-5.

export const SCALES = { sqrt: 2 ** -0.5, none: 1, d: 0.5 };

// W x for every row x.
const times = (rows, matrix) => rows.map((x) => matrix.map((w) => w[0] * x[0] + w[1] * x[1]));

// x (n, 2), matrices (2, 2) -> query, key, value (n, 2), and for each word every step of its row.
export function selfAttend({ x, w_q, w_k, w_v, causal, scale }) {
  const [query, key, value] = [w_q, w_k, w_v].map((matrix) => times(x, matrix));
  const factor = SCALES[scale];
  const rows = query.map((q, i) => {
    const [scores] = times([q], key);
    const scaled = scores.map((s) => s * factor);
    const top = Math.max(...(causal ? scaled.slice(0, i + 1) : scaled));
    const exps = scaled.map((s, j) => (causal && j > i ? 0 : Math.exp(s - top)));
    const total = exps.reduce((a, b) => a + b);
    const weights = exps.map((e) => e / total);
    const context = [0, 1].map((d) => weights.reduce((sum, w, j) => sum + w * value[j][d], 0));
    return { factor, scores, scaled, top, exps, total, weights, context, best: weights.indexOf(Math.max(...weights)) };
  });
  return { query, key, value, rows };
}
