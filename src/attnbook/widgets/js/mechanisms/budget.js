// What a model's attention keeps, moves and computes for the newest of `length` tokens: analysis/budget.py.

export const KINDS = {
  F: "full attention",
  W: "sliding window",
  C: "chosen tokens",
  L: "linear attention",
};

// Windows replace more and more layers of full attention: from the largest cache to the smallest.
export const THINNER = {
  "all full": "F",
  "1 window, 1 full": "WF",
  "3 windows, 1 full": "WWWF",
  "5 windows, 1 full": "WWWWWF",
  "all windows": "W",
};

const sum = (shape, length, of) =>
  [...layers(shape)].reduce((total, kind) => total + of(shape, kind, length), 0);

// The kind of every layer, one letter each.
export const layers = ({ pattern, n_layers: n }) => pattern.repeat(n).slice(0, n);

// Numbers that one layer keeps of one token.
export function keptPerToken(shape, kind) {
  if (kind === "L") return 0;
  const full = kind === "F";
  const heads = (full && shape.full_kv_heads) || shape.n_kv_heads;
  const size = (full && shape.full_head_size) || shape.head_size;
  const kept = shape.latent ? shape.latent + shape.rotary : 2 * heads * size;
  return kept + (kind === "C" ? shape.index_size : 0);
}

export const tokensKept = ({ window }, kind, length) =>
  ({ F: length, W: Math.min(length, window), C: length, L: 0 })[kind];

export const tokensRead = ({ window, chosen }, kind, length) =>
  ({ F: length, W: Math.min(length, window), C: Math.min(length, chosen), L: 0 })[kind];

export const layerCache = (shape, kind, length) =>
  ((kind === "L" ? shape.state : tokensKept(shape, kind, length) * keptPerToken(shape, kind)) * shape.bits) /
  8;

// Scores and weighted sums; of a linear layer three products with its state.
export function layerOperations(shape, kind, length) {
  if (kind === "L") return 6 * shape.state;
  const size = (kind === "F" && shape.full_head_size) || shape.head_size;
  const both = shape.latent ? 2 * shape.latent + shape.rotary : 2 * size;
  const index = kind === "C" ? 2 * shape.index_heads * shape.index_size * length : 0;
  return 2 * shape.n_heads * both * tokensRead(shape, kind, length) + index;
}

// Bytes read and written.
export function layerTraffic(shape, kind, length) {
  if (kind === "L") return (2 * shape.state * shape.bits) / 8;
  const index = kind === "C" ? shape.index_size : 0;
  const ofToken = keptPerToken(shape, kind) - index;
  return ((tokensRead(shape, kind, length) * ofToken + length * index) * shape.bits) / 8;
}

export const cacheBytes = (shape, length) => sum(shape, length, layerCache);
export const operations = (shape, length) => sum(shape, length, layerOperations);
export const trafficBytes = (shape, length) => sum(shape, length, layerTraffic);

// Operations of all tokens of a prompt, one after another.
export const promptOperations = (shape, length) => {
  const within = (most) => {
    const full = Math.min(most, length);
    return (full * (full + 1)) / 2 + (length - full) * full;
  };
  return sum(shape, length, (_, kind) => {
    const one = layerOperations(shape, kind, 1);
    if (kind === "L") return one * length;
    const index = kind === "C" ? 2 * shape.index_heads * shape.index_size : 0;
    const read = { F: length, W: shape.window, C: shape.chosen }[kind];
    return (one - index) * within(read) + index * within(length);
  });
};

// Tokens that can change what the last layer says of the newest one.
export const receptiveField = (shape, length) =>
  /[^W]/.test(layers(shape)) ? length : Math.min(length, 1 + shape.n_layers * (shape.window - 1));

// [name, bytes] of the shape with each of the patterns above.
export const patternSizes = (shape, length) =>
  Object.entries(THINNER).map(([name, pattern]) => [name, cacheBytes({ ...shape, pattern }, length)]);

// The name of the first pattern that needs at most so many bytes, or undefined.
export const fullestThatFits = (shape, length, capacity) =>
  patternSizes(shape, length).find(([, size]) => size <= capacity)?.[0];
