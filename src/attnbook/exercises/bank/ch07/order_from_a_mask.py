"""7.10: whether a causal mask tells one layer in which order words came."""

from attnbook.exercises.spec import Measurement, Nearby

EXERCISE = Measurement(
    id="7.10",
    title="Does a causal mask tell the order?",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="right_answers = 1.0",
    # The question stands last, so the mask forbids it nothing; and no key or value depends on a mask.
    reference=lambda: 0.5,
    tolerance=0.08,
    nearby=(
        Nearby(
            1.0,
            "That is what positions make of it. Is there a `LearnedPositions` in your model, or did you "
            'train it with `kind="once"`?',
            0.06,
        ),
        Nearby(
            1 / 8,
            "That is guessing among the eight values: has this model been trained? `train` changes the model "
            "that it is given.",
            0.05,
        ),
        Nearby(50.0, "Right, in per cent: a share from 0 to 1 was asked for.", 8.0),
    ),
    hints=(
        'Build the model, hand it to `long_range.train` with `"twice"`, then to `long_range.accuracy`.',
        '`long_range.train(model, "twice", 24, steps=200)` trains it in place.',
        "The question is the last token, so every line stands before it: what does the mask forbid in that "
        "row? And what do keys and values of the other rows know of their position?",
    ),
)
