"""13.10 (starred): how many pairs a state of fixed size can hold until one is confused with another."""

import torch

from attnbook.exercises.spec import Measurement, Nearby

D, MOST = 16, 48


def pairs(n: int = MOST) -> tuple[torch.Tensor, torch.Tensor]:
    """Keys of length 1, (48, 16), and values of ±1, (48, 16): fixed, no random numbers."""
    number = torch.arange(MOST * D, dtype=torch.float64).view(MOST, D)
    key = torch.sin(number**2 * 0.31 + number)
    value = torch.sign(torch.cos(number**2 * 0.17 + 2 * number))
    return (key / key.norm(dim=1, keepdim=True))[:n], value[:n]


def recalled(n: int, delta: bool = False) -> int:
    """How many of n pairs come back: of all n values, the own one fits best to what is read."""
    key, value = pairs(n)
    state = torch.zeros(D, D, dtype=torch.float64)
    for k, v in zip(key, value, strict=True):
        state = state + torch.outer(v - state @ k if delta else v, k)
    scores = key @ state.T @ value.T  # (asked, candidates)
    return int((scores.argmax(1) == torch.arange(n)).sum())


def first(**how) -> int:
    """The smallest number of pairs of which one comes back wrong."""
    return next(n for n in range(1, MOST + 1) if recalled(n, **how) < n)


EXERCISE = Measurement(
    id="13.10",
    title="★ The first confusion",
    points=3,
    minutes=20,
    difficulty="hard",
    signature="first_confusion = 16",
    reference=first,
    tolerance=0,
    nearby=(
        Nearby(
            first(delta=True),
            "You wrote with the delta rule, once through the list. The state here adds every pair as it is.",
        ),
        Nearby(
            first() - 1,
            "With so many all come back. The smallest number with which one does *not* was asked for.",
        ),
        Nearby(
            D,
            "16 is the number of keys that can be at right angles to each other. These are not, and a "
            "question hears a little of every pair: measure it.",
        ),
        Nearby(
            recalled(D),
            "That is how many of 16 pairs come back. Asked for is the smallest number of pairs of which one "
            "is lost.",
        ),
    ),
    hints=(
        "Write a function of n: an empty state, n writes, n questions, and how many are answered right.",
        "The answer to a question is the value, among the n, with the largest inner product with "
        "`state @ key`.",
        "`next(n for n in range(1, 49) if right(n) < n)`.",
    ),
)
