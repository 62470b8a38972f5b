// Numbers as text.

// Numbers as the kernel writes them: a true minus sign, no sign on zero.
export function fixed(x, digits = 2) {
  const text = x.toFixed(digits);
  return +text ? text.replace("-", "−") : text.replace("-", "");
}

export const percent = (share) => `${Math.floor(share * 100 + 0.5)} %`;

export const compact = (x) => +x.toPrecision(7);
