"""Training steps a second of every translator on the leaderboard, on one machine and with the same batches.

A speed measured while a model was trained is that of the machine of that day. Here the models take turns, a
few steps each time, so that whatever else the machine does slows all of them; on one thread of a CPU a second
is one of processor time.
"""

from __future__ import annotations

import argparse
import time
from types import ModuleType
from typing import Any

import torch

from attnbook.data import phrasebook
from attnbook.data.vocabulary import Batches, Vocabulary
from attnbook.experiments import registry
from attnbook.experiments.options import at_least
from attnbook.results import results
from attnbook.training.fit import fit
from attnbook.translation import leaderboard

ABOUT = "training steps a second of the leaderboard's translators, on the same batches"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much to measure."""
    add = parser.add_argument
    add("--batch-size", type=int, default=64, metavar="N", help="sentences a step (default 64)")
    add("--steps", type=int, default=5, metavar="N", help="steps a turn (default 5)")
    add(
        "--turns",
        type=int,
        default=4,
        metavar="N",
        help="turns of each model, after one to warm up (default 4)",
    )


def translators() -> dict[str, tuple[ModuleType, argparse.Namespace]]:
    """The experiment of each row, and the options that it was trained with."""
    found = {}
    for row in leaderboard.rows():
        stored = results(row["result"])
        options = argparse.Namespace(**stored["options"])
        found[row["model"]] = (registry.load(stored["experiment"]), options)
    return found


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Steps and target words a second of each model, over all its turns.

    Raises
    ------
    ValueError
        If a number is below 1.
    """
    at_least(options, 1, "batch_size", "steps", "turns")
    src, tgt = (Vocabulary(words) for words in phrasebook.vocabulary("small"))
    needed = options.batch_size * options.steps
    pairs = phrasebook.sample(max(needed, 200), seed, "small", (5, 20), "train")
    batches = list(Batches(pairs, src, tgt, options.batch_size, seed=seed))[: options.steps]
    words = sum(int(batch.tgt_mask[:, 1:].sum()) for batch in batches)
    models = {
        name: experiment.build(theirs, len(src), len(tgt)).to(device)
        for name, (experiment, theirs) in translators().items()
    }
    seconds = dict.fromkeys(models, 0.0)
    for turn in range(options.turns + 1):
        for name, model in models.items():
            spent = _seconds(model, batches, device)
            seconds[name] += spent if turn else 0.0  # the first turn warms up
    return {
        name: {
            "steps per second": options.turns * len(batches) / spent,
            "target words per second": options.turns * words / spent,
        }
        for name, spent in seconds.items()
    }


def _seconds(model: torch.nn.Module, batches: list, device: torch.device) -> float:
    """One pass over the batches; processor time where one thread does all the work, else time."""
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    clock = time.process_time if alone else time.perf_counter
    started = clock()
    fit(model, batches, steps=len(batches), seed=None, progress=False)  # its last line waits for the device
    return clock() - started
