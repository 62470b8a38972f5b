"""A model at the learning rate that was best for its kind: a small grid, tried on seed 0, every run kept in
the package's cache, so that a broken run goes on where it was and seeds may be run side by side.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from attnbook.devices import seed as set_seed
from attnbook.experiments.kept_trials import SEARCH_SEED, best_rate, kept_file
from attnbook.experiments.options import learning_rates_above_zero
from attnbook.training import schedules
from attnbook.training.checkpoint import save_tensors
from attnbook.training.fit import Diverged, fit


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
    train: Callable[[Any, argparse.Namespace, float, int], list[list[float]]],
    options: argparse.Namespace,
    seed: int,
) -> tuple[Any, dict[str, Any]]:
    """The model of this seed at the rate whose last validation loss was lowest on seed 0.

    Parameters
    ----------
    experiment, key
        What tells this training from others, beside its steps, rate and seed.
    build : callable
        The untrained model.
    train : callable
        ``train(model, options, rate, seed)`` trains in place and returns the validations on the way.
    options : argparse.Namespace
        With ``steps`` and ``learning_rates``.
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
    rates = options.learning_rates
    learning_rates_above_zero(rates)

    def run(rate: float, of_seed: int) -> dict[str, Any]:
        wanted = {**key, "steps": options.steps, "rate": rate, "seed": of_seed}
        path = kept_file(experiment, wanted, "pt")
        if not path.exists():
            set_seed(of_seed)
            model = build()
            curve = train(model, options, rate, of_seed)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_tensors(path, {"curve": curve, "weights": model.state_dict()})
        return torch.load(path, weights_only=True)

    def last(curve: list[list[float]]) -> float:
        return curve[-1][1] if curve else math.inf

    rate, tried = best_rate({each: last(run(each, SEARCH_SEED)["curve"]) for each in rates})
    if all(loss == math.inf for _, loss in tried):
        raise ValueError(f"--learning-rates: training diverged at every rate of {rates}; add lower ones")
    found = run(rate, seed)
    if not found["curve"]:
        raise ValueError(f"--learning-rates: training diverged at {rate:g} with seed {seed}; add lower ones")
    model = build()
    model.load_state_dict(found["weights"])
    return model.eval(), {"rate": rate, "rates tried": tried, "validation": found["curve"]}
