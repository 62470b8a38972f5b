"""13.1: the cache of a model in which one layer of four attends to everything."""

from attnbook.exercises.spec import Nearby, Prediction

LAYERS, EVERY, WINDOW, HEADS, KV_HEADS, D_HEAD, BYTES, TOKENS = 48, 4, 1024, 32, 8, 128, 2, 200_000


def gigabytes(
    kinds: int = 2, heads: int = KV_HEADS, full: int = LAYERS // EVERY, window: int = WINDOW
) -> float:
    """Keys and values of full layers and of windows, in units of 10⁹ bytes."""
    tokens = full * TOKENS + (LAYERS - full) * window
    return kinds * heads * D_HEAD * BYTES * tokens / 1e9


TOLERANCE = 0.03

EXERCISE = Prediction(
    id="13.1",
    title="One layer of four",
    points=1,
    minutes=6,
    difficulty="easy",
    signature="hybrid_gigabytes = 10.0",
    reference=gigabytes,
    tolerance=TOLERANCE,
    nearby=(
        Nearby(
            gigabytes(full=LAYERS),
            "That is the cache with full attention in all 48 layers. Three of four keep no more than their "
            "window.",
            TOLERANCE,
        ),
        Nearby(
            gigabytes(full=LAYERS // EVERY, window=0),
            "The windows are left out. They are small, but each of the 36 layers still keeps 1,024 tokens.",
            TOLERANCE,
        ),
        Nearby(
            gigabytes(full=LAYERS - LAYERS // EVERY),
            "You have 36 full layers and 12 with a window. It is the other way round: one of four is full.",
            TOLERANCE,
        ),
        Nearby(
            gigabytes(kinds=1),
            "That is half of it. A layer keeps a key *and* a value of each token, and a number takes two "
            "bytes: which of the two is missing?",
            TOLERANCE,
        ),
        Nearby(
            gigabytes(heads=HEADS),
            "You count the 32 heads of the queries. Queries are not kept: keys and values have 8 heads.",
            TOLERANCE,
        ),
        Nearby(
            gigabytes(full=1, window=0),
            "That is one full layer. There are 12 of them, and 36 with a window.",
            TOLERANCE,
        ),
        Nearby(gigabytes() * 1e9 / 2**30, "You divide by 2³⁰. Here a gigabyte is 10⁹ bytes.", TOLERANCE),
        Nearby(gigabytes() * 1000, "That is in megabytes. Gigabytes were asked for.", 30.0),
    ),
    hints=(
        "How many layers are full, and how many have a window? How many tokens does each kind keep?",
        "One token in one layer: 2 × 8 × 128 numbers of two bytes, 4,096 bytes.",
        "12 layers × 200,000 tokens and 36 layers × 1,024 tokens, times 4,096 bytes, divided by 10⁹.",
    ),
)
