// attnbook.nn.WordModel and MaskedWordModel in float64: the same logits and weights within 1e-5, with any head
// switched off. `norms`: with layer norms; `bias`: how many numbers the output layer adds.

import { unpack, unpackHalves } from "../lib/numbers.js";
import { softmax } from "../lib/softmax.js";

export const each = (n, f) => Array.from({ length: n }, (_, i) => f(i));
export const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);

// a · b, where b begins at an offset.
export function dot(a, b, at = 0) {
  let total = 0;
  for (let i = 0; i < a.length; i += 1) total += a[i] * b[at + i];
  return total;
}

const linear = ([weight, bias], rows) =>
  rows.map((x) => each(bias.length, (i) => bias[i] + dot(x, weight, i * x.length)));

const norm = (learned, rows) =>
  !learned
    ? rows
    : rows.map((x) => {
        const [gain, bias] = learned;
        const mean = sum(x) / x.length;
        const spread = Math.sqrt(sum(x.map((a) => (a - mean) ** 2)) / x.length + 1e-5);
        return x.map((a, i) => ((a - mean) / spread) * gain[i] + bias[i]);
      });

const add = (rows, more) => rows.map((x, i) => x.map((a, j) => a + more[i][j]));

// The packed model -> run(token numbers, [[layer, head], …], "zero" | "mean") ->
// {weights: [layer][head][row][column], q and k: [layer][row], logits(row)}.
export function reader({
  vocab,
  d_model: d,
  n_heads,
  n_layers,
  max_length,
  d_ff,
  causal,
  tied,
  norms,
  bias,
  hidden,
  half,
  numbers,
  means: averages,
}) {
  const all = (half ? unpackHalves : unpack)(numbers);
  let at = 0;
  const take = (n) => {
    at += n;
    return all.subarray(at - n, at);
  };
  const pair = (n, m = 1) => [take(n * m), take(n)];
  const [embedding, positions] = [take(vocab * d), take(max_length * d)];
  const layers = each(n_layers, () => [
    norms && pair(d),
    each(4, () => pair(d, d)),
    ...(d_ff ? [pair(d), pair(d_ff, d), pair(d, d_ff)] : []),
  ]);
  const last = norms && pair(d);
  const output = tied ? embedding : take(vocab * d);
  const added = take(bias);
  const means = averages && unpack(averages); // of visible words, then of hidden ones
  const size = d / n_heads;
  return (tokens, ablated, ablation) => {
    let x = tokens.map((token, i) => each(d, (j) => embedding[token * d + j] + positions[i * d + j]));
    const [q, k] = [[], []];
    const weights = layers.map(([norm1, four, norm2, W1, W2], l) => {
      const inside = norm(norm1, x);
      const [query, key, value] = four.map((one) => linear(one, inside));
      q.push(query);
      k.push(key);
      const contexts = x.map(() => []);
      const heads = each(n_heads, (h) => {
        const from = h * size;
        const off = ablated.some(([a, b]) => a === l && b === h);
        return query.map((row, i) => {
          const part = row.slice(from, from + size);
          const shares = softmax(
            key.map((other, j) => (causal && j > i ? -Infinity : dot(part, other, from) / Math.sqrt(size))),
          ).weights;
          contexts[i].push(
            ...each(size, (c) =>
              !off
                ? shares.reduce((total, w, j) => total + w * value[j][from + c], 0)
                : ablation === "mean"
                  ? means[(tokens[i] === hidden ? l + n_layers : l) * d + from + c]
                  : 0,
            ),
          );
          return shares;
        });
      });
      x = add(x, linear(four[3], contexts));
      if (W1)
        x = add(
          x,
          linear(
            W2,
            linear(W1, norm(norm2, x)).map((row) => row.map((a) => Math.max(a, 0))),
          ),
        );
      return heads;
    });
    x = norm(last, x);
    return {
      weights,
      q,
      k,
      logits: (i) => each(vocab, (word) => dot(x[i], output, word * d) + (added[word] || 0)),
    };
  };
}
