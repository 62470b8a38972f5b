"""2.8: two halves of a memory, looked up apart and joined afterwards."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# The share of the first half, (queries): (its logarithm, that of the second half) → share.
SHARE = Mistakes(
    "share",
    right=lambda a, b: torch.sigmoid(a - b),
    half=Wrong(
        lambda a, b: torch.full_like(a, 0.5),
        "The two contexts are averaged, half and half. A half of the memory in which nothing fits would "
        "have as much to say as one in which everything does. What do the logarithms tell you?",
    ),
    logs=Wrong(
        lambda a, b: a / (a + b),
        "The logarithms are taken as the halves' parts. They are logarithms of sums of exponentials, and it "
        "is the sums that are shared out.",
    ),
    turned=Wrong(
        lambda a, b: torch.sigmoid(b - a),
        "Each half gets the other's part: the better fit counts for less.",
    ),
    overflow=Wrong(
        lambda a, b: torch.exp(a) / (torch.exp(a) + torch.exp(b)),
        "The shares are NaN where the logarithms are in the hundreds: their exponentials are infinite, or "
        "all 0. Only the difference of the two counts.",
    ),
)
TOTAL = Mistakes(
    "total",
    right=torch.logaddexp,
    added=Wrong(
        torch.add,
        "The two logarithms are added, which multiplies the sums. The sums are what has to be added, and the "
        "logarithm taken again.",
    ),
    larger=Wrong(
        torch.maximum,
        "The larger of the two logarithms is handed back. That leaves out what the smaller half adds to the "
        "sum.",
    ),
    mean=Wrong(
        lambda a, b: (a + b) / 2,
        "The mean of the logarithms is handed back. The sums are what has to be added.",
    ),
    overflow=Wrong(
        lambda a, b: torch.log(torch.exp(a) + torch.exp(b)),
        "The logarithm of the sum is infinite where the two are in the hundreds: their exponentials do not "
        "fit a float32. Take the larger one out first, or look for a function of torch that does.",
    ),
)


def joined_lookup(first, first_log, second, second_log, *, share=SHARE.right, total=TOTAL.right):
    part = share(first_log, second_log)[:, None]
    return part * first + (1 - part) * second, total(first_log, second_log)


def looked_up(draw: Draw, queries: int, keys: int, d_v: int, above: float):
    """The context of a part of a memory, and the logarithm of its sum of exponentials."""
    scores = draw.normal(queries, keys, scale=1.5) + above
    return torch.softmax(scores, dim=-1) @ draw.normal(keys, d_v), torch.logsumexp(scores, dim=-1)


def cases(draw: Draw) -> list[Case]:
    found = []
    for heights in ((0.5, 0.0), (0.0, 0.8), (0.3, 0.3), (300.0, 301.0), (-400.0, -401.0)):
        queries, left, right, d_v = draw.sizes(4, 3, 9)
        first, first_log = looked_up(draw, queries, left, d_v, heights[0])
        second, second_log = looked_up(draw, queries, right, d_v, heights[1])
        edge = abs(heights[0]) > 100
        found.append(
            Case(
                {"first": first, "first_log": first_log, "second": second, "second_log": second_log},
                group="edge" if edge else "plain",
                note="scores of hundreds" if edge else "",
            )
        )
    return found


EXERCISE = Function(
    id="2.8",
    title="A memory in two halves",
    points=4,
    minutes=18,
    difficulty="hard",
    signature="joined_lookup(first, first_log, second, second_log)",
    outputs=(Output("context", ("queries", "d_v")), Output("log_sum", ("queries",))),
    reference=joined_lookup,
    cases=cases,
    mistakes=(SHARE, TOTAL),
    hints=(
        "Write the context of the whole memory as one fraction. Which part of the sum above the line, and "
        "of that below it, comes from the first half?",
        "The first half's part is exp(first_log) / (exp(first_log) + exp(second_log)). Divide above and "
        "below by exp(first_log): what is left is a sigmoid of a difference.",
        "`torch.sigmoid(first_log - second_log)` is the first half's part; `torch.logaddexp` joins the two "
        "logarithms.",
    ),
)
