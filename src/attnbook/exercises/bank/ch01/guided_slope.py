"""1.1: the slope of a search that visits only what has the target's colour."""

from attnbook.exercises.spec import Nearby, Prediction

LOOK, SAME_COLOUR = 60.0, 0.5  # ms a visit; share of the items with the target's colour

EXERCISE = Prediction(
    id="1.1",
    title="Guided by colour",
    points=1,
    minutes=4,
    difficulty="easy",
    signature="guided_slope = 60.0",
    reference=lambda: LOOK * SAME_COLOUR / 2,
    tolerance=0.5,
    nearby=(
        Nearby(
            LOOK,
            "That is the time of one visit. Of two more items one has the wrong colour and costs nothing; "
            "and is the search always as long as it can be?",
            0.5,
        ),
        Nearby(
            LOOK / 2,
            "You halved once. There are two reasons to halve: half of the items are never visited, and the "
            "search ends when the target is met.",
            0.5,
        ),
        Nearby(
            LOOK / 8,
            "You halved three times. There are two reasons to halve: half of the items are never visited, "
            "and the search ends when the target is met.",
            0.5,
        ),
    ),
    hints=(
        "Take 32 items. How many of them have the target's colour, and are ever visited?",
        "The target is one of these 16. Which visit meets it, on average?",
        "8.5 visits for 32 items, 4.5 for 16: how many milliseconds are that for each item more?",
    ),
)
