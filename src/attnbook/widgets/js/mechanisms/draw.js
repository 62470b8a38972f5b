// The filter bank of DRAW (Gregor et al. 2015), in float64: the same as attnbook.nn.FilterBank within 1e-5.

import { softmax } from "../lib/softmax.js";

const range = (n, f) => Array.from({ length: n }, (_, i) => f(i));

// One direction: n filters around a centre, each with its weights on all pixels.
const along = (centre, stride, variance, n, pixels) =>
  range(n, (i) => {
    const mu = centre + (i - (n - 1) / 2) * stride;
    return softmax(range(pixels, (a) => -((a - mu) ** 2) / (2 * variance))).weights;
  });

// A window is [x, y, stride, variance, intensity], in pixels counted from 0.
export const filters = ([x, y, stride, variance], n, height, width) => [
  along(y, stride, variance, n, height),
  along(x, stride, variance, n, width),
];

const product = (A, B) => A.map((row) => B[0].map((_, j) => row.reduce((sum, a, k) => sum + a * B[k][j], 0)));
const turned = (A) => A[0].map((_, j) => A.map((row) => row[j]));

// What a window of n × n filters sees of a picture.
export function read(picture, window, n) {
  const [Fy, Fx] = filters(window, n, picture.length, picture[0].length);
  return product(product(Fy, picture), turned(Fx)).map((row) => row.map((v) => v * window[4]));
}

// What a patch adds to a canvas through a window.
export function write(patch, window, height, width) {
  const [Fy, Fx] = filters(window, patch.length, height, width);
  return product(
    product(
      turned(Fy),
      patch.map((row) => row.map((v) => v / window[4])),
    ),
    Fx,
  );
}

export const added = (A, B) => A.map((row, i) => row.map((a, j) => a + B[i][j]));

export const sigmoid = (c) => 1 / (1 + Math.exp(-c));

// −log p(picture) of a canvas in logits: softplus(c) − x c, summed.
export const nats = (canvas, picture) =>
  canvas
    .flatMap((row, i) =>
      row.map((c, j) => Math.max(c, 0) + Math.log1p(Math.exp(-Math.abs(c))) - picture[i][j] * c),
    )
    .reduce((a, b) => a + b, 0);
