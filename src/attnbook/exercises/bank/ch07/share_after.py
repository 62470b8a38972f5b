"""7.2: the weights of a sentence that is read backwards."""

from attnbook.exercises.spec import Nearby, Prediction

# The weights of five words before they are put in reverse order.
FIVE = (
    (0.50, 0.20, 0.15, 0.10, 0.05),
    (0.30, 0.25, 0.19, 0.14, 0.12),
    (0.12, 0.23, 0.31, 0.26, 0.08),
    (0.07, 0.13, 0.33, 0.29, 0.18),
    (0.42, 0.03, 0.11, 0.28, 0.16),
)

EXERCISE = Prediction(
    id="7.2",
    title="The sentence backwards",
    points=1,
    minutes=5,
    difficulty="easy",
    signature="share_after = 0.5",
    reference=lambda: FIVE[4][1],
    tolerance=0.004,
    nearby=(
        Nearby(
            FIVE[0][3],
            "That is the number that stood there before. Which words stand in these places now?",
            0.004,
        ),
        Nearby(
            FIVE[0][1],
            "Columns move as well, but so do rows: the one who asks from place 1 is another word now.",
            0.004,
        ),
        Nearby(
            FIVE[4][3],
            "The row is right: the last word asks from place 1 now. But the words that are asked have "
            "moved, too.",
            0.004,
        ),
        Nearby(
            FIVE[1][4],
            "Those are the right two words, with asking and being asked exchanged. Rows ask.",
            0.004,
        ),
    ),
    hints=(
        "Without positions, a share belongs to a pair of *words*, not to a pair of places.",
        "After turning round, which word stands at place 1, and which at place 4?",
        "Row of the fifth word, column of the second.",
    ),
)
