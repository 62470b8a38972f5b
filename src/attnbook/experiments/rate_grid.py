"""A model at the learning rate that was best for its kind: a small grid, tried on seed 0, every run kept in
the package's cache, so that a broken run goes on where it was and seeds may be run side by side.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from attnbook.data.corpora.fetch import CACHE
from attnbook.devices import seed as set_seed
from attnbook.experiments.options import learning_rates_above_zero
from attnbook.experiments.provenance import commit
from attnbook.training import schedules
from attnbook.training.checkpoint import save_tensors
from attnbook.training.fit import Diverged, fit

SEARCH_SEED = 0  # on which the learning rate is chosen


def trained(
    model: nn.Module,
    batch: Callable[[int], Any],
    loss: Callable[[Any, Any], torch.Tensor],
    validate: Callable[[Any], float],
    *,
    steps: int,
    rate: float,
    seed: int,
) -> list[list[float]]:
    """Train in place for these steps, at whose end the rate has fallen to 0; [step, validation loss] on the
    way, five of them. Empty if the run diverged.
    """
    schedule = schedules.warmup_linear(min(50, steps // 10), steps, hold=0.3)
    try:
        history = fit(
            model, batch, steps=steps, loss=loss, learning_rate=rate, schedule=schedule, seed=seed,
            validate=validate, validate_every=max(1, steps // 5), precision="float32", progress=False,
        )  # fmt: skip
    except Diverged:
        return []
    return [list(pair) for pair in history.validations]


def at_best_rate(
    experiment: str,
    key: dict[str, Any],
    build: Callable[[], nn.Module],
    train: Callable[[Any, float, int], list[list[float]]],
    rates: list[float],
    seed: int,
) -> tuple[Any, dict[str, Any]]:
    """The model of this seed at the rate whose last validation loss was lowest on seed 0.

    Parameters
    ----------
    experiment, key
        What tells this run from others, rate and seed aside.
    build : callable
        The untrained model.
    train : callable
        ``train(model, rate, seed)`` trains in place and returns the validations on the way.
    rates : list of float
    seed : int

    Returns
    -------
    model, numbers
        ``numbers``: the rate, all rates tried with their losses, and the curve.

    Raises
    ------
    ValueError
        If a rate is not above 0, or training diverged at every rate.
    """
    learning_rates_above_zero(rates)

    def run(rate: float, of_seed: int) -> dict[str, Any]:
        told = json.dumps({**key, "rate": rate, "seed": of_seed, "commit": commit()}, sort_keys=True)
        digest = hashlib.sha256(told.encode()).hexdigest()[:12]
        path = CACHE / "trials" / f"{experiment}_{digest}.pt"
        if not path.exists():
            set_seed(of_seed)
            model = build()
            curve = train(model, rate, of_seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_tensors(path, {"curve": curve, "weights": model.state_dict()})
        return torch.load(path, weights_only=True)

    def last(curve: list[list[float]]) -> float:
        return curve[-1][1] if curve else math.inf

    tried = [[rate, last(run(rate, SEARCH_SEED)["curve"])] for rate in sorted(set(rates))]
    loss, rate = min((loss, rate) for rate, loss in tried)
    if loss == math.inf:
        raise ValueError(f"--learning-rates: training diverged at every rate of {rates}; add lower ones")
    found = run(rate, seed)
    if not found["curve"]:
        raise ValueError(f"--learning-rates: training diverged at {rate:g} with seed {seed}; add lower ones")
    model = build()
    model.load_state_dict(found["weights"])
    return model.eval(), {"rate": rate, "rates tried": tried, "validation": found["curve"]}
