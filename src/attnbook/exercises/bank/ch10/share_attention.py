"""10.1: the share of a decoder layer's matrices that attention has."""

from attnbook.exercises.spec import Nearby, Prediction

D_MODEL, D_FF = 512, 2048  # the base model of Vaswani et al. 2017


def share(attention: int, feed_forward: int = 2) -> float:
    """The share of attention, from the numbers of matrices of a layer."""
    numbers = attention * D_MODEL**2
    return numbers / (numbers + feed_forward * D_MODEL * D_FF)


EXERCISE = Prediction(
    id="10.1",
    title="Where the numbers are",
    points=1,
    minutes=4,
    difficulty="easy",
    signature="share_attention = 0.25",
    reference=lambda: share(8),
    tolerance=0.01,
    nearby=(
        Nearby(
            share(4),
            "That is an encoder layer. A decoder layer attends twice: to its own sentence and to the "
            "source, each time with four matrices.",
            0.01,
        ),
        Nearby(share(6), "That leaves out W_o, the fourth matrix of each attention.", 0.01),
        Nearby(
            share(7),
            "That leaves out one matrix. Cross-attention has the same four as self-attention: it makes"
            " its keys and values from the memory with tables of its own.",
            0.01,
        ),
        Nearby(
            share(8, feed_forward=1),
            "That counts one matrix of the feed-forward network. It has two: one leads in, one leads out.",
            0.01,
        ),
        Nearby(
            50 / 58,
            "That gives each of the 8 heads three matrices of full size. A head's matrices have "
            "512 / 8 = 64 rows, so eight heads together fill one matrix of 512 · 512 each for query, "
            "key and value.",
            0.005,
        ),
    ),
    hints=(
        "Which sublayers has a decoder layer, and how many matrices has each? The number of heads "
        "changes nothing.",
        "Each matrix of attention has 512 · 512 numbers. W_1 and W_2 of the feed-forward network have "
        "2,048 · 512 each, as many as four of those.",
        "Two attentions with four matrices each, against a feed-forward network that is worth eight.",
    ),
)
