"""Exercises that say what went wrong: specs, checks, diagnosis, hints and progress.

The learner's side is ``check``, ``hint`` and ``progress``. The other side, which draws inputs
and compares values, is ``spec``, ``values``, ``oracle`` and ``judge``; it can be used without the learner's.
"""

from typing import Any

__all__ = ["check", "exercise", "exercises", "hint", "progress"]

_HOMES = {
    "check": "checking",
    "hint": "hints",
    "progress": "records",
    "exercise": "registry",
    "exercises": "registry",
}


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that a judge does not pull in what only a notebook needs.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
