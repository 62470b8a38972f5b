"""13.8: which blocks of a mask need no work, and which need no mask."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# (block) → whether any, and whether all of its positions may be attended to.
SOME = Mistakes(
    "some",
    right=lambda block: block.any(),
    first=Wrong(
        lambda block: block[0, 0],
        "You look at one corner of a block. A block may be skipped only if *none* of its positions may be "
        "attended to.",
    ),
    most=Wrong(
        lambda block: block.float().mean() > 0.5,
        "You go by the share of True. A single True is enough: the block has to be computed.",
    ),
)
WHOLE = Mistakes(
    "whole",
    right=lambda block: block.all(),
    any=Wrong(
        lambda block: block.any(),
        "Every block that is computed is called full. A full one has True *everywhere*; the others need the "
        "mask.",
    ),
    never=Wrong(
        lambda block: torch.tensor(False),
        "No block is called full. Where everything is True the mask can be left out: 2.",
    ),
    diagonal=Wrong(
        lambda block: block.diagonal().all(),
        "You look at the diagonal of a block alone.",
    ),
)
# How the last, shorter blocks are cut: (mask, size) → mask padded to whole blocks, or cut.
EDGE = Mistakes(
    "edge",
    right=lambda mask, size: mask,
    padded=Wrong(
        lambda mask, size: torch.nn.functional.pad(
            mask, (0, -mask.shape[1] % size, 0, -mask.shape[0] % size)
        ),
        "The last blocks are filled up with False, so that none of them is ever full. They are "
        "shorter blocks: "
        "what lies outside of the mask does not count.",
    ),
    cut=Wrong(
        lambda mask, size: mask[: len(mask) // size * size, : mask.shape[1] // size * size],
        "The last rows and columns are left out where the mask is no multiple of the block size. The last "
        "blocks are shorter ones.",
    ),
)
KINDS = Mistakes(
    "kinds",
    right=lambda some, whole: int(some) + int(whole and some),
    exchanged=Wrong(
        lambda some, whole: {0: 2, 1: 1, 2: 0}[int(some) + int(whole and some)],
        "0 and 2 are exchanged: 0 is a block to be skipped, 2 one that needs no mask.",
    ),
)


def mask_blocks(mask, size, *, some=SOME.right, whole=WHOLE.right, edge=EDGE.right, kinds=KINDS.right):
    mask = edge(mask, size)
    rows = []
    for i in range(0, mask.shape[0], size):
        blocks = [mask[i : i + size, j : j + size] for j in range(0, mask.shape[1], size)]
        rows.append([kinds(bool(some(block)), bool(whole(block))) for block in blocks])
    return torch.tensor(rows)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("window", "mixed", "ragged"):
        size, n_rows, n_columns = draw.sizes(3, 3, 5)
        queries, keys = n_rows * size, n_columns * size
        if kind == "ragged":
            queries, keys = queries + 2, keys + 2
        behind = torch.arange(queries)[:, None] - torch.arange(keys) + draw.random.randint(0, size)
        mask = (behind >= 0) & (behind < 2 * size + 1)
        if kind != "window":
            mask = torch.zeros(queries, keys, dtype=torch.bool)
            for i in range(0, queries, size):
                for j in range(0, keys, size):
                    block = mask[i : i + size, j : j + size]
                    if (what := (i // size + 2 * (j // size)) % 5) == 1:
                        block[:] = True
                    elif what == 2:
                        block[1, 0] = True  # one, and neither in the corner nor on the diagonal
                    elif what == 3:
                        block[:] = True
                        block[0, 1] = False
                    elif what == 4:
                        block[0, 0] = True
            if kind == "ragged":
                mask[-2:, -2:] = True
        note = {"window": "a window", "ragged": "the last blocks are shorter"}.get(kind, "")
        found.append(
            Case({"mask": mask, "size": size}, group="edge" if kind == "ragged" else "plain", note=note)
        )
    return found


EXERCISE = Function(
    id="13.8",
    title="Work that need not be done",
    points=2,
    minutes=12,
    difficulty="medium",
    signature="mask_blocks(mask, size)",
    outputs=(Output("kinds", ("query_blocks", "key_blocks")),),
    reference=mask_blocks,
    cases=cases,
    mistakes=(SOME, WHOLE, EDGE, KINDS),
    meaningless=((WHOLE, KINDS["exchanged"]), (SOME, WHOLE), (WHOLE, EDGE["padded"])),
    together=2,
    forbidden=("flex_attention", "attnbook.nn"),
    hints=(
        "A slice beyond the end of a tensor is a shorter slice, so the last blocks come by themselves.",
        "`block.any()` and `block.all()` tell the three kinds apart.",
        "`int(block.any()) + int(block.all())`, for each block, row by row.",
    ),
)
