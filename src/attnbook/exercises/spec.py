"""What an exercise is: data that the checks, the grader and the book's listing all read.

An :class:`Exercise` names what the learner defines, draws the inputs on which it is tried, holds the
reference, and lists the known mistakes by *axis*. The reference and all its known-wrong variants are one
function, ``variant``: called without switches it is right; each axis is a keyword of it, and each
mistake on the axis a value of that keyword. Two mistakes on different axes can be made together, two on
one axis cannot. So every combination is one call, and none needs code of its own.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

KINDS = ("function", "module", "bug", "prediction", "measurement", "choice")
VALUE_KINDS = ("prediction", "measurement", "choice")
GROUPS = ("plain", "mask", "edge")
DIFFICULTIES = ("easy", "medium", "hard")


class Draw:
    """Random inputs from one seed: the same seed gives the same inputs on every machine.

    Parameters
    ----------
    seed : int
        Non-negative.
    """

    def __init__(self, seed: int):
        self.seed = seed
        self.random = random.Random(seed)
        self.generator = torch.Generator().manual_seed(seed)

    def sizes(self, count: int, low: int = 2, high: int = 9) -> list[int]:
        """``count`` sizes from low to high, all different, so that no transposed axis goes unnoticed."""
        return self.random.sample(range(low, high + 1), count)

    def normal(self, *shape: int, scale: float = 1.0) -> torch.Tensor:
        """Normal numbers of the given shape, float32."""
        return torch.randn(shape, generator=self.generator) * scale

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """Uniform numbers in [low, high), float32."""
        return torch.rand(shape, generator=self.generator) * (high - low) + low

    def integers(self, *shape: int, low: int = 0, high: int) -> torch.Tensor:
        """Whole numbers from low to high - 1, int64."""
        return torch.randint(low, high, shape, generator=self.generator)

    def mask(self, *shape: int) -> torch.Tensor:
        """A boolean mask (True = may attend) in which every row has at least one True and one False."""
        mask = torch.rand(shape, generator=self.generator) < 0.6
        flat = mask.view(-1, shape[-1])
        for row in flat:
            yes, no = self.random.sample(range(shape[-1]), 2)
            row[yes], row[no] = True, False
        return mask

    def permutation(self, size: int) -> torch.Tensor:
        """The numbers 0 to size - 1 in random order."""
        return torch.randperm(size, generator=self.generator)


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

    ``kind`` is ``"tensor"``, ``"number"`` (a float), ``"integer"``, ``"tokens"`` (a list of ints) or
    ``"option"`` (a letter). ``axes`` names a tensor's axes, outermost first.
    """

    name: str
    axes: tuple[str, ...] = ()
    kind: str = "tensor"


@dataclass(frozen=True)
class Axis:
    """One place where mistakes are made: a keyword of ``variant``, and what each wrong value of it means.

    ``mistakes`` maps the switch's value to the paragraph that the learner reads: what they did, how it
    shows, where to look. It never contains the corrected line.
    """

    switch: str
    mistakes: Mapping[str, str]


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


@dataclass(frozen=True)
class Exercise:
    """Everything that is known about one exercise.

    Attributes
    ----------
    id, title, name : str
        ``"2.4"``, its title, and the name that the learner defines.
    kind : str
        One of ``KINDS``. A bug is a function or a module to mend; ``form`` says which.
    points, minutes, difficulty
        Whole points, minutes for a first-time reader, and ``"easy"``, ``"medium"`` or ``"hard"``.
    signature : str
        As the learner's stub has it.
    outputs : tuple of Output
        One: the bare value is returned. Several: a tuple in this order.
    variant : callable
        ``variant(**args, **switches)`` for a function, ``variant(state, **args, **switches)`` for a
        module; the value of a prediction, a measurement or a choice is ``variant()``.
    cases : callable
        ``cases(draw)`` gives the list of cases; empty for values.
    possible : callable
        Whether a combination of mistakes means anything: a mistake on a mask that another one ignores does
        not.
    together : int, optional
        How many mistakes are tried together at most; one on every axis if left out. With many axes the
        combinations would be too many to go through.
    tolerance : (float, float)
        Relative and absolute. For a prediction or a measurement the absolute one is what counts as hit.
    nearby : tuple of Nearby
        For the kinds that are values: wrong values with a reason.
    forbidden : tuple of str
        Library calls that would answer the exercise by themselves: flagged for a human eye, no more.
    time_limit : float
        Seconds for one case.
    """

    id: str
    title: str
    name: str
    kind: str
    points: int
    minutes: int
    difficulty: str
    signature: str
    outputs: tuple[Output, ...]
    variant: Callable[..., Any]
    hints: tuple[str, ...]
    cases: Callable[[Draw], list[Case]] = field(default=lambda draw: [])
    axes: tuple[Axis, ...] = ()
    properties: tuple[Property, ...] = ()
    nearby: tuple[Nearby, ...] = ()
    possible: Callable[[Mapping[str, str]], bool] = field(default=lambda switches: True)
    together: int | None = None
    tolerance: tuple[float, float] = (1e-4, 2e-5)
    form: str = ""
    forbidden: tuple[str, ...] = ()
    time_limit: float = 10.0

    def __post_init__(self):
        if self.kind not in KINDS or self.difficulty not in DIFFICULTIES:
            raise ValueError(f"{self.id}: kind {self.kind!r}, difficulty {self.difficulty!r} not known")
        if not self.form:
            form = "value" if self.kind in VALUE_KINDS else "module" if self.kind == "module" else "function"
            object.__setattr__(self, "form", form)

    @property
    def chapter(self) -> int:
        """The chapter's number."""
        return int(self.id.split(".")[0])

    def combinations(self) -> Iterator[dict[str, str]]:
        """Every set of known mistakes, fewest first, as switches of ``variant``."""
        most = len(self.axes) if self.together is None else self.together
        for count in range(1, most + 1):
            for chosen in itertools.combinations(self.axes, count):
                for values in itertools.product(*(axis.mistakes for axis in chosen)):
                    switches = {axis.switch: value for axis, value in zip(chosen, values, strict=True)}
                    if self.possible(switches):
                        yield switches

    def explain(self, switches: Mapping[str, str]) -> list[str]:
        """The paragraph for each mistake of a combination."""
        return [axis.mistakes[switches[axis.switch]] for axis in self.axes if axis.switch in switches]
