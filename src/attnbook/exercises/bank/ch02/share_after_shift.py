"""2.2: a share after the same number is added to every score."""

import torch

from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Nearby, Prediction

JE = (0.63, -3.2, -2.5)  # the scores of "I", "love", "you" for the French word "je"


EXERCISE = Prediction(
    id="2.2",
    title="Adding five to every score",
    points=1,
    minutes=3,
    difficulty="easy",
    signature="share_after_shift = 0.5",
    reference=lambda: softmax(torch.tensor(JE, dtype=torch.float64) + 5.0)[0].item(),
    tolerance=0.02,
    nearby=(
        Nearby(
            1.0,
            "Scores of 5.63, 1.8 and 2.5 look large, but softmax never sees how large a score is: "
            "only by how much it leads. Did the leads change?",
            0.04,
        ),
        Nearby(
            5.63 / 9.93,
            "That is 5.63 divided by the sum of the scores. Softmax divides exponentials, not scores.",
            0.02,
        ),
        Nearby(
            1 / 3,
            "Equal shares would need equal scores. Adding the same number to all three keeps their "
            "differences.",
            0.03,
        ),
    ),
    hints=(
        "Write exp(s + 5) as a product of two factors.",
        "Every term, above and below the fraction's line, gets the same factor exp(5).",
        "What cancels leaves the weights that you had before.",
    ),
)
