"""15.2: what a few queries save on many pixels."""

from attnbook.exercises.spec import Nearby, Prediction

PIXELS, QUERIES, LAYERS = 128 * 128, 256, 7
FEW = QUERIES * PIXELS + LAYERS * QUERIES**2
ALL = (LAYERS + 1) * PIXELS**2

EXERCISE = Prediction(
    id="15.2",
    title="A few queries for many pixels",
    points=2,
    minutes=6,
    difficulty="easy",
    signature="times_more = 100",
    reference=lambda: ALL / FEW,
    tolerance=1.0,
    nearby=(
        Nearby(
            PIXELS**2 / FEW,
            "You counted one layer among the pixels. Both networks have eight layers: there, each of the "
            "eight "
            "compares all pixels with all.",
            1.0,
        ),
        Nearby(
            ALL / (QUERIES * PIXELS),
            "The seven layers among the queries are missing: each of them has 256² scores.",
            1.0,
        ),
        Nearby(
            ALL / ((LAYERS + 1) * QUERIES * PIXELS),
            "The queries meet the pixels in the first layer alone. After it they meet each other.",
            1.0,
        ),
        Nearby(
            ALL / ((LAYERS + 1) * QUERIES**2),
            "Before the queries can meet each other they have to meet the pixels, in one layer: 256 · 128².",
            5.0,
        ),
        Nearby(FEW / ALL, "That is the share. How many times more does the other network need?", 0.0005),
    ),
    hints=(
        "128 · 128 pixels. How many scores has one layer of self-attention among them?",
        "The Perceiver: one layer of 256 queries on all pixels, then seven layers of 256 on 256.",
        "8 · 16,384² divided by (256 · 16,384 + 7 · 256²).",
    ),
)
