"""7.9: several sentences in one row, none of which may see another."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong


def number_of_sentence(lengths: torch.Tensor) -> torch.Tensor:
    """Which sentence each position belongs to: (n,)."""
    return torch.repeat_interleave(torch.arange(len(lengths)), lengths)


# Who belongs together: lengths → (n, n) of bool.
SAME = Mistakes(
    "same",
    right=lambda lengths: number_of_sentence(lengths)[:, None] == number_of_sentence(lengths),
    ignored=Wrong(
        lambda lengths: torch.ones(int(lengths.sum()), int(lengths.sum()), dtype=torch.bool),
        "The borders between the sentences are not in your mask: a word attends to the sentences before its "
        "own, which have nothing to do with it.",
    ),
    other=Wrong(
        lambda lengths: number_of_sentence(lengths)[:, None] != number_of_sentence(lengths),
        "Your mask is True where two words belong to *different* sentences.",
    ),
)
# What of the past a word may attend to: n → (n, n) of bool.
PAST = Mistakes(
    "past",
    right=lambda n: torch.ones(n, n, dtype=torch.bool).tril(),
    none=Wrong(
        lambda n: torch.ones(n, n, dtype=torch.bool),
        "The mask is not causal: within its sentence each word sees the words after it.",
    ),
    self_excluded=Wrong(
        lambda n: torch.ones(n, n, dtype=torch.bool).tril(-1),
        "The diagonal is False: a word may attend to itself, and the first word of each sentence has nothing "
        "else.",
    ),
    future=Wrong(
        lambda n: torch.ones(n, n, dtype=torch.bool).triu(),
        "The triangle is upside down: each word attends to itself and to those *after* it.",
    ),
)
# What True means: mask → mask.
POLARITY = Mistakes(
    "polarity",
    right=lambda mask: mask,
    forbidden=Wrong(
        lambda mask: ~mask,
        "Your mask is True where a word may *not* attend, as `nn.MultiheadAttention` wants it. In this book "
        "True means may attend.",
    ),
)
# The positions: lengths → (n,).
COUNT = Mistakes(
    "count",
    right=lambda lengths: torch.cat([torch.arange(length) for length in lengths.tolist()]),
    through=Wrong(
        lambda lengths: torch.arange(int(lengths.sum())),
        "The positions run through from the first sentence to the last. Each sentence was to begin at 0, as "
        "it does when it stands alone.",
    ),
    from_1=Wrong(
        lambda lengths: torch.cat([torch.arange(length) + 1 for length in lengths.tolist()]),
        "Your positions are counted from 1. The first word stands at position 0.",
    ),
    sentence=Wrong(
        number_of_sentence,
        "Those are the numbers of the sentences. Asked for is the position of each word within its sentence.",
    ),
)


def packed_mask(lengths, *, same=SAME.right, past=PAST.right, polarity=POLARITY.right, count=COUNT.right):
    mask = same(lengths) & past(int(lengths.sum()))
    return polarity(mask), count(lengths)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        sentences = draw.random.randint(2, 4)
        lengths = torch.tensor([draw.random.randint(2, 6) for _ in range(sentences)])
        found.append(Case({"lengths": lengths}))
    lengths = torch.tensor([3, 1, draw.random.randint(2, 5)])
    found.append(Case({"lengths": lengths}, group="edge", note="one sentence has a single word"))
    return found


def as_if_alone(args, outputs) -> bool:
    """As many pairs may attend as in the sentences taken one by one."""
    return int(outputs["mask"].sum()) == sum(n * (n + 1) // 2 for n in args["lengths"].tolist())


EXERCISE = Function(
    id="7.9",
    title="Two sentences in one row",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="packed_mask(lengths)",
    outputs=(Output("mask", ("n", "n")), Output("positions", ("n",))),
    reference=packed_mask,
    cases=cases,
    properties=(Property("as many pairs may attend as when each sentence stands alone", as_if_alone),),
    mistakes=(SAME, PAST, POLARITY, COUNT),
    together=2,
    # Between different sentences the diagonal is False anyway; without a triangle the mask is the opposite.
    meaningless=((SAME["other"], PAST["none"]), (SAME["other"], PAST["self_excluded"])),
    hints=(
        "Make a row that says which sentence each word belongs to: `torch.repeat_interleave` does it.",
        "Two words belong together where their numbers are equal: compare a column with a row.",
        "`(of[:, None] == of) & torch.ones(n, n, dtype=torch.bool).tril()`; positions are a "
        "`torch.arange` for each length, joined by `torch.cat`.",
    ),
)
