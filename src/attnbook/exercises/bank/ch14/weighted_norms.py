"""14.9 (starred): weights that count how large the vector is that they weigh.

Kobayashi et al. (2020), "Attention is not only a weight", arXiv 2004.10102, equations 2 to 4, one head.
"""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# (x, W_v, b_v, W_o) → what each word hands on, before its weight: (batch, keys, d_model).
HANDS_ON = Mistakes(
    "hands_on",
    right=lambda x, W_v, b_v, W_o: (x @ W_v.T + b_v) @ W_o.T,
    no_bias=Wrong(
        lambda x, W_v, b_v, W_o: x @ W_v.T @ W_o.T,
        "The bias of the values is missing. It is weighed like the rest of the value.",
    ),
    no_output=Wrong(
        lambda x, W_v, b_v, W_o: x @ W_v.T + b_v,
        "You stop at the value. What reaches the next layer has gone through the output matrix as well.",
    ),
    input=Wrong(
        lambda x, W_v, b_v, W_o: x,
        "You take the length of the word's own vector. It is a value, and then the output matrix, that the "
        "weight is put on.",
    ),
)
NORM = Mistakes(
    "norm",
    right=lambda weights, given: weights * given.norm(dim=-1).unsqueeze(1),
    unweighted=Wrong(
        lambda weights, given: given.norm(dim=-1).unsqueeze(1).expand_as(weights),
        "The weights are not used: every query gets the same numbers.",
    ),
    squared=Wrong(
        lambda weights, given: weights * given.pow(2).sum(dim=-1).unsqueeze(1),
        "The squares are added up and the root is not taken.",
    ),
    summed=Wrong(
        lambda weights, given: weights * given.abs().sum(dim=-1).unsqueeze(1),
        "You add up the absolute numbers. The norm is the Euclidean length: the root of the sum of squares.",
    ),
    shares=Wrong(
        lambda weights, given: (
            weights
            * given.norm(dim=-1).unsqueeze(1)
            / (weights * given.norm(dim=-1).unsqueeze(1)).sum(-1, keepdim=True)
        ),
        "The rows are divided by their sums. The lengths themselves are asked for.",
    ),
)


def weighted_norms(weights, x, W_v, b_v, W_o, *, hands_on=HANDS_ON.right, norm=NORM.right):
    return norm(weights, hands_on(x, W_v, b_v, W_o))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, queries, keys, d_model = draw.sizes(4, 2, 9)
        d_head = d_model  # a missing output matrix shows in the numbers, not in the shape
        found.append(
            Case(
                {
                    "weights": torch.softmax(draw.normal(batch, queries, keys), dim=-1),
                    "x": draw.normal(batch, keys, d_model),
                    "W_v": draw.normal(d_head, d_model, scale=0.6),
                    "b_v": draw.normal(d_head),
                    "W_o": draw.normal(d_model, d_head, scale=0.6),
                }
            )
        )
    return found


EXERCISE = Function(
    id="14.9",
    title="★ Not only a weight",
    points=3,
    minutes=15,
    difficulty="hard",
    signature="weighted_norms(weights, x, W_v, b_v, W_o)",
    outputs=(Output("norms", ("batch", "queries", "keys")),),
    reference=weighted_norms,
    cases=cases,
    mistakes=(HANDS_ON, NORM),
    together=2,
    tolerance=(2e-4, 2e-5),
    forbidden=("attnbook.analysis",),
    hints=(
        "Compute once what each key hands on: value with its bias, then the output matrix: (batch, keys, "
        "d_model).",
        "Its length: `.norm(dim=-1)`, (batch, keys).",
        "Multiply column by column: `weights * lengths.unsqueeze(1)`.",
    ),
)
