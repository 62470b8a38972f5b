"""6.7: a draw that can be differentiated."""

import torch

from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

NOISE = Mistakes(
    "noise",
    right=lambda uniform: -torch.log(-torch.log(uniform)),
    exponential=Wrong(
        lambda uniform: -torch.log(uniform),
        "The noise has one logarithm too few: −log u is exponential noise. Gumbel noise takes −log of "
        "that once more.",
    ),
    minus=Wrong(
        lambda uniform: torch.log(-torch.log(uniform)),
        "The outer minus of the noise is missing, so its long tail lies on the wrong side: the largest "
        "sum is then no longer a draw from the softmax.",
    ),
    none=Wrong(
        lambda uniform: torch.zeros_like(uniform),
        "There is no noise. Then every call gives the same weights, and nothing is drawn.",
    ),
    uniform=Wrong(
        lambda uniform: uniform,
        "The uniform numbers are added as they are. They have to be turned into Gumbel noise first.",
    ),
    reversed_uniform=Wrong(
        lambda uniform: -torch.log(-torch.log(1 - uniform)),
        "You take 1 − u. That is uniform too, so your draws are right, but `check` gives you its u to "
        "compare with: use u as it is.",
    ),
)
HEAT = Mistakes(
    "heat",
    right=lambda scores, noise, temperature: (scores + noise) / temperature,
    scores_alone=Wrong(
        lambda scores, noise, temperature: scores / temperature + noise,
        "The temperature divides the scores alone. Then a low temperature no longer sharpens a draw, it "
        "changes its probabilities: every draw moves towards the largest score. It divides the sum.",
    ),
    noise_alone=Wrong(
        lambda scores, noise, temperature: scores + noise / temperature,
        "The temperature divides the noise alone, so that a low temperature drowns the scores. It "
        "divides the sum of both.",
    ),
    times=Wrong(
        lambda scores, noise, temperature: (scores + noise) * temperature,
        "You multiply by the temperature. A *low* temperature should give weights close to 0 and 1.",
    ),
    none=Wrong(
        lambda scores, noise, temperature: scores + noise,
        "The temperature is never used.",
    ),
)
LOGITS = Mistakes(
    "logits",
    right=lambda scores: scores,
    probabilities=Wrong(
        softmax,
        "The noise is added to the probabilities. It belongs to the scores, or to the logarithms of the "
        "probabilities, which differ from them by a constant.",
    ),
)
OVER = Mistakes(
    "over",
    right=-1,
    batch=Wrong(
        0, "The softmax runs over the images of the batch. It runs over the positions of each image."
    ),
)


def gumbel_softmax(
    scores, uniform, temperature, *, noise=NOISE.right, heat=HEAT.right, logits=LOGITS.right, over=OVER.right
):
    return softmax(heat(logits(scores), noise(uniform), temperature), over)


def cases(draw: Draw) -> list[Case]:
    found = []
    for temperature in (
        draw.random.uniform(0.45, 0.7),
        draw.random.uniform(1.4, 2.2),
        draw.random.uniform(0.7, 0.8),
    ):
        batch, positions = draw.sizes(2, 3, 8)
        found.append(
            Case(
                {
                    "scores": draw.normal(batch, positions, scale=1.2) + 0.5,
                    "uniform": draw.uniform(batch, positions, low=0.03, high=0.97),
                    "temperature": round(temperature, 2),
                }
            )
        )
    batch, positions = draw.sizes(2, 3, 8)
    found.append(
        Case(
            {
                "scores": draw.normal(batch, positions, scale=1.2) + 200.0,
                "uniform": draw.uniform(batch, positions, low=0.03, high=0.97),
                "temperature": 0.5,
            },
            group="edge",
            note="scores near 200",
        )
    )
    return found


def rows_add_up(args, outputs) -> bool:
    return bool(((outputs["weights"].sum(-1) - 1).abs() < 1e-4).all())


EXERCISE = Function(
    id="6.7",
    title="A draw with a gradient",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="gumbel_softmax(scores, uniform, temperature)",
    outputs=(Output("weights", ("batch", "positions")),),
    reference=gumbel_softmax,
    cases=cases,
    properties=(Property("each row of the weights adds up to 1", rows_add_up),),
    mistakes=(NOISE, HEAT, LOGITS, OVER),
    together=2,
    meaningless=((NOISE["none"], HEAT["noise_alone"]),),
    possible=lambda switches: (
        not (switches.get("noise") == "none" and switches.get("heat") in ("scores_alone", "noise_alone"))
    ),
    forbidden=("functional.gumbel_softmax", "F.gumbel_softmax", "attnbook.nn"),
    hints=(
        "Gumbel noise from uniform numbers u: −log(−log u).",
        "Add the noise to the scores, then divide the sum by the temperature.",
        "A softmax over the positions; `torch.softmax` copes with scores of 200 by itself.",
    ),
)
