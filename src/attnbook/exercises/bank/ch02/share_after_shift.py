"""2.2: a weight after the same vector is added to every key."""

import torch

from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Nearby, Prediction

ADDED = 5.0  # q · a
JE = (0.63, -3.2, -2.5)  # the scores of "I", "love", "you" for the French word "je"


EXERCISE = Prediction(
    id="2.2",
    title="One vector added to every key",
    points=1,
    minutes=3,
    difficulty="easy",
    signature="share_after_shift = 0.5",
    reference=lambda: softmax(torch.tensor(JE, dtype=torch.float64) + ADDED)[0].item(),
    tolerance=0.02,
    nearby=(
        Nearby(
            1.0,
            "The scores are larger now, but softmax never sees how large a score is: only by how much it "
            "leads. Did the leads change?",
            0.04,
        ),
        Nearby(
            5.63 / 9.93,
            "That is the score of *I* divided by the sum of the scores. Softmax divides exponentials, not "
            "scores.",
            0.02,
        ),
        Nearby(
            1 / 3,
            "Equal shares would need equal scores. The added vector does not make the keys alike: their "
            "differences stay.",
            0.03,
        ),
    ),
    hints=(
        "Write the new score q · (k + a) as a sum of two dot products. Which of the two depends on the key?",
        "Every score grows by the same number, here q · a = 5. Write exp(s + 5) as a product.",
        "Every term, above and below the fraction's line, gets the same factor, which cancels.",
    ),
)
