"""1.2: how high the other peaks may be, if a map is to keep a quarter of its voice."""

from attnbook.exercises.spec import Nearby, Prediction

LARGEST, FACTOR = 10.0, 0.25

EXERCISE = Prediction(
    id="1.2",
    title="A quarter of its voice",
    points=1,
    minutes=4,
    difficulty="easy",
    signature="height = 8.0",
    reference=lambda: LARGEST * (1 - FACTOR**0.5),
    tolerance=0.05,
    nearby=(
        Nearby(
            LARGEST * (1 - FACTOR),
            "With these the factor is (1 − 0.75)², a sixteenth. The quarter is the *square* of 1 − m̄.",
            0.05,
        ),
        Nearby(
            LARGEST * FACTOR,
            "With these m̄ is a quarter, and the factor (1 − 0.25)² = 0.56. It is the factor that should be "
            "a quarter.",
            0.05,
        ),
        Nearby(
            1 - FACTOR**0.5,
            "That is m̄, after the map was brought to the range 0 to 1. How high are these peaks in the map "
            "itself, whose largest has 10?",
            0.01,
        ),
        Nearby(
            (6 * (1 - FACTOR**0.5) - 1) / 5 * LARGEST,
            "You counted the largest peak among the others. m̄ is the mean over the five *other* peaks.",
            0.05,
        ),
    ),
    hints=(
        "Call the mean of the others m̄. For which m̄ is (1 − m̄)² a quarter?",
        "1 − m̄ is one half. This m̄ is measured after the largest peak was brought to 1.",
        "In the map itself the largest peak has 10, so each number there is ten times as large.",
    ),
)
