"""Wrong answers of no known kind: they must be rejected, and no mistake may be read into them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from mutants import mutant

from attnbook.exercises.spec import Case, CodeExercise, Draw, Module


def unrelated_answers(exercise: CodeExercise) -> Iterator[Callable[[Case, int], Any]]:
    """Makers of wrong answers: ``make(case, seed)`` gives a function or a module for this case."""
    for spoil in (_noise, _shifted, _stretched, _reordered):
        yield lambda case, seed, spoil=spoil: _spoiled(exercise, case, seed, spoil)


def _spoiled(exercise: CodeExercise, case: Case, seed: int, spoil: Callable) -> Any:
    right = mutant(exercise, case, {})
    draw = Draw(seed + 1)

    def ruin(value: Any) -> Any:
        if isinstance(value, tuple):
            return tuple(ruin(part) for part in value)
        return spoil(value, draw)

    if not isinstance(exercise, Module):
        return lambda *args: ruin(right(*args))

    class Spoiled(right):
        def forward(self, *args: Any) -> Any:
            return ruin(super().forward(*args))

    return Spoiled


def _noise(value: Any, draw: Draw) -> Any:
    if isinstance(value, torch.Tensor):
        if value.is_floating_point():
            return value * 0 + draw.normal(*value.shape)
        return draw.integers(*value.shape, low=41, high=90)
    if isinstance(value, list):
        return [draw.random.randint(50, 90) for _ in range(len(value) + 2)]
    return draw.random.uniform(0.001, 0.999)


def _shifted(value: Any, draw: Draw) -> Any:
    if isinstance(value, torch.Tensor):
        return value + 0.137 if value.is_floating_point() else value + 3
    return [*value, *value, 97] if isinstance(value, list) else 1.0137 * value + 0.0137


def _stretched(value: Any, draw: Draw) -> Any:
    if isinstance(value, torch.Tensor):
        return value * 1.173 + 0.003 if value.is_floating_point() else value * 5 + 1
    return [token + 100 for token in value] + [1, 2] if isinstance(value, list) else value * 0.8713 + 0.0011


def _reordered(value: Any, draw: Draw) -> Any:
    if isinstance(value, torch.Tensor):
        if value.is_floating_point():
            return value.flatten().flip(0).reshape(value.shape) * 0.917 - 0.011
        return value.flatten().flip(0).reshape(value.shape) + 1
    return [98, *value[::-1], 99] if isinstance(value, list) else 1.0313 - value * 0.9
