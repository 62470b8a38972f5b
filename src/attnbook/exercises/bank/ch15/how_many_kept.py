"""15.10 (starred): how many patterns a classical Hopfield network of 100 positions keeps."""

import torch

from attnbook.exercises.spec import Measurement, Nearby

D, MOST = 100, 40


def patterns() -> torch.Tensor:
    """Forty patterns (40, 100) of −1 and 1: fixed, no random numbers."""
    number = torch.arange(MOST * D, dtype=torch.float64).view(MOST, D)
    return torch.where(torch.sin(number**2 * 0.731 + 1.3 * number) > 0, 1.0, -1.0).double()


def kept(count: int, *, diagonal: bool = False) -> bool:
    """Whether the first ``count`` patterns all stay where they are."""
    stored = patterns()[:count]
    W = stored.T @ stored
    if not diagonal:
        W = W - torch.diag(W.diagonal())
    return bool(torch.equal(torch.where(stored @ W >= 0, 1.0, -1.0).double(), stored))


def last_kept(**options: bool) -> int:
    """The largest number for which this and every smaller one is kept."""
    count = 1
    while count < MOST and kept(count + 1, **options):
        count += 1
    return count


def half_kept() -> int:
    """The largest number of which at least half stay where they are."""
    found = 1
    for count in range(1, MOST + 1):
        stored = patterns()[:count]
        W = stored.T @ stored
        W = W - torch.diag(W.diagonal())
        same = (torch.where(stored @ W >= 0, 1.0, -1.0) == stored).all(dim=1).double().mean()
        found = count if same >= 0.5 else found
    return found


EXERCISE = Measurement(
    id="15.10",
    title="★ How many it keeps",
    points=3,
    minutes=20,
    difficulty="hard",
    signature="how_many_kept = 10",
    reference=last_kept,
    tolerance=0,
    nearby=(
        Nearby(
            last_kept(diagonal=True),
            "With the diagonal of W kept each position also listens to itself, and more patterns seem to "
            "stay. "
            "Set it to 0.",
        ),
        Nearby(
            last_kept() + 1,
            "That is the first number at which a pattern moves. The last that is kept is one less.",
        ),
        Nearby(
            half_kept(),
            "That many are kept by half. *All* of them should stay where they are.",
        ),
        Nearby(
            14,
            "0.14 · 100 is what theory says for many positions and patterns at random, if a few wrong "
            "positions "
            "are allowed. Measure these.",
        ),
    ),
    hints=(
        "W from the first n patterns, diagonal 0. A pattern is kept if sign(W x) = x at every position.",
        "All n at once: `stored @ W` has a row for each pattern. Count a 0 as +1.",
        "Go up from n = 1, and stop before the first n at which a pattern is not kept.",
    ),
)
