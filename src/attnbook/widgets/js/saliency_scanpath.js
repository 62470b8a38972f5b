// SaliencyScanpath: where a picture draws the eye, channel by channel, and where yours would go.

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
  widget,
} from "./lib/base.js";
import {
  auc,
  CHANNELS,
  centred,
  channelOf,
  colourGain,
  combine,
  contrasts,
  features,
  grid,
  scanpath,
} from "./mechanisms/saliency.js";

const THIRDS = [
  ["upper left", "top", "upper right"],
  ["left", "middle", "right"],
  ["lower left", "bottom", "lower right"],
];
const at = (i, n) => Math.min(2, Math.floor((3 * i) / n));
const third = ([row, column], { w, h: height }) => THIRDS[at(row, height)][at(column, w)];

// A picture as it travels: brightness a byte a pixel, then two colour differences a byte for four.
export function unpack({ w, h: height, data }) {
  const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
  const size = w * height;
  const rgb = new Uint8ClampedArray(size * 3);
  for (let i = 0; i < size; i++) {
    const k = size + (Math.floor(i / w) >> 1) * (w / 2) + ((i % w) >> 1);
    const [y, blue, red] = [bytes[i], bytes[k] - 128, bytes[k + size / 4] - 128];
    [y + 1.402 * red, y - 0.344 * blue - 0.714 * red, y + 1.772 * blue].forEach((v, j) => {
      rgb[3 * i + j] = Math.floor(v + 0.5);
    });
  }
  return { w, h: height, rgb };
}

// The heavy parts are kept: a picture's features, and their contrasts for each surround.
const kept = new WeakMap();
export function compute(packed, target, { gains, delta, fixations, radius, decay }) {
  if (!kept.has(packed)) {
    const picture = unpack(packed);
    kept.set(packed, { picture, pyramids: features(picture), deltas: {} });
  }
  const { picture, pyramids, deltas } = kept.get(packed);
  deltas[delta] ??= contrasts(pyramids, delta);
  const all = gains.map((gain, i) => gain * (target.gains?.[i] ?? 1));
  const found = combine(deltas[delta], all, target.feature_gains || {}, picture);
  if (target.colour) {
    const match = colourGain(picture, target.colour).a;
    found.saliency.a = found.saliency.a.map((v, i) => v * match[i]);
  }
  return { ...found, picture, pyramids, path: scanpath(found.saliency, fixations, radius, decay) };
}

// What each channel adds at a place, and the channel that adds most.
const shares = ({ parts }, place) => parts.map(({ w, a }) => a[(place[0] >> 2) * w + (place[1] >> 2)]);
const strongest = (here) => CHANNELS[here.indexOf(Math.max(...here))];

export function sentence(state, found) {
  if (!state.revealed) return "The model's looks are hidden: place your own on the photograph, or skip.";
  const where = `On “${state.image}”${state.target ? `, looking for ${state.target}` : ""}`;
  const { path, picture } = found;
  if (!path.length) return `${where} nothing stands out: with these gains the map is empty.`;
  const [first, ...rest] = path.map((place) => third(place, picture));
  return `${where} the model looks first at the ${first}, where ${strongest(shares(found, path[0]))} is the strongest channel${rest.length ? `; then ${rest.join(", ")}` : ""}.`;
}

// What the model makes of the reader's places, as saliency_scanpath.py does.
export function judge(places, state, images, target) {
  const { saliency, path } = compute(images[state.image], target, state);
  const { w, h: height } = saliency;
  const others = Object.keys(images)
    .filter((name) => name !== state.image)
    .flatMap((name) => compute(images[name], target, state).path)
    .map(([r, c]) => [Math.min(r, height - 1), Math.min(c, w - 1)]);
  return {
    places,
    auc: compact(auc(saliency, places)),
    centre: compact(auc(centred(w, height), places)),
    others: others.length ? compact(auc(saliency, others)) : null,
    found: path.filter(([r, c]) => places.some(([y, x]) => Math.hypot(r - y, c - x) <= state.radius)).length,
  };
}

function sizes(state, model) {
  const picture = model.get("images")[state.image];
  return { height: picture.h, width: picture.w };
}

// f(pixel, 0 red 1 green 2 blue): 0 to 255.
function paint(canvas, { w, h: height }, f) {
  set(canvas, { width: w, height });
  const context = canvas.getContext("2d");
  const out = context.createImageData(w, height);
  out.data.forEach((_, i) => {
    out.data[i] = i % 4 < 3 ? f(i >> 2, i % 4) : 255;
  });
  context.putImageData(out, 0, 0);
}

// A map as a picture, brighter where it is larger.
const shade = (canvas, map, top = Math.max(1e-5, ...map.a)) =>
  paint(canvas, map, (i) => (255 * map.a[i]) / top);

function build(view, body) {
  const { model, change } = view;
  const now = () => view.state;
  const images = model.get("images");
  const targets = model.get("targets");
  const targetOf = () => targets[now().target] || {};
  let found;
  let [draft, aim] = [[]];
  const size = () => images[now().image];

  // The photograph: looks of the model are numbered discs, places of the reader lettered squares.
  const photo = h("canvas", { role: "img" });
  const marks = h("svg", { "aria-hidden": "true" });
  const aiming = h(".aim", {
    tabindex: -1,
    role: "application",
    "aria-label": "crosshair: arrows move it, Enter places, Backspace takes back, Escape leaves",
  });
  const area = h(
    ".photo",
    {
      onclick(event) {
        const { w, h: height } = size();
        place(
          bound((event.offsetY / area.clientHeight) * height, height),
          bound((event.offsetX / area.clientWidth) * w, w),
        );
      },
    },
    photo,
    marks,
    aiming,
  );
  const map = h("canvas", { role: "img", "aria-label": "saliency map, brighter where more stands out" });
  const mapped = h("figure", h("figcaption", "saliency map"), map);

  const place = (row, column) => {
    if (now().revealed) return;
    if (draft.length >= now().fixations) view.note("All are placed.");
    else {
      draft = [...draft, [row, column]];
      view.note(`Place ${draft.length}: ${third([row, column], size())}.`);
    }
    view.redraw();
  };
  const clear = () => {
    draft = [];
  };
  const takeBack = () => {
    draft = draft.slice(0, -1);
    view.note(`${draft.length} left.`);
    view.redraw();
  };
  const bound = (x, n) => Math.max(0, Math.min(n - 1, Math.floor(x)));
  set(aiming, {
    onkeydown(event) {
      const { key } = event;
      const { w, h: height } = size();
      const [dy, dx] =
        { ArrowUp: [-3, 0], ArrowDown: [3, 0], ArrowLeft: [0, -3], ArrowRight: [0, 3] }[key] || [];
      if (dx !== undefined) {
        aim = [bound(aim[0] + dy, height), bound(aim[1] + dx, w)];
        view.note(`${percent(aim[0] / height)} down, ${percent(aim[1] / w)} across.`);
        view.redraw();
      } else if (key === "Enter" || key === " ") place(...aim);
      else if (key === "Backspace") takeBack();
      else if (key === "Escape") panel.querySelector("[data-stop]").focus();
      else if (/^r$/i.test(key)) view.reset();
      else return;
      event.preventDefault();
    },
    onblur() {
      aim = undefined;
      view.redraw();
    },
  });

  // Predict first.
  const panel = h(".predict");
  const verdict = () => {
    const { prediction, score } = now();
    if (!prediction) return "";
    const { auc: share, centre, others, found: hit } = prediction;
    return `The model's map ranks your places above ${percent(share)} of the pixels (chance: 50 %): score ${fixed(score)}. A map that knows only the middle of a picture ranks them above ${percent(centre)}. ${others === null ? "" : `Looks taken from the other pictures reach ${percent(others)} on this map. `}Model looks near yours: ${hit}. ${
      share > centre
        ? "The map foretells you better than the middle: what differs from its surround drew you."
        : "The middle foretells you as well as the map: the model sees contrast, and knows no faces, words or purpose."
    }`;
  };
  const outcomeOf = (prediction, score = null) => {
    view.note("");
    change({ prediction, score, revealed: true });
  };
  const [ask, said] = [h("p.ask"), h("p", { role: "status" })];
  const back = button("Take back", takeBack);
  const commit = button(
    "Commit",
    () => {
      const judged = judge(draft, now(), images, targetOf());
      outcomeOf(judged, Math.floor(judged.auc * 100 + 0.5) / 100);
    },
    { class: "ab-main" },
  );
  const asking = h(
    "",
    ask,
    h(
      ".row",
      button("Aim with keys", () => {
        aim = [size().h >> 1, size().w >> 1];
        aiming.focus({ preventScroll: true });
        view.redraw();
      }),
      back,
    ),
    h(
      ".row",
      commit,
      button("Skip", () => outcomeOf(null)),
    ),
  );
  const done = h(
    "",
    said,
    button("Predict again", () => {
      clear();
      change({ prediction: null, score: null, revealed: false });
    }),
  );
  panel.append(asking, done);
  const drawPanel = () => {
    const { revealed, fixations } = now();
    const turned = asking.hidden !== revealed && panel.contains(document.activeElement);
    asking.hidden = revealed;
    done.hidden = !revealed;
    if (turned) (revealed ? done : asking).querySelector("button").focus();
    back.disabled = commit.disabled = !draft.length;
    say(ask, `Where will eyes go first? Place up to ${countOf(fixations, "look")} on the photograph.`);
    say(said, verdict());
  };

  // Choosing, sliders.
  const names = (list) => list.map((name) => [name, name]);
  const picture = select(names(Object.keys(images)), {
    onchange() {
      clear();
      change({ image: picture.value, prediction: null, score: null });
    },
  });
  const looking = select([["", "nothing in particular"], ...names(Object.keys(targets))], {
    onchange: () => change({ target: looking.value || null }),
  });
  const sliders = [];
  const control = (text, low, high, step, name, channel) => {
    const out = h("output");
    const input = slider(low, high, step, () =>
      change({
        [name]:
          name === "gains"
            ? now().gains.map((gain, i) => (i === channel ? +input.value : gain))
            : +input.value,
      }),
    );
    sliders.push(() => {
      const value = [now()[name]].flat()[channel || 0];
      input.value = value;
      say(out, fixed(value, step < 1 ? 2 : 0));
    });
    return h("label", `${text} `, input, out);
  };

  // Channels: what each sees, and what stands out in it.
  const columns = CHANNELS.map((name, i) => {
    const [seen, out] = [h("canvas"), h("canvas")];
    return {
      seen,
      out,
      node: h(
        "figure",
        h("figcaption", name),
        seen,
        h("p.note", ["light and dark", "red–green and blue–yellow", "lines of four angles"][i]),
        out,
        h("p.note", "what it adds"),
        control("gain", 0, 5, 0.1, "gains", i),
      ),
    };
  });

  const rows = h("tbody");
  const looks = h(
    "table",
    h("caption", "The model's looks"),
    h(
      "thead",
      h(
        "tr",
        ["look", "place", "saliency", "strongest channel (all three)"].map((one) =>
          h("th", { scope: "col" }, one),
        ),
      ),
    ),
    rows,
  );
  const regions = h("tbody");
  const regionTable = h(
    "details.panel",
    { ontoggle: view.redraw },
    stop(h("summary", "Table: largest saliency in each ninth")),
    h("table", regions),
  );
  const outcome = h(
    "",
    h(
      ".row",
      control("surround: δ", 1, 4, 1, "delta"),
      control("inhibited radius", 1, 64, 0.5, "radius"),
      control("inhibition left", 0, 1, 0.05, "decay"),
      control("looks", 1, 9, 1, "fixations"),
    ),
    h(
      ".channels",
      columns.map(({ node }) => node),
    ),
    looks,
    regionTable,
  );

  body.append(
    panel,
    h(".row", h("label", "photograph ", picture), h("label", "looking for ", looking)),
    h(".photos", h("figure", h("figcaption", "photograph"), area), mapped),
    outcome,
  );

  let shown;
  return {
    sentence: () => sentence(now(), found),
    reset: clear,
    outside: clear,
    update() {
      const { image, target, revealed, prediction } = now();
      const packed = size();
      found = compute(packed, targetOf(), now());
      const { w, h: height, rgb } = found.picture;
      if (shown !== packed) {
        shown = packed;
        set(marks, { viewBox: `0 0 ${w} ${height}` });
        paint(photo, found.picture, (i, k) => rgb[3 * i + k]);
        columns.forEach((one, channel) =>
          shade(
            one.seen,
            grid(w, height, (_x, _y, i) =>
              found.pyramids.reduce(
                (sum, [{ a }], k) => (channelOf(k) === channel ? sum + Math.abs(a[i]) : sum),
                0,
              ),
            ),
          ),
        );
      }
      picture.value = image;
      looking.value = target || "";
      drawPanel();
      mapped.hidden = outcome.hidden = !revealed;
      const { path, saliency, parts } = found;
      const hits = revealed ? path : [];
      set(photo, { "aria-label": `photograph: ${image}` });
      const mine = revealed ? prediction?.places || [] : draft;
      const mark = ([row, column], kind, text) =>
        h(
          `g.${kind}`,
          { transform: `translate(${column + 0.5} ${row + 0.5})` },
          kind === "gaze" ? h("circle", { r: 5 }) : h("path", { d: "M-5-5h10v10h-10z" }),
          h("text", { y: 2.6 }, text),
        );
      marks.replaceChildren(
        h("path.gazes", { d: hits.map(([r, c], i) => `${i ? "L" : "M"}${c + 0.5} ${r + 0.5}`).join("") }),
        ...mine.map((one, i) => mark(one, "mine", "abcdefghi"[i])),
        ...hits.map((one, i) => mark(one, "gaze", i + 1)),
        aim ? h("path.cross", { d: `M${aim[1] + 0.5} 0V${height}M0 ${aim[0] + 0.5}H${w}` }) : "",
      );
      if (!revealed) return;
      sliders.forEach((one) => one());
      shade(map, saliency);
      const top = Math.max(1e-5, ...parts.flatMap(({ a }) => [...a]));
      columns.forEach(({ out }, i) => shade(out, parts[i], top));
      rows.replaceChildren(
        ...path.map((one, i) => {
          const here = shares(found, one);
          return h(
            "tr",
            h("th", { scope: "row" }, i + 1),
            [
              `${third(one, size())} (row ${one[0]}, column ${one[1]})`,
              fixed(saliency.a[one[0] * w + one[1]]),
              `${strongest(here)} (${here.map((v) => fixed(v)).join(", ")})`,
            ].map((text) => h("td", text)),
          );
        }),
      );
      if (regionTable.open) {
        const most = {};
        saliency.a.forEach((v, i) => {
          const name = third([Math.floor(i / w), i % w], saliency);
          most[name] = Math.max(most[name] || 0, v);
        });
        regions.replaceChildren(
          ...THIRDS.map((row) =>
            h(
              "tr",
              row.map((name) => h("td", `${name}: ${fixed(most[name])}`)),
            ),
          ),
        );
      }
    },
  };
}

export default widget({ title: "Saliency and scanpath", sizes, build });
