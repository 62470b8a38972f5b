"""5.8: a window whose place and width are both predicted, as a Gaussian in the scores."""

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
        "S is the width of the batch, padding included. Then p_t and D_t depend on the longest sentence "
        "beside this one. S is the number of words of each sentence, in `lengths`.",
    ),
    less_one=Wrong(
        lambda lengths, src: lengths - 1,
        "The two shares are multiplied by S − 1. That would be sensible for a place, and the formula "
        "multiplies both by S.",
    ),
)
MIDDLE = Mistakes(
    "middle",
    right=lambda centre: centre,
    rounded=Wrong(
        torch.round,
        "p_t is rounded to a whole place. It stays real: a rounded number has no useful gradient, and v_p "
        "would never learn.",
    ),
)
WIDTH = Mistakes(
    "width",
    right=lambda hidden, v_p, v_d: v_d,
    of_the_place=Wrong(
        lambda hidden, v_p, v_d: v_p,
        "The width is made with v_p, so that it equals p_t. W_p is shared; the width has v_d as its own last "
        "vector.",
    ),
)
SIGMA = Mistakes(
    "sigma",
    right=lambda width: width / 2,
    whole=Wrong(lambda width: width, "The Gaussian has σ = D_t, too wide. Here σ_t = D_t/2."),
    precedence=Wrong(
        lambda width: 2 / width,
        "The squared distance is divided by 2 and then *multiplied* by σ²: without parentheses, `/ 2 * σ**2` "
        "goes from left to right.",
    ),
    variance=Wrong(
        lambda width: torch.sqrt(width / 2),
        "D_t/2 stands where σ² belongs. What is added is −(s − p_t)² / (2σ²) with σ = D_t/2.",
    ),
)
# How the Gaussian meets the scores: (scores, real, exponent) → weights.
PLACED = Mistakes(
    "placed",
    right=lambda scores, real, exponent: masked_softmax(scores + exponent, real),
    after=Wrong(
        lambda scores, real, exponent: masked_softmax(scores, real) * exponent.exp(),
        "The Gaussian multiplies the weights after the softmax, as in Luong's local-p, so that a row adds up "
        "to less than 1. Here its exponent is added to the scores, before the softmax.",
    ),
    times=Wrong(
        lambda scores, real, exponent: masked_softmax(scores * exponent.exp(), real),
        "The Gaussian is multiplied with the scores: a negative score far away would grow. Its exponent is "
        "added to them.",
    ),
    bell=Wrong(
        lambda scores, real, exponent: masked_softmax(scores + exponent.exp(), real),
        "The Gaussian itself is added to the scores, so that a word far away loses one point at most. "
        "What is added is its exponent.",
    ),
    sign=Wrong(
        lambda scores, real, exponent: masked_softmax(scores - exponent, real),
        "The minus of the exponent is lost: the further a word is from p_t, the more weight it gets.",
    ),
    batch=Wrong(
        lambda scores, real, exponent: masked_softmax(scores + exponent, real, dim=0),
        "The softmax runs over the batch: sentences compete with each other for a place. It should run over "
        "the words of each source sentence.",
    ),
)
WORDS = Mistakes(
    "words",
    right=lambda real, distance, width: real,
    padding=Wrong(
        lambda real, distance, width: torch.ones_like(real),
        "Padding takes part in the softmax. Only the first `lengths[b]` places of sentence b are words.",
    ),
    cut=Wrong(
        lambda real, distance, width: real & (distance.abs() <= width),
        "Words outside of [p_t − D_t, p_t + D_t] are cut off, as in Luong's windows. Here none is: far away "
        "the Gaussian makes the weight small by itself.",
    ),
)
BEND = Mistakes(
    "bend",
    right=torch.tanh,
    none=Wrong(lambda hidden: hidden, "The tanh between W_p and the last vector is missing."),
)


def predicted_window(
    query, scores, lengths, W_p, v_p, v_d,
    *, length=LENGTH.right, middle=MIDDLE.right, width=WIDTH.right, sigma=SIGMA.right,
    placed=PLACED.right, words=WORDS.right, bend=BEND.right,
):  # fmt: skip
    src = scores.shape[-1]
    hidden = bend(query @ W_p.T)  # (batch, tgt, d_attention)
    size = length(lengths, src)[:, None]
    centre = middle(size * torch.sigmoid(hidden @ v_p))
    wide = size * torch.sigmoid(hidden @ width(hidden, v_p, v_d))
    distance = torch.arange(src) - centre[:, :, None]
    real = words(real_places(lengths, src).expand(scores.shape), distance, wide[:, :, None])
    exponent = -(distance**2) / (2 * sigma(wide[:, :, None]) ** 2)
    return centre, wide, placed(scores, real, exponent)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded"):
        batch, tgt, d_query, d_attention = draw.sizes(4, 2, 6)
        src = draw.random.randint(11, 14)
        lengths = torch.full((batch,), src)
        if kind == "padded":
            lengths = torch.tensor([draw.random.randint(6, src - 2) for _ in range(batch)])
        found.append(
            Case(
                {
                    "query": draw.normal(batch, tgt, d_query),
                    "scores": draw.normal(batch, tgt, src),
                    "lengths": lengths,
                    "W_p": draw.normal(d_attention, d_query),
                    "v_p": draw.normal(d_attention, scale=0.6),
                    "v_d": draw.normal(d_attention, scale=0.6),
                },
                **PADDED_CASES[kind],
            )
        )
    return found


def within_the_sentence(args, outputs) -> bool:
    return all(
        bool(((outputs[name] >= 0) & (outputs[name] <= args["lengths"][:, None])).all())
        for name in ("centre", "width")
    )


def adds_up_to_one(args, outputs) -> bool:
    return bool(((outputs["weights"].sum(-1) - 1).abs() < 1e-4).all())


EXERCISE = Function(
    id="5.8",
    title="Predict where, then look",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="predicted_window(query, scores, lengths, W_p, v_p, v_d)",
    outputs=(
        Output("centre", ("batch", "tgt")),
        Output("width", ("batch", "tgt")),
        Output("weights", ("batch", "tgt", "src")),
    ),
    reference=predicted_window,
    cases=cases,
    properties=(
        NOT_NEGATIVE,
        PADDING_GETS_NOTHING,
        Property("p_t and D_t lie between 0 and the sentence's length", within_the_sentence),
        Property("every row of weights adds up to 1", adds_up_to_one),
    ),
    mistakes=(LENGTH, MIDDLE, WIDTH, SIGMA, PLACED, WORDS, BEND),
    together=2,
    # so narrow a Gaussian leaves nothing that a window could cut off
    meaningless=((SIGMA["precedence"], WORDS["cut"]),),
    forbidden=("LocalAttention", "attnbook.nn"),
    hints=(
        "`hidden = torch.tanh(query @ W_p.T)` is used twice, for a share of the way and for a share of the "
        "length: `torch.sigmoid(hidden @ v_p)`, (batch, tgt), and the same with v_d.",
        "Distances: `torch.arange(src) - centre[:, :, None]`, (batch, tgt, src). Their squares, divided by "
        "2σ² and negative, go to the scores.",
        "Padding then becomes −∞, and one softmax over the last dimension is all: a sum in the exponent is a "
        "product of exponentials, divided by its own sum.",
    ),
)
