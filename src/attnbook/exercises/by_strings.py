"""Exercises whose references know their mistakes by string: chapters that are not in the bank yet."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

from attnbook.exercises import spec


def Axis(switch: str, mistakes: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """A family of mistakes: the switch, and the texts by the string that is its value."""
    return switch, mistakes


def Exercise(
    *, kind, variant, name, form="", axes=(), outputs=(), tolerance=None, **rest: Any
) -> spec.Exercise:
    """An exercise of today's kinds."""
    values = {"prediction": spec.Prediction, "measurement": spec.Measurement, "choice": spec.Choice}
    if kind in values:
        found = values[kind](reference=variant, tolerance=(tolerance or (0.0, 2e-5))[1], **rest)
    else:
        parameters = inspect.signature(variant).parameters
        families = tuple(
            spec.Mistakes(
                switch,
                right=parameters[switch].default,
                **{value: spec.Wrong(value, text) for value, text in texts.items()},
            )
            for switch, texts in axes
        )
        found = {"module": spec.Module, "function": spec.Function}[form or kind.replace("bug", "function")](
            reference=variant,
            outputs=outputs,
            mistakes=families,
            bug=kind == "bug",
            **({"tolerance": tolerance} if tolerance else {}),
            **rest,
        )
    assert found.name == name, (found.id, found.name, name)
    return found
