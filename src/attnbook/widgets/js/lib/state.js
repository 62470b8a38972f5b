// Is this state what the widget's declaration says? The declaration comes with the model; widgets/state.py wrote it,
// and the kernel checks from the same.

import { countOf } from "./numbers.js";

const isWhole = (x, low, high) => Number.isInteger(x) && x >= low && x <= high;

const isNumber = (x, { low = -Infinity, high = Infinity }) =>
  typeof x === "number" && Number.isFinite(x) && x >= low && x <= high;

const isList = (x, length, isEntry) =>
  Array.isArray(x) && (length == null || x.length === length) && x.every(isEntry);

const range = ({ low, high }) => (low == null ? "" : ` from ${low} to ${high}`);

const many = (length, noun) => (length == null ? `several ${noun}s` : countOf(length, noun));

// One entry a kind of part: (field, size) -> [what is expected, whether a value is it]. `size` makes a number of a
// size, which is a number or the name of another part.
const KINDS = {
  absent: () => ["null", (x) => x === null],
  boolean: () => ["true or false", (x) => typeof x === "boolean"],
  number: (field) => [`a finite number${range(field)}`, (x) => isNumber(x, field)],
  integer({ low, high }, size) {
    const [least, most] = [size(low), size(high) ?? Infinity];
    return [`a whole number from ${least} to ${most}`, (x) => isWhole(x, least, most)];
  },
  index({ of }, size) {
    const last = size(of) - 1;
    return [`a whole number from 0 to ${last}`, (x) => isWhole(x, 0, last)];
  },
  choice: ({ options }) => [`one of ${options.join(", ")}`, (x) => options.includes(x)],
  text: ({ most }) => [
    `1 to ${most} characters`,
    (x) => typeof x === "string" && x !== "" && [...x].length <= most && !/\p{Cs}/u.test(x),
  ],
  words({ length, most = Infinity }, size) {
    const n = size(length);
    const isWord = (x) => typeof x === "string" && x.trim() !== "";
    return [many(n, "word"), (x) => isList(x, n, isWord) && x.length > 0 && x.length <= most];
  },
  booleans({ length }, size) {
    const n = size(length);
    return [`${many(n, "time")} true or false`, (x) => isList(x, n, (one) => typeof one === "boolean")];
  },
  vector(field, size) {
    const n = size(field.length);
    return [
      `${many(n, "number")}${range(field)}`,
      (x) => isList(x, n, (one) => isNumber(one, field)) && x.length > 0,
    ];
  },
  matrix(field, size) {
    const [n, columns] = [size(field.rows), size(field.columns)];
    const isRow = (row, _, rows) =>
      isList(row, columns ?? rows[0].length, (one) => isNumber(one, field)) && row.length > 0;
    const fits = (x) => x.length > 0 && x.length <= (field.most_rows ?? Infinity);
    return [
      `${many(n, "row")} of ${many(columns, "number")}${range(field)}`,
      (x) => isList(x, n, isRow) && fits(x),
    ];
  },
  pair({ rows, columns }, size) {
    const [n, m] = [size(rows), size(columns)];
    const isPair = (x) =>
      isList(x, 2, Number.isInteger) && isWhole(x[0], 0, n - 1) && isWhole(x[1], 0, m - 1);
    return [`two whole numbers below ${n} and ${m}`, isPair];
  },
  subset({ of, most = Infinity }, size) {
    const n = size(of);
    const isSubset = (x) =>
      isList(x, null, (one) => isWhole(one, 0, n - 1)) && new Set(x).size === x.length && x.length <= most;
    return [`different numbers below ${n}`, isSubset];
  },
  each: ({ parts }, size) => [
    `a list of ${parts.length}`,
    (x) => isList(x, parts.length, (one, i) => !fault(parts[i], one, size)),
  ],
  listing({ of, length, least = 0, most = Infinity }, size) {
    const n = size(length);
    const fits = (x) => x.length >= least && x.length <= most;
    return [`a list of ${n ?? "several"}`, (x) => isList(x, n, (one) => !fault(of, one, size)) && fits(x)];
  },
  record: ({ parts }, size) => [
    Object.keys(parts).join(", "),
    (x) =>
      x !== null &&
      typeof x === "object" &&
      Object.keys(parts).every((name) => !fault(parts[name], x[name], size)),
  ],
};

// What was expected, or "" where the value is it.
function fault(field, value, size) {
  if (value == null && field.optional) return "";
  const [expected, isRight] = KINDS[field.kind](field, size);
  return isRight(value) ? "" : expected;
}

// declaration: {name: field}; sizes() makes the sizes that are no part of the state. Returns "" or one sentence
// without its full stop.
export function checkState(declaration, state, sizes) {
  if (state === null || typeof state !== "object") return "it holds no state";
  const size = (of) => {
    if (typeof of !== "string") return of;
    const known = of in declaration ? state[of] : sizes()[of];
    return typeof known === "number" ? known : known.length;
  };
  for (const [name, field] of Object.entries(declaration)) {
    const expected = fault(field, state[name], size);
    if (expected) return `${name} is not ${expected}`;
  }
  return "";
}
