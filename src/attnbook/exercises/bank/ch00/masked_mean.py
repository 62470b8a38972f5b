"""0.6: a mean over words that skips padding."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

PLACED = Mistakes(
    "placed",
    right=lambda mask: mask,
    ignored=Wrong(
        lambda mask: torch.ones_like(mask),
        "The mask is never used: padding is averaged in like any word, and short sentences get means "
        "that are mostly filler.",
    ),
    inverted=Wrong(
        lambda mask: ~mask,
        "The mask is read the wrong way round. True means *a word* here; your mean is that of the padding.",
    ),
)
DIVISOR = Mistakes(
    "divisor",
    right=lambda count, length: count,
    length=Wrong(
        lambda count, length: length,
        "The words are added up rightly, but divided by the number of *places*, padding included. A "
        "sentence of two words in a row of ten shrinks to a fifth.",
    ),
)
EMPTY = Mistakes(
    "empty",
    right=lambda count: count.clamp(min=1),
    nan=Wrong(
        lambda count: count,
        "A sentence without any word gives NaN: 0 divided by 0. Such a sentence should give zeros.",
    ),
)


def masked_mean(vectors, mask, *, placed=PLACED.right, divisor=DIVISOR.right, empty=EMPTY.right):
    kept = placed(mask).unsqueeze(-1).to(vectors.dtype)
    return (vectors * kept).sum(dim=1) / divisor(empty(kept.sum(dim=1)), vectors.shape[1])


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("all", "some", "some", "empty"):
        batch, words, d_model = draw.sizes(3, 3, 9)
        mask = torch.ones(batch, words, dtype=torch.bool) if kind == "all" else draw.mask(batch, words)
        if kind == "empty":
            mask[draw.random.randrange(batch)] = False
        found.append(
            Case(
                {"vectors": draw.normal(batch, words, d_model) + 1.0, "mask": mask},
                group={"all": "plain", "some": "mask", "empty": "edge"}[kind],
                note={
                    "all": "there is no padding",
                    "some": "some places are padding",
                    "empty": "one sentence is padding alone",
                }[kind],
            )
        )
    return found


EXERCISE = Function(
    id="0.6",
    title="A mean that skips padding",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="masked_mean(vectors, mask)",
    outputs=(Output("mean", ("batch", "d_model")),),
    reference=masked_mean,
    cases=cases,
    mistakes=(PLACED, DIVISOR, EMPTY),
    meaningless=((PLACED["ignored"], DIVISOR), (PLACED["ignored"], EMPTY), (DIVISOR, EMPTY)),
    hints=(
        "A mask of shape (batch, words) and vectors of shape (batch, words, d_model): what is missing?",
        "`mask.unsqueeze(-1)` makes it (batch, words, 1). Multiply, add up over the words, divide by "
        "how many there were.",
        "`.clamp(min=1)` on the count keeps an empty sentence from dividing by 0.",
    ),
)
