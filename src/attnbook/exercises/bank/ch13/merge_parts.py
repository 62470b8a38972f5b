"""13.4: two pieces of one softmax, computed apart, become one."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def _factor(old, new):
    return torch.exp(old - new)


# (m_a, m_b, m) → the factors by which the sums of both parts are multiplied.
RESCALE = Mistakes(
    "rescale",
    right=lambda m_a, m_b, m: (_factor(m_a, m), _factor(m_b, m)),
    none=Wrong(
        lambda m_a, m_b, m: (torch.ones_like(m), torch.ones_like(m)),
        "The two sums are added as they are. Each was made with exp(score − its own m), so they are in "
        "different units: multiply each by exp(its m − the common m).",
    ),
    first_only=Wrong(
        lambda m_a, m_b, m: (_factor(m_a, m), torch.ones_like(m)),
        "Only the first part is brought to the new maximum. The second needs its factor too: where the first "
        "part holds the maximum, it is the second that changes.",
    ),
    inverted=Wrong(
        lambda m_a, m_b, m: (_factor(m, m_a), _factor(m, m_b)),
        "Your factors are exp(common m − own m), which is 1 or more. The common maximum is the "
        "larger one, so "
        "each factor is at most 1.",
    ),
)
MAXIMUM = Mistakes(
    "maximum",
    right=lambda m_a, m_b: torch.maximum(m_a, m_b),
    sum=Wrong(
        lambda m_a, m_b: m_a + m_b,
        "The two maxima are added. The maximum over all keys is the larger of the two.",
    ),
    mean=Wrong(
        lambda m_a, m_b: (m_a + m_b) / 2,
        "The two maxima are averaged. The maximum over all keys is the larger of the two.",
    ),
)
# (l_a, context_a, l_b, context_b) with the sums in common units → context.
MIX = Mistakes(
    "mix",
    right=lambda l_a, a, l_b, b: (l_a[:, None] * a + l_b[:, None] * b) / (l_a + l_b)[:, None],
    mean=Wrong(
        lambda l_a, a, l_b, b: (a + b) / 2,
        "The contexts are averaged half and half. The part with the larger sum of exponentials has "
        "the larger "
        "share.",
    ),
    sum=Wrong(
        lambda l_a, a, l_b, b: a + b,
        "The contexts are added. Each is an average already, so their sum is twice too large.",
    ),
    not_divided=Wrong(
        lambda l_a, a, l_b, b: l_a[:, None] * a + l_b[:, None] * b,
        "The division by the common sum is missing at the end.",
    ),
    exchanged=Wrong(
        lambda l_a, a, l_b, b: (l_b[:, None] * a + l_a[:, None] * b) / (l_a + l_b)[:, None],
        "Each context is weighed with the *other* part's sum.",
    ),
)


def merge_parts(
    m_a, l_a, context_a, m_b, l_b, context_b, *, rescale=RESCALE.right, maximum=MAXIMUM.right, mix=MIX.right
):
    m = maximum(m_a, m_b)
    factor_a, factor_b = rescale(m_a, m_b, m)
    l_a, l_b = l_a * factor_a, l_b * factor_b
    return m, l_a + l_b, mix(l_a, context_a, l_b, context_b)


def part(scores, value):
    """What one part hands over: the maximum, the sum of exponentials and the context, a row a query."""
    m = scores.amax(-1)
    weights = torch.exp(scores - m[:, None])
    return m, weights.sum(-1), weights @ value / weights.sum(-1, keepdim=True)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        queries, first, second, d_v = draw.sizes(4, 3, 9)
        parts = []
        for keys in (first, second):
            parts += part(draw.normal(queries, keys, scale=2.0), draw.normal(keys, d_v))
        # Either part holds the maximum of some query.
        parts[0][0], parts[3][0] = 2.5, 1.0
        parts[0][1], parts[3][1] = -0.5, 1.5
        found.append(
            Case(dict(zip(("m_a", "l_a", "context_a", "m_b", "l_b", "context_b"), parts, strict=True)))
        )
    return found


EXERCISE = Function(
    id="13.4",
    title="Two pieces of one softmax",
    points=2,
    minutes=12,
    difficulty="medium",
    signature="merge_parts(m_a, l_a, context_a, m_b, l_b, context_b)",
    outputs=(Output("m", ("queries",)), Output("l", ("queries",)), Output("context", ("queries", "d_v"))),
    reference=merge_parts,
    cases=cases,
    mistakes=(RESCALE, MAXIMUM, MIX),
    together=2,
    tolerance=(2e-4, 2e-5),
    forbidden=("attnbook.nn",),
    hints=(
        "The maximum over all keys is the larger of the two. What would each sum have been with that "
        "maximum?",
        "exp(score − m) = exp(score − m_a) · exp(m_a − m): one factor for the whole part.",
        "The context is the average of both contexts with the two rescaled sums as weights.",
    ),
)
