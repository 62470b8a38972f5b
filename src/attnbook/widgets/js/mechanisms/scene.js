// Scenes of two digits: the picture, its right caption (attnbook/data/scenes.py), and weights over its places.

export const SIDE = 8; // of a digit's image, in pixels
export const CANVAS = 24;
export const CELLS = CANVAS / 2; // an annotation stands for 2 × 2 pixels
const CLEAR = 3; // pixels by which one offset is larger than the other

// Images of the digits as they travel: a byte a pixel.
export const imagesOf = (text) => {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return Array.from({ length: bytes.length / SIDE ** 2 }, (_, i) =>
    Float32Array.from(bytes.subarray(i * SIDE ** 2, (i + 1) * SIDE ** 2), (x) => x / 255),
  );
};

// The scene as a tensor (1, 24, 24): the darker of both digits where they overlap.
export function sceneOf(images, pair, corners) {
  const data = new Float32Array(CANVAS ** 2);
  pair.forEach((number, k) => {
    const [top, left] = corners[k];
    images[number].forEach((ink, i) => {
      const at = (top + Math.floor(i / SIDE)) * CANVAS + left + (i % SIDE);
      data[at] = Math.max(data[at], ink);
    });
  });
  return { shape: [1, CANVAS, CANVAS], data };
}

// The one right caption, as words; null where the boxes overlap, or neither direction is plainly the larger.
export function rightCaption(labels, [one, other]) {
  const [down, right] = [other[0] - one[0], other[1] - one[1]];
  const [tall, wide] = [Math.abs(down), Math.abs(right)];
  if (Math.max(tall, wide) < SIDE || Math.abs(tall - wide) < CLEAR) return null;
  const between = tall > wide ? ["above"] : ["left", "of"];
  const [first, second] = (tall > wide ? down : right) > 0 ? labels : [labels[1], labels[0]];
  return ["a", first, ...between, "a", second];
}

// Is a place among the 3 × 3 around another one?
export const isNear = (place, centre) =>
  Math.abs(Math.floor(place / CELLS) - Math.floor(centre / CELLS)) <= 1 &&
  Math.abs((place % CELLS) - (centre % CELLS)) <= 1;

// How much of the weight lies in the 8 × 8 pixels around a pixel.
export function inside(weights, [row, column]) {
  const [top, left] = [Math.floor((row - 3) / 2), Math.floor((column - 3) / 2)];
  return weights.reduce((sum, weight, i) => {
    const [down, right] = [Math.floor(i / CELLS) - top, (i % CELLS) - left];
    return down >= 0 && down < 4 && right >= 0 && right < 4 ? sum + weight : sum;
  }, 0);
}

// How much of the weight lies on a digit whose corner is given: of a place that it covers in part, that part.
export function onDigit(weights, [top, left]) {
  const covered = (from, place) =>
    Math.max(0, Math.min(from + SIDE, 2 * place + 2) - Math.max(from, 2 * place)) / 2;
  return weights.reduce(
    (sum, weight, i) => sum + weight * covered(top, Math.floor(i / CELLS)) * covered(left, i % CELLS),
    0,
  );
}

const THIRDS = [
  ["upper left", "top", "upper right"],
  ["left", "middle", "right"],
  ["lower left", "bottom", "lower right"],
];

// Where in the scene a place lies, in words.
export const third = (place) =>
  THIRDS[Math.floor((3 * Math.floor(place / CELLS)) / CELLS)][Math.floor((3 * (place % CELLS)) / CELLS)];
