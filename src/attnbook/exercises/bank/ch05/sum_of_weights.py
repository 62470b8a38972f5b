"""5.2: what local-p's Gaussian leaves of equal weights, for p_t = 3.5 and D = 2."""

import math

from attnbook.exercises.spec import Nearby, Prediction


def weight_left(centre: float = 3.5, window: int = 2, length: int = 8, sigma: float | None = None) -> float:
    """Sum of local-p's weights over a sentence in which all scores are equal."""
    sigma = window / 2 if sigma is None else sigma
    inside = [s for s in range(length) if abs(s - centre) <= window]
    return sum(math.exp(-((s - centre) ** 2) / (2 * sigma**2)) for s in inside) / len(inside)


EXERCISE = Prediction(
    id="5.2",
    title="What the Gaussian leaves",
    points=1,
    minutes=6,
    difficulty="easy",
    signature="sum_of_weights = 0.5",
    reference=weight_left,
    tolerance=0.02,
    nearby=(
        Nearby(
            1.0,
            "That holds after the softmax. Then each weight is multiplied with a factor below 1, and "
            "nothing is divided by the new sum.",
            0.02,
        ),
        Nearby(
            4 * weight_left(),
            "You added the factors of the Gaussian. Each of them multiplies a weight of 1/4 first.",
            0.04,
        ),
        Nearby(
            weight_left(sigma=2.0),
            "You took σ = D. The paper has σ = D/2, so here σ is 1.",
            0.02,
        ),
    ),
    hints=(
        "Which whole numbers lie between 1.5 and 5.5? They share the weight equally.",
        "Their distances from 3.5 are 1.5, 0.5, 0.5 and 1.5, and σ = D/2 = 1.",
        "The factors are exp(−1.5²/2) and exp(−0.5²/2). Each weight is 1/4 times its factor.",
    ),
)
