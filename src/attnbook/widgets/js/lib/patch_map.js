// A picture cut into patches: a pointer or the arrow keys choose one, and a table holds the numbers of all.

import { h, stop } from "./elements.js";

export const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export const named = (patch, columns) =>
  `row ${Math.floor(patch / columns) + 1}, column ${(patch % columns) + 1}`;

export const inRows = (all, columns) =>
  Array.from({ length: all.length / columns }, (_, y) => all.slice(y * columns, (y + 1) * columns));

// The outline of a patch in a grid of squares, each `size` wide.
export const outline = (patch, columns, size = 1) =>
  `M${(patch % columns) * size} ${Math.floor(patch / columns) * size}h${size}v${size}h-${size}z`;

// A grid of rows × columns squares, each `size` wide. at(): the patch that is chosen, or -1; choose(patch); most: the
// largest value of the slider; drawn: what is seen, the lowest first.
export function patchMap(view, { rows, columns, size = 1, label, most, at, choose }, ...drawn) {
  const inside = (x, y) => {
    const [column, row] = [
      [x, columns],
      [y, rows],
    ].map(([one, count]) => Math.max(0, Math.min(count - 1, Math.floor(one))));
    return row * columns + column;
  };
  const map = stop(
    h(
      ".patch-map",
      {
        role: "slider",
        "aria-label": label,
        "aria-valuemin": 0,
        "aria-valuemax": most,
        onclick({ clientX, clientY }) {
          const { left, top, width, height } = map.getBoundingClientRect();
          choose(inside(((clientX - left) / width) * columns, ((clientY - top) / height) * rows));
        },
        onkeydown(event) {
          const way = WAYS[event.key];
          if (!way || !view.held(map)) return;
          event.preventDefault();
          const from = at();
          choose(from < 0 ? 0 : inside((from % columns) + way[0], Math.floor(from / columns) + way[1]));
        },
      },
      h("svg", { viewBox: `0 0 ${columns * size} ${rows * size}`, "aria-hidden": true }, drawn),
    ),
    1,
  );
  return map;
}

// The table behind it, in a panel: its caption and cells, row by row; `across` and `down` stand before the numbers of
// columns and rows, `more` are rows beneath.
export function patchTable(rows, columns, { across = "", down = "" }, ...more) {
  const cells = Array.from({ length: rows * columns }, () => h("td"));
  const caption = h("caption");
  const panel = h(
    "details.panel",
    stop(h("summary", "The numbers")),
    h(
      "table.patch-numbers",
      caption,
      h(
        "thead",
        h(
          "tr",
          h("td"),
          Array.from({ length: columns }, (_, x) => h("th", { scope: "col" }, `${across}${x + 1}`)),
        ),
      ),
      h(
        "tbody",
        inRows(cells, columns).map((row, y) => h("tr", h("th", { scope: "row" }, `${down}${y + 1}`), row)),
        more,
      ),
    ),
  );
  return { panel, caption, cells };
}
