// What each token attends to: every head as a small picture, one of them large, and its weights as a table.

import { fillShares, mean, overview } from "../heads/overview.js";
import { argmax, h, heat, percent, stop } from "../lib/base.js";

// -> {node, draw(numbers)}; numbers has weights (layers × heads × rows × columns, square) and tokens.
export function attention(view, [layers, perLayer]) {
  const { change } = view;
  const now = () => view.state;
  let [tokens, of, drawn] = [];
  const small = overview(layers, perLayer, change);
  const says = (i, j) =>
    j > i
      ? `“${tokens[i]}” comes before “${tokens[j]}” and cannot attend to it.`
      : `“${tokens[i]}” gives “${tokens[j]}” ${percent(of[i][j])}.`;
  const map = heat(view, says, (cell) => change({ cell }));
  const table = h("table.hx-shares");
  const panel = h(
    "details.panel",
    { ontoggle: view.redraw },
    stop(h("summary", "The weights, in %")),
    h(".hx-scroll", table),
  );
  return {
    node: h("", h(".hx-sides", small.node, map.node), panel),
    draw({ weights, tokens: words }) {
      const { head, view: which, cell } = now();
      const [layer, one] = head;
      tokens = words;
      of = which === "head" ? weights[layer][one] : mean(weights[layer]);
      // A slider moves sixty times a second, and the heads stay as they are.
      const shown = [weights, head, which, panel.open];
      const isSame = drawn?.every((part, i) => part === shown[i]);
      drawn = shown;
      if (!isSame) small.draw(weights, now());
      const name = `Layer ${layer + 1}, ${which === "head" ? `head ${one + 1}` : "mean of the heads"}: rows attend to columns`;
      const last = words.length - 1;
      const [i, j] = cell || [last, argmax(of[last])];
      map.draw({ name, rows: of }, words, words, [Math.min(i, last), Math.min(j, last)]);
      if (panel.open && !isSame) fillShares(table, name, of, words, words);
    },
  };
}
