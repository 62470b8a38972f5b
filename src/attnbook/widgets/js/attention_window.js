// AttentionWindow: all of a sentence, one word of it, or a window that moves along it.

import {
  button,
  compact,
  countOf,
  fixed,
  h,
  percent,
  say,
  select,
  set,
  slider,
  stop,
  unpack,
  widget,
} from "./lib/base.js";
import { rowsOf } from "./mechanisms/alignment.js";
import { attendWithin, covers, drawCounts, isLocal, leastWindow, sum } from "./mechanisms/window.js";

const MODES = {
  soft: "Soft: all words",
  hard: "Hard: one word",
  "local-m": "Local-m: p_t = t",
  "local-p": "Local-p: p_t anywhere",
};
const MOST = 64; // words, and places beyond them where a monotonic window may stand
const UNIT = 40; // pixels a word, before the drawing is scaled
const FOOT = 130; // where the bars stand
const TALL = 94; // a weight of 1
const at = (s) => Math.round((s + 1.5) * UNIT * 10) / 10;
const peak = (row) => row.indexOf(Math.max(...row));

// What the kernel packed, unpacked.
export function unpackMemory({ tokens, keys, trained }) {
  const rows = (text, n) => text && rowsOf(unpack(text), n);
  const n = tokens.length;
  return {
    tokens,
    keys: keys && rows(keys, unpack(keys).length / n),
    trained: trained && { ...trained, weights: rows(trained.weights, n), scores: rows(trained.scores, n) },
  };
}

// All that follows from a state; a stored row without scores has weights alone.
export function see(state, { keys, trained }) {
  const { step, query } = state;
  if (step !== null && !trained.scores) return { weights: trained.weights[step] };
  const scores =
    step !== null
      ? trained.scores[step]
      : state.scores || keys.map((k) => k.reduce((sum, x, j) => sum + x * query[j], 0));
  return attendWithin({ ...state, scores });
}

// What the declaration cannot say: a centre that the mode allows, scores from somewhere, a guess of the right kind.
function agree(state, model) {
  const { tokens } = model.get("memory");
  const { mode, centre, query, scores, step, prediction } = state;
  const last = tokens.length + (mode === "local-m" ? MOST : 0);
  if (centre < 0 || centre > last || (mode === "local-m" && !Number.isInteger(centre))) {
    return "centre is not a place in the sentence";
  }
  if (!query && !scores && step === null) return "query, scores and step are all null";
  if (!prediction) return "";
  if (!see(state, unpackMemory(model.get("memory"))).soft)
    return "prediction is not null, and this row has no scores";
  const [given, absent] = isLocal(mode)
    ? [["window", "answer"], ["share"]]
    : [["share"], ["window", "answer"]];
  const fits =
    given.every((name) => prediction[name] !== null) && absent.every((name) => prediction[name] === null);
  return fits ? "" : `prediction is not a guess in mode ${mode}`;
}

export function sentence(state, memory) {
  const { tokens, trained } = memory;
  const { mode, step, samples, seed, revealed } = state;
  const n = tokens.length;
  const { soft, weights, inside, covered, total } = see(state, memory);
  const s = peak(weights);
  const place = `the window around p_t = ${fixed(state.centre)} with D = ${state.window} holds`;
  const held = inside?.filter(Boolean).length;
  const text = !soft
    ? `the model's weights as stored, largest on “${tokens[s]}” with ${percent(weights[s])}; they add up to ${fixed(sum(weights))}`
    : !revealed
      ? `the weights are hidden: predict and commit, or skip`
      : mode === "soft"
        ? `soft attention over ${n > 1 ? "all " : ""}${countOf(n, "word")} gives “${tokens[s]}” the largest share, ${percent(soft[s])}`
        : mode === "hard"
          ? `hard attention takes “${tokens[s]}”, whose odds are ${percent(soft[s])}${samples ? `; of ${countOf(samples, "draw")}, ${drawCounts(soft, samples, seed)[s]} fell on it` : ""}`
          : held
            ? `${place} ${held} of ${countOf(n, "word")} and ${percent(covered)} of the soft weights; its weights add up to ${fixed(total)}`
            : `${place} no word, so every weight is 0`;
  return `${step === null ? text[0].toUpperCase() + text.slice(1) : `Target word “${trained.target[step]}”: ${text}`}.`;
}

// The reader's guess beside what came out, and its score.
export function judge({ mode, window }, { soft, distances, best }, share) {
  const cut = (x) => Math.floor(Math.max(0, x) * 100 + 0.5) / 100;
  const near = isLocal(mode);
  const actual = compact(Math.min(1, near ? covers(soft, distances, window) : soft[best]));
  const answer = leastWindow(soft, distances);
  return near
    ? {
        prediction: { window, share: null, answer, actual },
        score: cut(1 - Math.abs(window - answer) / soft.length),
      }
    : { prediction: { window: null, share, answer: null, actual }, score: cut(1 - Math.abs(share - actual)) };
}

function build(view, body) {
  const memory = unpackMemory(view.model.get("memory"));
  const { tokens, keys, trained } = memory;
  const n = tokens.length;
  const now = () => view.state;
  let [out, counts, picked, end, dragged] = [see(now(), memory), [], 0, 0];

  // A stored row cannot follow what the reader moves: then their own query is back.
  const free = () => trained && !trained.scores && now().step !== null;
  const change = (patch) => {
    if (!free() || now().query || now().scores) view.change({ ...(free() && { step: null }), ...patch });
    else view.note("This row is stored without its scores: it cannot be moved.");
  };
  const none = { prediction: null, score: null };
  const fit = (mode, p) => (mode === "local-m" ? Math.floor(p + 0.5) : Math.min(p, n));
  const step = (t) =>
    view.change({ ...none, step: t, centre: t === null ? now().centre : fit(now().mode, trained.p_t[t]) });
  const move = (p) =>
    change({ centre: Math.max(0, Math.min(fit(now().mode, Math.round(p * 100) / 100), Math.floor(end))) });

  // The strip: a bar a word, its key below, the window over it.
  const bars = tokens.map((word, s) => {
    const mark = (kind, more) => h(`path.${kind}`, more);
    return [
      mark("soft"),
      mark("take"),
      h("text.share", { x: at(s) }),
      h(
        "text.tok",
        {
          transform: `translate(${at(s) + 6} ${keys ? 196 : 158}) rotate(-40)`,
        },
        word.length > 11 ? `${word.slice(0, 10)}…` : word,
      ),
    ];
  });
  const most = (keys && Math.max(...keys.flat().map(Math.abs))) || 1;
  // The first eight numbers of a vector as small bars around a line.
  const glyph = (vector, s, top) =>
    vector
      .slice(0, 8)
      .map(
        (x, j, all) =>
          `M${at(s) + (j - (all.length - 1) / 2) * 4} 168v${(-14 * Math.max(-1, Math.min(1, x / top)) || -0.5).toFixed(1)}`,
      )
      .join("");
  const asks = h("path.asks");
  const [band, edge, curve, stem, model] = ["band", "edge", "curve", "stem", "model"].map((kind) =>
    h(`path.${kind}`),
  );
  const empty = h("text.share", { x: at((n - 1) / 2), y: 60 });
  const label = h("text.share", { y: 12 });
  const handle = stop(
    h(
      "g.centre",
      {
        role: "slider",
        "aria-label": "centre p_t",
        onkeydown({ key, shiftKey }) {
          const way = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[key];
          if (way && view.held(handle))
            move(now().centre + way * (now().mode === "local-m" ? 1 : shiftKey ? 0.01 : 0.1));
        },
        onpointerdown(event) {
          dragged = true;
          handle.focus({ preventScroll: true });
          handle.setPointerCapture(event.pointerId);
          event.preventDefault();
        },
        onpointermove({ clientX }) {
          const { left, width } = strip.getBoundingClientRect();
          if (dragged) move(((clientX - left) / width) * (end + 1.5) - 1.5);
        },
        onlostpointercapture() {
          dragged = false;
        },
      },
      h("circle.hit", { r: 27 }),
      h("path", { d: "M0-10l9 10l-9 10l-9-10z" }),
    ),
    1,
  );
  const [under, over] = [h("g", band, edge), h("g", curve, stem, model, label, handle)];
  const strip = h(
    "svg.strip",
    { role: "group", "aria-label": "bars; the table has the numbers" },
    under,
    bars,
    h("path.floor", { d: `M${at(-0.5)} ${FOOT}H${at(n - 0.5)}` }),
    keys && [
      h("path.keys", { d: keys.map((k, s) => glyph(k, s, most)).join("") }),
      asks,
      h("text.query", { y: 147 }, "query"),
    ],
    over,
    empty,
  );

  // The table behind it.
  const heads = ["word", "score", "soft", "Gauss", "weight", "draws"];
  const line = (head) =>
    h(
      "tr",
      h("th", { scope: "row" }, head),
      heads.slice(1).map(() => h("td")),
    );
  const fill = (row, cells) => cells.forEach((cell, c) => say(row.children[c + 1], `${cell}`));
  const rows = tokens.map((word, s) => {
    const name = button(
      word,
      () => {
        picked = s;
        sums.open = true;
        view.redraw();
      },
      { class: "ab-word", "aria-label": `${word}: show its arithmetic` },
    );
    return [line(name), name];
  });
  const foot = line("sum");
  const table = h(
    "table.window",
    h("caption", "From score to weight"),
    h(
      "thead",
      h(
        "tr",
        heads.map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h(
      "tbody",
      rows.map(([row]) => row),
    ),
    h("tfoot", foot),
  );

  // The arithmetic of one word.
  const steps = h("ol");
  const sums = h("details.panel", { ontoggle: view.redraw }, stop(h("summary", "")), steps);
  const drawSums = () => {
    const { mode, centre, window, temperature, query, scores: given, step: t } = now();
    const s = picked;
    const { scores, soft, distances, inside, align, gauss, weights, best, covered } = out;
    const by = temperature === 1 ? "" : ` ÷ ${fixed(temperature)}`;
    const to = (x) => fixed(x, 4);
    const near = isLocal(mode);
    steps.replaceChildren(
      ...[
        [
          "Score",
          t === null && !given
            ? `query · key = ${query
                .slice(0, 4)
                .map((q, j) => `${fixed(q)}×${fixed(keys[s][j])}`)
                .join(
                  " + ",
                )}${query.length > 4 ? ` + … (${query.length} terms)` : ""} = ${fixed(scores[s], 3)}`
            : `${fixed(scores[s], 3)}, ${t === null ? "given" : "from the trained model"}`,
        ],
        [
          "Soft weight",
          `exp((${fixed(scores[s], 3)} − ${fixed(scores[best], 3)})${by}) ÷ the sum of all ${n} such = ${to(soft[s])}`,
        ],
        mode === "hard" && [
          "Hard weight",
          `${weights[s]}: “${tokens[best]}” has the largest score, and takes all`,
        ],
        near && [
          "Distance",
          `|${s} − ${fixed(centre)}| = ${fixed(distances[s])}, ${inside[s] ? `at most D = ${window}: in the window` : `more than D = ${window}: outside, weight 0`}`,
        ],
        near &&
          inside[s] && [
            "Share in the window",
            `${to(soft[s])} ÷ ${to(covered)}, the soft weights in the window = ${to(align[s])}`,
          ],
        mode === "local-p" &&
          inside[s] && [
            "Gaussian",
            `exp(−${fixed(distances[s])}² ÷ (2 × ${fixed(window / 2)}²)), with σ = D/2 = ${to(gauss[s])}`,
          ],
        mode === "local-p" &&
          inside[s] && [
            "Weight",
            `${to(align[s])} × ${to(gauss[s])} = ${to(weights[s])}; not divided by the sum`,
          ],
      ]
        .filter(Boolean)
        .map(([name, text]) => h("li", h("b", `${name}: `), text)),
    );
  };

  // Controls.
  const modes = Object.entries(MODES).map(([mode, text]) =>
    button(text, () => change({ ...none, mode, centre: fit(mode, now().centre) }), {
      role: "radio",
      "data-mode": mode,
    }),
  );
  const wide = slider(1, Math.max(n, now().window), 1, () => change({ window: +wide.value }));
  const heat = slider(0.1, 5, 0.1, () => change({ temperature: +heat.value }));
  const [readWide, readHeat] = [h("output"), h("output")];
  const wideLabel = h("label", "D ", wide, readWide);
  const throws = h(
    ".row",
    [1, 100].map((k) => button(`Draw ${k}`, () => change({ samples: Math.min(1000, now().samples + k) }))),
    button("Other draws", () => change({ samples: 0, seed: now().seed + 1 })),
  );
  const own = now().query || now().scores;
  const chosen = select(
    trained
      ? [...(own ? [["", "your own query"]] : []), ...trained.target.map((word, t) => [t, `${t}: ${word}`])]
      : [],
    { onchange: () => step(chosen.value ? +chosen.value : null) },
  );
  const next = button("Next word", () => step(((now().step ?? -1) + 1) % trained.target.length));
  // Predict first: the D that covers 90 %, or the largest share.
  const [asking, told] = [h("p.ask"), h("p", { role: "status" })];
  const skip = (revealed) => view.change({ ...none, revealed });
  const size = slider(0, 100, 1, view.redraw, { "aria-label": "share" });
  const commit = button("", () => view.change({ ...judge(now(), out, size.value / 100), revealed: true }), {
    class: "ab-main",
  });
  const [pass, again] = [button("Skip", () => skip(true)), button("Predict again", () => skip(false))];
  const panel = h(".predict", asking, told, h(".row", size, commit, pass, again));
  const verdict = ({ prediction, score }) => {
    const { soft, distances, best, scores } = out;
    const { window: guess, answer, share, actual } = prediction;
    // The reason is given only while what was asked is still shown.
    const still = Math.abs((share !== null ? soft[best] : covers(soft, distances, guess)) - actual) < 0.005;
    const rim = soft.map((w, s) =>
      (share !== null ? s !== best : distances[s] <= answer && (answer < 2 || distances[s] > answer - 1))
        ? w
        : -1,
    );
    const s = peak(rim);
    if (share !== null)
      return `It is ${percent(actual)}, you said ${percent(share)}: score ${fixed(score)}. ${still && n > 1 ? `“${tokens[best]}” leads “${tokens[s]}” by ${fixed(scores[best] - scores[s])} points of score, and softmax makes shares of such leads.` : ""}`;
    return `D = ${guess} covers ${percent(actual)}; the least that covers 90 % is D = ${answer}: score ${fixed(score)}. ${still && leastWindow(soft, distances) === answer ? `It has to reach “${tokens[s]}”, ${fixed(distances[s])} from p_t, with ${percent(rim[s])} of the soft weights.` : ""}`;
  };
  const drawPanel = (state) => {
    const { revealed, window, centre, mode, prediction } = state;
    const inside = panel.contains(document.activeElement) && again.hidden === revealed;
    asking.hidden = commit.hidden = pass.hidden = revealed;
    size.hidden = revealed || isLocal(state.mode);
    again.hidden = !revealed;
    if (inside) (revealed ? again : commit).focus();
    say(commit, `Commit ${isLocal(state.mode) ? `D = ${window}` : `${size.value} %`}`);
    say(
      asking,
      isLocal(state.mode)
        ? `Move D, below, until you expect the window around p_t = ${fixed(centre)} to cover 90 % of the soft weights. Then commit.`
        : mode === "hard"
          ? "What share of many draws will the word with the largest score have?"
          : "What share will the word with the largest score have?",
    );
    say(told, prediction ? verdict(state) : "");
  };

  body.append(
    panel,
    h(".row", h(".modes", { role: "radiogroup", "aria-label": "attention" }, modes)),
    trained ? h(".row", h("label", "target word ", chosen), next) : "",
    h("figure", h(".across", strip)),
    h(".row", wideLabel, h("label", "temperature ", heat, readHeat)),
    throws,
    h(".sheet", table),
    sums,
  );

  return {
    sentence: () => sentence(now(), memory),
    reset() {
      picked = 0;
    },
    update() {
      const state = now();
      const { mode, centre, window, revealed, samples, seed, step: t } = state;
      out = see(state, memory);
      const { soft, weights, inside, gauss, scores, covered } = out;
      const [near, bare] = [isLocal(state.mode), !soft];
      const shown = revealed || bare;
      counts = mode === "hard" && !bare ? drawCounts(soft, samples, seed) : [];
      panel.hidden = bare;
      if (!bare) drawPanel(state);

      const last = mode === "local-m" ? n + window + 0.5 : n + 0.5;
      if (last !== end && !dragged) {
        end = last;
        set(strip, { viewBox: `0 0 ${at(end)} ${keys ? 250 : 212}`, style: `--n:${end + 1.5}` });
      }
      const drawn = samples && mode === "hard";
      bars.forEach(([ghost, take, text], s) => {
        const box = (x, share) => `M${at(s) - x} ${FOOT}v${(-TALL * share).toFixed(1)}h${2 * x}V${FOOT}z`;
        const share = drawn ? counts[s] / samples : weights[s];
        set(ghost, { d: shown && !bare ? box(15, soft[s]) : "" });
        set(take, { d: shown ? box(10, share) : "" });
        set(text, { y: FOOT - 5 - TALL * Math.max(share, soft ? soft[s] : 0) });
        say(text, shown && n < 21 && share >= 0.005 ? `${Math.floor(share * 100 + 0.5)}` : "");
        const [row, name] = rows[s];
        const tell = (v) => (!v ? "–" : shown ? fixed(v[s], 3) : "?");
        fill(row, [
          scores ? fixed(scores[s]) : "–",
          tell(soft),
          gauss ? fixed(inside[s] ? gauss[s] : 0, 3) : "–",
          tell(weights),
          shown ? counts[s] : "?",
        ]);
        set(row, { "data-out": inside && !inside[s] });
        set(name, { "aria-pressed": `${sums.open && s === picked}` });
      });
      fill(foot, [
        "",
        !shown ? "?" : near && !bare ? `${percent(covered)} in window` : "",
        "",
        shown ? fixed(sum(weights), 3) : "?",
        samples,
      ]);
      set(table, { "data-mode": mode });
      if (keys)
        set(asks, {
          d:
            t === null && state.query && !state.scores
              ? glyph(state.query, -1, Math.max(1, ...state.query.map(Math.abs)))
              : "",
        });

      const [from, to] = [centre - window, centre + window];
      const rect = (a, b) => `M${at(a)} 18V${FOOT}H${at(b)}V18z`;
      const [left, right] = [Math.max(from, -0.5), Math.min(to, n - 0.5)];
      [under, over].forEach((node) => set(node, { display: !near && "none" }));
      set(band, { d: left < right ? rect(left, right) : "" });
      set(edge, { d: rect(from, to) });
      set(curve, {
        d:
          mode === "local-p"
            ? `M${Array.from({ length: 41 }, (_, i) => `${at(from + (i * window) / 20)} ${(FOOT - TALL * Math.exp(-2 * (i / 20 - 1) ** 2)).toFixed(1)}`).join("L")}`
            : "",
      });
      set(stem, { d: `M${at(centre)} 18V${FOOT}` });
      set(handle, {
        transform: `translate(${at(centre)} ${FOOT})`,
        "aria-valuenow": centre,
        "aria-valuemax": mode === "local-m" ? n + window : n,
        "aria-valuetext": `${fixed(centre)}: window from ${fixed(from)} to ${fixed(to)}`,
      });
      set(label, { x: Math.max(38, at(centre)) });
      say(label, `p_t = ${fixed(centre)}`);
      set(model, { d: t !== null ? `M${at(trained.p_t[t])} ${FOOT + 12}l6 10h-12z` : "" });
      say(empty, inside?.includes(true) === false ? "no word in the window" : "");

      modes.forEach((one) => set(one, { "aria-checked": `${one.dataset.mode === mode}` }));
      wideLabel.hidden = !near;
      throws.hidden = mode !== "hard" || !shown || bare;
      wide.value = window;
      say(readWide, `${window}`);
      heat.value = state.temperature;
      say(readHeat, fixed(state.temperature));
      chosen.value = t ?? "";
      sums.hidden = !shown || bare;
      say(sums.firstChild, `The arithmetic of “${tokens[picked]}”`);
      if (sums.open && !sums.hidden) drawSums();
    },
  };
}

export default widget({ title: "Attention window", agree, build });
