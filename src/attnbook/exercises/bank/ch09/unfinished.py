"""9.2: the pairs that complete no turn in training."""

import math

from attnbook.exercises.spec import Measurement, Nearby

TRAINED, WIDE = 32, 128  # positions seen in training, and d_model


def unfinished(turn_is: float = 2 * math.pi, step: int = 2) -> int:
    """How many of the pairs stay below ``turn_is`` radians over the positions seen in training."""
    fastest_first = [10000 ** (-step * i / WIDE) for i in range(WIDE // 2)]
    return sum((TRAINED - 1) * speed < turn_is for speed in fastest_first)


EXERCISE = Measurement(
    id="9.2",
    title="Waves that never came round",
    points=2,
    minutes=8,
    difficulty="easy",
    signature="unfinished = 10",
    reference=unfinished,
    tolerance=0.4,
    nearby=(
        Nearby(
            WIDE // 2 - unfinished(),
            "That is how many pairs did complete a turn. Asked are the others.",
            0.4,
        ),
        Nearby(
            unfinished(turn_is=math.pi),
            "That counts the pairs that did not get half round. A full turn is 2π.",
            0.4,
        ),
        Nearby(
            unfinished(turn_is=1.0),
            "You compare with 1. Angles are in radians, and a full turn is 2π of them.",
            0.4,
        ),
        Nearby(
            unfinished(step=1),
            "Your slow pairs are too fast: the exponent is 2i/d_model, with i from 0 to 63.",
            0.4,
        ),
        Nearby(
            unfinished(step=4),
            "Your pairs are too slow: the exponent is doubled. `torch.arange(0, d, 2)` counts 0, 2, 4, … and "
            "holds the factor 2 of 2i/d_model already.",
            0.4,
        ),
        Nearby(
            WIDE - 2 * (WIDE // 2 - unfinished()),
            "That counts columns. A pair is two of them, a sine and a cosine.",
            0.4,
        ),
    ),
    hints=(
        "Pair i turns by 10000^(−2i/128) radians from each position to the next.",
        "From position 0 to position 31 that is 31 steps.",
        "Count the pairs whose angle after 31 steps is below 2π.",
    ),
)
