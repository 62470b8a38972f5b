"""1.9: the two slopes of a slow search."""

import torch

from attnbook.exercises.spec import Measurement, Nearby
from attnbook.vision.psychophysics import search, slope


def measured_times():
    """The reaction times of exercise 1.9: target there, target not there."""
    generator = torch.Generator().manual_seed(19)
    sizes = (4, 8, 16, 32)
    return (
        search("conjunction", True, sizes, 40, generator, look=55.0),
        search("conjunction", False, sizes, 40, generator, look=55.0),
    )


def slope_ratio() -> float:
    there, missing = measured_times()
    return slope(missing)[0] / slope(there)[0]


def mean_ratio() -> float:
    there, missing = measured_times()
    return float(torch.cat(list(missing.values())).mean() / torch.cat(list(there.values())).mean())


EXERCISE = Measurement(
    id="1.9",
    title="Two slopes",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="slope_ratio = 1.0",
    reference=slope_ratio,
    tolerance=0.01,
    nearby=(
        Nearby(1 / slope_ratio(), "The two are exchanged: not there, divided by there.", 0.01),
        Nearby(
            mean_ratio(),
            "That is the ratio of the mean times. They hold the time that does not depend on the items, "
            "such as pressing the key. Fit a line, and take its slope.",
            0.01,
        ),
    ),
    hints=(
        "`np.polyfit(items, times, 1)` gives slope and intercept of the line that fits best.",
        "Use all single times, 40 for each number of items.",
        "Divide the slope without the target by the slope with it.",
    ),
)
