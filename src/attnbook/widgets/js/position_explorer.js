// PositionExplorer: two words on a strip of places, and what six kinds of positions make of where they stand.

import { button, fixed, h, say, select, set, slider, stop, widget } from "./lib/base.js";
import { dot, MOVE, positions, slope } from "./mechanisms/positions.js";

const ROWS = " The rows are random, as before training.";
const NOTHING = "Nothing tells the places apart.";
// What the reader calls it, what it does, and why a move of both words changes the score or does not.
const KINDS = {
  none: ["None", NOTHING, NOTHING],
  sinusoidal: [
    "Sinusoidal",
    "Sines and cosines of its place are added to each word.",
    "The places also meet the words, in q·p′ and p·k, and these change.",
  ],
  learned: [
    "Learned",
    `A row of a table, one a trained place, is added to each word.${ROWS}`,
    "Every place has a row of its own.",
  ],
  relative: [
    "Relative",
    `A row of a table, one a distance, is added to the key.${ROWS}`,
    "The row depends on the distance, which is the same.",
  ],
  rotary: [
    "RoPE",
    "Each pair of numbers of a word is turned by an angle that grows with its place.",
    "Both words turned alike, pair by pair: the angles between are the same.",
  ],
  alibi: [
    "ALiBi",
    "The slope of the head times the distance is taken off the score.",
    "What is taken off depends on the distance, which is the same.",
  ],
};
const ANSWERS = { same: "stays the same", rises: "rises", falls: "falls", none: "has no value" };
const CONTENTS = { same: "query = key", back: "turned 3 places back", random: "random", own: "your own" };
const clocked = /sinusoidal|rotary/;
const share = (w) => `${fixed(100 * w, 1)} %`;
const list = (v) => `(${v.map((x) => fixed(x)).join(", ")})`;

function agree({ d, content, own }) {
  if (d % 2) return "d is not even";
  return content === "own" && !own ? "content is own, and own is null" : "";
}

export function sentence(state) {
  const { kind, query_position: m, key_position: n } = state;
  const where = `${KINDS[kind][0]}: query at place ${m}, key at place ${n} (distance ${fixed(n - m, 0)})`;
  if (!state.revealed) return `${where}; the score is hidden: predict or skip.`;
  const { scores, weights, spread } = positions(state);
  return scores[n] === null
    ? `${where}; no score, since the table ends at place ${state.train_length - 1}.`
    : `${where}; score ${fixed(scores[n])}, weight ${share(weights[n])}. Over all places, scores at one distance differ by up to ${fixed(spread)}.`;
}

function build(view, body) {
  const { change } = view;
  // The state; its two places, how many places, how many trained, whether the outcome is in view; what follows from it.
  let [s, m, n, size, trained, shown, out, drawn, laid, hands] = [];
  const put = (name) => h(`path.px-${name}`);
  const none = { prediction: null, score: null };

  // Predict first.
  const [ask, told] = [h("p.ask"), h("p", { role: "status" })];
  const choice = select(Object.entries(ANSWERS), { "aria-label": "The score" });
  const skip = (revealed) => change({ ...none, revealed });
  const form = h(
    "",
    ask,
    h(
      ".row",
      choice,
      button(
        "Commit",
        () => {
          const { value } = choice;
          change({
            prediction: { choice: value, ...out.moved },
            revealed: true,
            score: Number(value === out.moved.answer),
          });
        },
        { class: "ab-main" },
      ),
      button("Skip", () => skip(true)),
    ),
  );
  const done = h(
    "",
    told,
    button("Predict again", () => skip(false)),
  );
  const verdict = ({ choice: said, answer, before, after }) => {
    const [text, why] =
      answer === "none"
        ? [".", `The table ends at place ${trained - 1}.`]
        : [
            `: ${fixed(before)} before, ${fixed(after)} after.`,
            answer === "same" && s.kind === "sinusoidal"
              ? "Only p·p′ is left: the distance alone."
              : KINDS[s.kind][2],
          ];
    return `${said === answer ? "Right, it" : `You said that it ${ANSWERS[said]}; it`} ${ANSWERS[answer]}${text} ${why}`;
  };

  const kinds = Object.entries(KINDS).map(([kind, [name]]) =>
    button(
      name,
      () => change({ kind, ...(s.prediction && kind !== s.kind && { ...none, revealed: false }) }),
      { role: "radio", value: kind },
    ),
  );
  const about = h("p");

  // The strip: weights over the places, and under them three sliders.
  const title = h("figcaption", "");
  const [bars, asks, asked] = ["bars", "asks", "asked"].map(put);
  // The table has the numbers.
  const picture = (...parts) => h("svg", { preserveAspectRatio: "none", "aria-hidden": true }, parts);
  const strip = picture(bars, asks, asked);
  const outside = h("span");
  const past = h(".px-past", outside);
  const places = ["query", "key", "both"].map((name) => {
    const text = h("span");
    const input = slider(
      0,
      127,
      1,
      () => {
        const to = +input.value;
        // Both stop where one is at an end.
        const by = Math.max(-Math.min(m, n), Math.min(size - 1 - Math.max(m, n), to - m));
        change(
          name === "both" ? { query_position: m + by, key_position: n + by } : { [`${name}_position`]: to },
        );
      },
      { class: `ab-px-${name}` },
    );
    return [h("label.px-place", text, input), input, text];
  });

  // The clocks.
  const dials = h(".px-dials");
  const clocks = h(
    "figure",
    h("figcaption", "A clock for each pair of numbers: query ●, key ■, the angle between"),
    dials,
  );
  const layClocks = () => {
    hands = out.theta.map(() => [
      ...["arc", "hand key", "end key", "hand query"].map(put),
      h("circle.px-end query", { r: 5 }),
      h("b"),
    ]);
    dials.replaceChildren(
      ...hands.map(([arc, key, end, query, round, read], i) =>
        h(
          "",
          h(
            "svg",
            { viewBox: "-50 -50 100 100", "aria-hidden": true },
            h("circle.px-face", { r: 44 }),
            h("path.px-noon", { d: "M0-44v7" }),
            arc,
            key,
            end,
            query,
            round,
          ),
          read,
          `${+((2 * Math.PI) / out.theta[i]).toPrecision(3)} places a turn`,
        ),
      ),
    );
  };
  const drawClocks = () =>
    hands.forEach(([arc, key, end, query, round, read], i) => {
      const [a, b] = [m * out.theta[i], n * out.theta[i]];
      const tip = (angle, r) => `${(r * Math.sin(angle)).toFixed(2)} ${(-r * Math.cos(angle)).toFixed(2)}`;
      // From −π to π.
      const between = Math.atan2(Math.sin(a - b), Math.cos(a - b));
      set(arc, { d: `M${tip(b, 18)}A18 18 0 0 ${+(between > 0)} ${tip(a, 18)}` });
      set(key, { d: `M0 0L${tip(b, 40)}` });
      set(end, { d: `M${tip(b, 40)}m-5-5h10v10h-10z` });
      set(query, { d: `M0 0L${tip(a, 30)}` });
      set(round, { transform: `translate(${tip(a, 30)})` });
      say(read, `${fixed((Math.abs(between) * 180) / Math.PI, 1)}°`);
    });

  // Score by distance: a thick line for the query's place, thin ones for five places.
  const [axis, thin, thick] = ["axis", "thin", "thick"].map(put);
  const plot = picture(axis, thin, thick);
  const [left, right, high, low] = ["", "", ".px-high", ".px-low"].map((name) => h(`span${name}`));
  const [before, after, spot] = ["past", "past", "spot"].map((name) => h(`.px-${name}`));
  const legend = h("figcaption", "");
  const drawLines = () => {
    const { every, scores } = out;
    // A flat line stands in the middle.
    const flat = out.top - out.bottom < 1e-6;
    const [bottom, top] = [out.bottom - flat, out.top + flat];
    const span = size - 1;
    const y = (x) => (96 - (92 * (x - bottom)) / (top - bottom)).toFixed(2);
    const line = (at) =>
      every[at]
        .map((x, to) => (x === null ? "" : `L${to - at} ${y(x)}`))
        .join("")
        .replace("L", "M");
    const last = s.kind === "learned" ? Math.min(span, trained - 1) : span;
    const five = [0, 0.25, 0.5, 0.75, 1].map((x) => Math.round(x * last));
    if (drawn !== every) {
      drawn = every;
      const reach = s.kind === "relative" ? s.max_distance : span;
      set(thin, { d: five.map(line).join("") });
      set(axis, { d: `M0 0V100M${-reach} 0V100M${reach} 0V100` });
    }
    set(thick, { d: line(m) });
    set(plot, { viewBox: `${-span} 0 ${2 * span} 100`, "data-off": !shown });
    set(spot, {
      hidden: !shown || scores[n] === null,
      style: `left:${(50 * (n - m + span)) / span}%;top:${y(scores[n])}%`,
    });
    for (const node of [before, after])
      set(node, { style: `width:${50 * Math.max(0, 1 - trained / span)}%` });
    say(left, fixed(-span, 0));
    say(right, `${span}`);
    say(high, fixed(top));
    say(low, fixed(bottom));
    say(legend, `Score by distance. Thick: query at ${m}; thin: at ${five.join(", ")}.`);
  };

  // Controls: name, text, lowest, highest, step, the kind that has it, what it says.
  const settings = [
    ["base", "base", 0, 6, 0.25, clocked],
    [
      "head",
      "head",
      0,
      7,
      1,
      /alibi/,
      () => `${s.head + 1} of ${s.n_heads}, slope ${+slope(s).toPrecision(3)}`,
    ],
    ["max_distance", "longest distance", 1, 127, 1, /relative/],
    ["length", "places", 2, 128, 1],
    ["train_length", "trained", 1, 128, 1],
    ["d", "size d", 2, 16, 2],
    ["strength", "strength of content", 0, 4, 0.1],
  ].map(([name, text, min, max, step, only, tell]) => {
    const input = slider(min, max, step, () => {
      const to = +input.value;
      const most = (x) => Math.min(x, to - 1);
      change({
        [name]: name === "base" ? Math.round(10 ** to) : to,
        ...(name === "d" && { own: null, content: s.own ? "same" : s.content }),
        ...(name === "length" && { query_position: most(m), key_position: most(n) }),
      });
    });
    const read = h("output");
    const label = h("label", `${text} `, input, read);
    return [
      label,
      () => {
        label.hidden = only && !only.test(s.kind);
        if (name === "head") input.max = s.n_heads - 1;
        input.value = name === "base" ? Math.log10(s.base) : s[name];
        say(read, tell ? tell() : `${s[name]}`);
      },
    ];
  });
  const contents = select(Object.entries(CONTENTS), { onchange: () => change({ content: contents.value }) });
  const causal = stop(h("input", { type: "checkbox", onchange: () => change({ causal: causal.checked }) }));

  // The arithmetic of the score, and the table of all places.
  const details = (text, inside) =>
    h("details.panel", { ontoggle: view.redraw }, stop(h("summary", text)), inside);
  const steps = h("ol");
  const drawSteps = () => {
    const { query: q, key: k, at, scores, weights, bias, most, total } = out;
    const { kind, d } = s;
    const [[a], [, b]] = [at[m], at[n]];
    const [score, qk, far] = [scores[n], dot(q, k), n - m];
    const lines = [`q = ${list(q)}, k = ${list(k)}`];
    if (score === null) lines.push("No score: a place has no vector.");
    else {
      const [qp, pk, all] = [dot(q, b) - qk, dot(a, k) - qk, dot(a, b)];
      const [text, terms] = {
        sinusoidal: ["(q + p)·(k + p′) = q·k + q·p′ + p·k + p·p′", [qk, qp, pk, all - qk - qp - pk]],
        rotary: [
          "q·k, turned, pair by pair",
          out.theta.map((_, i) => a[2 * i] * b[2 * i] + a[2 * i + 1] * b[2 * i + 1]),
        ],
        relative: ["q·(k + a) = q·k + q·a", [qk, bias(far) * d ** 0.5]],
      }[kind === "learned" ? "sinusoidal" : kind] || ["q·k", [qk]];
      lines.push(
        `${text} = ${terms.map((x) => fixed(x)).join(" + ")} = ${fixed(terms.reduce((x, y) => x + y))}`,
        `÷ √${d}${kind === "alibi" ? ` − ${fixed(slope(s), 4)} × ${Math.abs(far)}` : ""} = ${fixed(score, 3)}, the score`,
        s.causal && far > 0
          ? "masked: weight 0"
          : `exp(${fixed(score, 3)} − ${fixed(most, 3)}, the largest) ÷ ${fixed(total, 3)}, the sum of all = ${fixed(weights[n], 4)}, the weight`,
      );
    }
    steps.replaceChildren(...lines.map((line) => h("li", line)));
  };
  const arithmetic = details("The arithmetic of this score", steps);
  const sheet = h("tbody");
  const table = details(
    "The numbers of every place",
    h(
      "table.px-sheet",
      h(
        "thead",
        h(
          "tr",
          ["place", "distance", "score", "weight"].map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      sheet,
    ),
  );
  const drawTable = () => {
    if (sheet.children.length !== size)
      sheet.replaceChildren(
        ...out.scores.map(() =>
          h(
            "tr",
            h("th", { scope: "row" }),
            [1, 2, 3].map(() => h("td")),
          ),
        ),
      );
    out.scores.forEach((x, at) => {
      const row = sheet.children[at];
      [
        `${at === m ? "● " : ""}${at === n ? "■ " : ""}${at}${at < trained ? "" : " beyond"}`,
        fixed(at - m, 0),
        !shown ? "?" : x === null ? "–" : fixed(x, 3),
        shown ? fixed(out.weights[at], 4) : "?",
      ].forEach((text, c) => say(row.children[c], text));
    });
  };

  body.append(
    h(".predict", form, done),
    h(".modes", { role: "radiogroup", "aria-label": "positions" }, kinds),
    about,
    h(
      "figure",
      title,
      h(".px-frame", past, strip),
      places.map(([label]) => label),
    ),
    clocks,
    h(
      "figure",
      legend,
      h(".px-frame px-tall", before, after, plot, spot, high, low),
      h(".px-ends", left, h("span", "0: same place"), right),
    ),
    h(
      ".row",
      settings.map(([label]) => label),
      h("label", "content ", contents),
      h("label", causal, "causal: no later places"),
    ),
    arithmetic,
    table,
  );

  return {
    sentence: () => sentence(s),
    update() {
      s = view.state;
      ({ query_position: m, key_position: n, length: size, train_length: trained, revealed: shown } = s);
      out = positions(s);
      const { weights } = out;
      const { kind, prediction } = s;

      form.hidden = shown;
      done.hidden = !shown;
      say(
        ask,
        `${KINDS[kind][0]}: both words move ${MOVE} places to the right, the query to ${m + MOVE}, the key to ${n + MOVE}. Then the score …`,
      );
      say(told, prediction ? verdict(prediction) : "");
      kinds.forEach((one) => set(one, { "aria-checked": `${one.value === kind}` }));
      say(about, KINDS[kind][1]);

      const top = Math.max(...weights);
      const bar = (w, at) => `M${at} 100V${(100 - (94 * w) / (top || 1)).toFixed(2)}`;
      set(strip, { viewBox: `0 0 ${size - 1} 100`, style: `--n:${size}`, "data-off": !shown });
      set(bars, { d: weights.map(bar).join("") });
      set(asked, { d: bar(weights[n], n) });
      set(asks, { d: `M${m} 0V100` });
      set(past, { style: `width:${Math.max(0, 100 * (1 - (trained - 0.5) / (size - 1)))}%` });
      say(outside, kind === "learned" ? "no vector" : "beyond training");
      say(
        title,
        `Weights of the query${!shown ? ", hidden" : top ? `, at most ${share(top)}` : `: no vector at place ${m}`}`,
      );
      places.forEach(([, input, text], i) => {
        input.max = size - 1;
        input.value = i === 1 ? n : m;
        say(
          text,
          [
            `● query at place ${m}`,
            `■ key at place ${n}${shown ? `, weight ${share(weights[n])}` : ""}`,
            `↔ both, ${Math.abs(n - m)} apart`,
          ][i],
        );
      });
      if (`${out.theta}` !== laid) {
        laid = `${out.theta}`;
        layClocks();
      }
      clocks.hidden = !clocked.test(kind);
      drawClocks();
      drawLines();
      settings.forEach(([, show]) => show());
      contents.value = s.content;
      contents.lastChild.hidden = !s.own;
      causal.checked = s.causal;
      arithmetic.hidden = !shown;
      if (arithmetic.open) drawSteps();
      if (table.open) drawTable();
    },
  };
}

export default widget({ title: "Position explorer", agree, build });
