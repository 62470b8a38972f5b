// SelfAttentionPlayground: words in the plane, each a query, a key and a value; three matrices to edit.

import {
  arrow,
  beside,
  button,
  compact,
  fixed,
  h,
  percent,
  plane,
  predictor,
  say,
  select,
  set,
  spot,
  stop,
  widget,
} from "./lib/base.js";
import { selfAttend } from "./mechanisms/self_attention.js";

const NAMES = ["w_q", "w_k", "w_v"];
const I = [
  [1, 0],
  [0, 1],
];
const same = { w_q: I, w_k: I, w_v: I };
// Words on a circle in their order: a query turned back by one step finds the key before it.
const circle = (n) => {
  const at = (i, size) =>
    [Math.cos, Math.sin].map((f) => +(size * f((2 * Math.PI * i) / (n + 1))).toFixed(2));
  const [c, s] = at(1, 3);
  return {
    w_v: I,
    x: Array.from({ length: n }, (_, i) => at(i, 1)),
    w_q: [
      [c, s],
      [-s, c],
    ],
    w_k: [
      [3, 0],
      [0, 3],
    ],
  };
};
const PRESETS = {
  identity: () => same,
  "W_Q swaps": () => ({
    ...same,
    w_q: [
      [0, 1],
      [1, 0],
    ],
  }),
  "W_Q turns round: the opposite": () => ({
    ...same,
    w_q: [
      [-1, 0],
      [0, -1],
    ],
  }),
  "W_Q zero: equal weights": () => ({
    ...same,
    w_q: [
      [0, 0],
      [0, 0],
    ],
  }),
  "a circle: look at the previous": circle,
};
const pair = (v) => `(${fixed(v[0])}, ${fixed(v[1])})`;

export function sentence(state) {
  const {
    tokens,
    cell: [i],
    causal,
    revealed,
  } = state;
  if (!revealed) return `The weights are hidden: predict which word “${tokens[i]}” looks at most, or skip.`;
  const { best, weights, context } = selfAttend(state).rows[i];
  const seen = causal ? i + 1 : tokens.length;
  return `“${tokens[i]}” looks most at “${tokens[best]}”, ${percent(weights[best])} of the ${seen} ${seen > 1 ? "words" : "word"} that it may see; its output is ${pair(context)}.`;
}

function build(view, body, tools) {
  const { change } = view;
  const now = () => view.state;
  const named = (i) => now().tokens[i];
  let [out, cells, marks, laid] = [];
  const pick = (i, j) =>
    change({ cell: [i, j], ...(i !== now().cell[0] && { prediction: null, score: null }) });

  // Where the words stand, and what the picked word makes of them.
  const words = plane(
    view,
    "The words x",
    () =>
      now().x.map((vector, index) => ({
        kind: "x",
        index,
        vector,
        name: `x of ${named(index)}`,
        label: named(index),
      })),
    (_, i, [right, up = 0]) => change({ x: now().x.map((old, j) => (i === j ? [right, up] : old)) }),
  );
  const asks = h("path.arrow query");
  const star = h("path.star", { d: "M0-9l3 6h6l-5 4l2 7l-6-4l-6 4l2-7l-5-4h6z" });
  const drawn = h("g");
  const caption = h("figcaption", "");
  const seen = h(
    "svg.plane",
    { viewBox: "-160 -160 320 320", role: "img" },
    h("g.grid", h("path", { d: "M0-160V160M-160 0H160", class: "ab-axis" })),
    drawn,
    asks,
    star,
  );
  const drawSeen = (i) => {
    const { query, key, rows } = out;
    const most = Math.max(0.1, ...[query[i], rows[i].context, ...key].flat().map(Math.abs)) * 1.3;
    const at = ([x, y]) => [(x / most) * 160, (-y / most) * 160];
    const label = (node, v) => {
      const [x, y] = at(v);
      beside(node, x, y);
      set(node, { transform: `translate(${spot(x, y)})` });
    };
    key.forEach((k, j) => {
      set(marks[j][0], {
        d: arrow(...at(k)),
        style: now().revealed && `stroke-width:${(1 + 6 * rows[i].weights[j]).toFixed(2)}`,
      });
      label(marks[j][1], k);
    });
    set(asks, { d: arrow(...at(query[i])) });
    label(star, rows[i].context);
    set(star, { visibility: now().revealed ? null : "hidden" });
    say(caption, `“${named(i)}”: query (thick), all keys, output (star)`);
    set(seen, { "aria-label": caption.textContent });
  };

  // The matrices.
  const boxes = NAMES.flatMap((name) =>
    [0, 1, 2, 3].map((k) => {
      const [r, c] = [k >> 1, k % 2];
      const input = stop(
        h("input", {
          type: "number",
          step: 0.1,
          "aria-label": `${name.toUpperCase()}, row ${r + 1}, column ${c + 1}`,
          onchange() {
            const a = input.valueAsNumber;
            const next = now()[name].map((row) => [...row]);
            if (Math.abs(a) <= 1000) next[r][c] = compact(a);
            else view.note("Expected −1000 to 1000: the number stays.");
            change({ [name]: next });
          },
        }),
        1,
      );
      return [
        input,
        () => {
          const a = now()[name][r][c];
          if (input.valueAsNumber !== a) input.value = a;
        },
      ];
    }),
  );
  const forms = NAMES.map((name, m) =>
    h(
      "fieldset",
      h("legend", name.toUpperCase()),
      boxes.slice(4 * m, 4 * m + 4).map(([input]) => input),
    ),
  );
  const presets = select([["", "choose"], ...Object.keys(PRESETS).map((name) => [name, name])], {
    onchange() {
      if (presets.value) change(PRESETS[presets.value](now().tokens.length));
      presets.value = "";
    },
  });
  const causal = stop(h("input", { type: "checkbox", onchange: () => change({ causal: causal.checked }) }));
  const scale = select(
    [
      ["sqrt", "÷ √2"],
      ["none", "× 1"],
      ["d", "÷ 2"],
    ],
    { onchange: () => change({ scale: scale.value }) },
  );
  tools.append(
    button("Shuffle the order", () => {
      const { tokens, x, cell } = now();
      const order = tokens
        .map((_, i) => [Math.random(), i])
        .sort()
        .map(([, i]) => i);
      const next = {
        tokens: order.map((i) => tokens[i]),
        x: order.map((i) => x[i]),
        cell: cell.map((i) => order.indexOf(i)),
        prediction: null,
        score: null,
      };
      const after = selfAttend({ ...now(), ...next });
      const off = Math.max(
        ...order.flatMap((i, at) =>
          after.rows[at].context.map((z, d) => Math.abs(z - out.rows[i].context[d])),
        ),
      );
      change(next);
      view.note(
        `Shuffled. Each word's output changed by at most ${fixed(off, 4)}: ${now().causal ? "the mask makes order count." : "nothing here knows the order."}`,
      );
    }),
  );

  // The table of weights, and the numbers.
  const grid = h("table.square", { role: "grid", "aria-label": "weights" });
  const figures = h("tbody");
  const head = (text, scope) => h("th", { scope }, text);
  const layRows = () => {
    const { tokens } = now();
    cells = tokens.map((_, i) =>
      tokens.map((__, j) =>
        stop(
          h("td", {
            "data-columns": tokens.length,
            onclick: () => pick(i, j),
            onkeydown: ({ key }) => /^(Enter| )$/.test(key) && pick(i, j),
          }),
        ),
      ),
    );
    grid.replaceChildren(
      h(
        "thead",
        h(
          "tr",
          h("td"),
          tokens.map((word) => head(h("span", word), "col")),
        ),
      ),
      h(
        "tbody",
        tokens.map((word, i) => h("tr", head(word, "row"), cells[i])),
      ),
    );
    figures.replaceChildren(
      ...tokens.map((word) =>
        h(
          "tr",
          head(word, "row"),
          [1, 2, 3, 4, 5].map(() => h("td")),
        ),
      ),
    );
    marks = tokens.map((word) => [h("path.arrow key"), h("text.name key", word)]);
    drawn.replaceChildren(...marks.flat());
    set(seen, { "data-many": tokens.length > 13 });
    words.build();
  };
  const details = (text, inside) =>
    h("details.panel", { ontoggle: view.redraw }, stop(h("summary", text)), inside);
  const steps = h("ol");
  const sums = details("", steps);
  const numbers = details(
    "The numbers",
    h(
      "table",
      h(
        "thead",
        h(
          "tr",
          ["word", "x", "query", "key", "value", "output"].map((name) => head(name, "col")),
        ),
      ),
      figures,
    ),
  );
  const drawSums = ([i, j]) => {
    const { query, key, value, rows } = out;
    const { factor, scores, scaled, exps, total, weights, context } = rows[i];
    const { x, causal: past } = now();
    const [a, b] = [query[i], key[j]];
    const masked = past && j > i;
    const turn = (name, k) =>
      `${name.toUpperCase()} x = (${now()
        [name].map((w) => `${fixed(w[0])}×${fixed(x[k][0])} + ${fixed(w[1])}×${fixed(x[k][1])}`)
        .join(", ")})`;
    steps.replaceChildren(
      ...[
        ["Query", `${turn("w_q", i)} = ${pair(a)}`],
        ["Key", `${turn("w_k", j)} = ${pair(b)}`],
        [
          "Score",
          `${fixed(a[0])}×${fixed(b[0])} + ${fixed(a[1])}×${fixed(b[1])} = ${fixed(scores[j], 3)}; times ${fixed(factor, 3)} = ${fixed(scaled[j], 3)}`,
        ],
        [
          "Weight",
          masked
            ? `“${named(j)}” comes later: masked, so its weight is 0`
            : `exp(${fixed(scaled[j], 3)} − ${fixed(rows[i].largest, 3)}) = ${fixed(exps[j], 4)}, ÷ ${fixed(total, 4)}, the sum of the row = ${fixed(weights[j], 4)}`,
        ],
        [
          "Output",
          `${weights.map((w, k) => `${fixed(w, 3)}×${pair(value[k])}`).join(" + ")} = ${pair(context)}`,
        ],
      ].map(([name, text]) => h("li", h("b", `${name}: `), text)),
    );
  };

  const row = () => out.rows[now().cell[0]];
  const guess = predictor(view, {
    ask: () => `Which word will “${named(now().cell[0])}” look at most, and with what share?`,
    options: () => now().tokens,
    outcome: () => [row().best, row().weights[row().best]],
    why() {
      const { scaled, best, weights } = row();
      const next = weights.reduce((top, w, j) => (j !== best && w && !(w <= weights[top]) ? j : top), -1);
      return next < 0
        ? "It may see no other word."
        : `Its scaled score leads “${named(next)}” by ${fixed(scaled[best] - scaled[next])}: ${fixed(weights[best] / weights[next], 1)} times its share.`;
    },
  });
  body.append(
    guess.panel,
    h(".planes", words.node, h("figure", caption, seen)),
    h(".row", forms),
    h(
      ".row",
      h("label", "matrices ", presets),
      h("label", "scores ", scale),
      h("label", causal, "causal: no later words"),
    ),
    h("p", "Weights in %, a row a query; choose a cell for its arithmetic."),
    h(".across", grid),
    sums,
    numbers,
  );

  return {
    sentence: () => sentence(now()),
    update() {
      const state = now();
      const { tokens, cell, revealed, x } = state;
      out = selfAttend(state);
      const layout = `${tokens}`;
      if (layout !== laid) {
        laid = layout;
        layRows();
      }
      guess.draw();
      words.draw();
      drawSeen(cell[0]);
      boxes.forEach(([, show]) => show());
      causal.checked = state.causal;
      scale.value = state.scale;
      cells.forEach((row, i) =>
        row.forEach((node, j) => {
          const w = out.rows[i].weights[j];
          const off = state.causal && j > i;
          say(node, off ? "–" : revealed ? `${Math.floor(w * 100 + 0.5)}` : "?");
          set(node, {
            style: revealed && `--w:${w.toFixed(3)}`,
            "aria-selected": `${i === cell[0] && j === cell[1]}`,
            "aria-label": `${tokens[i]} looks at ${tokens[j]}: ${off ? "masked" : revealed ? percent(w) : "hidden"}`,
            "data-off": off,
            "data-row": i === cell[0],
          });
        }),
      );
      sums.hidden = !revealed;
      say(sums.firstChild, `The arithmetic of “${named(cell[0])}” and “${named(cell[1])}”`);
      if (revealed && sums.open) drawSums(cell);
      if (numbers.open) {
        [...figures.children].forEach((row, i) =>
          [x[i], out.query[i], out.key[i], out.value[i], revealed ? out.rows[i].context : 0].forEach((v, c) =>
            say(row.children[c + 1], v ? pair(v) : "?"),
          ),
        );
      }
    },
  };
}

export default widget({ title: "Self-attention playground", build });
