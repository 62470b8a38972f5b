// Quiz: single and multiple choice, a reason for every option, answers kept on the reader's device.

import { button, countOf, h, say, set, stop, widget } from "./lib/base.js";

// `code`, **strong** and *emphasis*: the same three as quiz.py, and no others.
const MARKS = /`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s](?:[^*]*[^*\s])?)\*/g;

function rich(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(MARKS)) {
    const [whole, code, strong, emphasis] = match;
    nodes.push(text.slice(end, match.index));
    nodes.push(h(code ? "code" : strong ? "strong" : "em", code || strong || emphasis));
    end = match.index + whole.length;
  }
  return [...nodes, text.slice(end)];
}

// Many explanations begin with the verdict itself: it is said once.
const verdictOn = (isRight, explanation) => {
  if (isRight) return /^Right\b/.test(explanation) ? "✓ " : "✓ Right. ";
  return "✗ Not this. ";
};

const isSame = (a, b) => a.length === b.length && a.every((x) => b.includes(x));

export const rightOptions = (question) => [].concat(question.answer);

const countRight = (questions, { answers, checked }) =>
  questions.filter((question, i) => checked[i] && isSame(answers[i], rightOptions(question))).length;

// The share of questions whose last checked answer is right; null before the first check.
export function grade(questions, state) {
  if (!state.checked.some(Boolean)) return null;
  return Math.floor((countRight(questions, state) / questions.length) * 100 + 0.5) / 100;
}

export function sentence(questions, state) {
  const done = state.checked.filter(Boolean).length;
  return `${countOf(questions.length, "question")}, ${done} answered, ${countRight(questions, state)} right.`;
}

function build(view, body, tools) {
  const { model, change } = view;
  const questions = model.get("questions");
  const name = model.get("name");
  const slot = `attnbook:quiz:${name}`;
  const store = (state) => {
    try {
      localStorage.setItem(
        slot,
        JSON.stringify({ version: state.version, answers: state.answers, checked: state.checked }),
      );
    } catch {
      view.note("This browser keeps nothing between visits: use Download to keep your answers.");
    }
  };
  const put = (i, patch) => {
    const next = (list, value) => list.map((old, j) => (i === j ? value : old));
    const answers = "answer" in patch ? next(view.state.answers, patch.answer) : view.state.answers;
    const checked = next(view.state.checked, Boolean(patch.checked));
    change({ answers, checked, score: grade(questions, { answers, checked }) });
    store(view.state);
  };
  const blocks = questions.map((question, i) => {
    const many = Array.isArray(question.answer);
    const group = `${view.model.get("widget_id")}-${i}`;
    const items = question.options.map((option, o) => {
      const input = stop(
        h("input", {
          type: many ? "checkbox" : "radio",
          name: group,
          onchange: () => {
            const others = view.state.answers[i].filter((x) => many && x !== o);
            put(i, { answer: input.checked ? [...others, o].sort((a, b) => a - b) : others });
          },
        }),
      );
      // Enter chooses, as Space does: arrow keys go from option to option without choosing.
      input.addEventListener("keydown", (event) => {
        if (event.key === "Enter") input.click();
      });
      const why = h("p.why");
      return { input, why, node: h("", h("label.option", input, h("span", rich(option))), why) };
    });
    const verdict = h("p", { role: "status" });
    const go = button("Check the answer", () => put(i, { checked: true }), {
      class: "ab-main",
      "aria-label": `Check the answer to question ${i + 1}`,
    });
    const node = h(
      "fieldset.question",
      h("legend", `${i + 1}. `, rich(question.question), many ? " (choose all that hold)" : ""),
      items.map((item) => item.node),
      go,
      verdict,
    );
    return { items, verdict, go, node };
  });
  body.append(...blocks.map((block) => block.node));
  const record = () =>
    JSON.stringify(
      {
        quiz: name,
        score: view.state.score,
        answers: questions.map((q, i) => ({
          question: q.question,
          chosen: view.state.answers[i].map((o) => q.options[o]),
          checked: view.state.checked[i],
        })),
      },
      null,
      2,
    );
  tools.append(
    button("Copy answers", async () => {
      try {
        await navigator.clipboard.writeText(record());
        view.note("Your answers are copied as JSON.");
      } catch {
        view.note("This browser did not allow copying: use Download.");
      }
    }),
    button("Download answers", () => {
      const link = h("a", {
        href: URL.createObjectURL(new Blob([record()], { type: "application/json" })),
        download: `${name}.json`,
      });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 1000);
      view.note(`Your answers are in the file ${name}.json.`);
    }),
  );

  // What the reader answered on an earlier visit comes before what somebody's link says.
  const any = ({ answers }) => answers.some((chosen) => chosen.length);
  if (view.shared || !any(view.state)) {
    try {
      const kept = JSON.parse(localStorage.getItem(slot));
      if (kept.version === view.state.version && !view.fault(kept) && any(kept)) {
        change({ answers: kept.answers, checked: kept.checked, score: grade(questions, kept) });
      }
    } catch {
      // Nothing readable was kept: the quiz begins empty.
    }
  }
  return {
    sentence: () => sentence(questions, view.state),
    reset: () => store(view.state),
    outside: () => store(view.state),
    update() {
      blocks.forEach(({ items, verdict, go }, i) => {
        const question = questions[i];
        const [chosen, checked, right] = [
          view.state.answers[i] || [],
          view.state.checked[i],
          rightOptions(question),
        ];
        items.forEach(({ input, why }, o) => {
          input.checked = chosen.includes(o);
          const show = checked && chosen.includes(o);
          const good = right.includes(o);
          const key = show ? `${good}` : "";
          if (why.dataset.shown === key) return;
          why.dataset.shown = key;
          set(why, { "data-good": good });
          why.replaceChildren(
            ...(show
              ? [h("b", verdictOn(good, question.explanations[o])), ...rich(question.explanations[o])]
              : []),
          );
        });
        const all = isSame(chosen, right);
        const missed = right.filter((o) => !chosen.includes(o)).length;
        say(
          verdict,
          !checked || all
            ? ""
            : right.length > 1 && missed
              ? `${missed} of ${right.length} right options ${missed === 1 ? "is" : "are"} not chosen. Change your answer and check again.`
              : "Change your answer and check again.",
        );
        go.disabled = !chosen.length || checked;
      });
    },
  };
}

export default widget({ title: "Quiz", own: true, build });
