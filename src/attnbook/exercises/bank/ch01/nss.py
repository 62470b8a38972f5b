"""1.5: the normalised scanpath saliency."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

CENTRE = Mistakes(
    "centre",
    right=lambda saliency: saliency.mean(),
    none=Wrong(
        lambda saliency: 0.0,
        "The map's mean is not taken away: a map of large numbers would always score well.",
    ),
    smallest=Wrong(
        lambda saliency: saliency.min(), "The smallest value is taken away. It should be the mean."
    ),
)
SCALE = Mistakes(
    "scale",
    right=lambda saliency: saliency.std(correction=0),
    none=Wrong(
        lambda saliency: 1.0,
        "Nothing is divided: the result is in the units of the map, not in standard deviations.",
    ),
    variance=Wrong(
        lambda saliency: saliency.std(correction=0) ** 2,
        "You divide by the variance, the square of the standard deviation.",
    ),
    range=Wrong(
        lambda saliency: saliency.max() - saliency.min(),
        "You divide by the range of the map. It should be its standard deviation.",
    ),
)
WHERE = Mistakes(
    "where",
    right=lambda saliency, fixations: saliency[fixations[:, 0], fixations[:, 1]],
    column_row=Wrong(
        lambda saliency, fixations: saliency[fixations[:, 1], fixations[:, 0]],
        "Rows and columns are exchanged: the first number is the row.",
    ),
)
END = Mistakes(
    "end",
    right=torch.mean,
    sum=Wrong(torch.sum, "The values at the fixations are summed. Their mean is wanted."),
)


def nss(saliency, fixations, *, centre=CENTRE.right, scale=SCALE.right, where=WHERE.right, end=END.right):
    return float((end(where(saliency, fixations)) - centre(saliency)) / scale(saliency))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        h, w, n = draw.sizes(3, 5, 12)
        saliency = draw.uniform(h, w, low=0.3, high=3.0)
        fixations = draw.integers(n, 2, high=min(h, w))
        found.append(Case({"saliency": saliency, "fixations": fixations}))
    return found


EXERCISE = Function(
    id="1.5",
    title="NSS",
    points=2,
    minutes=8,
    difficulty="medium",
    signature="nss(saliency, fixations)",
    outputs=(Output("result", kind="number"),),
    reference=nss,
    cases=cases,
    mistakes=(CENTRE, SCALE, WHERE, END),
    forbidden=("attnbook.vision.metrics",),
    hints=(
        "`saliency[fixations[:, 0], fixations[:, 1]]` holds the value at each fixation.",
        "Their mean, less the mean of the map, divided by the map's standard deviation.",
        "Use `saliency.std(correction=0)`: the map is all there is, not a sample.",
    ),
)
