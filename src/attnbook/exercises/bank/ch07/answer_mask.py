"""7.1: which mask made these weights."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="7.1",
    title="Which mask is this?",
    points=1,
    minutes=3,
    difficulty="easy",
    signature='answer_mask = "a"',
    reference=lambda: "c",
    nearby=(
        Nearby(
            "a",
            "A padding mask forbids the same columns to every row. Compare the first row of the "
            "picture with the last.",
        ),
        Nearby(
            "b",
            "The triangle is right, but add up the numbers of the second row. Before the softmax, a "
            "mask leaves rows that add up to 1.",
        ),
        Nearby(
            "d",
            "A window would also forbid words far to the left. Look at the last row: it reaches "
            "back to the first column.",
        ),
    ),
    hints=(
        "Which cells are zero: the same columns in each row, or others?",
        "Add up the numbers of each row. In which row do they make 1?",
        "The shares were divided among all five words, and then some of them were struck out.",
    ),
)
