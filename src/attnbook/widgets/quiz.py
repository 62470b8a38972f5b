"""Quiz: a few questions with a reason for every option, answered and kept on the reader's device."""

import html
import math
import re

from attnbook.widgets import values
from attnbook.widgets.base import Mirror, Widget, bundle, traitlets
from attnbook.widgets.state import Booleans, Each, Number, State, Subset


class Quiz(Widget):
    """Single and multiple choice.

    Parameters
    ----------
    questions : list of dicts
        Each has ``question`` (str), ``options`` (two strings or more), ``answer`` (the index of the right
        option; a list of indices makes it multiple choice) and ``explanations`` (one string an option: why
        it is right or wrong). `code`, *emphasis* and **strong** are set as in Markdown; formulas are not,
        so a text with `$…$` is refused.
    name : str
        Names the quiz on the reader's device and in the exported file: letters, digits, "-", "_" and ".".
    challenge : str
        A question to think about, shown above.
    theme : "auto", "light" or "dark"

    Attributes
    ----------
    answers : list of lists of int
        The chosen options of each question.
    checked : list of bool
        Whether the reader asked for the verdict on the answer as it stands.
    score : float or None
        The share of questions answered rightly; None before the first check.

    Raises
    ------
    ValueError
        From the constructor, naming the question and what is wrong with it. Assignments raise
        ``traitlets.TraitError`` and leave the state as it was.
    """

    _esm = bundle("Quiz.js")
    _css = bundle("Quiz.css")

    questions = traitlets.List(help="What is asked; fixed once made.").tag(sync=True)
    name = traitlets.Unicode("quiz").tag(sync=True)
    answers = Mirror("the chosen options of each question")
    checked = Mirror("whether each answer was checked")

    def __init__(self, questions, name="quiz", *, challenge="", theme="auto"):
        if not isinstance(name, str) or not re.fullmatch(r"[\w.-]+", name):
            raise ValueError(f'name: expected letters, digits, "-", "_" and ".", got {name!r}.')
        if not isinstance(questions, list | tuple) or not questions:
            raise ValueError(f"questions: expected a list of at least one question, got {questions!r}.")
        self._questions = [_question(f"questions[{i}]", question) for i, question in enumerate(questions)]
        empty = {"answers": [[] for _ in questions], "checked": [False] * len(questions)}
        super().__init__(empty, challenge=challenge, theme=theme, questions=self._questions, name=name)

    @traitlets.validate("questions")
    def _fixed_questions(self, proposal):
        if proposal["value"] != self._questions:
            raise traitlets.TraitError(
                "questions: expected no assignment; make a new Quiz for new questions."
            )
        return proposal["value"]

    def _declare(self):
        chosen = []
        for question in self._questions:
            single = not isinstance(question["answer"], list)
            why = ", since one option is right" if single else ""
            chosen.append(Subset(of=len(question["options"]), most=1 if single else None, why=why))
        return State(
            answers=Each(parts=tuple(chosen), why=", the chosen options of each question"),
            checked=Booleans(length=len(chosen)),
            score=Number(low=0, high=1, optional=True),
        )

    def _agree(self, state):
        state["score"] = None
        if any(state["checked"]):
            right = self._right(state["answers"], state["checked"])
            state["score"] = math.floor(right / len(self._questions) * 100 + 0.5) / 100

    def _right(self, answers, checked) -> int:
        keys = ([q["answer"]] if isinstance(q["answer"], int) else q["answer"] for q in self._questions)
        return sum(
            done and set(chosen) == set(key) for chosen, done, key in zip(answers, checked, keys, strict=True)
        )

    def _edited(self, name, value, state):
        if name == "prediction":
            raise ValueError("prediction: expected no assignment; a quiz has answers instead.")
        if name == "answers":
            # An answer that changed waits to be checked again.
            old = state["answers"]
            same = (
                [a == b for a, b in zip(value, old, strict=False)] if isinstance(value, list | tuple) else []
            )
            same += [False] * (len(old) - len(same))
            checked = [a and b for a, b in zip(same, state["checked"], strict=False)]
            return {**state, "answers": value, "checked": checked}
        return {**state, name: value}

    def _sentence(self, state):
        n, done = len(self._questions), sum(state["checked"])
        asked, right = values.count_of(n, "question"), self._right(state["answers"], state["checked"])
        return f"{asked}, {done} answered, {right} right."

    def _static(self):
        items = []
        for question in self._questions:
            options = "".join(f"<li>{_rich(option)}</li>" for option in question["options"])
            items.append(f'<li><p>{_rich(question["question"])}</p><ol type="a">{options}</ol></li>')
        several = (
            f"Quiz of {len(items)} questions; open the chapter in the book or in Jupyter to answer them."
        )
        alone = "A question; open the chapter in the book or in Jupyter to answer it."
        lead = alone if len(items) == 1 else several
        return {"text/html": f"<p>{lead}</p><ol>{''.join(items)}</ol>"}, {}


_FORMULA = re.compile(r"\$[^$]+\$")

# `code`, **strong**, *emphasis*: the same three as js/quiz.js, and no others.
_MARKS = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*\s](?:[^*]*[^*\s])?)\*")


def _rich(text: str) -> str:
    """Escape, and set `code`, **strong** and *emphasis*."""

    def element(match: re.Match) -> str:
        kind = next(i for i, part in enumerate(match.groups()) if part is not None)
        tag = ("code", "strong", "em")[kind]
        return f"<{tag}>{match.group(kind + 1)}</{tag}>"

    return _MARKS.sub(element, html.escape(text))


def _question(name: str, question) -> dict:
    """One question, checked."""
    keys = ("question", "options", "answer", "explanations")
    if not isinstance(question, dict) or set(question) != set(keys):
        given = sorted(question) if isinstance(question, dict) else question
        raise ValueError(f"{name}: expected a dict with {', '.join(keys)}, got {given!r}.")
    text = values.words(f"{name} question", [question["question"]])[0]
    options = values.words(f"{name} options", question["options"])
    if len(options) < 2:
        raise ValueError(f"{name} options: expected at least two, got {options!r}.")
    why = values.words(f"{name} explanations", question["explanations"])
    if len(why) != len(options):
        raise ValueError(f"{name} explanations: expected one an option ({len(options)}), got {len(why)}.")
    answer = question["answer"]
    keys = list(answer) if isinstance(answer, list | tuple) else [answer]
    for line in (text, *options, *why):
        if formula := _FORMULA.search(line):
            raise ValueError(
                f"{name}: a quiz sets no formulas, got {formula[0]!r}; write letters, such as √d_k or α."
            )
    valid = (
        keys and len(set(keys)) == len(keys) and all(type(k) is int and 0 <= k < len(options) for k in keys)
    )
    if not valid:
        raise ValueError(
            f"{name} answer: expected the index of an option (0 to {len(options) - 1}) or a list of them, "
            f"got {answer!r}."
        )
    answer = sorted(keys) if isinstance(answer, list | tuple) else answer
    return {"question": text, "options": options, "answer": answer, "explanations": why}
