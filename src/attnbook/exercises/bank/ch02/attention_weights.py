"""2.3: a much-copied softmax that fails when rows lie far apart."""

import torch

from attnbook.exercises.mistakes import OVER_OR_BATCH, softmax
from attnbook.exercises.properties import NOT_NEGATIVE, ROWS_ADD_UP
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def softmax_of_the_whole(scores, dim):
    powers = torch.exp(scores - scores.max())
    return powers / powers.sum(dim=dim, keepdim=True)


def softmax_less(scores, dim, offset):
    powers = torch.exp(scores - offset)
    return powers / powers.sum(dim=dim, keepdim=True)


def softmax_that_overflows(scores, dim):
    return softmax_less(scores, dim, 0.0)


FORM = Mistakes(
    "form",
    right=softmax,
    no_exp=Wrong(
        lambda scores, dim: scores / scores.sum(dim=dim, keepdim=True),
        "The scores are divided by their sum without taking exponentials first. Negative scores become "
        "negative shares, and a sum near zero makes them huge.",
    ),
    sigmoid=Wrong(
        lambda scores, dim: torch.sigmoid(scores),
        "A sigmoid squeezes each score on its own. The weights never hear of each other, so a row does not "
        "add up to 1.",
    ),
    log=Wrong(
        torch.log_softmax,
        "These are the logarithms of the weights: all negative or zero. Their exponentials would be the "
        "weights.",
    ),
    whole=Wrong(
        softmax_of_the_whole,
        "The largest score of the *whole* tensor is taken away from every row. A row whose own scores lie "
        "far below it keeps nothing but exponentials of 0, and 0 divided by 0 is NaN. Each row has its own "
        "largest score.",
    ),
    other_offset=Wrong(
        lambda scores, dim: softmax_less(scores, dim, scores.mean(dim=dim, keepdim=True)),
        "The row's mean or its smallest score is taken away. A score far above that still overflows to "
        "infinity, and "
        "infinity "
        "divided by infinity is NaN: only with the largest score taken away is every exponent 0 or less.",
    ),
    overflow=Wrong(
        softmax_that_overflows,
        "The exponential of a large score overflows to infinity, and infinity divided by infinity is NaN. "
        "Subtracting the row's largest score first changes no weight (exercise 2.2).",
    ),
)


def attention_weights(scores, *, over=OVER_OR_BATCH.right, form=FORM.right):
    return form(scores, over)


def cases(draw: Draw) -> list[Case]:
    shapes = [draw.sizes(3, 2, 8) for _ in range(3)]
    found = [Case({"scores": draw.normal(*shape, scale=2.0)}) for shape in shapes]
    found.append(
        Case(
            {"scores": draw.normal(*draw.sizes(3, 2, 8)) + 200.0},
            group="edge",
            note="all scores are near 200",
        )
    )
    batch, queries, keys = draw.sizes(3, 3, 8)
    far = draw.normal(batch, queries, keys)
    far[:, 0] += 300.0  # one row far above the others
    far[:, 1] -= 300.0
    found.append(Case({"scores": far}, group="edge", note="rows whose scores lie 600 apart"))
    peaked = draw.normal(*draw.sizes(3, 3, 8))
    peaked[:, :, 0] += 400.0
    found.append(
        Case({"scores": peaked}, group="edge", note="one score of each row lies 400 above the others")
    )
    return found


EXERCISE = Function(
    id="2.3",
    title="The softmax that everybody copies",
    bug=True,
    points=2,
    minutes=8,
    difficulty="easy",
    signature="attention_weights(scores)",
    outputs=(Output("weights", ("batch", "queries", "keys")),),
    reference=attention_weights,
    cases=cases,
    properties=(NOT_NEGATIVE, ROWS_ADD_UP),
    mistakes=(OVER_OR_BATCH, FORM),
    meaningless=(
        (FORM["sigmoid"], OVER_OR_BATCH),
        (FORM["whole"], OVER_OR_BATCH["queries"]),
        (FORM["other_offset"], OVER_OR_BATCH["batch"]),
    ),
    hints=(
        "What is `scores.max()` for the second example? Is it a score of the row that comes out as NaN?",
        "exp(−600) is 0 in a float32. A row of nothing but zeros is divided by its sum.",
        "Any number may be taken away from all scores of a *row*. Which one makes sure that at least one "
        "exponential of that row is 1?",
    ),
)
