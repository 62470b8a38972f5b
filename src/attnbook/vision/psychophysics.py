"""Reaction times of simulated people: cueing after Posner, search after Treisman & Gelade.

Nobody was measured here. The sizes of the effects are put in by hand (the papers'), so that you can see what
an experiment of so many trials would find if they were true. ``attnbook.widgets.SearchAndCueing`` measures a
person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

CUES = ("valid", "neutral", "invalid")
SPREAD = 40.0  # ms, of the bell-shaped part of a reaction time
TAIL = 68.0  # ms, mean of its long right tail; both together have a standard deviation of 79 ms


def reaction_times(mean: float, n: int, generator: torch.Generator) -> Tensor:
    """``n`` reaction times in milliseconds with the given mean: a bell with a tail to the right, (n,).

    The sum of a normal and an exponential number ("ex-Gaussian"), the usual shape of simple reaction times.
    """
    if mean <= TAIL or n < 0:
        raise ValueError(f"mean, n: expected a mean above {TAIL} ms and at least 0 trials, got {mean}, {n}")
    bell = torch.randn(n, generator=generator, dtype=torch.float64) * SPREAD
    tail = -torch.log1p(-torch.rand(n, generator=generator, dtype=torch.float64)) * TAIL
    return mean - TAIL + bell + tail


def cueing(
    trials: int,
    generator: torch.Generator,
    *,
    benefit: float = 25.0,
    cost: float = 40.0,
    neutral_mean: float = 325.0,
) -> dict[str, Tensor]:
    """One person's cueing session: {"valid": (n,), "neutral": (n,), "invalid": (n,)} in milliseconds.

    One cue in five that points anywhere points the wrong way. From 60 trials on, one trial in six has a
    neutral cue; a shorter session has none.

    Parameters
    ----------
    trials : int, at least 5
    benefit, cost : float
        How much a valid cue quickens and an invalid one slows, against a neutral cue. Posner, Nissen & Ogden
        1978 found about 25 and 40 ms.
    """
    if trials < 5:
        raise ValueError(f"trials: expected at least 5, so that one cue is invalid, got {trials}")
    n_neutral = 0 if trials < 60 else round(trials / 6)
    n_invalid = round((trials - n_neutral) / 5)
    numbers = {"valid": trials - n_neutral - n_invalid, "neutral": n_neutral, "invalid": n_invalid}
    shifts = {"valid": -benefit, "neutral": 0.0, "invalid": cost}
    return {cue: reaction_times(neutral_mean + shifts[cue], numbers[cue], generator) for cue in CUES}


def difference(slower: Tensor, faster: Tensor) -> tuple[float, float]:
    """Difference of two means and its standard error, in the units of the times."""
    if min(len(slower), len(faster)) < 2:
        raise ValueError(
            f"slower, faster: expected at least 2 times each, got {len(slower)} and {len(faster)}; "
            "run more trials"
        )
    error = (slower.var() / len(slower) + faster.var() / len(faster)).sqrt()
    return float(slower.mean() - faster.mean()), float(error)


def search(
    kind: str,
    present: bool,
    sizes: Sequence[int],
    repeats: int,
    generator: torch.Generator,
    *,
    look: float = 60.0,
    base: float = 450.0,
) -> Mapping[int, Tensor]:
    """Reaction times of a search, by the number of items: {items: (repeats,)} in milliseconds.

    "feature": all items are seen at once; the time does not depend on their number. "conjunction": one item
    after the other is looked at, ``look`` ms each, in random order, until the target is found or none is
    left. That is Treisman & Gelade's account, not a law.
    """
    if kind not in ("feature", "conjunction"):
        raise ValueError(f"kind: expected 'feature' or 'conjunction', got {kind!r}")
    times = {}
    for n in sizes:
        if kind == "feature":
            looks = torch.ones(repeats, dtype=torch.float64)
        elif present:
            looks = torch.randint(1, n + 1, (repeats,), generator=generator).double()
        else:
            looks = torch.full((repeats,), float(n), dtype=torch.float64)
        times[n] = reaction_times(base, repeats, generator) + look * looks
    return times


def slope(times: Mapping[int, Tensor]) -> tuple[float, float]:
    """The straight line through all times by least squares: ms an item, and ms at no item."""
    if len(times) < 2:
        raise ValueError(f"times: expected at least two numbers of items, got {sorted(times)}")
    x = torch.cat([torch.full_like(values, float(n)) for n, values in times.items()])
    y = torch.cat(list(times.values()))
    steepness = ((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum()
    return float(steepness), float(y.mean() - steepness * x.mean())
