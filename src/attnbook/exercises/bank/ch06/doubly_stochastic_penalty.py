"""6.6: the penalty that asks a captioner to look everywhere once."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

WORDS = Mistakes(
    "words",
    right=lambda weights, mask: weights * mask.unsqueeze(-1),
    padding=Wrong(
        lambda weights, mask: weights,
        "Steps of padding count too. What the model attended to after a caption's end says nothing; the "
        "mask takes these steps out of the sum.",
    ),
    inverted=Wrong(
        lambda weights, mask: weights * (~mask).unsqueeze(-1),
        "The mask is read the wrong way round: you add up the steps of padding. True marks a word.",
    ),
)
ALONG = Mistakes(
    "along",
    right=lambda weights: weights.sum(1),
    positions=Wrong(
        lambda weights: weights.sum(2),
        "You added up over the positions. That is 1 for each word whatever the model does, since a "
        "softmax made the weights. What is asked is how much weight a *position* gets from all words "
        "together.",
    ),
    mean=Wrong(
        lambda weights: weights.mean(1),
        "You take the mean over the words. The paper adds the words' weights up: a position that one word "
        "attends to fully has 1.",
    ),
    largest=Wrong(
        lambda weights: weights.amax(1),
        "You take the largest weight that a position gets. The paper adds the words' weights up.",
    ),
)
POWER = Mistakes(
    "power",
    right=lambda missing: (missing**2).sum(-1),
    absolute=Wrong(
        lambda missing: missing.abs().sum(-1),
        "You add up absolute differences. The penalty squares them.",
    ),
    square_of_sum=Wrong(
        lambda missing: missing.sum(-1) ** 2,
        "You square the sum. Too much here and too little there cancel then; each position's difference is "
        "squared first, and the squares are added up.",
    ),
    root=Wrong(
        lambda missing: (missing**2).sum(-1).sqrt(),
        "You take the root of the sum. The penalty is the sum of the squares itself.",
    ),
    mean=Wrong(
        lambda missing: (missing**2).mean(-1),
        "You take the mean over the positions. The penalty adds them up.",
    ),
)


def doubly_stochastic_penalty(
    weights, mask, strength, *, words=WORDS.right, along=ALONG.right, power=POWER.right
):
    return strength * power(1 - along(words(weights, mask)))


def cases(draw: Draw) -> list[Case]:
    found = []
    for padded in (False, True, True):
        batch, positions, words = sorted(draw.sizes(3, 3, 9))
        if draw.random.random() < 0.5:
            words, positions = positions, words
        mask = torch.ones(batch, words, dtype=torch.bool)
        if padded:
            for row, real in enumerate(draw.random.sample(range(1, words), min(batch, words - 1))):
                mask[row, real:] = False
        found.append(
            Case(
                {
                    "weights": torch.softmax(draw.normal(batch, words, positions, scale=1.5), -1),
                    "mask": mask,
                    "strength": round(draw.random.uniform(0.4, 1.8), 2),
                },
                group="mask" if padded else "plain",
                note="some captions end in padding" if padded else "no padding",
            )
        )
    return found


def not_negative(args, outputs) -> bool:
    return bool((outputs["penalty"] >= 0).all())


EXERCISE = Function(
    id="6.6",
    title="Look everywhere once",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="doubly_stochastic_penalty(weights, mask, strength)",
    outputs=(Output("penalty", ("batch",)),),
    reference=doubly_stochastic_penalty,
    cases=cases,
    properties=(Property("no penalty is negative", not_negative),),
    mistakes=(WORDS, ALONG, POWER),
    together=2,
    meaningless=((WORDS, ALONG["positions"]), (ALONG["positions"], POWER)),
    forbidden=("attnbook.nn",),
    hints=(
        "First set the weights of padding to 0: `weights * mask[:, :, None]`.",
        "What does each position get from all words together? One sum, over which axis?",
        "1 less that, squared, added up over the positions, times the strength.",
    ),
)
