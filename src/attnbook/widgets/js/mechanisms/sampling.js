// From logits to the odds that a token is drawn with: attnbook/nn/sampling.py.

import { argmax, softmax } from "../lib/softmax.js";
import { generator } from "./mulberry32.js";

// The numbers of the tokens, the likeliest first; of equals the smaller number first.
export const ranked = (logits) =>
  Array.from(logits, (_, i) => i).sort((a, b) => logits[b] - logits[a] || a - b);

// Divided by the temperature (0: all to the likeliest), the topK likeliest kept and those that tie with the last of them,
// of those the fewest that hold topP.
export function odds(logits, { temperature, top_k: topK, top_p: topP }) {
  const scores = Array.from(logits);
  if (temperature === 0) return scores.map((_, i) => +(i === argmax(scores)));
  const all = ranked(scores);
  const least = scores[all[Math.min(topK, all.length) - 1]];
  const order = all.filter((i) => scores[i] >= least);
  const shares = softmax(order.map((i) => scores[i] / temperature)).weights;
  let before = 0;
  const kept = shares.map((share) => {
    const stays = before < topP;
    before += share;
    return stays ? share : 0;
  });
  const total = kept.reduce((sum, share) => sum + share, 0);
  const out = scores.map(() => 0);
  order.forEach((i, rank) => {
    out[i] = kept[rank] / total;
  });
  return out;
}

// The token at which the odds, added up in the order of their numbers, pass a random number from 0 to 1.
export function drawn(all, random) {
  let [sum, last] = [0, 0];
  for (let i = 0; i < all.length; i += 1) {
    if (!all[i]) continue;
    sum += all[i];
    last = i;
    if (random < sum) break;
  }
  return last;
}

// The i-th random number of a seed, whatever was drawn before.
export const chance = (seed, i) => generator((seed + Math.imul(i, 0x6d2b79f5)) | 0)();
