"""4.1: what a picture of an alignment says of word order."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="4.1",
    title="Reading an alignment picture",
    points=1,
    minutes=3,
    difficulty="easy",
    signature='answer_picture = "a"',
    reference=lambda: "d",
    nearby=(
        Nearby(
            "a",
            "A model that read the source backwards would turn the whole band. Here the words before "
            "and after those three lie on the usual diagonal.",
        ),
        Nearby(
            "b",
            "A missing mask shows as weight on columns to the right of the last word. These three "
            "columns are words.",
        ),
        Nearby(
            "c",
            "An unsure model spreads the weight of a row over several columns. Each of these rows "
            "has one dark cell: the model is sure, and it is right.",
        ),
    ),
    hints=(
        "Read the three rows one by one: which English word is the dark cell above?",
        "zone – Area, économique – Economic, européenne – European. In which order do the two "
        "languages say it?",
        "French puts these adjectives after the noun, English before it.",
    ),
)
