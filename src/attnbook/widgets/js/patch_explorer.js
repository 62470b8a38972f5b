// PatchExplorer: a picture cut into patches, what each attends to, and the reader's own drawing.

import { visionTransformer } from "./inference/vit.js";
import { argmax, button, h, paint, percent, predictor, say, select, set, stop, widget } from "./lib/base.js";
import { modelWhenTouched } from "./lib/model_weights.js";
import { inRows, named, outline, patchMap, patchTable, WAYS } from "./lib/patch_map.js";
import { counted, empty, isBlack, SIDE, stroke } from "./mechanisms/drawing.js";

const STEP = 2; // points that the pen moves with an arrow key

const mean = (heads) =>
  heads[0].map((row, i) =>
    row.map((_, j) => heads.reduce((sum, head) => sum + head[i][j], 0) / heads.length),
  );

export function sentence({ revealed, drawing }, numbers, { grid }) {
  if (!revealed)
    return `Outcome hidden: predict which of ${grid ** 2} patches the class token weighs most, or skip.`;
  if (drawing && !drawing.some(Boolean)) return "Nothing is drawn yet.";
  if (!numbers) return "The trained model is needed to go on.";
  const { probabilities, best, share } = numbers;
  const digit = argmax(probabilities);
  return `The model reads a ${digit}, ${percent(probabilities[digit])}; in the last layer the class token weighs ${named(best, grid)} most, ${percent(share)} on average over the heads.`;
}

function build(view, body) {
  const { model, change } = view;
  const { examples, names, side, full, grid, heads } = model.get("content");
  const [layers, perLayer] = heads;
  const patches = grid ** 2;
  const size = side / grid;
  const patchOf = (i) => Math.floor(Math.floor(i / side) / size) * grid + Math.floor((i % side) / size);
  const now = () => view.state;
  const anew = { prediction: null, score: null };
  let [read, numbers, picture, known] = [];

  // The model: fetched when the reader first touches the widget, or where its numbers are shown from the start.
  const loader = modelWhenTouched(view, (loaded) => {
    read = visionTransformer(loaded);
    compute();
  });
  const { told, load } = loader;
  const compute = () => {
    const { drawing, example } = now();
    const wanted = drawing ? counted(drawing, side) : examples[example];
    const key = wanted.join();
    if (key === known && (numbers || !read)) return;
    known = key;
    picture = wanted;
    if (!read) return;
    numbers = read(picture.map((ink) => ink / full));
    const ofClass = mean(numbers.weights.at(-1))[0].slice(1);
    numbers.best = argmax(ofClass);
    numbers.share = ofClass[numbers.best];
  };
  const shown = () => {
    const [layer, head] = now().head;
    return now().view === "head" ? numbers.weights[layer][head] : mean(numbers.weights[layer]);
  };

  // Where the reader draws.
  const pad = h("canvas", { width: SIDE, height: SIDE });
  const pen = h(".pe-pen");
  const at = [SIDE / 2, SIDE / 2];
  let isDown = false;
  const penSays = h("p.pe-read", { role: "status" });
  const drawTo = (from, to) => change({ ...anew, drawing: stroke(now().drawing || empty(), from, to) });
  const place = ({ clientX, clientY }) => {
    const { left, top, width, height } = pad.getBoundingClientRect();
    return [((clientX - left) / width) * SIDE, ((clientY - top) / height) * SIDE];
  };
  let last;
  const board = stop(
    h(
      ".pe-pad",
      {
        role: "application",
        "aria-label": `Drawing board. Enter takes the pen: then arrows move it, space sets it down or lifts it.`,
        onpointerdown(event) {
          event.preventDefault();
          board.focus();
          board.setPointerCapture(event.pointerId);
          last = place(event);
          drawTo(last, last);
        },
        onpointermove(event) {
          if (!last) return;
          const to = place(event);
          drawTo(last, to);
          last = to;
        },
        onpointerup: () => {
          last = null;
        },
        onpointercancel: () => {
          last = null;
        },
        onkeydown(event) {
          if (!view.held(board)) return;
          const way = WAYS[event.key];
          const from = [...at];
          if (event.key === " ") isDown = !isDown;
          else if (way)
            way.forEach((step, i) => {
              at[i] = Math.max(0, Math.min(SIDE, at[i] + step * STEP));
            });
          else return;
          event.preventDefault();
          if (isDown) drawTo(from, at);
          view.redraw();
        },
        onfocusout: () => {
          isDown = false;
          view.redraw();
        },
      },
      pad,
      pen,
    ),
    1,
  );
  const given = select([["", "my drawing"], ...names.map((name, i) => [i, name])], {
    onchange: () =>
      change(
        given.value === ""
          ? { ...anew, drawing: now().drawing || empty() }
          : { ...anew, drawing: null, example: +given.value },
      ),
  });
  const clear = button("Empty board", () => change({ ...anew, drawing: empty() }));

  // The picture as the model reads it; a patch or the class token asks.
  const squaresOf = Array.from({ length: patches }, (_, i) =>
    h("path.pe-heat", { d: outline(i, grid, size) }),
  );
  const dots = Array.from({ length: side ** 2 }, (_, i) =>
    h("circle.pe-ink", { cx: (i % side) + 0.5, cy: Math.floor(i / side) + 0.5 }),
  );
  const labels = Array.from({ length: patches }, (_, i) =>
    h("text.pe-label", { x: (i % grid) * size + 0.1, y: Math.floor(i / grid) * size + 0.5 }),
  );
  const mark = h("path.patch-mark");
  const title = h("figcaption");
  const answer = h("p.pe-read");
  const ask = (asks) => change({ asks });
  const seen = patchMap(
    view,
    {
      rows: grid,
      columns: grid,
      size,
      label: "the patch that asks",
      most: patches,
      at: () => now().asks - 1,
      choose: (patch) => ask(1 + patch),
    },
    squaresOf,
    dots,
    mark,
    labels,
  );
  const classAsks = button("The class token asks", () => ask(0));

  // Layers × heads as small pictures.
  const small = Array.from({ length: layers }, (_, layer) =>
    Array.from({ length: perLayer }, (_, head) => {
      const canvas = h("canvas");
      const one = button(canvas, () => change({ head: [layer, head], view: "head" }), {
        class: "ab-pe-small",
        "aria-label": `layer ${layer + 1}, head ${head + 1}`,
      });
      return { one, canvas };
    }),
  );
  const means = Array.from({ length: layers }, (_, layer) =>
    button("mean", () => change({ head: [layer, now().head[1]], view: "mean" }), {
      class: "ab-pe-small",
      "aria-label": `layer ${layer + 1}, mean of the heads`,
    }),
  );
  const overview = h(
    "table.pe-heads",
    h("caption", "What it attends to, in each head; choose one"),
    h(
      "tbody",
      small.map((row, layer) =>
        h(
          "tr",
          h("th", { scope: "row" }, `layer ${layer + 1}`),
          row.map(({ one }) => h("td", one)),
          h("td", means[layer]),
        ),
      ),
    ),
  );

  // What the model says of the digit, and the numbers of what is shown.
  const bars = Array.from({ length: 10 }, (_, digit) => {
    const [fill, text] = [h(".fill"), h("span")];
    const row = h("tr", h("th", { scope: "row" }, `${digit}`), h("td", h(".bar", fill), text));
    return { fill, text, row };
  });
  const classes = h(
    "table.pe-bars",
    h("caption", "What the model reads"),
    h(
      "tbody",
      bars.map(({ row }) => row),
    ),
  );
  const itself = h("td", { colspan: grid });
  const table = patchTable(
    grid,
    grid,
    { across: "col. ", down: "row " },
    h("tr", h("th", { scope: "row" }, "class token"), itself),
  );

  const guess = predictor(view, {
    ask: () =>
      "In the last layer, on average over its heads: which patch will the class token weigh most, and how much?",
    options: () => Array.from({ length: patches }, (_, i) => named(i, grid)),
    outcome: () => (numbers ? [numbers.best, numbers.share] : []), // none: a link came before the model
    why: () => {
      const sum = (inks) => inks.reduce((a, b) => a + b, 0);
      const inside = picture.filter((_, i) => patchOf(i) === numbers.best);
      return `${percent(sum(inside) / (sum(picture) || 1))} of the ink lies there.`;
    },
    thing: "patch",
    ready: load,
  });
  const result = h("", h(".pe-sides", h("", overview), classes), table.panel);
  body.append(
    guess.panel,
    h(
      ".pe-sides",
      h(
        "figure",
        h("figcaption", "Draw a digit, as large as the board"),
        board,
        penSays,
        h(".row", clear, h("label", "or take ", given)),
      ),
      h("figure", title, seen, answer, h(".row", classAsks)),
    ),
    told,
    result,
  );

  return {
    sentence: () => sentence(now(), numbers, { grid }),
    reset() {
      at.fill(SIDE / 2);
      isDown = false;
    },
    update() {
      const state = now();
      const { drawing, revealed, asks, head } = state;
      if (revealed && !loader.failed) load();
      compute();
      guess.draw();
      const isShown = revealed && numbers;
      const weights = isShown && shown();
      const row = weights?.[asks];

      const context = pad.getContext("2d");
      context.clearRect(0, 0, SIDE, SIDE);
      context.fillStyle = getComputedStyle(board).color;
      if (drawing)
        for (let y = 0; y < SIDE; y += 1)
          for (let x = 0; x < SIDE; x += 1) if (isBlack(drawing, y, x)) context.fillRect(x, y, 1, 1);
      const isHeld = view.held(board);
      pen.hidden = !isHeld;
      set(pen, {
        "data-down": isDown,
        style: `left:${(100 * at[0]) / SIDE}%;top:${(100 * at[1]) / SIDE}%`,
      });
      say(
        penSays,
        isHeld
          ? `Pen ${isDown ? "down" : "up"}, at ${at[0]} from the left and ${at[1]} from the top of ${SIDE}.`
          : "",
      );
      given.value = drawing ? "" : state.example;

      const who = asks ? named(asks - 1, grid) : "the class token";
      const where =
        state.view === "head"
          ? `layer ${head[0] + 1}, head ${head[1] + 1}`
          : `layer ${head[0] + 1}, mean of the heads`;
      say(
        title,
        isShown
          ? `The model’s picture: ${who} asks, ${where}`
          : `The model’s picture, ${grid} × ${grid} patches`,
      );
      picture.forEach((ink, i) => set(dots[i], { r: 0.42 * Math.sqrt(ink / full) }));
      squaresOf.forEach((one, i) => {
        const w = row ? row[i + 1] : 0;
        set(one, { style: `--w:${Math.sqrt(w).toFixed(3)}` });
        say(labels[i], row ? percent(w) : "?");
      });
      set(mark, {
        d: asks ? outline(asks - 1, grid, size) : "M0 0",
      });
      const best = row && argmax(row.slice(1));
      const text = row
        ? `${who} gives ${percent(row[best + 1])} of its weight to ${named(best, grid)}, and ${percent(row[0])} to ${asks ? "the class token" : "itself"}.`
        : "";
      say(answer, text);
      set(seen, { "aria-valuenow": asks, "aria-valuetext": `${who}. ${text}` });
      set(classAsks, { "aria-pressed": `${!asks}` });

      result.hidden = !isShown;
      if (!isShown) return;
      small.forEach((heads, layer) =>
        heads.forEach(({ one, canvas }, h) => {
          const of = numbers.weights[layer][h][asks].slice(1);
          paint(canvas, inRows(of.map(Math.sqrt), grid));
          set(one, {
            "aria-pressed": `${state.view === "head" && layer === head[0] && h === head[1]}`,
          });
        }),
      );
      means.forEach((one, layer) =>
        set(one, { "aria-pressed": `${state.view === "mean" && layer === head[0]}` }),
      );
      bars.forEach(({ fill, text }, digit) => {
        set(fill, { style: `--w:${numbers.probabilities[digit].toFixed(4)}` });
        say(text, percent(numbers.probabilities[digit]));
      });
      say(table.caption, `Weights in %, ${who} asks, ${where}`);
      table.cells.forEach((cell, i) => say(cell, (100 * row[i + 1]).toFixed(1)));
      say(itself, (100 * row[0]).toFixed(1));
    },
  };
}

export default widget({ title: "Patch explorer", build });
