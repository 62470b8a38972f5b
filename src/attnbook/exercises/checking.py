"""``check``: try an answer on fresh inputs, and say in one paragraph what is wrong with it."""

from __future__ import annotations

import contextlib
import random
import secrets
import sys
import textwrap
import types
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from attnbook.exercises import pictures, records, watchdog, words
from attnbook.exercises.judge import RUNGS, Failed, Passed, Verdict, judge
from attnbook.exercises.registry import exercise
from attnbook.exercises.spec import Exercise
from attnbook.worker import oracle

WIDTH = 96
# Where a message of torch's, or a NaN, is all that can be said of an answer.
EXPLAINED = ("runs", "NaN")
EXPLANATION = "What messages mean:    the book's page “Troubleshooting”"
_MISSING = object()


@dataclass
class Report:
    """What a check found. Its text was printed already."""

    id: str
    passed: bool
    text: str
    seed: int | None = None
    verdict: Verdict | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"<check {self.id}: {'these checks passed' if self.passed else 'not yet'}>"

    def _ipython_display_(self) -> None:
        """Nothing: the text stands above already."""


def check(id: str, answer: Any = _MISSING, *, seed: int | None = None) -> Report:
    """Try your answer to an exercise on fresh inputs, and say what is wrong with it.

    Parameters
    ----------
    id : str
        The exercise's number, such as ``"2.4"``.
    answer : object, optional
        What you wrote: the function, the class or the value. Without it, the name that the exercise asks for
        is looked up where you call ``check``.
    seed : int, optional
        Try the inputs of this seed again. Each failed check prints its seed.

    Returns
    -------
    Report
        With ``passed``. What is wrong with an answer is printed, never raised.
    """
    try:
        found = exercise(id)
    except KeyError as error:
        return _say(Report(str(id), False, error.args[0]))
    if answer is _MISSING:
        answer = sys._getframe(1).f_globals.get(found.name, _MISSING)
    if answer is _MISSING:
        text = f"✗ {found.id} · {found.title}: not yet\n\n"
        text += f"Nothing here is called `{found.name}`: run the cell that defines it."
        return _say(Report(found.id, False, text))
    if seed is None:
        seed = secrets.randbelow(1_000_000)
    elif type(seed) is not int or not 0 <= seed < 2**63:
        return _say(
            Report(found.id, False, f"seed: expected a whole number that a check printed, got {seed!r}.")
        )
    try:
        verdict, printed, left_running = try_answer(found, answer, seed)
        report = _report(found, verdict, seed, printed, left_running, answer)
    except Exception as error:
        text = (
            f"{found.id} · {found.title}: the check could not read your answer ({type(error).__name__}). Is "
            f"`{found.name}` really the {found.form} that was asked for?"
        )
        return _say(Report(found.id, False, textwrap.fill(text, WIDTH), seed))
    _say(report)
    if isinstance(verdict, Failed) and records.in_notebook() and verdict.finding.picture is not None:
        with contextlib.suppress(Exception):  # a picture that cannot be drawn takes nothing from the text
            pictures.show(verdict.finding.picture, f"{found.id} · {found.title}")
    trouble = records.record(found.id, report.passed)
    if trouble:
        print(textwrap.fill(trouble, WIDTH))
    return report


def try_answer(found: Exercise, answer: Any, seed: int) -> tuple[Verdict, str, bool]:
    """The verdict on an answer for one seed, what it printed, and whether it is still running."""
    cases = found.make_cases(seed)
    replies, printed, left_running = [], "", False
    with _same_random_state():
        for case in cases:
            wanted = found.request(case)
            outcome = watchdog.call(lambda wanted=wanted: oracle.answer(answer, wanted), found.time_limit)
            printed = (printed + outcome.printed)[: watchdog.KEPT_OUTPUT]
            if outcome.status == "done":
                replies.append(outcome.value)
            elif outcome.status == "failed":
                replies.append({"status": "raised", "error": oracle.describe(outcome.error)})
            else:
                replies.append({"status": outcome.status})
                left_running = outcome.left_running
                break
            if outcome.value is not None and outcome.value["status"] not in ("returned", "raised"):
                break
    return judge(found, cases, replies), printed, left_running


@contextlib.contextmanager
def _same_random_state():
    """A check draws nothing from the notebook's own random numbers."""
    states = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])  # noqa: NPY002
        torch.set_rng_state(states[2])


def _say(report: Report) -> Report:
    try:
        print(report.text)
    except UnicodeEncodeError:  # a redirected script on Windows, say
        encoding = sys.stdout.encoding or "ascii"
        plain = report.text.replace("✓", "+").replace("✗", "x").encode(encoding, "replace")
        print(plain.decode(encoding))
    return report


def forbidden_calls(answer: Any, found: Exercise) -> list[str]:
    """The names that an exercise asks to do without and that an answer's own code uses.

    Reads compiled code, not its text: functions and methods of a class, and what is defined inside them.
    """
    codes = [getattr(answer, "__code__", None)]
    if isinstance(answer, type):
        codes += [getattr(method, "__code__", None) for method in vars(answer).values()]
    names: set[str] = set()
    modules: set[str] = set()
    while codes:
        code = codes.pop()
        if isinstance(code, types.CodeType):
            names.update(code.co_names)
            codes += code.co_consts
    for name in names:
        thing = getattr(answer, "__globals__", {}).get(name)
        modules.add(str(getattr(thing, "__module__", "") or getattr(thing, "__name__", "")))
    return [
        one
        for one in found.forbidden
        if one in names or any(module == one or module.startswith(f"{one}.") for module in modules)
    ]


def _report(
    found: Exercise, verdict: Verdict, seed: int, printed: str, left_running: bool, answer: Any = None
) -> Report:
    title = f"{found.id} · {found.title}"
    if isinstance(verdict, Passed):
        if not found.has_inputs:
            text = f"✓ {title}: this is right."
        else:
            text = f"✓ {title}: these checks passed, on {len(verdict.by_case)} inputs."
            text += "\n  Grading also tries unseen inputs."
            used = forbidden_calls(answer, found)
            if used:
                text += f"\n  It uses {words.join(used)}, which this exercise asks you to do without: "
                text += "grading flags that."
        return Report(found.id, True, text, seed, verdict)
    finding = verdict.finding
    lines = [f"✗ {title}: not yet", ""]
    if found.has_inputs:
        lines += [_ladder(found, finding.rung, seed), ""]
    note = f" (Input: {finding.note}.)" if finding.note else ""
    lines += _paragraph(finding.sentence + note)
    if finding.detail:
        lines += finding.detail.split("\n")
    if finding.picture is not None and not records.in_notebook():
        lines += ["", *(f"  {line}" for line in pictures.as_text(finding.picture))]
    lines += _diagnosis(found, verdict)
    if left_running:
        lines += [
            "",
            *_paragraph("It is still running and could not be stopped: restart the kernel to end it."),
        ]
    if printed.strip():
        lines += ["", "Your code printed:", *_shortened(printed)]
    if found.has_inputs and finding.rung not in ("defined", "signature"):
        lines += ["", f'The same inputs again: check("{found.id}", {found.name}, seed={seed})']
    else:
        lines += [""]
    lines += [f'One step further:      hint("{found.id}")']
    if finding.rung in EXPLAINED and not verdict.named:
        lines += [EXPLANATION]
    return Report(found.id, False, "\n".join(lines), seed, verdict)


def _ladder(found: Exercise, rung: str, seed: int) -> str:
    reached = RUNGS.index(rung)
    if rung == "mask" and not any(case.group == "mask" for case in found.make_cases(seed)):
        rung = "special inputs"
    return "  ".join(f"✓ {name}" for name in RUNGS[:reached]) + ("  " if reached else "") + f"✗ {rung}"


def _diagnosis(found: Exercise, verdict: Failed) -> list[str]:
    if not found.has_inputs:
        return [line for text in verdict.diagnosis for line in ["", *_paragraph(text)]]
    if verdict.in_part:
        return ["", *_paragraph(verdict.in_part)]
    if not verdict.named:
        return []
    sets = [found.explain(switches) for switches in verdict.named]
    lines: list[str] = [""]
    if len(sets) > 1:
        lines += ["One of these happened (on these inputs they look the same):"]
        return lines + [line for texts in sets for line in _paragraph("– " + " And: ".join(texts))]
    if len(sets[0]) == 1:
        return lines + _paragraph(f"What happened: {sets[0][0]}")
    lines += [f"{('Two', 'Three', 'Four', 'Five')[len(sets[0]) - 2]} things happened together:"]
    for number, text in enumerate(sets[0], start=1):
        lines += _paragraph(f"{number}. {text}")
    return lines


def _paragraph(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH)


def _shortened(printed: str) -> list[str]:
    lines = printed.rstrip("\n").split("\n")
    kept = [f"  {line[:WIDTH]}" for line in lines[:8]]
    return [*kept, f"  … {len(lines) - 8} more lines"] if len(lines) > 8 else kept
