"""1.7: how many bits a map knows more than another about where people look."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# A map as probabilities of places.
SHARES = Mistakes(
    "shares",
    right=lambda values: values / values.sum(),
    none=Wrong(
        lambda values: values,
        "The maps are used as they are. A map whose numbers are all twice as large would then know one bit "
        "more; as probabilities they have to add up to 1 over the picture.",
    ),
    largest=Wrong(
        lambda values: values / values.max(),
        "Each map is divided by its largest value. Probabilities add up to 1 over the picture: it is the sum "
        "that has to become 1.",
    ),
    softmax=Wrong(
        lambda values: torch.softmax(values.flatten(), 0).view(values.shape),
        "The maps go through a softmax. They are positive already, so it is enough to divide by their sum.",
    ),
)
# From the probabilities at the fixations to one number.
GAIN = Mistakes(
    "gain",
    right=lambda ours, theirs: (ours / theirs).log2().mean(),
    nats=Wrong(
        lambda ours, theirs: (ours / theirs).log().mean(),
        "The natural logarithm counts in nats. Bits are counted by the logarithm to base 2.",
    ),
    of_the_mean=Wrong(
        lambda ours, theirs: (ours / theirs).mean().log2(),
        "First the ratios are averaged, and then the logarithm is taken. Take the logarithm at each "
        "fixation: a place that the map held for impossible has to cost.",
    ),
    ratio=Wrong(
        lambda ours, theirs: (ours / theirs).mean(),
        "That is the mean ratio, without a logarithm.",
    ),
    sum=Wrong(
        lambda ours, theirs: (ours / theirs).log2().sum(),
        "The bits are added up over the fixations; the mean was asked for, bits a fixation.",
    ),
    alone=Wrong(
        lambda ours, theirs: ours.log2().mean(),
        "The baseline is not used. What the map knows is counted from what one would know without it.",
    ),
    turned=Wrong(
        lambda ours, theirs: (theirs / ours).log2().mean(),
        "The two maps are exchanged: positive should mean that the model knows more than the baseline.",
    ),
)
WHERE = Mistakes(
    "where",
    right=lambda values, fixations: values[fixations[:, 0], fixations[:, 1]],
    column_row=Wrong(
        lambda values, fixations: values[fixations[:, 1], fixations[:, 0]],
        "Rows and columns are exchanged: the first number is the row.",
    ),
)


def information_gain(model, baseline, fixations, *, shares=SHARES.right, gain=GAIN.right, where=WHERE.right):
    ours, theirs = (where(shares(values), fixations) for values in (model, baseline))
    return float(gain(ours, theirs))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        h, w, n = draw.sizes(3, 5, 12)
        model, baseline = draw.uniform(h, w, low=0.2, high=3.0), draw.uniform(h, w, low=0.5, high=1.5)
        baseline = baseline * math.sqrt(2) / 3  # in units of its own
        found.append(
            Case(
                {
                    "model": model,
                    "baseline": baseline,
                    "fixations": draw.integers(n, 2, high=min(h, w)),
                }
            )
        )
    return found


EXERCISE = Function(
    id="1.7",
    title="Bits a fixation",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="information_gain(model, baseline, fixations)",
    outputs=(Output("result", kind="number"),),
    reference=information_gain,
    cases=cases,
    mistakes=(SHARES, GAIN, WHERE),
    hints=(
        "Divide each map by its sum: now it says with which probability the next fixation falls on each "
        "pixel.",
        "At each fixation: how many times as probable does the model hold this place, compared with the "
        "baseline?",
        "The logarithm to base 2 of that ratio, `log2`, and its mean over the fixations.",
    ),
)
