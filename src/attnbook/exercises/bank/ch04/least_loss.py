"""4.10 (starred): a task that the additive score cannot learn, for want of one constant."""

from math import log

from attnbook.exercises.spec import Measurement, Nearby

WORDS = 7  # numbered from −3 to 3


EXERCISE = Measurement(
    id="4.10",
    title="★ Nothing that it could learn",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="least_loss = 0.0",
    # tanh is odd: word −j has for query −p minus the score that word j has for p. What helps one query of the
    # pair hurts the other, and equal weights are the best that there is, with any number of hidden units.
    reference=lambda: log(WORDS),
    tolerance=0.02,
    nearby=(
        Nearby(
            0.0,
            "That is what becomes of it with the constant. Here each annotation is one number, and U has one "
            "column.",
            0.1,
        ),
        Nearby(
            WORDS * log(WORDS),
            "You added up the losses of the seven queries. Asked for is their mean.",
            0.15,
        ),
        Nearby(log(WORDS, 2), "That is the loss in bits. `cross_entropy` has the natural logarithm.", 0.03),
        Nearby(
            1 / WORDS,
            "That is the weight that each word is left with. Asked for is the loss, the mean of −ln of the "
            "right word's weight.",
            0.01,
        ),
    ),
    hints=(
        "`torch.tanh((numbers[:, None] @ W.T)[:, None, :] + annotations @ U.T) @ v` is (7, 7): a row a "
        "query, a column a word.",
        "`torch.nn.functional.cross_entropy(scores, torch.arange(7))`, and `torch.optim.Adam([W, U, v], "
        "lr=0.05)` for 400 steps. Try 1, 2, 8 and 32 hidden units.",
        "Print the loss as it falls. Where does it end each time? What loss has a model that gives every "
        "word the same weight?",
    ),
)
