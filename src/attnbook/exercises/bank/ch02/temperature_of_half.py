"""2.6: the temperature at which the largest weight is one half."""

import torch

from attnbook.exercises.bank.ch02.share_after_shift import JE
from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Measurement, Nearby


def temperature_at_half() -> float:
    """The temperature at which the largest weight of the scores of "je" is one half, by bisection."""
    low, high = 0.1, 100.0
    for _ in range(80):
        middle = (low + high) / 2
        share = softmax(torch.tensor(JE, dtype=torch.float64) / middle)[0].item()
        low, high = (middle, high) if share > 0.5 else (low, middle)
    return low


EXERCISE = Measurement(
    id="2.6",
    title="How warm until nobody has the majority?",
    points=2,
    minutes=8,
    difficulty="medium",
    signature="temperature_of_half = 1.0",
    reference=temperature_at_half,
    tolerance=0.06,
    nearby=(
        Nearby(
            1 / temperature_at_half(),
            "That is one divided by the temperature. Are the scores multiplied by it somewhere?",
            0.01,
        ),
    ),
    hints=(
        "Try `torch.arange(0.5, 10, 0.05)` as temperatures, and look at the largest weight for each.",
        "The largest weight falls as the temperature rises. Find the first temperature at which it "
        "is below 0.5.",
        "At temperature 3 the share of *I* is still a little above 0.6.",
    ),
)
