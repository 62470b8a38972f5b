"""13.3: from two measurements each, the length at which linear attention becomes the faster one."""

from attnbook.exercises.spec import Nearby, Prediction

# Milliseconds at 1,000 and at 2,000 tokens.
SOFTMAX, LINEAR = (3.0, 12.0), (7.5, 15.0)


def crossover() -> float:
    """c · (n / 1,000)² = b · (n / 1,000)."""
    return 1000 * LINEAR[0] / SOFTMAX[0]


EXERCISE = Prediction(
    id="13.3",
    title="Where the lines cross",
    points=1,
    minutes=6,
    difficulty="easy",
    signature="crossover_length = 1500",
    reference=crossover,
    tolerance=30,
    nearby=(
        Nearby(
            4000,
            "You drew straight lines through two points each. Softmax attention took 4 times as long for "
            "twice the length: its line bends, with the square of the length.",
            40,
        ),
        Nearby(
            1000 * (LINEAR[0] / SOFTMAX[0]) ** 0.5,
            "At that length softmax attention takes what linear attention took at 1,000 tokens. Linear "
            "attention has become slower by then as well.",
            30,
        ),
        Nearby(2000, "At 2,000 tokens softmax attention takes 12 ms, and linear attention 15 ms.", 30),
        Nearby(1000, "At 1,000 tokens softmax attention takes 3 ms, and linear attention 7.5 ms.", 30),
        Nearby(
            1000 * (LINEAR[0] / SOFTMAX[0]) ** 2,
            "You squared the ratio of the times at 1,000 tokens. The ratio of the times grows in proportion "
            "to the length, since one grows with the square and the other with the length itself.",
            100,
        ),
        Nearby(2.5, "That is in thousands of tokens. Write the number of tokens.", 0.1),
    ),
    hints=(
        "What does twice the length do to the time of each? So how do they grow?",
        "Softmax: 3 ms · (n / 1,000)². Linear: 7.5 ms · (n / 1,000).",
        "Set both equal and divide by n / 1,000.",
    ),
)
