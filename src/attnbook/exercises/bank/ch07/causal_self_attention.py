"""7.3: self-attention that does not look ahead."""

import math

import torch

from attnbook.exercises.mistakes import KEY_SCALE, MASK, OVER
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

SCALE = Mistakes(
    "scale",
    right=lambda scores, d_k, d_model: scores / math.sqrt(d_k),
    none=Wrong(lambda scores, d_k, d_model: scores, KEY_SCALE["none"].text),
    d_k=Wrong(lambda scores, d_k, d_model: scores / d_k, KEY_SCALE["d_k"].text),
    d_model=Wrong(
        lambda scores, d_k, d_model: scores / math.sqrt(d_model),
        "The scores are divided by √d_model. What counts is the length of the vectors that are compared, "
        "queries and keys: d_k.",
    ),
)
PAST = Mistakes(
    "past",
    right=lambda everything: everything.tril(),
    past_only=Wrong(
        lambda everything: everything.tril(-1),
        "A word may not look at itself. The diagonal of the mask is False; then the first word has nobody "
        "to look at.",
    ),
    one_ahead=Wrong(
        lambda everything: everything.tril(1),
        "The triangle begins one column too late: each word still sees the next one. That is the word "
        "which a language model has to guess.",
    ),
    future=Wrong(
        lambda everything: everything.triu(),
        "The triangle is upside down: each word looks at itself and at those *after* it.",
    ),
    all=Wrong(
        lambda everything: everything,
        "Nothing is masked: every word looks at the whole sentence, the future included.",
    ),
)
PLACED = MASK.only("after", "zero")
ROLES = Mistakes(
    "roles",
    right=lambda W_q, W_k: (W_q, W_k),
    exchanged=Wrong(
        lambda W_q, W_k: (W_k, W_q),
        "Queries and keys are exchanged: row i holds what the others think of word i, instead of what "
        "word i thinks of the others.",
    ),
)


def causal_self_attention(
    x, W_q, W_k, W_v,
    *, scale=SCALE.right, past=PAST.right, placed=PLACED.right, over=OVER.right, roles=ROLES.right,
):  # fmt: skip
    asking, asked = roles(W_q, W_k)
    scores = scale((x @ asking.T) @ (x @ asked.T).mT, W_q.shape[0], x.shape[-1])
    n = x.shape[1]
    mask = past(torch.ones(n, n, dtype=torch.bool))
    return masked_softmax(scores, mask, placed=placed, dim=over) @ (x @ W_v.T)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(4):
        batch, n, d_model, d_k, d_v = draw.sizes(5, 3, 9)
        found.append(
            Case(
                {
                    "x": draw.normal(batch, n, d_model),
                    "W_q": draw.normal(d_k, d_model, scale=0.8),
                    "W_k": draw.normal(d_k, d_model, scale=0.8),
                    "W_v": draw.normal(d_v, d_model, scale=0.8),
                }
            )
        )
    return found


def first_word_sees_itself(args, outputs) -> bool:
    first = args["x"][:, 0] @ args["W_v"].T
    return torch.allclose(outputs["context"][:, 0], first, atol=1e-3)


EXERCISE = Function(
    id="7.3",
    title="Self-attention that does not look ahead",
    points=4,
    minutes=15,
    difficulty="medium",
    signature="causal_self_attention(x, W_q, W_k, W_v)",
    outputs=(Output("context", ("batch", "n", "d_v")),),
    reference=causal_self_attention,
    cases=cases,
    properties=(
        Property("the first word sees only itself, so its context is its own value", first_word_sees_itself),
    ),
    mistakes=(SCALE, PAST, PLACED, OVER, ROLES),
    meaningless=(
        (PLACED, PAST["all"]),
        (PLACED, PAST["past_only"]),
        (OVER, PLACED),
        (OVER, PAST),
    ),
    forbidden=("scaled_dot_product_attention", "attnbook.nn", "MultiheadAttention"),
    hints=(
        "Three products first: `x @ W_q.T` is (batch, n, d_k). The tables are stored as `nn.Linear` "
        "stores them.",
        "`torch.ones(n, n, dtype=torch.bool).tril()` is True on the diagonal and to its left.",
        "Scores, divided by the root of W_q.shape[0], then `masked_fill(~mask, -math.inf)`, softmax "
        "over the last axis, times the values.",
    ),
)
