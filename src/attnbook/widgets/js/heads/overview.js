// Every head of a model as a small picture in a table, and the weights of one of them in numbers.

import { button, fixed, h, paint, set } from "../lib/base.js";

// heads × rows × columns -> rows × columns
export const mean = (heads) =>
  heads[0].map((row, i) =>
    row.map((_, j) => heads.reduce((sum, head) => sum + head[i][j], 0) / heads.length),
  );

// choose(patch): the reader chose a head or the mean of a layer, as a change of the parts `head` and `view` of the state.
export function overview(layers, perLayer, choose) {
  const small = Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: perLayer + 1 }, (__, head) => {
      const canvas = h("canvas");
      const isMean = head === perLayer;
      const patch = isMean ? { head: [layer, 0], view: "mean" } : { head: [layer, head], view: "head" };
      const text = isMean ? "mean of the heads" : `head ${head + 1}`;
      const one = button([canvas, h("span", isMean ? "mean" : text)], () => choose(patch), {
        class: "ab-hx-small",
        "aria-label": `layer ${layer + 1}, ${text}`,
      });
      return { one, canvas, isMean };
    }),
  );
  return {
    node: h(
      "table.hx-heads",
      h("caption", "Every head; choose one"),
      h(
        "tbody",
        small.map((row, layer) =>
          h(
            "tr",
            h("th", { scope: "row" }, `layer ${layer + 1}`),
            row.map(({ one }) => h("td", one)),
          ),
        ),
      ),
    ),
    // weights: layers × heads × rows × columns.
    draw(weights, { head: [shown, which], view }) {
      small.forEach((all, layer) =>
        all.forEach(({ one, canvas, isMean }, i) => {
          paint(canvas, isMean ? mean(weights[layer]) : weights[layer][i]);
          const isOn = layer === shown && (isMean ? view === "mean" : view === "head" && i === which);
          set(one, { "aria-pressed": `${isOn}` });
        }),
      );
    },
  };
}

// The same numbers as a table, in %.
export const fillShares = (table, caption, of, rows, columns) =>
  table.replaceChildren(
    h("caption", caption),
    h(
      "thead",
      h(
        "tr",
        h("td"),
        columns.map((word) => h("th", { scope: "col" }, word)),
      ),
    ),
    h(
      "tbody",
      rows.map((word, r) =>
        h(
          "tr",
          h("th", { scope: "row" }, word),
          of[r].map((w) => h("td", fixed(100 * w, 1))),
        ),
      ),
    ),
  );
