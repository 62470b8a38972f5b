"""5.4: scores of a query with keys of another size, through a matrix."""

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


def general_scores(query, keys, W, *, scaled=SCALED.right, end=END.right, matrix=MATRIX.right):
    scores = matrix(query, W) @ keys.transpose(1, 2)
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
                }
            )
        )
    return found


EXERCISE = Function(
    id="5.4",
    title="The general score",
    points=2,
    minutes=8,
    difficulty="easy",
    signature="general_scores(query, keys, W)",
    outputs=(Output("scores", ("batch", "tgt", "src")),),
    reference=general_scores,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(SCALED, END, MATRIX),
    meaningless=((END["weights"], SCALED, MATRIX),),
    forbidden=("GeneralScore", "attnbook.nn"),
    hints=(
        "`query @ W` has the size of a key: (batch, tgt, d_key).",
        "Each of these rows is then multiplied with each key: `@ keys.transpose(1, 2)`.",
        "One line, two products, no softmax.",
    ),
)
