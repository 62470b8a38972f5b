import assert from "node:assert/strict";
import { test } from "node:test";
import { argmax, softmax } from "./softmax.js";

test("weights are shares in the ratio of exp", () => {
  const { weights, total, largest } = softmax([Math.log(3), 0]);
  assert.ok(Math.abs(weights[0] - 0.75) < 1e-12);
  assert.ok(Math.abs(weights[0] + weights[1] - 1) < 1e-12);
  assert.equal(largest, Math.log(3));
  assert.ok(Math.abs(total - 4 / 3) < 1e-12);
});

test("large scores do not overflow", () => {
  assert.deepEqual(softmax([1e6, 0, -1e6]).weights, [1, 0, 0]);
});

test("what is left out gets exactly 0, and a row left out altogether is all 0", () => {
  assert.deepEqual(softmax([1, 1, 9], [true, true, false]).weights, [0.5, 0.5, 0]);
  assert.deepEqual(softmax([1, -Infinity]).weights, [1, 0]);
  assert.deepEqual(softmax([5, 7], [false, false]), { largest: 0, exps: [0, 0], total: 0, weights: [0, 0] });
});

test("argmax takes the first of equals among the allowed, or says -1", () => {
  assert.equal(argmax([1, 3, 3]), 1);
  assert.equal(argmax([1, 3, 3], [true, false, true]), 2);
  assert.equal(argmax([1], [false]), -1);
});
