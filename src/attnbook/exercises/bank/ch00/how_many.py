"""0.1: how many numbers come out of a broadcast difference."""

from attnbook.exercises.spec import Nearby, Prediction

EXERCISE = Prediction(
    id="0.1",
    title="How many numbers come out?",
    points=1,
    minutes=3,
    difficulty="easy",
    signature="how_many = 50",
    reference=lambda: 2500.0,
    tolerance=0.5,
    nearby=(
        Nearby(
            50,
            "50 would be right if both had the shape (50,). Line the shapes up at their right ends: under "
            "the 50 of the first stands a 1 of the second, and a 1 is stretched.",
        ),
        Nearby(
            100,
            "Nothing is put end to end here. A minus sign pairs numbers off; ask which pairs.",
        ),
        Nearby(
            1,
            "A difference is not summed. Each pair of numbers leaves one number behind; how many pairs "
            "are there?",
        ),
    ),
    hints=(
        "Write the two shapes one under the other, lined up on the right: 50 above 50, 1.",
        "A missing size counts as 1. A size of 1 is stretched to the other's size.",
        "Both end up as (50, 50). How many numbers is that?",
    ),
)
