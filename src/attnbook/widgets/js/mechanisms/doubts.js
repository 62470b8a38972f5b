// What speaks against a translation: the sentences of widgets/translator_explorer.py.

import { percent } from "../lib/numbers.js";

const [BOS, EOS, UNKNOWN] = [1, 2, 3];
const UNSURE = 0.5;

const quoted = (words) => [...new Set(words)].map((word) => `“${word}”`).join(", ");

// The words of what a reader typed: marks at their ends are no part of them.
export const wordsOf = (text) =>
  text
    .split(/\s+/)
    .map((word) => word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}'’]+$/gu, "").replace(/’/g, "'"))
    .filter(Boolean);

// data/word_pairs.py packed -> the neighbours in `numbers` that never stood side by side in training.
function unseen({ pairs }, numbers, n) {
  const bits = atob(pairs);
  const around = [BOS, ...numbers, EOS];
  return around.slice(1).flatMap((second, i) => {
    const first = around[i];
    const place = first * n + second;
    const isKnown = bits.charCodeAt(place >> 3) & (128 >> (place % 8));
    return isKnown || first === UNKNOWN || second === UNKNOWN ? [] : [[first, second]];
  });
}

// `numbers` of the source words; what transformerTranslator returned -> a list of sentences.
export function doubts({ familiar, vocabularies: { src } }, numbers, { output, finished, unknown, shares }) {
  const said = [];
  const { shortest, longest } = familiar;
  if (unknown.length)
    said.push(
      `Not among the ${src.length - 4} words that it knows: ${quoted(unknown)}, read as <unk>, an unknown word.`,
    );
  const n = numbers.length;
  if (n < shortest || n > longest)
    said.push(
      `The sentence has ${n} word${n === 1 ? "" : "s"}; those that it was trained on had ${shortest} to ${longest}.`,
    );
  const never = unseen(familiar, numbers, src.length).map(([first, second]) => {
    if (first === BOS) return `“${src[second]}” at the beginning`;
    return second === EOS ? `“${src[first]}” at the end` : `“${src[first]} ${src[second]}”`;
  });
  if (never.length)
    said.push(
      `Unlike its training, where this never stood: ${never.slice(0, 3).join(", ")}${never.length > 3 ? `, and ${never.length - 3} more` : ""}.`,
    );
  const least = shares.indexOf(Math.min(...shares));
  if (shares[least] < UNSURE)
    said.push(
      `It is unsure of ${least === output.length ? "the end" : `“${output[least]}”`}: ${percent(shares[least])}.`,
    );
  if (!finished) said.push("It did not end by itself.");
  return said;
}
