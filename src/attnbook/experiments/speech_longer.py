"""Is it only a matter of training? The speller that attends by content alone, three times as long.

In :mod:`attnbook.experiments.speech` its loss was still falling when training ended. Here it goes on: the
same model, melodies and batches, and the rate that was best there.
"""

from __future__ import annotations

import argparse

import torch

from attnbook.data.tones import melodies
from attnbook.experiments import speech
from attnbook.experiments.options import at_least

ABOUT = "melodies longer than in training: attention by content alone, trained three times as long"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of speech, with other defaults."""
    speech.add_arguments(parser)
    parser.set_defaults(steps=900, learning_rates=[6e-3])


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Note errors by length, and how the loss fell.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 32, "melodies")
    at_least(options, 20, "steps")
    model, runs = speech.recogniser("content", options, seed)
    tests = {name: melodies(options.tests, 2, length) for name, length in speech.RANGES.items()}
    errors = {length: speech.errors(model, heard) for length, heard in tests.items()}
    return {"errors": errors, "runs": runs}
