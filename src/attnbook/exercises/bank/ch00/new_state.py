"""0.9: one GRU step with a pencil."""

import math

from attnbook.exercises.spec import (
    Nearby,
    Prediction,
)


def pencil_step() -> float:
    """A GRU's new number: z = 0.25, r = 0, old 0.4, the candidate's parts 0.8 and 3."""
    return 0.25 * 0.4 + 0.75 * math.tanh(0.8 + 0.0 * 3.0)


EXERCISE = Prediction(
    id="0.9",
    title="One GRU step with a pencil",
    points=2,
    minutes=6,
    difficulty="medium",
    signature="new_state = 0.5",
    reference=pencil_step,
    tolerance=0.01,
    nearby=(
        Nearby(
            0.75 * 0.4 + 0.25 * math.tanh(0.8),
            "The update gate is the wrong way round. Here, as in torch, z is the share that *stays*.",
            0.01,
        ),
        Nearby(
            0.25 * 0.4 + 0.75 * math.tanh(3.8),
            "The reset gate was left out. It is 0, so the candidate hears nothing of the old state.",
            0.01,
        ),
        Nearby(
            0.25 * 0.4 + 0.75 * 0.8,
            "The candidate is the tanh of that sum, not the sum itself.",
            0.01,
        ),
        Nearby(math.tanh(0.8), "That is the candidate. How much of it goes into the new state?", 0.01),
    ),
    hints=(
        "First the candidate: tanh(0.8 + r · 3), with r = 0.",
        "tanh(0.8) is about 0.664.",
        "A quarter of the old number, and three quarters of the candidate.",
    ),
)
