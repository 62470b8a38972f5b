"""5.3: which attention a picture of weights shows."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="5.3",
    title="Reading a picture of weights",
    points=1,
    minutes=5,
    difficulty="easy",
    signature='answer_pictures = "a"',
    reference=lambda: "c",
    nearby=(
        Nearby(
            "a",
            "Global attention gives every word some share, however small: no cell is exactly 0. Is that "
            "so in this picture?",
        ),
        Nearby(
            "b",
            "A window that stands at t moves one place a row, whatever the sentence. In this picture "
            "it jumps.",
        ),
        Nearby(
            "d",
            "Location gives the same row for every memory, but it is a softmax: its rows add up to 1. "
            "Look at the sums beside the picture.",
        ),
    ),
    hints=(
        "Look at the sums of the rows first. Which kinds of attention add up to 1?",
        "Then look at the white cells: how far do the coloured ones reach, and around which place?",
        "One kind of attention multiplies its weights with a Gaussian and does not divide by the sum.",
    ),
)
