// Scores and weights under six kinds of positions, in float64: the same as attnbook.nn within 1e-5.

import { softmax } from "../lib/softmax.js";
import { generator } from "./mulberry32.js";

const MOST = 128; // places
export const MOVE = 7; // places that the prediction is about

// Mean 0 and variance a half, as sines have, in rows of 16: position_explorer.py draws the very same.
function table(seed, rows) {
  const draw = generator(seed);
  return Array.from({ length: rows }, () => Array.from({ length: 16 }, () => (2 * draw() - 1) * 1.5 ** 0.5));
}
const [LEARNED, DISTANCES, RANDOM] = [table(1, MOST), table(2, 2 * MOST - 1), table(3, 2)];

export const dot = (a, b) => a.reduce((sum, x, j) => sum + x * b[j], 0);

// Each pair of numbers, (0, 1), (2, 3), …, turned by its angle.
const turn = (v, angles) =>
  v.map((x, j) => {
    const [cos, sin] = [Math.cos(angles[j >> 1]), Math.sin(angles[j >> 1])];
    return j % 2 ? v[j - 1] * sin + x * cos : x * cos - v[j + 1] * sin;
  });

// What ALiBi takes off for each place of distance.
export function slope({ n_heads, head }) {
  const power = 2 ** Math.floor(Math.log2(n_heads));
  return 2 ** ((head < power ? -8 * (head + 1) : -4 * (2 * (head - power) + 1)) / power);
}

// All that does not ask where the two words stand: θ, their content, the scores of every place with every place (a row
// a query, null where there is no vector), their range, and how far scores at one distance differ.
function open(state) {
  const { kind, d, base, content, strength, own, max_distance: reach, train_length, length } = state;
  const theta = Array.from({ length: d / 2 }, (_, i) => base ** ((-2 * i) / d));
  const unit = theta.flatMap(() => [1, 0]);
  const contents = {
    same: [unit, unit],
    back: [
      turn(
        unit,
        theta.map((t) => -3 * t),
      ),
      unit,
    ],
    random: RANDOM,
    own: own && [own.query, own.key],
  };
  const [query, key] = contents[content].map((v) => v.slice(0, d).map((x) => x * strength));
  const added = {
    sinusoidal: (n) => theta.flatMap((t) => [Math.sin(n * t), Math.cos(n * t)]),
    learned: (n) => n < train_length && LEARNED[n],
  }[kind];
  // Query and key as they are compared at place n; nothing where there is no vector.
  const at = Array.from({ length: length + MOVE }, (_, n) => {
    const place = added?.(n);
    const angles = theta.map((t) => n * t);
    return place === false
      ? []
      : [query, key].map((v) =>
          kind === "rotary" ? turn(v, angles) : place ? v.map((x, j) => x + place[j]) : v,
        );
  });
  const steep = slope(state);
  const bias = (far) =>
    kind === "alibi"
      ? -steep * Math.abs(far)
      : kind === "relative"
        ? dot(query, DISTANCES[MOST - 1 + Math.max(-reach, Math.min(reach, far))]) * d ** -0.5
        : 0;
  const score = (m, n) => (at[m][0] && at[n][1] ? dot(at[m][0], at[n][1]) * d ** -0.5 + bias(n - m) : null);
  const places = at.slice(MOVE).map((_, n) => n);
  const every = places.map((m) => places.map((n) => score(m, n)));
  const [low, high] = [{}, {}]; // by distance
  every.forEach((row, m) =>
    row.forEach((x, n) => {
      if (x === null) return;
      low[n - m] = Math.min(x, low[n - m] ?? x);
      high[n - m] = Math.max(x, high[n - m] ?? x);
    }),
  );
  const spread = Math.max(...Object.keys(low).map((far) => high[far] - low[far]));
  return {
    theta,
    query,
    key,
    at,
    bias,
    score,
    every,
    spread,
    bottom: Math.min(...Object.values(low)),
    top: Math.max(...Object.values(high)),
  };
}

let [kept, parts] = [];

// All that follows from a state; `moved` is what the prediction is about.
export function positions(state) {
  const { query_position: m, key_position: n, causal, prediction, revealed, score: _, ...rest } = state;
  const now = JSON.stringify(rest);
  if (now !== kept) [kept, parts] = [now, open(rest)];
  const { every, theta, score } = parts;
  const scores = every[m];
  const may = scores.map((x, to) => x !== null && !(causal && to > m));
  const { largest: most, total, weights } = softmax(scores, may);
  const [before, after] = [score(m, n), score(m + MOVE, n + MOVE)];
  return {
    ...parts,
    scores,
    most,
    total,
    weights,
    angles: theta.map((t) => (m - n) * t),
    moved: {
      before,
      after,
      answer:
        before === null || after === null
          ? "none"
          : Math.abs(after - before) < 1e-9
            ? "same"
            : after > before
              ? "rises"
              : "falls",
    },
  };
}
