// QKVPlayground: one query, a few keys and values, and every number between them and the context.

import { attend } from "./attention.js";
import { button, compact, fixed, h, percent, predictor, say, set, stop, widget } from "./base.js";

export { attend };

const SIZE = 320;
const MODES = [["soft", "Soft: softmax"], ["hard", "Hard: largest takes all"], ["fixed", "Your own weights"]];

// Arrow with head from the origin, in pixels: one attribute a frame.
function arrow(x, y, head = 9) {
  const length = Math.hypot(x, y);
  if (length < 1) return "M0 0h.01";
  const [ux, uy] = [x / length, y / length];
  const back = Math.min(head, length);
  const [bx, by] = [x - ux * back, y - uy * back];
  const w = back * 0.45;
  return `M0 0L${bx.toFixed(1)} ${by.toFixed(1)}M${x.toFixed(1)} ${y.toFixed(1)}L${(bx - uy * w).toFixed(1)} ${(by + ux * w).toFixed(1)}L${(bx + uy * w).toFixed(1)} ${(by - ux * w).toFixed(1)}z`;
}

// Shape of a handle, so that colour is never alone: circle, square, diamond.
const SHAPES = {
  query: "M-7 0a7 7 0 1 0 14 0a7 7 0 1 0-14 0z",
  key: "M-6-6h12v12h-12z",
  value: "M0-8L8 0L0 8L-8 0z",
};

// A plane with draggable vectors. things(): [{kind, index, name, label, vector}].
function plane(view, title, things, move, more) {
  const svg = h("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "ab-plane", role: "group", "aria-label": title });
  const grid = h("g", { class: "ab-grid" });
  const extra = h("g", {});
  const arrows = h("g", {});
  const handles = h("g", {});
  svg.append(h("g", { transform: `translate(${SIZE / 2} ${SIZE / 2})` }, grid, extra, arrows, handles));
  let marks = [];
  let span = 0;
  let dragged = null;
  const unit = () => SIZE / 2 / span;
  const fit = () => {
    const most = Math.max(0.5, ...things().flatMap(({ vector }) => [Math.abs(vector[0]), Math.abs(vector[1] || 0)]));
    if (span && most <= span * 0.97 && most > span * 0.3) return;
    span = most * 1.3;
    const step = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].find((s) => span / s <= 4) || span / 4;
    const lines = [];
    for (let k = Math.ceil(-span / step); k <= span / step; k += 1) {
      const at = (k * step * unit()).toFixed(1);
      const axis = k === 0 && "ab-axis";
      lines.push(h("path", { d: `M${at} ${-SIZE / 2}V${SIZE / 2}M${-SIZE / 2} ${at}H${SIZE / 2}`, class: axis }));
      if (k) lines.push(h("text", { x: at, y: 12, class: "ab-num" }, fixed(k * step, step < 1 ? 1 : 0)));
    }
    grid.replaceChildren(...lines);
  };
  const place = (mark, vector) => move(mark.kind, mark.index, vector);
  const nudge = (mark, event) => {
    const step = event.shiftKey ? 0.01 : 0.1;
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    if (!by || !view.held(mark.node)) return;
    event.preventDefault();
    const [x, y = 0] = things()[mark.at].vector;
    place(mark, [x + by[0], y + by[1]]);
  };
  const build = () => {
    marks = things().map(({ kind, index, name, label }, at) => {
      const line = h("path", { class: `ab-arrow ab-${kind}` });
      const text = h("text", { class: `ab-name ab-${kind}`, "aria-hidden": "true" }, label);
      const node = stop(h("g", {
        class: `ab-handle ab-${kind}`, role: "slider", "aria-label": name, "aria-roledescription": "vector handle",
      }, h("circle", { r: 24, class: "ab-hit" }), h("path", { d: SHAPES[kind] }), text), true);
      const mark = { kind, index, at, line, node, text };
      node.addEventListener("keydown", (event) => nudge(mark, event));
      return mark;
    });
    arrows.replaceChildren(...marks.map((mark) => mark.line));
    handles.replaceChildren(...marks.map((mark) => mark.node));
    set(svg, { "data-many": marks.length > 13 });
  };
  const point = (event) => {
    const box = svg.getBoundingClientRect();
    const scale = (2 * span) / box.width;
    return [(event.clientX - box.left) * scale - span, span - (event.clientY - box.top) * scale];
  };
  svg.addEventListener("pointerdown", (event) => {
    const [x, y] = point(event);
    const near = things().map(({ vector }) => Math.hypot(vector[0] - x, (vector[1] || 0) - y));
    const at = near.indexOf(Math.min(...near));
    if (near[at] * unit() > 30) return;
    dragged = marks[at];
    dragged.node.focus({ preventScroll: true });
    svg.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  svg.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const limit = (x) => Math.max(-span, Math.min(span, Math.round(x * 100) / 100));
    place(dragged, point(event).map(limit));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    svg.addEventListener(end, () => {
      if (dragged) view.redraw();
      dragged = null;
    });
  }
  return {
    node: h("figure", { class: "ab-figure", "data-group": "" }, h("figcaption", {}, title), svg),
    build,
    draw(strength) {
      if (!dragged) fit();
      const u = unit();
      things().forEach(({ vector, index }, at) => {
        const { line, node, text, kind } = marks[at];
        const [x, y] = [vector[0] * u, -(vector[1] || 0) * u];
        set(line, { d: arrow(x, y), style: strength && kind !== "query" ? strength(index) : null });
        set(node, {
          transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})`,
          "aria-valuenow": fixedPlain(vector[0]), "aria-valuemin": -1000, "aria-valuemax": 1000,
          "aria-valuetext": `${fixed(vector[0])} across, ${fixed(vector[1] || 0)} up`,
        });
        set(text, { x: x < 0 ? -12 : 12, y: y > 0 ? 16 : -8, "text-anchor": x < 0 ? "end" : "start" });
      });
      more?.(extra, u);
    },
  };
}

const fixedPlain = (x) => x.toFixed(2);

const list = (vector, digits = 2) =>
  `(${vector.slice(0, 4).map((x) => fixed(x, digits)).join(", ")}${vector.length > 4 ? ", …" : ""})`;

export function check(state) {
  const finite = (x) => typeof x === "number" && Number.isFinite(x);
  const row = (v, n) => Array.isArray(v) && v.length && (!n || v.length === n) && v.every(finite);
  const share = (x) => finite(x) && x >= 0 && x <= 1;
  if (!row(state.query)) return "query is not a list of numbers";
  const { key, value, labels, mask, prediction } = state;
  if (!Array.isArray(key) || !key.length || key.length > 128 || !key.every((k) => row(k, state.query.length))) {
    return "key does not have one row of numbers a word, as long as query";
  }
  const n = key.length;
  if (!Array.isArray(value) || value.length !== n || !row(value[0]) || !value.every((v) => row(v, value[0].length))) {
    return "value does not have one row of numbers a word";
  }
  if (!Array.isArray(labels) || labels.length !== n || !labels.every((l) => typeof l === "string" && l.trim())) {
    return "labels are not one word for each key";
  }
  if (!Array.isArray(mask) || mask.length !== n || !mask.every((m) => typeof m === "boolean")) {
    return "mask is not one true or false for each key";
  }
  if (!finite(state.temperature) || state.temperature < 0.01 || state.temperature > 100) {
    return "temperature is not between 0.01 and 100";
  }
  if (!MODES.some(([mode]) => mode === state.mode)) return "mode is not soft, hard or fixed";
  if (state.scale !== null && !finite(state.scale)) return "scale is not a number";
  if (state.fixed !== null && !(row(state.fixed, n) && state.fixed.every(share))) return "weights are not shares";
  if (state.mode === "fixed" && !state.fixed) return "weights are missing";
  if (typeof state.revealed !== "boolean") return "revealed is not true or false";
  if (prediction !== null) {
    const word = (i) => Number.isInteger(i) && i >= 0 && i < n;
    if (!prediction || !word(prediction.choice) || !word(prediction.answer) || !share(prediction.share) || !share(prediction.actual)) {
      return "prediction is not a word and a share";
    }
  }
  return "";
}

// Half for the right word, half for how near the share was: as qkv_playground.py computes it.
export const grade = ({ choice, share, answer, actual }) =>
  Math.floor(((choice === answer ? 0.5 : 0) + 0.5 * (1 - Math.abs(share - actual))) * 100 + 0.5) / 100;

export function sentence(state) {
  const { labels } = state;
  if (!state.revealed) {
    return `The outcome is hidden: predict which of ${labels.length} words gets the largest share, or skip.`;
  }
  if (!state.mask.some(Boolean)) return "Every word is masked, so every weight is 0 and the context is 0.";
  const { best, weights, context } = attend(state);
  return `“${labels[best]}” has the largest share, ${percent(weights[best])} of ${labels.length} words; the context is ${list(context)}.`;
}

// Why the largest share is as large as it is: the lead in scaled score, turned into a ratio by exp.
function why(state, out) {
  const { labels, mask } = state;
  if (state.mode === "fixed") return "The weights are set by hand here, whatever the scores say.";
  if (state.mode === "hard") return "In hard mode the largest score takes all, however small its lead.";
  const others = mask.map((m, i) => m && i !== out.best);
  const next = out.scaled.reduce((best, s, i) => (others[i] && (best < 0 || s > out.scaled[best]) ? i : best), -1);
  if (next < 0) return "No other word may be attended to, so it takes everything.";
  const lead = out.scaled[out.best] - out.scaled[next];
  return `Its scaled score leads “${labels[next]}” by ${fixed(lead)}, and softmax turns a lead of ${fixed(lead)} into a share e^${fixed(lead)} = ${fixed(Math.exp(lead), 1)} times as large.`;
}

function build(view, body, tools) {
  let out;
  let selected = 0;
  let laid = ""; // what the elements were made for
  let open = { sums: false, numbers: view.state.query.length > 2 || view.state.value[0].length > 2 };
  const { change } = view;
  const replace = (rows, i, row) => rows.map((old, j) => (i === j ? row : old));
  const move = (kind, index, [x, y]) => {
    const old = kind === "query" ? view.state.query : view.state[kind][index];
    const vector = [x, y, ...old.slice(2)].slice(0, old.length).map((z) => compact(Math.round(z * 1e4) / 1e4));
    change({ [kind]: kind === "query" ? vector : replace(view.state[kind], index, vector) });
  };
  const words = (kind) => view.state[kind].map((vector, index) => ({
    kind, index, vector, name: `${kind} of ${view.state.labels[index]}`, label: view.state.labels[index],
  }));
  const context = h("path", { class: "ab-arrow ab-context" });
  const chain = h("polyline", { class: "ab-chain" });
  const mark = h("path", { class: "ab-star", d: "M0-9L2.6-3L9-3L4 1.5L6 8L0 4L-6 8L-4 1.5L-9-3L-2.6-3z" });
  const tag = h("text", { class: "ab-name ab-context" }, "context");
  const mix = (group, u) => {
    if (!chain.parentNode) group.append(chain, context, mark, tag);
    set(group, { visibility: view.state.revealed ? null : "hidden" });
    let [x, y] = [0, 0];
    const steps = out.weights.map((w, i) => {
      x += w * view.state.value[i][0] * u;
      y -= w * (view.state.value[i][1] || 0) * u;
      return `${x.toFixed(1)} ${y.toFixed(1)}`;
    });
    set(chain, { points: `0 0 ${steps.join(" ")}` });
    set(context, { d: arrow(x, y, 12) });
    set(mark, { transform: `translate(${x.toFixed(1)} ${y.toFixed(1)})` });
    set(tag, { x: x + (x < 0 ? -14 : 14), y: y + (y > 0 ? 20 : -12), "text-anchor": x < 0 ? "end" : "start" });
  };
  const compare = plane(view, "Compare: the query and the keys",
    () => [...words("key"), { kind: "query", index: 0, vector: view.state.query, name: "query", label: "query" }], move);
  const blend = plane(view, "Mix: the values and their weighted sum, the context", () => words("value"), move, mix);

  // The table behind the picture, and the picture in the table.
  const head = ["word", "score", "scaled", "exp", "weight", "", "may attend"];
  const tbody = h("tbody", {});
  const foot = h("tr", {});
  const table = h("table", { class: "ab-table" },
    h("caption", {}, "One row a word: from its score to its weight"),
    h("thead", {}, h("tr", {}, head.map((name, i) => h(name ? "th" : "td", { scope: name ? "col" : null, class: `ab-c${i}` }, name)))),
    tbody, h("tfoot", {}, foot));
  let rows = [];
  const layRows = () => {
    const { labels, mode } = view.state;
    rows = labels.map((label, i) => {
      const cells = [1, 2, 3, 4].map((c) => h("td", { class: `ab-c${c}` }));
      const fill = h("div", { class: "ab-fill" });
      const own = mode === "fixed" && stop(h("input", {
        type: "range", min: 0, max: 1, step: 0.01, "aria-label": `weight of ${label}`,
        oninput: () => change({ fixed: replace(view.state.fixed, i, +own.value) }),
      }), true);
      const tick = stop(h("input", {
        type: "checkbox", "aria-label": `the query may attend to ${label}`,
        onchange: () => change({ mask: replace(view.state.mask, i, tick.checked) }),
      }));
      const name = button(label, () => {
        selected = i;
        open.sums = true;
        view.redraw();
      }, { class: "ab-word", "aria-label": `${label}: show its arithmetic` });
      const row = h("tr", {}, h("th", { scope: "row", class: "ab-c0" }, name), cells,
        h("td", { class: "ab-c5" }, own || h("div", { class: "ab-bar" }, fill)),
        h("td", { class: "ab-c6" }, h("label", { class: "ab-tick" }, tick)));
      return { row, cells, fill, own, tick, name };
    });
    tbody.replaceChildren(...rows.map(({ row }) => row));
  };

  // The arithmetic of the selected word, step by step.
  const steps = ["Score", "Scale", "Exponential", "Share", "Weighted sum"].map((name) => {
    const text = h("span", {});
    return { item: h("li", {}, h("b", {}, `${name}: `), text), text };
  });
  const sumsTitle = h("h4", {});
  const sums = h("div", { class: "ab-sums" }, sumsTitle, h("ol", {}, steps.map(({ item }) => item)));
  const drawSums = () => {
    const { query, key, value, labels, temperature, mode, mask } = view.state;
    const i = selected;
    const some = (terms) => (terms.length > 6 ? [...terms.slice(0, 6), "…"] : terms);
    say(sumsTitle, `The five steps for “${labels[i]}”`);
    say(steps[0].text, `query · key = ${some(query.map((q, j) => `${fixed(q)}×${fixed(key[i][j])}`)).join(" + ")} = ${fixed(out.scores[i], 3)}`);
    say(steps[1].text, `score × ${fixed(out.factor, 3)} ÷ temperature ${fixed(temperature)} = ${fixed(out.scaled[i], 3)}`);
    const masked = "masked: it counts 0";
    say(steps[2].text, mask[i]
      ? `exp(${fixed(out.scaled[i], 3)} − ${fixed(out.top, 3)}) = ${fixed(out.exps[i], 4)}; the largest scaled score is subtracted first, which changes no share`
      : masked);
    const share = fixed(out.weights[i], 4);
    const total = some(out.exps.filter((_, j) => mask[j]).map((e) => fixed(e, 3))).join(" + ");
    say(steps[3].text, !mask[i] ? masked
      : mode === "fixed" ? `${share}, set by you`
      : mode === "hard" ? `${i === out.best ? "the largest score takes all: 1" : "another score is larger: 0"}`
      : `${fixed(out.exps[i], 4)} ÷ (${total}) = ${fixed(out.exps[i], 4)} ÷ ${fixed(out.total, 4)} = ${share}`);
    say(steps[4].text, `context = ${some(labels.map((_, j) => `${fixed(out.weights[j], 3)}×${list(value[j])}`)).join(" + ")} = ${list(out.context, 3)}`);
  };

  // Exact numbers: every row for a few words, else the selected word's.
  const numbers = h("div", { class: "ab-numbers" });
  let inputs = [];
  const layNumbers = () => {
    const { query, labels, key, value } = view.state;
    const shown = labels.length <= 8 ? labels.map((_, i) => i) : [selected];
    const line = (kind, i, vector) => h("div", { class: `ab-line ab-${kind}` },
      h("span", {}, kind === "query" ? "query" : `${kind} of ${labels[i]}`),
      vector.map((_, j) => {
        const input = stop(h("input", {
          type: "number", step: "any", "aria-label": `${kind === "query" ? "query" : `${kind} of ${labels[i]}`}, number ${j + 1}`,
          onchange: () => {
            const x = input.valueAsNumber;
            if (!Number.isFinite(x) || Math.abs(x) > 1000) {
              view.note(`“${input.value}” is not a number from −1000 to 1000; the old one stays.`);
              draw();
              return;
            }
            const now = kind === "query" ? view.state.query : view.state[kind][i];
            const next = replace(now, j, compact(x));
            change({ [kind]: kind === "query" ? next : replace(view.state[kind], i, next) });
          },
        }), true);
        inputs.push({ input, get: () => (kind === "query" ? view.state.query : view.state[kind][i])[j] });
        return input;
      }));
    inputs = [];
    numbers.replaceChildren(h("h4", {}, shown.length < labels.length ? `The numbers of the query and of “${labels[selected]}”` : "The numbers"),
      line("query", 0, query), ...shown.map((i) => line("key", i, key[i])), ...shown.map((i) => line("value", i, value[i])));
    const draw = () => inputs.forEach(({ input, get }) => {
      input.value = get();
    });
  };

  // Controls.
  const modes = MODES.map(([mode, text]) => button(text, () => change({
    mode,
    fixed: mode === "fixed" && !view.state.fixed
      ? attend({ ...view.state, mode: "soft" }).weights.map((w) => Math.round(w * 1e4) / 1e4) : view.state.fixed,
  }), { role: "radio", "aria-checked": "false" }));
  const heat = stop(h("input", {
    type: "range", min: -4, max: 4, step: 0.1, "aria-label": "temperature",
    oninput: () => change({ temperature: compact(Math.round(2 ** heat.value * 100) / 100) }),
  }), true);
  const heatText = h("output", {});
  const given = view.state.scale;
  const scales = [["", ""], ["1", "× 1 (none)"], ...(given !== null && given !== 1 ? [[String(given), `× ${given}`]] : [])];
  const scale = stop(h("select", {
    "aria-label": "scale of the scores",
    onchange: () => change({ scale: scale.value === "" ? null : +scale.value }),
  }, scales.map(([value, text]) => h("option", { value }, text))), true);
  const controls = h("div", { class: "ab-row ab-controls", "data-group": "" },
    h("div", { class: "ab-modes", role: "radiogroup", "aria-label": "how weights are made" }, modes),
    h("label", {}, "temperature ", heat, heatText),
    h("label", {}, "scale ", scale));
  const toggle = (name, text) => button(text, () => {
    open = { ...open, [name]: !open[name] };
    view.redraw();
  }, { "aria-expanded": "false" });
  const toggles = { sums: toggle("sums", "Show the arithmetic"), numbers: toggle("numbers", "Edit the numbers") };
  const full = button("Make them add up to 1", () => {
    const total = view.state.fixed.reduce((a, b) => a + b, 0);
    if (total) change({ fixed: view.state.fixed.map((w) => compact(w / total)) });
    else view.note("All weights are 0: raise one first.");
  });
  tools.append(toggles.sums, toggles.numbers, full);

  const guess = predictor(view, {
    ask: () => "Before you look: which word will get the largest share, and how much?",
    options: () => view.state.labels,
    share: true,
    commit: (choice, share) => {
      const { best, weights } = attend(view.state);
      const prediction = { choice, share, answer: Math.max(0, best), actual: compact(weights[Math.max(0, best)]) };
      change({ prediction, revealed: true, score: grade(prediction) });
    },
    skip: () => change({ prediction: null, revealed: true, score: null }),
    again: () => change({ prediction: null, revealed: false, score: null }),
    verdict: () => {
      const { prediction, labels, score } = view.state;
      if (!prediction) return "";
      const { choice, share, answer, actual } = prediction;
      const off = Math.abs(Math.round(100 * share) - Math.round(100 * actual));
      const said = choice === answer ? "You named the right word" : `You said “${labels[choice]}”; it was “${labels[answer]}”`;
      const still = out.best === answer && Math.abs(out.weights[answer] - actual) < 0.005;
      return `${said}, with ${percent(actual)} where you said ${percent(share)}: ${off} points off, score ${fixed(score)}. ${still ? why(view.state, out) : ""}`;
    },
  });
  body.append(guess.panel, h("div", { class: "ab-planes" }, compare.node, blend.node),
    h("div", { class: "ab-scroll", "data-group": "" }, table), controls, sums, numbers);

  return {
    sentence: () => sentence(view.state),
    reset() {
      selected = 0;
    },
    update() {
      const { state } = view;
      out = attend(state);
      const many = state.labels.length > 8;
      const layout = JSON.stringify([state.labels, state.mode === "fixed", state.query.length, state.value[0].length]);
      if (layout !== laid) {
        laid = layout;
        selected = Math.min(selected, state.labels.length - 1);
        compare.build();
        blend.build();
        layRows();
        numbers.dataset.for = "";
      }
      const hide = !state.revealed;
      set(view.root, { "data-hidden": hide });
      guess.draw();
      compare.draw();
      blend.draw((i) => (hide ? null : `opacity:${(0.25 + 0.75 * out.weights[i]).toFixed(2)};stroke-width:${(1.5 + 4 * out.weights[i]).toFixed(1)}`));
      rows.forEach(({ row, cells, fill, own, tick, name }, i) => {
        const on = state.mask[i];
        const shown = hide ? ["?", "?", "?", "?"]
          : [fixed(out.scores[i]), fixed(out.scaled[i]), on ? fixed(out.exps[i], 3) : "0", fixed(out.weights[i], 3)];
        cells.forEach((cell, c) => say(cell, shown[c]));
        fill.style.transform = `scaleX(${hide ? 0 : out.weights[i].toFixed(4)})`;
        if (own) own.value = state.fixed[i];
        tick.checked = on;
        set(row, { "data-off": !on, "data-on": open.sums && i === selected });
        set(name, { "aria-pressed": open.sums && i === selected });
      });
      const sum = out.weights.reduce((a, b) => a + b, 0);
      const total = hide ? "?" : fixed(sum, 3);
      if (!foot.firstChild) {
        foot.append(h("th", { scope: "row", class: "ab-c0" }, "sum"), ...[1, 2].map((c) => h("td", { class: `ab-c${c}` })),
          h("td", { class: "ab-c3" }), h("td", { class: "ab-c4" }), h("td", { class: "ab-c5" }), h("td", { class: "ab-c6" }));
      }
      say(foot.children[3], hide ? "?" : fixed(out.total, 3));
      say(foot.children[4], total);
      say(foot.children[5], hide ? "" : `context ${list(out.context)}`);
      modes.forEach((one, m) => set(one, { "aria-checked": MODES[m][0] === state.mode ? "true" : "false" }));
      heat.value = Math.log2(state.temperature);
      heat.disabled = state.mode !== "soft";
      say(heatText, fixed(state.temperature));
      set(heat, { "aria-valuetext": fixed(state.temperature) });
      say(scale.options[0], `÷ √${state.query.length} = × ${fixed(state.query.length ** -0.5)}`);
      scale.value = state.scale === null ? "" : String(state.scale);
      full.hidden = state.mode !== "fixed" || Math.abs(sum - 1) < 0.0005;
      sums.hidden = !open.sums || hide;
      if (!sums.hidden) drawSums();
      numbers.hidden = !open.numbers;
      if (open.numbers) {
        const want = `${laid}${many ? selected : ""}`;
        if (numbers.dataset.for !== want) {
          layNumbers();
          numbers.dataset.for = want;
        }
        inputs.forEach(({ input, get }) => {
          if (input !== document.activeElement || +input.value !== get()) input.value = get();
        });
      }
      for (const [name, node] of Object.entries(toggles)) set(node, { "aria-expanded": String(open[name]) });
      toggles.sums.disabled = hide;
    },
  };
}

export default widget({ name: "QKVPlayground", title: "Attention playground", check, build });
