"""9.8: frequencies for longer texts, of which the slow ones alone are interpolated."""

import math

import torch

from attnbook.exercises.bank.ch09._pairs import EXPONENT
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

WHICH = Mistakes(
    "which",
    right=lambda travelled: travelled < 2 * math.pi,
    fast=Wrong(
        lambda travelled: travelled >= 2 * math.pi,
        "You interpolate the fast pairs and leave the slow ones. The fast ones came round in training, so no "
        "angle is new to them; leave those.",
    ),
    all=Wrong(
        lambda travelled: torch.ones_like(travelled, dtype=torch.bool),
        "All pairs are interpolated. That is position interpolation, which makes neighbours hard to tell "
        "apart; the pairs that came round in training stay as they are.",
    ),
    radians=Wrong(
        lambda travelled: travelled < 1,
        "You ask whether a pair turned by less than 1. Angles are in radians, and a full turn is 2π of them.",
    ),
)
AMOUNT = Mistakes(
    "amount",
    right=lambda frequencies, factor: frequencies / factor,
    times=Wrong(
        lambda frequencies, factor: frequencies * factor,
        "The slow pairs turn faster than before. To stay among angles that training showed, they have to "
        "turn more slowly.",
    ),
)
SPEED = EXPONENT.only("i", "doubled", "from_1")


def slow_ones(
    d_head, base, trained_length, factor, *, which=WHICH.right, amount=AMOUNT.right, exponent=SPEED.right
):
    i = torch.arange(d_head // 2, dtype=torch.float64)
    frequencies = base ** -exponent(i, d_head)
    slow = which(trained_length * frequencies)
    return torch.where(slow, amount(frequencies, factor), frequencies).float()


def cases(draw: Draw) -> list[Case]:
    found = []
    while len(found) < 4:
        d_head = 2 * draw.random.randint(4, 12)
        base = draw.random.choice([200.0, 1000.0, 10000.0])
        trained = draw.random.randint(16, 64)
        travelled = trained * base ** (-2 * torch.arange(d_head // 2) / d_head)
        below = int((travelled < 1).sum())
        between = int(((travelled > 1.1) & (travelled < 5.5)).sum())
        near = int(((travelled > 5.5) & (travelled < 7.1)).sum())
        if below and between and not near and travelled[1] > 7.1:
            factor = draw.random.choice([2, 4, 8])
            found.append(Case({"d_head": d_head, "base": base, "trained_length": trained, "factor": factor}))
    return found


EXERCISE = Function(
    id="9.8",
    title="Slow down the slow ones",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="slow_ones(d_head, base, trained_length, factor)",
    outputs=(Output("frequencies", ("pairs",)),),
    reference=slow_ones,
    cases=cases,
    tolerance=(1e-3, 1e-8),
    mistakes=(WHICH, AMOUNT, SPEED),
    together=2,
    forbidden=("attnbook.nn",),
    hints=(
        "First all frequencies, base^(−2i/d_head) for the pairs i.",
        "Over a text of training, pair i turns by trained_length times its frequency, in radians.",
        "`torch.where(condition, frequencies / factor, frequencies)`, and the condition compares with 2π.",
    ),
)
