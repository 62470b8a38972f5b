"""Assign, wait, ask: each reader at three learning rates, watched while it learns.

The readers and the task of :mod:`attnbook.experiments.long_range`, every variable assigned once. Each reader
is trained with the same three rates, on the same programs, for the same steps; the rate falls to 0. Which of
the three is a reader's own is decided by its loss on validation programs, and accuracy is that on others.
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor, nn

from attnbook.experiments.long_range import WIDTHS, build, programs, train
from attnbook.experiments.options import at_least

ABOUT = "assign, wait, ask: the same readers, each at three learning rates, watched while they learn"

RATES = (0.001, 0.003, 0.01)
VALIDATION, TEST = 1_000_001, 1_000_003  # seeds of programs that no reader is trained on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every reader gets the same programs, batches and steps at each rate."""
    add = parser.add_argument
    add("--length", type=int, default=32, metavar="N", help="tokens of a program (default 32)")
    add("--steps", type=int, default=1000, metavar="N", help="training steps of a reader (default 1000)")
    add("--every", type=int, default=50, metavar="N", help="steps between two looks at it (default 50)")
    add("--batch", type=int, default=32, metavar="N", help="programs a step (default 32)")


@torch.no_grad()
def scored(model: nn.Module, words: Tensor, right: Tensor) -> tuple[float, float]:
    """Mean loss and share of right answers."""
    logits = model(words)
    return (
        nn.functional.cross_entropy(logits, right).item(),
        (logits.argmax(dim=-1) == right).float().mean().item(),
    )


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """By reader and rate: validation loss and accuracy at the end, and accuracy on the way.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "every", "batch")
    at_least(options, 10, "length")
    validation, test = (
        [part.to(device) for part in programs(500, options.length, number)] for number in (VALIDATION, TEST)
    )
    found: dict[str, dict] = {"accuracy": {}, "validation loss": {}, "on the way": {}}
    for name in WIDTHS:
        for row in found.values():
            row[name] = {}
        for rate in map(str, RATES):
            model = build(name, options.length, seed).to(device)
            course = found["on the way"][name][rate] = {"0": scored(model, *test)[1]}

            def look(model, course=course):
                loss, course[str(options.every * len(course))] = scored(model, *test)
                return loss

            train(
                model, "once", options.length, steps=options.steps, batch=options.batch,
                learning_rate=float(rate), seed=seed, validate=look, validate_every=options.every,
            )  # fmt: skip
            found["validation loss"][name][rate], _ = scored(model, *validation)
            _, found["accuracy"][name][rate] = scored(model, *test)
    return found
