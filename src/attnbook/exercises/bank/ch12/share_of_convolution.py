"""12.1: the parameters of stand-alone self-attention beside those of a convolution.

The two formulas are those of Ramachandran et al. (2019), arXiv 1906.05909: three matrices, and embeddings of
half the width for the offsets in rows and in columns.
"""

from attnbook.exercises.spec import Nearby, Prediction

CHANNELS, WINDOW = 64, 7
CONVOLUTION = WINDOW**2 * CHANNELS**2


def parameters(matrices: int = 3, per_offset: int = CHANNELS // 2, offsets: int = 2 * WINDOW) -> int:
    """The learned numbers of the attention layer."""
    return matrices * CHANNELS**2 + offsets * per_offset


EXERCISE = Prediction(
    id="12.1",
    title="A window for less",
    points=1,
    minutes=5,
    difficulty="easy",
    signature="share_of_convolution = 0.5",
    reference=lambda: parameters() / CONVOLUTION,
    tolerance=0.0004,
    nearby=(
        Nearby(
            parameters(offsets=0) / CONVOLUTION,
            "The three matrices are counted, the positions are not: there is a vector for each of the "
            "offsets in rows and in columns.",
            0.0004,
        ),
        Nearby(
            parameters(per_offset=CHANNELS) / CONVOLUTION,
            "Your vectors for the offsets have 64 numbers. Each has 32: a row's and a column's are put end "
            "to end to make 64.",
            0.0004,
        ),
        Nearby(
            parameters(per_offset=CHANNELS, offsets=WINDOW**2) / CONVOLUTION,
            "You count a vector for each of the 49 places of the window. Rows and columns have their own "
            "vectors, 7 and 7, and a place is a row's and a column's put end to end.",
            0.0004,
        ),
        Nearby(
            parameters(offsets=WINDOW) / CONVOLUTION,
            "Seven offsets are counted. There are seven for the rows and seven for the columns.",
            0.0004,
        ),
        Nearby(
            parameters(matrices=4) / CONVOLUTION,
            "You count four matrices. The layer of the paper has three, for queries, keys and values, and no "
            "matrix after the heads.",
            0.0004,
        ),
        Nearby(
            parameters() / (9 * CHANNELS**2),
            "That is the share of a 3 × 3 convolution. Here the convolution has the same window as "
            "attention, 7 × 7.",
            0.002,
        ),
        Nearby(
            CONVOLUTION / parameters(),
            "That is how many times larger the convolution is. A share was asked for, the other way round.",
            0.1,
        ),
        Nearby(
            100 * parameters() / CONVOLUTION,
            "That is right in per cent. A share from 0 to 1 was asked for.",
            0.05,
        ),
    ),
    hints=(
        "A convolution has one matrix of 64 × 64 for each place of its window. How many places are there?",
        "Attention uses the same three matrices at each place. What else is learned?",
        "Three times 64², and fourteen vectors of 32 numbers; divide by 49 times 64².",
    ),
)
