"""15.1: which attention fits a description."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="15.1",
    title="Twelve times the same word",
    points=1,
    minutes=5,
    difficulty="easy",
    signature='fits_best = "a"',
    reference=lambda: "b",
    nearby=(
        Nearby(
            "a",
            "All twelve frames of *yes* have the same key, so a score of the content alone gives them the "
            "same "
            "weight, at every step. What else could the score be told?",
        ),
        Nearby(
            "c",
            "A few learned queries read the whole recording into a few vectors, and which *yes* came first "
            "is "
            "no longer asked for one word at a time.",
        ),
        Nearby(
            "d",
            "It would find the stored pattern that a frame is most like: the same one, twelve times.",
        ),
    ),
    hints=(
        "At the fourth *yes*, what distinguishes the frames that are right from those of the third?",
        "Their content does not. Where the weights were one step ago does.",
        "Which of the four scores sees the last weights?",
    ),
)
