"""9.11 ★: a window that repairs one question, tried on another."""

from attnbook.exercises.spec import Measurement, Nearby

# Measured as the exercise says, on a CPU: tests/exercises/test_chapter_09.py measures it again.
WINDOWED, WHOLE, IN_TRAINING = 0.646, 0.799, 1.0

EXERCISE = Measurement(
    id="9.11",
    title="★ Does the window always help?",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="windowed = 0.5",
    reference=lambda: WINDOWED,
    tolerance=0.03,
    nearby=(
        Nearby(
            WHOLE,
            "That is the accuracy without the window. Set `reader.reach = 31` after training, and measure "
            "again.",
            0.02,
        ),
        Nearby(
            IN_TRAINING,
            "That is at positions that training reached. Asked is the accuracy at 129–256.",
            0.005,
        ),
    ),
    hints=(
        '`extrapolation.build("rotary", seed=0)` builds the reader; train it on "majority" for 200 steps.',
        "`reader.reach = 31` masks keys that are more than 31 back, in every layer.",
        '`extrapolation.accuracy(reader, "majority")["129–256"]`, once without and once with the window.',
    ),
)
