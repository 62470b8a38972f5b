"""1.1: which line of a visual search is which."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="1.1",
    title="Four lines of a search",
    points=1,
    minutes=3,
    difficulty="easy",
    signature='answer_line = "a"',
    reference=lambda: "c",
    nearby=(
        Nearby(
            "a",
            "Line a hardly rises. One feature tells the target from the rest, and the number of items "
            "does not matter.",
        ),
        Nearby(
            "b",
            "Line b rises, and half as steeply as another. On average half of the items were visited "
            "before the target was found: it was there.",
        ),
        Nearby(
            "d",
            "Line d is flat as well, and lies higher. It is a slow search whose time does not depend on "
            "the number of items.",
        ),
    ),
    hints=(
        "Which two lines depend on the number of items?",
        "If the target is there, you find it on average half way. If it is not, you look at everything.",
        "So it is the steepest line.",
    ),
)
