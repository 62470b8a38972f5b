// QKVPlayground: one query, a few keys and values, and every number between them and the context.

import {
  argmax,
  arrow,
  beside,
  button,
  compact,
  countOf,
  fixed,
  h,
  percent,
  plane,
  predictor,
  say,
  select,
  set,
  slider,
  spot,
  stop,
  widget,
} from "./lib/base.js";
import { attend } from "./mechanisms/attention.js";

const MODES = { soft: "Soft: softmax", hard: "Hard: largest takes all", fixed: "Your own weights" };
const COLUMNS = ["word", "score", "scaled", "exp", "weight", "share", "attend"];

const list = (vector, digits) =>
  `(${vector
    .slice(0, 4)
    .map((x) => fixed(x, digits))
    .join(", ")}${vector.length > 4 ? ", …" : ""})`;

// At most six terms of a sum.
const sum = (terms) => (terms.length > 6 ? [...terms.slice(0, 6), "…"] : terms).join(" + ");

const replace = (rows, i, row) => rows.map((old, j) => (i === j ? row : old));

export function sentence(state) {
  const { labels } = state;
  if (!state.revealed) {
    return `Outcome hidden: predict which of ${countOf(labels.length, "word")} gets the largest share, or skip.`;
  }
  if (!state.mask.some(Boolean)) return "Every word is masked, so all weights and the context are 0.";
  const { best, weights, context } = attend(state);
  return `“${labels[best]}” has the largest share, ${percent(weights[best])} of ${countOf(labels.length, "word")}; the context is ${list(context)}.`;
}

// Why the largest share is as large as it is: the lead in scaled score, turned into a ratio by exp.
function why({ mode, labels, mask }, { scaled, best }) {
  if (mode === "fixed") return "You set the weights by hand.";
  if (mode === "hard") return "The largest takes all, however small its lead.";
  const next = argmax(
    scaled,
    mask.map((may, i) => may && i !== best),
  );
  if (next < 0) return "No other word may be attended to.";
  const lead = scaled[best] - scaled[next];
  return `Its scaled score leads “${labels[next]}” by ${fixed(lead)}; softmax turns that into e^${fixed(lead)} = ${fixed(Math.exp(lead), 1)} times its share.`;
}

function build(view, body, tools) {
  const { change } = view;
  const now = () => view.state;
  const of = (kind, i) => (kind === "query" ? now().query : now()[kind][i]);
  const put = (kind, i, vector) =>
    change({ [kind]: kind === "query" ? vector : replace(now()[kind], i, vector) });
  const named = (kind, i) => (kind === "query" ? kind : `${kind} of ${now().labels[i]}`);
  let [out, rows, inputs, selected, laid, gridFor] = [null, [], [], 0, "", ""];

  // The two planes.
  const move = (kind, i, point) =>
    put(
      kind,
      i,
      of(kind, i).map((x, j) => point[j] ?? x),
    );
  const thing = (kind) => (_, index) => ({
    kind,
    index,
    vector: of(kind, index),
    name: named(kind, index),
    label: kind === "query" ? kind : now().labels[index],
  });
  const compare = plane(
    view,
    "Compare: query with keys",
    () => [...now().key.map(thing("key")), thing("query")(0, 0)],
    move,
  );
  const [chain, shaft, star, tag] = [
    h("polyline.chain"),
    h("path.arrow context"),
    h("path.star", { d: "M0-9l3 6h6l-5 4l2 7l-6-4l-6 4l2-7l-5-4h6z" }),
    h("text.name context", "context"),
  ];
  const mark = h("g", star, tag);
  const blend = plane(
    view,
    "Mix: values into the context",
    () => now().value.map(thing("value")),
    move,
    (group, unit) => {
      if (!mark.parentNode) group.append(chain, shaft, mark);
      set(group, { visibility: now().revealed ? null : "hidden" });
      let [x, y] = [0, 0];
      set(chain, {
        points: `0 0 ${out.weights
          .map((w, i) => {
            const [right, up = 0] = now().value[i];
            x += w * right * unit;
            y -= w * up * unit;
            return spot(x, y);
          })
          .join(" ")}`,
      });
      set(shaft, { d: arrow(x, y, 12) });
      set(mark, { transform: `translate(${spot(x, y)})` });
      beside(tag, x, y);
    },
  );

  // The table behind the pictures.
  const tbody = h("tbody");
  const totals = COLUMNS.map((_, c) => h(c ? "td" : "th", c ? "" : "sum"));
  const table = h(
    "table.steps",
    h("caption", "From score to weight"),
    h(
      "thead",
      h(
        "tr",
        COLUMNS.map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    tbody,
    h("tfoot", h("tr", totals)),
  );
  const layRows = () => {
    rows = now().labels.map((label, i) => {
      const cells = [1, 2, 3, 4].map(() => h("td"));
      const fill = h(".fill");
      const own =
        now().mode === "fixed" &&
        slider(0, 1, 0.01, () => change({ fixed: replace(now().fixed, i, +own.value) }), {
          "aria-label": `weight of ${label}`,
        });
      const tick = stop(
        h("input", {
          type: "checkbox",
          "aria-label": `may attend to ${label}`,
          onchange: () => change({ mask: replace(now().mask, i, tick.checked) }),
        }),
      );
      const name = button(
        label,
        () => {
          selected = i;
          sums.open = true;
          view.redraw();
        },
        { class: "ab-word", "aria-label": `${label}: show its arithmetic` },
      );
      const row = h(
        "tr",
        h("th", { scope: "row" }, name),
        cells,
        h("td", own || h(".bar", fill)),
        h("td", h("label.tick", tick)),
      );
      return [row, cells, fill, own, tick, name];
    });
    tbody.replaceChildren(...rows.map(([row]) => row));
  };

  const details = (text, ...inside) =>
    h("details.panel", { ontoggle: view.redraw }, stop(h("summary", text)), inside);

  // The arithmetic of the selected word, step by step.
  const steps = ["Score", "Scale", "Exponential", "Share", "Weighted sum"].map((name) => [name, h("span")]);
  const sums = details(
    "",
    h(
      "ol",
      steps.map(([name, text]) => h("li", h("b", `${name}: `), text)),
    ),
  );
  const drawSums = () => {
    const { query, key, value, labels, temperature, mode, mask } = now();
    const [i, off] = [selected, "masked, so it counts 0"];
    const [scaled, e] = [fixed(out.scaled[i], 3), fixed(out.exps[i], 4)];
    [
      `query · key = ${sum(query.map((q, j) => `${fixed(q)}×${fixed(key[i][j])}`))} = ${fixed(out.scores[i], 3)}`,
      `score × ${fixed(out.factor, 3)} ÷ temperature ${fixed(temperature)} = ${scaled}`,
      mask[i]
        ? `exp(${scaled} − ${fixed(out.largest, 3)}) = ${e}; taking the largest scaled score away first changes no share`
        : off,
      !mask[i]
        ? off
        : mode === "fixed"
          ? `${fixed(out.weights[i], 4)}, set by you`
          : mode === "hard"
            ? `the largest score takes all: ${out.weights[i]}`
            : `${e} ÷ (${sum(out.exps.filter((_, j) => mask[j]).map((x) => fixed(x, 3)))}) = ${e} ÷ ${fixed(out.total, 4)} = ${fixed(out.weights[i], 4)}`,
      `context = ${sum(labels.map((_, j) => `${fixed(out.weights[j], 3)}×${list(value[j])}`))} = ${list(out.context, 3)}`,
    ].forEach((text, k) => say(steps[k][1], text));
  };

  // Exact numbers: every row for a few words, else those of the selected word.
  const grid = h("");
  const numbers = details("The numbers", grid);
  numbers.open = Math.max(now().query.length, now().value[0].length) > 2;
  const layNumbers = () => {
    const words = now()
      .labels.map((_, i) => i)
      .filter((i) => rows.length <= 8 || i === selected);
    inputs = [];
    const line = (kind, i) =>
      h(
        `.line ${kind}`,
        h("span", named(kind, i)),
        of(kind, i).map((_, j) => {
          const input = stop(
            h("input", {
              type: "number",
              step: "any",
              "aria-label": `${named(kind, i)}, number ${j + 1}`,
              onchange() {
                const x = input.valueAsNumber;
                if (Math.abs(x) <= 1000) put(kind, i, replace(of(kind, i), j, compact(x)));
                else {
                  view.note("Expected −1000 to 1000: the number stays.");
                  input.value = of(kind, i)[j];
                }
              },
            }),
            1,
          );
          inputs.push(() => {
            const x = of(kind, i)[j];
            if (input !== document.activeElement || input.valueAsNumber !== x) input.value = x;
          });
          return input;
        }),
      );
    grid.replaceChildren(
      line("query", 0),
      ...words.map((i) => line("key", i)),
      ...words.map((i) => line("value", i)),
    );
  };

  // Controls.
  const modes = Object.entries(MODES).map(([mode, text]) =>
    button(
      text,
      () =>
        change({
          mode,
          fixed: now().fixed || out.weights.map((w) => compact(Math.round(w * 1e4) / 1e4)),
        }),
      { role: "radio", "data-mode": mode },
    ),
  );
  const heat = slider(-4, 4, 0.1, () => change({ temperature: Math.round(2 ** heat.value * 100) / 100 }));
  const read = h("output");
  const given = now().scale;
  const scale = select([["", ""], [1, "× 1"], ...(given && given !== 1 ? [[given, `× ${given}`]] : [])], {
    onchange: () => change({ scale: scale.value ? +scale.value : null }),
  });
  const full = button("Make them add up to 1", () => {
    const total = now().fixed.reduce((a, b) => a + b);
    if (total) change({ fixed: now().fixed.map((w) => compact(w / total)) });
    else view.note("Raise a weight first.");
  });
  tools.append(full);

  const guess = predictor(view, {
    ask: () => "Which word gets the largest share, and how much?",
    options: () => now().labels,
    outcome: () => [Math.max(0, out.best), out.weights[Math.max(0, out.best)]],
    why: () => why(now(), out),
  });
  body.append(
    guess.panel,
    h(".planes", compare.node, blend.node),
    h(".scroll", table),
    h(
      ".row",
      h(".modes", { role: "radiogroup", "aria-label": "weights" }, modes),
      h("label", "temperature ", heat, read),
      h("label", "scale ", scale),
    ),
    sums,
    numbers,
  );

  return {
    sentence: () => sentence(now()),
    reset() {
      selected = 0;
    },
    update() {
      const state = now();
      const { labels, mode, revealed, query, mask } = state;
      out = attend(state);
      const layout = JSON.stringify([labels, mode === "fixed", query.length, state.value[0].length]);
      if (layout !== laid) {
        laid = layout;
        selected = Math.min(selected, labels.length - 1);
        compare.build();
        blend.build();
        layRows();
        gridFor = "";
      }
      guess.draw();
      compare.draw();
      blend.draw((i) => revealed && `--w:${out.weights[i].toFixed(4)}`);
      const tell = (x, digits) => (revealed ? fixed(x, digits) : "?");
      rows.forEach(([row, cells, fill, own, tick, name], i) => {
        [tell(out.scores[i]), tell(out.scaled[i]), tell(out.exps[i], 3), tell(out.weights[i], 3)].forEach(
          (text, c) => say(cells[c], text),
        );
        set(fill, { style: revealed && `--w:${out.weights[i].toFixed(4)}` });
        if (own) own.value = state.fixed[i];
        tick.checked = mask[i];
        set(row, { "data-off": !mask[i] });
        set(name, { "aria-pressed": `${sums.open && i === selected}` });
      });
      const whole = out.weights.reduce((a, b) => a + b);
      say(totals[3], tell(out.total, 3));
      say(totals[4], tell(whole, 3));
      modes.forEach((one) => set(one, { "aria-checked": `${one.dataset.mode === mode}` }));
      heat.value = Math.log2(state.temperature);
      heat.disabled = mode !== "soft";
      say(read, fixed(state.temperature));
      set(heat, { "aria-valuetext": fixed(state.temperature) });
      say(scale.options[0], `÷ √${query.length}`);
      scale.value = state.scale ?? "";
      full.hidden = mode !== "fixed" || Math.abs(whole - 1) < 0.0005;
      sums.hidden = !revealed;
      say(sums.firstChild, `The arithmetic of “${labels[selected]}”`);
      if (sums.open) drawSums();
      const wanted = laid + (rows.length > 8 ? selected : "");
      if (numbers.open && wanted !== gridFor) {
        layNumbers();
        gridFor = wanted;
      }
      if (numbers.open) inputs.forEach((show) => show());
    },
  };
}

export default widget({ title: "Attention playground", build });
