"""9.1: whose vector changes when two words change places."""

from attnbook.exercises.spec import Nearby, Prediction

EXERCISE = Prediction(
    id="9.1",
    title="Two words change places",
    points=1,
    minutes=5,
    difficulty="easy",
    signature="changed = 1",
    reference=lambda: 3,
    tolerance=0.4,
    nearby=(
        Nearby(
            0,
            "So it would be without a mask: every word looks at the same five words. Under the causal "
            "mask, the place decides who is before you.",
            0.4,
        ),
        Nearby(
            2,
            "Those are the words that moved. Whom does the word between them see now?",
            0.4,
        ),
        Nearby(
            4,
            "One of these four sees the same words as before, in another order. Without positions, "
            "order does not count.",
            0.4,
        ),
        Nearby(
            5,
            "That is right for a layer with positions, whose table tells who stands where. Here a word "
            "knows only *which* words it may look at.",
            0.4,
        ),
    ),
    hints=(
        "For each word, write down the set of words that it may look at, before and after.",
        "Before: A sees A; B sees A, B; C sees A, B, C; and so on. After: the sentence is A D C B E.",
        "Two of the five sets are the same as before.",
    ),
)
