"""The parts of an exercise: an input, an output, a property, a wrong value with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

GROUPS = ("plain", "mask", "edge")
OUTPUT_KINDS = ("tensor", "number", "integer", "tokens")


@dataclass(frozen=True)
class Case:
    """One input on which an answer is tried.

    Attributes
    ----------
    args : mapping of str to value
        In the order of the learner's parameters; passed by position. A value is a tensor, a Python
        int, float, str, bool or None, or a list, tuple or dict of these (see ``values.pack``).
    group : str
        ``"plain"``, ``"mask"`` or ``"edge"``: plain cases decide the rung *values*, the others the
        rung *mask*; without the plain ones there is no partial credit.
    note : str
        What is special about the case, in words that may be shown to the learner.
    init, state : mappings, for a module
        Arguments of its constructor, and the ``state_dict`` that is loaded into it.
    cotangents : sequence of tensors, for a module
        One for each output: the gradients compared are those of the sum of output times cotangent.
    """

    args: Mapping[str, Any]
    group: str = "plain"
    note: str = ""
    init: Mapping[str, Any] | None = None
    state: Mapping[str, torch.Tensor] | None = None
    cotangents: Sequence[torch.Tensor] | None = None


@dataclass(frozen=True)
class Output:
    """One thing that the answer returns.

    ``kind`` is ``"tensor"``, ``"number"`` (a float), ``"integer"`` or ``"tokens"`` (a list of ints).
    ``dims`` names a tensor's dimensions, outermost first.
    """

    name: str
    dims: tuple[str, ...] = ()
    kind: str = "tensor"

    def described(self) -> str:
        """What should be returned, in words."""
        if self.kind == "tensor":
            return f"a tensor ({', '.join(self.dims)})" if self.dims else "a tensor with a single number"
        return {
            "number": "a single number",
            "integer": "a whole number",
            "tokens": "a list of whole numbers",
        }[self.kind]


@dataclass(frozen=True)
class Property:
    """Something that every right answer has: ``holds(args, outputs)`` with outputs by name."""

    text: str
    holds: Callable[[Mapping[str, Any], Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Nearby:
    """A wrong value that people give (prediction, measurement, choice), and what lies behind it."""

    value: Any
    text: str
    tolerance: float = 0.0
