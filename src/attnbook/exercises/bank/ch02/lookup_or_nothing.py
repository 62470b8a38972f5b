"""2.10: a lookup that may find nothing."""

import torch

from attnbook.exercises.mistakes import KEY_SCALE
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def with_exit(scores, exit_score):
    """Weights of the keys when one more entry has this score, without overflow."""
    largest = scores.amax(dim=-1, keepdim=True).clamp(min=exit_score)
    powers = torch.exp(scores - largest)
    return powers / (powers.sum(dim=-1, keepdim=True) + torch.exp(exit_score - largest))


def overflowing(scores):
    powers = torch.exp(scores)
    return powers / (1 + powers.sum(dim=-1, keepdim=True))


EXIT = Mistakes(
    "exit",
    right=lambda scores: with_exit(scores, 0.0),
    none=Wrong(
        lambda scores: torch.softmax(scores, dim=-1),
        "There is no way out: the weights of each query add up to 1, however badly all keys fit. The entry "
        "with score 0 takes part in the softmax.",
    ),
    one=Wrong(
        lambda scores: with_exit(scores, 1.0),
        "The added entry scores 1, so e is added below the line. Its score is 0, and exp(0) = 1.",
    ),
    zero=Wrong(
        lambda scores: (
            torch.exp(scores - scores.amax(-1, keepdim=True))
            / (1 + torch.exp(scores - scores.amax(-1, keepdim=True)).sum(-1, keepdim=True))
        ),
        "The largest score is taken away from the keys' scores and not from the added entry's 0. Taking a "
        "number away changes nothing only if it is taken away from *all* scores.",
    ),
    sigmoid=Wrong(
        torch.sigmoid,
        "Each key is weighed on its own, with a sigmoid, so several can have a weight near 1. The keys "
        "should compete with each other as well.",
    ),
    overflow=Wrong(
        overflowing,
        "The exponential of a large score overflows. Take the largest of all scores away first, and do not "
        "forget that one of them is the 0 of the added entry.",
    ),
)


def lookup_or_nothing(query, key, value, *, scale=KEY_SCALE.right, exit=EXIT.right):
    weights = exit(scale(query @ key.mT, query.shape[-1]))
    return weights @ value, weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for spread in (0.5, 1.5, 1.5, 300.0):
        batch, queries, keys, d_k, d_v = draw.sizes(5, 2, 9)
        found.append(
            Case(
                {
                    "query": draw.normal(batch, queries, d_k, scale=spread),
                    "key": draw.normal(batch, keys, d_k),
                    "value": draw.normal(batch, keys, d_v),
                },
                group="edge" if spread > 100 else "plain",
                note="scores of hundreds" if spread > 100 else "",
            )
        )
    return found


EXERCISE = Function(
    id="2.10",
    title="A lookup that may find nothing",
    points=4,
    minutes=15,
    difficulty="hard",
    signature="lookup_or_nothing(query, key, value)",
    outputs=(
        Output("context", ("batch", "queries", "d_v")),
        Output("weights", ("batch", "queries", "keys")),
    ),
    reference=lookup_or_nothing,
    cases=cases,
    mistakes=(KEY_SCALE, EXIT),
    forbidden=("MultiheadAttention", "attnbook.nn"),
    hints=(
        "One more entry, with score 0 and a value of zeros. What does it add below the fraction's line?",
        "Append a column of zeros to the scores, take the softmax, and drop that column again.",
        "`torch.cat([scores, torch.zeros_like(scores[..., :1])], dim=-1).softmax(-1)[..., :-1]`, with scaled "
        "scores.",
    ),
)
