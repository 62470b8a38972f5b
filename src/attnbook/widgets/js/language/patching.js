// Activation patching: what a layer hands on at one position of another text, put in place of what it hands on here.
// Positions are counted from the end, so that texts of different length end together.

import { fillShares } from "../heads/overview.js";
import { argmax, button, fixed, h, heat, percent, say, softmax, stop } from "../lib/base.js";
import { ranked } from "../mechanisms/sampling.js";
import { share } from "./next_token.js";

// As language_patching.py.
const MOST_TOKENS = 24;
const ROWS = 6;

const shares = (logits) => softmax(Array.from(logits)).weights;

// A reader that languageModel made, and the tokens of two texts -> the likeliest token of each, `own` and `other`; the
// logits `before`, of the `donor` and after each patch (layers × positions, the last position last); and `moved`, of the
// same shape: how far the log-odds of other against own went from the text's (0) to the donor's (1). Null where own is other.
export function patchMap(read, text, donor) {
  const { states, logits: given } = read(donor);
  const { logits } = read(text);
  const [before, theirs] = [logits.at(-1), given.at(-1)];
  const [own, other] = [argmax(before), argmax(theirs)];
  const gap = (one) => one[other] - one[own];
  const count = Math.min(text.length, donor.length);
  const after = states.map((vectors, layer) =>
    vectors.slice(-count).map((state, i) => read.patched(layer, text.length - count + i, state)),
  );
  const all = gap(theirs) - gap(before);
  const moved = own === other ? null : after.map((row) => row.map((one) => (gap(one) - gap(before)) / all));
  return { own, other, before, donor: theirs, after, moved };
}

// reader(): a model of its own; encode: text -> tokens. -> {node, draw(numbers), leave}; in view where the state has a donor.
export function patching(view, { layers, most, reader, encode }) {
  const { change } = view;
  const now = () => view.state;
  const typed = stop(h("input", { type: "text", "aria-label": "the other text" }), 1);
  const told = h("p.note", { role: "status" });
  let [read, map, known, tokens, theirs, visible] = [];
  const take = () => {
    const donor = typed.value.replace(/\p{Cs}/gu, "");
    const length = [...donor].length;
    if (length && length <= most) {
      known = null;
      change({ donor, patched: null });
    } else say(told, `The other text takes 1 to ${most} characters, and these are ${length}.`);
  };
  const onEnter = ({ target, key }) => target === typed && key === "Enter" && !view.held(typed) && take();
  view.root.addEventListener("keydown", onEnter, true);

  const named = Array.from({ length: layers }, (_, layer) => `layer ${layer + 1}`);
  const called = (token) => `“${visible(token)}”`;
  const says = (i, j) => {
    const chances = shares(map.after[i][j]);
    const best = argmax(chances);
    const [here, there] = [tokens, theirs].map((all) => called(all.at(j - map.after[0].length)));
    return `After layer ${i + 1}, ${here} takes over the vector of ${there}: ${fixed(100 * map.moved[i][j], 0)} % of the way. Likeliest next: ${called(best)}, ${percent(chances[best])}.`;
  };
  const count = () => map.after[0].length;
  const picture = heat(view, says, ([i, j]) => change({ patched: [i, count() - 1 - j] }));
  const table = h("table.hx-shares");
  const next = h("tbody");
  const result = h(
    "",
    picture.node,
    h(
      "table.tt-next",
      h("caption", "The next token, after the patch and before it"),
      h(
        "thead",
        h(
          "tr",
          h("th", { scope: "col" }, "token"),
          h("td"),
          ["after (bar)", "before (mark)"].map((name) => h("th", { scope: "col" }, name)),
        ),
      ),
      next,
    ),
    h(".hx-scroll", table),
  );
  const node = h(
    "details.panel tt-patch",
    { ontoggle: view.redraw },
    stop(h("summary", "Copy an activation from another text")),
    h(".row", typed, button("Take its activations", take)),
    told,
    result,
  );

  const drawNext = ([i, j]) => {
    const [chances, before] = [map.after[i][j], map.before].map(shares);
    const first = [map.own, map.other];
    const listed = [...first, ...ranked(chances).filter((token) => !first.includes(token))].slice(0, ROWS);
    const scale = Math.max(...listed.flatMap((token) => [chances[token], before[token]]));
    next.replaceChildren(
      ...listed.map((token) =>
        h(
          "tr",
          h("th", { scope: "row" }, visible(token)),
          h(
            "td",
            h(
              ".bar",
              h(".fill", { style: `--w:${chances[token] / scale}` }),
              h(".tt-own", { style: `left:${(100 * before[token]) / scale}%` }),
            ),
          ),
          [chances, before].map((all) => h("td", share(all[token]))),
        ),
      ),
    );
  };
  let shown;
  return {
    node,
    leave: () => view.root.removeEventListener("keydown", onEnter, true),
    draw(numbers) {
      const { donor, patched } = now();
      node.hidden = donor == null;
      if (node.hidden || !node.open) return;
      const key = JSON.stringify([numbers.numbers, donor]);
      if (key !== known) {
        known = key;
        shown = null;
        typed.value = donor;
        [tokens, theirs, visible] = [numbers.numbers, encode(donor), numbers.visible];
        const isLong = Math.max(tokens.length, theirs.length) > MOST_TOKENS;
        read = read || reader();
        map = isLong ? null : patchMap(read, tokens, theirs);
        result.hidden = !map?.moved;
        if (isLong)
          say(
            told,
            `Activations are copied between texts of at most ${MOST_TOKENS} tokens, and these have ${tokens.length} and ${theirs.length}.`,
          );
        else if (map.moved) {
          const [own, other] = [shares(map.before)[map.own], shares(map.donor)[map.other]];
          const ends =
            tokens.length === theirs.length
              ? ""
              : " The texts differ in length: positions are counted from the end.";
          say(
            told,
            `Your text continues with ${called(map.own)} (${percent(own)}), the other with ${called(map.other)} (${percent(other)}). The stronger a cell's colour, the farther the vector copied there moves the answer (chequered: away from it); an arrow marks tokens that differ.${ends}`,
          );
        } else
          say(
            told,
            `Both texts continue with ${called(map.own)}: take another in which the likeliest next token differs.`,
          );
      }
      if (result.hidden) return;
      const n = count();
      const columns = tokens.slice(-n).map((token, i) => {
        const other = theirs.slice(-n)[i];
        return token === other ? visible(token) : `${visible(token)} ← ${visible(other)}`;
      });
      // At first the cell of the first layer that moves the answer farthest.
      const [i, back] = patched || [0, n - 1 - argmax(map.moved[0])];
      const cell = [i, Math.max(0, n - 1 - back)];
      const name = `How far a copied vector moves the answer from ${called(map.own)} to ${called(map.other)}`;
      const rows = map.moved.map((row) => row.map((x) => Math.max(-1, Math.min(1, x))));
      picture.draw({ name, rows, signed: true }, named, columns, cell);
      drawNext(cell);
      if (shown !== map) fillShares(table, `${name}, in %`, map.moved, named, columns);
      shown = map;
    },
  };
}
