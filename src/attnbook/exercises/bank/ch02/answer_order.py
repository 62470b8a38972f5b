"""2.1: a memory in another order."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="2.1",
    title="What the order of a memory is worth",
    points=1,
    minutes=3,
    difficulty="easy",
    signature='answer_order = "a"',
    reference=lambda: "c",
    nearby=(
        Nearby(
            "a",
            "The weights do change places: the second key now stands where the fourth stood, and its "
            "weight goes with it. Ask what happens to a *sum* when two of its terms change places.",
        ),
        Nearby(
            "b",
            "The context is one vector of size d_v: it has no place for each memory. Its second and "
            "fourth entries are features, not memories.",
        ),
        Nearby(
            "d",
            "Each weight depends on its own key, and on the sum over all of them. Does moving a key "
            "change either?",
        ),
    ),
    hints=(
        "Write the context of a memory with two entries as a sum of two terms. Then swap the entries.",
        "A weight travels with its key, and a value is multiplied by the weight of its own key.",
        "The weights come out in the new order. Adding up does not care about order.",
    ),
)
