"""0.1: how many numbers come out of a broadcast difference."""

from attnbook.exercises.spec import Nearby, Prediction

EXERCISE = Prediction(
    id="0.1",
    title="How many numbers come out?",
    points=1,
    minutes=3,
    difficulty="easy",
    signature="how_many = 8",
    reference=lambda: 5.0 * 6 * 8,
    tolerance=0.5,
    nearby=(
        Nearby(
            48,
            "48 is how many numbers the second tensor holds. The first has a dimension of 5 in front, which "
            "the second lacks, and what is missing is stretched.",
        ),
        Nearby(
            40,
            "40 is how many numbers the first tensor holds. Its dimension of size 1 meets a 6, and a 1 is "
            "stretched.",
        ),
        Nearby(
            30,
            "30 is the number of pairs. A difference is not summed, so each pair still has all its numbers.",
        ),
        Nearby(
            1920,
            "That would be every number against every other. Where both shapes have an 8, the numbers are "
            "paired off, the first with the first and the second with the second.",
        ),
    ),
    hints=(
        "Write the two shapes one under the other, lined up on the right: 5, 1, 8 above 6, 8.",
        "A missing size counts as 1. A size of 1 is stretched to the other's size.",
        "Both end up as (5, 6, 8). How many numbers is that?",
    ),
)
