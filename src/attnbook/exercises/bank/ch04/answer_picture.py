"""4.1: what the columns of an alignment picture say."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="4.1",
    title="Reading an alignment picture",
    points=1,
    minutes=4,
    difficulty="easy",
    signature='answer_picture = "a"',
    reference=lambda: "d",
    nearby=(
        Nearby(
            "a",
            "Then the rows would no longer add up to 1, and the columns would. Here each row is the softmax "
            "of one French word's scores: add one up.",
        ),
        Nearby(
            "b",
            "Without a mask, columns to the right of the last English word would have weight, and the words' "
            "rows less than 1. No column here stands for padding.",
        ),
        Nearby(
            "c",
            "A score has no upper limit, and a weight has one: 1. In no row does *was* get more than that. "
            "The 1.89 is a sum down the column.",
        ),
    ),
    hints=(
        "Over what does the softmax run: over the French words or over the English ones? So which sums "
        "have to be 1?",
        "A column adds up what one English word gives to *all* the French words. Which rows are dark in "
        "the column of *was*?",
        "English *was signed* is *a été signé*: two French words need *was*, and each may take nearly all "
        "of its own row from there.",
    ),
)
