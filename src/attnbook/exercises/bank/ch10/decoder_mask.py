"""10.5: the mask of a decoder that has read some words before."""

import torch

from attnbook.exercises.cases import PADDED_CASES
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

ORDER = Mistakes(
    "order",
    right=lambda i, j: j <= i,  # queries i (new, 1), keys j (1, keys)
    earlier=Wrong(
        lambda i, j: j < i,
        "A word may not see itself: j = i is missing. Each word may look at itself and at earlier ones.",
    ),
    one_ahead=Wrong(
        lambda i, j: j <= i + 1,
        "Each word sees one word too many, the next one: the one that it should guess.",
    ),
    not_earlier=Wrong(
        lambda i, j: j >= i,
        "The triangle lies the wrong way round: each word sees itself and what comes *after*.",
    ),
    all=Wrong(
        lambda i, j: torch.ones(len(i), j.shape[1], dtype=torch.bool),
        "Nothing of the future is hidden: every word sees all real words.",
    ),
)
BEGIN = Mistakes(
    "begin",
    right=lambda past: past,
    at_0=Wrong(
        lambda past: 0,
        "Your new words are counted from 0. They stand after the words read before: the "
        "first new word is number `past` of its sentence.",
    ),
)
PADDING = Mistakes(
    "padding",
    right=lambda seen, lengths, i, j: seen & (j < lengths[:, None])[:, None, :],
    none=Wrong(
        lambda seen, lengths, i, j: seen.expand(len(lengths), -1, -1),
        "Padding is not hidden: some rows still see keys beyond the length of their sentence.",
    ),
    queries=Wrong(
        lambda seen, lengths, i, j: seen & (lengths[:, None] > i.T)[:, :, None],
        "Your mask strikes out the rows of padding. It is as a *key* that padding must not"
        " be seen, so columns are struck out; what a row of padding finds is never read, "
        "and a row that sees nothing brings NaN where the softmax is a plain one.",
    ),
    one_more=Wrong(
        lambda seen, lengths, i, j: seen & (j <= lengths[:, None])[:, None, :],
        "One place of padding is still seen: a sentence of 3 words has the keys 0, 1 and 2.",
    ),
    either=Wrong(
        lambda seen, lengths, i, j: seen | (j < lengths[:, None])[:, None, :],
        "The two conditions are joined with *or*. A key may be seen if it is not later *and* real.",
    ),
)
MEANING = Mistakes(
    "meaning",
    right=lambda mask: mask.clone(),  # a tensor of its own, not a view that repeats rows
    may_not=Wrong(
        lambda mask: ~mask,
        "Your mask says True where a key may *not* be seen. In this book True means *may attend*.",
    ),
    turned=Wrong(
        lambda mask: mask.mT.contiguous(),
        "Rows and columns are exchanged: rows are queries (the new words), columns are keys.",
    ),
)


def decoder_mask(
    lengths, past, new,
    *, order=ORDER.right, begin=BEGIN.right, padding=PADDING.right, meaning=MEANING.right,
):  # fmt: skip
    i = torch.arange(new)[:, None] + begin(past)  # queries
    j = torch.arange(past + new)[None, :]  # keys
    return meaning(padding(order(i, j), lengths, i, j))


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded"):
        while True:
            batch, new, past = draw.sizes(3, 3, 8)
            if batch != past + new:
                break
        size = past + new
        lengths = torch.full((batch,), size)
        if kind == "padded":
            # One sentence ends before the new words, one among them, one stays whole.
            lengths[0], lengths[1] = draw.random.randint(2, past), size - draw.random.randint(1, 2)
            for row in range(3, batch):
                lengths[row] = draw.random.randint(2, size)
            lengths = lengths[draw.permutation(batch)]
        found.append(Case({"lengths": lengths, "past": past, "new": new}, **PADDED_CASES[kind]))
    return found


EXERCISE = Function(
    id="10.5",
    title="What the decoder may see",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="decoder_mask(lengths, past, new)",
    outputs=(Output("mask", ("batch", "new", "past + new")),),
    reference=decoder_mask,
    cases=cases,
    mistakes=(ORDER, BEGIN, PADDING, MEANING),
    together=2,
    meaningless=((ORDER["all"], BEGIN), (ORDER["all"], PADDING), (BEGIN, PADDING)),
    forbidden=("attnbook.nn",),
    hints=(
        "Number the places: keys 0, 1, … up to past + new − 1; queries from `past` on.",
        "`queries[:, None] >= keys[None, :]` is (new, past + new); `keys < lengths[:, None]` is (batch, "
        "past + new).",
        "Give the second an axis for the queries, `[:, None, :]`, and join the two with `&`.",
    ),
)
