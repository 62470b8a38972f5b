"""9.9: scores with a learned vector for each distance."""

import math

import torch

from attnbook.exercises.mistakes import KEY_SCALE
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

DISTANCE = Mistakes(
    "distance",
    right=lambda gap: gap,  # j − i
    backwards=Wrong(
        lambda gap: -gap,
        "The distance is i − j. It is j − i: negative for keys before the query, whose vectors stand in "
        "the upper rows of the table.",
    ),
    absolute=Wrong(
        lambda gap: gap.abs(),
        "Keys before and after the query share a vector. The table has rows for both sides.",
    ),
)
# The vectors of the distances: (gap, most, look_up(distance) → vector).
CLIP = Mistakes(
    "clip",
    right=lambda gap, most, look_up: look_up(gap.clamp(-most, most)),
    inside=Wrong(
        lambda gap, most, look_up: look_up(gap.clamp(1 - most, most - 1)),
        "The distances are cut off one too early: the first and the last row of the table are never used.",
    ),
    zero=Wrong(
        lambda gap, most, look_up: look_up(gap.clamp(-most, most)) * (gap.abs() <= most)[:, :, None],
        "Keys beyond the table get no vector. They share the outermost one of their side.",
    ),
)
OFFSET = Mistakes(
    "offset",
    right=lambda distance, most: distance + most,
    none=Wrong(
        lambda distance, most: distance,
        "The distance itself is used as the row. Distance 0 stands in the middle of the table; torch "
        "reads a negative row from the end, without an error.",
    ),
)
SCALE = Mistakes(
    "scale",
    right=lambda product, relative, d_k: (product + relative) / math.sqrt(d_k),
    none=Wrong(lambda product, relative, d_k: product + relative, KEY_SCALE["none"].text),
    d_k=Wrong(lambda product, relative, d_k: (product + relative) / d_k, KEY_SCALE["d_k"].text),
    product_only=Wrong(
        lambda product, relative, d_k: product / math.sqrt(d_k) + relative,
        "Only q · k is divided by √d_k. The vector of the distance is added to the *key*, so its part is "
        "divided as well.",
    ),
)
ASKS = Mistakes(
    "asks",
    right=lambda query, key, vectors: torch.einsum("bqd,qkd->bqk", query, vectors),
    key=Wrong(
        lambda query, key, vectors: torch.einsum("bkd,qkd->bqk", key, vectors),
        "The vector of the distance is compared with the key. It is added to the key, and the query is "
        "compared with both.",
    ),
)
CONTENT = Mistakes(
    "content",
    right=lambda product, relative: (product, relative),
    left_out=Wrong(
        lambda product, relative: (torch.zeros_like(product), relative),
        "Only the distance counts in your scores. The product of query and key comes first; the distance "
        "adds to it.",
    ),
    alone=Wrong(
        lambda product, relative: (product, torch.zeros_like(relative)),
        "The table changes nothing in your scores: they are those of attention without positions.",
    ),
)


def relative_scores(
    query, key, table,
    *, distance=DISTANCE.right, clip=CLIP.right, offset=OFFSET.right, scale=SCALE.right, asks=ASKS.right,
    content=CONTENT.right,
):  # fmt: skip
    most = table.shape[0] // 2
    gap = distance(torch.arange(key.shape[1]) - torch.arange(query.shape[1])[:, None])  # (queries, keys)
    vectors = clip(gap, most, lambda distance: table[offset(distance, most)])  # (queries, keys, d_k)
    return scale(*content(query @ key.mT, asks(query, key, vectors)), query.shape[-1])


def cases(draw: Draw) -> list[Case]:
    found = []
    for clipped in (False, True, True):
        batch = draw.random.randint(2, 5)
        queries, keys = draw.random.sample([6, 7, 8, 9], 2)
        most = draw.random.randint(2, 3) if clipped else max(queries, keys)
        d_k = draw.random.choice([5, 10, 11])
        found.append(
            Case(
                {
                    "query": draw.normal(batch, queries, d_k),
                    "key": draw.normal(batch, keys, d_k),
                    "table": draw.normal(2 * most + 1, d_k),
                },
                group="edge" if clipped else "plain",
                note="some distances are beyond the table"
                if clipped
                else "the table has a row for each distance",
            )
        )
    return found


EXERCISE = Function(
    id="9.9",
    title="A learned vector for each distance",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="relative_scores(query, key, table)",
    outputs=(Output("scores", ("batch", "queries", "keys")),),
    reference=relative_scores,
    cases=cases,
    tolerance=(1e-4, 1e-4),
    mistakes=(DISTANCE, CLIP, OFFSET, SCALE, ASKS, CONTENT),
    together=2,
    # Without the table, nothing else that is done with it shows.
    meaningless=(
        (CONTENT, SCALE["product_only"]),
        *((CONTENT["alone"], family) for family in (DISTANCE, CLIP, OFFSET, ASKS)),
    ),
    forbidden=("attnbook.nn",),
    hints=(
        "Distances first: `j - i` as a table (queries, keys), with `j = torch.arange(keys)` and `i = "
        "torch.arange(queries)[:, None]`.",
        "The table has 2m + 1 rows, for distances −m … m. `clamp` to that range, then add m: a row number.",
        '`table[rows]` is (queries, keys, d_k). `torch.einsum("bqd,qkd->bqk", query, table[rows])` '
        "compares each query with the vectors of its own row.",
    ),
)
