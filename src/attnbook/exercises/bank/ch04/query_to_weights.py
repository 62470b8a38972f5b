"""4.9 (starred): how the weights of an additive score answer when the query moves."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# How the hidden layer answers to what goes into it: (from_query, from_words) → (batch, src, d_attention).
SLOPE = Mistakes(
    "slope",
    right=lambda from_query, from_words: 1 - torch.tanh(from_query + from_words) ** 2,
    value=Wrong(
        lambda from_query, from_words: torch.tanh(from_query + from_words),
        "Where the slope of tanh belongs stands tanh itself.",
    ),
    line=Wrong(
        lambda from_query, from_words: 1 - torch.tanh(from_query + from_words),
        "The slope of tanh is 1 less its *square*; the square is missing.",
    ),
    words=Wrong(
        lambda from_query, from_words: 1 - torch.tanh(from_words) ** 2 + 0 * from_query,
        "The slope is taken where the words alone are. The tanh stands around the query's part and the "
        "word's together, and so does its slope.",
    ),
)
UNITS = Mistakes(
    "units",
    right=lambda slope, v: slope * v,
    alike=Wrong(
        lambda slope, v: slope,
        "The vector v is missing: a hidden unit that counts for little in the score also passes on little.",
    ),
)
# What the scores' answers become on their way through the softmax: (weights, moved) → (batch, src, d_query).
THROUGH = Mistakes(
    "through",
    right=lambda weights, moved: moved - (weights[:, :, None] * moved).sum(1, keepdim=True),
    alone=Wrong(
        lambda weights, moved: moved,
        "Each word's weight answers to its own score alone. All scores move with the query, and the words of "
        "a sentence share one whole: what the *other* scores do is missing.",
    ),
    diagonal=Wrong(
        lambda weights, moved: moved * (1 - weights[:, :, None]),
        "You have αⱼ(1 − αⱼ): how a weight answers to its own score. All scores move with the query, and "
        "what the others take away is missing.",
    ),
    mean=Wrong(
        lambda weights, moved: moved - moved.mean(1, keepdim=True),
        "The plain mean over the words is taken away. Words that have much weight count for more: the mean "
        "is weighted with α.",
    ),
)
FACTOR = Mistakes(
    "factor",
    right=lambda weights, moved: weights[:, :, None] * moved,
    none=Wrong(
        lambda weights, moved: moved,
        "The result is not multiplied by the weights. A word whose weight is nearly 0 can gain or lose "
        "nearly nothing.",
    ),
)


def query_to_weights(
    query, annotations, W, U, v,
    *, slope=SLOPE.right, units=UNITS.right, through=THROUGH.right, factor=FACTOR.right,
):  # fmt: skip
    from_query = (query @ W.T)[:, None, :]  # (batch, 1, d_attention)
    from_words = annotations @ U.T  # (batch, src, d_attention)
    weights = torch.softmax(torch.tanh(from_query + from_words) @ v, dim=-1)  # (batch, src)
    moved = units(slope(from_query, from_words), v) @ W  # (batch, src, d_query)
    return factor(weights, through(weights, moved))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(4):
        batch, src, d_query, d_annotation, d_attention = draw.sizes(5, 2, 9)
        found.append(
            Case(
                {
                    "query": draw.normal(batch, d_query),
                    "annotations": draw.normal(batch, src, d_annotation),
                    "W": draw.normal(d_attention, d_query, scale=0.7),
                    "U": draw.normal(d_attention, d_annotation, scale=0.7),
                    "v": draw.normal(d_attention) + 0.3,
                }
            )
        )
    return found


EXERCISE = Function(
    id="4.9",
    title="★ Where the query is heard",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="query_to_weights(query, annotations, W, U, v)",
    outputs=(Output("slopes", ("batch", "src", "d_query")),),
    reference=query_to_weights,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    properties=(
        Property(
            "over the words of a sentence the slopes add up to 0, since the weights always add up to 1",
            lambda args, outputs: bool((outputs["slopes"].sum(dim=1).abs() < 1e-4).all()),
        ),
        # Without the slope of tanh, or with one that is alike for all words, all scores would move alike.
        Property(
            "the slopes are not all 0: the slope of tanh, 1 − tanh², is taken where each word is, so that "
            "the words' scores move differently",
            lambda args, outputs: bool((outputs["slopes"].abs() > 1e-6).any()),
        ),
    ),
    mistakes=(SLOPE, UNITS, THROUGH, FACTOR),
    forbidden=("backward(", "autograd", "jacobian", "jacrev", "jacfwd", "vmap"),
    hints=(
        "First the scores: how does eⱼ change with the query? Through each hidden unit, whose tanh has the "
        "slope 1 − tanh².",
        "`slope * v` is (batch, src, d_attention), and W leads from there to the query's numbers.",
        "Then the softmax: αⱼ times what is left of word j's slope when the mean over the words, weighted "
        "with α, is taken away.",
    ),
)
