"""12.8: the picture from which on a Vision Transformer's pairs of tokens cost more than its matrices."""

from attnbook.exercises.spec import Measurement, Nearby

D_MODEL, D_FF, PATCH = 768, 3072, 16


def first_side(
    products: int = 2, d_ff: int = D_FF, matrices: int = 4, heads: int = 1, extra: int = 1, patch: int = PATCH
) -> int:
    """The smallest side, a multiple of the patch, at which the products of tokens with tokens cost more.

    ``products``: how many of the two (scores, mixture) are counted; ``heads``: how often.
    """
    rows = 1
    while True:
        tokens = rows**2 + extra
        of_pairs = products * heads * tokens**2 * D_MODEL
        of_matrices = tokens * (matrices * D_MODEL**2 + 2 * D_MODEL * d_ff)
        if of_pairs > of_matrices:
            return rows * patch
        rows += 1


EXERCISE = Measurement(
    id="12.8",
    title="When the pairs take over",
    points=2,
    minutes=12,
    difficulty="medium",
    signature="side_of_balance = 224",
    reference=first_side,
    nearby=(
        Nearby(
            first_side(products=1),
            "Only one of the two products is counted. The scores take tokens² · d_model multiplications, and "
            "mixing the values takes as many again.",
        ),
        Nearby(
            first_side(d_ff=0),
            "The feed-forward network is left out. Its two matrices hold two thirds of a layer's numbers.",
        ),
        Nearby(
            first_side(matrices=3),
            "Three matrices are counted for attention. There are four: W_o comes after the heads.",
        ),
        Nearby(
            first_side(heads=12),
            "The products are counted twelve times over. Each of the 12 heads has vectors of 64 numbers, and "
            "12 · 64 is d_model already.",
        ),
        Nearby(
            first_side(patch=1),
            "That is the number of patches along a side. Asked for is the side in pixels.",
        ),
        Nearby(
            (first_side() // PATCH) ** 2 + 1,
            "That is the number of tokens. Asked for is the side of the picture in pixels.",
        ),
        Nearby(
            first_side() - PATCH,
            "That is the last picture in which the pairs cost *less*. Asked for is the first in which they "
            "cost more.",
        ),
    ),
    hints=(
        "A side of s pixels gives (s / 16)² patches, and one token more.",
        "Per layer: tokens · (4 · d_model² + 2 · d_model · d_ff) for the matrices. What for the pairs?",
        "Two products of tokens² · d_model each. Let a loop go up in steps of 16 until they are the greater.",
    ),
)
