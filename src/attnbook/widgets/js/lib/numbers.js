// Numbers as text.

// Numbers as the kernel writes them: a true minus sign, no sign on zero.
export function fixed(x, digits = 2) {
  const text = x.toFixed(digits);
  return +text ? text.replace("-", "−") : text.replace("-", "");
}

export const percent = (share) => `${Math.floor(share * 100 + 0.5)} %`;

export const compact = (x) => +x.toPrecision(7);

// How many of something, as values.py says it: "1 word", "2 words". `text`: the number as it is written.
export const countOf = (n, noun, text = n) => `${text} ${noun}${n === 1 ? "" : "s"}`;

// Numbers as they travel in base64, little-endian: float32, or half precision.
const bytesOf = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

export const unpack = (text) => new Float32Array(bytesOf(text));

export const unpackHalves = (text) => halves(new Uint16Array(bytesOf(text)));

// Half precision -> float32: sign, 5 bits of exponent, 10 of fraction.
export function halves(bits) {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
    return sign * (exponent ? 2 ** (exponent - 25) * (1024 + fraction) : 2 ** -24 * fraction);
  });
}
