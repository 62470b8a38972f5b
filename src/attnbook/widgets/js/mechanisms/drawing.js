// A drawing of 32 × 32 points, black or white, one whole number a row with the leftmost point as its highest bit.

export const SIDE = 32;
export const empty = () => Array(SIDE).fill(0);
export const isBlack = (rows, y, x) => (rows[y] >>> (SIDE - 1 - x)) & 1;

const RADIUS = 1.7; // of the pen: strokes are as wide as those of scikit-learn's digits

// The drawing with a straight stroke of the pen from one place [x, y] to another, in points from the upper left corner.
export function stroke(rows, [fromX, fromY], [toX, toY]) {
  const next = [...rows];
  const steps = Math.ceil(2 * Math.hypot(toX - fromX, toY - fromY)) || 1;
  for (let step = 0; step <= steps; step += 1) {
    const [cx, cy] = [fromX + ((toX - fromX) * step) / steps, fromY + ((toY - fromY) * step) / steps];
    for (let y = Math.max(0, Math.floor(cy - 2)); y <= Math.min(SIDE - 1, cy + 2); y += 1)
      for (let x = Math.max(0, Math.floor(cx - 2)); x <= Math.min(SIDE - 1, cx + 2); x += 1)
        if (Math.hypot(x + 0.5 - cx, y + 0.5 - cy) <= RADIUS)
          next[y] = (next[y] | (1 << (SIDE - 1 - x))) >>> 0;
  }
  return next;
}

// How far the ink has to move so that its frame stands in the middle, in whole points: [down, right].
function toMiddle(rows) {
  const inked = rows.flatMap((row, y) => (row ? [y] : []));
  if (!inked.length) return [0, 0];
  const all = rows.reduce((a, b) => (a | b) >>> 0, 0);
  const columns = Array.from({ length: SIDE }, (_, x) => x).filter((x) => (all >>> (SIDE - 1 - x)) & 1);
  return [inked, columns].map((places) => Math.floor((SIDE - 1 - places[0] - places.at(-1)) / 2));
}

// The picture that the model reads: the ink is moved to the middle, and the black points of each square are counted.
// side² whole numbers, row by row, from 0 to (32 / side)².
export function counted(rows, side) {
  const size = SIDE / side;
  const [down, right] = toMiddle(rows);
  const picture = Array(side ** 2).fill(0);
  for (let y = 0; y < SIDE; y += 1)
    for (let x = 0; x < SIDE; x += 1)
      if (isBlack(rows, y, x))
        picture[Math.floor((y + down) / size) * side + Math.floor((x + right) / size)] += 1;
  return picture;
}
