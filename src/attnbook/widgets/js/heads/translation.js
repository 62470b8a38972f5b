// The heads of a translator, its three kinds of attention, and what is left of each row when words are hidden.

import { button, fixed, h, percent, predictor, say, select, set, softmax } from "../lib/base.js";
import { each } from "../mechanisms/word_model.js";
import { allHeads, amount, best, closeUp, folded, gallery, label, largest, pictures } from "./shared.js";

const KINDS = {
  encoder: "Encoder self-attention",
  decoder: "Decoder self-attention",
  cross: "Cross-attention",
};

// Ten bits a number, the highest first: a log-weight in steps of 1/64 below 0; 0 stands for a weight of 0.
export function logs(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return (i) => {
    const at = (10 * i) >> 3;
    const code = (((bytes[at] << 16) | (bytes[at + 1] << 8) | bytes[at + 2]) >> (14 - ((10 * i) & 7))) & 1023;
    return code ? (code - 1023) / 64 : -Infinity;
  };
}

// The softmax over the words that are left.
const left = (row, off) => softmax(row.map((x, j) => (off.includes(j) ? -Infinity : x)));

const place = (kind) => (kind === "decoder" ? "hidden_written" : "hidden");
const wordsOf = ({ src, tgt }, kind) =>
  ({
    encoder: [src, src],
    decoder: [tgt, ["<bos>", ...tgt.slice(0, -1)]],
    cross: [tgt, src],
  })[kind];

const opened = new WeakMap();
// What heads_of_translation.py computes, and the log-weights behind it.
export function run(content, state) {
  const { sentence, kind } = state;
  const off = state[place(kind)];
  if (!opened.has(content)) opened.set(content, {});
  const parts = opened.get(content);
  const key = `${[sentence, kind]}`;
  if (!parts[key]) {
    const one = content.translations[sentence];
    const [words, columns] = wordsOf(one, kind);
    const read = logs(one[kind]);
    let at = -1;
    const next = () => {
      at += 1;
      return read(at);
    };
    const [n_layers, n_heads] = content.sizes;
    // The decoder's rows hold what is written before them.
    const rows = each(n_layers, () =>
      each(n_heads, () =>
        words.map((_, i) => columns.map((_, j) => (kind === "decoder" && j > i ? -Infinity : next()))),
      ),
    );
    parts[key] = { words, columns, logs: rows };
  }
  const known = parts[key];
  if (known.off !== `${off}`) {
    known.off = `${off}`;
    known.weights = known.logs.map((layer) =>
      layer.map((head) =>
        head.map((row) => {
          return left(row, off).weights;
        }),
      ),
    );
  }
  return { ...known, key: key + known.off };
}

const who = ({ kind, row }, { words }) => `${kind === "encoder" ? "from" : "to write"} “${words[row]}”`;
const where = ({ head: [l, g] }) => `layer ${l + 1}, head ${g + 1} looks most`;

export function sentence(state, content) {
  const out = run(content, state);
  if (!state.revealed)
    return `The weights are hidden: predict where ${where(state)} ${who(state, out)}, or skip.`;
  const text = pictures(state, out).map(({ name, rows, signed }) => {
    const [at, weight] = largest(rows[state.row]);
    return weight
      ? `${name} ${signed ? "differs" : "looks"} most at “${out.columns[at]}”, ${amount(weight, signed)}, ${who(state, out)}.`
      : `${name}: no ${signed ? "difference" : "word is left to look at"}, ${who(state, out)}.`;
  });
  const off = state[place(state.kind)];
  if (off.length) text.push(`Hidden: ${off.map((j) => `“${out.columns[j]}”`).join(", ")}.`);
  return [`${KINDS[state.kind]}.`, ...text].join(" ");
}

export function sizes(state, model) {
  const { src, tgt } = model.get("content").translations[state.sentence];
  const [rows, columns] = wordsOf({ src, tgt }, state.kind);
  return { rows, columns, src, tgt };
}

export const agree = () => "";

export function build(view, body) {
  const { model, change } = view;
  const content = model.get("content");
  const { translations, kinds } = content;
  const now = () => view.state;
  let [out, shown, laid, keys] = [];

  // Another row of another head is another question.
  const ask = (patch) => change({ ...patch, prediction: null, score: null });
  const step = (by) => ask({ row: (now().row + by + out.words.length) % out.words.length, column: null });
  const guess = predictor(view, {
    ask: () =>
      `${KINDS[now().kind]}: where does ${where(now()).replace("looks", "look")} ${who(now(), out)}, and how much?`,
    options: () =>
      out.columns.map((word, j) =>
        out.columns.indexOf(word) === out.columns.lastIndexOf(word) ? word : `${word} (word ${j + 1})`,
      ),
    outcome() {
      const row = out.weights[now().head[0]][now().head[1]][now().row];
      return [best(row), Math.max(...row)];
    },
    why() {
      const [l, g] = now().head;
      const row = out.weights[l][g][now().row];
      const order = row.map((_, j) => j).sort((a, b) => row[b] - row[a]);
      if (!row[order[1]]) return "There was no other word to look at.";
      const gap = out.logs[l][g][now().row][order[0]] - out.logs[l][g][now().row][order[1]];
      return `Its score is ${fixed(gap)} above that of “${out.columns[order[1]]}”, the next: e^${fixed(gap)} = ${fixed(Math.exp(gap), 1)} times the weight.`;
    },
  });

  const given = select(
    translations.map(({ src }, i) => [i, `${i + 1}: ${src.join(" ")}`]),
    {
      onchange: () => ask({ sentence: +given.value, row: 0, column: null, hidden: [], hidden_written: [] }),
    },
  );
  const modes = kinds.map((name) =>
    button(
      KINDS[name],
      () =>
        ask({
          kind: name,
          column: null,
          ...(now().kind !== name && [name, now().kind].includes("encoder") && { row: 0 }),
        }),
      { role: "radio" },
    ),
  );
  const story = h("");
  const at = h("output");

  // One key a button: a press hides it from every query.
  const keyRow = h(".row hc-keys", { role: "group", "aria-label": "Words to look at: a press hides one" });
  const toggle = (j) => {
    const name = place(now().kind);
    const all = now()[name];
    change({ [name]: all.includes(j) ? all.filter((k) => k !== j) : [...all, j].sort((a, b) => a - b) });
  };
  const makeKeys = () => {
    keys = out.columns.map((word, j) => {
      const lines = [0, 1].map((i) => [h(`.fill f${i}`), h("span")]);
      const inside = lines.map(([fill, text]) => h("span.hc-line", h("span.bar", fill), text));
      return [button([h("b", word), inside], () => toggle(j)), lines, inside];
    });
    keyRow.replaceChildren(...keys.map(([one]) => one));
  };
  const asHidden = h("p.note");

  const all = gallery(view, content.sizes, { pick: ask });
  const close = closeUp(view, content.sizes, ([r, c]) =>
    (r === now().row ? change : ask)({ row: r, column: c }),
  );

  // What one cell is made of.
  const steps = h("ol");
  const sums = folded(view, "", steps);
  const drawSums = (r, c) => {
    say(sums.firstChild, `The arithmetic of “${out.words[r]}” and “${out.columns[c]}”`);
    if (!sums.open) return;
    const { kind } = now();
    const off = now()[place(kind)];
    steps.replaceChildren(
      ...allHeads(content.sizes)
        .filter(all.isShown)
        .map(([l, g]) => {
          const { exps, total } = left(out.logs[l][g][r], off);
          const text = off.includes(c)
            ? "hidden, so 0"
            : !exps[c]
              ? "masked, so 0"
              : `its score is ${fixed(-Math.log(exps[c]))} below the largest that is left. e^${fixed(Math.log(exps[c]))} = ${fixed(exps[c], 4)}; divided by the sum of all, ${fixed(total, 4)}: ${fixed(out.weights[l][g][r][c], 4)}`;
          return h("li", h("b", `Head ${label([l, g])}: `), text);
        }),
    );
  };

  const drawStory = () => {
    const { kind, row, sentence: i } = now();
    const asks = kind === "encoder";
    const { src, tgt } = translations[i];
    const key = `${[i, kind, row]}`;
    say(at, `${asks ? "source word" : "word"} ${row + 1} of ${out.words.length}: “${out.words[row]}”`);
    if (key === laid) return;
    if (!laid?.startsWith(`${i},${kind},`)) makeKeys();
    laid = key;
    const line = (name, words, on) =>
      h(
        "p.hc-story",
        h("span.hc-side", name),
        " ",
        words.flatMap((word, j) => [
          on && j === row ? h("mark", word) : on && !asks && j > row ? h("span.hc-later", word) : word,
          " ",
        ]),
      );
    story.replaceChildren(line("source:", src, asks), ...(asks ? [] : [line("written:", tgt, true)]));
  };

  const rest = h("", keyRow, asHidden, h(".hx-sides", h("", all.node), close.node), sums, close.numbers);
  body.append(
    ...(translations.length > 1 ? [h(".row", h("label", "sentence ", given))] : []),
    h(".row", h(".modes", { role: "radiogroup", "aria-label": "kind of attention" }, modes)),
    story,
    h(
      ".row",
      button("← word before", () => step(-1)),
      button("next word →", () => step(1)),
      at,
    ),
    guess.panel,
    rest,
  );

  return {
    sentence: () => sentence(now(), content),
    update() {
      const { kind, row, column, revealed } = now();
      const off = now()[place(kind)];
      out = run(content, now());
      shown = pictures(now(), out);
      drawStory();
      guess.draw();
      rest.hidden = !revealed;
      given.value = now().sentence;
      modes.forEach((one, i) => set(one, { "aria-checked": `${kinds[i] === kind}` }));
      if (!revealed) return;
      say(
        all.caption,
        `All heads. Rows: ${kind === "encoder" ? "source words" : "words being written"}. Columns: ${kind === "decoder" ? "<bos> and the words before" : "source words"}.`,
      );
      keys.forEach(([one, lines, inside], j) => {
        const gone = off.includes(j);
        set(one, { "aria-pressed": `${gone}` });
        lines.forEach(([fill, text], i) => {
          inside[i].hidden = !shown[i];
          if (!shown[i]) return;
          const w = shown[i].rows[row][j];
          set(fill, { style: `--w:${Math.abs(w).toFixed(4)}${w < 0 ? ";background:var(--key)" : ""}` });
          say(
            text,
            gone
              ? "hidden"
              : kind === "decoder" && j > row
                ? "not yet"
                : shown[i].signed
                  ? fixed(100 * w, 0)
                  : percent(w),
          );
        });
      });
      say(
        asHidden,
        off.length
          ? `Hidden from every query: the softmax runs over the words that are left, with the scores of the whole sentence. A model that had not read ${off.length > 1 ? "them" : "it"} would have other scores.`
          : "Press a word to hide it: the softmax then runs over the words that are left, in every head.",
      );
      all.draw(out.weights);
      const mark = column ?? largest(shown[0].rows[row])[0];
      close.draw(out, shown, [row, mark]);
      drawSums(row, mark);
    },
  };
}
