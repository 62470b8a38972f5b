"""11.2: how much memory the keys and values of a batch take."""

from attnbook.exercises.spec import Nearby, Prediction

LAYERS, HEADS, KV_HEADS, D_HEAD, BYTES, TOKENS, TEXTS = 24, 16, 4, 64, 2, 3000, 8


def megabytes(kinds: int = 2, layers: int = LAYERS, heads: int = KV_HEADS, texts: int = TEXTS) -> float:
    """The size of a cache of keys and values, in millions of bytes."""
    return kinds * layers * heads * D_HEAD * BYTES * TOKENS * texts / 1e6


TOLERANCE = 1.0

EXERCISE = Prediction(
    id="11.2",
    title="What a conversation weighs",
    points=1,
    minutes=5,
    difficulty="easy",
    signature="cache_megabytes = 100",
    reference=megabytes,
    tolerance=TOLERANCE,
    nearby=(
        Nearby(
            megabytes(kinds=1),
            "That is half of it. A layer keeps a key *and* a value for each token, and a number takes *two* "
            "bytes: which of the two is missing?",
            TOLERANCE,
        ),
        Nearby(
            megabytes(heads=HEADS),
            "You count the 16 heads of the queries. Queries are not kept, and the keys and values have 4 "
            "heads, each shared by four of the queries'.",
            TOLERANCE,
        ),
        Nearby(
            megabytes(layers=1),
            "That is one layer. Each of the 24 layers has keys and values of its own.",
            TOLERANCE,
        ),
        Nearby(
            megabytes(texts=1),
            "That is one text. Eight are written at once, and each has a cache.",
            TOLERANCE,
        ),
        Nearby(
            megabytes() * 1e6 / 2**20,
            "You divide by 2²⁰: that is mebibytes. Here a megabyte is a million bytes.",
            TOLERANCE,
        ),
        Nearby(
            megabytes() / 1000,
            "That is in gigabytes. Megabytes were asked for.",
            0.01,
        ),
        Nearby(
            megabytes() * 1e6,
            "That is in bytes. Megabytes were asked for.",
            1e6,
        ),
    ),
    hints=(
        "What is kept of one token, in one layer? How many heads of keys and values are there?",
        "One token in one layer: 2 × 4 × 64 numbers, of two bytes each.",
        "Times 24 layers, times 3,000 tokens, times 8 texts; divide by a million.",
    ),
)
