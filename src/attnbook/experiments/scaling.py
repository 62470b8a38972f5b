"""Does it matter by what the scores are divided? Training with √d_k, with 1 and with d_k.

One layer of self-attention learns the task of :mod:`attnbook.experiments.long_range` (assign, wait, ask).
Only two things vary: the size d_k of queries and keys, and what their products are divided by. Query and key
begin with numbers of variance 1, the case that Vaswani et al. 2017 argue from
(https://arxiv.org/abs/1706.03762, section 3.2.1, footnote 4).
"""

from __future__ import annotations

import argparse
import math

import torch
from torch import nn

from attnbook.experiments.long_range import VALUES, AttentiveReader, accuracy, programs, train
from attnbook.experiments.options import at_least
from attnbook.nn import SelfAttention

ABOUT = "self-attention trained with scores divided by √d_k, by 1 and by d_k"

LENGTH = 32
SIZES = (4, 16, 64, 256)
DIVISORS = {"√d_k": math.sqrt, "1": lambda d_k: 1.0, "d_k": float}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every run gets the same programs."""
    add = parser.add_argument
    add("--steps", type=int, default=200, metavar="N", help="training steps (default 200)")
    add("--d-model", type=int, default=64, metavar="D", help="numbers a token (default 64)")
    add("--learning-rate", type=float, default=3e-3, metavar="R", help="Adam's, at its highest (0.003)")


def build(d_model: int, d_k: int, divisor: str, seed: int) -> AttentiveReader:
    """A reader whose tokens, queries and keys begin with variance 1."""
    torch.manual_seed(seed)
    model = AttentiveReader(d_model)
    model.attention = SelfAttention(d_model, d_k, d_model, scale=1 / DIVISORS[divisor](d_k))
    with torch.no_grad():
        for table in (model.embedding.left, model.embedding.right):
            table.weight.mul_(0.5**0.5)  # a token is the sum of two
        for layer in (model.attention.W_q, model.attention.W_k):
            nn.init.normal_(layer.weight, std=d_model**-0.5)
    return model


def steps_to_learn(losses: list[float]) -> int:
    """Steps until the mean loss of ten steps is below a quarter of guessing's; all of them if never."""
    for step in range(10, len(losses) + 1):
        if sum(losses[step - 10 : step]) / 10 < math.log(VALUES) / 4:
            return step
    return len(losses)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """By divisor and d_k: accuracy and steps to learn; before training the largest weight and the slope.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "d_model")
    if not options.learning_rate > 0:
        raise ValueError(f"--learning-rate: expected above 0, got {options.learning_rate}")
    words = programs(64, LENGTH, seed)[0].to(device)
    measured = ("accuracy", "steps to learn", "largest weight", "softmax gradient")
    found: dict[str, dict] = {name: {} for name in measured}
    for divisor in DIVISORS:
        for row in found.values():
            row[divisor] = {}
        for d_k in SIZES:
            model = build(options.d_model, d_k, divisor, seed).to(device)
            _, weights = model.look(words)
            asking = weights[:, -1]  # (programs, length): the look of the question
            found["largest weight"][divisor][str(d_k)] = asking.amax(dim=-1).mean().item()
            # ∂α_j/∂e_j = α_j (1 − α_j): how far the weights would move with their scores
            slope = (asking * (1 - asking)).sum(dim=-1).mean().item()
            found["softmax gradient"][divisor][str(d_k)] = slope
            history = train(
                model, "once", LENGTH,
                steps=options.steps, learning_rate=options.learning_rate, seed=seed,
            )  # fmt: skip
            found["accuracy"][divisor][str(d_k)] = accuracy(model, "once", LENGTH)
            found["steps to learn"][divisor][str(d_k)] = steps_to_learn(history.losses)
    return found
