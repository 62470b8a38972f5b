"""0.11: how many coin tosses a linear model learns by heart."""

from math import comb

from attnbook.exercises.spec import Measurement, Nearby

FEATURES = 9


def share_learned(examples: int, weights: int) -> float:
    """In how many of all labellings a plane through 0 gets every example right.

    Examples in general position, described by as many numbers as there are weights. Cover 1965, "Geometrical
    and statistical properties of systems of linear inequalities", theorem 1.
    """
    return 2 * sum(comb(examples - 1, k) for k in range(weights)) / 2**examples


def tosses_by_heart() -> float:
    """The number of examples at which half of the draws are learned; a constant is one weight more."""
    return float(next(n for n in range(1, 1000) if share_learned(n, FEATURES + 1) <= 0.5))


EXERCISE = Measurement(
    id="0.11",
    title="How much it learns by heart ★",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="tosses_by_heart = 15",
    reference=tosses_by_heart,
    tolerance=1.5,
    nearby=(
        Nearby(
            FEATURES + 1,
            "With as many examples as weights *every* labelling can be learned, in all draws. Half of the "
            "draws still succeed with more examples than that.",
            0.5,
        ),
        Nearby(
            2 * FEATURES,
            "Is the constant there? Without it the model has nine weights, and the number comes out as twice "
            "nine.",
            0.3,
        ),
    ),
    hints=(
        "Learned by heart means: all of the draw's tosses right. Train 300 models at once, with weights of "
        "the shape (draws, 10), on numbers (draws, examples, 10) whose last one is always 1.",
        "Do not stop early: where a labelling can just be learned, training takes long. 2,000 steps of Adam "
        "at a rate of 0.1 do, on the mean of `softplus(-label * score)` with labels of −1 and 1.",
        "The share of draws falls from nearly 1 at 14 tosses to nearly 0 at 28. Where does it pass one half?",
    ),
)
