"""3.2: how much room the fixed vector has for a word."""

from attnbook.exercises.spec import Nearby, Prediction

HIDDEN, LONG_SENTENCE = 256, 60

EXERCISE = Prediction(
    id="3.2",
    title="How much room a word gets",
    points=1,
    minutes=3,
    difficulty="easy",
    signature="numbers_per_word = 100.0",
    reference=lambda: HIDDEN / LONG_SENTENCE,
    tolerance=0.3,
    nearby=(
        Nearby(
            HIDDEN,
            "256 numbers is what the encoder hands over for the whole sentence. They are shared by 60 words.",
            1.0,
        ),
        Nearby(
            HIDDEN * LONG_SENTENCE,
            "The encoder does make 256 numbers at each of the 60 words. But all the states except the "
            "last are thrown away.",
            10.0,
        ),
        Nearby(
            HIDDEN / LONG_SENTENCE / 2,
            "Only the source counts here: the decoder's own words cost the vector nothing.",
            0.1,
        ),
    ),
    hints=(
        "The decoder sees the last state of the encoder, and no other.",
        "That state has 256 numbers, whatever the length of the sentence.",
        "256 numbers for 60 words.",
    ),
)
