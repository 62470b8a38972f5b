"""6.2: which baselines leave REINFORCE unbiased."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="6.2",
    title="A baseline that may not be used",
    points=1,
    minutes=5,
    difficulty="easy",
    signature='unbiased_baseline = "a"',
    reference=lambda: "c",
    nearby=(
        Nearby(
            "a",
            "This one is allowed: it was computed before the draw and cannot depend on it. It may be a "
            "poor baseline, and a poor baseline costs variance, not bias.",
        ),
        Nearby(
            "b",
            "This one is allowed: it depends on the image, which is the same whatever is drawn. For a "
            "given image it is a constant.",
        ),
        Nearby(
            "d",
            "This one is allowed. It is far from any reward, so it makes the estimate much noisier, but a "
            "constant times the mean of the log-probability's gradient is a constant times zero.",
        ),
    ),
    hints=(
        "A baseline b adds −b · (gradient of log p) to the estimate. When is the mean of that zero?",
        "Over the draws, the mean of the gradient of log p is zero. A factor may stand before it only if "
        "it is the same for every draw.",
        "Which of the four has another value when another position is drawn?",
    ),
)
