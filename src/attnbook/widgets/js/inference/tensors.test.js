// Every routine gives torch's numbers: those stored beside this file, or those of the file in ATTNBOOK_NUMBERS, which
// tests/widgets/test_inference.py writes anew.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { halves } from "../lib/numbers.js";
import * as t from "./tensors.js";

const NUMBERS = process.env.ATTNBOOK_NUMBERS || new URL("./torch_numbers.json", import.meta.url);
const cases = JSON.parse(readFileSync(NUMBERS, "utf8"));

// {shape, data: [numbers]} as it is stored -> a tensor; of one dimension its vector, where a routine takes one.
const read = ({ shape, data }) => ({ shape, data: Float32Array.from(data) });
const vector = (stored) => Float32Array.from(stored.data);
const cell = ({ weight_ih, weight_hh, bias_ih, bias_hh }) => ({
  weight_ih: read(weight_ih),
  weight_hh: read(weight_hh),
  bias_ih: read(bias_ih),
  bias_hh: read(bias_hh),
});

const RUN = {
  matVec: (c) => t.matVec(read(c.weight), vector(c.x), read(c.bias)),
  linear: (c) => t.linear(read(c.x), read(c.weight), read(c.bias)),
  matMul: (c) => t.matMul(read(c.a), read(c.b)),
  gruStep: (c) => t.gruStep(vector(c.x), vector(c.h), cell(c)),
  lstmStep(c) {
    const { h, c: next } = t.lstmStep(vector(c.x), vector(c.h), vector(c.c), cell(c));
    return t.concat(h, next);
  },
  layerNorm: (c) => t.layerNorm(vector(c.x), read(c.weight), read(c.bias)),
  gelu: (c) => t.each(vector(c.x), t.gelu),
  relu: (c) => t.each(read(c.x), t.relu),
  sigmoid: (c) => t.each(vector(c.x), t.sigmoid),
  add: (c) => t.add(read(c.a), read(c.b)),
  row: (c) => t.row(read(c.weight), c.index),
  conv2d: (c) => t.conv2d(read(c.image), read(c.weight), read(c.bias), c),
  maxPool2d: (c) => t.maxPool2d(read(c.image), c.size, c.stride),
  multiHeadAttention(c) {
    const allowed = c.allowed && ((_, i, j) => c.allowed[i][j]);
    const { context, weights } = t.multiHeadAttention(
      read(c.query),
      read(c.key),
      read(c.value),
      c.heads,
      allowed,
    );
    return t.concat(context.data, Float32Array.from(weights.flat(2)));
  },
  halves: (c) => halves(Uint16Array.from(c.bits)),
};

for (const [i, one] of cases.entries())
  test(`${i}: ${one.routine}`, () => {
    const made = RUN[one.routine](one);
    if (made.shape) assert.deepEqual(made.shape, one.expected.shape);
    const numbers = made.data || made;
    const expected = one.expected.data;
    assert.equal(numbers.length, expected.length);
    for (let k = 0; k < numbers.length; k += 1) {
      const bound = one.exact ? 0 : 2e-6 * (1 + Math.abs(expected[k]));
      assert.ok(
        Math.abs(numbers[k] - expected[k]) <= bound,
        `number ${k}: ${numbers[k]}, not ${expected[k]}`,
      );
    }
  });

test("every routine is tried", () => {
  const tried = new Set(cases.map(({ routine }) => routine));
  assert.deepEqual(
    Object.keys(RUN).filter((name) => !tried.has(name)),
    [],
  );
});

test("the parts of a layer are found by their last names", () => {
  const tensors = new Map([
    ["rnn.weight_ih_l0", 1],
    ["rnn.bias_hh_l0", 2],
    ["rnn.weight_ih_l0_reverse", 3],
    ["other.weight", 4],
  ]);
  assert.deepEqual(t.part(tensors, "rnn", "_l0"), { weight_ih: 1, bias_hh: 2 });
  assert.deepEqual(t.part(tensors, "rnn", "_l0_reverse"), { weight_ih: 3 });
  assert.deepEqual(t.part(tensors, "other"), { weight: 4 });
});
