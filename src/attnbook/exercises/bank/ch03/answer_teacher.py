"""3.1: what the decoder reads in training."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="3.1",
    title="What the decoder reads while it learns",
    points=1,
    minutes=3,
    difficulty="easy",
    signature='answer_teacher = "a"',
    reference=lambda: "b",
    nearby=(
        Nearby(
            "a",
            "That is what happens when the finished model translates: there it has nothing but its own "
            "words. In training with teacher forcing, somebody else holds the pen.",
        ),
        Nearby(
            "c",
            "The source is read by the encoder, before the decoder begins. What reaches the decoder of it "
            "is the fixed vector.",
        ),
        Nearby(
            "d",
            "If the decoder read the word that it should produce, it could copy it and would learn "
            "nothing. Exercise 3.4 shows that mistake.",
        ),
    ),
    hints=(
        "Who knows, in training, what the second word should have been?",
        "The teacher does not wait for the pupil's word: the right one is put in its place.",
        "At step 3 the words up to step 2 are known, and the one of step 3 is asked for.",
    ),
)
