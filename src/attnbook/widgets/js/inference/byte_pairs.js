// Byte-pair encoding, as attnbook/data/byte_pairs.py: tokens 0 to 255 are bytes, token 256 + i joins merges[i].

// A word, a number or punctuation, each with the space before it, or white space; bytes are read as characters 0 to 255.
const PIECE = " ?[A-Za-z\\x80-\\xff]+| ?[0-9]+| ?[^ \\t\\r\\nA-Za-z0-9\\x80-\\xff]+|[ \\t\\r\\n]+";
const N_BYTES = 256;

// Every occurrence of the pair, from the left, replaced by the token `next`.
function joined(tokens, [left, right], next) {
  const out = [];
  for (const token of tokens) {
    if (out.at(-1) === left && token === right) out[out.length - 1] = next;
    else out.push(token);
  }
  return out;
}

// merges (pairs of numbers) -> {encode(text), decode(numbers), visible(number), size}.
export function bytePairs(merges) {
  const bytes = Array.from({ length: N_BYTES }, (_, byte) => [byte]);
  const numbers = new Map();
  for (const [left, right] of merges) {
    numbers.set(`${left},${right}`, bytes.length);
    bytes.push([...bytes[left], ...bytes[right]]);
  }
  const encodePiece = (piece) => {
    let tokens = [...piece].map((character) => character.charCodeAt(0));
    for (;;) {
      // The pair that was learned first.
      const found = tokens.slice(1).map((token, i) => numbers.get(`${tokens[i]},${token}`) ?? Infinity);
      const first = Math.min(...found);
      if (first === Infinity) return tokens;
      tokens = joined(tokens, merges[first - N_BYTES], first);
    }
  };
  const read = (list, fatal) =>
    new TextDecoder("utf-8", { fatal, ignoreBOM: true }).decode(Uint8Array.from(list));
  return {
    size: bytes.length,
    encode(text) {
      const asCharacters = Array.from(new TextEncoder().encode(text), (byte) =>
        String.fromCharCode(byte),
      ).join("");
      return (asCharacters.match(new RegExp(PIECE, "g")) || []).flatMap(encodePiece);
    },
    // Bytes that make no whole character are shown as �.
    decode: (list) => read(list.flatMap((number) => bytes[number])),
    // A token as a reader sees it: spaces as ␣, line breaks as ↵, bytes that are no whole character or no sign as \x00.
    visible(number) {
      const hex = (byte) => `\\x${byte.toString(16).padStart(2, "0")}`;
      try {
        return read(bytes[number], true)
          .replace(/ /g, "␣")
          .replace(/\n/g, "↵")
          .replace(/[\p{Cc}\xad]/gu, (sign) => hex(sign.charCodeAt(0)));
      } catch {
        return bytes[number].map(hex).join("");
      }
    },
  };
}
