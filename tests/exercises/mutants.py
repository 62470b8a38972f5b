"""Known-wrong answers as real objects, and how well they are told apart.

Each combination of an exercise's known mistakes becomes a function or a module, is run by the oracle like a
learner's, and is judged. The short form of this stands in the tests, the full table in
``benchmarks/diagnosis.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import torch

from attnbook.exercises.judge import Verdict, judge
from attnbook.exercises.spec import Case, CodeExercise, Module
from attnbook.worker import oracle


def mutant(exercise: CodeExercise, case: Case, switches: dict[str, str]) -> Any:
    """The answer that makes exactly these mistakes; without any, the reference. A module's parameters are
    shaped for this case."""
    names, codes = list(case.args), exercise.codes(switches)

    def call(*args: Any) -> Any:
        return exercise.reference(**dict(zip(names, args, strict=True)), **codes)

    if not isinstance(exercise, Module):
        return call
    shapes = {name: tensor.shape for name, tensor in case.state.items()}

    class Mutant(torch.nn.Module):
        def __init__(self, *init: Any):
            super().__init__()
            for name, shape in shapes.items():
                self.register_parameter(name, torch.nn.Parameter(torch.zeros(shape)))

        def forward(self, *args: Any) -> Any:
            named = dict(zip(names, args, strict=True))
            return exercise.reference(dict(self.named_parameters()), **named, **codes)

    return Mutant


def verdict_on(exercise: CodeExercise, switches: dict[str, str], seed: int) -> Verdict:
    """The verdict on one mutant for one seed."""
    cases = exercise.make_cases(seed)
    replies = [oracle.answer(mutant(exercise, case, switches), exercise.request(case)) for case in cases]
    return judge(exercise, cases, replies)


@dataclass
class Tally:
    """Counts over mutants and seeds. ``alternatives``: the right name was given, but not alone."""

    variants: int = 0
    tried: int = 0
    rejected: int = 0
    named: int = 0
    alternatives: int = 0
    misnamed: int = 0
    unnamed: int = 0
    notes: list[str] = field(default_factory=list)

    def add(self, switches: dict[str, str], seed: int, verdict: Verdict) -> None:
        """Count one verdict."""
        self.tried += 1
        self.rejected += not verdict.passed
        if verdict.passed:
            self.notes.append(f"seed {seed}: {switches} passed")
        elif verdict.named == [switches]:
            self.named += 1
        elif switches in verdict.named:
            self.alternatives += 1
            self.notes.append(f"seed {seed}: {switches} named as one of {verdict.named}")
        elif verdict.named:
            self.misnamed += 1
            self.notes.append(f"seed {seed}: {switches} named {verdict.named}")
        else:
            self.unnamed += 1
            self.notes.append(f"seed {seed}: {switches} not named")


def tally(exercise: CodeExercise, seeds: Iterable[int]) -> Tally:
    """Every combination of known mistakes on every seed."""
    result = Tally()
    seeds = list(seeds)
    for switches in exercise.combinations():
        result.variants += 1
        for seed in seeds:
            result.add(switches, seed, verdict_on(exercise, switches, seed))
    return result
