"""4.2: the weights of a score with v = 0, in a padded sentence."""

from attnbook.exercises.spec import Nearby, Prediction

EXERCISE = Prediction(
    id="4.2",
    title="A score that has nothing to say",
    points=1,
    minutes=3,
    difficulty="easy",
    signature="weight_of_each_word = 0.5",
    reference=lambda: 0.2,
    tolerance=0.005,
    nearby=(
        Nearby(
            1 / 8,
            "That shares the weight among all eight positions, padding included. What does the mask "
            "do to the three of padding before the softmax?",
            0.004,
        ),
        Nearby(
            0.0,
            "A score of 0 is not a weight of 0: exp(0) is 1, for each of the words.",
            0.02,
        ),
        Nearby(1.0, "One word alone would get the weight 1. Here five words have the same score.", 0.02),
    ),
    hints=(
        "With v = 0 every score is the same. Which one does not matter.",
        "Equal scores give equal weights, to all positions that the mask leaves in.",
        "Five words share a weight of 1.",
    ),
)
