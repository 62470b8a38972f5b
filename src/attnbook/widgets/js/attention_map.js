// AttentionMap: all attentions of the book on one map; say what you need, and see what remains and why.

import { button, countOf, fixed, h, say, select, set, stop, widget } from "./lib/base.js";

const PARTS = [
  ["asks", "who asks"],
  ["asked", "who is asked"],
  ["score", "score"],
  ["normaliser", "normaliser"],
  ["mixed", "what is mixed"],
  ["cost", "cost"],
  ["cache", "cache"],
  ["used", "used for"],
];

export const stays = ({ reasons }, row, needs) => needs.every((need) => reasons[row.reasons[need]].stays);

export const grade = (met, asked) => Math.floor((met / asked) * 100 + 0.5) / 100;

export function sentence({ needs, chosen, revealed }, content) {
  const { rows } = content;
  const all = rows.length;
  if (!revealed) return `The verdicts on ${all} attentions are hidden: choose one, or skip.`;
  const { name } = rows[chosen];
  if (!needs.length) return `No need is picked: all ${all} remain. Opened: ${name}.`;
  const names = needs.map((need) => `“${content.needs[need]}”`).join(" and ");
  const left = rows.filter((row) => stays(content, row, needs)).length;
  const verdict = stays(content, rows[chosen], needs) ? "stays" : "goes";
  return `${names}: ${left} of ${all} remain. Opened: ${name}, which ${verdict}.`;
}

// "d_{head}" with its small letters.
export const small = (text) =>
  text
    .split(/([_^](?:\{[^}]*\}|.))/)
    .map((part) =>
      /^[_^]./.test(part) ? h(part[0] === "_" ? "sub" : "sup", part.slice(1).replace(/[{}]/g, "")) : part,
    );

function build(view, body) {
  const { model, change } = view;
  const content = model.get("content");
  const { rows, asked } = content;
  // To the page of the book; from a notebook, whose neighbours a browser does not reach, to its source.
  const way = ({ label, notebook, anchor }) =>
    stop(
      h(
        "a.am-way",
        { href: BOOK ? `${notebook}.html#${anchor}` : `${content.sources}${notebook}.ipynb` },
        `${/\.\d/.test(label) ? "section" : "chapter"} ${label}`,
      ),
    );

  // The guess.
  const panel = h(".predict");
  let drawn;
  const drawGuess = ({ revealed, prediction, score }) => {
    const key = JSON.stringify([revealed, prediction]);
    if (key === drawn) return;
    const inside = panel.contains(document.activeElement);
    drawn = key;
    if (revealed) {
      const told = prediction
        ? `You took ${rows[prediction.choice].name}: it meets ${prediction.met} of ${countOf(asked.length, "need")}, score ${fixed(score)}. Its reasons stand below the map.`
        : "";
      panel.replaceChildren(
        h("p", { role: "status" }, told),
        button("Predict again", () =>
          change({ prediction: null, score: null, revealed: false, needs: asked }),
        ),
      );
    } else {
      const choice = select(rows.map(({ name }, i) => [i, name]));
      const commit = () => {
        const row = +choice.value;
        const met = asked.filter((need) => stays(content, rows[row], [need])).length;
        change({
          prediction: { choice: row, met },
          score: grade(met, asked.length),
          revealed: true,
          needs: asked,
          chosen: row,
        });
      };
      panel.replaceChildren(
        h("p.ask", content.task),
        h(".row", h("label", "I would take ", choice)),
        h(
          ".row",
          button("Commit", commit, { class: "ab-main" }),
          button("Skip", () => change({ prediction: null, score: null, revealed: true })),
        ),
      );
    }
    if (inside) panel.querySelector("[data-stop]").focus();
  };

  // What is needed.
  const boxes = content.needs.map((name, need) => {
    const box = stop(
      h("input", {
        type: "checkbox",
        onchange: () => {
          const others = view.state.needs.filter((one) => one !== need);
          change({ needs: box.checked ? [...others, need].sort((a, b) => a - b) : others });
        },
      }),
    );
    return [box, h("label", box, name)];
  });

  // The map: a table of buttons.
  const nodes = rows.map((row, i) =>
    button(row.name, () => change({ chosen: i }), {
      class: row.baseline ? "ab-am-node ab-am-base" : "ab-am-node",
    }),
  );
  const map = h(
    "table.am-map",
    { "aria-label": "map of attentions" },
    h(
      "thead",
      h(
        "tr",
        h("td"),
        content.who.map((name) => h("th", { scope: "col" }, name)),
      ),
    ),
    h(
      "tbody",
      content.reach.map((name, reach) =>
        h(
          "tr",
          h("th", { scope: "row" }, name),
          content.who.map((_, who) =>
            h(
              "td",
              nodes.filter((_, i) => rows[i].who === who && rows[i].reach === reach),
            ),
          ),
        ),
      ),
    ),
  );

  // The attention that is opened.
  const title = h("p.am-title");
  const taught = h("p");
  const facts = h("tbody");
  const verdicts = h("tbody");
  const head = (names) =>
    h(
      "thead",
      h(
        "tr",
        names.map((name) => h("th", { scope: "col" }, name)),
      ),
    );
  let opened;
  const drawChosen = ({ chosen, needs }) => {
    const key = JSON.stringify([chosen, needs]);
    if (key === opened) return;
    const row = rows[chosen];
    const inside = taught.contains(document.activeElement) || verdicts.contains(document.activeElement);
    opened = key;
    say(title, row.name);
    taught.replaceChildren("Taught in ", way(row));
    facts.replaceChildren(
      ...PARTS.map(([part, name]) => h("tr", h("th", { scope: "row" }, name), h("td", small(row[part])))),
    );
    verdicts.replaceChildren(
      ...content.needs.map((name, need) => {
        const reason = content.reasons[row.reasons[need]];
        return h(
          "tr",
          { "data-picked": needs.includes(need) },
          h("th", { scope: "row" }, name),
          h("td", reason.stays ? "✓ stays" : "✗ goes"),
          h("td", `${reason.why} `, way(reason)),
        );
      }),
    );
    if (inside) taught.lastChild.focus();
  };

  const result = h(
    "",
    h(
      "fieldset",
      h("legend", "What do you need?"),
      h(
        ".row",
        boxes.map(([, label]) => label),
      ),
    ),
    h("p", "Columns: whom it asks. Rows: how much of that one query meets. Baselines in italics."),
    h(".hx-scroll", map),
    h(
      ".am-open",
      title,
      taught,
      h("table.am-facts", h("caption", "What it does"), facts),
      h("table.am-why", h("caption", "Stays or goes, and why"), head(["need", "verdict", "why"]), verdicts),
    ),
  );
  body.append(panel, result);

  return {
    sentence: () => sentence(view.state, content),
    update() {
      const { state } = view;
      drawGuess(state);
      result.hidden = !state.revealed;
      if (!state.revealed) return;
      boxes.forEach(([box], need) => {
        box.checked = state.needs.includes(need);
      });
      nodes.forEach((node, i) => {
        const left = stays(content, rows[i], state.needs);
        const sign = state.needs.length ? (left ? "✓ " : "✗ ") : "";
        say(node, `${sign}${rows[i].name}`);
        set(node, { "data-goes": !left, "aria-pressed": `${i === state.chosen}` });
      });
      drawChosen(state);
    },
  };
}

export default widget({ title: "Map of attentions", build });
