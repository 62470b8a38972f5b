"""8.8: how often a head looks at the word at a given distance."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

SIGN = Mistakes(
    "sign",
    right=lambda distance: distance,
    backwards=Wrong(
        lambda distance: -distance,
        "The distance is counted the wrong way: −1 means the word before, so the column is row + distance.",
    ),
)
# What the sum is divided by: (length, number of rows that have such a word) → number.
ROWS = Mistakes(
    "rows",
    right=lambda length, existing: existing,
    all=Wrong(
        lambda length, existing: length,
        "You divide by the number of all rows. The first word has no word before it; rows without such a "
        "word do not count.",
    ),
)
# What a row counts: weights (n_heads, length, length), rows and their columns → (n_heads, rows).
COUNTS = Mistakes(
    "counts",
    right=lambda weights, rows, columns: (weights.argmax(dim=-1)[:, rows] == columns).float(),
    mass=Wrong(
        lambda weights, rows, columns: weights[:, rows, columns],
        "You average the weight at that distance. Asked is how often the largest weight of a row is there.",
    ),
)
END = Mistakes(
    "end",
    right=lambda weights: weights,
    columns=Wrong(
        lambda weights: weights.mT,
        "The largest number is looked for in each column. A row belongs to a query; the largest weight of "
        "a row is `argmax(dim=-1)`.",
    ),
)


def share_at(weights, distance, *, sign=SIGN.right, rows=ROWS.right, counts=COUNTS.right, end=END.right):
    length, step = weights.shape[1], sign(distance)
    existing = torch.tensor([i for i in range(length) if 0 <= i + step < length])
    return counts(end(weights), existing, existing + step).sum(dim=1) / rows(length, len(existing))


def cases(draw: Draw) -> list[Case]:
    found = []
    for distance in (-1, 1, -2, 2):
        n_heads, length = draw.random.randint(3, 5), draw.random.randint(11, 14)
        scores = draw.normal(n_heads, length, length)
        for head in range(n_heads):  # some heads look at the distance, some the other way
            for i in range(length):
                for step in (distance, -distance):
                    if 0 <= i + step < length and draw.random.random() < 0.5:
                        scores[head, i, i + step] += 3.0 if (head % 2 == 0) == (step == distance) else 1.0
        found.append(Case({"weights": torch.softmax(scores, dim=-1), "distance": distance}))
    return found


EXERCISE = Function(
    id="8.8",
    title="How often a head looks there",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="share_at(weights, distance)",
    outputs=(Output("shares", ("n_heads",)),),
    reference=share_at,
    cases=cases,
    mistakes=(SIGN, ROWS, COUNTS, END),
    together=2,
    # Turned tables with turned distances are the same cells.
    meaningless=((SIGN, END), (COUNTS, END), (COUNTS, SIGN)),
    hints=(
        "`weights.argmax(dim=-1)` is, for each head and row, the place that is looked at most.",
        "Compare it with `torch.arange(length) + distance`, and leave out rows where that is no place.",
        "Mean over the rows that are left.",
    ),
)
