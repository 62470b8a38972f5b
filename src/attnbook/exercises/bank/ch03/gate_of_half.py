"""3.1: the update gate that keeps half of a number over twenty words."""

from attnbook.exercises.spec import Nearby, Prediction

WORDS, LEFT = 20, 0.5

EXERCISE = Prediction(
    id="3.1",
    title="A gate that remembers",
    points=1,
    minutes=4,
    difficulty="easy",
    signature="gate_of_half = 0.5",
    reference=lambda: LEFT ** (1 / WORDS),
    tolerance=0.004,
    nearby=(
        Nearby(
            LEFT,
            "With that gate half is left after a single word, and a quarter after two. Twenty words multiply "
            "twenty gates.",
            0.01,
        ),
        Nearby(
            1 - LEFT / WORDS,
            "You shared the loss out evenly, as if each word took the same amount. Each takes the same "
            "*share* of what is left.",
            0.004,
        ),
        Nearby(
            1 - LEFT ** (1 / WORDS),
            "That is the share that goes at each word. The gate is the share that stays.",
            0.004,
        ),
    ),
    hints=(
        "After one word the share z is left, after two words z · z.",
        "Which number, multiplied twenty times with itself, gives one half?",
        "The twentieth root of 0.5.",
    ),
)
