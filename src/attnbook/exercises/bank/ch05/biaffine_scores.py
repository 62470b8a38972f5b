"""5.4: the general score, and what a key brings along (Dozat and Manning 2017, arXiv:1611.01734)."""

import math

import torch

from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

SCALED = Mistakes(
    "scaled",
    right=lambda scores, d_key: scores,
    root=Wrong(
        lambda scores, d_key: scores / math.sqrt(d_key),
        "The scores are divided by √d. That came in 2017, with the transformer; Luong's scores are not "
        "divided.",
    ),
    size=Wrong(
        lambda scores, d_key: scores / d_key,
        "The scores are divided by d. Luong's scores are not divided by anything.",
    ),
)
END = Mistakes(
    "end",
    right=lambda scores: scores,
    weights=Wrong(
        softmax,
        "You return the weights: a softmax has gone over the scores already. The exercise asks for the "
        "scores.",
    ),
    tanh=Wrong(
        torch.tanh,
        "A tanh has gone over the scores. It presses them between −1 and 1, so no word can win by much; the "
        "general score has no tanh.",
    ),
)
MATRIX = Mistakes(
    "matrix",
    right=lambda query, W: query @ W,
    tanh=Wrong(
        lambda query, W: torch.tanh(query @ W),
        "A tanh stands between W and the keys. That belongs to the additive score; the general score is a "
        "plain product of three.",
    ),
    normed=Wrong(
        lambda query, W: query @ (W / W.norm()), "W is divided by its length. It should be used as it is."
    ),
)
# What u makes of the scores (batch, tgt, src) and of the keys' own term (batch, 1, src).
PRIOR = Mistakes(
    "prior",
    right=lambda scores, own: scores + own,
    missing=Wrong(
        lambda scores, own: scores,
        "The keys' own term is missing: this is the general score alone. u says how much a key is worth "
        "attending to, whoever asks.",
    ),
    product=Wrong(
        lambda scores, own: scores * own,
        "The keys' own term is multiplied with the score. It is added: a key can be attractive whatever the "
        "query is.",
    ),
    first=Wrong(
        lambda scores, own: torch.cat([scores[:, :1] + own, scores[:, 1:]], dim=1),
        "Only the first query gets the keys' own term. It is the same for every query of a sentence.",
    ),
    summed=Wrong(
        lambda scores, own: scores + own.sum(-1, keepdim=True),
        "The keys' own terms are added up before they are used. A number that is the same for all keys "
        "changes nothing: the softmax cancels it. Each key gets its own.",
    ),
)


def biaffine_scores(
    query, keys, W, u,
    *, scaled=SCALED.right, end=END.right, matrix=MATRIX.right, prior=PRIOR.right,
):  # fmt: skip
    scores = prior(matrix(query, W) @ keys.transpose(1, 2), (keys @ u)[:, None])
    return end(scaled(scores, keys.shape[-1]))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, tgt, src, d_query, d_key = draw.sizes(5, 2, 9)
        found.append(
            Case(
                {
                    "query": draw.normal(batch, tgt, d_query),
                    "keys": draw.normal(batch, src, d_key),
                    "W": draw.normal(d_query, d_key),
                    "u": draw.normal(d_key) + 0.5,
                }
            )
        )
    return found


EXERCISE = Function(
    id="5.4",
    title="What a key brings along",
    points=2,
    minutes=8,
    difficulty="easy",
    signature="biaffine_scores(query, keys, W, u)",
    outputs=(Output("scores", ("batch", "tgt", "src")),),
    reference=biaffine_scores,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(SCALED, END, MATRIX, PRIOR),
    together=2,
    meaningless=((END["weights"], PRIOR["summed"]),),  # the softmax leaves nothing of the sum
    forbidden=("GeneralScore", "attnbook.nn"),
    hints=(
        "The first term is section 5.4's *general*, with a batch in front: which two axes of the keys have "
        "to be exchanged?",
        "`keys @ u` is (batch, src): one number a key. The scores are (batch, tgt, src), so an axis is "
        "missing where the queries stand.",
        "`(keys @ u)[:, None]` is (batch, 1, src), and is added to each query's row.",
    ),
)
