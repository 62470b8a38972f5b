"""The kinds of exercises. What differs from kind to kind is a method of the kind.

A :class:`Function` and a :class:`Module` are tried on drawn inputs and compared with a reference; a
:class:`Value` (a :class:`Prediction`, a :class:`Measurement` or a :class:`Choice`) is one number or letter.
A reference and all its known-wrong variants are one function: called without keywords it is right, and each
family of mistakes (see ``mistakes``) is a keyword of it. So every combination of mistakes is one call.
"""

from __future__ import annotations

import itertools
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch

from attnbook.exercises import words
from attnbook.exercises.spec.draw import Draw
from attnbook.exercises.spec.mistakes import Mistakes, Wrong
from attnbook.exercises.spec.parts import Case, Nearby, Output, Property
from attnbook.worker.values import copy

DIFFICULTIES = ("easy", "medium", "hard")


@dataclass(frozen=True, kw_only=True, eq=False)
class Exercise(ABC):
    """What every exercise has.

    Attributes
    ----------
    id, title : str
        ``"2.4"``, and its title.
    points, minutes, difficulty
        Whole points, minutes for a first-time reader, and ``"easy"``, ``"medium"`` or ``"hard"``.
    signature : str
        As the learner's stub has it, such as ``"scaled_lookup(query, key, value)"`` or ``"share = 0.25"``.
    reference : callable
        The right answer.
    hints : tuple of str
        Each a step more than the one before.
    forbidden : tuple of str
        Library calls that would answer the exercise by themselves: flagged for a human eye, no more.
    time_limit : float
        Seconds for one case.
    """

    form: ClassVar[str]  # "function", "module" or "value": what a worker is told
    has_inputs: ClassVar[bool] = True
    id: str
    title: str
    points: int
    minutes: int
    difficulty: str
    signature: str
    reference: Callable[..., Any]
    hints: tuple[str, ...]
    forbidden: tuple[str, ...] = ()
    time_limit: float = 10.0

    @property
    def chapter(self) -> int:
        """The chapter's number."""
        return int(self.id.split(".")[0])

    @property
    def name(self) -> str:
        """The name that the learner defines: the signature's first word."""
        return re.match(r"\w*", self.signature).group()

    @property
    @abstractmethod
    def task(self) -> str:
        """What the learner does, in two or three words."""

    @abstractmethod
    def make_cases(self, seed: int) -> list[Case]:
        """The inputs for one seed: always the same for the same seed."""

    @abstractmethod
    def request(self, case: Case) -> dict[str, Any]:
        """What ``oracle.answer`` needs for this case, as a value that ``values.pack`` takes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class CodeExercise(Exercise):
    """An exercise whose answer is code, tried on inputs.

    Attributes
    ----------
    outputs : tuple of Output
        One: the bare value is returned. Several: a tuple in this order.
    cases : callable
        ``cases(draw)`` gives the list of cases.
    mistakes : tuple of Mistakes
        The families of known mistakes; each is a keyword of ``reference``.
    meaningless : tuple of tuples
        What means nothing together: each entry names mistakes (``MASK["ignored"]``) or whole families
        (``MASK``), and a combination that holds all of an entry is never tried.
    possible : callable, optional
        For what ``meaningless`` cannot say: whether a combination, as a dict from switch to the mistake's
        name, means anything.
    together : int, optional
        How many mistakes are tried together at most; one of every family if left out. With many families the
        combinations would be too many to go through.
    properties : tuple of Property
        What every right answer has.
    tolerance : (float, float)
        Relative and absolute.
    bug : bool
        Whether the learner is given code with a planted mistake, to mend.
    """

    noun: ClassVar[str]  # what the learner defines

    outputs: tuple[Output, ...]
    cases: Callable[[Draw], list[Case]]
    mistakes: tuple[Mistakes, ...] = ()
    meaningless: tuple[tuple[Mistakes | Wrong, ...], ...] = ()
    possible: Callable[[dict[str, str]], bool] | None = None
    together: int | None = None
    properties: tuple[Property, ...] = ()
    tolerance: tuple[float, float] = (1e-4, 2e-5)
    bug: bool = False

    @property
    def task(self) -> str:
        """What the learner does, in two or three words."""
        return "find the mistake" if self.bug else f"write a {self.form}"

    def make_cases(self, seed: int) -> list[Case]:
        return self.cases(Draw(seed))

    def request(self, case: Case) -> dict[str, Any]:
        return {"form": self.form, "args": list(copy(dict(case.args)).values())}

    def codes(self, switches: Mapping[str, str]) -> dict[str, Any]:
        """The keywords of ``reference`` that make these mistakes.

        Raises
        ------
        KeyError
            With a sentence, for a switch or a mistake that there is none of.
        """
        families = {family.switch: family for family in self.mistakes}
        for switch in switches:
            if switch not in families:
                known = ", ".join(families) or "none"
                raise KeyError(f'{self.id} has no switch "{switch}"; it has: {known}.')
        return {switch: families[switch][name].code for switch, name in switches.items()}

    @abstractmethod
    def expected(self, case: Case, switches: Mapping[str, str] | None = None) -> dict[str, Any]:
        """The outputs by name of the reference, or of a known-wrong variant of it."""

    def more_outputs(self, case: Case, reply: Mapping[str, Any]) -> dict[str, Any]:
        """What is compared beside the outputs: nothing, or a module's gradients."""
        return {}

    def combinations(self) -> Iterator[dict[str, str]]:
        """Every set of known mistakes, fewest first, as a dict from switch to name."""
        most = len(self.mistakes) if self.together is None else self.together
        for count in range(1, most + 1):
            for chosen in itertools.combinations(self.mistakes, count):
                for names in itertools.product(*(family.wrongs for family in chosen)):
                    switches = {family.switch: name for family, name in zip(chosen, names, strict=True)}
                    if self._means_something(chosen, names, switches):
                        yield switches

    def _means_something(self, chosen, names, switches) -> bool:
        made = [*chosen, *(family[name] for family, name in zip(chosen, names, strict=True))]
        if any(all(part in made for part in together) for together in self.meaningless):
            return False
        return self.possible is None or self.possible(switches)

    def explain(self, switches: Mapping[str, str]) -> list[str]:
        """The paragraph for each mistake of a combination."""
        return [family[switches[family.switch]].text for family in self.mistakes if family.switch in switches]

    def credit(self, cases: Sequence[Case], by_case: Sequence[bool]) -> float:
        """The share of the points: 1 if all cases are right; for code to write, the share of right cases as
        long as every plain one is among them; otherwise 0."""
        if all(by_case):
            return 1.0
        plain = [right for case, right in zip(cases, by_case, strict=True) if case.group == "plain"]
        if self.bug or not all(plain):
            return 0.0
        return sum(by_case) / len(by_case)

    def _by_name(self, value: Any) -> dict[str, Any]:
        if len(self.outputs) == 1:
            return {self.outputs[0].name: value}
        return {output.name: part for output, part in zip(self.outputs, value, strict=True)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Function(CodeExercise):
    """A function to write or to mend: ``reference(**args, **mistakes)``."""

    form: ClassVar[str] = "function"
    noun: ClassVar[str] = "function"

    def expected(self, case: Case, switches: Mapping[str, str] | None = None) -> dict[str, Any]:
        return self._by_name(self.reference(**copy(dict(case.args)), **self.codes(switches or {})))


@dataclass(frozen=True, kw_only=True, eq=False)
class Module(CodeExercise):
    """A ``torch.nn.Module`` to write or to mend: ``reference(state, **args, **mistakes)``.

    The cases of a module hold ``init``, ``state`` and ``cotangents``. Its parameters' gradients are compared
    like outputs, each under the name ``"gradient of NAME"``.
    """

    form: ClassVar[str] = "module"
    noun: ClassVar[str] = "class"

    def request(self, case: Case) -> dict[str, Any]:
        return {
            **super().request(case),
            "init": list(case.init.values()),
            "state": copy(dict(case.state)),
            "cotangents": list(copy(list(case.cotangents))),
        }

    def expected(self, case: Case, switches: Mapping[str, str] | None = None) -> dict[str, Any]:
        state = {name: tensor.detach().clone().requires_grad_(True) for name, tensor in case.state.items()}
        args = copy(dict(case.args))
        outputs = self._by_name(self.reference(state, **args, **self.codes(switches or {})))
        parts = [
            (output * cotangent).sum()
            for output, cotangent in zip(outputs.values(), case.cotangents, strict=True)
            if output.requires_grad and output.shape == cotangent.shape
        ]
        leaves = list(state.values())
        gradients = (
            torch.autograd.grad(sum(parts), leaves, allow_unused=True) if parts else [None] * len(leaves)
        )
        result = {name: output.detach() for name, output in outputs.items()}
        for (name, leaf), gradient in zip(state.items(), gradients, strict=True):
            result[f"gradient of {name}"] = torch.zeros_like(leaf) if gradient is None else gradient
        return result

    def more_outputs(self, case: Case, reply: Mapping[str, Any]) -> dict[str, Any]:
        gradients = {name: (reply.get("gradients") or {}).get(name) for name in case.state}
        return {
            f"gradient of {name}": gradient if isinstance(gradient, torch.Tensor) else torch.zeros_like(leaf)
            for (name, leaf), gradient in zip(case.state.items(), gradients.values(), strict=True)
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Value(Exercise):
    """One value to find: ``reference()``, or within ``tolerance`` of it.

    ``nearby`` lists wrong values that people give, each with what lies behind it.
    """

    form: ClassVar[str] = "value"
    has_inputs: ClassVar[bool] = False
    label: ClassVar[str] = "value"  # under which a recognised wrong value is reported
    near_miss: ClassVar[str] = "That is not the value."

    nearby: tuple[Nearby, ...] = ()
    tolerance: float = 0.0

    def make_cases(self, seed: int) -> list[Case]:
        """One case, without inputs."""
        return [Case(args={})]

    def request(self, case: Case) -> dict[str, Any]:
        return {"form": self.form, "args": []}

    def read(self, value: Any) -> tuple[tuple[str, str] | None, Any]:
        """What is wrong with the value's form, as rung and sentence, or None; and the value to compare."""
        number = value.item() if isinstance(value, torch.Tensor) and value.dim() == 0 else value
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            return ("type", f"`{self.name}` should be a single number; it is {words.kind(value)}."), None
        if not math.isfinite(number):
            return ("NaN", f"`{self.name}` should be a finite number."), None
        return None, number

    def is_right(self, given: Any) -> bool:
        """Whether a value that ``read`` gave is the right one."""
        return abs(given - self.reference()) <= self.tolerance + 1e-9

    def nearest(self, given: Any) -> Nearby | None:
        """The first of the known wrong values that this is."""
        return next((near for near in self.nearby if abs(given - near.value) <= near.tolerance + 1e-9), None)

    def in_per_cent(self, given: Any) -> str:
        """The sentence for a value that is right but for its unit, or nothing."""
        share = isinstance(given, int | float) and abs(self.reference()) <= 1
        if not share or abs(given) <= 1 or not self.is_right(given / 100):
            return ""
        return "Right, in per cent: a share from 0 to 1 was asked for."

    def far_miss(self, given: Any) -> str:
        """The sentence for a wrong value without a known reason."""
        return self.near_miss


@dataclass(frozen=True, kw_only=True, eq=False)
class Prediction(Value):
    """A number to think out before it is computed."""

    task = "predict"


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement(Value):
    """A number to measure with code of one's own; a miss is told its side."""

    task = "measure"

    def far_miss(self, given: Any) -> str:
        return f"That is too {'high' if given > self.reference() else 'low'}."


@dataclass(frozen=True, kw_only=True, eq=False)
class Choice(Value):
    """One of several letters; each of the others is a ``Nearby``."""

    task = "choose"
    label: ClassVar[str] = "option"
    near_miss: ClassVar[str] = "Another option is right."

    def options(self) -> list[str]:
        """All letters in order."""
        return sorted([self.reference(), *(near.value for near in self.nearby)])

    def read(self, value: Any) -> tuple[tuple[str, str] | None, Any]:
        if not isinstance(value, str):
            return (
                "type",
                f"`{self.name}` should be one letter in quotes; it is {words.kind(value)}.",
            ), None
        given = value.strip().strip("().").lower()
        if given not in self.options():
            return ("type", f"`{self.name}` should be one of {', '.join(self.options())}."), None
        return None, given

    def is_right(self, given: Any) -> bool:
        return given == self.reference()

    def nearest(self, given: Any) -> Nearby | None:
        return next((near for near in self.nearby if near.value == given), None)
