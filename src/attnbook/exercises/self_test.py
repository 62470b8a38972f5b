"""The questions of chapter 0's two-minute self-test.

They stand here and not in the chapter, whose first lines they would fill, answers and all. Each explanation
names the section to read.
"""

SELF_TEST = (
    {
        "question": "`x = torch.zeros(2, 3, 4)`. What is the shape of `x.sum(dim=1)`?",
        "options": [
            "(3,)",
            "(2, 4)",
            "(2, 3)",
            "(2, 1, 4)",
        ],
        "answer": 1,
        "explanations": [
            "That is the dimension that disappears, not the one that stays. Read section 0.3.",
            (
                "The dimension that is summed over disappears. If the others were less clear, "
                "section 0.3 draws them."
            ),
            "That would be `sum(dim=2)`. Dimensions are counted from 0: section 0.3.",
            "With `keepdim=True` it would be. Without, the dimension goes: section 0.3.",
        ],
    },
    {
        "question": "`a` has the shape (4,), `b` the shape (3, 1). What is the shape of `a + b`?",
        "options": [
            "It is an error",
            "(4,)",
            "(3, 4)",
            "(7,)",
        ],
        "answer": 2,
        "explanations": [
            "Torch stretches sizes of 1 and says nothing. That is useful and dangerous: section 0.4.",
            "b has three rows, and none of them may get lost. Section 0.4 has the rule.",
            (
                "Lined up at their right ends, each size is equal, missing or 1. Section 0.4 "
                "is for you only if you guessed."
            ),
            "A plus sign never puts things end to end. Section 0.4.",
        ],
    },
    {
        "question": "A (5, 3) matrix is multiplied, with `@`, by a (3, 2) matrix. What comes out?",
        "options": [
            "(5, 2): each number is a dot product of three pairs",
            "(3, 3)",
            "(5, 3, 2)",
            "An error: the shapes differ",
        ],
        "answer": 0,
        "explanations": [
            "Rows of the first against columns of the second. You can skip section 0.5.",
            "The inner size, 3, is the one that is summed away. Section 0.5 does one by hand.",
            "Nothing is summed there. Section 0.5 does one by hand.",
            (
                "They must differ in no more than this: columns of the first = rows of the second. "
                "They agree. Section 0.5."
            ),
        ],
    },
    {
        "question": (
            "A weight is 1, the gradient of the loss with respect to it is −8, the learning rate "
            "0.1. What is the weight after one step?"
        ),
        "options": [
            "0.2",
            "1.8",
            "−7",
            "0.9",
        ],
        "answer": 1,
        "explanations": [
            (
                "That goes up the hill: the step is *minus* rate times gradient, and minus times "
                "minus is plus. Section 0.6."
            ),
            "1 − 0.1 · (−8). Section 0.6 is still worth a look for what a rate too large does.",
            "That is a learning rate of 1, and added. Section 0.6.",
            "The size of the gradient counts, not only its sign. Section 0.6.",
        ],
    },
    {
        "question": (
            "Softmax of the scores 1, 2, 3 gives three shares. What happens to them if you add 5 to "
            "each score?"
        ),
        "options": [
            "They grow by 5",
            "They come closer together",
            "Nothing",
            "The largest becomes 1",
        ],
        "answer": 2,
        "explanations": [
            "They are shares of one whole, and always add up to 1. Section 0.7.",
            "Dividing the scores would do that; adding does not. Section 0.7.",
            (
                "Only differences count. If you also know what −log of the right share is "
                "called, skip section 0.7."
            ),
            "A larger *lead* would push it towards 1. The leads are what they were: section 0.7.",
        ],
    },
    {
        "question": "A one-hot row, its 1 in place 3, is multiplied by a matrix of 10 rows. What comes out?",
        "options": [
            "Row 3 of the matrix",
            "The sum of all rows",
            "Column 3 of the matrix",
            "The number 3",
        ],
        "answer": 0,
        "explanations": [
            (
                "The product is a look-up. An embedding is that matrix: section 0.9, if you "
                "want to see them shown equal."
            ),
            "All rows are multiplied by 0 but one. Section 0.9.",
            "A row from the left picks rows. Section 0.9.",
            "The place is what goes in, a vector is what comes out. Section 0.9.",
        ],
    },
    {
        "question": (
            "Two sentences of 2 and 6 words are padded to 6 places. You take `mean(dim=1)` over the "
            "places. What is wrong?"
        ),
        "options": [
            "Nothing",
            "The mean of the short sentence is mostly padding",
            "The mean of the long sentence is too large",
            "It should be a sum",
        ],
        "answer": 1,
        "explanations": [
            "Four of the six places of the short sentence hold filler. Section 0.10.",
            "Four places of six. A mask keeps it out, section 0.10.",
            "The long sentence has no padding, so its mean is right. Section 0.10.",
            (
                "A sum would keep out zeros, but it grows with length, and padding is not always "
                "zero. Section 0.10."
            ),
        ],
    },
    {
        "question": (
            "A model is right on all 40 examples that it was trained on, and on 51 % of 1,000 new ones, with "
            "two equally likely answers. What has it learned?"
        ),
        "options": [
            "Half of the rule",
            "The 40 answers by heart",
            "A rule that is too hard for the new examples",
            "Nothing: its loss must be large",
        ],
        "answer": 1,
        "explanations": [
            "51 % is what a coin gets. Section 0.8 tosses one.",
            "It overfitted. If you also know what ± over seeds says, skip section 0.8.",
            "New examples are not harder, they are unseen. Section 0.8.",
            "On the 40 its loss is nearly 0. Section 0.8 shows such a model.",
        ],
    },
)
