"""7.3: self-attention that does not look ahead."""

import torch

from attnbook.exercises.mistakes import EMPTY, KEY_DIVISOR, MASK, OVER_OR_BATCH
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

SCALE = KEY_DIVISOR.only("none", "d_k", "d_model", "d_v", "n_keys", "multiplied", "after", "eight")
FORGOT_TILDE = (
    "The triangle is upside down: each word sees the words *after* it, and those before it are forbidden. "
    "`masked_fill` fills where its mask is True, and your mask is True where a word *may* attend. "
)
LAST_NAN = "So the last word has nothing left, and its row is NaN."
LAST_EQUAL = "So the last word has nothing left, and spreads its weight evenly over all."
SELF_EXCLUDED = "A word may not attend to itself in your code: the diagonal of the mask is False. "
# What the triangle is, and what becomes of a row without anything: everything → (mask, empty).
PAST = Mistakes(
    "past",
    right=lambda everything: (everything.tril(), EMPTY.right),
    self_excluded=Wrong(
        lambda everything: (everything.tril(-1), EMPTY.right),
        SELF_EXCLUDED + "Then the first word has nothing to attend to.",
    ),
    self_excluded_nan=Wrong(
        lambda everything: (everything.tril(-1), EMPTY["nan"].code),
        SELF_EXCLUDED + "Then the first word has nothing to attend to, and its row is NaN.",
    ),
    self_excluded_equal=Wrong(
        lambda everything: (everything.tril(-1), EMPTY["uniform"].code),
        SELF_EXCLUDED
        + "Then the first word has nothing to attend to, and spreads its weight over all words, "
        "the later ones included.",
    ),
    one_ahead=Wrong(
        lambda everything: (everything.tril(1), EMPTY.right),
        "The triangle begins one column too late: each word still sees the next one. That is the word "
        "which a language model has to guess.",
    ),
    future=Wrong(
        lambda everything: (everything.triu(), EMPTY.right),
        "The triangle is upside down: each word attends to itself and to those *after* it.",
    ),
    inverted_nan=Wrong(
        lambda everything: (everything.triu(1), EMPTY["nan"].code),
        FORGOT_TILDE + LAST_NAN,
    ),
    inverted_equal=Wrong(
        lambda everything: (everything.triu(1), EMPTY["uniform"].code),
        FORGOT_TILDE + LAST_EQUAL,
    ),
    all=Wrong(
        lambda everything: (everything, EMPTY.right),
        "Nothing is masked: every word attends to the whole sentence, the future included.",
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
    *, scale=SCALE.right, past=PAST.right, placed=PLACED.right, over=OVER_OR_BATCH.right, roles=ROLES.right,
):  # fmt: skip
    asking, asked = roles(W_q, W_k)
    n, d_model = x.shape[1:]
    before, after = scale(W_q.shape[0], d_model=d_model, d_v=W_v.shape[0], n_keys=n)
    scores = (x @ asking.T) @ (x @ asked.T).mT / before
    mask, empty = past(torch.ones(n, n, dtype=torch.bool))
    if over == 0:  # over the batch a forbidden place is −∞ in every sentence
        empty = EMPTY["nan"].code
    weights = masked_softmax(scores, mask, placed=placed, empty=empty, dim=over) / after
    return weights @ (x @ W_v.T)


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


EMPTY_ROWS = tuple(name for name in PAST.wrongs if name.startswith(("self_excluded", "inverted")))

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
    mistakes=(SCALE, PAST, PLACED, OVER_OR_BATCH, ROLES),
    together=2,
    meaningless=(
        (PLACED, PAST["all"]),
        *((PLACED, PAST[name]) for name in EMPTY_ROWS),
        (OVER_OR_BATCH, PLACED),
        (OVER_OR_BATCH, PAST),
        (OVER_OR_BATCH["batch"], SCALE),
        (OVER_OR_BATCH["batch"], ROLES),
    ),
    forbidden=("scaled_dot_product_attention", "attnbook.nn", "MultiheadAttention"),
    hints=(
        "Three products first: `x @ W_q.T` is (batch, n, d_k). The matrices are stored as `nn.Linear` "
        "stores them.",
        "`torch.ones(n, n, dtype=torch.bool).tril()` is True on the diagonal and to its left.",
        "Scores, divided by the root of W_q.shape[0], then `masked_fill(~mask, -math.inf)`, softmax "
        "over the last axis, times the values.",
    ),
)
