"""1.9: from the answers of cells back to what was attended to."""

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# What is left for σ: (responses) → number or one a cell.
REST = Mistakes(
    "rest",
    right=lambda response: 1 - response.sum(),
    own=Wrong(
        lambda response: 1 - response,
        "You solve each cell's equation as if it were alone below the line. All cells share the "
        "denominator, so it is the sum of *all* responses that is taken from 1.",
    ),
    none=Wrong(
        lambda response: 1.0,
        "You set the sum below the line to 0. It holds Aⱼ Eⱼ of all cells; add up the equations of all "
        "cells to find it.",
    ),
    mean=Wrong(
        lambda response: 1 - response.mean(),
        "The mean of the responses is taken from 1. The pool adds up; nothing is averaged.",
    ),
)
DRIVE = Mistakes(
    "driven",
    right=lambda excited, drive: excited / drive,
    none=Wrong(
        lambda excited, drive: excited,
        "That is A·E, attention times drive. The drive has to be divided out.",
    ),
    multiplied=Wrong(
        lambda excited, drive: excited * drive,
        "You multiply by the drive. A·E is known at this point, so the drive has to be divided out.",
    ),
)
FLOOR = Mistakes(
    "floor",
    right=lambda sigma: sigma,
    none=Wrong(lambda sigma: 1.0, "σ is missing: the answer does not depend on it."),
    squared=Wrong(
        lambda sigma: sigma**2,
        "σ is squared. In this chapter's equation it stands below the line as it is.",
    ),
)


def attention_field(response, drive, sigma, *, rest=REST.right, driven=DRIVE.right, floor=FLOOR.right):
    return driven(response * floor(sigma) / rest(response), drive)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        (n,) = draw.sizes(1, 4, 9)
        drive, sigma = draw.uniform(n, low=0.3, high=2.0), draw.random.uniform(1.5, 4.0)
        excited = draw.uniform(n, low=1.0, high=4.0) * drive
        found.append(Case({"response": excited / (sigma + excited.sum()), "drive": drive, "sigma": sigma}))
    return found


def gives_them_back(args, outputs) -> bool:
    """Attention times drive, divided by σ and the sum of all, is the response."""
    excited = outputs["attention"] * args["drive"]
    return bool(((excited / (args["sigma"] + excited.sum()) - args["response"]).abs() < 1e-3).all())


EXERCISE = Function(
    id="1.9",
    title="What was attended to?",
    points=3,
    minutes=15,
    difficulty="hard",
    signature="attention_field(response, drive, sigma)",
    outputs=(Output("attention", ("neurons",)),),
    reference=attention_field,
    cases=cases,
    properties=(Property("put into the equation, the field gives the responses back", gives_them_back),),
    mistakes=(REST, DRIVE, FLOOR),
    hints=(
        "Call the sum below the line S = Σ Aⱼ Eⱼ. If you knew S, could you find each A?",
        "Add up the equations of all cells: the responses add up to S / (σ + S). Solve that for S.",
        "σ + S is σ / (1 − sum of the responses). Then A is the response times that, divided by the drive.",
    ),
)
