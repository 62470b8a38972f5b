// A recurrent translator (attnbook/nn/seq2seq.py) that writes greedily: with additive attention or one fixed vector.

import { argmax, softmax } from "../lib/softmax.js";
import { add, concat, gruStep, matVec, part, row, tensor } from "./tensors.js";

const [BOS, EOS, UNKNOWN] = [1, 2, 3];

// The number of a word in a vocabulary, as it is typed, in small letters or with a capital; else that of <unk>.
export function numberOf(word, vocabulary) {
  const small = word.toLowerCase();
  const capital = small.slice(0, 1).toUpperCase() + small.slice(1);
  for (const form of [word, small, capital]) {
    const number = vocabulary.indexOf(form);
    if (number > UNKNOWN) return number;
  }
  return UNKNOWN;
}

// Of each of the pairs that lie side by side the larger one.
const maxout = (pairs) =>
  Float32Array.from({ length: pairs.length / 2 }, (_, i) => Math.max(pairs[2 * i], pairs[2 * i + 1]));

// What models.load has loaded -> translate(words, most), which returns
//   output      the words that it writes, at most `most`;
//   finished    whether it ended by itself;
//   unknown     the source words that it read as <unk>;
//   weights     rows over the source words, one a word written; with them query (W s), key (U h) and v, of which
//               v · tanh(query + key) are the scores. Without attention none of the four.
export function translator({ configuration, vocabularies: { src, tgt }, tensors }) {
  const { attention, unit, query: asks, alignment } = configuration;
  if (unit !== "gru" || asks !== "previous" || alignment !== "global" || !/^(none|additive)$/.test(attention))
    throw Error(`a ${unit} with ${alignment} ${attention} attention does not run in the page`);
  const cell = part(tensors, "decoder.rnn");
  const get = (name) => tensors.get(name);
  const read = (words, ending) => {
    const unit = part(tensors, "encoder.rnn", ending);
    let h = new Float32Array(unit.weight_hh.shape[1]);
    return words.map((word) => {
      h = gruStep(word, h, unit);
      return h;
    });
  };
  return (words, most) => {
    const numbers = words.map((word) => numberOf(word, src));
    const vectors = numbers.map((number) => row(get("encoder.embedding.weight"), number));
    const forward = read(vectors, "_l0");
    const backward = read([...vectors].reverse(), "_l0_reverse").reverse();
    const memory = forward.map((h, j) => concat(h, backward[j])); // one annotation a source word
    const fixed = concat(forward.at(-1), backward[0]);
    const score = attention === "additive" ? part(tensors, "decoder.attention.score") : null;
    const key = score && memory.map((h) => matVec(score["U.weight"], h));
    const v = score?.["v.weight"].data;
    let hidden = matVec(get("bridge.weight"), backward[0], get("bridge.bias")).map(Math.tanh);
    let token = BOS;
    const [output, query, weights] = [[], [], []];
    for (let step = 0; step <= most; step += 1) {
      let [context, asked, shares] = [fixed];
      if (score) {
        asked = matVec(score["W.weight"], hidden);
        const scores = key.map((k) => v.reduce((sum, x, i) => sum + x * Math.tanh(asked[i] + k[i]), 0));
        shares = softmax(scores).weights;
        context = memory.reduce(
          (sum, h, j) =>
            add(
              sum,
              h.map((x) => x * shares[j]),
            ),
          tensor([fixed.length]).data,
        );
      }
      const word = row(get("decoder.embedding.weight"), token);
      hidden = gruStep(concat(word, context), hidden, cell);
      const deep = matVec(
        get("decoder.deep.weight"),
        concat(hidden, word, context),
        get("decoder.deep.bias"),
      );
      token = argmax(matVec(get("decoder.output.weight"), maxout(deep), get("decoder.output.bias")));
      if (token === EOS || output.length === most) break;
      output.push(tgt[token]);
      if (score) {
        query.push([...asked]);
        weights.push(shares);
      }
    }
    const unknown = words.filter((_, i) => numbers[i] === UNKNOWN);
    const found = { output, finished: token === EOS, unknown };
    return score ? { ...found, weights, query, key: key.map((k) => [...k]), v: [...v] } : found;
  };
}
