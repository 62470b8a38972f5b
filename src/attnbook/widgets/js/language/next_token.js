// What may come next: the distribution as bars, the three settings that change it, and buttons that write on.

import { argmax, button, fixed, h, percent, say, set, slider } from "../lib/base.js";
import { chance, drawn, odds, ranked } from "../mechanisms/sampling.js";

const ROWS = 8;
const AT_ONCE = 24; // tokens that "Write on" appends
const frame = () => new Promise((done) => requestAnimationFrame(done));
export const share = (x) => (x > 0 && x < 0.005 ? "< 1 %" : percent(x));

// ready(): a promise of whether the model is there; numbers(): what it makes of the tokens of the state; most: tokens
// that may be written. -> {node, draw(numbers)}.
export function nextToken(view, { ready, numbers, vocab, most }) {
  const { change } = view;
  const now = () => view.state;
  const write = (written) => change({ written, prediction: null, score: null, cell: null });
  const append = (token) => {
    const { written } = now();
    const isFull = written.length >= most;
    view.note(isFull ? `At most ${most} tokens are written; take some back.` : "");
    if (!isFull) write([...written, token]);
  };
  const one = () => {
    const { seed, written } = now();
    append(drawn(odds(numbers().logits.at(-1), now()), chance(seed, written.length)));
  };
  let writing = false;
  const several = async () => {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    writing = true;
    for (let i = 0; i < AT_ONCE && writing && now().written.length < most; i += 1) {
      one();
      if (!still) await frame();
    }
    writing = false;
    view.redraw();
  };
  const once = button("Write one token", async () => (await ready()) && one());
  const on = button(
    "Write on",
    async () => {
      if (writing) writing = false;
      else if (await ready()) view.wait(several());
    },
    { class: "ab-main" },
  );
  const back = button("Take back", () => write(now().written.slice(0, -1)));
  const anew = button("Other dice", () => {
    write([]);
    change({ seed: Math.floor(Math.random() * 2 ** 31) });
  });

  // Settings: a slider for top-k by doubling, since the first few matter most.
  const doublings = Math.ceil(Math.log2(vocab));
  const set1 = (name, range, value, text) => ({ name, range, value, text, read: h("output") });
  const settings = [
    set1(
      "temperature",
      slider(0, 2, 0.1, () => change({ temperature: +range("temperature").value })),
      (state) => state.temperature,
      (state) => fixed(state.temperature, 1),
    ),
    set1(
      "top_k",
      slider(0, doublings, 1, () => change({ top_k: Math.min(vocab, 2 ** +range("top_k").value) })),
      (state) => Math.log2(state.top_k),
      (state) => (state.top_k === vocab ? "all" : `${state.top_k}`),
    ),
    set1(
      "top_p",
      slider(0.05, 1, 0.05, () => change({ top_p: +range("top_p").value })),
      (state) => state.top_p,
      (state) => percent(state.top_p),
    ),
  ];
  const range = (name) => settings.find((each) => each.name === name).range;
  const named = { temperature: "temperature", top_k: "top-k", top_p: "top-p" };

  const rows = Array.from({ length: ROWS }, () => {
    const token = button("", () => append(row.number), { class: "ab-tt-pick" });
    const row = { token, fill: h(".fill"), own: h(".tt-own"), odds: h("td"), alone: h("td") };
    return Object.assign(row, {
      line: h(
        "tr",
        h("th", { scope: "row" }, token),
        h("td", h(".bar", row.fill, row.own)),
        row.odds,
        row.alone,
      ),
    });
  });
  const rest = { odds: h("td"), alone: h("td") };
  const table = h(
    "table.tt-next",
    h("caption", "The next token; choose one to append it"),
    h(
      "thead",
      h(
        "tr",
        h("th", { scope: "col" }, "token"),
        h("td"),
        h("th", { scope: "col" }, "drawn with (bar)"),
        h("th", { scope: "col" }, "model (mark)"),
      ),
    ),
    h(
      "tbody",
      rows.map(({ line }) => line),
      h("tr", h("th", { scope: "row" }, "all others"), h("td"), rest.odds, rest.alone),
    ),
  );
  const node = h(
    ".tt-nexts",
    h(
      ".row",
      settings.map(({ name, range: control, read }) => h("label", `${named[name]} `, control, read)),
    ),
    h(".row", on, once, back, anew),
    table,
  );
  return {
    node,
    draw({ logits, probabilities, visible }) {
      const state = now();
      for (const { range: control, read, value, text } of settings) {
        if (+control.value !== value(state)) control.value = value(state);
        say(read, text(state));
      }
      say(on, writing ? "Stop" : "Write on");
      const all = odds(logits.at(-1), state);
      const order = ranked(probabilities).slice(0, ROWS);
      const scale = Math.max(all[argmax(all)], probabilities[order[0]]);
      const left = [1, 1];
      rows.forEach((row, i) => {
        row.number = order[i];
        left[0] -= all[row.number];
        left[1] -= probabilities[row.number];
        say(row.token, visible(row.number));
        set(row.token, { "aria-label": `append ${visible(row.number)}` });
        set(row.line, { "data-out": all[row.number] === 0 });
        set(row.fill, { style: `--w:${all[row.number] / scale}` });
        set(row.own, { style: `left:${(100 * probabilities[row.number]) / scale}%` });
        say(row.odds, all[row.number] === 0 ? "–" : share(all[row.number]));
        say(row.alone, share(probabilities[row.number]));
      });
      say(rest.odds, share(Math.max(0, left[0])));
      say(rest.alone, share(Math.max(0, left[1])));
    },
  };
}
