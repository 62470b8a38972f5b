"""6.8: straight-through attention whose gradient got lost."""

import torch

from attnbook.exercises.spec import Case, Draw, Mistakes, Module, Output, Property, Wrong


def largest(soft: torch.Tensor) -> torch.Tensor:
    """1 at each row's largest weight."""
    return torch.zeros_like(soft).scatter(-1, soft.argmax(-1, keepdim=True), 1.0)


WEIGHTS = Mistakes(
    "through",
    right=lambda soft: largest(soft) + (soft - soft.detach()),
    lost=Wrong(
        lambda soft: largest(soft) + (soft - soft),
        "No gradient reaches W. The term that is added to the draw has to be zero in value, and only one "
        "of its two halves may be a constant for the backward pass: soft − soft has no gradient, and "
        "neither has a difference of which both halves are detached.",
    ),
    soft=Wrong(
        lambda soft: soft,
        "The context is mixed from several positions: these are the soft weights. In the forward pass "
        "exactly one position should be read.",
    ),
    wrong_one=Wrong(
        lambda soft: largest(soft) + (soft.detach() - soft),
        "The wrong one of the two is a constant: the gradient that reaches W has the opposite sign, and "
        "every step goes uphill.",
    ),
    added=Wrong(
        lambda soft: largest(soft) + soft,
        "The soft weights are added to the draw and never taken away, so that the weights of a row add "
        "up to 2.",
    ),
)
HEAT = Mistakes(
    "heat",
    right=lambda scores, noise, temperature: (scores + noise) / temperature,
    scores_alone=Wrong(
        lambda scores, noise, temperature: scores / temperature + noise,
        "The temperature divides the scores alone now, which changes the probabilities of the draw. It "
        "divides the sum of scores and noise.",
    ),
    no_noise=Wrong(
        lambda scores, noise, temperature: scores / temperature + 0 * noise,
        "The noise is gone, so that nothing is drawn any more: the largest score always wins.",
    ),
    none=Wrong(
        lambda scores, noise, temperature: scores + noise,
        "The temperature is no longer used. The draw stays the same without it; the gradient does not.",
    ),
)


def draw_attention(state, query, keys, values, noise, temperature, *, through=WEIGHTS.right, heat=HEAT.right):
    scores = (keys @ state["W"] @ query.unsqueeze(-1)).squeeze(-1)  # (batch, positions)
    soft = torch.softmax(heat(scores, noise, temperature), dim=-1)
    weights = through(soft)
    return (weights.unsqueeze(1) @ values).squeeze(1)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, positions, d_query, d_key, d_value = draw.sizes(5, 3, 9)
        W = draw.normal(d_key, d_query, scale=0.4)
        query, keys = draw.normal(batch, d_query), draw.normal(batch, positions, d_key)
        uniform = draw.uniform(batch, positions, low=0.05, high=0.95)
        found.append(
            Case(
                {
                    "query": query,
                    "keys": keys,
                    "values": draw.normal(batch, positions, d_value),
                    "noise": -torch.log(-torch.log(uniform)),
                    "temperature": round(draw.random.choice((0.6, 0.7, 1.6, 1.8)), 2),
                },
                init={"d_query": d_query, "d_key": d_key},
                state={"W": W},
                cotangents=[draw.normal(batch, d_value)],
            )
        )
    return found


def one_value(args, outputs) -> bool:
    """Each context is one of the values."""
    distance = (outputs["context"].unsqueeze(1) - args["values"]).abs().amax(-1)
    return bool((distance.amin(-1) < 1e-3).all())


EXERCISE = Module(
    id="6.8",
    title="Straight through to nowhere",
    bug=True,
    points=3,
    minutes=12,
    difficulty="medium",
    signature="DrawAttention(d_query, d_key)",
    outputs=(Output("context", ("batch", "d_value")),),
    reference=draw_attention,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    properties=(Property("each context is one of the values, unmixed", one_value),),
    mistakes=(WEIGHTS, HEAT),
    meaningless=((WEIGHTS["lost"], HEAT["none"]),),
    forbidden=("gumbel_softmax", "HardAttention", "attnbook.nn"),
    hints=(
        "Print `module.W.grad` after a backward pass. What should be in it?",
        "In the forward pass the added term has to be zero. In the backward pass it has to have the "
        "gradient of the soft weights. Is that so here?",
        "`x.detach()` has x's value and no gradient.",
    ),
)
