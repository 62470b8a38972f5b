"""4.3: the additive score in its normalised form, for all words of the translation at once.

As in ``tfa.seq2seq.BahdanauAttention(normalize=True)``, after Salimans and Kingma (2016), arXiv:1602.07868.
"""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# How a hidden layer makes the scores: (from_query, from_key, join, end) → scores.
SQUASH = Mistakes(
    "squash",
    right=lambda from_query, from_key, join, end: end(torch.tanh(join(from_query, from_key))),
    tanh_outside=Wrong(
        lambda from_query, from_key, join, end: torch.tanh(end(join(from_query, from_key))),
        "The tanh is applied to the finished score. It belongs inside, between the two layers; outside, it "
        "presses every score between −1 and 1, so no word can ever win clearly.",
    ),
    none=Wrong(
        lambda from_query, from_key, join, end: end(join(from_query, from_key)),
        "There is no tanh. Then the two layers are one linear map, and the query adds the same number to "
        "every score, which the softmax cancels: the weights no longer depend on the query.",
    ),
    relu=Wrong(
        lambda from_query, from_key, join, end: end(torch.relu(join(from_query, from_key))),
        "The hidden layer goes through a ReLU; the paper has a tanh.",
    ),
    query=Wrong(
        lambda from_query, from_key, join, end: end(torch.tanh(from_query) + from_key),
        "The tanh stands around the query's part alone. The query and the annotation must meet inside it; "
        "else the query's part is the same for each word and cancels in the softmax.",
    ),
    each=Wrong(
        lambda from_query, from_key, join, end: end(torch.tanh(from_query) + torch.tanh(from_key)),
        "The tanh is applied to the terms one by one, and then they are added. The query and the "
        "annotation must meet inside it; else the query's part cancels in the softmax.",
    ),
)
JOIN = Mistakes(
    "join",
    right=lambda from_query, from_key: from_query + from_key,
    product=Wrong(
        lambda from_query, from_key: from_query * from_key,
        "The two terms are multiplied. The score is called additive because they are added.",
    ),
)
KEY = Mistakes(
    "key",
    right=lambda from_query, from_key: (from_query, from_key),
    missing=Wrong(
        lambda from_query, from_key: (from_query, torch.zeros_like(from_key)),
        "The annotations are not used: every word of the source gets the same score.",
    ),
    no_query=Wrong(
        lambda from_query, from_key: (torch.zeros_like(from_query), from_key),
        "The query is not used: the scores are the same for every word of the translation.",
    ),
)
# What v and g make of the hidden layer: (v, g) → the vector that it is multiplied with.
NORM = Mistakes(
    "norm",
    right=lambda v, g: g * v / v.norm(),
    none=Wrong(
        lambda v, g: g * v,
        "v is not divided by its length. Then g is one number too many: doubling v does what doubling g "
        "does.",
    ),
    squared=Wrong(
        lambda v, g: g * v / (v @ v),
        "v is divided by the sum of its squares, which is its length squared. The root is missing.",
    ),
    sum=Wrong(
        lambda v, g: g * v / v.abs().sum(),
        "v is divided by the sum of its absolute values. Its length ‖v‖ is the root of the sum of its "
        "squares.",
    ),
    no_g=Wrong(
        lambda v, g: v / v.norm(),
        "g is not used. A vector of length 1 cannot make large scores, so no word could win clearly: g says "
        "how large they get.",
    ),
    inverse=Wrong(
        lambda v, g: v / (g * v.norm()),
        "You divide by g. It is a factor: with a larger g the scores lie further apart.",
    ),
)
# Where the bias comes in: (from_query, b) → the queries' part, and what is added after the tanh.
BIAS = Mistakes(
    "bias",
    right=lambda from_query, b: (from_query + b, 0.0),
    outside=Wrong(
        lambda from_query, b: (from_query, b),
        "The bias is added after the tanh. There it adds the same number to every score, and the softmax "
        "cancels it: it could never learn anything. It belongs inside.",
    ),
    missing=Wrong(lambda from_query, b: (from_query, 0.0), "The bias b is not used."),
)


def additive_scores(
    queries, annotations, W, U, b, v, g,
    *, squash=SQUASH.right, join=JOIN.right, key=KEY.right, norm=NORM.right, bias=BIAS.right,
):  # fmt: skip
    from_query = (queries @ W.T)[:, :, None, :]  # (batch, tgt, 1, d_attention)
    from_key = (annotations @ U.T)[:, None, :, :]  # (batch, 1, src, d_attention)
    from_query, from_key = key(from_query, from_key)
    from_query, after = bias(from_query, b)
    scores = squash(from_query, from_key, join, lambda hidden: (hidden + after) @ norm(v, g))
    return scores.expand(-1, queries.shape[1], annotations.shape[1])


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, tgt, src, d_query, d_annotation, d_attention = draw.sizes(6, 2, 9)
        found.append(
            Case(
                {
                    "queries": draw.normal(batch, tgt, d_query),
                    "annotations": draw.normal(batch, src, d_annotation),
                    "W": draw.normal(d_attention, d_query, scale=0.7),
                    "U": draw.normal(d_attention, d_annotation, scale=0.7),
                    "b": draw.normal(d_attention) + 0.3,
                    "v": draw.normal(d_attention) + 0.3,
                    "g": round(draw.random.uniform(1.5, 4.0), 2),
                }
            )
        )
    return found


EXERCISE = Function(
    id="4.3",
    title="The additive score, normalised",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="additive_scores(queries, annotations, W, U, b, v, g)",
    outputs=(Output("scores", ("batch", "tgt", "src")),),
    reference=additive_scores,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(SQUASH, JOIN, KEY, NORM, BIAS),
    together=2,
    meaningless=(
        (JOIN, KEY),
        (JOIN, SQUASH["each"]),
        (KEY, SQUASH["each"]),
        (JOIN, SQUASH["query"]),
        (KEY, SQUASH["query"]),
        (BIAS["outside"], SQUASH),
    ),
    forbidden=("AdditiveScore", "attnbook.nn"),
    hints=(
        "Each query meets each word of its source, so the hidden layer has four axes: (batch, tgt, src, "
        "d_attention). Which of the two parts lacks tgt, and which src?",
        "`[:, :, None, :]` gives the queries' part an axis of length 1 where the words will be; the words' "
        "part needs one where the queries will be. The bias joins them inside the tanh.",
        "`@` with a vector takes the last axis away. The vector is `g * v / v.norm()`.",
    ),
)
