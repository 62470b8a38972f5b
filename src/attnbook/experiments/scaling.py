"""Does it matter by what the scores are divided? Training with √d_k, with 1 and with d_k.

One layer of self-attention learns the task of :mod:`attnbook.experiments.long_range` (assign, wait, ask).
What varies is the size d_k of queries and keys, what their products are divided by, and the learning rate, of
which each pair gets the same three. Query and key begin with numbers of variance 1, the case that Vaswani et
al. 2017 argue from (https://arxiv.org/abs/1706.03762, section 3.2.1, footnote 4).

Before training: how large the gradient at the scores is, program by program. While it trains, at the middle
rate: how long W_Q and W_K get, how far the scores spread, and whether the question's query lines up with the
key that it should find.
"""

from __future__ import annotations

import argparse
import math
from functools import cache

import torch
from torch import Tensor, nn

from attnbook.experiments.long_range import VALUES, AttentiveReader, programs, train
from attnbook.experiments.options import at_least
from attnbook.nn import SelfAttention, scaled_dot_product_attention

ABOUT = "self-attention trained with scores divided by √d_k, by 1 and by d_k"

LENGTH = 32
SIZES = (16, 64, 256)
DIVISORS = {"√d_k": math.sqrt, "1": lambda d_k: 1.0, "d_k": float}
RATES = (0.001, 0.003, 0.01)
WATCHED = 0.003  # the rate at which matrices and angles are measured during training
EVERY = 20  # steps from one measurement to the next
MEASURED = 200  # programs on which they are measured
QUANTILES = (10, 25, 50, 75, 90)
VALIDATION, TEST = 1_000_001, 1_000_003  # seeds of programs that no reader is trained on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every run gets the same programs."""
    add = parser.add_argument
    add("--steps", type=int, default=200, metavar="N", help="training steps (default 200)")
    add("--d-model", type=int, default=64, metavar="D", help="numbers a token (default 64)")


class QuestionReader(AttentiveReader):
    """The same reader, computing the one row that answers: a third of the work, and the same numbers."""

    def forward(self, words: Tensor) -> Tensor:
        """Programs (batch, length, 2) to scores of the values (batch, 8)."""
        query, key, value = at_the_question(self, words)
        context, _ = scaled_dot_product_attention(query, key, value, scale=self.attention.scale)
        return self.output(context.squeeze(1))


def build(d_model: int, d_k: int, divisor: str, seed: int) -> AttentiveReader:
    """A reader whose tokens, queries and keys begin with variance 1."""
    torch.manual_seed(seed)
    model = QuestionReader(d_model)
    model.attention = SelfAttention(d_model, d_k, d_model, scale=1 / DIVISORS[divisor](d_k))
    with torch.no_grad():
        for table in (model.embedding.left, model.embedding.right):
            table.weight.mul_(0.5**0.5)  # a token is the sum of two
        for layer in (model.attention.W_q, model.attention.W_k):
            nn.init.normal_(layer.weight, std=d_model**-0.5)
    return model


def steps_to_learn(losses: list[float]) -> int | None:
    """Steps until the mean loss of ten steps is below a quarter of guessing's; None if it never is."""
    for step in range(10, len(losses) + 1):
        if sum(losses[step - 10 : step]) / 10 < math.log(VALUES) / 4:
            return step
    return None


@cache
def unseen(seed: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """500 programs and their answers, kept."""
    words, right = programs(500, LENGTH, seed)
    return words.to(device), right.to(device)


def assigned(words: Tensor) -> Tensor:
    """Where the variable stands that each program asks for: (programs,)."""
    named = (words[..., 0] == words[:, -1:, 0]) & (words[..., 1] < VALUES)
    return named.int().argmax(dim=1)


def at_the_question(model: AttentiveReader, words: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Query (programs, 1, d_k) of the last token, all keys (programs, length, d_k) and values."""
    x = model.positions(model.embedding(words))
    attention = model.attention
    return attention.W_q(x[:, -1:]), attention.W_k(x), attention.W_v(x)


def gradients(model: AttentiveReader, words: Tensor, right: Tensor) -> dict:
    """Of the loss at the question's scores: its length, program by program, and the weights' own slope."""
    query, key, value = at_the_question(model, words)
    # What the softmax is given, after the division: (programs, 1, length)
    scores = (query @ key.transpose(-2, -1) * model.attention.scale).detach().requires_grad_()
    weights = torch.softmax(scores, dim=-1)
    logits = model.output((weights @ value).squeeze(1))
    loss = nn.functional.cross_entropy(logits, right, reduction="sum")
    (slopes,) = torch.autograd.grad(loss, scores)
    lengths = slopes.norm(dim=-1).flatten()
    found = {"mean": lengths.mean().item()}
    for percent in QUANTILES:
        found[f"{percent} %"] = lengths.quantile(percent / 100).item()
    return {
        "gradient at the scores": found,
        "largest weight": weights.amax(dim=-1).mean().item(),
        # 1 − Σ α²: the sum of ∂α_j/∂e_j = α_j (1 − α_j)
        "softmax gradient": (1 - weights.square().sum(dim=-1)).mean().item(),
    }


def compared(model: AttentiveReader, words: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The question's query (programs, 1, d_k), all keys (programs, length, d_k), and their products and
    cosines, (programs, length) each.
    """
    query, key, _ = at_the_question(model, words)
    products = (query @ key.transpose(-2, -1)).squeeze(1)
    return query, key, products, products / (query.norm(dim=-1) * key.norm(dim=-1))


@torch.no_grad()
def geometry(model: AttentiveReader, words: Tensor) -> dict[str, float]:
    """Lengths of the two matrices, spread of the divided scores, and angles of the question's query."""
    _, _, products, cosines = compared(model, words)
    rows = torch.arange(len(words), device=words.device)
    return {
        "norm of W_Q": model.attention.W_q.weight.norm().item(),
        "norm of W_K": model.attention.W_k.weight.norm().item(),
        "spread of the scores": (products * model.attention.scale).std(dim=-1).mean().item(),
        "cosine with the right key": cosines[rows, assigned(words)].mean().item(),
        "largest cosine": cosines.abs().amax(dim=-1).mean().item(),
    }


@torch.no_grad()
def scored(model: AttentiveReader, words: Tensor, right: Tensor) -> tuple[float, float]:
    """Mean loss and share of right answers."""
    logits = model(words)
    return (
        nn.functional.cross_entropy(logits, right).item(),
        (logits.argmax(dim=-1) == right).float().mean().item(),
    )


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """By divisor and d_k: gradients before training; by rate what was learned; at one rate how.

    ``steps to learn`` is null where the loss never came down.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "d_model")
    validation, test = unseen(VALIDATION, device), unseen(TEST, device)
    measured = ("before", "accuracy", "validation loss", "steps to learn", "during")
    found: dict[str, dict] = {name: {divisor: {} for divisor in DIVISORS} for name in measured}
    for divisor in DIVISORS:
        for d_k in map(str, SIZES):
            model = build(options.d_model, int(d_k), divisor, seed).to(device)
            found["before"][divisor][d_k] = gradients(model, *test)
            for name in ("accuracy", "validation loss", "steps to learn"):
                found[name][divisor][d_k] = {}
            for rate in RATES:
                model = build(options.d_model, int(d_k), divisor, seed).to(device)
                watched = {}
                if rate == WATCHED:
                    course = found["during"][divisor][d_k] = {"0": geometry(model, test[0][:MEASURED])}

                    def look(model, course=course):
                        course[str(EVERY * len(course))] = geometry(model, test[0][:MEASURED])
                        return 0.0

                    watched = {"validate": look, "validate_every": EVERY}
                history = train(
                    model, "once", LENGTH, steps=options.steps, learning_rate=rate, seed=seed, **watched
                )
                loss, _ = scored(model, *validation)
                _, accuracy = scored(model, *test)
                found["validation loss"][divisor][d_k][str(rate)] = loss
                found["accuracy"][divisor][d_k][str(rate)] = accuracy
                found["steps to learn"][divisor][d_k][str(rate)] = steps_to_learn(history.losses)
    return found
