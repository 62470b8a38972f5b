"""2.4: a soft lookup with two mistakes that a square hides."""

import math

import torch

from attnbook.exercises.mistakes import KEY_DIVISOR, OVER_OR_BATCH, softmax
from attnbook.exercises.properties import NOT_NEGATIVE, ROWS_ADD_UP
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def hard_lookup(weights, scores, value):
    return torch.nn.functional.one_hot(weights.argmax(-1), weights.shape[-1]).to(value.dtype) @ value


SCALE = KEY_DIVISOR.only("none", "d_k", "d_v", "n_keys", "n_queries", "after", "eight").also(
    times=Wrong(
        lambda d_k, **sizes: (1 / math.sqrt(d_k), 1.0),
        "The scores are multiplied by √d_k instead of divided. Your weights are close to a hard lookup: "
        "almost everything on one key.",
    ),
)
MIX = Mistakes(
    "mix",
    right=lambda weights, scores, value: weights @ value,
    scores=Wrong(
        lambda weights, scores, value: scores @ value,
        "The context mixes the values with the scores instead of the weights. Scores are not shares: some "
        "are negative, and they do not add up to 1.",
    ),
    hard=Wrong(
        hard_lookup,
        "The context is the one value with the largest weight: a hard lookup. A soft lookup mixes all "
        "values, each by its weight.",
    ),
    mean=Wrong(
        lambda weights, scores, value: weights @ value / value.shape[-2],
        "The context is divided by the number of keys. The weights already add up to 1, so the weighted sum "
        "is a mean as it stands.",
    ),
)


def scaled_lookup(query, key, value, *, scale=SCALE.right, over=OVER_OR_BATCH.right, mix=MIX.right):
    before, after = scale(
        d_k=query.shape[-1], d_v=value.shape[-1], n_keys=key.shape[1], n_queries=query.shape[1]
    )
    scores = query @ key.mT / before
    weights = softmax(scores, over) / after
    return mix(weights, scores, value), weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(4):
        batch, queries, keys, d_k, d_v = draw.sizes(5, 2, 9)
        found.append(
            Case(
                {
                    "query": draw.normal(batch, queries, d_k, scale=1.5),
                    "key": draw.normal(batch, keys, d_k),
                    "value": draw.normal(batch, keys, d_v),
                }
            )
        )
    return found


EXERCISE = Function(
    id="2.4",
    title="Right on a square",
    bug=True,
    points=3,
    minutes=12,
    difficulty="medium",
    signature="scaled_lookup(query, key, value)",
    outputs=(
        Output("context", ("batch", "queries", "d_v")),
        Output("weights", ("batch", "queries", "keys")),
    ),
    reference=scaled_lookup,
    cases=cases,
    properties=(NOT_NEGATIVE, ROWS_ADD_UP),
    mistakes=(SCALE, OVER_OR_BATCH, MIX),
    meaningless=((SCALE["after"], MIX["scores"]), (SCALE["after"], MIX["hard"])),
    forbidden=("scaled_dot_product_attention", "attnbook.nn"),
    hints=(
        "Which sizes are equal in the test that it passed, and differ in the other one?",
        "Write the shape behind each line. Along which dimension does each row of weights have to add up to "
        "1?",
        "And the root: a score is a sum of as many products as a query has numbers. Is that `key.shape[1]`?",
    ),
)
