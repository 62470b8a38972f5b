// What trained models are run with in the page, one example at a time. A vector is a Float32Array; a matrix or a picture
// is a tensor {shape, data}, data a Float32Array row by row. Weights lie as in torch: a matrix is (outputs, inputs).
// Sums are in float64, so results equal torch's float32 within its own rounding.

import { softmax } from "../lib/softmax.js";

export const tensor = (shape, data = new Float32Array(shape.reduce((a, b) => a * b, 1))) => ({ shape, data });

// The parameters of a layer by their last names: part(tensors, "decoder.rnn") -> {weight_ih, …}; for the directions of
// torch.nn.GRU, which end in _l0 and _l0_reverse, with that ending.
export function part(tensors, prefix, ending = "") {
  const found = {};
  for (const [name, value] of tensors) {
    if (!name.startsWith(`${prefix}.`) || !name.endsWith(ending)) continue;
    found[name.slice(prefix.length + 1, name.length - ending.length)] = value;
  }
  return found;
}

// Row i of a matrix, without copying: a word's vector of an embedding's weight.
export const row = ({ shape, data }, i) => data.subarray(i * shape[1], (i + 1) * shape[1]);

export function concat(...vectors) {
  const out = new Float32Array(vectors.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const vector of vectors) {
    out.set(vector, at);
    at += vector.length;
  }
  return out;
}

export const sigmoid = (x) => 1 / (1 + Math.exp(-x));
export const relu = (x) => Math.max(x, 0);

// x Φ(x), torch's gelu; erf by Abramowitz & Stegun 7.1.26, off by 1.5e-7 at most.
export function gelu(x) {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const series =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const erf = 1 - series * Math.exp(-z * z);
  return 0.5 * x * (1 + Math.sign(x) * erf);
}

// A function of one number, on every number of a vector or of a tensor.
export const each = (x, f) => (x.data ? tensor(x.shape, x.data.map(f)) : x.map(f));

// The sum of two vectors, or of two tensors of one shape.
export const add = (a, b) =>
  a.data
    ? tensor(
        a.shape,
        a.data.map((x, i) => x + b.data[i]),
      )
    : a.map((x, i) => x + b[i]);

// weight (n, m) times x (m), plus bias (n): a vector (n). Four rows at a time, whose sums need not wait for each other.
export function matVec({ shape: [n, m], data }, x, bias) {
  const out = new Float32Array(n);
  const from = (i) => (bias ? bias.data[i] : 0);
  let i = 0;
  for (; i + 4 <= n; i += 4) {
    const [second, third, fourth] = [(i + 1) * m, (i + 2) * m, (i + 3) * m];
    let [a, b, c, d] = [from(i), from(i + 1), from(i + 2), from(i + 3)];
    for (let j = 0, at = i * m; j < m; j += 1, at += 1) {
      const one = x[j];
      a += data[at] * one;
      b += data[second + j] * one;
      c += data[third + j] * one;
      d += data[fourth + j] * one;
    }
    out[i] = a;
    out[i + 1] = b;
    out[i + 2] = c;
    out[i + 3] = d;
  }
  for (; i < n; i += 1) {
    let sum = from(i);
    for (let j = 0, at = i * m; j < m; j += 1, at += 1) sum += data[at] * x[j];
    out[i] = sum;
  }
  return out;
}

// torch.nn.Linear on every row: x (rows, m), weight (n, m), bias (n) -> (rows, n).
export function linear(x, weight, bias) {
  const rows = x.shape[0];
  const n = weight.shape[0];
  const out = tensor([rows, n]);
  for (let i = 0; i < rows; i += 1) out.data.set(matVec(weight, row(x, i), bias), i * n);
  return out;
}

// a (n, k) times b (k, m) -> (n, m).
export function matMul(a, b) {
  const [n, k] = a.shape;
  const m = b.shape[1];
  const out = tensor([n, m]);
  for (let i = 0; i < n; i += 1) {
    const sums = new Float64Array(m);
    for (let s = 0; s < k; s += 1) {
      const factor = a.data[i * k + s];
      for (let j = 0, at = s * m; j < m; j += 1, at += 1) sums[j] += factor * b.data[at];
    }
    out.data.set(sums, i * m);
  }
  return out;
}

// torch.nn.LayerNorm of a vector.
export function layerNorm(x, weight, bias, epsilon = 1e-5) {
  const n = x.length;
  const mean = x.reduce((sum, a) => sum + a, 0) / n;
  const variance = x.reduce((sum, a) => sum + (a - mean) ** 2, 0) / n;
  const factor = 1 / Math.sqrt(variance + epsilon);
  return x.map((a, i) => (a - mean) * factor * weight.data[i] + bias.data[i]);
}

// torch.nn.GRUCell: x (d_input), h (d_hidden), its four parameters -> h (d_hidden). attnbook/nn/recurrent_step.py.
export function gruStep(x, h, { weight_ih, weight_hh, bias_ih, bias_hh }) {
  const fromInput = matVec(weight_ih, x, bias_ih);
  const fromState = matVec(weight_hh, h, bias_hh);
  const d = h.length;
  return h.map((old, i) => {
    const r = sigmoid(fromInput[i] + fromState[i]);
    const z = sigmoid(fromInput[d + i] + fromState[d + i]);
    const n = Math.tanh(fromInput[2 * d + i] + r * fromState[2 * d + i]);
    return z * old + (1 - z) * n;
  });
}

// torch.nn.LSTMCell: x (d_input), h and c (d_hidden), its four parameters -> {h, c}.
export function lstmStep(x, h, c, { weight_ih, weight_hh, bias_ih, bias_hh }) {
  const all = add(matVec(weight_ih, x, bias_ih), matVec(weight_hh, h, bias_hh));
  const d = h.length;
  const next = c.map((old, i) => sigmoid(all[d + i]) * old + sigmoid(all[i]) * Math.tanh(all[2 * d + i]));
  return { h: next.map((cell, i) => sigmoid(all[3 * d + i]) * Math.tanh(cell)), c: next };
}

// torch.nn.Conv2d: image (c, height, width), weight (out, c, kernel, kernel), bias (out), zeros around the edge. One
// weight at a time over the whole picture, since the innermost loop should be long and ask nothing.
export function conv2d(
  { shape: [channels, height, width], data },
  weight,
  bias,
  { stride = 1, padding = 0 } = {},
) {
  const [n, , tall, wide] = weight.shape;
  const rows = Math.floor((height + 2 * padding - tall) / stride) + 1;
  const columns = Math.floor((width + 2 * padding - wide) / stride) + 1;
  const out = tensor([n, rows, columns]);
  // The places at which an offset of the kernel falls inside the picture: from, up to.
  const inside = (offset, most, count) => [
    Math.max(0, Math.ceil((padding - offset) / stride)),
    Math.min(count, Math.floor((most - 1 + padding - offset) / stride) + 1),
  ];
  for (let o = 0; o < n; o += 1) {
    const sums = new Float64Array(rows * columns).fill(bias ? bias.data[o] : 0);
    for (let c = 0; c < channels; c += 1)
      for (let i = 0; i < tall; i += 1) {
        const [top, bottom] = inside(i, height, rows);
        for (let j = 0; j < wide; j += 1) {
          const [left, right] = inside(j, width, columns);
          const factor = weight.data[((o * channels + c) * tall + i) * wide + j];
          for (let y = top; y < bottom; y += 1) {
            const from = (c * height + y * stride + i - padding) * width + j - padding;
            for (let x = left; x < right; x += 1) sums[y * columns + x] += factor * data[from + x * stride];
          }
        }
      }
    out.data.set(sums, o * rows * columns);
  }
  return out;
}

// torch.nn.MaxPool2d without padding: image (c, height, width).
export function maxPool2d({ shape: [channels, height, width], data }, size, stride = size) {
  const rows = Math.floor((height - size) / stride) + 1;
  const columns = Math.floor((width - size) / stride) + 1;
  const out = tensor([channels, rows, columns]);
  for (let c = 0; c < channels; c += 1)
    for (let y = 0; y < rows; y += 1)
      for (let x = 0; x < columns; x += 1) {
        let most = -Infinity;
        for (let i = 0; i < size; i += 1)
          for (let j = 0; j < size; j += 1)
            most = Math.max(most, data[(c * height + y * stride + i) * width + x * stride + j]);
        out.data[(c * rows + y) * columns + x] = most;
      }
  return out;
}

// Scaled dot-product attention in n heads, between the projections: query (n, d), key and value (m, d);
// allowed(head, i, j) leaves places out -> {context (n, d), weights: heads × n × m}.
export function multiHeadAttention(query, key, value, heads, allowed) {
  const [n, d] = query.shape;
  const m = key.shape[0];
  const size = d / heads;
  const context = tensor([n, d]);
  const weights = [];
  for (let head = 0; head < heads; head += 1) {
    const from = head * size;
    const rows = [];
    for (let i = 0; i < n; i += 1) {
      const scores = Array.from({ length: m }, (_, j) => {
        let sum = 0;
        for (let k = 0; k < size; k += 1) sum += query.data[i * d + from + k] * key.data[j * d + from + k];
        return sum / Math.sqrt(size);
      });
      const shares = softmax(scores, allowed && scores.map((_, j) => allowed(head, i, j))).weights;
      shares.forEach((share, j) => {
        for (let k = 0; k < size; k += 1)
          context.data[i * d + from + k] += share * value.data[j * d + from + k];
      });
      rows.push(shares);
    }
    weights.push(rows);
  }
  return { context, weights };
}
