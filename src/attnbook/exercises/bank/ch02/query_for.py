"""2.7: the query that gives wanted weights."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# How far each score has to lead that of the last key: (weights) → (keys − 1).
LEADS = Mistakes(
    "leads",
    right=lambda weights: (weights[:-1] / weights[-1]).log(),
    ratio=Wrong(
        lambda weights: weights[:-1] / weights[-1],
        "The ratios of the weights are taken as leads of the scores. Softmax makes ratios of leads by an "
        "exponential, so the way back is a logarithm.",
    ),
    difference=Wrong(
        lambda weights: weights[:-1] - weights[-1],
        "The differences of the weights are taken as leads of the scores. A lead of the scores is the "
        "logarithm of a *ratio* of weights.",
    ),
    alone=Wrong(
        lambda weights: weights[:-1].log(),
        "The logarithms of the weights are taken as leads over the last key. Its own logarithm has to be "
        "taken away from them.",
    ),
)
SCALE = Mistakes(
    "scale",
    right=lambda d_k: math.sqrt(d_k),
    none=Wrong(
        lambda d_k: 1.0,
        "The division of the scores by √d_k is forgotten: q · k has to be √d_k times as large as the score "
        "that you want.",
    ),
    divided=Wrong(
        lambda d_k: 1 / math.sqrt(d_k),
        "You divide by √d_k. The lookup will divide by it already, so your dot products have to be larger.",
    ),
    d_k=Wrong(
        lambda d_k: float(d_k),
        "You multiply by d_k instead of its root.",
    ),
    n_keys=Wrong(
        lambda d_k: math.sqrt(d_k + 1),
        "You multiply by the root of the number of keys. The scores are divided by the root of a key's "
        "length.",
    ),
)
# The matrix of the equations: (keys, d_k) → (keys − 1, d_k).
EQUATIONS = Mistakes(
    "equations",
    right=lambda key: key[:-1] - key[-1],
    keys=Wrong(
        lambda key: key[:-1],
        "The leads are set equal to q · kⱼ, as if the last key scored 0. A lead is the *difference* of two "
        "scores, q · (kⱼ − k_last).",
    ),
    transposed=Wrong(
        lambda key: (key[:-1] - key[-1]).T,
        "The matrix of the equations is transposed. Each equation is one row of it, a key, times the query.",
    ),
)


def query_for(weights, key, *, leads=LEADS.right, scale=SCALE.right, equations=EQUATIONS.right):
    wanted = scale(key.shape[1]) * leads(weights)
    return torch.linalg.solve(equations(key), wanted)


def cases(draw: Draw) -> list[Case]:
    found = []
    for d_k in draw.random.sample(range(2, 7), 4):
        while True:  # until the equations can be solved without losing digits
            key = draw.normal(d_k + 1, d_k)
            matrices = (key[:-1] - key[-1], key[:-1])
            if max(float(torch.linalg.cond(matrix)) for matrix in matrices) < 20:
                break
        found.append(Case({"weights": draw.normal(d_k + 1).softmax(dim=0), "key": key}))
    return found


def gives_the_weights(args, outputs) -> bool:
    key, query = args["key"], outputs["query"]
    weights = torch.softmax(key @ query / math.sqrt(key.shape[1]), dim=0)
    return torch.allclose(weights, args["weights"], atol=2e-3)


EXERCISE = Function(
    id="2.7",
    title="Which query gives these weights?",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="query_for(weights, key)",
    outputs=(Output("query", ("d_k",)),),
    reference=query_for,
    cases=cases,
    tolerance=(1e-3, 1e-3),
    properties=(Property("the query gives the wanted weights", gives_the_weights),),
    mistakes=(LEADS, SCALE, EQUATIONS),
    forbidden=("optim", "backward", "autograd"),
    hints=(
        "Weights tell scores but for one number that is added to all of them. What do they tell exactly?",
        "The lead of key j over the last key: log(wⱼ / w_last) = q · (kⱼ − k_last) / √d_k. That is one "
        "equation for each key but the last.",
        "As many equations as the query has numbers: `torch.linalg.solve(key[:-1] - key[-1], …)`.",
    ),
)
