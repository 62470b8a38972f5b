"""11.1: the third merge of byte-pair encoding, by hand."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="11.1",
    title="The third merge",
    points=1,
    minutes=6,
    difficulty="easy",
    signature='answer_merge = "a"',
    reference=lambda: "b",
    nearby=(
        Nearby(
            "a",
            "*a* and *t* stood side by side eight times in the letters. But the first merge has taken every "
            "*a*: pairs are counted anew after each merge.",
        ),
        Nearby(
            "c",
            "*t* and *ea* are the second merge, with nine. Which pair is the most frequent after it?",
        ),
        Nearby(
            "d",
            "*s* and *ea* stand side by side seven times, four in *sea* and three in *seat*. Another pair of "
            "tokens is more frequent.",
        ),
        Nearby(
            "e",
            "*tea* and *m* stand side by side three times only: how often a pair occurs is what counts, not "
            "how long the new token is.",
        ),
    ),
    hints=(
        "A pair counts once for each time that its word occurs: *seat* gives three to each of its pairs.",
        "The first merge is *e a*: these stand side by side in all five words, 21 times.",
        "Now write the words with the token *ea*, and count again: s ea, s ea t, t ea, t ea m, ea t. Merge "
        "the most frequent pair, and count once more.",
    ),
)
