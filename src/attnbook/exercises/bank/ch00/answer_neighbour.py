"""0.8: which word's vector comes to lie beside that of superb."""

from attnbook.exercises.spec import Choice, Nearby

EXERCISE = Choice(
    id="0.8",
    title="Who lives next door to superb?",
    points=1,
    minutes=4,
    difficulty="easy",
    signature='answer_neighbour = "a"',
    reference=lambda: "c",
    nearby=(
        Nearby(
            "a",
            "They mean much the same, and that is what one would like. But nothing in the text says it. "
            "Ask which words *superb* and *awful* have around them.",
        ),
        Nearby(
            "b",
            "Both words stand near each other, but seldom near the same words. A vector is learned from "
            "the company that a word keeps, and two words come close when they keep the *same* company.",
        ),
        Nearby(
            "d",
            "Spelling never reaches the model: it sees word numbers. *superb* might as well be 71.",
        ),
    ),
    hints=(
        "Write down three sentences with a gap where *superb* stood. Which words fit into the gap?",
        "Skip-gram sees the words around the gap, and nothing else.",
        "In these sentences *superb* and *awful* fit into exactly the same gaps.",
    ),
)
