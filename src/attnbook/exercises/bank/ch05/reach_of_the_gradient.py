"""5.10: train the place of a window that may not hold what it needs."""

import torch

from attnbook.exercises.spec import Measurement, Nearby

PLACE, WORDS = 9, 12


def where_it_ends(window: int, steps: int = 300, rate: float = 1.0) -> float:
    """p after gradient descent, from the middle of twelve words, when all that counts stands at place 9."""
    a = torch.zeros((), requires_grad=True)
    for _ in range(steps):
        p = WORDS * torch.sigmoid(a)
        distance = torch.arange(WORDS) - p
        inside = distance.abs() <= window
        weights = inside / inside.sum() * torch.exp(-(distance**2) / (2 * (window / 2) ** 2))
        loss = (1 - weights[PLACE]) ** 2
        (slope,) = torch.autograd.grad(loss, a)
        with torch.no_grad():
            a -= rate * slope
    return float(WORDS * torch.sigmoid(a.detach()))


def least_reach() -> int:
    """The least D with which the window arrives."""
    return next(window for window in range(1, 12) if abs(where_it_ends(window) - PLACE) < 0.5)


EXERCISE = Measurement(
    id="5.10",
    title="★ Out of reach",
    points=3,
    minutes=20,
    difficulty="hard",
    signature="least_reach = 1",
    reference=least_reach,
    tolerance=0.1,
    nearby=(
        Nearby(
            2, "With D = 2 the window around 6 ends at 8. What is the gradient of a weight that is 0?", 0.1
        ),
        Nearby(9, "That is the place of the word. Asked for is D, the reach to each side.", 0.1),
        Nearby(7, "That is 2D + 1, the places in the window. D is its reach to each side.", 0.1),
    ),
    hints=(
        "`a = torch.zeros((), requires_grad=True)`, `p = 12 * torch.sigmoid(a)`: p starts at 6.",
        "Weights: 1 / (number of words inside), times the Gaussian; 0 outside. "
        "`torch.autograd.grad(loss, a)` gives the slope.",
        "Print p after 300 steps for D = 1, 2, 3, 4, 5. For which does it move at all?",
    ),
)
