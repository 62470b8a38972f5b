"""0.2: a look-up made of a one-hot product."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

SHIFT = Mistakes(
    "shift",
    right=lambda numbers: numbers,
    back=Wrong(
        lambda numbers: numbers - 1,
        "Every word gets the row *before* its own. Rows are counted from 0, so the word with number 3 "
        "has row 3; nothing has to be taken off.",
    ),
    on=Wrong(
        lambda numbers: numbers + 1,
        "Every word gets the row *after* its own: the 1 stands one place too far on.",
    ),
)
MIX = Mistakes(
    "mix",
    right=lambda one_hot, table: one_hot @ table,
    mean=Wrong(
        lambda one_hot, table: one_hot @ table / table.shape[0],
        "The vectors are right but for a factor: they are divided by the number of words in the "
        "vocabulary. A product adds up; nothing is averaged.",
    ),
    softmax=Wrong(
        lambda one_hot, table: torch.softmax(one_hot, dim=-1) @ table,
        "The one-hot row went through a softmax before the product. Softmax of a single 1 and zeros is "
        "nearly even, so every vector is a mixture of all rows.",
    ),
)


def look_up(numbers, table, *, shift=SHIFT.right, mix=MIX.right):
    vocab = table.shape[0]
    one_hot = torch.nn.functional.one_hot(shift(numbers) % vocab, vocab).to(table.dtype)
    return one_hot, mix(one_hot, table)


def cases(draw: Draw) -> list[Case]:
    found = []
    for unused in (0, 1, 0):  # in one batch the last word of the vocabulary never occurs
        batch, words, vocab, d_embed = draw.sizes(4, 2, 9)
        numbers = draw.integers(batch, words, high=vocab - unused)
        found.append(Case({"numbers": numbers, "table": draw.normal(vocab, d_embed)}))
    return found


def one_hot_rows(args, outputs) -> bool:
    """Every row of the one-hot tensor holds one 1 and zeros."""
    one_hot = outputs["one_hot"]
    ones = (one_hot == 1).sum(dim=-1)
    return bool((ones == 1).all()) and bool(((one_hot == 0) | (one_hot == 1)).all())


EXERCISE = Function(
    id="0.2",
    title="A look-up made of a product",
    points=2,
    minutes=8,
    difficulty="easy",
    signature="look_up(numbers, table)",
    outputs=(
        Output("one_hot", ("batch", "words", "vocab")),
        Output("vectors", ("batch", "words", "d_embed")),
    ),
    reference=look_up,
    cases=cases,
    properties=(Property("each row of one_hot holds a single 1, and zeros", one_hot_rows),),
    mistakes=(SHIFT, MIX),
    hints=(
        "`torch.nn.functional.one_hot(numbers, size)` makes whole numbers; the table holds floats.",
        "How many columns does a one-hot row have? As many as the table has rows.",
        "`@` works on the last two dimensions: (batch, words, vocab) @ (vocab, d_embed).",
    ),
)
