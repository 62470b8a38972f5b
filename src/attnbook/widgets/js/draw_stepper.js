// DrawStepper: a network that draws, step by step, and windows that the reader moves in its place.

import {
  button,
  compact,
  fixed,
  h,
  paint,
  say,
  select,
  set,
  slider,
  stop,
  unpack,
  widget,
} from "./lib/base.js";
import { rowsOf } from "./mechanisms/alignment.js";
import { added, nats, read, sigmoid, write } from "./mechanisms/draw.js";

const ENDS = ["read", "write"];
const REACH = 22; // pixels around a handle that take the pointer

// What the kernel packed of one picture, unpacked; kept, since every frame asks.
const kept = new WeakMap();
export function drawingOf(drawings, name) {
  const packed = drawings.pictures[name];
  if (!kept.has(packed)) {
    const { width, steps } = drawings;
    const patch = rowsOf(unpack(packed.patch), drawings["write size"]);
    const [reads, writes] = ENDS.map((end) => rowsOf(unpack(packed[end]), 5));
    const n = patch.length / steps;
    kept.set(packed, {
      ink: rowsOf(Float32Array.from(packed.ink, Number), width),
      first: rowsOf(unpack(drawings.first), width),
      read: reads,
      write: writes,
      patches: reads.map((_, t) => patch.slice(t * n, (t + 1) * n)),
    });
  }
  return kept.get(packed);
}

// The step in view: none from the one that is asked for on while the outcome is hidden.
export const shownStep = ({ step, revealed }, { ask }) => (revealed ? step : Math.min(step, ask - 1));

// All that follows from a state.
export function see(state, drawings) {
  const { height, width } = drawings;
  const drawn = drawingOf(drawings, state.picture);
  const shown = shownStep(state, drawings);
  const windows = Object.fromEntries(ENDS.map((end) => [end, drawn[end].slice()]));
  if (state.window) {
    const own = windows[state.end];
    own[shown - 1] = [...state.window, own[shown - 1][4]];
  }
  const canvases = [drawn.first];
  for (let t = 0; t < shown; t += 1)
    canvases.push(added(canvases[t], write(drawn.patches[t], windows.write[t], height, width)));
  const canvas = canvases[shown];
  const at = Object.fromEntries(ENDS.map((end) => [end, windows[end][shown - 1]]));
  return {
    shown,
    ink: drawn.ink,
    canvas,
    windows: at,
    all: windows,
    glimpse: read(drawn.ink, at.read, drawings["read size"]),
    patch: drawn.patches[shown - 1],
    costs: canvases.slice(1).map((one) => nats(one, drawn.ink)),
    nats: nats(canvas, drawn.ink),
  };
}

export function sentence(state, drawings, seen = see(state, drawings)) {
  const { picture, revealed, window, end } = state;
  const where = `Step ${seen.shown} of ${drawings.steps} on “${picture}”`;
  if (!revealed)
    return `${where}: the place where it writes in step ${drawings.ask} is hidden; place the cross and commit, or skip.`;
  const [reads, writes] = ENDS.map((one) => {
    const [x, y] = seen.windows[one];
    return `column ${fixed(x, 1)}, row ${fixed(y, 1)}`;
  });
  return `${where}: it reads around ${reads}, writes around ${writes}, and the canvas is ${fixed(seen.nats, 1)} nats from the picture.${window ? ` The window that ${end}s is yours.` : ""}`;
}

// The reader's place beside the model's, and its score.
export function judge(x, y, { picture }, drawings) {
  const [answerX, answerY] = drawingOf(drawings, picture).write[drawings.ask - 1];
  const off = Math.hypot(x - answerX, y - answerY);
  const half = Math.max(drawings.height, drawings.width) / 2;
  return {
    prediction: { x, y, answer_x: compact(answerX), answer_y: compact(answerY), off: compact(off) },
    score: Math.floor(Math.max(0, 1 - compact(off) / half) * 100 + 0.5) / 100,
  };
}

const circle = (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`;

function build(view, body) {
  const drawings = view.model.get("drawings");
  const { height, width, steps, ask } = drawings;
  const side = Math.max(height, width);
  const now = () => view.state;
  let seen = see(now(), drawings);
  let guess = [(width - 1) / 2, (height - 1) / 2];
  let dragged;
  const none = { prediction: null, score: null };
  const within = (v, most) => Math.round(Math.max(0, Math.min(most, v)) * 10) / 10;

  // What a handle moves. Numbers of a window: x, y, stride, variance.
  const own = () => now().window || seen.windows[now().end].slice(0, 4);
  const half = () => (drawings[`${now().end} size`] - 1) / 2;
  const bounds = [
    [0, width - 1, 0.1],
    [0, height - 1, 0.1],
    [0.1, side / 2, 0.05],
    [0.1, 25, 0.05],
  ];
  const move = (changed) => {
    const next = own().map((v, k) => {
      const [low, high] = bounds[k];
      return k in changed ? Math.round(Math.max(low, Math.min(high, changed[k])) * 100) / 100 : v;
    });
    view.change({ window: next.map(compact) });
  };
  const place = (x, y) => {
    guess = [within(x, width - 1), within(y, height - 1)];
    view.note("");
    view.redraw();
  };

  // A panel: pixels, the window over them, and, where it is the reader's turn, handles.
  const handle = (name, keys, drag) => {
    const node = stop(
      h(
        "g.handle",
        {
          role: "slider",
          "aria-label": name,
          onkeydown({ key, shiftKey }) {
            const way = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].indexOf(key);
            if (way < 0 || !view.held(node)) return;
            const by = (way % 2 ? 1 : -1) * (shiftKey ? 0.1 : 0.5);
            keys(way < 2 ? by : 0, way < 2 ? 0 : by);
          },
          onpointerdown(event) {
            dragged = node;
            node.focus({ preventScroll: true });
            node.setPointerCapture(event.pointerId);
            event.preventDefault();
          },
          onpointermove(event) {
            if (dragged !== node) return;
            const { left, top, width: wide } = node.ownerSVGElement.getBoundingClientRect();
            const unit = wide / width;
            drag((event.clientX - left) / unit - 0.5, (event.clientY - top) / unit - 0.5);
          },
          onlostpointercapture() {
            dragged = null;
          },
        },
        h("circle.hit"),
        h("path"),
      ),
      1,
    );
    return node;
  };
  const handles = () => [
    handle(
      "centre of the window",
      (dx, dy) => move({ 0: own()[0] + dx, 1: own()[1] + dy }),
      (x, y) => move({ 0: x, 1: y }),
    ),
    handle(
      "stride, at the last filter",
      (dx, dy) => move({ 2: own()[2] + (dx + dy) / 5 }),
      (x, y) => move({ 2: Math.max(x - own()[0], y - own()[1]) / half() }),
    ),
    handle(
      "variance, at the rim of the first filter",
      (dx, dy) => move({ 3: own()[3] - (dx + dy) / 2 }),
      (x) => {
        const sigma = own()[0] - half() * own()[2] - x;
        move({ 3: Math.max(0.1, sigma) ** 2 });
      },
    ),
  ];
  const panels = Object.fromEntries(
    ENDS.map((end) => {
      const [pixels, grid, frame, mine] = [h("canvas"), h("path.grid"), h("path.frame"), handles()];
      const reading = end === "read";
      const cross =
        !reading &&
        handle(
          `your guess: where it will write in step ${ask}`,
          (dx, dy) => place(guess[0] + dx, guess[1] + dy),
          place,
        );
      const answer = h("path.answer");
      const svg = h(
        "svg",
        {
          viewBox: `-0.5 -0.5 ${width} ${height}`,
          role: "group",
          "aria-label": reading
            ? "picture, with the window that reads"
            : "canvas, with the window that writes",
          onclick(event) {
            if (reading || now().revealed || event.target.closest(".ab-handle")) return;
            const { left, top, width: wide } = svg.getBoundingClientRect();
            const unit = wide / width;
            place((event.clientX - left) / unit - 0.5, (event.clientY - top) / unit - 0.5);
          },
        },
        h("g", frame, grid),
        answer,
        mine,
        cross,
      );
      set(pixels, { role: "img" });
      const caption = h("figcaption");
      return [
        end,
        {
          node: h("figure", caption, h(".sheet20", pixels, svg)),
          caption,
          pixels,
          grid,
          frame,
          mine,
          cross,
          answer,
        },
      ];
    }),
  );
  const drawPanel = (end) => {
    const { revealed, prediction } = now();
    const { pixels, grid, frame, mine, cross, caption, answer } = panels[end];
    const [x, y, stride, variance] = seen.windows[end];
    const n = drawings[`${end} size`];
    const reading = end === "read";
    paint(pixels, reading ? seen.ink : seen.canvas.map((row) => row.map(sigmoid)));
    set(pixels, {
      "aria-label": reading
        ? `the picture “${now().picture}”`
        : `the canvas after step ${seen.shown}; the table below has it in blocks`,
    });
    say(caption, reading ? `picture, read in step ${seen.shown}` : `canvas after step ${seen.shown}`);
    const reach = ((n - 1) / 2) * stride;
    const sigma = Math.sqrt(variance);
    const places = Array.from({ length: n }, (_, i) => (i - (n - 1) / 2) * stride);
    set(grid, {
      d: places.map((dy) => places.map((dx) => circle(x + dx, y + dy, sigma)).join("")).join(""),
    });
    set(frame, { d: `M${x - reach} ${y - reach}h${2 * reach}v${2 * reach}h${-2 * reach}z` });
    const active = revealed && now().end === end;
    const spots = [
      [x, y, `${fixed(x, 1)} across, ${fixed(y, 1)} down`, x],
      [x + reach, y + reach, `stride ${fixed(stride)}`, stride],
      [x - reach - sigma, y - reach, `variance ${fixed(variance)}`, variance],
    ];
    const put = (node, [at, down, text, value], d) => {
      const inside = (v, most) => Math.max(0.2, Math.min(most - 1.2, v)).toFixed(2);
      set(node, {
        transform: `translate(${inside(at, width)} ${inside(down, height)})`,
        "aria-valuenow": compact(value),
        "aria-valuemin": -side,
        "aria-valuemax": 25 * side,
        "aria-valuetext": text,
      });
      // 44 pixels wide on a screen, whatever the drawing's size.
      const unit = (node.ownerSVGElement.getBoundingClientRect().width || 290) / width;
      set(node.firstChild, { r: (REACH / unit + 0.02).toFixed(2) });
      set(node.lastChild, { d });
    };
    mine.forEach((node, k) => {
      set(node, { display: active ? null : "none" });
      if (active)
        put(
          node,
          spots[k],
          [
            "M0-.8l.8 .8l-.8 .8l-.8-.8z",
            "M-.6-.6h1.2v1.2h-1.2z",
            "M-.7 0a.7 .7 0 1 0 1.4 0a.7 .7 0 1 0-1.4 0z",
          ][k],
        );
    });
    if (reading) return;
    set(cross, { display: revealed ? "none" : null });
    if (!revealed)
      put(
        cross,
        [...guess, `${fixed(guess[0], 1)} across, ${fixed(guess[1], 1)} down`, guess[0]],
        "M-1.4 0h2.8M0-1.4v2.8",
      );
    set(answer, {
      d:
        revealed && prediction
          ? `M${prediction.x - 0.7} ${prediction.y}h1.4m-.7-.7v1.4M${prediction.x} ${prediction.y}L${prediction.answer_x} ${prediction.answer_y}`
          : "",
    });
  };

  // Small pictures: what the window sees, and what is written through it.
  const small = ENDS.map(() => [h("canvas", { role: "img" }), h("figcaption")]);
  const drawSmall = () => {
    [seen.glimpse, seen.patch].forEach((rows, k) => {
      const most = Math.max(1e-9, ...rows.flat().map(Math.abs));
      paint(
        small[k][0],
        rows.map((row) => row.map((v) => v / most)),
        true,
      );
      say(small[k][1], k ? "what it writes" : "what it sees");
      set(small[k][0], {
        "aria-label": `${k ? "what is written" : "what is seen"}; the table has the numbers`,
      });
    });
  };

  // Tables: the steps, and behind the pictures their numbers.
  const heads = ["step", "reads at", "wide", "writes at", "wide", "nats"];
  const head = (names) =>
    h(
      "thead",
      h(
        "tr",
        names.map((name) => h("th", { scope: "col" }, name)),
      ),
    );
  const rows = h("tbody");
  const table = h("table.steps", h("caption", "Steps"), head(heads), rows);
  const drawTable = () => {
    const shows = now().revealed;
    rows.replaceChildren(
      ...seen.all.read.map((_, t) => {
        const hidden = !shows && t >= seen.shown;
        const cells = ENDS.flatMap((end) => {
          const [x, y, stride] = seen.all[end][t];
          return [`${fixed(x, 1)}, ${fixed(y, 1)}`, fixed((drawings[`${end} size`] - 1) * stride, 1)];
        });
        const cost = seen.costs[t];
        return h(
          "tr",
          { "aria-current": t + 1 === seen.shown ? "step" : null },
          h("th", { scope: "row" }, t + 1),
          [...cells, cost === undefined ? "–" : fixed(cost, 1)].map((text) => h("td", hidden ? "?" : text)),
        );
      }),
    );
  };
  const numbers = h(".tables");
  const behind = h(
    "details.panel",
    { ontoggle: view.redraw },
    stop(h("summary", "Tables behind the pictures")),
    numbers,
  );
  const sheet = (title, values) =>
    h(
      "table",
      h("caption", title),
      h(
        "tbody",
        values.map((row) =>
          h(
            "tr",
            row.map((v) => h("td", fixed(v))),
          ),
        ),
      ),
    );
  // Means over blocks: a table of 400 pixels would be read by nobody.
  const blocks = (pixels) => {
    const b = Math.ceil(side / 5);
    return Array.from({ length: Math.ceil(height / b) }, (_, i) =>
      Array.from({ length: Math.ceil(width / b) }, (_, j) => {
        const all = pixels.slice(i * b, (i + 1) * b).flatMap((row) => row.slice(j * b, (j + 1) * b));
        return all.reduce((sum, v) => sum + v, 0) / all.length;
      }),
    );
  };

  // Predict first.
  const [asking, told] = [h("p.ask"), h("p", { role: "status" })];
  const commit = button(
    "Commit",
    () =>
      view.change({
        ...judge(...guess, now(), drawings),
        revealed: true,
        step: ask,
        end: "write",
        window: null,
      }),
    { class: "ab-main" },
  );
  const pass = button("Skip", () => view.change({ ...none, revealed: true }));
  const again = button("Predict again", () =>
    view.change({ ...none, revealed: false, step: ask - 1, window: null }),
  );
  const panel = h(".predict", asking, told, h(".row", commit, pass, again));
  const verdict = ({ prediction, score }) => {
    if (!prediction) return "";
    const { answer_x: x, answer_y: y, off } = prediction;
    return `In step ${ask} it writes around column ${fixed(x, 1)}, row ${fixed(y, 1)}: ${fixed(off, 1)} pixels from your cross, score ${fixed(score)}. Now step on, or move a window yourself.`;
  };
  const drawAsk = (state) => {
    const inside = panel.contains(document.activeElement) && again.hidden === state.revealed;
    asking.hidden = commit.hidden = pass.hidden = state.revealed;
    again.hidden = !state.revealed;
    if (inside) (state.revealed ? again : commit).focus();
    say(
      asking,
      `Where will the middle of its window for writing be in step ${ask}? Place the cross on the canvas.`,
    );
    say(told, verdict(state));
  };

  // Controls.
  const names = Object.keys(drawings.pictures);
  const chosen = select(
    names.map((name) => [name, name]),
    {
      onchange: () => view.change({ ...none, picture: chosen.value, window: null }),
    },
  );
  const to = (t) =>
    view.change({ step: Math.max(1, Math.min(now().revealed ? steps : ask - 1, t)), window: null });
  const [back, next] = [
    button("Step back", () => to(seen.shown - 1)),
    button("Next step", () => to(seen.shown + 1)),
  ];
  const radios = ENDS.map((end) =>
    button(`Move the window that ${end}s`, () => view.change({ end, window: null }), {
      role: "radio",
      "data-end": end,
    }),
  );
  const sliders = ["column", "row", "stride", "variance"].map((name, k) => {
    const [low, high, by] = bounds[k];
    const input = slider(low, high, by, () => move({ [k]: +input.value }));
    const out = h("output");
    return { node: h("label", `${name} `, input, out), input, out };
  });
  const models = button("The model's window", () => view.change({ window: null }));
  const turn = h(
    "",
    h(".row", h(".modes", { role: "radiogroup", "aria-label": "your window" }, radios)),
    h(
      ".row",
      sliders.map(({ node }) => node),
      models,
    ),
  );

  body.append(
    panel,
    h(".row", h("label", "picture ", chosen), back, next),
    h(
      ".ds",
      panels.read.node,
      panels.write.node,
      h(
        ".ds-small",
        small.map(([canvas, caption]) => h("figure", caption, canvas)),
      ),
    ),
    turn,
    h(".sheet", table),
    behind,
  );

  const clear = () => {
    guess = [(width - 1) / 2, (height - 1) / 2];
  };
  return {
    sentence: () => sentence(now(), drawings, seen),
    reset: clear,
    outside: clear,
    update() {
      const state = now();
      seen = see(state, drawings);
      drawAsk(state);
      ENDS.forEach(drawPanel);
      drawSmall();
      drawTable();
      chosen.value = state.picture;
      back.disabled = seen.shown === 1;
      next.disabled = seen.shown === (state.revealed ? steps : ask - 1);
      turn.hidden = !state.revealed;
      radios.forEach((one) => set(one, { "aria-checked": `${one.dataset.end === state.end}` }));
      own().forEach((v, k) => {
        sliders[k].input.value = v;
        say(sliders[k].out, fixed(v, k < 2 ? 1 : 2));
      });
      models.disabled = !state.window;
      if (behind.open)
        numbers.replaceChildren(
          sheet("what it sees", seen.glimpse),
          sheet("what it writes", seen.patch),
          sheet("picture, mean ink in blocks", blocks(seen.ink)),
          sheet("canvas, mean ink in blocks", blocks(seen.canvas.map((row) => row.map(sigmoid)))),
        );
    },
  };
}

export default widget({ title: "DRAW, step by step", build });
