// The translator of chapter 10 (attnbook/nn/transformer.py, pre-norm with sinusoids), which writes greedily.

import { argmax, softmax } from "../lib/softmax.js";
import {
  add,
  each,
  layerNorm,
  linear,
  matVec,
  multiHeadAttention,
  part,
  relu,
  row,
  tensor,
} from "./tensors.js";
import { numberOf } from "./translator.js";

const [BOS, EOS, UNKNOWN] = [1, 2, 3];

// A word's vector times √d, plus sin, cos, sin, cos, … of its position: a matrix of one row.
function embedded({ shape, data }, number, position) {
  const d = shape[1];
  const out = tensor([1, d]);
  for (let k = 0; k < d; k += 1) {
    const angle = position / 10000 ** ((k - (k % 2)) / d);
    out.data[k] = data[number * d + k] * Math.sqrt(d) + (k % 2 ? Math.cos(angle) : Math.sin(angle));
  }
  return out;
}

// Rows one beneath the other.
function stacked(rows) {
  const d = rows[0].shape[1];
  const out = tensor([rows.length, d]);
  rows.forEach(({ data }, i) => out.data.set(data, i * d));
  return out;
}

const normed = (x, weight, bias) =>
  stacked(
    Array.from({ length: x.shape[0] }, (_, i) => ({
      shape: [1, x.shape[1]],
      data: layerNorm(row(x, i), weight, bias),
    })),
  );

// What loadModel has loaded -> translate(words, most), which returns
//   output      the words that it writes, at most `most`;
//   finished    whether it ended by itself: then the last row below belongs to <eos>;
//   unknown     the source words that it read as <unk>;
//   shares      the probability of each word written;
//   encoder, decoder, cross   layers × heads × rows × columns of weights; the decoder's columns are <bos> and the
//               words before, 0 for those not yet written.
export function transformerTranslator({ architecture, configuration, vocabularies, tensors }) {
  const { n_heads: heads, n_layers: layers, norm, positions } = configuration;
  if (architecture !== "transformer" || norm !== "pre" || positions !== "sinusoidal")
    throw Error(`a ${architecture} with ${norm}-norm and ${positions} positions does not run in the page`);
  const get = (name) => tensors.get(name);
  const names = (side) => Array.from({ length: layers }, (_, i) => part(tensors, `${side}.${i}`));
  const [encoder, decoder] = [names("encoder"), names("decoder")];
  const through = (x, layer, name) => linear(x, layer[`${name}.weight`], layer[`${name}.bias`]);
  const norms = (x, layer, name) => normed(x, layer[`${name}.weight`], layer[`${name}.bias`]);
  const fed = (x, layer, name) =>
    add(
      x,
      through(
        each(through(norms(x, layer, name), layer, "feed_forward.W_1"), relu),
        layer,
        "feed_forward.W_2",
      ),
    );
  const ofWords = get("output.weight") || get("tgt_embedding.weight"); // tied: stored once
  const ends = (x, side) => normed(x, get(`${side}_norm.weight`), get(`${side}_norm.bias`));

  // The source, all words at once: the memory, and the weights of each layer.
  const read = (numbers) => {
    let x = stacked(numbers.map((number, i) => embedded(get("src_embedding.weight"), number, i)));
    const weights = encoder.map((layer) => {
      const before = norms(x, layer, "norm_1");
      const [query, key, value] = ["q", "k", "v"].map((one) => through(before, layer, `attention.W_${one}`));
      const found = multiHeadAttention(query, key, value, heads);
      x = fed(add(x, through(found.context, layer, "attention.W_o")), layer, "norm_2");
      return found.weights;
    });
    return { memory: ends(x, "encoder"), weights };
  };

  return (words, most) => {
    const numbers = words.map((word) => numberOf(word, vocabularies.src));
    const { memory, weights: encoderWeights } = read(numbers);
    // Keys and values: of the memory once, of the words written one more at each step.
    const fixed = decoder.map((layer) =>
      ["k", "v"].map((one) => through(memory, layer, `cross_attention.W_${one}`)),
    );
    const kept = decoder.map(() => [[], []]);
    const rows = { decoder: [], cross: [] }; // of each step: layers × heads
    const [output, shares] = [[], []];
    let token = BOS;
    while (token !== EOS && output.length < most) {
      let x = embedded(get("tgt_embedding.weight"), token, output.length);
      const step = { decoder: [], cross: [] };
      decoder.forEach((layer, l) => {
        let before = norms(x, layer, "norm_1");
        kept[l].forEach((all, i) => all.push(through(before, layer, `attention.W_${"kv"[i]}`)));
        const query = through(before, layer, "attention.W_q");
        const own = multiHeadAttention(query, ...kept[l].map(stacked), heads);
        x = add(x, through(own.context, layer, "attention.W_o"));
        before = norms(x, layer, "norm_2");
        const cross = multiHeadAttention(through(before, layer, "cross_attention.W_q"), ...fixed[l], heads);
        x = fed(add(x, through(cross.context, layer, "cross_attention.W_o")), layer, "norm_3");
        step.decoder.push(own.weights.map(([one]) => one));
        step.cross.push(cross.weights.map(([one]) => one));
      });
      const logits = matVec(ofWords, ends(x, "decoder").data, get("output.bias"));
      const all = softmax([...logits]).weights;
      token = argmax(all);
      shares.push(all[token]);
      rows.decoder.push(step.decoder);
      rows.cross.push(step.cross);
      if (token !== EOS) output.push(vocabularies.tgt[token]);
    }
    const n = shares.length;
    const byLayer = (steps, width) =>
      decoder.map((_, l) =>
        Array.from({ length: heads }, (__, head) =>
          steps.map((step) => Array.from({ length: width }, (___, j) => step[l][head][j] ?? 0)),
        ),
      );
    return {
      output,
      finished: token === EOS,
      unknown: words.filter((_, i) => numbers[i] === UNKNOWN),
      shares,
      encoder: encoderWeights,
      decoder: byLayer(rows.decoder, n),
      cross: byLayer(rows.cross, words.length),
    };
  };
}
