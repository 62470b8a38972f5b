"""7.6: how large scores are in a layer that torch has just made."""

import math

from attnbook.exercises.spec import Measurement, Nearby

D_K = 64  # numbers of a query and of a key

EXERCISE = Measurement(
    id="7.6",
    title="How large are the scores?",
    points=2,
    minutes=8,
    difficulty="medium",
    signature="variance_of_scores = 1.0",
    reference=lambda: D_K / 9,
    tolerance=0.7,
    nearby=(
        Nearby(
            float(D_K),
            "That is d_k, which holds for queries and keys of variance 1. Print their variance: it is "
            "smaller in a layer that torch has just made.",
            2.0,
        ),
        Nearby(
            D_K / 3,
            "One factor of 1/3 is missing: queries *and* keys have variance 1/3.",
            1.5,
        ),
        Nearby(
            1 / 9,
            "That is the variance after dividing by √d_k. Asked for is the one before.",
            0.03,
        ),
        Nearby(
            math.sqrt(D_K) / 3,
            "That is the standard deviation, the root of the variance.",
            0.15,
        ),
    ),
    hints=(
        "`layer.weight` of a fresh `nn.Linear(192, 64)`, rows drawn with `torch.randn(1000, 192)`.",
        "`(q @ k.T).var()`, with q and k of two layers that torch has just made.",
        "A query's numbers have variance 1/3. The products of two such numbers have 1/9, and 64 of "
        "them are added up.",
    ),
)
