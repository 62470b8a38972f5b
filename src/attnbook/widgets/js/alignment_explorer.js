// AlignmentExplorer: which source words each target word looks at, and what a fixed vector forgets.

import { translator } from "./inference/translator.js";
import {
  button,
  countOf,
  fixed,
  h,
  percent,
  predictor,
  say,
  select,
  set,
  softmax,
  stop,
  unpack,
  widget,
} from "./lib/base.js";
import { loadModel } from "./lib/model_weights.js";
import { align, rowsOf, terms, turned } from "./mechanisms/alignment.js";
import { wordsOf } from "./mechanisms/doubts.js";

const SCORERS = {
  none: "None: one fixed vector",
  additive: "Additive (Bahdanau)",
  dot: "Dot (Luong)",
  general: "General (Luong)",
};

const line = (words) => words.join(" ");
const isSame = (a, b) => line(a) === line(b);
const peak = (row) => row.indexOf(Math.max(...row));

// One scorer's numbers, unpacked, scores computed here where the page has what they are made of.
const opened = new WeakMap();
function open({ src, scorers }, name) {
  const packed = scorers[name];
  if (!opened.has(packed)) {
    const { output, remembered, weights, query, key, v, W } = packed;
    const parts = { output, remembered };
    if (weights) parts.weights = rowsOf(unpack(weights), src.length);
    if (query) {
      const rows = (text, n) => rowsOf(unpack(text), unpack(text).length / n);
      const asked = rows(query, output.length);
      const raw = rows(key, src.length);
      const basis = W && rows(W, asked[0].length);
      Object.assign(parts, {
        query: asked,
        raw,
        W: basis,
        key: basis ? turned(raw, basis) : raw,
        v: v && [...unpack(v)],
      });
      Object.assign(parts, align(parts.query, parts.key, parts.v));
    }
    opened.set(packed, parts);
  }
  return opened.get(packed);
}

// The row that the reader is asked about, as alignment_explorer.py chooses it.
const asked = ({ ask }, { output, weights }) =>
  ask !== null && ask < output.length
    ? ask
    : Math.max(
        0,
        weights.findIndex((row, t) => peak(row) !== t),
      );

const find = (model, source) => model.get("examples").find(({ src }) => isSame(src, source));

// Does the page itself translate?
const runsModels = (model) => BOOK && model.get("models")?.length > 0;

// model -> the state of a link whose sentence has to be translated first.
const awaited = new WeakMap();

// The example of a state and what its scorer gave; an error says what this page does not hold.
function shownBy(state, model) {
  const example = find(model, state.source);
  if (!example) {
    if (runsModels(model)) awaited.set(model, state);
    throw Error("it names a sentence that this page does not hold");
  }
  const scorer = example.scorers[state.scorer];
  if (!scorer) throw Error("it names a scorer that this sentence does not have");
  return { example, scorer };
}

function sizes(state, model) {
  const { scorer } = shownBy(state, model);
  if (!scorer.weights) throw Error("cell is not null, and a fixed vector has no weights");
  return { rows: scorer.output.length };
}

function agree(state, model) {
  const { scorer } = shownBy(state, model);
  const { prediction } = state;
  if (!prediction) return "";
  if (!scorer.weights && !scorer.remembered) return "prediction is not null, and there is nothing to predict";
  const isWord = prediction.choice !== null && prediction.answer !== null;
  const isShare = prediction.choice === null && prediction.answer === null;
  return (scorer.weights ? isWord : isShare) ? "" : "prediction is not what this scorer asks for";
}

export function sentence(state, example, parts) {
  const { output, weights } = parts;
  if (parts.remembered && !state.revealed) {
    return "What the fixed vector gives back is hidden: predict how much of the sentence, or skip.";
  }
  if (!weights) return `From one fixed vector, the decoder writes: ${line(output)}.`;
  const t = asked(example, parts);
  if (!state.revealed)
    return `The weights are hidden: predict which source word “${output[t]}” looks at most, or skip.`;
  const s = peak(weights[t]);
  return `“${output[t]}” looks most at “${example.src[s]}”, ${percent(weights[t][s])}: ${state.scorer} score, ${countOf(output.length, "target word")} over ${countOf(example.src.length, "source word")}.`;
}

const MOST_WORDS = 64; // as alignment_explorer.py

// Why these words cannot be translated, or "".
function refusal(words) {
  if (!words.length) return "There is no word to translate; type a sentence.";
  return words.length > MOST_WORDS
    ? `At most ${MOST_WORDS} words can be translated, and these are ${words.length}.`
    : "";
}

const quoted = (words) => [...new Set(words)].map((word) => `“${word}”`).join(", ");

// What a reader should know before believing a translation.
function doubts(source, loaded, made) {
  const [{ configuration, vocabularies }] = loaded;
  const said = [];
  const [{ unknown }] = made;
  if (unknown.length)
    said.push(
      `Not among the ${vocabularies.src.length - 4} words that it knows: ${quoted(unknown)}, read as <unk>, an unknown word.`,
    );
  if (source.length > configuration.longest)
    said.push(
      `The sentence has ${source.length} words; the longest that it was trained on had ${configuration.longest}.`,
    );
  made.forEach(({ finished }, i) => {
    if (!finished) said.push(`${SCORERS[loaded[i].configuration.attention]}: it did not end by itself.`);
  });
  return said.join(" ");
}

// The page's own models translate the sentence; its example joins those that the page holds. Returns what to say of it.
async function translateHere(view, source) {
  const { model } = view;
  const loaded = await Promise.all(model.get("models").map((name) => loadModel(view, name)));
  const made = loaded.map((one) => translator(one)(source, MOST_WORDS));
  const scorers = {};
  made.forEach((parts, i) => {
    const { output, weights } = parts;
    if (weights && !output.length) throw Error("the trained model writes no word for it");
    const packed = { output, weights }; // a scorer's part says whether it has weights
    opened.set(
      packed,
      weights ? { ...parts, raw: parts.key, ...align(parts.query, parts.key, parts.v) } : parts,
    );
    scorers[loaded[i].configuration.attention] = packed;
  });
  const told = `Translated in this page by the trained model. ${doubts(source, loaded, made)}`;
  const example = { src: source, tgt: [], gold: [], ask: null, own: true, told, scorers };
  if (!find(model, source)) model.set("examples", [...model.get("examples"), example]);
  return told;
}

function build(view, body) {
  const { model, change } = view;
  const now = () => view.state;
  let [example, parts, cells, laid, picked] = [];
  const load = () => {
    example = find(model, now().source);
    parts = open(example, now().scorer);
  };
  load();
  const reset = { cell: null, prediction: null, score: null };
  const told = h("p.note", { role: "status" });
  const open_ = (source) => {
    const next = find(model, source);
    const scorer = next.scorers[now().scorer] ? now().scorer : Object.keys(next.scorers)[0];
    change({ ...reset, source, scorer });
  };
  // A sentence that the page does not hold: its models translate it, or the kernel, which puts a new example into the
  // model's `examples` and then sets the state.
  let latest;
  async function ask(source, then) {
    latest = source;
    if (!BOOK) {
      say(told, "The kernel is asked to translate this sentence.");
      model.send({ type: "translate", source });
      return;
    }
    say(told, "The trained model is loaded, once, and translates.");
    try {
      const sentence = await translateHere(view, source);
      if (latest !== source) return; // another sentence was asked for meanwhile
      say(told, sentence);
      then();
    } catch (error) {
      say(told, `The sentence was not translated: ${error.message}.`);
    }
  }
  const show = (source) => {
    const refused = refusal(source);
    if (refused) say(told, refused);
    else if (find(model, source)) {
      latest = source;
      say(told, find(model, source).told || "");
      open_(source);
    } else view.wait(ask(source, () => open_(source)));
  };

  // Choosing.
  const given = select([], { onchange: () => show(given.value.split(" ")) });
  const scorers = Object.entries(SCORERS).map(([name, text]) =>
    button(text, () => change({ ...reset, scorer: name }), { role: "radio", "data-name": name }),
  );
  const views = ["heatmap", "ribbons"].map((name) =>
    button(name, () => change({ view: name }), { role: "radio", "data-name": name }),
  );
  const gold = stop(h("input", { type: "checkbox", onchange: () => change({ gold: gold.checked }) }));
  const goldLabel = h("label", gold, "gold links (framed: sure, dashed: possible)");

  // The heatmap is a table; each cell says its number.
  const legend = "Each row is a target word: its shares, in %, over the source words.";
  const grid = h("table.heat", { role: "grid", "aria-label": legend });
  const ribbons = h(".ribbons");
  const layRows = () => {
    const { src } = example;
    const { output, weights } = parts;
    cells = output.map((word, t) =>
      src.map((other, s) =>
        stop(
          h("td", {
            "data-columns": src.length,
            "aria-label": `${word} looks at ${other}`,
            onclick: () => change({ cell: [t, s] }),
            onkeydown: ({ key }) => /^(Enter| )$/.test(key) && change({ cell: [t, s] }),
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
          src.map((word) => h("th", { scope: "col" }, h("span", word))),
        ),
      ),
      h(
        "tbody",
        output.map((word, t) => h("tr", h("th", { scope: "row" }, word), cells[t])),
      ),
    );
    const [n, m] = [src.length, output.length];
    const at = (i, count) => ((i + 0.5) * Math.max(n, m)) / count;
    const paths = h(
      "svg",
      {
        viewBox: `0 0 10 ${Math.max(n, m)}`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": "ribbons from source to target words; the heatmap has their numbers",
      },
      weights.flatMap((row, t) =>
        row.map(
          (w, s) =>
            w >= 0.03 &&
            h("path.ribbon", {
              d: `M0 ${at(s, n)}C5 ${at(s, n)} 5 ${at(t, m)} 10 ${at(t, m)}`,
              style: `--w:${w.toFixed(3)}`,
              "data-row": t,
            }),
        ),
      ),
    );
    ribbons.replaceChildren(
      h(
        "ol",
        src.map((word) => h("li", word)),
      ),
      paths,
      h(
        "ol",
        output.map((word, t) =>
          h(
            "li",
            button(word, () => change({ cell: [t, peak(weights[t])] }), { class: "ab-word" }),
          ),
        ),
      ),
    );
    set(ribbons, { style: `--n:${Math.max(n, m)}` });
  };

  // The fixed vector: what it wrote, word for word beside what was wanted.
  const fixedPart = h(".panel");
  const layFixed = () => {
    const { src, tgt } = example;
    const { output, remembered } = parts;
    const hide = remembered && !now().revealed;
    const row = (name, words, mark) =>
      h(
        "tr",
        h("th", { scope: "row" }, name),
        h(
          "td",
          words.map((word, i) => [h(mark?.(word, i) ? "b" : "span", word), " "]),
        ),
      );
    fixedPart.replaceChildren(
      h(
        "p",
        `The fixed vector has no weights: every target word is made from the same few numbers. ${tgt.length ? "Words in the wrong place stand in bold." : ""}`,
      ),
      h(
        "table.lines",
        h(
          "tbody",
          row("source", src),
          tgt.length ? row("wanted", tgt) : "",
          row("written", hide ? ["?"] : output, (word, i) => !hide && tgt.length && word !== tgt[i]),
        ),
      ),
      remembered
        ? h(
            "table.bars",
            h("caption", "How much of each source word came back"),
            h(
              "tbody",
              src.map((word, s) =>
                bar(word, [hide ? 0 : remembered[s]], [hide ? "?" : percent(remembered[s])]),
              ),
            ),
          )
        : "",
    );
  };
  const bar = (name, shares, texts) =>
    h(
      "tr",
      h("th", { scope: "row" }, name),
      shares.map((share, i) => h("td", h(".bar", h(`.fill f${i}`, { style: `--w:${share}` })), texts[i])),
    );

  // What fades with length.
  const { measure, buckets, scores } = model.get("by_length");
  const names = Object.keys(scores || {});
  const fading = h("tbody");
  const faded = measure
    ? h(
        "table.bars",
        h("caption", `${measure} by words in the source`),
        h(
          "thead",
          h(
            "tr",
            ["words", ...names.map((name) => SCORERS[name])].map((name) => h("th", { scope: "col" }, name)),
          ),
        ),
        fading,
      )
    : "";

  // The arithmetic of one cell.
  const steps = h("ol");
  const sums = h("details.panel", { ontoggle: view.redraw }, stop(h("summary", "")), steps);
  const drawSums = () => {
    const [t, s] = now().cell || [asked(example, parts), 0];
    const { output, query, key, raw, W, v, scores: all, weights } = parts;
    const row = weights[t];
    const [target, other] = [output[t], example.src[s]];
    say(sums.firstChild, `The arithmetic of “${target}” and “${other}”`);
    if (!sums.open) return;
    const lines = [];
    const three = (row, text, join) =>
      [...row.slice(0, 3).map((x, k) => text(x, k)), ...(row.length > 3 ? ["…"] : [])].join(join);
    if (query) {
      const added = terms(query[t], key[s], v);
      const { largest, exps, total } = softmax(all[t]);
      if (W)
        lines.push([
          "W key",
          `(${three(key[s], (x) => fixed(x), ", ")}), the first of them ${three(raw[s], (x, k) => `${fixed(W[0][k])}×${fixed(x)}`, " + ")} = ${fixed(key[s][0])}`,
        ]);
      lines.push(
        [
          "Score",
          `${v ? "Σ v·tanh(query + key)" : now().scorer === "general" ? "query · (W key)" : "query · key"} = ${three(
            added,
            (_, k) =>
              v
                ? `${fixed(v[k])}·tanh(${fixed(query[t][k])} + ${fixed(key[s][k])})`
                : `${fixed(query[t][k])}×${fixed(key[s][k])}`,
            " + ",
          )}${added.length > 3 ? ` (${added.length} terms)` : ""} = ${fixed(all[t][s], 4)}`,
        ],
        [
          "Exponential",
          `exp(${fixed(all[t][s], 3)} − ${fixed(largest, 3)}) = ${fixed(exps[s], 4)}; the row's largest score is taken away first, which changes no share`,
        ],
        [
          "Share",
          `${fixed(exps[s], 4)} ÷ ${fixed(total, 4)}, the sum over ${countOf(row.length, "word")} = ${fixed(row[s], 4)}`,
        ],
      );
    } else
      lines.push([
        "Share",
        `${fixed(row[s], 4)}, as the chapter's model gave it; its scores were not stored`,
      ]);
    lines.push([
      "Use",
      `the context for “${target}” takes ${percent(row[s])} of the annotation of “${other}”`,
    ]);
    steps.replaceChildren(...lines.map(([name, text]) => h("li", h("b", `${name}: `), text)));
  };

  // Editing: drop a word, swap two; any sentence with a kernel.
  const word = select([], { onchange: () => view.redraw() });
  const without = (i) => now().source.filter((_, j) => j !== i);
  const swapped = (i) => now().source.map((w, j, all) => (j === i ? all[i + 1] : j === i + 1 ? all[i] : w));
  const edits = [
    ["Drop it", without],
    ["Swap it with the next word", swapped],
  ].map(([text, edit]) => [button(text, () => show(edit(+word.value))), edit]);
  const anySentence = !BOOK || runsModels(model);
  const typed = anySentence && stop(h("input", { type: "text", "aria-label": "source sentence" }), 1);
  const translate = () => show(BOOK ? wordsOf(typed.value) : typed.value.split(/\s+/).filter(Boolean));
  // Enter, which lets go of what was typed, sends it too; the keyboard's own listener came first.
  const onEnter = ({ target, key }) =>
    target === typed && key === "Enter" && !view.held(typed) && translate();
  view.root.addEventListener("keydown", onEnter, true);
  const count = h("p.note");
  const edit = h(
    "details.panel",
    { ontoggle: view.redraw },
    stop(h("summary", anySentence ? "Your own sentence" : "Edit the sentence")),
    typed && h(".row", typed, button("Translate", translate)),
    h(
      ".row",
      h("label", "word ", word),
      edits.map(([node]) => node),
    ),
    count,
    told,
  );

  const guess = predictor(view, {
    ask: () =>
      !parts.weights
        ? "How much of this sentence will come back out of the fixed vector?"
        : `Which source word will “${parts.output[asked(example, parts)]}” look at most, and how much?`,
    options: () => (parts.weights ? example.src : []),
    outcome: () => {
      if (!parts.weights) return [null, parts.remembered.reduce((a, b) => a + b) / example.src.length];
      const row = parts.weights[asked(example, parts)];
      return [peak(row), row[peak(row)]];
    },
    why: () => {
      if (!parts.weights)
        return `${example.src.length > 1 ? `All ${example.src.length} words have` : "The word has"} to fit into the same few numbers, whatever the length.`;
      const t = asked(example, parts);
      const row = parts.weights[t];
      const s = peak(row);
      const next = row.reduce((best, w, i) => (i !== s && !(w <= row[best]) ? i : best), -1);
      const gap = s - t;
      return `${next < 0 ? "" : `“${example.src[next]}” comes second with ${percent(row[next])}. `}${gap ? `The word that it needs stands ${Math.abs(gap)} ${Math.abs(gap) > 1 ? "places" : "place"} ${gap > 0 ? "further on" : "earlier"} in the source: the order differs, and the weights follow the meaning.` : "Both stand in the same place: here the order agrees."}`;
    },
  });
  body.append(
    guess.panel,
    h(".row", h("label", "sentence ", given)),
    edit,
    h(".row", h(".modes", { role: "radiogroup", "aria-label": "scorer" }, scorers)),
    h(".row", h(".modes", { role: "radiogroup", "aria-label": "view" }, views), goldLabel),
    h(".wide", h("p", legend), h(".across", grid)),
    ribbons,
    fixedPart,
    faded,
    sums,
  );

  const link = awaited.get(model);
  if (link) {
    awaited.delete(model);
    if (!refusal(link.source))
      view.wait(
        ask(link.source, () => {
          view.note("");
          edit.open = true;
          if (view.fault(link)) open_(link.source);
          else change(link);
        }),
      );
  }

  const onNotice = () => say(told, model.get("notice"));
  const onExamples = () => {
    laid = "";
    view.redraw();
  };
  model.on("change:notice", onNotice);
  model.on("change:examples", onExamples);
  return {
    sentence: () => sentence(now(), example, parts),
    leave() {
      model.off("change:notice", onNotice);
      model.off("change:examples", onExamples);
      view.root.removeEventListener("keydown", onEnter, true);
    },
    update() {
      load();
      const { source, scorer, view: look, revealed, cell } = now();
      const all = model.get("examples");
      const { weights } = parts;
      const layout = JSON.stringify([source, scorer, !weights && revealed]);
      if (layout !== laid) {
        laid = layout;
        const listed = all.filter((one) => one.given || one.own || one === example);
        given.replaceChildren(...listed.map(({ src }) => h("option", line(src))));
        given.value = line(source);
        word.replaceChildren(...source.map((w, i) => h("option", { value: i }, w)));
        word.value = Math.min(picked || 0, source.length - 1);
        if (typed) typed.value = line(source);
        if (weights) layRows();
        else layFixed();
        fading.replaceChildren(
          ...(buckets || []).map(([from, to], i) =>
            set(
              bar(
                `${from}–${to}`,
                names.map((name) => scores[name][i] / 100),
                names.map((name) => fixed(scores[name][i], 0)),
              ),
              { "data-here": source.length >= from && source.length <= to },
            ),
          ),
        );
      }
      picked = +word.value;
      guess.panel.hidden = !weights && !parts.remembered;
      if (!guess.panel.hidden) guess.draw();
      [...scorers, ...views].forEach((one) => {
        const { name } = one.dataset;
        set(one, { "aria-checked": `${name === scorer || name === look}` });
        one.hidden = name in SCORERS ? !example.scorers[name] : !weights;
      });
      grid.parentNode.parentNode.hidden = !weights || look !== "heatmap";
      ribbons.hidden = !weights || look !== "ribbons";
      fixedPart.hidden = !!weights;
      const canGold = weights && example.gold.length && isSame(parts.output, example.tgt);
      goldLabel.hidden = !canGold;
      gold.checked = now().gold;
      set(view.root, { "data-hidden": weights && !revealed });
      sums.hidden = !weights || !revealed;
      if (weights) {
        const links = new Map(
          canGold && now().gold ? example.gold.map(([t, s, kind]) => [`${t} ${s}`, kind]) : [],
        );
        cells.forEach((row, t) =>
          row.forEach((node, s) => {
            const w = weights[t][s];
            const kind = revealed && links.get(`${t} ${s}`);
            say(node, revealed ? Math.round(w * 100) : "?");
            set(node, {
              style: revealed && `--w:${w.toFixed(3)}`,
              "data-gold": kind,
              "aria-selected": `${!!cell && cell[0] === t && cell[1] === s}`,
              "aria-label": `${parts.output[t]} looks at ${source[s]}: ${revealed ? percent(w) : "hidden"}${kind ? (kind === "S" ? ", a sure gold link" : ", a possible gold link") : ""}`,
            });
          }),
        );
        for (const path of ribbons.querySelectorAll("path"))
          set(path, { "data-on": !cell || +path.dataset.row === cell[0] });
        drawSums();
      }
      edits.forEach(([node, made]) => {
        const next = made(picked);
        node.disabled = !next.length || next.includes(undefined) || (!anySentence && !find(model, next));
      });
      say(
        count,
        !anySentence
          ? `This page holds ${countOf(all.length, "sentence")}, ${all.length > 1 ? "each " : ""}translated by the chapter's model; in Jupyter, with the chapter's kernel, any sentence can be.`
          : BOOK
            ? "Any sentence: the trained model runs in this page, and nothing leaves it."
            : "Any sentence of words that the model knows, while the kernel runs.",
      );
    },
  };
}

export default widget({ title: "Alignment explorer", sizes, agree, build });
