// Predict first: the outcome stays hidden until the reader commits to a guess, or skips.

import { button, h, say, select, slider } from "./elements.js";
import { compact, countOf, fixed, percent } from "./numbers.js";

// Half for the right word, half for how near the share was, or all for it where no word was asked: as values.py.
export const grade = ({ choice, share, answer, actual }) =>
  Math.floor(((choice === answer) + 1 - Math.abs(share - actual) * (choice === null ? 2 : 1)) * 50 + 0.5) /
  100;

// The panel that hides the outcome until the reader commits or skips.
// ask(): the question; options(): words, or none where only a share is asked; outcome(): [index of the right word or
// null, its share]; why(): one sentence; thing: what is chosen; ready(): a promise of
// whether there is an outcome, where that takes time.
export function predictor(view, { ask, options, outcome, why, thing = "word", ready }) {
  const panel = h(".predict");
  let shown;
  const skip = (revealed) => view.change({ prediction: null, score: null, revealed });
  const verdict = () => {
    const { prediction, score } = view.state;
    if (!prediction) return "";
    const { choice, share, answer, actual } = prediction;
    const labels = options();
    const [best, now] = outcome();
    return `${choice === null ? "It came back" : choice === answer ? `You named the right ${thing}` : `You said “${labels[choice]}”; it was “${labels[answer]}”`}, with ${percent(actual)} where you said ${percent(share)}: ${countOf(Math.round(100 * Math.abs(share - actual)), "point")} off, score ${fixed(score)}. ${best === answer && Math.abs(now - actual) < 0.005 ? why() : ""}`;
  };
  return {
    panel,
    draw() {
      const { revealed } = view.state;
      const labels = options();
      const key = JSON.stringify([revealed, ask(), labels]);
      if (key !== shown) {
        const inside = panel.contains(document.activeElement);
        shown = key;
        if (revealed) {
          panel.replaceChildren(
            h("p", { role: "status" }),
            button("Predict again", () => skip(false)),
          );
        } else {
          const choice = select(labels.map((label, i) => [i, label]));
          const read = h("output", "50 %");
          const range = slider(0, 100, 1, () => say(read, `${range.value} %`));
          panel.replaceChildren(
            h("p.ask", ask()),
            h(".row", h("label", "I expect ", choice), h("label", "with a share of ", range, read)),
            h(
              ".row",
              button(
                "Commit",
                async () => {
                  if (ready && !(await ready())) return;
                  const [answer, actual] = outcome();
                  const prediction = {
                    choice: choice.value ? +choice.value : null,
                    share: range.value / 100,
                    answer,
                    actual: compact(actual),
                  };
                  view.change({ prediction, revealed: true, score: grade(prediction) });
                },
                { class: "ab-main" },
              ),
              button("Skip", () => skip(true)),
            ),
          );
        }
        if (inside) panel.querySelector("[data-stop]").focus();
      }
      if (revealed) say(panel.firstChild, verdict());
    },
  };
}
