// What the heads of words and of translations share: small pictures of all heads, one or two of them large, and the
// table behind those.

import { button, fixed, h, heat, paint, say, select, set, stop } from "../lib/base.js";
import { each, sum } from "../mechanisms/word_model.js";

const VIEWS = {
  one: "One head",
  compare: "Two heads",
  difference: "Difference",
  average: "Mean of a layer",
};

export const best = (row) => row.indexOf(Math.max(...row));
export const isSame = (a, b) => a[0] === b[0] && a[1] === b[1];
export const label = ([layer, head]) => `${layer + 1}.${head + 1}`;
export const longLabel = ([layer, head]) => `Layer ${layer + 1}, head ${head + 1}`;
export const amount = (weight, signed) => `${fixed(100 * weight, 1)} ${signed ? "points" : "%"}`;

const mean = (matrices) =>
  matrices[0].map((row, i) => row.map((_, j) => sum(matrices.map((one) => one[i][j])) / matrices.length));

// What stands large, one or two: {name, rows, signed}.
export function pictures({ view, head, other }, { weights }) {
  const [first, second] = [head, other].map((one) => ({
    name: longLabel(one),
    rows: weights[one[0]][one[1]],
  }));
  if (view === "average") {
    return [{ name: `Layer ${head[0] + 1}, mean of its heads`, rows: mean(weights[head[0]]) }];
  }
  if (view === "difference") {
    const rows = first.rows.map((row, i) => row.map((weight, j) => weight - second.rows[i][j]));
    return [{ name: `${first.name} minus ${second.name}`, rows, signed: true }];
  }
  return view === "compare" ? [first, second] : [first];
}

// Where the largest weight of a row is, or the largest difference, and that number.
export function largest(row) {
  const at = best(row.map(Math.abs));
  return [at, row[at]];
}

export const folded = (view, text, inside) =>
  h("details.panel", { ontoggle: view.redraw }, stop(h("summary", text)), inside);

export const columnHead = (text) => h("th", { scope: "col" }, text);
export const rowHead = (text) => h("th", { scope: "row" }, text);

export const allHeads = ([n_layers, n_heads]) =>
  each(n_layers * n_heads, (i) => [Math.floor(i / n_heads), i % n_heads]);

// Every head as a small picture. pick(patch): the reader chose a head; more(head, columns): what stands under it.
export function gallery(view, sizes, { pick, more, columns = sizes[1] }) {
  const caption = h("caption", "All heads");
  const isShown = (one) => {
    const { view: look, head, other } = view.state;
    if (look === "average") return one[0] === head[0];
    return isSame(one, head) || (look !== "one" && isSame(one, other));
  };
  const small = allHeads(sizes).map((one) => {
    const [canvas, text] = [h("canvas"), h("span")];
    const choose = () =>
      pick({ head: one, ...(isSame(one, view.state.other) && { other: view.state.head }) });
    const show = button([canvas, text], choose, { class: "ab-hx-small", "data-columns": columns });
    return { one, canvas, text, show, cell: h("td", show, more?.(one)) };
  });
  const line = (layer) =>
    h(
      "tr",
      rowHead(`layer ${layer + 1}`),
      small.filter(({ one }) => one[0] === layer).map(({ cell }) => cell),
    );
  return {
    caption,
    isShown,
    node: h("table.hx-heads", caption, h("tbody", each(sizes[0], line))),
    // roleOf(head): what stands beside its number; isOff(head): whether it is switched off.
    draw(weights, roleOf, isOff) {
      for (const { one, canvas, text, show } of small) {
        const role = roleOf?.(one);
        paint(canvas, weights[one[0]][one[1]]);
        say(text, label(one) + (role ? ` ${role}` : ""));
        set(show, {
          "data-off": isOff?.(one),
          "aria-pressed": `${isShown(one)}`,
          "aria-label": `${text.textContent}: ${longLabel(one)}`,
        });
      }
    },
  };
}

// One or two large pictures and the table behind them. choose(cell): the reader chose it.
export function closeUp(view, sizes, choose) {
  const { change } = view;
  let [out, shown, tabled] = [null, [], ""];
  const views = Object.entries(VIEWS).map(([name, text]) =>
    button(text, () => change({ view: name }), { role: "radio", "data-view": name }),
  );
  const heads = allHeads(sizes);
  const other = select(
    heads.map((one, i) => [i, label(one)]),
    { onchange: () => change({ other: heads[other.value] }) },
  );
  const withOther = h("label", "and head ", other);
  const describe = (picture) => (r, c) => {
    const { rows, signed } = shown[picture];
    return `“${out.words[r]}” at “${out.columns[c]}”: ${amount(rows[r][c], signed)}`;
  };
  const large = [0, 1].map((picture) => heat(view, describe(picture), choose));
  const behind = h(".hx-scroll");
  const numbers = folded(view, "The numbers", behind);
  const table = ({ name, rows }) =>
    h(
      "table.hx-shares",
      h("caption", `${name}, in %`),
      h("thead", h("tr", h("td"), out.columns.map(columnHead))),
      h(
        "tbody",
        rows.map((row, r) =>
          h(
            "tr",
            rowHead(out.words[r]),
            row.map((weight) => stop(h("td", { "data-columns": row.length }, fixed(100 * weight, 0)))),
          ),
        ),
      ),
    );
  return {
    numbers,
    node: h(
      "",
      h(".row", h(".modes", { role: "radiogroup", "aria-label": "view" }, views), withOther),
      h(
        ".hx-pair",
        large.map(({ node }) => node),
      ),
    ),
    draw(now, pictured, mark) {
      [out, shown] = [now, pictured];
      const { view: look, other: second } = view.state;
      other.value = heads.findIndex((one) => isSame(one, second));
      withOther.hidden = look !== "compare" && look !== "difference";
      for (const one of views) set(one, { "aria-checked": `${one.dataset.view === look}` });
      large.forEach(({ node, draw }, i) => {
        node.hidden = !shown[i];
        if (shown[i]) draw(shown[i], out.words, out.columns, mark);
      });
      const key = out.key + shown.map(({ name }) => name);
      if (!numbers.open || key === tabled) return;
      tabled = key;
      behind.replaceChildren(...shown.map(table));
    },
  };
}
