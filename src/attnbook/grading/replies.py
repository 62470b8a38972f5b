"""What a worker says, before the judge believes the form of it and a learner reads about it.

A learner's code sees the hidden inputs, and it chooses the texts that it sends back: the name of a class,
the message of an error, a string in place of a tensor. None of these may reach the feedback, or they would
carry the inputs out.
"""

from __future__ import annotations

import builtins
import re
from typing import Any

from attnbook.exercises.judge import Failed, Verdict
from attnbook.exercises.spec import Case, Exercise
from attnbook.worker.values import Foreign

STATUSES = {
    "returned",
    "raised",
    "unfinished",
    "missing",
    "not callable",
    "signature",
    "not a module",
    "instance",
    "no forward",
    "state",
    "timeout",
}
SHAPES = {"mutated": list, "error": dict, "gradients": dict, "found": dict}
MAX_NAMES = 200  # parameters of a module that are looked at
MESSAGE, LINE, LINES = 600, 200, 8  # characters and lines of a cell's error that are kept
_QUOTE = re.compile(r"; it (?:is|returns) .*", re.DOTALL)
NOT_AN_ANSWER = {"status": "raised", "error": {"type": "an error", "message": "", "where": []}}
KNOWN_KINDS = {
    name
    for name, thing in vars(builtins).items()
    if isinstance(thing, type) and not issubclass(thing, BaseException)
} | {"function", "module", "numpy.ndarray", "Tensor", "Parameter"}


def cleaned(reply: dict[str, Any], case: Case) -> dict[str, Any]:
    """The reply with every text that the learner's code could have chosen replaced by a known one."""
    if not isinstance(reply.get("status"), str) or reply["status"] not in STATUSES:
        return dict(NOT_AN_ANSWER)
    if any(key in reply and not isinstance(reply[key], kind) for key, kind in SHAPES.items()):
        return dict(NOT_AN_ANSWER)
    kept: dict[str, Any] = {"status": reply["status"]}
    if "error" in reply:
        kept["error"] = {"type": error_name(reply["error"].get("type")), "message": "", "where": []}
    if "kind" in reply:
        kept["kind"] = _kind_name(reply["kind"])
    if "parameters" in reply:
        kept["parameters"] = "(other parameters)"
    if "device" in reply:
        kept["device"] = "another device"
    if "found" in reply:
        kept["found"] = _known_names(reply["found"], case)
    if "value" in reply:
        kept["value"] = _without_names(reply["value"])
    if "gradients" in reply:
        wanted = case.state or {}
        kept["gradients"] = {
            name: gradient for name, gradient in reply["gradients"].items() if name in wanted
        }
    kept["mutated"] = [index for index in reply.get("mutated", [])[:MAX_NAMES] if type(index) is int]
    return kept


def cell_error(error: Any, room: int = MESSAGE + LINES * LINE) -> dict[str, Any]:
    """What is kept of a cell's error: a known name and short texts, whatever the worker sent.

    Only the instructor's files show the texts.

    Parameters
    ----------
    error : anything
        As it came.
    room : int
        Characters that the texts may have together.
    """
    error = error if isinstance(error, dict) else {}
    message = error.get("message")
    message = message[: min(MESSAGE, max(room, 0))] if isinstance(message, str) else ""
    room -= len(message)
    where: list[str] = []
    lines = error.get("where")
    for line in lines[:LINES] if isinstance(lines, list) else []:
        if isinstance(line, str) and room > 0:
            where.append(line[: min(LINE, room)])
            room -= len(where[-1])
    return {"type": error_name(error.get("type")), "message": message, "where": where}


def error_name(name: Any) -> str:
    """An error's type, if it is one of Python's; a learner's own texts go no further."""
    if not isinstance(name, str):
        return "an error of its own kind"
    standard = getattr(builtins, name, None)
    known = isinstance(standard, type) and issubclass(standard, BaseException)
    return name if known else "an error of its own kind"


def _kind_name(name: Any) -> str:
    return name if isinstance(name, str) and name in KNOWN_KINDS else "another type"


def _known_names(found: dict[str, Any], case: Case) -> dict[str, list[int]]:
    """Shapes by parameter name; names that the exercise does not know become one, however many they are."""
    result: dict[str, list[int]] = {}
    wanted = case.state or {}
    for name, shape in found.items():
        sizes = [size for size in shape if type(size) is int] if isinstance(shape, list) else []
        if name in wanted or len(result) < MAX_NAMES:
            result[name if name in wanted else "another parameter"] = sizes[:MAX_NAMES]
    return result


def _without_names(value: Any) -> Any:
    if isinstance(value, Foreign):
        return Foreign(_kind_name(value.kind))
    if isinstance(value, list | tuple):
        return type(value)(_without_names(part) for part in value)
    if isinstance(value, dict):
        return {str(key): _without_names(part) for key, part in value.items()}
    return value


def without_quotes(exercise: Exercise, verdict: Verdict) -> list[str]:
    """The feedback's paragraphs without what they say of a returned object of the wrong type.

    Its text, its number, its length and its shape are all chosen by code that has seen the inputs. That
    holds for predictions too: a function that was tried before can have changed them.
    """
    paragraphs = verdict.feedback()
    if isinstance(verdict, Failed) and verdict.finding.rung == "type":
        shortened = _QUOTE.sub(".", paragraphs[0])
        if shortened != paragraphs[0]:
            hint = f'`check("{exercise.id}", {exercise.name})` in your notebook says what yours is.'
            paragraphs[0] = f"{shortened} {hint}"
    return paragraphs
