"""8.1: the parameters of a layer of multi-head attention."""

from attnbook.exercises.spec import Nearby, Prediction

EXERCISE = Prediction(
    id="8.1",
    title="Counting parameters",
    points=1,
    minutes=4,
    difficulty="easy",
    signature="parameters = 1000",
    reference=lambda: 4 * 256**2,
    tolerance=0.5,
    nearby=(
        Nearby(
            3 * 256**2,
            "Those are the projections for query, key and value. One more matrix mixes the heads at the end.",
            0.5,
        ),
        Nearby(
            3 * 8 * 256**2 + 256**2,
            "That gives each of the 8 heads three matrices of full size. A head works with 256 / 8 = 32 "
            "numbers, so its matrices have 32 rows.",
            0.5,
        ),
        Nearby(
            4 * 8 * 256**2,
            "That is eight whole layers. The heads share the size: each has matrices of 32 rows.",
            0.5,
        ),
        Nearby(
            3 * 32 * 256,
            "Those are the three matrices of one head. There are eight heads, and W_o.",
            0.5,
        ),
        Nearby(
            4 * 32 * 256,
            "That is one head with its strip of W_o. There are eight of them.",
            0.5,
        ),
        Nearby(
            4 * 256**2 + 4 * 256,
            "That is with biases, which `torch.nn.Linear` has by default: four times 256 numbers. This layer "
            "has none, like the paper's.",
            0.5,
        ),
    ),
    hints=(
        "Three matrices a head, and one for all heads together.",
        "A head's matrix turns 256 numbers into 256 / 8 = 32: 32 · 256 learned numbers.",
        "8 heads · 3 matrices · 32 · 256, and W_o with 256 · 256.",
    ),
)
