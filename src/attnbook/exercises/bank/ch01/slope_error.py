"""1.8: how sure a search slope is after forty trials."""

import math

from attnbook.exercises.spec import Measurement, Nearby
from attnbook.vision.psychophysics import SPREAD, TAIL

SIZES, REPEATS, LOOK, PEOPLE = (4, 8, 16, 32), 10, 60.0, 1000


def variance_of_a_time(items: int, there: bool) -> float:
    """Of one reaction time. With the target there, the visits are 1 to ``items``, all equally likely."""
    visits = LOOK**2 * (items**2 - 1) / 12 if there else 0.0
    return visits + SPREAD**2 + TAIL**2


def slope_error(there: bool = True) -> float:
    """The standard deviation of a least-squares slope: a sum of the means, each with a factor of its own."""
    middle = sum(SIZES) / len(SIZES)
    spread = sum((n - middle) ** 2 for n in SIZES)
    parts = ((n - middle) ** 2 * variance_of_a_time(n, there) / REPEATS for n in SIZES)
    return math.sqrt(sum(parts)) / spread


EXERCISE = Measurement(
    id="1.8",
    title="How sure is a slope?",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="slope_error = 1.0",
    reference=slope_error,
    tolerance=0.6,
    nearby=(
        Nearby(
            slope_error() / math.sqrt(PEOPLE),
            "You divided by the root of the number of simulated people: that says how sure the *mean of them "
            "all* is. Asked for is how far one person's slope typically lies from the mean.",
            0.1,
        ),
        Nearby(
            slope_error(there=False),
            "That is the spread without the target, when every item is visited, always. Then chance does not "
            "decide how many visits there are.",
            0.3,
        ),
        Nearby(
            slope_error() ** 2,
            "That is the variance, the square of the standard deviation.",
            5.0,
        ),
        Nearby(
            LOOK / 2,
            "That is about the slope itself. How far do the slopes of many people lie from it?",
            1.5,
        ),
    ),
    hints=(
        "One person: `psychophysics.search(…)`, then `psychophysics.slope(times)[0]`.",
        "Do that for 1,000 people with one generator, and keep the thousand slopes in a list.",
        "`torch.tensor(slopes).std()` is what is asked for.",
    ),
)
