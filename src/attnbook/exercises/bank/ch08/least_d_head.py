"""8.10: how short a head's queries may be for a sharp pattern, found by training."""

from attnbook.exercises.spec import Measurement, Nearby

EXERCISE = Measurement(
    id="8.10",
    title="★ How short may a query be?",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="least_d_head = 8",
    # Two numbers an angle: words stand on a circle, and a query points at its goal. One number cannot.
    reference=lambda: 2,
    tolerance=0.4,
    nearby=(
        Nearby(
            1,
            "With one number the scores of a row rise or fall along one line, so only the word at either end "
            "can have the largest. Did your weights really pass 0.9?",
            0.4,
        ),
        Nearby(
            3,
            "Three are enough, and not the fewest. Give two numbers more steps, or another start.",
            0.4,
        ),
        Nearby(
            12,
            "As many numbers as words are enough for every pattern, soft ones too. This one is sharp: one "
            "large weight a row. Train with fewer.",
            0.4,
        ),
        Nearby(
            11,
            "One number less than words is enough for every pattern. This one is sharp: one large weight a "
            "row. Train with fewer.",
            0.4,
        ),
    ),
    hints=(
        "A loop over d_head and over a few seeds: matrices (12, d_head), Adam, cross-entropy with the goals.",
        "A start can be unlucky. Take the best of three, with 1,000 steps at a rate of 0.05.",
        "Could twelve points on a circle do it? How many numbers has a point on a circle?",
    ),
)
