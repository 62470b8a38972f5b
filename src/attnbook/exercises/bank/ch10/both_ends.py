"""10.4: one table of word vectors on the way in and on the way out."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

SCALE = Mistakes(
    "scale",
    right=lambda words, positions, E: math.sqrt(E.shape[1]) * words + positions,
    none=Wrong(
        lambda words, positions, E: words + positions,
        "The word vectors are not multiplied by √d_model. They start small, so that the "
        "positions drown them.",
    ),
    divided=Wrong(
        lambda words, positions, E: words * (1 / math.sqrt(E.shape[1])) + positions,
        "The word vectors are divided by √d_model; they have to be multiplied.",
    ),
    d_model=Wrong(
        lambda words, positions, E: E.shape[1] * words + positions,
        "The word vectors are multiplied by d_model instead of its root.",
    ),
    vocab=Wrong(
        lambda words, positions, E: math.sqrt(E.shape[0]) * words + positions,
        "You multiply by the root of the number of words. It is the length of a vector that "
        "counts: E has the shape (vocab, d_model).",
    ),
    positions_too=Wrong(
        lambda words, positions, E: math.sqrt(E.shape[1]) * words + math.sqrt(E.shape[1]) * positions,
        "The positions are multiplied by √d_model as well. Only the words' vectors are: "
        "first multiply, then add the positions.",
    ),
)
PLACE = Mistakes(
    "place",
    right=lambda P, length: P[:length],
    none=Wrong(
        lambda P, length: torch.zeros_like(P[:length]),
        "The positions are missing: the same word gets the same vector wherever it stands.",
    ),
    last=Wrong(
        lambda P, length: P[-length:],
        "You took the last rows of P. The first word stands at position 0.",
    ),
    one_late=Wrong(
        lambda P, length: P[1 : length + 1],
        "Your positions are counted from 1: the first word takes row 0 of P.",
    ),
)
LOGITS = Mistakes(
    "logits",
    right=lambda scores, d_model: scores,
    scaled=Wrong(
        lambda scores, d_model: scores * math.sqrt(d_model),
        "The logits are multiplied by √d_model. The factor belongs to the way in alone.",
    ),
    divided=Wrong(
        lambda scores, d_model: scores / math.sqrt(d_model),
        "The logits are divided by √d_model. On the way out E is used as it is.",
    ),
    shares=Wrong(
        lambda scores, d_model: torch.softmax(scores, dim=-1),
        "You return shares. Logits are the scores before the softmax; the loss takes those.",
    ),
    log_shares=Wrong(
        lambda scores, d_model: torch.log_softmax(scores, dim=-1),
        "You return logarithms of shares. Logits are the scores before any softmax.",
    ),
)


def both_ends(tokens, E, P, hidden, *, scale=SCALE.right, place=PLACE.right, logits=LOGITS.right):
    x = scale(E[tokens], place(P, tokens.shape[1]), E)  # (batch, tgt, d_model)
    return x, logits(hidden @ E.T, E.shape[1])


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, length, d_model, vocab = draw.sizes(4, 3, 10)
        max_length = length + draw.random.randint(2, 5)
        found.append(
            Case(
                {
                    "tokens": draw.integers(batch, length, high=vocab),
                    "E": draw.normal(vocab, d_model, scale=0.6),
                    "P": draw.normal(max_length, d_model),
                    "hidden": draw.normal(batch, length, d_model),
                }
            )
        )
    return found


EXERCISE = Function(
    id="10.4",
    title="One table at both ends",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="both_ends(tokens, E, P, hidden)",
    outputs=(Output("x", ("batch", "tgt", "d_model")), Output("logits", ("batch", "tgt", "vocab"))),
    reference=both_ends,
    cases=cases,
    mistakes=(SCALE, PLACE, LOGITS),
    together=2,
    meaningless=((SCALE["positions_too"], PLACE["none"]),),
    forbidden=("attnbook.nn",),
    hints=(
        "`E[tokens]` looks up a row for each word: (batch, tgt, d_model).",
        "Multiply by `math.sqrt(E.shape[1])`, then add the first rows of P, as many as there are words.",
        "A logit is the dot product of a hidden vector with a row of E: `hidden @ E.T`.",
    ),
)
