"""4.3: scores from a hidden layer over query and annotation."""

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
    sigmoid=Wrong(
        lambda from_query, from_key, join, end: end(torch.sigmoid(join(from_query, from_key))),
        "The hidden layer goes through a sigmoid; the paper has a tanh.",
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
        "The tanh is applied to the two terms one by one, and then they are added. The query and the "
        "annotation must meet inside it; else the query's part cancels in the softmax.",
    ),
)
END = Mistakes(
    "end",
    right=lambda hidden, v: hidden @ v,
    sum=Wrong(
        lambda hidden, v: hidden.sum(-1),
        "The hidden layer is summed up; the vector v is missing. It says how much each hidden unit counts.",
    ),
    mean=Wrong(
        lambda hidden, v: hidden.mean(-1),
        "The hidden layer is averaged; the vector v is missing. It says how much each hidden unit counts.",
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
        "The query is not used: the scores are the same at every step of the decoder.",
    ),
)


def additive_scores(
    query, annotations, W, U, v,
    *, squash=SQUASH.right, end=END.right, join=JOIN.right, key=KEY.right,
):  # fmt: skip
    from_query = (query @ W.T)[:, None, :]  # (batch, 1, d_attention)
    from_key = annotations @ U.T  # (batch, src, d_attention)
    return squash(*key(from_query, from_key), join, lambda hidden: end(hidden, v))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, src, d_query, d_annotation, d_attention = draw.sizes(5, 2, 9)
        found.append(
            Case(
                {
                    "query": draw.normal(batch, d_query),
                    "annotations": draw.normal(batch, src, d_annotation),
                    "W": draw.normal(d_attention, d_query, scale=0.7),
                    "U": draw.normal(d_attention, d_annotation, scale=0.7),
                    "v": draw.normal(d_attention) + 0.3,
                }
            )
        )
    return found


EXERCISE = Function(
    id="4.3",
    title="The additive score",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="additive_scores(query, annotations, W, U, v)",
    outputs=(Output("scores", ("batch", "src")),),
    reference=additive_scores,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(SQUASH, END, JOIN, KEY),
    meaningless=(
        (JOIN, KEY),
        (JOIN, SQUASH["each"]),
        (KEY, SQUASH["each"]),
        (JOIN, SQUASH["query"]),
        (KEY, SQUASH["query"]),
    ),
    forbidden=("AdditiveScore", "attnbook.nn"),
    hints=(
        "`query @ W.T` is (batch, d_attention), `annotations @ U.T` is (batch, src, d_attention).",
        "`[:, None, :]` gives the query's part an axis of length 1, so that it is added to each source word.",
        "tanh of the sum, and then `@ v` takes the last axis away.",
    ),
)
