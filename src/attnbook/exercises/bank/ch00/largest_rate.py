"""0.5: the longest step at which gradient descent still goes down."""

import torch

from attnbook.exercises.spec import Measurement, Nearby


def largest_step() -> float:
    """Two divided by the largest curvature of the mean squared error over the points x = 1, 2, 3."""
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    inputs = torch.stack([x, torch.ones(3, dtype=torch.float64)], dim=1)
    curvature = 2 / 3 * inputs.T @ inputs
    return 2 / torch.linalg.eigvalsh(curvature).max().item()


EXERCISE = Measurement(
    id="0.5",
    title="The longest step that still goes down",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="largest_rate = 0.1",
    reference=largest_step,
    tolerance=0.004,
    nearby=(
        Nearby(
            largest_step() / 2,
            "At this rate the steepest direction is solved in one step. A rate above it overshoots, but "
            "swings back with less and less width: it still arrives.",
            0.004,
        ),
        Nearby(
            largest_step() / 3,
            "That is the limit when the three squares are added up. Is your loss their mean?",
            0.004,
        ),
    ),
    hints=(
        "Take 200 steps from (0, 0) for each rate of `torch.arange(0.05, 0.3, 0.001)`, and look at "
        "the last loss.",
        "Below the limit the last loss is close to 0; above it, it is enormous.",
        "The limit lies between 0.15 and 0.2.",
    ),
)
