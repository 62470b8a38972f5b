"""11.5: heads of keys and values that several heads of queries share, paired wrongly."""

import torch

from attnbook.exercises.mistakes import KEY_SCALE
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _tiled(x, n_heads):
    return x.repeat(1, n_heads // x.shape[1], 1, 1)


def _neighbours(x, n_heads):
    return x.repeat_interleave(n_heads // x.shape[1], dim=1)


SHARED = Mistakes(
    "shared",
    right=(_neighbours, _neighbours),
    tiled=Wrong(
        (_tiled, _tiled),
        "The heads of keys and values are laid out 0, 1, 0, 1, …, so that neighbouring heads of queries use "
        "different ones. No shape complains. In grouped-query attention neighbours share: 0, 0, 1, 1.",
    ),
    values_tiled=Wrong(
        (_neighbours, _tiled),
        "The keys are shared by neighbours now, and the values are still laid out 0, 1, 0, 1: weights of one "
        "head are used for another head's values.",
    ),
    keys_tiled=Wrong(
        (_tiled, _neighbours),
        "The values are shared by neighbours now, and the keys are still laid out 0, 1, 0, 1.",
    ),
    first=Wrong(
        (lambda x, n_heads: x[:, :1].expand(-1, n_heads, -1, -1),) * 2,
        "All heads use the first head of keys and values. That is multi-query attention; here each group of "
        "queries has a head of its own.",
    ),
    mean=Wrong(
        (lambda x, n_heads: x.mean(1, keepdim=True).expand(-1, n_heads, -1, -1),) * 2,
        "All heads use the mean of the keys and values. Each group of queries has a head of its own.",
    ),
)
SCALE = KEY_SCALE.only("none", "d_k")
PAST = Mistakes(
    "past",
    right=lambda everything: everything.tril(),
    all=Wrong(
        lambda everything: everything,
        "Nothing hides the future any more. The mask was right as it was.",
    ),
    strict=Wrong(
        lambda everything: everything.tril(-1),
        "A token may no longer attend to itself. The mask was right as it was.",
    ),
)


def grouped_attention(query, key, value, *, shared=SHARED.right, scale=SCALE.right, past=PAST.right):
    for_keys, for_values = shared
    n_heads, length, d_head = query.shape[1:]
    key, value = for_keys(key, n_heads), for_values(value, n_heads)
    scores = scale(query @ key.mT, d_head)
    mask = past(torch.ones(length, length, dtype=torch.bool)).expand(scores.shape)
    return masked_softmax(scores, mask) @ value


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        groups, sharing = draw.random.choice([(2, 2), (2, 3), (3, 2)])
        heads = groups * sharing
        batch, length, d_head = draw.random.sample([size for size in range(3, 10) if size != heads], 3)
        found.append(
            Case(
                {
                    "query": draw.normal(batch, heads, length, d_head, scale=1.5),
                    "key": draw.normal(batch, groups, length, d_head),
                    "value": draw.normal(batch, groups, length, d_head),
                }
            )
        )
    return found


EXERCISE = Function(
    id="11.5",
    title="The wrong neighbour's keys",
    bug=True,
    points=2,
    minutes=10,
    difficulty="medium",
    signature="grouped_attention(query, key, value)",
    outputs=(Output("context", ("batch", "n_heads", "length", "d_head")),),
    reference=grouped_attention,
    cases=cases,
    mistakes=(SHARED, SCALE, PAST),
    together=2,
    forbidden=("attnbook.nn", "scaled_dot_product_attention"),
    hints=(
        "Print what four heads of queries get from two heads of keys: `torch.tensor([0, 1]).repeat(2)`.",
        "Heads 0 and 1 of the queries should both get head 0 of the keys.",
        "`repeat_interleave` repeats each entry before it goes on to the next, along `dim=1`.",
    ),
)
