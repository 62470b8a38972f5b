// A matrix of shares as a picture: one canvas, words beside it, a cell that a pointer or the arrow keys choose.

import { h, say, set, stop } from "./elements.js";

// One colour, shares as its opacity, so that the picture stands on a light and on a dark page. Below zero:
// another colour, and every second point, since colour alone says nothing to some.
export function paint(canvas, rows, signed) {
  const s = signed ? 4 : 1;
  const width = rows[0].length * s;
  Object.assign(canvas, { width, height: rows.length * s });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, canvas.height);
  const points = new Uint32Array(image.data.buffer);
  for (let at = 0; at < points.length; at += 1) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const w = rows[Math.floor(y / s)][Math.floor(x / s)];
    // Opacity, blue, green, red.
    if (w > 0 || (x + y) % 2) points[at] = ((Math.abs(w) * 255) << 24) | (w < 0 ? 0x0045b8 : 0xe08a3b);
  }
  context.putImageData(image, 0, 0);
}

// name(i, j): what a cell says; choose(cell): the reader chose it.
export function heat(view, name, choose) {
  const [title, across, down, canvas, mark, read] = [
    "figcaption",
    ".hx-x",
    ".hx-y",
    "canvas",
    ".hx-mark",
    "p.hx-read",
  ].map((one) => h(one));
  let [n, m, cell, laid] = [];
  const point = (to) => {
    cell = to;
    const [i, j] = cell;
    // Moved by its own size, which costs no layout.
    set(mark, { style: `transform:translate(${100 * j}%,${100 * i}%);width:${100 / m}%;height:${100 / n}%` });
    say(read, name(i, j));
    set(map, { "aria-valuenow": i * m + j, "aria-valuetext": read.textContent });
  };
  const inside = (i, j) =>
    [
      [i, n],
      [j, m],
    ].map(([x, size]) => Math.max(0, Math.min(size - 1, Math.floor(x))));
  const under = ({ clientX, clientY }) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    return inside(((clientY - top) / height) * n, ((clientX - left) / width) * m);
  };
  const map = stop(
    h(
      ".hx-map",
      {
        role: "slider",
        onpointermove: (event) => point(under(event)),
        onpointerleave: view.redraw,
        onclick: (event) => choose(under(event)),
        onkeydown({ key }) {
          const way = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].indexOf(key);
          if (way < 0 || !view.held(map)) return;
          // At once, not in the next frame: keys may come faster.
          point(inside(cell[0] + [0, 0, -1, 1][way], cell[1] + [-1, 1, 0, 0][way]));
          choose(cell);
        },
      },
      canvas,
      mark,
    ),
    1,
  );
  const grid = h(".hx-heat", across, down, map);
  return {
    node: h("figure", title, grid, read),
    draw({ name: text, rows, signed }, words, columns, at) {
      [n, m] = [rows.length, columns.length];
      const key = words + columns;
      if (key !== laid) {
        laid = key;
        [
          [down, words],
          [across, columns],
        ].forEach(([place, all]) => place.replaceChildren(...all.map((word) => h("span", word))));
        set(grid, { style: `--n:${Math.max(n, m)};--ratio:${m}/${n}` });
      }
      say(title, text);
      set(map, { "aria-label": text, "aria-valuemax": n * m - 1 });
      paint(canvas, rows, signed);
      point(at);
    },
  };
}
