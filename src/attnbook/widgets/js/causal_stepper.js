// CausalStepper: a language model reads one token after another; what it computes, reads and keeps.

import { button, countOf, fixed, h, say, set, slider, stop, widget } from "./lib/base.js";
import { counts, doing, parts, VARIANTS } from "./mechanisms/caching.js";

const NAMES = { latent: "latent vectors" }; // what is kept of a token; of the others keys and values
const nameOf = (variant) => NAMES[variant] || "keys and values";
const MOST_GUESS = 1e9; // as causal_stepper.py
const LEGEND = [
  ["new", "computed, for the first time"],
  ["again", "computed again"],
  ["read", "read from the cache"],
];
const grouped = (x) => String(x).replace(/\B(?=(\d{3})+$)/g, ",");
const total = ({ queries, kept, scores }) => queries + kept + scores;

export function sentence({ step, variant, cached, revealed }, content) {
  const { tokens } = content;
  if (!revealed) return `The counts of ${tokens.length} steps are hidden: predict one of them, or skip.`;
  const { kept, read, bytes } = counts(content, variant, step, cached);
  const text = `Step ${step} of ${tokens.length} reads “${tokens[step - 1]}” with ${variant} attention ${cached ? "and a cache" : "and no cache"}: ${kept} numbers of ${nameOf(variant)} computed`;
  return cached ? `${text}, ${read} read, and ${bytes} bytes kept.` : `${text}, nothing read, nothing kept.`;
}

export const grade = (guess, answer) =>
  Math.floor((Math.min(guess, answer) / Math.max(guess, answer)) * 100 + 0.5) / 100;

function build(view, body) {
  const { model, change } = view;
  const content = model.get("content");
  const { tokens, n_heads: heads, d_head: size } = content;
  const last = tokens.length;
  const answer = counts(content, "multi-head", last, false).kept;
  const now = () => view.state;

  // The guess.
  const panel = h(".predict");
  let asked;
  const drawGuess = () => {
    const { revealed, prediction, score } = now();
    const key = JSON.stringify([revealed, prediction]);
    if (key === asked) return;
    const inside = panel.contains(document.activeElement);
    asked = key;
    if (revealed) {
      const told = prediction
        ? `You said ${grouped(prediction.guess)}; it is ${grouped(prediction.answer)} = ${last} tokens × 2 × ${countOf(heads, "head")} × ${size}, since keys and values of all ${last} tokens are computed again. Score ${fixed(score)}.`
        : "";
      panel.replaceChildren(
        h("p", { role: "status" }, told),
        button("Predict again", () => change({ prediction: null, score: null, revealed: false })),
      );
    } else {
      const typed = stop(h("input", { type: "number", min: 1, max: MOST_GUESS, step: 1 }), 1);
      const commit = () => {
        const guess = +typed.value;
        if (!(Number.isInteger(guess) && guess >= 1 && guess <= MOST_GUESS)) {
          view.note("Type a whole number of at least 1.");
          return;
        }
        view.note("");
        change({ prediction: { guess, answer }, score: grade(guess, answer), revealed: true, step: last });
      };
      panel.replaceChildren(
        h(
          "p.ask",
          `Step ${last} reads “${tokens[last - 1]}”, the last token. Attention has ${countOf(heads, "head")}; a key has ${countOf(size, "number")} in each, and so has a value. Without a cache, how many numbers of keys and values does this one step compute in one layer?`,
        ),
        h(".row", h("label", "I expect ", typed, " numbers")),
        h(
          ".row",
          button("Commit", commit, { class: "ab-main" }),
          button("Skip", () => change({ prediction: null, score: null, revealed: true })),
        ),
      );
    }
    if (inside) panel.querySelector("[data-stop]").focus();
  };

  // What is chosen.
  const kinds = VARIANTS.map((variant) =>
    button(variant, () => change({ variant }), { role: "radio", "data-kind": variant }),
  );
  const keep = stop(
    h("input", { type: "checkbox", onchange: ({ target }) => change({ cached: target.checked }) }),
  );
  const to = (step) => {
    view.note(step > last ? "All tokens have been read." : "");
    change({ step: Math.max(1, Math.min(last, step)) });
  };
  const back = button("Back", () => to(now().step - 1), { "aria-label": "Back by one token" });
  const next = button("Next token", () => to(now().step + 1), { class: "ab-main" });
  const range = slider(1, last, 1, () => to(+range.value), { "aria-label": "tokens read" });
  const where = h("output");

  // The picture: a table, one column a token.
  const title = h("p.cs-title");
  const picture = h("table.cs-picture");
  const scroller = h(".hx-scroll", picture);
  const legend = h(
    "p.cs-legend",
    LEGEND.map(([what, text]) => [h("span.cs-cell", { "data-does": what }, what), ` ${text}; `]),
    "empty: not needed, or not read yet.",
  );
  const drawPicture = ({ step, variant, cached }) => {
    say(title, `Step ${step}: what is done with each token, in one layer`);
    set(picture, { "aria-label": title.textContent });
    picture.replaceChildren(
      h(
        "thead",
        h(
          "tr",
          h("td"),
          tokens.map((token, j) =>
            h(
              "th",
              { scope: "col", "data-later": j >= step, "aria-current": j === step - 1 && "step" },
              token,
            ),
          ),
        ),
      ),
      h(
        "tbody",
        parts(content, variant).map((part) =>
          h(
            "tr",
            h("th", { scope: "row" }, part),
            tokens.map((_, j) => {
              const does = doing(part, j + 1, step, cached);
              return h("td", does && h("span.cs-cell", { "data-does": does }, does));
            }),
          ),
        ),
      ),
    );
    // On a small screen: the token of this step comes into view.
    scroller.scrollLeft = (picture.offsetWidth * step) / (last + 1) - scroller.clientWidth / 2;
  };

  // The counts of this step, with and without a cache.
  const numbers = h("table.cs-counts");
  const drawCounts = ({ step, variant }) => {
    const both = [true, false].map((cached) => counts(content, variant, step, cached));
    const line = (name, of) =>
      h(
        "tr",
        h("th", { scope: "row" }, name),
        both.map((one) => h("td", grouped(of(one)))),
      );
    numbers.replaceChildren(
      h("caption", `Step ${step}, numbers in one layer`),
      h(
        "thead",
        h("tr", h("td"), h("th", { scope: "col" }, "with cache"), h("th", { scope: "col" }, "without")),
      ),
      h(
        "tbody",
        line("queries computed", (one) => one.queries),
        line(`${nameOf(variant)} computed`, (one) => one.kept),
        line("scores computed", (one) => one.scores),
        line("read from the cache", (one) => one.read),
        line("bytes kept", (one) => one.bytes),
      ),
    );
  };

  // The cache of each variant, and all that was computed up to each step.
  const bars = VARIANTS.map((variant) => [variant, h(".fill"), h("output")]);
  const cacheTable = h(
    "table.cs-bars",
    h("caption"),
    h(
      "tbody",
      bars.map(([variant, fill, read]) =>
        h("tr", h("th", { scope: "row" }, variant), h("td", h(".bar", fill), read)),
      ),
    ),
  );
  const most = Math.max(...VARIANTS.map((variant) => counts(content, variant, last, true).bytes));
  const drawBars = ({ step }) => {
    say(cacheTable.firstChild, `Bytes in the cache after step ${step}`);
    for (const [variant, fill, read] of bars) {
      const { bytes } = counts(content, variant, step, true);
      set(fill, { style: `--w:${bytes / most}` });
      say(read, grouped(bytes));
    }
  };
  const curve = h("figure");
  const sums = h("table.cs-sums");
  const drawCurve = ({ step, variant }) => {
    const [kept, made] = [true, false].map((cached) => {
      let sum = 0;
      return tokens.map((_, j) => {
        sum += total(counts(content, variant, j + 1, cached));
        return sum;
      });
    });
    const top = made.at(-1);
    const x = (j) => 4 + (j / (last - 1)) * 92;
    const y = (sum) => 56 - (sum / top) * 50;
    const line = (all) => all.map((sum, j) => `${x(j)},${y(sum)}`).join(" ");
    const dot = (all, kind) =>
      h("circle", { cx: x(step - 1), cy: y(all[step - 1]), r: 1.6, class: `ab-cs-${kind}` });
    curve.replaceChildren(
      h(
        "figcaption",
        `Computed in steps 1 to ${step}: ${grouped(kept[step - 1])} numbers with the cache (solid), ${grouped(made[step - 1])} without (dashed)`,
      ),
      h(
        "svg",
        { viewBox: "0 0 100 60", "aria-hidden": "true" },
        h("path", { d: "M4 4V56H98", class: "ab-cs-axis" }),
        h("polyline", { points: line(kept), class: "ab-cs-with" }),
        h("polyline", { points: line(made), class: "ab-cs-without" }),
        dot(kept, "with"),
        dot(made, "without"),
      ),
    );
    sums.replaceChildren(
      h("caption", `Numbers computed up to each step, ${variant}`),
      h(
        "thead",
        h(
          "tr",
          ["step", "with cache", "without"].map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      h(
        "tbody",
        tokens.map((token, j) =>
          h(
            "tr",
            h("th", { scope: "row" }, `${j + 1} ${token}`),
            h("td", grouped(kept[j])),
            h("td", grouped(made[j])),
          ),
        ),
      ),
    );
  };

  const result = h(
    "",
    h(".row", h(".modes", { role: "radiogroup", "aria-label": "which attention" }, kinds)),
    h(".row", back, next, h("label", "tokens read ", range, where), h("label", keep, " cache")),
    title,
    scroller,
    legend,
    h(".cs-sides", numbers, h("", cacheTable, curve)),
    h("details.panel", stop(h("summary", "The numbers of the curves")), sums),
  );
  body.append(panel, result);

  return {
    sentence: () => sentence(now(), content),
    update() {
      const state = now();
      drawGuess();
      result.hidden = !state.revealed;
      if (!state.revealed) return;
      for (const one of kinds) set(one, { "aria-checked": `${one.dataset.kind === state.variant}` });
      keep.checked = state.cached;
      range.value = state.step;
      say(where, `${state.step} of ${last}`);
      drawPicture(state);
      drawCounts(state);
      drawBars(state);
      drawCurve(state);
    },
  };
}

export default widget({ title: "Causal stepper", build });
