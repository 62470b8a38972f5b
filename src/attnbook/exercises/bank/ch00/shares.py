"""0.3: a softmax along any dimension, at any temperature."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

OVER = Mistakes(
    "over",
    right=lambda dim: (dim,),
    last=Wrong(
        lambda dim: (-1,),
        "The softmax always runs along the last dimension, whatever `dim` says. On a tensor with three "
        "dimensions the caller may have meant another.",
    ),
    all=Wrong(
        lambda dim: (0, 1, 2),
        "All numbers of the tensor together add up to 1. The sum should run along `dim` alone, once for "
        "each place on the other dimensions.",
    ),
)
# Where the temperature comes in: (scores, temperature, softmax) → weights.
TEMPERATURE = Mistakes(
    "divides",
    right=lambda scores, temperature, softmax: softmax(scores / temperature),
    after=Wrong(
        lambda scores, temperature, softmax: softmax(scores) / temperature,
        "The temperature divides the weights, after the softmax. They no longer add up to 1, and their "
        "proportions are those of temperature 1.",
    ),
    times=Wrong(
        lambda scores, temperature, softmax: softmax(scores * temperature),
        "The scores are multiplied by the temperature: a high one sharpens the shares, where it should "
        "even them out.",
    ),
    ignored=Wrong(
        lambda scores, temperature, softmax: softmax(scores),
        "The temperature makes no difference: these are the shares of temperature 1.",
    ),
)


def share_of_exponentials(scores, dims):
    """Exponentials divided by their sum: infinity divided by infinity where the scores are large."""
    powers = torch.exp(scores)
    return powers / powers.sum(dim=dims, keepdim=True)


FORM = Mistakes(
    "form",
    right=lambda scores, dims: share_of_exponentials(scores - scores.amax(dim=dims, keepdim=True), dims),
    sigmoid=Wrong(
        lambda scores, dims: torch.sigmoid(scores),
        "A sigmoid squeezes each score on its own, between 0 and 1. The scores never hear of each other, "
        "so nothing adds up to 1.",
    ),
    whole=Wrong(
        lambda scores, dims: share_of_exponentials(scores - scores.max(), dims),
        "The largest score of the *whole* tensor is taken away everywhere. Where all scores along `dim` lie "
        "far below it, their exponentials are 0, and 0 divided by 0 is NaN. Take the largest along `dim`.",
    ),
    other_offset=Wrong(
        lambda scores, dims: share_of_exponentials(scores - scores.mean(dim=dims, keepdim=True), dims),
        "The mean or the smallest score along `dim` is taken away. A score far above that still "
        "overflows to infinity, and "
        "infinity divided by infinity is NaN: only with the largest taken away is every exponent 0 or less.",
    ),
    overflow=Wrong(
        share_of_exponentials,
        "The exponential of a large score is infinity, and infinity divided by infinity is NaN. "
        "Subtracting the largest score along `dim` first changes no share.",
    ),
)


def shares(scores, dim, temperature, *, over=OVER.right, divides=TEMPERATURE.right, form=FORM.right):
    return divides(scores, temperature, lambda scores: form(scores, over(dim)))


def cases(draw: Draw) -> list[Case]:
    found = []
    for dim, (low, high) in ((0, (0.3, 0.6)), (1, (1.8, 4.0)), (2, (0.3, 0.6))):
        scores = draw.normal(*draw.sizes(3, 2, 8), scale=1.5)
        found.append(Case({"scores": scores, "dim": dim, "temperature": draw.random.uniform(low, high)}))
    large = draw.normal(*draw.sizes(3, 2, 8)) + 400.0
    found.append(
        Case(
            {"scores": large, "dim": 1, "temperature": draw.random.uniform(1.5, 2.5)},
            group="edge",
            note="all scores are near 400",
        )
    )
    far = draw.normal(*draw.sizes(3, 2, 8))
    far[0] += 400.0
    far[1] -= 400.0
    found.append(
        Case(
            {"scores": far, "dim": 2, "temperature": draw.random.uniform(1.5, 2.5)},
            group="edge",
            note="rows whose scores lie 800 apart",
        )
    )
    peaked = draw.normal(*draw.sizes(3, 3, 8))
    peaked[:, :, 0] += 500.0
    found.append(
        Case(
            {"scores": peaked, "dim": 2, "temperature": draw.random.uniform(0.4, 0.6)},
            group="edge",
            note="one score of each row lies 500 above the others",
        )
    )
    return found


def add_up_along_dim(args, outputs) -> bool:
    """The weights are at least 0 and add up to 1 along ``dim``."""
    weights = outputs["weights"]
    sums = weights.sum(dim=args["dim"])
    return bool((weights >= 0).all()) and torch.allclose(sums, torch.ones_like(sums), atol=1e-4)


EXERCISE = Function(
    id="0.3",
    title="Shares along any dimension",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="shares(scores, dim, temperature)",
    outputs=(Output("weights", ("first", "second", "third")),),
    reference=shares,
    cases=cases,
    properties=(Property("the weights are at least 0 and add up to 1 along dim", add_up_along_dim),),
    mistakes=(OVER, TEMPERATURE, FORM),
    meaningless=((FORM["sigmoid"], OVER), (FORM["whole"], OVER["all"])),
    forbidden=("softmax",),
    hints=(
        "Three steps: divide by the temperature, take exponentials, divide by their sum along `dim`.",
        "`sum(dim=dim, keepdim=True)` leaves a size of 1 there, so that the division lines up.",
        "Before the exponential, subtract `scores.amax(dim=dim, keepdim=True)`.",
    ),
)
