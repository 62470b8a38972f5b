"""2.8: a curve through points, as a lookup by distance."""

import torch

from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

KERNEL = Mistakes(
    "kernel",
    right=torch.square,
    absolute=Wrong(
        torch.abs,
        "The scores use the distance itself, not its square. That is a kernel too (Laplace's), but not the "
        "Gaussian that was asked for.",
    ),
)
SIGN = Mistakes(
    "sign",
    right=lambda scores: -scores,
    plus=Wrong(
        lambda scores: scores,
        "The scores grow with the distance, so the farthest points get the largest weights. Close should "
        "mean a high score.",
    ),
)
OVER = Mistakes(
    "over",
    right=lambda scores, y: softmax(scores) @ y,
    new_points=Wrong(
        lambda scores, y: softmax(scores, 0) @ y,
        "The softmax runs over the new points. Each new point should share out its weights among the old "
        "ones.",
    ),
    underflow=Wrong(
        lambda scores, y: (torch.exp(scores) / torch.exp(scores).sum(-1, keepdim=True)) @ y,
        "A new point far from all known ones gets NaN: all its exponentials are 0, and 0 divided by 0 is no "
        "number. `torch.softmax` takes the largest score away first.",
    ),
    none=Wrong(
        lambda scores, y: torch.exp(scores) @ y,
        "The exponentials are never divided by their sum: where many points are near, the estimate is too "
        "large. Weights should add up to 1.",
    ),
)
SPREAD = Mistakes(
    "spread",
    right=lambda width: 2 * width**2,
    no_two=Wrong(
        lambda width: width**2,
        "The squared distance is divided by width² instead of 2·width²: your curve is a little too wiggly.",
    ),
    no_square=Wrong(
        lambda width: 2 * width, "The squared distance is divided by 2·width, and the width is not squared."
    ),
    precedence=Wrong(
        lambda width: 2 / width**2,
        "The squared distance is divided by 2 and then *multiplied* by width²: without parentheses, "
        "`/ 2 * width**2` goes from left to right.",
    ),
    none=Wrong(
        lambda width: 1.0, "The width makes no difference: the squared distance is not divided by anything."
    ),
)


def kernel_regression(
    x_new, x, y, width,
    *, kernel=KERNEL.right, sign=SIGN.right, over=OVER.right, spread=SPREAD.right,
):  # fmt: skip
    distance = kernel(x_new[:, None] - x[None, :])  # (new points, points)
    return over(sign(distance / spread(width)), y)


def cases(draw: Draw) -> list[Case]:
    found = []
    for low, high in ((0.25, 0.4), (0.5, 0.8), (1.3, 1.7)):
        new, points = draw.sizes(2, 4, 12)
        x = draw.uniform(points, low=-2, high=2)
        found.append(
            Case(
                {
                    "x_new": draw.uniform(new, low=-2, high=2),
                    "x": x,
                    "y": torch.sin(2 * x) + 0.5 + draw.normal(points, scale=0.2),
                    "width": draw.random.uniform(low, high),
                }
            )
        )
    new, points = draw.sizes(2, 4, 12)
    x = draw.uniform(points, low=-2, high=2)
    found.append(
        Case(
            {
                "x_new": draw.uniform(new, low=200.0, high=300.0),
                "x": x,
                "y": torch.sin(2 * x) + 0.5,
                "width": draw.random.uniform(0.08, 0.1),
            },
            group="edge",
            note="all new points lie far from the known ones",
        )
    )
    return found


def within_the_values(args, outputs) -> bool:
    low, high = args["y"].min(), args["y"].max()
    return bool((outputs["estimate"] >= low - 1e-4).all() and (outputs["estimate"] <= high + 1e-4).all())


EXERCISE = Function(
    id="2.8",
    title="Regression as a lookup",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="kernel_regression(x_new, x, y, width)",
    outputs=(Output("estimate", ("new points",)),),
    reference=kernel_regression,
    cases=cases,
    properties=(Property("no estimate lies outside the values y that it averages", within_the_values),),
    mistakes=(KERNEL, SIGN, OVER, SPREAD),
    meaningless=((SPREAD["precedence"], OVER["underflow"]),),
    hints=(
        "The new point is the query, the old points are the keys, their y are the values.",
        "`x_new[:, None] - x[None, :]` gives all differences, (new points, points).",
        "Scores: minus the squared difference over 2·width². Softmax over the old points, then times y.",
    ),
)
