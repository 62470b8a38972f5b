"""2.1: keys that change places without their values."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="2.1",
    title="Keys that change places",
    points=1,
    minutes=3,
    difficulty="easy",
    signature='answer_order = "a"',
    reference=lambda: "c",
    nearby=(
        Nearby(
            "a",
            "The weights do change places: the second key now stands where the fourth stood, and its "
            "weight goes with it. What of the values?",
        ),
        Nearby(
            "b",
            "The context is one vector of size d_v: it has no place for each entry of the memory. Its second "
            "and fourth numbers are features, not entries.",
        ),
        Nearby(
            "d",
            "The context stays as it is if keys *and* values change places, since a sum does not care about "
            "order. Here the values stayed behind.",
        ),
    ),
    hints=(
        "Write the context of a memory with two entries as a sum of two terms. Then swap the keys alone.",
        "A weight travels with its key. Which value does it meet now?",
        "The weights come out in the new order, and each of the two meets the other's value.",
    ),
)
