"""0.8: what comes back to the rows of an embedding."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def last_written(numbers, gradient, vocab):
    """Each row holds what was written to it last."""
    result = torch.zeros(vocab, gradient.shape[-1])
    for number, row in zip(numbers.flatten().tolist(), gradient.flatten(0, 1), strict=True):
        result[number] = row
    return result


def added(numbers, gradient, vocab):
    """Each row holds the sum of what came back from all places where its word stood."""
    result = torch.zeros(vocab, gradient.shape[-1])
    return result.index_add(0, numbers.flatten(), gradient.flatten(0, 1))


def counted(numbers, vocab):
    """How often each word occurs, (vocab, 1), at least 1."""
    return numbers.flatten().bincount(minlength=vocab).clamp(min=1)[:, None]


# What happens where a word occurs more than once.
REPEATED = Mistakes(
    "repeated",
    right=added,
    last=Wrong(
        last_written,
        "A word that was read twice keeps only what came back last: `result[numbers] = …` writes one over "
        "the other. Every place has its say.",
    ),
    mean=Wrong(
        lambda numbers, gradient, vocab: added(numbers, gradient, vocab) / counted(numbers, vocab),
        "A row gets the mean over the places where its word stood. A word that was read twice had a hand in "
        "two places, so it gets both in full.",
    ),
)
SHARE = Mistakes(
    "share",
    right=lambda result, numbers: result,
    batch=Wrong(
        lambda result, numbers: result / len(numbers),
        "Everything is divided by the number of sentences. Whether the loss is a mean is already in the "
        "gradient that arrives; here it is only handed on.",
    ),
    words=Wrong(
        lambda result, numbers: result / numbers.numel(),
        "Everything is divided by the number of words in the batch. Whether the loss is a mean is already "
        "in the gradient that arrives; here it is only handed on.",
    ),
)
ROW = Mistakes(
    "row",
    right=lambda numbers, vocab: numbers,
    next=Wrong(
        lambda numbers, vocab: (numbers + 1) % vocab,
        "Every row gets what belongs to the row before it: rows are counted from 0.",
    ),
)


def table_gradient(numbers, gradient, vocab, *, repeated=REPEATED.right, share=SHARE.right, row=ROW.right):
    return share(repeated(row(numbers, vocab), gradient, vocab), numbers)


def cases(draw: Draw) -> list[Case]:
    found = []
    for unused in (0, 1, 0):  # in one batch the last word of the vocabulary never occurs
        batch, words, vocab, d_embed = draw.sizes(4, 3, 9)
        numbers = draw.integers(batch, words, high=vocab - unused)
        numbers[0, 0] = numbers[-1, -1] = numbers[1, 1] = draw.random.randrange(vocab - unused)  # read thrice
        found.append(
            Case({"numbers": numbers, "gradient": draw.normal(batch, words, d_embed), "vocab": vocab})
        )
    return found


EXERCISE = Function(
    id="0.8",
    title="What comes back to the matrix",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="table_gradient(numbers, gradient, vocab)",
    outputs=(Output("result", ("vocab", "d_embed")),),
    reference=table_gradient,
    cases=cases,
    mistakes=(REPEATED, SHARE, ROW),
    forbidden=("backward", "autograd"),
    hints=(
        "Start with zeros, (vocab, d_embed). A word that was never read keeps its zeros.",
        "Go through the places one by one, and *add* what came back there to the row of the word that was "
        "read.",
        "Without a loop: the look-up was `one_hot @ matrix`, so what comes back is `one_hot.T @ gradient`, "
        "with all places of the batch below each other. Or `index_add`.",
    ),
)
