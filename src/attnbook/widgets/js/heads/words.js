// The heads of a small model that guesses words, or of weights alone; what is lost when heads are switched off.

import { button, countOf, fixed, h, percent, say, select, softmax, stop, unpack } from "../lib/base.js";
import { dot, each, reader, sum } from "../mechanisms/word_model.js";
import {
  allHeads,
  amount,
  best,
  closeUp,
  columnHead,
  folded,
  gallery,
  isSame,
  label,
  largest,
  longLabel,
  pictures,
  rowHead,
} from "./shared.js";

const ASK = "Match each head with its role, or skip.";

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

// What heads_of_words.py computes.
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
      parts[numbers] ||= parts.read(numbers, []); // the whole model, once a sentence
      const before = parts[numbers];
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

const rowOf = ({ cell, ask }) => (cell ? cell[0] : ask || 0);

export function sentence(state, content) {
  const out = run(content, state);
  const row = rowOf(state);
  const off = state.ablated.length;
  const text = [
    ...(state.revealed ? [] : [ASK]),
    ...pictures(state, out).map(({ name, rows, signed }) => {
      const [at, weight] = largest(rows[row]);
      return `${name}: “${out.words[row]}” ${signed ? "differs" : "looks"} most at “${out.columns[at]}”, ${amount(weight, signed)}.`;
    }),
  ];
  const start = off
    ? `Without ${off} of ${countOf(content.sizes[0] * content.sizes[1], "head")}`
    : "With all heads";
  if (out.shares) {
    const { vocabulary } = content.model;
    const {
      shares: [before, after],
      truth,
    } = out;
    const word = truth < 0 ? best(after) : truth;
    const tell = (write) =>
      off ? `${write(after[word])} instead of ${write(before[word])}` : write(after[word]);
    text.push(
      `${start} the model gives “${vocabulary[word]}” ${tell(percent)}${truth < 0 ? "" : `, a loss of ${tell((p) => fixed(-Math.log(p)))}`}.`,
    );
  } else if (off) text.push(`${start}.`);
  return text.join(" ");
}

export const sizes = () => ({});

export function agree({ tokens, ablated, ablation }, model) {
  const { sentences, model: made, outputs } = model.get("content");
  if (made ? !tokens.every((word) => made.vocabulary.includes(word)) : `${tokens}` !== `${sentences[0]}`) {
    return "it holds words that this widget does not know";
  }
  if (ablated.length && !made && !outputs) return "ablated lists heads, and there is nothing to switch off";
  return ablation === "mean" && !made?.means ? "ablation is mean, and there are no means" : "";
}

export function build(view, body) {
  const { model, change } = view;
  const content = model.get("content");
  const {
    sentences,
    sizes: [, n_heads],
    roles,
    options,
    model: made,
  } = content;
  const heads = allHeads(content.sizes);
  const canAblate = made || content.outputs;
  const now = () => view.state;
  let [out, shown, played, laid] = [];

  // Every head as a small picture, with a switch.
  const isOff = (one) => now().ablated.some((other) => isSame(one, other));
  const columns = canAblate ? 2 * n_heads : n_heads;
  const ticks = heads.map((one) =>
    stop(
      h("input", {
        type: "checkbox",
        "aria-label": `${longLabel(one)} is on`,
        "data-columns": columns,
        onchange: () => change({ ablated: heads.filter((_, i) => !ticks[i].checked) }),
      }),
    ),
  );
  const all = gallery(view, content.sizes, {
    pick: change,
    columns,
    more: ([l, g]) => canAblate && h("label.tick", ticks[l * n_heads + g], "on"),
  });
  const kind = select(
    [
      ["zero", "zeros"],
      ["mean", "its mean"],
    ],
    { onchange: () => change({ ablation: kind.value }) },
  );
  const close = closeUp(view, content.sizes, (cell) => change({ cell }));

  // What one cell is made of.
  const steps = h("ol");
  const sums = folded(view, "", steps);
  const drawSums = ([r, c]) => {
    say(sums.firstChild, `The arithmetic of “${out.words[r]}” and “${out.columns[c]}”`);
    if (!sums.open) return;
    const lines = heads.filter(all.isShown).map((one) => {
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
    const { view: look } = now();
    if (look === "average" || look === "difference")
      lines.push([shown[0].name, fixed(shown[0].rows[r][c], 4)]);
    steps.replaceChildren(...lines.map(([name, text]) => h("li", h("b", `${name}: `), text)));
  };

  // The output, always beside the weights.
  const asking = select([], { onchange: () => change({ ask: asking.value ? +asking.value : null }) });
  const [caption, result] = [h("caption"), h("tbody")];
  const without = columnHead("");
  const line = (name, texts, shares) =>
    h(
      "tr",
      rowHead(name),
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
            return fixed(Math.hypot(...layer[0][ask].map((_, i) => sum(some.map((part) => part[ask][i])))));
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
        change({ tokens, cell: null, ask: now().ask && Math.max(0, tokens.length - (made.mask ? 1 : 2)) });
      },
    },
  );
  const place = select([], { onchange: view.redraw });
  const swap = select(made ? [...made.vocabulary].sort().map((word) => [word, word]) : [], {
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
    const start = (reveal) => change({ prediction: null, score: null, revealed: reveal });
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
        button("Match again", () => start(false)),
      );
    } else {
      const selects = roles.map(() => select(["", ...options].map((role) => [role, role || "?"])));
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
              const open = selects.find(({ value }) => !value);
              if (open) return open.focus();
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
          button("Skip", () => start(true)),
        ),
      );
    }
    if (inside) game.querySelector("[data-stop]").focus();
  };

  body.append(
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
        all.node,
        canAblate && [
          h(
            ".row",
            made?.means && h("label", "an “off” head gives ", kind),
            h("label", content.verb, asking),
          ),
          h(
            "table.hx-bars",
            caption,
            h("thead", h("tr", h("td"), columnHead("all heads on"), without)),
            result,
          ),
        ],
      ),
      close.node,
    ),
    ...(roles.length ? [game] : []), // below: nobody has to match heads before playing with them
    sums,
    close.numbers,
  );

  return {
    sentence: () => sentence(now(), content),
    update() {
      const { tokens, ablation, ask, cell, revealed } = now();
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
      given.value = sentences.findIndex((words) => `${words}` === `${tokens}`);
      kind.value = ablation;
      const roleOf = ([l, g]) => revealed && roles.find((told) => told[0] === l && told[1] === g)?.[2];
      all.draw(out.weights, roleOf, isOff);
      heads.forEach((one, i) => {
        ticks[i].checked = !isOff(one);
      });
      const row = rowOf(now());
      const at = cell || [row, largest(shown[0].rows[row])[0]];
      close.draw(out, shown, at);
      drawSums(at);
      if (canAblate) drawOutput();
    },
  };
}
