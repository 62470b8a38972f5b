"""Would sliding layers carry the pairs, given more time? Four times the steps of
:mod:`attnbook.experiments.layer_patterns`, for the one pattern and task that did not come off there.

With 250 steps the loss of four sliding layers on ``pairs`` is flat at chance. Flat may mean that there is
nothing to be had, or that nothing was found yet: the control that could refute the first.
"""

from __future__ import annotations

import argparse

import torch

from attnbook.experiments import layer_patterns
from attnbook.experiments.options import at_least

ABOUT = "four sliding layers and 24 pairs, trained for four times as long"

TASK, NAME = "pairs", "all sliding"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Steps, batch, and rates to choose from."""
    layer_patterns.add_arguments(parser)
    parser.set_defaults(steps=1000)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict:
    """Right answers at each distance, the rate, and the losses that chose it.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "batch_size")
    at_least(options, 20, "steps")
    sizes = (options.steps, options.batch_size, device.type)
    tried = [
        [
            rate,
            layer_patterns.trial(TASK, NAME, rate, layer_patterns.SEARCH_SEED, *sizes)["validation"][-1][1],
        ]
        for rate in sorted(set(options.learning_rates))
    ]
    rate = min(tried, key=lambda pair: pair[1])[0]
    run = layer_patterns.trial(TASK, NAME, rate, seed, *sizes)
    return {
        "right": run["right"],
        "learning rate": rate,
        "rates tried": tried,
        "validation": run["validation"],
    }
