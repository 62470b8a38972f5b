"""1.6: what a squared map does to two scores."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="1.6",
    title="A map with more contrast",
    points=1,
    minutes=4,
    difficulty="medium",
    signature='answer_squared = "a"',
    reference=lambda: "b",
    nearby=(
        Nearby(
            "a",
            "For NSS a peak that is higher still does count. But the AUC asks only *which of two places has "
            "the larger value*. Which answers does the square change?",
        ),
        Nearby(
            "c",
            "NSS takes the mean away and divides by the standard deviation, so it does not feel a factor, "
            "or a number added everywhere. A square is neither. And the AUC?",
        ),
        Nearby(
            "d",
            "That holds for a factor, and for a number added everywhere. A square stretches high values "
            "more than low ones: take four pixels, 0, 1, 2 and 3, and compute the NSS of a fixation at the "
            "last one.",
        ),
    ),
    hints=(
        "Take two places with the values 0.3 and 0.6. Which is larger, and which after squaring?",
        "The AUC is the share of such questions that are answered rightly.",
        "Four pixels 0, 1, 2, 3 and a fixation at the last: compute the NSS with and without the square.",
    ),
)
