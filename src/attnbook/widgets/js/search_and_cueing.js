// SearchAndCueing: two experiments that the reader does, with their own reaction times.

import { button, compact, fixed, h, say, select, set, slider, widget } from "./lib/base.js";
import { generator } from "./mechanisms/mulberry32.js";
import {
  byCue,
  CONDITIONS,
  display,
  effect,
  line,
  median,
  plan,
  points,
  score,
  simulate,
} from "./mechanisms/timing.js";

const CUES = ["valid", "neutral", "invalid"];
const NAMES = [
  "feature, target there",
  "feature, no target",
  "conjunction, target there",
  "conjunction, no target",
];
const MARKS = ["●", "○", "■", "□"];
const whole = (x) => (x === null ? "–" : fixed(x, 0));
const slope = (fit) => (fit ? fixed(fit[0], 1) : "–");

function agree({ trials }, model) {
  const cells = 4 * model.get("sizes").length;
  const isSearch = model.get("task") === "search";
  return isSearch && trials % cells ? `trials is not a multiple of ${cells}` : "";
}

export function sentence(task, { results, simulated, revealed }) {
  const n = results.length;
  if (!n) {
    return task === "cueing"
      ? "Cueing, not done yet: watch the cross, press as soon as the disc appears."
      : "Visual search, not done yet: say whether the orange square is there.";
  }
  if (!revealed) return `${n} trials are done; predict, or skip, to see what they say.`;
  const who = simulated ? "a simulated reader" : "you";
  if (task === "cueing") {
    const all = byCue(results);
    const [valid, neutral, invalid] = all.map(median);
    const gap = (a, b) => whole(a === null || b === null ? null : a - b);
    return `${n} trials by ${who}: median ${whole(valid)} ms after valid, ${whole(neutral)} ms after neutral, ${whole(invalid)} ms after invalid cues; benefit ${gap(neutral, valid)} ms, cost ${gap(invalid, neutral)} ms, ${n - all.flat().length} discarded.`;
  }
  const fits = CONDITIONS.map((one) => slope(line(points(results, one))));
  return `${n} trials by ${who}, ${results.filter((one) => !one[4]).length} wrong: each item costs ${fits[2]} ms in a conjunction with its target, ${fits[3]} ms without, ${fits[0]} and ${fits[1]} ms where one feature tells.`;
}

function build(view, body) {
  const { model, change, note } = view;
  const now = () => view.state;
  const task = model.get("task");
  const sizes = model.get("sizes");
  const cueing = task === "cueing";

  // Predict first.
  const panel = h(".predict");
  let asked;
  const drawPanel = () => {
    const { revealed, prediction, results } = now();
    const key = JSON.stringify([revealed, prediction, results.length]);
    if (key === asked) return;
    asked = key;
    const inside = panel.contains(document.activeElement);
    if (revealed) {
      const actual = prediction && effect(task, results);
      panel.replaceChildren(
        h(
          "p",
          { role: "status" },
          !prediction
            ? ""
            : actual === null
              ? `You expect ${fixed(prediction.guess, 0)} ms. Now do the trials.`
              : `You expected ${fixed(prediction.guess, 0)} ms; it was ${fixed(actual, 0)} ms: ${Math.round(Math.abs(prediction.guess - actual))} ms off, score ${fixed(now().score)}. ${why(actual)}`,
        ),
        button("Predict again", () => change({ prediction: null, score: null, revealed: false })),
      );
    } else {
      const read = h("output", "0 ms");
      const range = slider(cueing ? -50 : 0, cueing ? 150 : 100, 1, () => say(read, `${range.value} ms`), {
        value: 0,
      });
      panel.replaceChildren(
        h(
          "p.ask",
          cueing
            ? "How much slower will you be after a cue that points the wrong way than after one that points the right way?"
            : "How long will each further item take you when colour and shape must be combined and the target is there?",
        ),
        h(".row", h("label", "I expect ", range, read)),
        h(
          ".row",
          button(
            "Commit",
            () => {
              const guess = +range.value;
              const actual = effect(task, now().results);
              change({
                prediction: { guess, actual: actual === null ? null : compact(actual) },
                score: score(guess, actual),
                revealed: true,
              });
            },
            { class: "ab-main" },
          ),
          button("Skip", () => change({ prediction: null, score: null, revealed: true })),
        ),
      );
    }
    if (inside) panel.querySelector("[data-stop]").focus();
  };
  const why = (actual) => {
    if (actual <= 0)
      return "That is not what is usually found: with few trials chance moves a median by more than the effect. Do more of them.";
    return cueing
      ? "The cue had drawn your attention to one side. A target there is met by it; on the other side attention has to move first, and that takes time."
      : "No single feature marks the target, so more items have to be looked at; with no target, all of them, which is why its slope is steeper (Treisman & Gelade's account).";
  };

  // The stage: what is seen, and the keys. It is no control of the frame: while it has the focus, every key is its own.
  const picture = h("svg", { viewBox: "0 0 400 300", "aria-hidden": "true" });
  const stage = h(
    ".stage",
    {
      tabindex: -1,
      role: "application",
      "aria-label": cueing
        ? "Press Space when the disc appears. Escape stops."
        : "Right arrow: the target is there. Left arrow: it is not. Escape stops.",
    },
    picture,
  );
  const counted = h("p.note");
  let [timer, run] = [0, null];
  const later = (f, ms) => {
    clearTimeout(timer);
    timer = setTimeout(f, ms);
  };
  const draw = (...nodes) => picture.replaceChildren(...nodes.flat());
  const path = (d, kind) => h(`path.${kind}`, { d });
  const cross = path("M192 150h16M200 142v16", "ink");
  const frames = [60, 340].map((x) => path(`M${x - 34} 116h68v68h-68z`, "ink"));

  const stopRun = (text) => {
    clearTimeout(timer);
    if (!run) return;
    const { done, seed } = run;
    run = null;
    if (view.root.contains(document.activeElement)) {
      idle.hidden = false;
      start.focus({ preventScroll: true });
    }
    const actual = effect(task, done);
    const { prediction } = now();
    if (done.length) {
      change({
        results: done,
        simulated: false,
        seed,
        prediction: prediction && { ...prediction, actual: actual === null ? null : compact(actual) },
        score: prediction ? score(prediction.guess, actual) : null,
      });
    }
    note(text);
    view.redraw();
  };
  const rest = (trial, says) => {
    run.phase = "rest";
    run.done.push(trial);
    say(counted, says || "");
    draw(cueing ? [frames, cross] : cross);
    later(next, 700);
  };
  const next = () => {
    const trial = run.trials[run.done.length];
    if (!trial) return stopRun("All trials are done.");
    stage.focus({ preventScroll: true });
    say(counted, `trial ${run.done.length + 1} of ${run.trials.length}`);
    run.trial = trial;
    if (cueing) {
      const [kind, side] = trial;
      const to = (kind === 2) === !side ? 1 : -1;
      draw(
        frames,
        kind === 1
          ? path("M200 132v36M176 150h48", "cue")
          : path(`M${200 - 24 * to} 150h${48 * to}m${-14 * to} -14l${14 * to} 14l${-14 * to} 14`, "cue"),
      );
      run.phase = "cue";
      later(
        () =>
          shown(
            "target",
            [...picture.childNodes, h("circle.disc", { cx: side ? 340 : 60, cy: 150, r: 20 })],
            1500,
          ),
        trial[2],
      );
    } else {
      shown(
        "target",
        display(trial, run.draw).map(([x, y, dx, dy, square, orange]) => {
          const [cx, cy] = [25 + 50 * x + 14 * (dx - 0.5), 25 + 50 * y + 14 * (dy - 0.5)];
          const kind = orange ? "orange" : "blue";
          return square
            ? path(`M${cx - 13} ${cy - 13}h26v26h-26z`, kind)
            : h(`circle.${kind}`, { cx, cy, r: 14.5 });
        }),
        15000,
      );
    }
    return undefined;
  };
  // The clock starts with the frame that shows the target.
  const shown = (phase, nodes, limit) =>
    requestAnimationFrame((time) => {
      if (!run) return;
      draw(nodes);
      run.phase = phase;
      run.since = time;
      later(
        () => (cueing ? rest([run.trial[0], -1], "Missed.") : rest([...run.trial, limit, 0], "Too late.")),
        limit,
      );
    });
  const answer = (event, present) => {
    if (!run || run.phase === "rest") return;
    const ms = Math.round(event.timeStamp - run.since);
    const { trial } = run;
    if (!cueing)
      rest(
        [...trial, Math.max(1, ms), +(present === trial[2])],
        present === trial[2] ? "" : "Wrong: this one is left out of the slopes.",
      );
    else if (run.phase === "cue" || ms < 100) rest([trial[0], 0], "Too early: this one is discarded.");
    else rest([trial[0], ms]);
  };
  set(stage, {
    onkeydown(event) {
      const { key, repeat } = event;
      if (key === "Escape") stopRun("Stopped; the trials that you did are kept.");
      else if (repeat) return;
      else if (cueing && /^( |Enter)$/.test(key)) answer(event);
      else if (!cueing && /^Arrow(Left|Right)$/.test(key)) answer(event, +(key === "ArrowRight"));
      else return;
      event.preventDefault();
    },
    onpointerdown: (event) => cueing && answer(event),
  });
  const press = (text, present) =>
    button(text, (event) => event.detail || answer(event, present), {
      onpointerdown: (event) => answer(event, present),
      onmousedown: (event) => event.preventDefault(),
    });
  const answers = h(
    ".row",
    cueing ? press("I see it (Space)") : [press("← Not there", 0), press("There →", 1)],
  );

  // Starting.
  const counts = select([], { onchange: () => change({ trials: +counts.value }) });
  const begin = () => {
    const { trials, results, seed } = now();
    const used = results.length && !now().simulated ? seed + 1 : seed;
    run = {
      trials: plan(task, trials, used, sizes),
      done: [],
      seed: used,
      draw: generator(used + 7),
      phase: "rest",
    };
    note("");
    view.redraw();
    stage.hidden = false;
    stage.focus();
    say(counted, "Get ready.");
    draw(cueing ? [frames, cross] : cross);
    later(next, 1200);
  };
  const start = button("Start", begin, { class: "ab-main" });
  const made = button("Use simulated data", () => {
    const { trials, seed, prediction } = now();
    const results = simulate(task, trials, seed, sizes);
    const actual = effect(task, results);
    change({
      results,
      simulated: true,
      prediction: prediction && { ...prediction, actual: actual === null ? null : compact(actual) },
      score: prediction ? score(prediction.guess, actual) : null,
    });
  });
  const stopping = button("Stop", () => stopRun("Stopped; the trials that you did are kept."));
  const warn = h("p.note");
  const idle = h(
    "",
    h(
      "p",
      cueing
        ? "Look at the cross. An arrow says where the disc will probably appear: it is right in 80 % of the trials that have an arrow; a plus says nothing. Press Space, or tap, as soon as you see the disc, wherever it is."
        : "Find the orange, filled square. In half of the displays it is there. Press → (or tap “There”) if it is, ← (“Not there”) if it is not: as fast as you can without errors.",
    ),
    h(
      "p.note",
      "This task is for the eyes: nothing is read out while it runs. With a screen reader, take simulated data; every table below is then filled in the same way.",
    ),
    h(".row", h("label", "trials ", counts), start, made),
    warn,
  );

  // What came out.
  const rows = h("tbody");
  const head = (...names) =>
    h(
      "thead",
      h(
        "tr",
        names.map((name) => h("th", { scope: "col" }, name)),
      ),
    );
  const table = h(
    "table.times",
    h("caption", cueing ? "Reaction times by cue" : "Reaction times of right answers"),
    cueing ? head("cue", "trials", "median") : head("display", "trials", "ms an item", "1980"),
    rows,
  );
  const plot = h("svg.plot", {
    viewBox: "0 0 400 220",
    role: "img",
    "aria-label": "reaction time over the number of items; the table has the slopes",
  });
  const drawResults = () => {
    const { results } = now();
    const row = (name, ...rest) =>
      h(
        "tr",
        h("th", { scope: "row" }, name),
        rest.map((one) => h("td", one)),
      );
    if (cueing) {
      const all = byCue(results);
      const most = Math.max(...all.map(median));
      rows.replaceChildren(
        ...CUES.map((name, i) => {
          const middle = median(all[i]);
          return row(name, all[i].length, [
            h(".bar", h(".fill", { style: `--w:${middle / most || 0}` })),
            middle === null ? "–" : `${whole(middle)} ms`,
          ]);
        }),
      );
      return;
    }
    const all = CONDITIONS.map((one) => points(results, one));
    const fits = all.map(line);
    rows.replaceChildren(
      ...NAMES.map((name, i) =>
        row(`${MARKS[i]} ${name}`, all[i].length, slope(fits[i]), ["–", "–", "28.7", "67.1"][i]),
      ),
    );
    const top = Math.max(1000, ...all.flat().map(([, ms]) => Math.min(ms, 4000)));
    const widest = Math.max(...sizes);
    const [x, y] = [(n) => 44 + (330 * n) / widest, (ms) => 190 - (175 * ms) / top];
    const text = (at, up, words, more) => h("text", { x: at, y: up, ...more }, words);
    const ticks = [0, 1, 2, 3, 4].filter((s) => s * 1000 <= top);
    plot.replaceChildren(
      path(`M44 15V190H385${ticks.map((s) => `M40 ${y(s * 1000)}h4`).join("")}`, "axis"),
      ...ticks.map((s) => text(36, y(s * 1000) + 4, `${s} s`, { "text-anchor": "end" })),
      ...sizes.map((n) => text(x(n), 206, n, { "text-anchor": "middle" })),
      text(385, 219, "items", { "text-anchor": "end" }),
      ...fits.flatMap((fit, i) =>
        !fit
          ? []
          : [
              h("path.fit", {
                d: `M${x(sizes[0])} ${y(fit[1] + fit[0] * sizes[0])}L${x(widest)} ${y(fit[1] + fit[0] * widest)}`,
                "stroke-dasharray": i % 2 ? "5 4" : "none",
              }),
              ...sizes.map((n) => {
                const here = all[i].filter(([size]) => size === n).map(([, ms]) => ms);
                return here.length
                  ? text(x(n), y(Math.min(median(here), top)) + 4, MARKS[i], { "text-anchor": "middle" })
                  : "";
              }),
            ],
      ),
    );
  };
  const out = h(
    "",
    table,
    cueing ? "" : plot,
    cueing
      ? ""
      : h(
          "p.note",
          "Marks are medians; lines are fitted to all right answers (least squares), full with a target, dashed without. 1980: Treisman & Gelade's conjunction slopes.",
        ),
  );

  body.append(panel, idle, stage, answers, counted, stopping, out);
  return {
    sentence: () => (run ? "The task is running." : sentence(task, now())),
    reset: () => stopRun(""),
    outside: () => stopRun("The kernel set other values: the run is stopped."),
    leave: () => clearTimeout(timer),
    update() {
      const { trials, results, revealed } = now();
      if (counts.options.length === 0)
        counts.append(...model.get("offers").map((n) => h("option", { value: n }, n)));
      if (![...counts.options].some((one) => +one.value === trials))
        counts.append(h("option", { value: trials }, trials));
      counts.value = trials;
      panel.hidden = !!run;
      drawPanel();
      idle.hidden = !!run || !revealed;
      stage.hidden = answers.hidden = counted.hidden = stopping.hidden = !run;
      say(start, results.length && !now().simulated ? "Start again" : "Start");
      say(warn, cueing && trials < 60 ? model.get("warning") : "");
      out.hidden = !!run || !revealed || !results.length;
      if (!out.hidden) drawResults();
    },
  };
}

export default widget({ title: "Search and cueing", own: true, agree, build });
