import assert from "node:assert/strict";
import { test } from "node:test";
import { attend } from "./attention.js";
import { selfAttend } from "./self_attention.js";

const near = (got, expected) => {
  assert.equal(got.length, expected.length);
  for (const [i, number] of got.entries())
    assert.ok(Math.abs(number - expected[i]) < 1e-9, `${got} ${expected}`);
};

const case_ = {
  query: [2, 0],
  key: [
    [1, 0],
    [0, 1],
  ],
  value: [
    [1, 0],
    [0, 1],
  ],
  scale: 0.5,
};

test("one query over two keys", () => {
  const { scores, weights, context, best } = attend(case_);
  near(scores, [2, 0]);
  const share = Math.E / (Math.E + 1);
  near(weights, [share, 1 - share]);
  near(context, weights);
  assert.equal(best, 0);
});

test("hard, fixed and masked", () => {
  near(attend({ ...case_, mode: "hard" }).weights, [1, 0]);
  near(attend({ ...case_, mode: "hard", mask: [false, true] }).weights, [0, 1]);
  near(attend({ ...case_, mode: "fixed", fixed: [0.2, 0.8], mask: [true, false] }).weights, [0.2, 0]);
  near(attend({ ...case_, mask: [false, false] }).context, [0, 0]);
});

test("each row of self-attention is the attention of its own query", () => {
  const identity = [
    [1, 0],
    [0, 1],
  ];
  const swap = [
    [0, 1],
    [1, 0],
  ];
  const x = [
    [1, 2],
    [3, -1],
    [0, 0.5],
  ];
  const { query, key, value, rows } = selfAttend({
    x,
    w_q: swap,
    w_k: identity,
    w_v: identity,
    causal: true,
    scale: "sqrt",
  });
  near(query[0], [2, 1]);
  rows.forEach((row, i) => {
    const alone = attend({ query: query[i], key, value, mask: key.map((_, j) => j <= i) });
    near(row.weights, alone.weights);
    near(row.context, alone.context);
  });
});
