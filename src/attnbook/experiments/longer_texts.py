"""Chapter 9's experiment: trained on 32 places and asked on 256, why rotary positions fail there, and what
repairs them.

One question, ``back 5``: which symbol stood five places back? (Five places are no whole number of turns of
any pair, nor half of one, so that the distance is not mistaken for another one near it.)

- Seven readers of :mod:`attnbook.experiments.extrapolation` learn it at equal terms: the same texts, batches
  and learning rate. Those that never learn it, with ALiBi and without positions, get three times the steps.
- The rotary reader answers once more with keys farther back than training ever showed masked.
- It is brought to 128 places with other frequencies: all interpolated, the slow ones alone, a larger base;
  before training goes on, and after some steps more at that length.
- Rotary positions in one of the two layers only; the other has none.
"""

from __future__ import annotations

import argparse
import copy

import torch
from torch import Tensor

from attnbook.experiments import extrapolation
from attnbook.experiments.extrapolation import TRAINED, Reader, accuracy, held_out_loss, train
from attnbook.experiments.options import at_least
from attnbook.nn import (
    base_for_longer,
    interpolated,
    interpolated_by_parts,
    rotary_frequencies,
)

ABOUT = "why rotary positions fail beyond the length of training, and what repairs them"

QUESTION = "back 5"
SCHEMES = ("learned", "sinusoidal", "alibi", "t5", "relative", "rotary", "none")
NEVER = ("alibi", "none")  # get more steps, and still do not learn it
LAYERS = {"first layer only": (0,), "second layer only": (1,)}
LONGER = 128  # places to which the rotary reader is brought


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Steps, and what all readers have in common."""
    add = parser.add_argument
    add("--steps", type=int, default=400, metavar="N", help="of each reader (default 400)")
    add("--more-steps", type=int, default=1200, metavar="N", help="of those that do not learn it (1200)")
    add("--further", type=int, nargs="+", default=[100, 400], metavar="N",
        help="steps at the new length (default 100 400)")  # fmt: skip
    add("--batch", type=int, default=32, metavar="N", help="texts a step (default 32)")
    add("--learning-rate", type=float, default=3e-3, metavar="R", help="Adam's, at its highest (0.003)")


def frequencies() -> dict[str, Tensor]:
    """The pairs' frequencies with which a rotary reader is brought to ``LONGER`` places, by name."""
    d_head, factor = 16, LONGER / TRAINED
    as_trained = rotary_frequencies(d_head)
    return {
        "as it is": as_trained,
        "all interpolated": interpolated(as_trained, factor),
        "slow ones interpolated": interpolated_by_parts(as_trained, factor, TRAINED, slow=1, fast=1),
        "larger base": rotary_frequencies(d_head, base_for_longer(d_head, factor)),
    }


def windowed(model: Reader, reach: int) -> Reader:
    """A copy of a reader whose queries attend to keys at most so many places back."""
    twin = copy.deepcopy(model)
    twin.reach = reach
    return twin


def repaired(model: Reader, options: argparse.Namespace, seed: int) -> dict[str, dict[str, dict]]:
    """Accuracy at ``LONGER`` places of a rotary reader with other frequencies, by name and steps."""
    found: dict[str, dict[str, dict]] = {}
    for name, rates in frequencies().items():
        twin = extrapolation.with_frequencies(model, rates)
        found[name] = {"0": accuracy(twin, QUESTION, length=LONGER)}
        for steps in options.further:
            tuned = copy.deepcopy(twin)
            train(
                tuned, QUESTION, steps=steps, length=LONGER, batch=max(1, options.batch * TRAINED // LONGER),
                learning_rate=options.learning_rate / 3, seed=seed + 1_000,
            )  # fmt: skip
            found[name][str(steps)] = accuracy(tuned, QUESTION, length=LONGER)
    return found


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Accuracy by scheme and place, with the window, after each repair, and with one rotary layer.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "batch", "steps", "more_steps")
    if not options.learning_rate > 0:
        raise ValueError(f"--learning-rate: expected above 0, got {options.learning_rate}")
    if min(options.further) < 1:
        raise ValueError(f"--further: expected numbers of at least 1, got {min(options.further)}")
    found: dict[str, dict] = {"accuracy": {}, "loss": {}, "one layer": {}}

    def reader(kind: str, steps: int, where: tuple[int, ...] | None = None) -> Reader:
        torch.manual_seed(seed)
        model = Reader(kind, where=where).to(device)
        train(
            model, QUESTION, steps=steps, batch=options.batch, learning_rate=options.learning_rate, seed=seed
        )
        return model

    for kind in SCHEMES:
        model = reader(kind, options.more_steps if kind in NEVER else options.steps)
        found["accuracy"][kind] = accuracy(model, QUESTION)
        found["loss"][kind] = held_out_loss(model, QUESTION)
        if kind == "rotary":
            found["windowed"] = accuracy(windowed(model, TRAINED - 1), QUESTION)
            found["repaired"] = repaired(model, options, seed)
    for name, where in LAYERS.items():
        found["one layer"][name] = accuracy(reader("rotary", options.steps, where), QUESTION)
    return found
