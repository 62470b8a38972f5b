"""13.9 (starred): the blocks of the past that a query chooses, and nothing of the future.

Selection as in Lu et al. (2025), "MoBA", arXiv 2502.13189: a block's score is the query times the mean of its
keys, the query's own block is always read, and of the others only complete earlier ones are chosen.
"""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# (key in blocks) → one vector a block.
POOL = Mistakes(
    "pool",
    right=lambda blocks: blocks.mean(1),
    first=Wrong(
        lambda blocks: blocks[:, 0],
        "A block is judged by its first key. Take the mean of its keys.",
    ),
    largest=Wrong(
        lambda blocks: blocks.amax(1),
        "A block is judged by the largest number in each dimension. Take the mean of its keys.",
    ),
)
# (scores, own) → scores with what cannot be chosen at −∞; own (queries, 1), the number of the own block.
PAST = Mistakes(
    "past",
    right=lambda scores, own: scores.masked_fill(torch.arange(scores.shape[1]) >= own, -torch.inf),
    future=Wrong(
        lambda scores, own: scores.masked_fill(torch.arange(scores.shape[1]) == own, -torch.inf),
        "Blocks of the future are chosen. A query may choose among blocks that have ended before its own.",
    ),
    own_competes=Wrong(
        lambda scores, own: scores.masked_fill(torch.arange(scores.shape[1]) > own, -torch.inf),
        "The own block competes for one of the k places, with a mean that holds keys of the future. It is "
        "read in any case, and beside the k others.",
    ),
)
CHOOSE = Mistakes(
    "choose",
    right=lambda scores, k: _largest(scores, k),
    smallest=Wrong(
        lambda scores, k: _largest(torch.where(scores.isinf(), scores, -scores), k),
        "The k *lowest* scores are chosen.",
    ),
    one_less=Wrong(
        lambda scores, k: _largest(scores, k - 1),
        "You choose k − 1 blocks beside the own one. Here k counts the others only.",
    ),
    all=Wrong(
        lambda scores, k: ~scores.isinf(),
        "All earlier blocks are read: nothing is chosen.",
    ),
)
OWN = Mistakes(
    "own",
    right=lambda chosen, own: chosen | (torch.arange(chosen.shape[1]) == own),
    left_out=Wrong(
        lambda chosen, own: chosen,
        "The own block is left out: a query should always read the tokens right before it, and itself.",
    ),
)


def _largest(scores, k):
    """True at the k largest finite scores of each row."""
    chosen = torch.zeros_like(scores, dtype=torch.bool)
    if k:
        chosen.scatter_(1, scores.topk(min(k, scores.shape[1]), dim=1).indices, True)
    return chosen & ~scores.isinf()


def chosen_blocks(
    query, key, size, k, *, pool=POOL.right, past=PAST.right, choose=CHOOSE.right, own=OWN.right
):
    scores = query @ pool(key.unflatten(0, (-1, size))).T
    mine = (torch.arange(len(query)) // size)[:, None]
    return own(choose(past(scores, mine), k), mine)


def cases(draw: Draw) -> list[Case]:
    found = []
    for k in (2, 3, 2):
        size, d_k = draw.sizes(2, 3, 7)
        length = (k + 4) * size
        found.append(
            Case({"query": draw.normal(length, d_k), "key": draw.normal(length, d_k), "size": size, "k": k})
        )
    return found


EXERCISE = Function(
    id="13.9",
    title="★ Choose, and never from the future",
    points=3,
    minutes=20,
    difficulty="hard",
    signature="chosen_blocks(query, key, size, k)",
    outputs=(Output("chosen", ("length", "blocks")),),
    reference=chosen_blocks,
    cases=cases,
    mistakes=(POOL, PAST, CHOOSE, OWN),
    meaningless=((POOL, CHOOSE["all"]), (PAST["own_competes"], OWN), (PAST["own_competes"], CHOOSE["all"])),
    together=2,
    forbidden=("attnbook.nn",),
    properties=(
        Property(
            "A query reads a block that begins after it. Nothing of the future may be chosen.",
            lambda args, outputs: (
                not bool(
                    (
                        outputs["chosen"].bool()
                        & (
                            torch.arange(outputs["chosen"].shape[1])
                            > (torch.arange(len(args["query"])) // args["size"])[:, None]
                        )
                    ).any()
                )
            ),
        ),
    ),
    hints=(
        "Cut the keys into blocks, `key.unflatten(0, (-1, size))`, and take the mean of each: one "
        "vector a block.",
        "The own block of query i is i // size. Set the scores of it and of all later blocks to −∞ "
        "before you "
        "choose.",
        "`scores.topk(k, dim=1)` also picks blocks at −∞ where fewer than k are allowed: take those "
        "out again, "
        "then add the own block.",
    ),
)
