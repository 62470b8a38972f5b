"""14.2: two distances between rows of weights, as both papers measure them."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _xlogy(p, q):
    """p · log q, and 0 where p is 0."""
    return torch.where(p > 0, p * q.clamp(min=1e-30).log(), 0.0)


HALF = Mistakes(
    "half",
    right=lambda apart: apart.sum(-1) / 2,
    none=Wrong(
        lambda apart: apart.sum(-1),
        "The total variation distance is twice what it should be: what one row has more, the other has "
        "less, and both are counted. It lies between 0 and 1.",
    ),
    mean=Wrong(
        lambda apart: apart.mean(-1),
        "The absolute differences are averaged over the words, so that long texts come out nearer to each "
        "other. Add them up, and take a half.",
    ),
    largest=Wrong(
        lambda apart: apart.amax(-1),
        "You return the largest difference of a word. The distance adds up the differences of all words.",
    ),
)
MIDDLE = Mistakes(
    "middle",
    right=lambda p, q: (
        (_xlogy(p, p) - _xlogy(p, (p + q) / 2) + _xlogy(q, q) - _xlogy(q, (p + q) / 2)).sum(-1) / 2
    ),
    one_sided=Wrong(
        lambda p, q: (_xlogy(p, p) - _xlogy(p, (p + q) / 2)).sum(-1),
        "Only the first row is compared with the average of both. Do the same with the second row, and take "
        "the mean.",
    ),
    not_halved=Wrong(
        lambda p, q: (_xlogy(p, p) - _xlogy(p, (p + q) / 2) + _xlogy(q, q) - _xlogy(q, (p + q) / 2)).sum(-1),
        "The two divergences are added. It is their mean that never exceeds ln 2.",
    ),
    bits=Wrong(
        lambda p, q: (
            (_xlogy(p, p) - _xlogy(p, (p + q) / 2) + _xlogy(q, q) - _xlogy(q, (p + q) / 2)).sum(-1)
            / (2 * math.log(2))
        ),
        "Your logarithm has the base 2. Here the unit is the nat: `torch.log`.",
    ),
    nan=Wrong(
        lambda p, q: (p * (p.log() - ((p + q) / 2).log()) + q * (q.log() - ((p + q) / 2).log())).sum(-1) / 2,
        "A word that has no weight gives 0 · log 0, which is NaN. Such a term counts as 0: `torch.xlogy`, or "
        "clamp before the logarithm.",
    ),
)


def weight_distances(p, q, *, half=HALF.right, middle=MIDDLE.right):
    return half((p - q).abs()), middle(p, q)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("plain", "plain", "edge"):
        batch, words = draw.sizes(2, 3, 9)
        p, q = (torch.softmax(draw.normal(batch, words, scale=1.5), dim=-1) for _ in range(2))
        if kind == "edge":
            hidden = draw.mask(batch, words)
            p = p * hidden / (p * hidden).sum(-1, keepdim=True)
        found.append(Case({"p": p, "q": q}, group=kind, note="some weights are 0" if kind == "edge" else ""))
    return found


EXERCISE = Function(
    id="14.2",
    title="How unlike are two rows of weights?",
    points=2,
    minutes=10,
    difficulty="easy",
    signature="weight_distances(p, q)",
    outputs=(Output("total_variation", ("batch",)), Output("divergence", ("batch",))),
    reference=weight_distances,
    cases=cases,
    mistakes=(HALF, MIDDLE),
    together=2,
    tolerance=(2e-4, 1e-5),
    forbidden=("attnbook.analysis",),
    hints=(
        "Both are sums over the last dimension, one number for each text.",
        "`middle = (p + q) / 2`, then `torch.xlogy(p, p) - torch.xlogy(p, middle)` is a term of the first "
        "divergence.",
        "Half the sum of `(p - q).abs()`; and the mean of the two divergences from `middle`.",
    ),
)
