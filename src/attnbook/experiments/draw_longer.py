"""One DRAW with the paper's windows, trained for longer than those of :mod:`attnbook.experiments.draw`.

With 2,500 steps the drawings are blurs in the right place, and the curves have not become flat. This one has
more steps, and with them the learning rate that all chose there. It is the one that ships.
"""

from __future__ import annotations

import argparse
import time
from functools import cache
from typing import Any

import torch

from attnbook.experiments.draw import (
    MODELS,
    SIDE,
    STEPS,
    corners,
    digits,
    placed,
    test_bound,
    train,
    where_windows_go,
)
from attnbook.experiments.options import at_least
from attnbook.experiments.shipping import Trained
from attnbook.nn import DRAW

ABOUT = "one DRAW with the paper's windows, trained for longer: the one that ships"

NAME = "with attention"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Steps, batch and learning rate."""
    add = parser.add_argument
    add("--steps", type=int, default=8000, metavar="N", help="training steps (default 8000)")
    add("--batch", type=int, default=64, metavar="N", help="pictures a step (default 64)")
    add("--learning-rate", type=float, default=0.008, metavar="R", help="Adam's, at its highest (0.008)")


@cache
def _trained(seed: int, steps: int, rate: float, batch: int) -> tuple[Any, dict[str, float]]:
    """Kept, so that the network that was measured is the one that ships."""
    return train(MODELS[NAME], seed, steps, rate, batch)


@torch.no_grad()
def told(model: DRAW, seed: int) -> list[float]:
    """Mean KL of each step on the test digits, in nats."""
    _, _, test = digits()
    generator = torch.Generator().manual_seed(1000 + seed)
    pictures = placed(test, corners(len(test), generator))
    noise = torch.randn(len(test), model.steps, model.latent, generator=generator)
    return model(pictures, noise).kl.mean(dim=0).tolist()


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Bound, curve, nats told by step, CPU seconds, and where the windows go.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "batch")
    if not options.learning_rate > 0:
        raise ValueError(f"--learning-rate: expected above 0, got {options.learning_rate}")
    started = time.process_time()
    model, curve = _trained(seed, options.steps, options.learning_rate, options.batch)
    return {
        "CPU seconds": time.process_time() - started,
        "validation": curve,
        "bound": test_bound(model, seed),
        "told": {str(step): nats for step, nats in enumerate(told(model, seed), 1)},
        "windows": where_windows_go(model, seed),
    }


def trained(options: argparse.Namespace, seed: int, device: torch.device) -> Trained:
    """The network of a seed, for ``--ship``."""
    model, _ = _trained(seed, options.steps, options.learning_rate, options.batch)
    return Trained(
        "draw",
        {"height": SIDE, "width": SIDE, "steps": STEPS},
        model,
        measure=lambda: {"bound": test_bound(model, seed)},
        room={"bound": 1.5},
    )
