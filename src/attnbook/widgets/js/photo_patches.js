// PhotoPatches: a photograph cut into patches; one asks, and all answer by what a patch knows of itself.

import { argmax, button, fixed, h, percent, predictor, say, set, slider, widget } from "./lib/base.js";
import { inRows, named, outline, patchMap, patchTable } from "./lib/patch_map.js";
import { attend } from "./mechanisms/attention.js";

const LETTERS = "ABCDEFGHI";
const BEST = 5; // patches in the list, and numbers on the photograph
const VEIL = 0.88; // over a patch of no weight

const SVG = "http://www.w3.org/2000/svg";

const tenths = (weight) => `${fixed(100 * weight, 1)} %`;

// What travels as base64, as rows: a vector and a mean colour for each patch.
export function unpack(content) {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const { vectors, colours, parts, unit } = content;
  const whole = new Int16Array(bytes(vectors).buffer);
  return {
    ...content,
    vectors: inRows(
      [...whole].map((x) => x / unit),
      parts.all[1][1],
    ),
    colours: inRows(bytes(colours), 3),
  };
}

// The weights of every patch where `asks` asks, (N): softmax(sharpness · q·k / √d).
export function weigh({ vectors, parts }, { asks, knows, sharpness }) {
  const key = vectors.map((one) => one.slice(...parts[knows][1]));
  const query = key[asks];
  return attend({ query, key, value: key, scale: sharpness / Math.sqrt(query.length) }).weights;
}

// The patches by weight without the one that asks. Rounded, so that what is equal by symmetry ties.
export function others(weights, asks) {
  const round = (i) => Math.floor(1e9 * weights[i] + 0.5);
  return weights
    .map((_, i) => i)
    .filter((i) => i !== asks)
    .sort((i, j) => round(j) - round(i) || i - j);
}

export function sentence({ revealed, asks, knows }, weights, { columns, parts, first, candidates }) {
  if (!revealed)
    return `Outcome hidden: predict which of ${candidates.length} marked patches weighs most when ${named(first, columns)} asks by colour, or skip.`;
  const [best] = others(weights, asks);
  return `${parts[knows][0]}, ${named(asks, columns)} gives itself ${tenths(weights[asks])}; of the others ${named(best, columns)} weighs most, ${tenths(weights[best])}. Even weights would be ${tenths(1 / weights.length)}.`;
}

function build(view, body) {
  const { model, change } = view;
  const content = unpack(model.get("content"));
  const { photo, alt, rows, columns, parts, colours, first, question, candidates } = content;
  const patches = rows * columns;
  const now = () => view.state;
  let weights;
  const asked = weigh(content, question); // what the prediction is about
  const best = argmax(candidates.map((patch) => asked[patch]));

  // The photograph in units of patches.
  const picture = () =>
    set(document.createElementNS(SVG, "image"), { href: photo, width: columns, height: rows });
  const veil = Array.from({ length: patches }, (_, i) => h("path.pp-veil", { d: outline(i, columns) }));
  const label = () => h("g.pp-label", h("path", { d: "M0 0h.5v.5H0z" }), h("text", { x: 0.25, y: 0.41 }));
  const [letters, numbers] = [candidates, Array.from({ length: BEST })].map((all) => all.map(label));
  const put = ([node, patch, text]) => {
    set(node, { transform: `translate(${patch % columns} ${Math.floor(patch / columns)})` });
    say(node.lastChild, text);
  };
  candidates.forEach((patch, i) => put([letters[i], patch, LETTERS[i]]));
  const marks = [h("path.pp-under"), h("path.patch-mark")];
  const map = patchMap(
    view,
    {
      rows,
      columns,
      label: `The patch that asks. Photograph: ${alt}`,
      most: patches - 1,
      at: () => now().asks,
      choose(patch) {
        if (now().revealed) change({ asks: patch });
        else if (candidates.includes(patch))
          guess.panel.querySelector("select").value = candidates.indexOf(patch);
      },
    },
    picture(),
    veil,
    marks,
    letters,
    numbers,
  );
  const title = h("figcaption");

  // What a patch knows of itself, and how sharply it chooses.
  const kinds = Object.entries(parts).map(([name, [text]]) => ({
    name,
    node: button(text, () => change({ knows: name }), { role: "radio" }),
  }));
  const read = h("output");
  const range = slider(0, 64, 1, () => change({ sharpness: +range.value }));
  const list = Array.from({ length: BEST + 1 }, () => {
    const image = h("svg.pp-small", { "aria-hidden": true }, picture());
    const [place, share, colour] = [h("span"), h("td"), h("td")];
    const node = h("tr", h("th", { scope: "row" }, image, place), share, colour);
    return { image, place, share, colour, node };
  });
  const lead = h("caption");
  const top = h(
    "table.pp-best",
    lead,
    h(
      "thead",
      h(
        "tr",
        ["patch", "weight", "red, green, blue"].map((text) => h("th", { scope: "col" }, text)),
      ),
    ),
    h(
      "tbody",
      list.map(({ node }) => node),
    ),
  );
  const table = patchTable(rows, columns, {});

  const guess = predictor(view, {
    ask: () =>
      `The framed patch (${named(first, columns)}) asks by colour. Which of the patches ${LETTERS[0]} to ${LETTERS[candidates.length - 1]} will it weigh most, and how much? There are ${patches} patches in all.`,
    options: () => candidates.map((patch, i) => `${LETTERS[i]}: ${named(patch, columns)}`),
    outcome: () => [best, asked[candidates[best]]],
    why: () =>
      `Its mean colour is ${colours[candidates[best]].join(", ")} (red, green, blue, from 0 to 255), and that of the patch that asks is ${colours[first].join(", ")}.`,
    thing: "patch",
  });
  const result = h(
    "",
    h(
      ".row",
      h(
        ".modes",
        { role: "radiogroup", "aria-label": "what a patch knows of itself" },
        kinds.map(({ node }) => node),
      ),
    ),
    h(".row", h("label", "sharpness β ", range, read)),
    top,
  );
  body.append(guess.panel, h(".pp-sides", h("figure", title, map), result), table.panel);

  return {
    sentence: () => sentence(now(), weights, content),
    update() {
      const { revealed, knows, sharpness } = now();
      const asks = revealed ? now().asks : first;
      weights = weigh(content, now());
      guess.draw();
      const ranked = others(weights, asks).slice(0, BEST);
      const most = Math.max(...weights);
      say(
        title,
        revealed
          ? `The patch in ${named(asks, columns)} asks ${parts[knows][0].toLowerCase()}: the clearer a patch, the larger its weight`
          : `${rows} × ${columns} patches: the framed one asks`,
      );
      veil.forEach((one, i) => {
        const opacity = revealed ? VEIL * (1 - Math.sqrt(weights[i] / most)) : 0;
        set(one, { style: `--w:${opacity.toFixed(3)}` });
      });
      for (const one of marks) set(one, { d: outline(asks, columns) });
      for (const one of letters) set(one, { visibility: revealed ? "hidden" : null });
      numbers.forEach((node, i) => {
        set(node, { visibility: revealed ? null : "hidden" });
        put([node, ranked[i], `${i + 1}`]);
      });
      const text = revealed
        ? `${named(asks, columns)}. ${tenths(weights[asks])} to itself, ${tenths(weights[ranked[0]])} to ${named(ranked[0], columns)}`
        : `${named(asks, columns)}; weights hidden`;
      set(map, { "aria-valuenow": asks, "aria-valuetext": text, "aria-disabled": `${!revealed}` });
      result.hidden = table.panel.hidden = !revealed;
      if (!revealed) return;
      for (const { name, node } of kinds) set(node, { "aria-checked": `${name === knows}` });
      range.value = sharpness;
      say(read, fixed(sharpness, 0));
      const sum = ranked.reduce((all, i) => all + weights[i], 0);
      say(lead, `The patch that asks, and the five others with most weight: ${percent(sum)} together`);
      [asks, ...ranked].forEach((patch, i) => {
        const { image, place, share, colour } = list[i];
        set(image, { viewBox: `${patch % columns} ${Math.floor(patch / columns)} 1 1` });
        say(place, `${i || "asks"}: ${named(patch, columns)}`);
        say(share, tenths(weights[patch]));
        say(colour, colours[patch].join(", "));
      });
      say(
        table.caption,
        `Weights in thousandths, by row and column: ${named(asks, columns)} asks, ${parts[knows][0].toLowerCase()}`,
      );
      table.cells.forEach((cell, i) => say(cell, fixed(1000 * weights[i], 0)));
    },
  };
}

export default widget({ title: "Photograph in patches", build });
