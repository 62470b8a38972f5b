"""8.9: which role may be given to a head as its name."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="8.9",
    title="A name by the rule",
    points=1,
    minutes=4,
    difficulty="medium",
    signature='answer_name = "a"',
    reference=lambda: "c",
    nearby=(
        Nearby(
            "a",
            "91 % is high, and looking one word back would reach 84 % without knowing what a subject is. "
            "By the rule the lower end, 89 %, has to pass 84 % + 10 points.",
        ),
        Nearby(
            "b",
            "62 % is above one half. But the best head of the untrained models reached 71 %, so chance "
            "is not ruled out.",
        ),
        Nearby(
            "d",
            "One of the four roles passes all parts of its bar.",
        ),
    ),
    hints=(
        "For each row, find the largest of: one half, the best untrained head, the best distance + 10 "
        "points (the last not for roles that are a distance themselves).",
        "verb → subject: its bar is 94 %. It is the lower end of the interval that has to pass it.",
        "Which role's lower end lies above its bar?",
    ),
)
