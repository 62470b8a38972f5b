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
    "state",
    "timeout",
}
SHAPES = {"mutated": list, "error": dict, "gradients": dict, "found": dict}
OWN_ERRORS = {"ProcessEnded", "NoTimeLeft"}
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
    reply = dict(reply)
    if "error" in reply:
        reply["error"] = {"type": _error_name(reply["error"].get("type")), "message": "", "where": []}
    if "kind" in reply:
        reply["kind"] = _kind_name(reply["kind"])
    if "parameters" in reply:
        reply["parameters"] = "(other parameters)"
    if "device" in reply:
        reply["device"] = "another device"
    if "found" in reply:
        reply["found"] = _known_names(reply["found"], case)
    if "value" in reply:
        reply["value"] = _without_names(reply["value"])
    reply["mutated"] = [index for index in reply.get("mutated", []) if type(index) is int]
    return reply


def _error_name(name: Any) -> str:
    standard = getattr(builtins, str(name), None)
    known = isinstance(standard, type) and issubclass(standard, BaseException)
    return str(name) if known or name in OWN_ERRORS else "an error of its own kind"


def _kind_name(name: Any) -> str:
    return str(name) if name in KNOWN_KINDS else "another type"


def _known_names(found: dict[str, Any], case: Case) -> dict[str, list[int]]:
    """Shapes by parameter name; names that the exercise does not know become one, however many they are."""
    result: dict[str, list[int]] = {}
    wanted = case.state or {}
    for name, shape in found.items():
        sizes = [size for size in shape if type(size) is int] if isinstance(shape, list) else []
        result[name if name in wanted else "another parameter"] = sizes
    return result


def _without_names(value: Any) -> Any:
    if isinstance(value, Foreign):
        return Foreign(_kind_name(value.kind))
    if isinstance(value, list | tuple):
        return type(value)(_without_names(part) for part in value)
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
