"""5.1: four scores for a query and keys of other sizes."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="5.1",
    title="Which score fits these shapes",
    points=1,
    minutes=4,
    difficulty="easy",
    signature='scores_that_work = "a"',
    reference=lambda: "b",
    nearby=(
        Nearby(
            "a",
            "Dot multiplies number with number: which of the key's 192 numbers has no partner among "
            "the query's 96? And how many of the 30 words does a table of 20 rows know?",
        ),
        Nearby(
            "c",
            "Dot multiplies the first number of the query with the first of the key, and so on. The "
            "query runs out after 96 numbers; the key has 192.",
        ),
        Nearby(
            "d",
            "Location has one row for each place, 20 of them. The words at places 20 to 29 get the "
            "score minus infinity, so a share of exactly 0.",
        ),
    ),
    hints=(
        "Go through the four one by one. Which of them multiplies query and key with nothing in between?",
        "A matrix between query and key, or next to each of them, can turn any size into any other.",
        "Location never looks at the keys, only at how many there are. How many rows does it have?",
    ),
)
