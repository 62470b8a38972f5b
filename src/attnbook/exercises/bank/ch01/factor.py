"""1.2: the factor of a feature map with one large peak and five others."""

from attnbook.exercises.spec import Nearby, Prediction

EXERCISE = Prediction(
    id="1.2",
    title="How loudly may this map speak?",
    points=1,
    minutes=4,
    difficulty="easy",
    signature="factor = 0.5",
    reference=lambda: 0.04,
    tolerance=0.002,
    nearby=(
        Nearby(
            (1 - (1 + 5 * 0.8) / 6) ** 2,
            "You counted the largest peak among the others. The mean is over the five *other* peaks.",
            0.002,
        ),
        Nearby(0.2, "That is 1 − m̄. It is squared.", 0.002),
        Nearby(
            4.0,
            "That is (10 − 8)², with the heights as they are. The map is brought to the range 0 to 1 first.",
            0.01,
        ),
        Nearby(0.64, "That is m̄ squared. What counts is 1 − m̄.", 0.002),
    ),
    hints=(
        "First bring the map to the range 0 to 1: the peaks become 1 and five times something.",
        "m̄ is the mean of the five others.",
        "The factor is (1 − m̄)².",
    ),
)
