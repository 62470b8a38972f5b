// Show, Attend and Tell (attnbook/nn/captioner.py) with soft attention: annotations of an image, and a caption written
// word by word, where attention may be confined to some places, or one place be drawn from its weights.

import { softmax } from "../lib/softmax.js";
import {
  add,
  concat,
  conv2d,
  each,
  lstmStep,
  matVec,
  maxPool2d,
  part,
  relu,
  row,
  sigmoid,
  tensor,
} from "./tensors.js";

const [BOS, EOS] = [1, 2];

// The first place at which the shares, added up, exceed u: a draw from them when u is uniform on [0, 1).
export function drawn(shares, u) {
  let sum = 0;
  const at = shares.findIndex((share) => {
    sum += share;
    return sum > u;
  });
  return at < 0 ? shares.length - 1 : at;
}

// nn.ConvAnnotations: image (colours, height, width) -> one vector a place, rows of half the height first.
function annotationsOf(tensors, coordinates, image) {
  const names = [...tensors.keys()].filter((name) => /^encoder\.layers\.\d+\.weight$/.test(name));
  let maps = image;
  names.forEach((name, i) => {
    const bias = tensors.get(name.replace("weight", "bias"));
    maps = each(conv2d(maps, tensors.get(name), bias, { padding: 1 }), relu);
    if (i === 1) maps = maxPool2d(maps, 2);
  });
  const [channels, height, width] = maps.shape;
  const at = (i, n) => (2 * i) / (n - 1) - 1; // from −1 to 1
  return Array.from({ length: height * width }, (_, i) => {
    const where = coordinates ? [at(Math.floor(i / width), height), at(i % width, width)] : [];
    const numbers = Float32Array.from({ length: channels }, (_, c) => maps.data[c * height * width + i]);
    return concat(numbers, where);
  });
}

// What models.load has loaded -> read(image), which returns
//   write(options)   one step a word, until the caption ends: {word, share, weights, place}, `share` the probability of
//                    the word. Options: most (words), allowed(word, place) confines attention before word number `word`;
//                    draw(word), a number from [0, 1), has one place drawn from the weights instead of their mean.
export function captioner({ configuration, vocabularies: { caption }, tensors }) {
  const { attention = "soft", coordinates = true } = configuration;
  if (attention === "none") throw Error("a captioner without attention does not run in the page");
  const get = (name) => tensors.get(name);
  const score = part(tensors, "attention.score");
  const v = score["v.weight"].data;
  const cell = part(tensors, "lstm");
  return (image) => {
    const annotations = annotationsOf(tensors, coordinates, image);
    const width = annotations[0].length;
    const keys = annotations.map((one) => matVec(score["U.weight"], one));
    const mean = annotations.reduce((sum, one) => add(sum, one)).map((x) => x / annotations.length);
    const first = (i, name) =>
      tensors.has("learned")
        ? row(get("learned"), i)
        : matVec(get(`${name}.weight`), mean, get(`${name}.bias`)).map(Math.tanh);
    return ({ most, allowed, draw }) => {
      let state = { h: first(0, "first_hidden"), c: first(1, "first_cell") };
      let token = BOS;
      const steps = [];
      while (steps.length < most) {
        const at = steps.length;
        const query = matVec(score["W.weight"], state.h);
        const scores = keys.map((key) => v.reduce((sum, x, k) => sum + x * Math.tanh(query[k] + key[k]), 0));
        const { weights } = softmax(scores, allowed && scores.map((_, place) => allowed(at, place)));
        const place = draw ? drawn(weights, draw(at)) : null;
        let context = tensor([width]).data;
        if (draw) context = annotations[place];
        else
          annotations.forEach((one, i) => {
            if (weights[i]) for (let k = 0; k < width; k += 1) context[k] += weights[i] * one[k];
          });
        const gate = sigmoid(matVec(get("gate.weight"), state.h, get("gate.bias"))[0]);
        context = context.map((x) => gate * x);
        const word = row(get("embedding.weight"), token);
        state = lstmStep(concat(word, context), state.h, state.c, cell);
        const deep = add(
          add(word, matVec(get("from_hidden.weight"), state.h, get("from_hidden.bias"))),
          matVec(get("from_context.weight"), context, get("from_context.bias")),
        );
        const shares = softmax([...matVec(get("output.weight"), deep, get("output.bias"))]).weights;
        token = shares.indexOf(Math.max(...shares));
        if (token === EOS) break;
        steps.push({ word: caption[token], share: shares[token], weights, place });
      }
      return steps;
    };
  };
}
