"""2.10: a lookup that may find nothing, given an exit after it has been done."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# The part of its weight that each key keeps: (log_sum, exit_score) → (batch, queries).
KEPT = Mistakes(
    "kept",
    right=lambda log_sum, exit_score: torch.sigmoid(log_sum - exit_score),
    all=Wrong(
        lambda log_sum, exit_score: torch.ones_like(log_sum),
        "There is no exit: the weights of each query add up to 1, as they did before. The added entry takes "
        "part in the softmax.",
    ),
    the_exits=Wrong(
        lambda log_sum, exit_score: torch.sigmoid(exit_score - log_sum),
        "This is the weight of the added entry itself. What the keys keep is the rest of it.",
    ),
    exit_at_zero=Wrong(
        lambda log_sum, exit_score: torch.sigmoid(log_sum),
        "The added entry scores 0, whatever `exit_score` says. Here each query has an exit score of its own.",
    ),
    score_added=Wrong(
        lambda log_sum, exit_score: log_sum.exp() / (log_sum.exp() + exit_score),
        "`exit_score` itself is added to the sum of the exponentials. A score takes part in a softmax as "
        "e to its power.",
    ),
    no_exponential=Wrong(
        lambda log_sum, exit_score: log_sum / (log_sum + exit_score),
        "`log_sum` and `exit_score` are used as if they were the two terms of the fraction. Both are "
        "logarithms: the terms are e to the power of each.",
    ),
    overflow=Wrong(
        lambda log_sum, exit_score: log_sum.exp() / (log_sum.exp() + exit_score.exp()),
        "The exponential of a number of several hundred overflows, and of one far below zero is 0, so that "
        "0 / 0 is left. Divide both parts of the fraction by one of the two exponentials first.",
    ),
)
# What is made smaller: (context, weights, kept) → both.
WHAT = Mistakes(
    "what",
    right=lambda context, weights, kept: (kept[..., None] * context, kept[..., None] * weights),
    weights=Wrong(
        lambda context, weights, kept: (context, kept[..., None] * weights),
        "The weights became smaller and the context stayed. It is the sum of the values by the *new* "
        "weights.",
    ),
    context=Wrong(
        lambda context, weights, kept: (kept[..., None] * context, weights),
        "The context became smaller and the weights stayed. With the exit they no longer add up to 1.",
    ),
    evenly=Wrong(
        lambda context, weights, kept: (
            kept[..., None] * context,
            weights - (1 - kept[..., None]) / weights.shape[-1],
        ),
        "What the exit takes is taken from all keys alike, so a small weight can fall below 0. The new "
        "entry changes what all are divided by: each key loses the same *share* of its weight.",
    ),
)


def lookup_or_nothing(context, weights, log_sum, exit_score, *, kept=KEPT.right, what=WHAT.right):
    return what(context, weights, kept(log_sum, exit_score))


def cases(draw: Draw) -> list[Case]:
    """Lookups that are finished, and an exit score near enough to matter."""
    found = []
    for far in (0.0, 0.0, 0.0, 400.0):
        batch, queries, keys, d_v = draw.sizes(4, 2, 9)
        scores = draw.normal(batch, queries, keys, scale=1.5)
        scores[0] -= far  # both ways: exponentials that are 0, and infinite ones
        scores[1:] += far
        log_sum = torch.logsumexp(scores, dim=-1)
        weights = torch.softmax(scores, dim=-1)
        found.append(
            Case(
                {
                    "context": weights @ draw.normal(batch, keys, d_v),
                    "weights": weights,
                    "log_sum": log_sum,
                    "exit_score": log_sum + draw.normal(batch, queries, scale=1.2),
                },
                group="edge" if far else "plain",
                note="scores near 400 and −400" if far else "",
            )
        )
    return found


EXERCISE = Function(
    id="2.10",
    title="A lookup that may find nothing",
    points=4,
    minutes=15,
    difficulty="hard",
    signature="lookup_or_nothing(context, weights, log_sum, exit_score)",
    outputs=(
        Output("context", ("batch", "queries", "d_v")),
        Output("weights", ("batch", "queries", "keys")),
    ),
    reference=lookup_or_nothing,
    cases=cases,
    mistakes=(KEPT, WHAT),
    meaningless=((KEPT["all"], WHAT),),
    forbidden=("MultiheadAttention", "attnbook.nn"),
    hints=(
        "Softmax divides by Σ exp(score). With one more entry it divides by a larger number. By what factor "
        "does every weight of a query shrink?",
        "The factor is exp(log_sum) / (exp(log_sum) + exp(exit_score)), one number a query. The context is a "
        "sum by these weights, so it shrinks by the same factor.",
        "Above and below, divide by exp(log_sum): 1 / (1 + exp(exit_score − log_sum)), which torch has as "
        "`torch.sigmoid`. Then `[..., None]` lets one factor a query meet rows.",
    ),
)
