"""5.7: how far a window has to reach to hold nine tenths of the weight."""

import torch

from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Measurement, Nearby


def narrow_scores() -> torch.Tensor:
    """The scores of the notebook's cell in 5.7: a peak at the fifth of twelve words, and a second, lower."""
    places = torch.arange(12.0)
    return 3.0 - 0.8 * (places - 4).abs() + 2.4 * (places == 8)


def least_window(centre: float = 4.0, share: float = 0.9) -> int:
    """The least D whose window around ``centre`` holds this share of the weights."""
    weights = softmax(narrow_scores())
    distance = (torch.arange(12.0) - centre).abs()
    return next(D for D in range(1, 12) if float(weights[distance <= D].sum()) >= share)


EXERCISE = Measurement(
    id="5.7",
    title="How wide is wide enough",
    points=2,
    minutes=8,
    difficulty="medium",
    signature="least_window = 1",
    reference=least_window,
    tolerance=0.1,
    nearby=(
        Nearby(
            least_window() - 1,
            "One step more: this window still holds less than 90 % of the weight.",
            0.1,
        ),
        Nearby(
            2 * least_window() + 1,
            "That is the number of places in the window, 2D + 1. D is its reach to each side.",
            0.1,
        ),
    ),
    hints=(
        "Softmax first. Then, for D = 1, 2, 3 …, add the weights of the places whose distance from 4 is "
        "at most D.",
        "`weights[(places - 4).abs() <= D].sum()` is what the window holds.",
        "The second peak stands at place 8. How far is that from 4?",
    ),
)
