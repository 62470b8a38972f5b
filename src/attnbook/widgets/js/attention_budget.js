// AttentionBudget: the sizes of a language model, and what its attention keeps, moves and computes.

import { button, countOf, fixed, h, say, select, set, slider, stop, widget } from "./lib/base.js";
import {
  cacheBytes,
  fullestThatFits,
  KINDS,
  keptPerToken,
  layerCache,
  layers,
  operations,
  patternSizes,
  promptOperations,
  receptiveField,
  THINNER,
  tokensKept,
  trafficBytes,
} from "./mechanisms/budget.js";

const NONE_FITS = "none of them";
const ANSWERS = [...Object.keys(THINNER), NONE_FITS];
const OWN = "Your own sizes";
const MEMORIES = [8, 16, 24, 48, 80, 141];
// What a reader may set beside the pattern: part, text, and whether it is of use.
const SIZES = [
  ["n_layers", "layers"],
  ["n_heads", "heads of queries"],
  ["n_kv_heads", "heads of keys and values", ({ latent }) => !latent],
  ["head_size", "numbers a head", ({ latent }) => !latent],
  ["latent", "latent vector (0: none)"],
  ["rotary", "rotary key", ({ latent }) => latent],
  ["window", "window", ({ pattern }) => pattern.includes("W")],
  ["chosen", "chosen tokens", ({ pattern }) => pattern.includes("C")],
  ["state", "numbers in a state", ({ pattern }) => pattern.includes("L")],
];
const PATTERNS = {
  ...THINNER,
  "3 linear, 1 full": "LLLF",
  "all linear": "L",
  "chosen tokens": "C",
};

const grouped = (x) => String(x).replace(/\B(?=(\d{3})+$)/g, ",");
const scaled = (count, units) => {
  let [left, at] = [count, 0];
  while (left >= 1000 && at < units.length - 1) {
    left /= 1000;
    at += 1;
  }
  return fixed(left, 1) + units[at];
};
export const inBytes = (count) => scaled(count, [" B", " kB", " MB", " GB", " TB"]);
export const inWords = (count) =>
  scaled(count, ["", " thousand", " million", " billion", " trillion", " quadrillion"]);
const gigabytes = (memory) => `${+memory.toPrecision(6)}`;

export const nameOf = (shape, models) =>
  Object.keys(models).find((name) =>
    Object.keys(shape).every((part) => part === "bits" || shape[part] === models[name][part]),
  ) || OWN;

export const grade = (choice, answer) =>
  (5 - Math.abs(ANSWERS.indexOf(choice) - ANSWERS.indexOf(answer))) / 5;

function agree({ shape }) {
  for (const part of ["n_kv_heads", "full_kv_heads"])
    if (shape[part] && shape.n_heads % shape[part]) return `${part} does not divide n_heads`;
  if (/[^FWCL]/.test(shape.pattern)) return "pattern has other letters than F, W, C and L";
  return layers(shape).includes("L") && !shape.state ? "state is 0 and there are linear layers" : "";
}

export function sentence({ shape, length, memory, revealed }, models) {
  const text = `${nameOf(shape, models)}, ${countOf(length, "token", grouped(length))} at ${countOf(shape.bits, "bit")}`;
  if (!revealed) return `${text}: what its cache takes is hidden; predict which pattern fits, or skip.`;
  const cache = cacheBytes(shape, length);
  const fits = cache <= memory * 1e9 ? "fits" : "does not fit";
  const reach = receptiveField(shape, length);
  return `${text}: a cache of ${inBytes(cache)}, which ${fits} in ${gigabytes(memory)} GB; the newest token takes ${inWords(operations(shape, length))} operations and moves ${inBytes(trafficBytes(shape, length))}; ${countOf(reach, "token", grouped(reach))} can change it.`;
}

function build(view, body) {
  const models = view.model.get("named");
  const now = () => view.state;
  // A change of the shape, or why it cannot be.
  const reshape = (patch) => {
    const shape = { ...now().shape, ...patch };
    // Latent layers are alike, and a shape of the reader's own has no layers of another size.
    if (!("pattern" in patch || "bits" in patch))
      Object.assign(shape, { full_kv_heads: 0, full_head_size: 0 });
    if (layers(shape).includes("L") && !shape.state)
      shape.state = Math.min(2 ** 24, shape.n_heads * shape.head_size ** 2);
    const fault = view.fault({ ...now(), shape });
    view.note(fault && `Not possible: ${fault.replace(/^shape is not.*/, "a size is out of range")}.`);
    if (fault) view.redraw();
    else view.change({ shape });
  };

  // The guess.
  const none = { prediction: null, score: null };
  const [ask, told] = [h("p.ask"), h("p", { role: "status" })];
  const guess = select(
    ANSWERS.map((name) => [name, name]),
    { "aria-label": "The first that fits" },
  );
  const commit = () => {
    const { shape, length, memory } = now();
    const answer = fullestThatFits(shape, length, memory * 1e9) || NONE_FITS;
    view.change({
      prediction: { choice: guess.value, answer },
      score: grade(guess.value, answer),
      revealed: true,
    });
  };
  const form = h(
    "",
    ask,
    h(
      ".row",
      guess,
      button("Commit", commit, { class: "ab-main" }),
      button("Skip", () => view.change({ ...none, revealed: true })),
    ),
  );
  const again = h(
    "",
    told,
    button("Predict again", () => view.change({ ...none, revealed: false })),
  );

  // What is chosen.
  const named = [...Object.keys(models), OWN];
  const model = select(
    named.map((name) => [name, name]),
    {
      onchange: () => {
        const to = models[model.value];
        if (to) view.change({ shape: { ...to, bits: now().shape.bits } });
        else view.redraw();
      },
    },
  );
  const pattern = select([], { onchange: () => reshape({ pattern: pattern.value }) });
  const range = slider(0, 20, 0.25, () => view.change({ length: Math.round(2 ** range.value) }), {
    class: "ab-bu-length",
  });
  const read = h("output");
  const bits = select(
    [32, 16, 8, 4].map((count) => [count, `${count} bits`]),
    { onchange: () => reshape({ bits: +bits.value }) },
  );
  const memory = select([], { onchange: () => view.change({ memory: +memory.value }) });
  // The options of a select, and beside them what the kernel or a link may have set.
  const offer = (node, options, value, text) => {
    const all = options.some(([one]) => `${one}` === `${value}`) ? options : [...options, [value, text]];
    const key = JSON.stringify(all);
    if (node.dataset.key !== key) {
      node.dataset.key = key;
      node.replaceChildren(...all.map(([one, name]) => h("option", { value: one }, name)));
    }
    node.value = value;
  };
  const sizes = SIZES.map(([part, text, of]) => {
    const input = stop(
      h("input", { type: "number", min: 0, step: 1, onchange: () => reshape({ [part]: +input.value }) }),
      1,
    );
    const label = h("label", `${text} `, input);
    return [
      label,
      (shape) => {
        label.hidden = of && !of(shape);
        if (document.activeElement !== input || !view.held(input)) input.value = shape[part];
      },
    ];
  });

  // The bars: one path a kind of layer. The tables have the numbers.
  const title = h("figcaption", "");
  const paths = Object.keys(KINDS).map((kind) => h(`path.bu-${kind}`));
  const bars = h("svg", { class: "ab-bu-bars", preserveAspectRatio: "none", "aria-hidden": true }, paths);
  const legend = h("p.bu-legend");
  const drawBars = (shape, length) => {
    const all = [...layers(shape)];
    const tall = (kind) => layerCache(shape, kind, length);
    const most = Math.max(...all.map(tall));
    set(bars, { viewBox: `0 0 ${all.length} 100` });
    Object.keys(KINDS).forEach((kind, i) => {
      const top = 100 - Math.max(1.5, (96 * tall(kind)) / most);
      const bar = (one, at) => (one === kind ? `M${at + 0.12} 100V${top.toFixed(2)}H${at + 0.88}V100z` : "");
      set(paths[i], { d: all.map(bar).join("") });
    });
    say(
      title,
      `What ${all.length > 1 ? `each of ${all.length} layers` : "the one layer"} keeps of ${countOf(length, "token", grouped(length))}`,
    );
    legend.replaceChildren(
      ...Object.entries(KINDS)
        .filter(([kind]) => all.includes(kind))
        .map(([kind, name]) => {
          const count = all.filter((one) => one === kind).length;
          return h(
            "span",
            h(
              "svg",
              { viewBox: "0 0 20 20", "aria-hidden": true },
              h(`path.bu-${kind}`, { d: "M2 19V3H18V19z" }),
            ),
            `${name}: ${count} × ${inBytes(tall(kind))}`,
          );
        }),
    );
  };

  // What follows.
  const facts = [
    "cache",
    "share of the memory",
    "operations, newest token",
    "bytes moved, newest token",
    "operations, the whole text",
    "tokens that can change the newest",
  ].map((name) => [name, h("td")]);
  const factTable = h(
    "table.bu-facts",
    h("caption", "All layers"),
    h(
      "tbody",
      facts.map(([name, cell]) => h("tr", h("th", { scope: "row" }, name), cell)),
    ),
  );
  const others = Object.keys(THINNER).map((name) => [name, h(".fill"), h("output"), h("td")]);
  const otherTable = h(
    "table.bu-others",
    h("caption"),
    h(
      "tbody",
      others.map(([name, fill, size, fits]) =>
        h("tr", h("th", { scope: "row" }, name), h("td", h(".bar", fill), size), fits),
      ),
    ),
  );
  const kinds = h("tbody");
  const kindTable = h(
    "table.bu-kinds",
    h(
      "thead",
      h(
        "tr",
        ["layer", "how many", "numbers a token", "tokens kept", "bytes a layer", "bytes in all"].map((name) =>
          h("th", { scope: "col" }, name),
        ),
      ),
    ),
    kinds,
  );
  const drawKinds = (shape, length) => {
    const all = [...layers(shape)];
    kinds.replaceChildren(
      ...Object.entries(KINDS)
        .filter(([kind]) => all.includes(kind))
        .map(([kind, name]) => {
          const count = all.filter((one) => one === kind).length;
          const size = layerCache(shape, kind, length);
          const linear = kind === "L";
          return h(
            "tr",
            h("th", { scope: "row" }, name),
            [
              count,
              linear ? `${grouped(shape.state)} in all` : grouped(keptPerToken(shape, kind)),
              linear ? "–" : grouped(tokensKept(shape, kind, length)),
              inBytes(size),
              inBytes(count * size),
            ].map((text) => h("td", `${text}`)),
          );
        }),
    );
  };

  const result = h(
    "",
    h(".row", h("label", "model ", model), h("label", "pattern ", pattern)),
    h(
      ".row",
      h("label", "text ", range, read),
      h("label", "numbers of ", bits),
      h("label", "memory ", memory),
    ),
    h("figure", title, h(".bu-frame", bars), legend),
    h(".bu-sides", factTable, otherTable),
    h(
      "details.panel",
      { ontoggle: view.redraw },
      stop(h("summary", "The sizes")),
      h(
        ".row",
        sizes.map(([label]) => label),
      ),
    ),
    h("details.panel", stop(h("summary", "The numbers of each kind of layer")), h(".hx-scroll", kindTable)),
  );
  body.append(h(".predict", form, again), result);

  return {
    sentence: () => sentence(now(), models),
    update() {
      const { shape, length, memory: limit, prediction, revealed, score } = now();
      const name = nameOf(shape, models);
      form.hidden = revealed;
      again.hidden = !revealed;
      result.hidden = !revealed;
      const [windowed, full] = ["W", "F"].map((kind) => keptPerToken(shape, kind));
      const numbers = countOf(full, "number", grouped(full));
      say(
        ask,
        `${name}: of a token one layer keeps ${full === windowed ? numbers : `${numbers} with full attention and ${grouped(windowed)} with a window`}, of ${countOf(shape.bits, "bit")} each; there ${shape.n_layers > 1 ? "are" : "is"} ${countOf(shape.n_layers, "layer")}. Windows of ${countOf(shape.window, "token", grouped(shape.window))} could replace some of the full ones. From the fullest pattern to the thinnest: which is the first whose cache of ${countOf(length, "token", grouped(length))} fits in ${gigabytes(limit)} GB?`,
      );
      say(
        told,
        prediction
          ? `${prediction.choice === prediction.answer ? "Right" : `You said ${prediction.choice}`}: ${prediction.answer}. Score ${fixed(score, 1)}.`
          : "",
      );
      if (!revealed) return;

      model.value = name;
      const shown = Object.entries(PATTERNS).map(([text, letters]) => [letters, text]);
      offer(pattern, shown, shape.pattern, "as the model has it");
      range.value = Math.log2(length);
      const many = countOf(length, "token", grouped(length));
      set(range, { "aria-valuetext": many });
      say(read, many);
      offer(
        bits,
        [32, 16, 8, 4].map((count) => [count, `${count} bits`]),
        shape.bits,
        countOf(shape.bits, "bit"),
      );
      offer(
        memory,
        MEMORIES.map((size) => [size, `${size} GB`]),
        limit,
        `${gigabytes(limit)} GB`,
      );
      for (const [, show] of sizes) show(shape);

      drawBars(shape, length);
      const cache = cacheBytes(shape, length);
      const share = cache / (limit * 1e9);
      [
        inBytes(cache),
        share < 10 ? `${Math.floor(share * 100 + 0.5)} %` : `${grouped(Math.round(share))} ×`,
        inWords(operations(shape, length)),
        inBytes(trafficBytes(shape, length)),
        inWords(promptOperations(shape, length)),
        grouped(receptiveField(shape, length)),
      ].forEach((text, i) => say(facts[i][1], text));
      const patterns = patternSizes(shape, length);
      const most = patterns[0][1];
      say(otherTable.firstChild, `The same sizes, windows of ${grouped(shape.window)}`);
      patterns.forEach(([, size], i) => {
        const [, fill, text, fits] = others[i];
        set(fill, { style: `--w:${size / most}` });
        say(text, inBytes(size));
        say(fits, size <= limit * 1e9 ? "fits" : "too large");
      });
      drawKinds(shape, length);
    },
  };
}

export default widget({ title: "Attention budget", agree, build });
