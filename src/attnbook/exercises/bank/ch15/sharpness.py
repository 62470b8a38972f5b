"""15.11 (starred): an attention over a series' own past with one number to train."""

import torch

from attnbook.exercises.spec import Measurement, Nearby

LENGTH, WINDOW = 240, 12
# What ``best`` finds, for the series as asked and for two misreadings. They stand here as numbers, and a test
# finds them again, since a search at every import of the exercises would keep every learner waiting.
SHARPNESS, OF_DOT_PRODUCTS, OF_THE_PAST = 0.257923, 0.350659, 0.185966


def series() -> torch.Tensor:
    """A series of 240 numbers with two periods and something like noise: fixed, no random numbers."""
    t = torch.arange(LENGTH, dtype=torch.float64)
    return 2 * torch.sin(2 * torch.pi * t / 17) + torch.sin(2 * torch.pi * t / 7) + 0.7 * torch.sin(t**2)


def windows() -> tuple[torch.Tensor, torch.Tensor]:
    """Every window of 12 numbers (228, 12), and the number that followed it (228,)."""
    x = series()
    return x.unfold(0, WINDOW, 1)[:-1], x[WINDOW:]


def error(beta: float | torch.Tensor, *, itself: bool = False, dot: bool = False, later: bool = True):
    """Mean squared error of forecasting each number from all other windows."""
    keys, values = windows()
    scores = keys @ keys.T if dot else -torch.cdist(keys, keys).square()
    scores = beta * scores
    if not itself:
        scores = scores.masked_fill(torch.eye(len(keys), dtype=torch.bool), -torch.inf)
    if not later:
        scores = scores.masked_fill(torch.ones(len(keys), len(keys)).triu().bool(), -torch.inf)[1:]
        values_asked = values[1:]
    else:
        values_asked = values
    return (torch.softmax(scores, dim=1) @ values - values_asked).square().mean()


def best(**options: bool) -> float:
    """The β with the smallest error, by golden-section search."""
    low, high = 0.01, 5.0
    for _ in range(60):
        a, b = high - (high - low) * 0.618, low + (high - low) * 0.618
        low, high = (low, b) if error(a, **options) < error(b, **options) else (a, high)
    return (low + high) / 2


EXERCISE = Measurement(
    id="15.11",
    title="★ One number to train",
    points=3,
    minutes=20,
    difficulty="hard",
    signature="sharpness = 1.0",
    reference=lambda: SHARPNESS,
    tolerance=0.02 * SHARPNESS,
    nearby=(
        Nearby(
            1.0, "That is where the training began. Did β get a gradient, and did you take the steps?", 0.005
        ),
        Nearby(
            OF_DOT_PRODUCTS,
            "Your score is the dot product. Here it is minus the squared distance of two windows.",
            0.02 * OF_DOT_PRODUCTS,
        ),
        Nearby(
            OF_THE_PAST,
            "You let a window see the windows before it alone. Here all but itself may be seen.",
            0.02 * OF_THE_PAST,
        ),
        Nearby(
            1 / SHARPNESS,
            "That is one over the right number: β multiplies the scores.",
            0.02 / SHARPNESS,
        ),
    ),
    hints=(
        "Scores −β‖k_i − k_j‖², the diagonal at −∞, softmax over j, times the values.",
        "`beta = torch.tensor(1.0, requires_grad=True)`, and `torch.optim.Adam([beta], lr=0.02)` for 500 "
        "steps "
        "on the mean squared error.",
        "Print β as it goes: it settles. To be sure, compute the error for a few β around it.",
    ),
)
