"""0.2: two models that give right answers the same mean share, and the loss of each."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="0.2",
    title="Cautious or bold",
    points=1,
    minutes=4,
    difficulty="easy",
    signature='answer_loss = "a"',
    reference=lambda: "b",
    nearby=(
        Nearby(
            "a",
            "The mean of the *shares* is the same. The loss is the mean of the *prices*, −log of the "
            "shares, and those do not grow in a straight line: how much more does 0.02 cost than 0.5?",
        ),
        Nearby(
            "c",
            "On the first example the bold model saves nearly all of 0.69. What does it pay on the second?",
        ),
        Nearby(
            "d",
            "The price of an example depends on the right answer's share alone, and both shares are given.",
        ),
    ),
    hints=(
        "Compute two prices for each model: −log of the share that the right answer got.",
        "−log 0.5 is 0.69, and −log 0.98 is 0.02.",
        "−log 0.02 is 3.9. Now take the mean of two for each model.",
    ),
)
