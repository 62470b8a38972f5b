"""What grows while self-attention trains: its matrices, its queries and keys, or the angles between them?

The model, the task and the start are those of :mod:`attnbook.experiments.scaling`, at its largest size of
keys and the learning rate that is watched there. The norm of a matrix adds up over all directions. What a few
of them gain hardly shows in it, and the vectors of the words may lie in just these. So the vectors themselves
are measured: the lengths of the question's query, of the key that it should find and of all keys, and how far
their cosines spread. The spread of the scores goes as the product of the three.
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor

from attnbook.experiments.long_range import AttentiveReader, train
from attnbook.experiments.options import at_least
from attnbook.experiments.scaling import (
    DIVISORS,
    EVERY,
    LENGTH,
    MEASURED,
    SIZES,
    TEST,
    WATCHED,
    assigned,
    build,
    compared,
    unseen,
)

ABOUT = "what grows in training: matrices, queries, keys, or the angles between them"

D_K = SIZES[-1]
DIRECTIONS = 6  # of a matrix, the largest: its first singular values


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every divisor gets the same programs."""
    add = parser.add_argument
    add("--steps", type=int, default=200, metavar="N", help="training steps (default 200)")
    add("--d-model", type=int, default=64, metavar="D", help="numbers a token (default 64)")


@torch.no_grad()
def vectors(model: AttentiveReader, words: Tensor) -> dict[str, float]:
    """Means over the programs (programs, length, 2): lengths, and the spread of cosines and of scores."""
    query, key, products, cosines = compared(model, words)
    right_key = key[torch.arange(len(words), device=words.device), assigned(words)]  # (programs, d_k)
    found = {
        "length of the query": query.norm(dim=-1).mean(),
        "length of the right key": right_key.norm(dim=-1).mean(),
        "length of all keys": key.norm(dim=-1).mean(),
        "spread of the cosines": cosines.std(dim=-1).mean(),
        "spread of the scores": (products * model.attention.scale).std(dim=-1).mean(),
        "norm of W_Q": model.attention.W_q.weight.norm(),
        "norm of W_K": model.attention.W_k.weight.norm(),
    }
    for name, layer in (("W_Q", model.attention.W_q), ("W_K", model.attention.W_k)):
        largest = torch.linalg.svdvals(layer.weight)[:DIRECTIONS]
        found |= {f"direction {i} of {name}": value for i, value in enumerate(largest, start=1)}
    return {name: value.item() for name, value in found.items()}


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """By divisor and step: what :func:`vectors` measures.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "d_model")
    words = unseen(TEST, device)[0][:MEASURED]
    found: dict[str, dict] = {"during": {}}
    for divisor in DIVISORS:
        model = build(options.d_model, D_K, divisor, seed).to(device)
        course = found["during"][divisor] = {"0": vectors(model, words)}

        def look(model, course=course):
            course[str(EVERY * len(course))] = vectors(model, words)
            return 0.0

        train(
            model, "once", LENGTH, steps=options.steps, learning_rate=WATCHED, seed=seed,
            validate=look, validate_every=EVERY,
        )  # fmt: skip
    return found
