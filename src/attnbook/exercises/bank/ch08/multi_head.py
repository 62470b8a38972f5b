"""8.4: multi-head attention with a mask."""

import math

from attnbook.exercises.bank.ch08._sizes import head_sizes
from attnbook.exercises.cases import PADDED_CASES, padding_mask
from attnbook.exercises.mistakes import (
    BY_N_KEYS,
    DIVIDED_AFTER,
    EMPTY,
    EMPTY_UNREACHED,
    HEAD_SCALE,
    MASK,
    MERGE,
    MIX,
    OVER_OR_BATCH,
    PROJECT,
    SPLIT,
)
from attnbook.exercises.properties import NOT_NEGATIVE
from attnbook.exercises.references import masked_softmax, multi_head
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

OVER = Mistakes(
    "over",
    right=masked_softmax,
    queries=Wrong(
        lambda scores, mask, *, placed, empty: masked_softmax(
            scores, mask, placed=placed, empty=empty, dim=-2
        ),
        "The softmax runs over the queries instead of the keys: the columns of your weights add up to 1, "
        "not the rows. Look at its `dim`.",
    ),
    heads=Wrong(
        lambda scores, mask, *, placed, empty: masked_softmax(
            scores, mask, placed=placed, empty=empty, dim=1
        ),
        "The softmax runs over the heads: dim 1 of (batch, n_heads, queries, keys). Then the heads compete "
        "for a key. Each head has a row of its own, over the keys, which are the last dimension.",
    ),
    batch=Wrong(
        lambda scores, mask, *, placed, empty: masked_softmax(
            scores, mask, placed=placed, empty=empty, dim=0
        ),
        OVER_OR_BATCH["batch"].text,
    ),
)
SCALE = HEAD_SCALE.also(
    n_heads=Wrong(
        lambda d_head, d_model, **sizes: (math.sqrt(d_model / d_head), 1.0),
        "The scores are divided by √n_heads. A head compares vectors of d_head numbers, so it is √d_head.",
    ),
    all_numbers=Wrong(
        lambda d_head, d_model, **sizes: (float(d_model), 1.0),
        "The scores are divided by d_model. A head compares d_head numbers, and the root of that belongs "
        "there: √d_head.",
    ),
    n_keys=Wrong(lambda d_head, n_keys, **sizes: (math.sqrt(n_keys), 1.0), BY_N_KEYS),
    after=Wrong(lambda d_head, **sizes: (1.0, math.sqrt(d_head)), DIVIDED_AFTER),
)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded", "empty"):
        while True:
            (batch, queries, keys), n_heads, d_head = head_sizes(draw, 3)
            # The root of 2 and 2 are close, as many heads as numbers have one root, and padding needs room.
            if d_head > 2 and keys > 2 and n_heads != d_head:
                break
        d_model = n_heads * d_head
        mask = padding_mask(draw, kind, batch, keys)
        matrices = {name: draw.normal(d_model, d_model, scale=0.6) for name in ("W_q", "W_k", "W_v", "W_o")}
        found.append(
            Case(
                {
                    "query": draw.normal(batch, queries, d_model),
                    "memory": draw.normal(batch, keys, d_model),
                    **matrices,
                    "n_heads": n_heads,
                    "mask": mask,
                },
                **PADDED_CASES[kind],
            )
        )
    return found


EXERCISE = Function(
    id="8.4",
    title="Multi-head attention with a mask",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="multi_head(query, memory, W_q, W_k, W_v, W_o, n_heads, mask)",
    outputs=(
        Output("context", ("batch", "queries", "d_model")),
        Output("weights", ("batch", "n_heads", "queries", "keys")),
    ),
    reference=multi_head,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    properties=(NOT_NEGATIVE,),
    mistakes=(PROJECT, SPLIT, MERGE, SCALE, MASK, EMPTY, OVER, MIX),
    together=2,
    meaningless=(*EMPTY_UNREACHED, (OVER, MASK), (OVER, EMPTY)),
    forbidden=("scaled_dot_product_attention", "MultiheadAttention", "attnbook.nn"),
    hints=(
        "Project, split (8.2), score, mask, softmax, mix, merge (8.3), W_o.",
        "The mask is (batch, keys); scores are (batch, n_heads, queries, keys): `mask[:, None, None, :]`.",
        "Divide by the root of d_head. A sentence of padding gives NaN weights: `.nan_to_num(0.0)`.",
    ),
)
