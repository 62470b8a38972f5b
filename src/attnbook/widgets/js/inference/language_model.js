// The language model of chapter 11 (attnbook/nn/gpt.py: pre-norm, GELU, rotary positions, tied output), token by token
// with a cache of keys and values.

import { softmax } from "../lib/softmax.js";
import { gelu, layerNorm, matVec, part, row } from "./tensors.js";

const BASE = 10000; // of the rotary frequencies

// Each pair of neighbours of each head, turned by the angle of this position: attnbook.nn.RotaryPositions.
function turned(x, position, size) {
  const out = new Float32Array(x.length);
  for (let k = 0; k < x.length; k += 2) {
    const angle = position * BASE ** (-(k % size) / size);
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    out[k] = x[k] * cos - x[k + 1] * sin;
    out[k + 1] = x[k] * sin + x[k + 1] * cos;
  }
  return out;
}

const plus = (a, b) => a.map((x, i) => x + b[i]);

// What loadModel has loaded -> read(numbers), which returns
//   logits    one vector a token: of the token after it;
//   weights   layers × heads × rows, row i over tokens 0 to i.
//   states    layers × tokens, one vector each: what the layer hands to the next (the residual stream).
// What the last call read is kept, and of the next call's tokens only those after the shared beginning are computed.
// read.patched(layer, position, state): the last logits, had the layer handed on this state at this position.
export function languageModel({ architecture, configuration, tensors }) {
  const { n_heads: heads, n_layers: layers, positions, norm = "pre", tied = true } = configuration;
  const shares = (configuration.n_kv_heads ?? heads) !== heads;
  if (architecture !== "gpt" || positions !== "rotary" || norm !== "pre" || !tied || shares)
    throw Error(`a ${architecture} with ${norm}-norm and ${positions} positions does not run in the page`);
  const embedding = tensors.get("embedding.weight");
  const d = embedding.shape[1];
  const size = d / heads;
  const stack = Array.from({ length: layers }, (_, l) => part(tensors, `layers.${l}`));
  const last = part(tensors, "norm");
  const through = (layer, name, x) => matVec(layer[`${name}.weight`], x, layer[`${name}.bias`]);
  const normed = (layer, name, x) => layerNorm(x, layer[`${name}.weight`], layer[`${name}.bias`]);

  let read = []; // the tokens that the arrays below are about
  const caches = stack.map(() => ({ key: [], value: [], rows: [], states: [] }));
  const logits = [];

  const attend = (query, { key }, head) => {
    const from = head * size;
    const scores = key.map((one) => {
      let sum = 0;
      for (let k = from; k < from + size; k += 1) sum += query[k] * one[k];
      return sum / Math.sqrt(size);
    });
    return softmax(scores).weights;
  };
  // One token through one layer: x is what the layer before handed on, the result what this one hands on.
  const pass = (layer, cache, x, position) => {
    const before = normed(layer, "norm_1", x);
    const query = turned(through(layer, "attention.W_q", before), position, size);
    cache.key.push(turned(through(layer, "attention.W_k", before), position, size));
    cache.value.push(through(layer, "attention.W_v", before));
    const context = new Float32Array(d);
    cache.rows.push(
      Array.from({ length: heads }, (_, head) => {
        const weights = attend(query, cache, head);
        weights.forEach((weight, j) => {
          for (let k = head * size; k < (head + 1) * size; k += 1) context[k] += weight * cache.value[j][k];
        });
        return weights;
      }),
    );
    const attended = plus(x, through(layer, "attention.W_o", context));
    const hidden = through(layer, "feed_forward.W_1", normed(layer, "norm_2", attended)).map(gelu);
    return plus(attended, through(layer, "feed_forward.W_2", hidden));
  };
  const output = (x) => matVec(embedding, layerNorm(x, last.weight, last.bias));
  const step = (token) => {
    const position = logits.length;
    let x = row(embedding, token);
    stack.forEach((layer, l) => {
      x = pass(layer, caches[l], x, position);
      caches[l].states.push(x);
    });
    logits.push(output(x));
  };

  // Earlier layers and earlier tokens stay as they were read.
  const patched = (layer, position, state) => {
    let states = [state, ...caches[layer].states.slice(position + 1)];
    for (let l = layer + 1; l < layers; l += 1) {
      const { key, value } = caches[l];
      const cache = { key: key.slice(0, position), value: value.slice(0, position), rows: [] };
      states = states.map((x, i) => pass(stack[l], cache, x, position + i));
    }
    return output(states.at(-1));
  };

  const reader = (numbers) => {
    const differs = numbers.findIndex((number, i) => number !== read[i]);
    const shared = differs < 0 ? numbers.length : differs;
    logits.length = shared;
    for (const cache of caches) for (const list of Object.values(cache)) list.length = shared;
    numbers.slice(shared).forEach(step);
    read = [...numbers];
    return {
      logits: [...logits],
      weights: caches.map(({ rows }) =>
        Array.from({ length: heads }, (_, head) => rows.map((each) => each[head])),
      ),
      states: caches.map(({ states }) => [...states]),
    };
  };
  return Object.assign(reader, { patched });
}
