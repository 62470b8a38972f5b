"""5.8: local-p, a window around a predicted place, under a Gaussian."""

import math

import torch

from attnbook.exercises.bank.ch05._lengths import PADDING_GETS_NOTHING, real_places
from attnbook.exercises.cases import PADDED_CASES
from attnbook.exercises.properties import NOT_NEGATIVE
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

LENGTH = Mistakes(
    "length",
    right=lambda lengths, src: lengths,
    padded=Wrong(
        lambda lengths, src: torch.full_like(lengths, src),
        "S is the width of the batch, padding included. Then p_t depends on the longest sentence beside "
        "this one. S is the number of words of each sentence, in `lengths`.",
    ),
    less_one=Wrong(
        lambda lengths, src: lengths - 1,
        "p_t runs from 0 to S − 1. That would be sensible, and the paper multiplies by S.",
    ),
)
MIDDLE = Mistakes(
    "middle",
    right=lambda centre: centre,
    rounded=Wrong(
        torch.round,
        "p_t is rounded to a whole place. It stays real: a rounded number has no useful gradient, and W_p "
        "and v_p would never learn.",
    ),
)
SIGMA = Mistakes(
    "sigma",
    right=lambda window: window / 2,
    whole=Wrong(lambda window: window, "The Gaussian has σ = D, too wide. The paper sets σ = D/2."),
    precedence=Wrong(
        lambda window: 2 / window,
        "The squared distance is divided by 2 and then *multiplied* by σ²: without parentheses, `/ 2 * σ**2` "
        "goes from left to right.",
    ),
    variance=Wrong(
        lambda window: math.sqrt(window / 2),
        "D/2 stands where σ² belongs. The exponent is −(s − p_t)² / (2σ²) with σ = D/2.",
    ),
)


def divided_by_the_sum(scores, may, bell):
    weights = masked_softmax(scores, may) * bell
    return weights / weights.sum(-1, keepdim=True).clamp_min(1e-9)


TOTAL = Mistakes(
    "total",
    right=lambda scores, may, bell: masked_softmax(scores, may) * bell,
    one=Wrong(
        divided_by_the_sum,
        "The weights are divided by their sum after the Gaussian. The paper leaves them as they are, so "
        "that a row adds up to less than 1.",
    ),
    batch=Wrong(
        lambda scores, may, bell: masked_softmax(scores, may, dim=0) * bell,
        "The softmax runs over the batch: sentences compete with each other for a place. It should run over "
        "the words of each source sentence.",
    ),
    scores=Wrong(
        lambda scores, may, bell: masked_softmax(scores * bell, may),
        "The Gaussian is multiplied with the scores, before the softmax. It multiplies the weights, after "
        "it: negative scores would grow.",
    ),
)
OUTSIDE = Mistakes(
    "outside",
    right=lambda real, distance, window: real & (distance.abs() <= window),
    all=Wrong(
        lambda real, distance, window: real,
        "Words outside of [p_t − D, p_t + D] take part. The softmax goes over the window alone; the "
        "Gaussian comes on top.",
    ),
)
BEND = Mistakes(
    "bend",
    right=torch.tanh,
    none=Wrong(lambda hidden: hidden, "The tanh between W_p and v_p is missing."),
)


def local_p_weights(
    query, scores, lengths, W_p, v_p, window,
    *, length=LENGTH.right, middle=MIDDLE.right, sigma=SIGMA.right, total=TOTAL.right,
    outside=OUTSIDE.right, bend=BEND.right,
):  # fmt: skip
    src = scores.shape[-1]
    share = torch.sigmoid(bend(query @ W_p.T) @ v_p)  # (batch, tgt)
    centre = middle(length(lengths, src)[:, None] * share)
    distance = torch.arange(src) - centre[:, :, None]
    may = outside(real_places(lengths, src).expand(scores.shape), distance, window)
    bell = torch.exp(-(distance**2) / (2 * sigma(window) ** 2))
    return centre, total(scores, may, bell)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded"):
        batch, tgt, d_query, d_attention = draw.sizes(4, 2, 6)
        src, window = draw.random.randint(11, 14), draw.random.choice((3, 4))
        lengths = torch.full((batch,), src)
        if kind == "padded":
            lengths = torch.tensor([draw.random.randint(window + 3, src - 2) for _ in range(batch)])
        found.append(
            Case(
                {
                    "query": draw.normal(batch, tgt, d_query),
                    "scores": draw.normal(batch, tgt, src),
                    "lengths": lengths,
                    "W_p": draw.normal(d_attention, d_query),
                    "v_p": draw.normal(d_attention, scale=0.6),
                    "window": window,
                },
                **PADDED_CASES[kind],
            )
        )
    return found


def within_the_sentence(args, outputs) -> bool:
    centre = outputs["centre"]
    return bool(((centre >= 0) & (centre <= args["lengths"][:, None])).all())


def less_than_one(args, outputs) -> bool:
    return bool((outputs["weights"].sum(-1) < 1 + 1e-5).all())


EXERCISE = Function(
    id="5.8",
    title="Predict where, then look",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="local_p_weights(query, scores, lengths, W_p, v_p, window)",
    outputs=(Output("centre", ("batch", "tgt")), Output("weights", ("batch", "tgt", "src"))),
    reference=local_p_weights,
    cases=cases,
    properties=(
        NOT_NEGATIVE,
        PADDING_GETS_NOTHING,
        Property("p_t lies between 0 and the sentence's length", within_the_sentence),
        Property("no row of weights adds up to more than 1", less_than_one),
    ),
    mistakes=(LENGTH, MIDDLE, SIGMA, TOTAL, OUTSIDE, BEND),
    together=4,
    possible=lambda switches: (
        not (
            (switches.get("total") in ("one", "batch") and len(switches) > 3)
            or (switches.get("sigma") == "precedence" and "outside" in switches)
        )
    ),
    forbidden=("LocalAttention", "attnbook.nn"),
    hints=(
        "`torch.sigmoid(torch.tanh(query @ W_p.T) @ v_p)` is a share of the way, (batch, tgt).",
        "Distances: `torch.arange(src) - centre[:, :, None]`, (batch, tgt, src). Window and padding make "
        "one mask; scores elsewhere become −∞, then softmax.",
        "Last, multiply with `exp(−distance² / (2σ²))`, σ = window / 2, and leave the sums alone.",
    ),
)
