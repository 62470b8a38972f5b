// TranslatorExplorer: type a sentence, a trained transformer translates it, with all its attention in view.

import { fillShares, mean, overview } from "./heads/overview.js";
import { transformerTranslator } from "./inference/transformer.js";
import { numberOf } from "./inference/translator.js";
import { argmax, button, h, heat, percent, predictor, say, select, set, stop, widget } from "./lib/base.js";
import { modelWhenTouched } from "./lib/model_weights.js";
import { doubts, wordsOf } from "./mechanisms/doubts.js";

const KINDS = {
  cross: "Cross-attention",
  encoder: "Encoder self-attention",
  decoder: "Decoder self-attention",
};
const MOST_WORDS = 64; // as translator_explorer.py

const line = (words) => words.join(" ");
// The words of the rows and of the columns.
export function labels({ kind, source }, { output, finished }) {
  const rows = finished ? [...output, "<eos>"] : output;
  if (kind === "encoder") return [source, source];
  return [rows, kind === "decoder" ? ["<bos>", ...rows.slice(0, -1)] : source];
}

// What is asked about: the row, the English word that has most of it in the last layer, and how much.
function outcome({ cross, output }) {
  const rows = mean(cross.at(-1)).slice(0, output.length || 1);
  const ask = Math.max(
    0,
    rows.findIndex((row, t) => argmax(row) !== t),
  );
  const best = argmax(rows[ask]);
  return { ask, best, share: rows[ask][best] };
}

export function sentence({ revealed, source }, { first, told, numbers }) {
  if (!told) return "The trained model is needed to go on.";
  const text = line(told.output) || "no word";
  if (!revealed) return `The model writes: ${text}. Its weights are hidden: predict, or skip.`;
  if (!numbers) return "The trained model is needed to go on.";
  const { ask, best, share } = first;
  return `The model writes: ${text}. At “${[...told.output, "<eos>"][ask]}” the last layer's cross-attention weighs “${source[best]}” most, ${percent(share)} on average over the heads.`;
}

function build(view, body) {
  const { model, change } = view;
  const { examples, more, heads, first } = model.get("content");
  const [layers, perLayer] = heads;
  const now = () => view.state;
  let [translate, loaded, numbers, known, asked] = [];

  // The model: fetched when the reader first touches the widget, or where its numbers are shown from the start.
  const loader = modelWhenTouched(view, (found) => {
    loaded = found;
    translate = transformerTranslator(found);
    words.replaceChildren(found.vocabularies.src.slice(4).join(" "));
  });
  const { told, load } = loader;
  // The first sentence's translation came with the page; of any other the model has to be there.
  const shown = () => numbers || (line(now().source) === line(examples[0]) ? first : undefined);
  const compute = () => {
    const { source } = now();
    const key = line(source);
    if (key === known) return;
    numbers = undefined;
    if (!translate) return;
    known = key;
    numbers = translate(source, 2 * source.length + 20);
    asked = outcome(numbers);
    const read = source.map((word) => numberOf(word, loaded.vocabularies.src));
    numbers.doubts = doubts(loaded, read, numbers);
  };
  const weights = () => {
    const { kind, head, view: which } = now();
    const all = numbers[kind][head[0]];
    return which === "head" ? all[head[1]] : mean(all);
  };

  // A sentence: typed, chosen, or drawn.
  const typed = stop(h("input", { type: "text", "aria-label": "English sentence" }), 1);
  const take = (source) => change({ source, prediction: null, score: null, cell: null });
  const own = async () => {
    const source = wordsOf(typed.value);
    if (!source.length) say(told, "There is no word to translate; type a sentence.");
    else if (source.length > MOST_WORDS)
      say(told, `At most ${MOST_WORDS} words can be translated, and these are ${source.length}.`);
    else if (await load()) {
      say(told, "");
      take(source);
    }
  };
  const onEnter = ({ target, key }) => target === typed && key === "Enter" && !view.held(typed) && own();
  view.root.addEventListener("keydown", onEnter, true);
  const given = select([["", "your own"], ...examples.map((one, i) => [i, line(one)])], {
    onchange: () => given.value && take(examples[+given.value]),
  });
  const surprise = button("Surprise me", () => take(more[Math.floor(Math.random() * more.length)]));
  const words = h("p");
  const choices = h(".row", h("label", "or take ", given), more.length ? surprise : "");
  const english = h("td");
  const french = h("td");
  const lines = h(
    "table.te-lines",
    h(
      "tbody",
      h("tr", h("th", { scope: "row" }, "English"), english),
      h("tr", h("th", { scope: "row" }, "French"), french),
    ),
  );
  const warned = h("ul.te-doubts");

  // Which weights.
  const kinds = Object.entries(KINDS).map(([kind, text]) =>
    button(text, () => change({ kind, cell: null }), { role: "radio", "data-kind": kind }),
  );
  const small = overview(layers, perLayer, change);
  const cellSays = (i, j) => {
    const [rows, columns] = labels(now(), numbers);
    const from = now().kind === "encoder" ? `“${rows[i]}”` : `to write “${rows[i]}”, the decoder`;
    return `${from} gives “${columns[j]}” ${percent(weights()[i][j])}.`;
  };
  const map = heat(view, cellSays, (cell) => change({ cell }));
  const table = h("table.hx-shares");
  const panel = h(
    "details.panel",
    { ontoggle: view.redraw },
    stop(h("summary", "The numbers, in %")),
    h(".hx-scroll", table),
  );
  const result = h(
    "",
    h(".row", h(".modes", { role: "radiogroup", "aria-label": "which attention" }, kinds)),
    h(".hx-sides", small.node, map.node),
    panel,
  );

  const guess = predictor(view, {
    ask: () => {
      const { output } = shown() || { output: [] };
      const row = numbers ? asked.ask : first.ask;
      return `The decoder writes “${output[row] ?? "<eos>"}”. Which English word will it weigh most in the last layer, on average over the heads, and how much?`;
    },
    options: () => now().source,
    outcome: () => (numbers ? [asked.best, asked.share] : []), // none: a link came before the model
    why: () => {
      const row = mean(numbers.cross.at(-1))[asked.ask];
      const next = argmax(row.map((w, j) => (j === asked.best ? -1 : w)));
      return row.length > 1 ? `“${now().source[next]}” comes second with ${percent(row[next])}.` : "";
    },
    ready: load,
  });
  body.append(
    h(".row", typed, button("Translate", own, { class: "ab-main" })),
    choices,
    lines,
    h("", { role: "status" }, warned),
    told,
    guess.panel,
    result,
    h("details.panel", stop(h("summary", "The words that it knows")), words),
  );

  return {
    sentence: () => sentence(now(), { first: asked, told: shown(), numbers }),
    leave: () => view.root.removeEventListener("keydown", onEnter, true),
    update() {
      const { source, revealed, kind, head, view: which, cell } = now();
      if (!loader.failed && (revealed || !shown())) load();
      compute();
      guess.draw();
      const here = shown();
      const at = examples.findIndex((one) => line(one) === line(source));
      given.value = at < 0 ? "" : at;
      say(english, line(source));
      french.replaceChildren(
        ...(here?.output || []).flatMap((word, i) => [
          h(
            "span",
            { title: numbers && percent(numbers.shares[i]), "data-unsure": numbers?.shares[i] < 0.5 },
            word,
          ),
          " ",
        ]),
      );
      const said = numbers?.doubts || [];
      if (warned.textContent !== said.join("")) warned.replaceChildren(...said.map((one) => h("li", one)));

      const isShown = revealed && numbers;
      result.hidden = !isShown;
      if (!isShown) return;
      const [rows, columns] = labels(now(), numbers);
      for (const one of kinds) set(one, { "aria-checked": `${one.dataset.kind === kind}` });
      small.draw(numbers[kind], now());
      const of = weights();
      const where = `${KINDS[kind]}, layer ${head[0] + 1}, ${which === "head" ? `head ${head[1] + 1}` : "mean of the heads"}`;
      const point = kind === "encoder" ? [0, 0] : [asked.ask, 0];
      const [i, j] = cell || [point[0], argmax(of[Math.min(point[0], rows.length - 1)])];
      map.draw({ name: where, rows: of }, rows, columns, [
        Math.min(i, rows.length - 1),
        Math.min(j, columns.length - 1),
      ]);
      if (panel.open) fillShares(table, where, of, rows, columns);
    },
  };
}

export default widget({ title: "Translator", build });
