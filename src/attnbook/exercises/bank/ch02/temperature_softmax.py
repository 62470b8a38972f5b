"""2.5: a softmax whose temperature stands in the wrong place."""

import torch

from attnbook.exercises.mistakes import softmax
from attnbook.exercises.properties import NOT_NEGATIVE, ROWS_ADD_UP
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

PLACE = Mistakes(
    "place",
    right=lambda scores, temperature: softmax(scores / temperature),
    after=Wrong(
        lambda scores, temperature: softmax(scores) / temperature,
        "The temperature divides the weights, after the softmax. Every weight shrinks or grows by the same "
        "factor: the row no longer adds up to 1, and who leads whom by how much stays as it was.",
    ),
    times=Wrong(
        lambda scores, temperature: softmax(scores * temperature),
        "The scores are multiplied by the temperature. That is the thermostat wired backwards: a high "
        "temperature sharpens, a low one flattens.",
    ),
    ignored=Wrong(
        lambda scores, temperature: softmax(scores),
        "The temperature makes no difference: your weights are those of temperature 1.",
    ),
    power=Wrong(
        lambda scores, temperature: softmax(scores) ** (1 / temperature),
        "The weights are raised to the power 1 / temperature, which does give the right proportions, but "
        "the row does not add up to 1 any more.",
    ),
    batch=Wrong(
        lambda scores, temperature: softmax(scores / temperature, 0),
        "The softmax runs over the batch instead of the keys: columns add up to 1, rows do not. Look at its "
        "`dim`.",
    ),
    exponentials=Wrong(
        lambda scores, temperature: softmax(torch.exp(scores) / temperature),
        "The temperature divides the exponentials, and then softmax takes exponentials once more. It should "
        "divide the scores, before any exponential.",
    ),
)


def temperature_softmax(scores, temperature, *, place=PLACE.right):
    return place(scores, temperature)


def cases(draw: Draw) -> list[Case]:
    found = []
    for temperature in (
        draw.random.uniform(0.3, 0.6),
        draw.random.uniform(1.8, 4.0),
        draw.random.uniform(0.1, 0.2),
    ):
        batch, keys = draw.sizes(2, 3, 9)
        found.append(Case({"scores": draw.normal(batch, keys, scale=1.5), "temperature": temperature}))
    return found


EXERCISE = Function(
    id="2.5",
    title="The thermostat that does nothing",
    bug=True,
    points=2,
    minutes=8,
    difficulty="medium",
    signature="temperature_softmax(scores, temperature)",
    outputs=(Output("weights", ("batch", "keys")),),
    reference=temperature_softmax,
    cases=cases,
    properties=(NOT_NEGATIVE, ROWS_ADD_UP),
    mistakes=(PLACE,),
    hints=(
        "Print the sum of a row at temperature 2. What should it be?",
        "The temperature should change how far the scores are apart.",
        "Divide something by the temperature *before* the softmax.",
    ),
)
