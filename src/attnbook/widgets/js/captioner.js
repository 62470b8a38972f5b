// Captioner: a scene of two digits, the caption that a trained model writes, and where it looks for each word.

import { captioner } from "./inference/captioner.js";
import { button, compact, h, percent, say, select, set, stop, widget } from "./lib/base.js";
import { loadModel } from "./lib/model_weights.js";
import { generator } from "./mechanisms/mulberry32.js";
import {
  CANVAS,
  CELLS,
  imagesOf,
  inside,
  isNear,
  onDigit,
  rightCaption,
  SIDE,
  sceneOf,
  third,
} from "./mechanisms/scene.js";

const MOST_WORDS = 8; // as captioner.py
const ASKED = 1; // the word that the reader is asked about
const MODES = {
  soft: "Soft: the weighted mean of all places",
  hard: "Hard: one place, drawn from the weights",
};
const PEAK = CANVAS - SIDE; // the largest row and column of a digit's corner

const line = (steps) => steps.map(({ word }) => word).join(" ");
const peak = ({ weights, place }) => place ?? weights.indexOf(Math.max(...weights));
const clamp = (x, most) => Math.max(0, Math.min(most, x));

// The caption of a state by a loaded model.
export function write(read, { seed, mode, forced }, isFree) {
  const next = generator(seed);
  const draws = Array.from({ length: MOST_WORDS }, next);
  const looks = new Map(isFree ? [] : forced);
  return read({
    most: MOST_WORDS,
    allowed: looks.size && ((word, place) => !looks.has(word) || isNear(place, looks.get(word))),
    draw: mode === "hard" && ((word) => draws[word]),
  });
}

export const askedOf = (steps) =>
  steps.length ? steps[Math.min(ASKED, steps.length - 1)].weights : Array(CELLS ** 2).fill(0);

export function sentence(state, steps) {
  if (!state.revealed)
    return "The caption and its looks are hidden: click where the model will look before it writes its second word, or skip.";
  if (!steps) return "The trained model is loaded; then it writes.";
  if (!steps.length) return "The model writes no word about this scene.";
  const at = Math.min(state.word, steps.length - 1);
  const step = steps[at];
  const isForced = state.forced.some(([word]) => word === at);
  return `The model writes: ${line(steps)}. For “${step.word}”, with a probability of ${percent(step.share)}, it ${step.place === null ? "looks most at" : "draws"} the ${third(peak(step))} of the scene${isForced ? ", where it was made to look" : ""}.`;
}

const sizes = (_, model) => ({ digits: model.get("labels").length });

function build(view, body) {
  const { model, change } = view;
  const now = () => view.state;
  const images = imagesOf(model.get("digits"));
  const labels = model.get("labels");
  const named = () => now().pair.map((number) => labels[number]);
  let [run, failed, steps, free] = []; // `run` makes captions once the model is here
  let aim = CELLS * (CELLS / 2) + CELLS / 2; // the place under the cross
  let drag; // {digit, from, corner, start}

  const corners = () =>
    drag?.corner
      ? now().corners.map((corner, k) => (k === drag.digit ? drag.corner : corner))
      : now().corners;

  // The model, once a reader wants to see what it writes.
  const load = () =>
    view.wait(
      (async () => {
        say(told, "The trained model is loaded, once.");
        try {
          run = captioner(await loadModel(view, model.get("models")[0]));
          failed = false;
          say(told, "");
        } catch (error) {
          failed = true;
          say(told, `The trained model is not here: ${error.message}.`);
        }
        view.redraw();
      })(),
    );
  let kept;
  const caption = () => {
    const { pair, corners: where, mode, seed, forced } = now();
    const key = JSON.stringify([pair, where, mode, seed, forced]);
    if (!run) return undefined;
    if (kept?.key !== key) {
      const scene = JSON.stringify([pair, where]);
      const read = kept?.scene === scene ? kept.read : run(sceneOf(images, pair, where));
      const made = write(read, now());
      kept = { key, scene, read, steps: made, free: forced.length ? write(read, now(), true) : made };
    }
    return kept;
  };

  // The scene. Pointers drag the digits and choose a place; the keyboard has a handle for each.
  const picture = h("canvas", { width: CANVAS, height: CANVAS, role: "img" });
  const mask = h("canvas", { width: CELLS, height: CELLS, "aria-hidden": "true" });
  const spot = h(".drawn"); // the place that hard attention drew
  const put = (node, [row, column], side) =>
    set(node, {
      style: `top:${(100 * row) / CANVAS}%;left:${(100 * column) / CANVAS}%;width:${(100 * side) / CANVAS}%;height:${(100 * side) / CANVAS}%`,
    });
  const moved = (where) => change({ corners: where, forced: [], prediction: null, score: null });
  const ways = {
    ArrowUp: [-1, 0],
    ArrowDown: [1, 0],
    ArrowLeft: [0, -1],
    ArrowRight: [0, 1],
  };
  const handle = (kind, onway) => {
    const node = stop(
      h(`.${kind}`, {
        role: "slider",
        "aria-valuemin": 0,
        "aria-valuemax": kind === "aim" ? CELLS ** 2 - 1 : PEAK,
        onkeydown: ({ key }) => ways[key] && view.held(node) && onway(...ways[key]),
      }),
      1,
    );
    return node;
  };
  const handles = [0, 1].map((k) =>
    handle("digit", (down, right) => {
      const [row, column] = now().corners[k];
      const to = [clamp(row + down, PEAK), clamp(column + right, PEAK)];
      moved(now().corners.map((corner, i) => (i === k ? to : corner)));
    }),
  );
  const cross = handle("aim", (down, right) => {
    aim = CELLS * clamp(Math.floor(aim / CELLS) + down, CELLS - 1) + clamp((aim % CELLS) + right, CELLS - 1);
    view.redraw();
  });
  const point = ({ clientX, clientY }) => {
    const box = area.getBoundingClientRect();
    return [
      clamp(Math.floor(((clientY - box.top) / box.height) * CANVAS), CANVAS - 1),
      clamp(Math.floor(((clientX - box.left) / box.width) * CANVAS), CANVAS - 1),
    ];
  };
  const area = h(
    ".scene",
    {
      onpointerdown(event) {
        const start = point(event);
        const digit = [1, 0].find((k) => {
          const [down, right] = start.map((x, i) => x - now().corners[k][i]);
          return down >= 0 && down < SIDE && right >= 0 && right < SIDE;
        });
        drag = { digit, start };
        area.setPointerCapture(event.pointerId);
        event.preventDefault();
      },
      onpointermove(event) {
        if (drag?.digit === undefined) return;
        const [down, right] = point(event).map((x, i) => x - drag.start[i]);
        if (!drag.corner && Math.hypot(down, right) < 1) return;
        const [row, column] = now().corners[drag.digit];
        drag.corner = [clamp(row + down, PEAK), clamp(column + right, PEAK)];
        view.redraw();
      },
      onpointerup() {
        if (!drag) return;
        if (drag.corner) moved(corners());
        else {
          const [row, column] = drag.start;
          aim = CELLS * (row >> 1) + (column >> 1);
        }
        drag = undefined;
        view.redraw();
      },
      onpointercancel() {
        drag = undefined;
        view.redraw();
      },
    },
    picture,
    mask,
    spot,
    handles,
    cross,
  );

  // Predict first.
  const panel = h(".predict");
  const ask = h(
    "",
    h(
      "p.ask",
      "The caption names two digits. Where will the model look before it writes its second word, the first digit's name? Click there, or move the cross.",
    ),
    h(
      ".row",
      button(
        "Commit",
        async () => {
          if (!run) await load();
          if (failed) return;
          const place = [2 * Math.floor(aim / CELLS) + 1, 2 * (aim % CELLS) + 1];
          const share = compact(inside(askedOf(caption().steps), place));
          change({
            prediction: { place, share },
            score: Math.floor(share * 100 + 0.5) / 100,
            word: ASKED,
            revealed: true,
          });
        },
        { class: "ab-main" },
      ),
      button("Skip", () => {
        failed = false;
        change({ prediction: null, score: null, revealed: true });
      }),
    ),
  );
  const verdict = h("p", { role: "status" });
  const done = h(
    "",
    verdict,
    button("Predict again", () => change({ prediction: null, score: null, forced: [], revealed: false })),
  );
  panel.append(ask, done);

  // What the scene is made of.
  const choices = [0, 1].map((k) => {
    const node = select(
      labels.map((label, i) => [i, `${label} (${i + 1})`]),
      {
        onchange: () =>
          change({
            pair: now().pair.map((old, i) => (i === k ? +node.value : old)),
            forced: [],
            prediction: null,
            score: null,
          }),
      },
    );
    return node;
  });

  // What it writes.
  const told = h("p.note", { role: "status" });
  const right = h("p.note");
  const words = h(".modes", { role: "group", "aria-label": "caption: choose a word" });
  const modes = Object.entries(MODES).map(([name, text]) =>
    button(text, () => change({ mode: name }), { role: "radio", "aria-checked": "false", "data-name": name }),
  );
  const again = button("Draw again", () => change({ seed: (now().seed + 1) % 1000 }));
  const at = () => Math.min(now().word, steps.length - 1);
  const force = button("", () =>
    change({ forced: [...now().forced.filter(([word]) => word !== at()), [at(), aim]], word: at() }),
  );
  const release = button("Let it look where it wants", () => change({ forced: [] }));
  const rows = h("tbody");
  const heads = h("tr");
  const table = h(
    "table.looks",
    h("caption", "Word by word: where the weight lies"),
    h("thead", heads),
    rows,
  );
  const weights = h("tbody");
  const all = h(
    "details.panel",
    { ontoggle: view.redraw },
    stop(h("summary", "Table: all 144 weights of this word, in %")),
    h("table.weights", weights),
  );
  const outcome = h(
    "",
    h(".row", words),
    right,
    h(".row", h(".modes", { role: "radiogroup", "aria-label": "attention" }, modes), again),
    h(".row", force, release),
    table,
    all,
  );

  body.append(
    panel,
    h(
      ".row",
      choices.map((node, k) => h("label", `${k ? "another" : "one"} digit `, node)),
    ),
    area,
    told,
    outcome,
  );

  const drawScene = () => {
    const { data } = sceneOf(images, now().pair, corners());
    const context = picture.getContext("2d");
    const out = context.createImageData(CANVAS, CANVAS);
    data.forEach((ink, i) => {
      out.data.set([255 - 235 * ink, 255 - 235 * ink, 255 - 225 * ink, 255], 4 * i);
    });
    context.putImageData(out, 0, 0);
    set(picture, {
      "aria-label": `scene: ${named()
        .map((name, k) => `a ${name} at row ${corners()[k][0]}, column ${corners()[k][1]}`)
        .join("; ")}`,
    });
    handles.forEach((node, k) => {
      const [row, column] = corners()[k];
      put(node, [row, column], SIDE);
      set(node, {
        "aria-label": `${named()[k]}, arrows move it`,
        "aria-valuenow": row,
        "aria-valuetext": `row ${row}, column ${column}`,
      });
    });
    // Before the outcome the cross stands for what the guess covers, later for where a look can be forced.
    const side = now().revealed ? 6 : SIDE;
    const [row, column] = [2 * Math.floor(aim / CELLS) + 1, 2 * (aim % CELLS) + 1];
    put(cross, [row - side / 2, column - side / 2], side);
    set(cross, {
      "aria-label": "cross, arrows move it",
      "aria-valuenow": aim,
      "aria-valuetext": `row ${row}, column ${column}, ${third(aim)}`,
    });
  };

  const drawMask = (shares) => {
    const context = mask.getContext("2d");
    const out = context.createImageData(CELLS, CELLS);
    const most = Math.max(...shares);
    shares.forEach((share, i) => {
      out.data.set([0, 90, 200, 190 * Math.sqrt(share / most)], 4 * i);
    });
    context.putImageData(out, 0, 0);
  };

  const drawOutcome = () => {
    const { forced, mode, pair } = now();
    const rest = rightCaption(
      pair.map((number) => labels[number]),
      now().corners,
    );
    const isRight = rest?.join(" ") === line(steps);
    say(
      right,
      `${rest ? (isRight ? "That is the right caption." : `Right would be: ${rest.join(" ")}.`) : "No caption is right here: the digits overlap, or stand aslant, and the model was trained on no such scene."}${forced.length ? ` Left to itself it writes: ${line(free)}.` : ""}`,
    );
    if (words.dataset.line !== line(steps)) {
      words.dataset.line = line(steps);
      words.replaceChildren(
        ...steps.map(({ word }, i) =>
          button(word, () => change({ word: i }), { "aria-label": `word ${i + 1}: ${word}` }),
        ),
      );
    }
    [...words.children].forEach((one, i) => set(one, { "aria-pressed": `${i === at()}` }));
    say(force, `For “${steps[at()].word}”: look at the cross and nowhere else`);
    release.disabled = !forced.length;
    again.hidden = mode !== "hard";
    for (const one of modes) set(one, { "aria-checked": `${one.dataset.name === mode}` });
    heads.replaceChildren(
      ...["word", "its probability", ...named().map((name) => `on the ${name}`), "largest"].map((text) =>
        h("th", { scope: "col" }, text),
      ),
    );
    rows.replaceChildren(
      ...steps.map((step, i) =>
        h(
          "tr",
          { "data-now": i === at() },
          h("th", { scope: "row" }, step.word),
          [
            percent(step.share),
            ...now().corners.map((corner) => percent(onDigit(step.weights, corner))),
            `${third(peak(step))}${step.place === null ? "" : ", drawn"}${forced.some(([word]) => word === i) ? ", forced" : ""}`,
          ].map((text) => h("td", text)),
        ),
      ),
    );
    const { weights: shares, place } = steps[at()];
    spot.hidden = place === null;
    if (place !== null) put(spot, [2 * Math.floor(place / CELLS), 2 * (place % CELLS)], 2);
    drawMask(shares);
    if (all.open)
      weights.replaceChildren(
        ...Array.from({ length: CELLS }, (_, row) =>
          h(
            "tr",
            h("th", { scope: "row" }, 2 * row),
            shares.slice(CELLS * row, CELLS * (row + 1)).map((share) => h("td", Math.round(100 * share))),
          ),
        ),
      );
  };

  return {
    sentence: () => sentence(now(), steps),
    outside() {
      failed = false;
    },
    update() {
      const { revealed, prediction, pair } = now();
      if (revealed && !run && !failed && !drag) load();
      const found = drag?.corner ? kept : caption();
      steps = revealed && found ? found.steps : undefined;
      free = found?.free;
      const turned = ask.hidden !== revealed && panel.contains(document.activeElement);
      ask.hidden = revealed;
      done.hidden = !revealed;
      if (turned) (revealed ? done : ask).querySelector("button").focus();
      say(
        verdict,
        prediction
          ? `Your square held ${percent(prediction.share)} of the weight. Spread evenly it would have held about 11 %.`
          : "",
      );
      choices.forEach((node, k) => {
        node.value = pair[k];
      });
      drawScene();
      const shown = !!steps?.length && !drag?.corner;
      outcome.hidden = mask.hidden = spot.hidden = !shown;
      if (shown) drawOutcome();
    },
  };
}

export default widget({ title: "Captioner", sizes, build });
