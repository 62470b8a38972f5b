"""13.5: the online softmax, whose running sum forgets to be rescaled."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# (total, factor) → the running sum before the new block is added.
TOTAL = Mistakes(
    "total",
    right=lambda total, factor: total * factor,
    not_rescaled=Wrong(
        lambda total, factor: total,
        "The running sum keeps the unit of the old maximum when a larger one comes. What was summed so far "
        "has to be multiplied by exp(old m − new m), as the context is.",
    ),
    inverted=Wrong(
        lambda total, factor: total / factor,
        "The running sum is divided by exp(old m − new m). A larger maximum makes earlier exponentials "
        "smaller: multiply.",
    ),
)
CONTEXT = Mistakes(
    "context",
    right=lambda context, factor: context * factor[:, None],
    not_rescaled=Wrong(
        lambda context, factor: context,
        "The unfinished context keeps the unit of the old maximum. It has to be multiplied by "
        "exp(old m − new m), as the sum is.",
    ),
)
MAXIMUM = Mistakes(
    "maximum",
    right=lambda m, scores: torch.maximum(m, scores.amax(-1)),
    of_block=Wrong(
        lambda m, scores: scores.amax(-1),
        "The maximum is that of the block alone. The result is right as long as exp does not "
        "overflow, but it "
        "does once a block's maximum is far below an earlier one: keep the larger of the two.",
    ),
)
DIVIDE = Mistakes(
    "divide",
    right=lambda context, total: context / total[:, None],
    none=Wrong(
        lambda context, total: context,
        "The context is never divided by the sum of the exponentials.",
    ),
)
BLOCKS = Mistakes(
    "blocks",
    right=lambda n, size: range(0, n, size),
    whole_only=Wrong(
        lambda n, size: range(0, n // size * size, size),
        "The last keys are left out: when the number of keys is no multiple of the block size, the last "
        "block is a shorter one.",
    ),
)


def tiled_context(
    scores,
    value,
    size,
    *,
    total=TOTAL.right,
    context=CONTEXT.right,
    maximum=MAXIMUM.right,
    divide=DIVIDE.right,
    blocks=BLOCKS.right,
):
    queries, keys = scores.shape
    m = torch.full((queries,), -torch.inf)
    summed, mixed = torch.zeros(queries), torch.zeros(queries, value.shape[1])
    for start in blocks(keys, size):
        block = scores[:, start : start + size]
        new = maximum(m, block)
        factor, powers = torch.exp(m - new), torch.exp(block - new[:, None])
        summed = total(summed, factor) + powers.sum(-1)
        mixed = context(mixed, factor) + powers @ value[start : start + size]
        m = new
    return divide(mixed, summed)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("plain", "ragged", "steep"):
        queries, size, d_v = draw.sizes(3, 3, 6)
        keys = 3 * size + (2 if kind == "ragged" else 0)
        scores = draw.normal(queries, keys)
        # The maximum grows from block to block in some rows and falls in others.
        slope = torch.arange(keys) / keys * 3
        scores = scores + torch.where(torch.arange(queries)[:, None] % 2 == 0, slope, -slope)
        if kind == "steep":
            scores[:, :size] += 200
        note = {"ragged": "the last block is shorter", "steep": "scores far apart"}.get(kind, "")
        group = "edge" if kind == "steep" else "plain"
        found.append(Case({"scores": scores, "value": draw.normal(keys, d_v), "size": size}, group, note))
    return found


EXERCISE = Function(
    id="13.5",
    title="The sum that stays behind",
    bug=True,
    points=2,
    minutes=10,
    difficulty="medium",
    signature="tiled_context(scores, value, size)",
    outputs=(Output("context", ("queries", "d_v")),),
    reference=tiled_context,
    cases=cases,
    mistakes=(TOTAL, CONTEXT, MAXIMUM, DIVIDE, BLOCKS),
    meaningless=(
        (TOTAL["inverted"], CONTEXT),  # everything is NaN, whatever else is wrong
        (TOTAL["inverted"], BLOCKS),
        (TOTAL, DIVIDE["none"]),
        (MAXIMUM, TOTAL),
        (MAXIMUM, CONTEXT),
    ),
    together=2,
    tolerance=(2e-4, 2e-5),
    forbidden=("attnbook.nn", "softmax"),
    hints=(
        "Try scores whose maximum stands in the first block, and scores whose maximum stands in the last.",
        "Two things have been summed up so far, with the old maximum. Which of them is brought to "
        "the new one?",
        "`total = total * factor + powers.sum(-1)`.",
    ),
)
