// HeadExplorer: every head of a small model, what it looks at, and what is lost without it.

import { unpack } from "./mechanisms/alignment.js";
import { button, fixed, h, percent, say, select, set, softmax, stop, widget } from "./lib/base.js";
import { heat, paint } from "./lib/heat.js";
import { dot, each, reader, sum } from "./mechanisms/word_model.js";

export { VIEWS, amount, best, find, label, pictures, reader, same };

const VIEWS = [
  ["one", "One head"],
  ["compare", "Two heads"],
  ["difference", "Difference"],
  ["average", "Mean of a layer"],
];

const ASK = "Match each head with its role, or skip.";

const best = (row) => row.indexOf(Math.max(...row));
const same = (a, b) => `${a}` === `${b}`;
const find = (all, one) => all.findIndex((other) => same(other, one));
const label = ([l, g]) => `${l + 1}.${g + 1}`;
const long = ([l, g]) => `Layer ${l + 1}, head ${g + 1}`;
const twice = (text) => [text, text];

// Numbers unpacked once, and the last run.
const opened = new WeakMap();
function open(content) {
  if (!opened.has(content)) {
    const {
      sentences: [rows],
      sizes: [n_layers, n_heads],
      weights,
      outputs,
      model,
    } = content;
    const nest = (text) => {
      const flat = unpack(text);
      const width = flat.length / n_layers / n_heads / rows.length;
      return each(n_layers, (l) =>
        each(n_heads, (g) =>
          each(rows.length, (r) => {
            const at = ((l * n_heads + g) * rows.length + r) * width;
            return [...flat.subarray(at, at + width)];
          }),
        ),
      );
    };
    opened.set(
      content,
      model
        ? { read: reader(model) }
        : { given: { weights: nest(weights), outputs: outputs && nest(outputs) } },
    );
  }
  return opened.get(content);
}

// What head_explorer.py's _run computes.
export function run(content, { tokens, ask, ablated, ablation }) {
  const parts = open(content);
  const { model, src } = content;
  const key = `${[tokens, ask, ablated, ablation]}`;
  if (parts.key !== key) {
    const out = { key, words: tokens, columns: src || tokens, ...parts.given };
    if (model) {
      const { mask, vocabulary } = model;
      if (mask) out.words = out.columns = tokens.map((word, i) => (i === ask ? mask : word));
      const numbers = out.words.map((word) => vocabulary.indexOf(word));
      const before = (parts[numbers] ||= parts.read(numbers, [])); // the whole model, once a sentence
      const after = ablated.length ? parts.read(numbers, ablated, ablation) : before;
      Object.assign(out, after);
      if (ask !== null) {
        out.shares = [before, after].map(({ logits }) => softmax(logits(ask)).weights);
        out.truth = vocabulary.indexOf(tokens[mask ? ask : ask + 1]);
      }
    }
    Object.assign(parts, { key, out });
  }
  return parts.out;
}

const mean = (heads) =>
  heads[0].map((row, i) => row.map((_, j) => sum(heads.map((one) => one[i][j])) / heads.length));
const rowOf = ({ cell, ask }) => (cell ? cell[0] : ask || 0);
const amount = (w, signed) => `${fixed(100 * w, 1)} ${signed ? "points" : "%"}`;

// What stands large, one or two: [name, rows, signed].
function pictures({ view, head, other }, { weights }) {
  const two = [head, other].map((one) => [long(one), weights[one[0]][one[1]]]);
  if (view === "average") return [[`Layer ${head[0] + 1}, mean of its heads`, mean(weights[head[0]])]];
  if (view === "difference")
    return [
      [
        `${long(head)} minus ${long(other)}`,
        two[0][1].map((row, i) => row.map((w, j) => w - two[1][1][i][j])),
        1,
      ],
    ];
  return two.slice(0, view === "compare" ? 2 : 1);
}

export function sentence(state, content) {
  const out = run(content, state);
  const row = rowOf(state);
  const off = state.ablated.length;
  const text = [
    ...(state.revealed ? [] : [ASK]),
    ...pictures(state, out).map(([name, rows, signed]) => {
      const at = best(rows[row].map(Math.abs));
      return `${name}: “${out.words[row]}” ${signed ? "differs" : "looks"} most at “${out.columns[at]}”, ${amount(rows[row][at], signed)}.`;
    }),
  ];
  const start = off ? `Without ${off} of ${content.sizes[0] * content.sizes[1]} heads` : "With all heads";
  if (out.shares) {
    const { vocabulary } = content.model;
    const {
      shares: [before, after],
      truth,
    } = out;
    const word = truth < 0 ? best(after) : truth;
    const tell = (say1) =>
      off ? `${say1(after[word])} instead of ${say1(before[word])}` : say1(after[word]);
    text.push(
      `${start} the model gives “${vocabulary[word]}” ${tell(percent)}${truth < 0 ? "" : `, a loss of ${tell((p) => fixed(-Math.log(p)))}`}.`,
    );
  } else if (off) text.push(`${start}.`);
  return text.join(" ");
}

export function check(state, model) {
  const { sentences, src, sizes, roles, options, model: made, outputs } = model.get("content");
  const { tokens, head, other, view, ablated, ablation, ask, cell, prediction, revealed } = state;
  const pair = (p, sides) =>
    Array.isArray(p) &&
    p.length === 2 &&
    sides.every((size, i) => Number.isInteger(p[i]) && p[i] >= 0 && p[i] < size);
  if (
    !Array.isArray(tokens) ||
    !tokens.length ||
    !(made
      ? tokens.length <= made.max_length && tokens.every((w) => made.vocabulary.includes(w))
      : same(tokens, sentences[0]))
  ) {
    return "it holds words that this widget does not know";
  }
  if (!pair(head, sizes) || !pair(other, sizes)) return "it names a head that is not there";
  if (!VIEWS.some(([name]) => name === view)) return "view is not one of the four";
  if (
    !Array.isArray(ablated) ||
    !ablated.every((p) => pair(p, sizes)) ||
    (ablated.length && !made && !outputs)
  )
    return "ablated does not list heads";
  if (ablation !== "zero" && !(ablation === "mean" && made?.means)) return "ablation is not zero or mean";
  if (ask === null ? !made : !pair([ask, 0], [tokens.length, 1])) return "ask is not a word";
  if (cell && !pair(cell, [tokens.length, (src || tokens).length])) return "cell is not a row and a column";
  if (typeof revealed !== "boolean") return "revealed is not true or false";
  if (
    prediction &&
    !(prediction.length === roles.length && roles.every((_, i) => options.includes(prediction[i])))
  ) {
    return "prediction is not one role a head";
  }
  return "";
}

function build(view, body) {
  const { model, change } = view;
  const content = model.get("content");
  const {
    sentences,
    sizes: [n_layers, n_heads],
    roles,
    options,
    model: made,
  } = content;
  const heads = each(n_layers * n_heads, (i) => [Math.floor(i / n_heads), i % n_heads]);
  const canAblate = made || content.outputs;
  const now = () => view.state;
  const folded = (text, inside) =>
    h("details.panel", { ontoggle: view.redraw }, stop(h("summary", text)), inside);
  const column = (text) => h("th", { scope: "col" }, text);
  let [out, shown, tabled, played, laid] = [];

  // Every head as a small picture, with a switch.
  const isShown = (one) => {
    const { view: look, head, other: second } = now();
    return look === "average" ? one[0] === head[0] : same(one, head) || (look !== "one" && same(one, second));
  };
  const isOff = (one) => find(now().ablated, one) >= 0;
  const small = heads.map((one) => {
    const [canvas, text] = [h("canvas"), h("span")];
    const columns = { "data-columns": n_heads << !!canAblate };
    const show = button(
      [canvas, text],
      () => change({ head: one, ...(same(one, now().other) && { other: now().head }) }),
      { class: "ab-hx-small", ...columns },
    );
    const tick = stop(
      h("input", {
        type: "checkbox",
        "aria-label": `${long(one)} is on`,
        ...columns,
        onchange: () => change({ ablated: heads.filter((_, i) => !small[i][4].checked) }),
      }),
    );
    return [one, canvas, text, show, tick, h("td", show, canAblate && h("label.tick", tick, "on"))];
  });
  const grid = h(
    "table.hx-heads",
    h("caption", "All heads"),
    h(
      "tbody",
      each(n_layers, (l) =>
        h(
          "tr",
          h("th", { scope: "row" }, `layer ${l + 1}`),
          small.slice(l * n_heads, (l + 1) * n_heads).map((all) => all[5]),
        ),
      ),
    ),
  );
  const kind = select(
    [
      ["zero", "zeros"],
      ["mean", "its mean"],
    ],
    { onchange: () => change({ ablation: kind.value }) },
  );
  const views = VIEWS.map(([name, text]) => button(text, () => change({ view: name }), { role: "radio" }));
  const other = select(
    heads.map((one, i) => [i, label(one)]),
    { onchange: () => change({ other: heads[other.value] }) },
  );
  const withOther = h("label", "and head ", other);

  // One or two large pictures, and what one of their cells is made of.
  const large = [0, 1].map((i) =>
    heat(
      view,
      (r, c) => `“${out.words[r]}” at “${out.columns[c]}”: ${amount(shown[i][1][r][c], shown[i][2])}`,
      (cell) => change({ cell }),
    ),
  );
  const steps = h("ol");
  const sums = folded("", steps);
  const drawSums = ([r, c]) => {
    say(sums.firstChild, `The arithmetic of “${out.words[r]}” and “${out.columns[c]}”`);
    if (!sums.open) return;
    const lines = heads.filter(isShown).map((one) => {
      const [l, g] = one;
      let text = "";
      if (made) {
        const size = made.d_model / n_heads;
        const [q, k] = [out.q, out.k].map((all, i) => all[l][i ? c : r].slice(g * size, (g + 1) * size));
        text =
          made.causal && c > r
            ? "masked: "
            : `query · key = ${q
                .slice(0, 3)
                .map((x, i) => `${fixed(x)}×${fixed(k[i])}`)
                .join(
                  " + ",
                )}${size > 3 ? " + …" : ""} = ${fixed(dot(q, k), 4)}, ÷ √${size} = ${fixed(dot(q, k) / Math.sqrt(size), 4)}, softmax = `;
      }
      return [`Head ${label(one)}`, text + fixed(out.weights[l][g][r][c], 4)];
    });
    if (/^[ad]/.test(now().view)) lines.push([shown[0][0], fixed(shown[0][1][r][c], 4)]);
    steps.replaceChildren(...lines.map(([name, text]) => h("li", h("b", `${name}: `), text)));
  };

  // The table behind the picture.
  const behind = h(".hx-scroll");
  const numbers = folded("The numbers", behind);
  const drawNumbers = () => {
    const key = out.key + shown.map(([name]) => name);
    if (!numbers.open || key === tabled) return;
    tabled = key;
    behind.replaceChildren(
      ...shown.map(([name, rows]) =>
        h(
          "table.hx-shares",
          h("caption", `${name}, in %`),
          h("thead", h("tr", h("td"), out.columns.map(column))),
          h(
            "tbody",
            rows.map((row, r) =>
              h(
                "tr",
                h("th", { scope: "row" }, out.words[r]),
                row.map((w) => stop(h("td", { "data-columns": row.length }, fixed(100 * w, 0)))),
              ),
            ),
          ),
        ),
      ),
    );
  };

  // The output, always beside the weights.
  const asking = select([], { onchange: () => change({ ask: asking.value ? +asking.value : null }) });
  const [caption, result] = [h("caption"), h("tbody")];
  const without = column("");
  const line = (name, texts, shares) =>
    h(
      "tr",
      h("th", { scope: "row" }, name),
      texts.map((text, i) =>
        h("td", shares && h(".bar", h(`.fill f${i}`, { style: `--w:${shares[i].toFixed(4)}` })), text),
      ),
    );
  const drawOutput = () => {
    const { ask, ablated, tokens } = now();
    say(without, ablated.length ? `without ${ablated.map(label).join(", ")}` : "switch a head off");
    let lines = [];
    say(
      caption,
      !made
        ? `Length of the output at “${tokens[ask]}”`
        : ask === null
          ? "Hide a word, and the model guesses"
          : `The model's guess ${made.mask ? "for the hidden" : "after"} “${tokens[ask]}”`,
    );
    if (!made) {
      lines = out.outputs.map((layer, l) =>
        line(
          `layer ${l + 1}`,
          [() => 1, (_, g) => !isOff([l, g])].map((on) => {
            const some = layer.filter(on);
            return fixed(Math.hypot(...layer[0][ask].map((_, i) => sum(some.map((one) => one[ask][i])))));
          }),
        ),
      );
    } else if (out.shares) {
      const { shares, truth } = out;
      const most = (i) => Math.max(...shares.map((all) => all[i]));
      const top = each(made.vocab, (i) => i)
        .sort((a, b) => most(b) - most(a))
        .filter((i, at) => at < 5 || i === truth);
      lines = top.map((i) => {
        const two = shares.map((all) => all[i]);
        return line(made.vocabulary[i] + (i === truth ? " ✓" : ""), two.map(percent), two);
      });
      const [p, q] = shares.map((all) => -Math.log(all[truth]));
      if (truth >= 0)
        lines.push(line("loss", [fixed(p), `${fixed(q)} (${q < p ? "" : "+"}${fixed(q - p)})`]));
    }
    result.replaceChildren(...lines);
  };

  // Another sentence, another word.
  const given = select(
    sentences.map((words, i) => [i, words.join(" ")]),
    {
      onchange() {
        const tokens = sentences[given.value];
        change({ tokens, cell: null, ask: now().ask && Math.max(0, tokens.length - 2 + !!made.mask) });
      },
    },
  );
  const place = select([], { onchange: view.redraw });
  const swap = select(made ? [...made.vocabulary].sort().map(twice) : [], {
    onchange: () =>
      change({ tokens: now().tokens.map((word, i) => (i === +place.value ? swap.value : word)) }),
  });

  // Match heads and roles first.
  const game = h(".predict");
  const drawGame = () => {
    const { revealed, prediction, score } = now();
    const key = `${revealed}${prediction}`;
    if (key === played) return;
    played = key;
    const inside = game.contains(document.activeElement);
    const open1 = (reveal) => change({ prediction: null, score: null, revealed: reveal });
    if (revealed) {
      game.replaceChildren(
        h("p.ask", { role: "status" }, prediction ? `Score ${fixed(score)}.` : "The rules say:"),
        h(
          "ul",
          roles.map(([l, g, role, why], i) =>
            h(
              "li",
              h("b", `${label([l, g])}: ${role}. `),
              prediction && (prediction[i] === role ? "✓ You said so. " : `✗ You said “${prediction[i]}”. `),
              why,
            ),
          ),
        ),
        button("Match again", () => open1(false)),
      );
    } else {
      const selects = roles.map(() => select(options.map(twice)));
      game.replaceChildren(
        h("p.ask", ASK),
        h(
          ".row",
          roles.map((one, i) => h("label", `head ${label(one)} `, selects[i])),
        ),
        h(
          ".row",
          button(
            "Commit",
            () => {
              const guess = selects.map(({ value }) => value);
              const right = sum(guess.map((role, i) => role === roles[i][2]));
              change({
                prediction: guess,
                revealed: true,
                score: Math.round((100 * right) / roles.length) / 100,
              });
            },
            { class: "ab-main" },
          ),
          button("Skip", () => open1(true)),
        ),
      );
    }
    if (inside) game.querySelector("[data-stop]").focus();
  };

  body.append(
    ...(roles.length ? [game] : []),
    ...(made
      ? [
          h(
            ".row",
            sentences.length > 1 && h("label", "sentence ", given),
            h("label", "word ", place),
            h("label", "becomes ", swap),
          ),
        ]
      : []),
    h(
      ".hx-sides",
      h(
        "",
        grid,
        canAblate && [
          h(
            ".row",
            made?.means && h("label", "an “off” head gives ", kind),
            h("label", content.verb, asking),
          ),
          h("table.hx-bars", caption, h("thead", h("tr", h("td"), column("all heads on"), without)), result),
        ],
      ),
      h(
        "",
        h(".row", h(".modes", { role: "radiogroup", "aria-label": "view" }, views), withOther),
        h(
          ".hx-pair",
          large.map(({ node }) => node),
        ),
      ),
    ),
    sums,
    numbers,
  );

  return {
    sentence: () => sentence(now(), content),
    update() {
      const { tokens, other: second, view: look, ablation, ask, cell, revealed } = now();
      out = run(content, now());
      shown = pictures(now(), out);
      if (`${tokens}` !== laid) {
        laid = `${tokens}`;
        const at = place.value;
        [place, asking].forEach((list) =>
          list.replaceChildren(
            ...(list === asking && made?.mask ? [h("option", { value: "" }, "nothing")] : []),
            ...tokens.map((word, i) => h("option", { value: i }, `${i + 1}: ${word}`)),
          ),
        );
        if (at in tokens) place.value = at;
      }
      if (roles.length) drawGame();
      asking.value = ask ?? "";
      swap.value = tokens[place.value];
      given.value = find(sentences, tokens);
      kind.value = ablation;
      other.value = find(heads, second);
      withOther.hidden = !/^[cd]/.test(look);
      views.forEach((one, i) => set(one, { "aria-checked": `${VIEWS[i][0] === look}` }));
      small.forEach(([one, canvas, text, show, tick]) => {
        const [l, g] = one;
        const role = revealed && roles.find((told) => told[0] === l && told[1] === g)?.[2];
        paint(canvas, out.weights[l][g]);
        say(text, label(one) + (role ? ` ${role}` : ""));
        tick.checked = !isOff(one);
        set(show, {
          "data-off": isOff(one),
          "aria-pressed": `${isShown(one)}`,
          "aria-label": `${text.textContent}: ${long(one)}`,
        });
      });
      const row = rowOf(now());
      const at = cell || [row, best(shown[0][1][row].map(Math.abs))];
      large.forEach(({ node, draw }, i) => {
        node.hidden = !shown[i];
        if (shown[i]) draw(shown[i], out.words, out.columns, at);
      });
      drawSums(at);
      drawNumbers();
      if (canAblate) drawOutput();
    },
  };
}

export default /* @__PURE__ */ widget({
  name: "HeadExplorer",
  title: "Head explorer",
  check: BOOK && check,
  build,
});
