"""The sentences that only a grader needs: what became of an answer before it could be judged.

What they say is true of this submission. A name in them is Python's or the exercise's, never one that code
chose after it had seen an input.
"""

from __future__ import annotations

import re
from typing import Any

from attnbook.exercises.judge import Failed, Verdict
from attnbook.exercises.spec import Exercise
from attnbook.grading.replies import without_quotes

INSTALLED = "torch, NumPy, Matplotlib and what else comes with attnbook"
_MODULE = re.compile(r"^No module named '([A-Za-z_][\w.]{0,60})'")
_NO_GPU = re.compile(r"CUDA|cuda|NVIDIA|\bmps\b|MPS")


def sentences(
    exercise: Exercise,
    verdict: Verdict,
    replies: list[dict[str, Any]],
    ended: str,
    cells: list[dict[str, Any]],
) -> list[str]:
    """The paragraphs about one exercise.

    Parameters
    ----------
    exercise : Exercise
    verdict : Verdict
    replies : list of dict
        As the worker sent them.
    ended : str
        What ended the asking before the last input, as ``Session.ask`` says; or empty.
    cells : list of dict
        What became of the notebook's cells.
    """
    paragraphs = without_quotes(exercise, verdict)
    if not isinstance(verdict, Failed):
        return paragraphs
    rung = verdict.finding.rung
    stopped = ended if rung == "runs" or not replies else ""
    own = _instead(exercise, replies, stopped, cells, rung)
    return [*own, *paragraphs[1:]] if own else paragraphs


def _instead(
    exercise: Exercise, replies: list[dict[str, Any]], ended: str, cells: list[dict[str, Any]], rung: str
) -> list[str]:
    if ended:
        return [ENDED[ended]]
    if rung == "defined" and (not replies or replies[0].get("status") == "missing"):
        broken = [cell for cell in cells if cell["outcome"] != "done"]
        if broken:
            return [
                f"No cell that ran to its end defines `{exercise.name}`. Code cell {broken[0]['number']} is "
                f"the first that did not: {why(broken[0])}."
            ]
        return [f"No cell defines `{exercise.name}`, or it is None at the end of the notebook."]
    if rung == "runs" and any(_asks_for_gpu(reply) for reply in replies):
        return [
            "Your code asks for a GPU, and grading has none: write `device=` that of an input, or "
            '`attnbook.device()`, instead of "cuda".'
        ]
    return []


ENDED = {
    "took too long": "Your code did not come back in its time. Look for a loop whose end is never "
    "reached, or for something that takes very long at the first call, as compiling does.",
    "too much memory": "While your code ran, it used more memory than one submission may.",
    "ended the process": "While your code ran, its process ended: it exited, crashed, or sent back more "
    "than an answer can hold.",
    "no time left": "This was not tried: the submission had used up the time, or the restarts, "
    "that one may have.",
}


def _asks_for_gpu(reply: dict[str, Any]) -> bool:
    error = reply.get("error")
    message = error.get("message") if isinstance(error, dict) else None
    return isinstance(message, str) and bool(_NO_GPU.search(message))


def why(cell: dict[str, Any]) -> str:
    """What became of a cell, in words for the person who wrote it."""
    if cell["outcome"] != "raised":
        return f"it {OUTCOMES.get(cell['outcome'], cell['outcome'])}"
    error = cell.get("error", {})
    name = str(error.get("type", "an error"))
    message = str(error.get("message", ""))
    module = _MODULE.match(message)
    if name == "ModuleNotFoundError" and module:
        return f"it imports {module[1]}, which is not installed where grading happens (there are {INSTALLED})"
    if _NO_GPU.search(message) and name in ("AssertionError", "RuntimeError", "NotImplementedError"):
        return "it asks for a GPU, and grading has none"
    return f"it raised {name}"


OUTCOMES = {
    "took too long": "took too long",
    "too much memory": "used too much memory",
    "ended the process": "ended the process",
}
