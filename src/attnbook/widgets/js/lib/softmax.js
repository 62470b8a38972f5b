// The one softmax of the widgets.

// scores (n) -> weights, and the steps to them: `largest` is subtracted first, so that exp cannot overflow
// (weights do not change); `exps` are divided by their sum, `total`. `allowed` (n booleans) or a score of minus
// infinity leave an entry out; where everything is left out, all weights are 0.
export function softmax(scores, allowed) {
  const kept = allowed ? scores.map((score, i) => (allowed[i] ? score : -Infinity)) : scores;
  const largest = kept.reduce((most, score) => Math.max(most, score), -Infinity);
  const exps = kept.map((score) => (score === -Infinity ? 0 : Math.exp(score - largest)));
  const total = exps.reduce((sum, exp) => sum + exp, 0);
  const weights = exps.map((exp) => (total ? exp / total : 0));
  return { largest: largest === -Infinity ? 0 : largest, exps, total, weights };
}

// The index of the largest number that is allowed, or -1; the first of equals, as torch.argmax.
export const argmax = (numbers, allowed) =>
  numbers.reduce(
    (best, number, i) => ((!allowed || allowed[i]) && !(number <= numbers[best]) ? i : best),
    -1,
  );
