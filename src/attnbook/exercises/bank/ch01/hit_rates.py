"""1.10: what a cue does to an observer who sees no better for it."""

import math
from statistics import NormalDist

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# What the cue is worth before anything is seen: the logarithm of the odds that it is right.
PRIOR = Mistakes(
    "prior",
    right=lambda validity: math.log(validity / (1 - validity)),
    none=Wrong(
        lambda validity: 0.0,
        "The cue is not used: the place with more evidence is chosen. Somebody who knows that the cue is "
        "mostly right asks for less evidence on its side.",
    ),
    log_share=Wrong(
        lambda validity: math.log(validity),
        "The logarithm of the validity is used. Two places are compared, so it is the logarithm of the "
        "*odds*: validity divided by 1 − validity.",
    ),
    turned=Wrong(
        lambda validity: math.log((1 - validity) / validity),
        "The cue counts for the wrong side: after a valid cue your observer is worse than after an invalid "
        "one.",
    ),
    odds=Wrong(
        lambda validity: validity / (1 - validity),
        "The odds are used as they are. Evidence adds up on the scale of logarithms: take the logarithm of "
        "the odds.",
    ),
)
# How large a difference of the two numbers it takes to make up for that: (prior, strength) → number.
BAR = Mistakes(
    "bar",
    right=lambda prior, strength: prior / strength,
    undivided=Wrong(
        lambda prior, strength: prior,
        "The logarithm of the odds is compared with the difference of the two numbers. That difference "
        "counts for `strength` times as much on the scale of logarithms; with a faint signal the cue "
        "matters more.",
    ),
    times=Wrong(
        lambda prior, strength: prior * strength,
        "The logarithm of the odds is multiplied by the strength. The evidence is: a difference of 1 is "
        "worth `strength`, so on the scale of the difference the cue is divided by it.",
    ),
)
# The standard deviation of the difference of the two numbers.
NOISE = Mistakes(
    "noise",
    right=math.sqrt(2),
    one=Wrong(
        1.0,
        "The spread of the difference is taken to be 1. Both places are noisy, and the noise of a "
        "difference is that of both: the variances add up to 2.",
    ),
    two=Wrong(
        2.0, "You divide by 2, the variance of the difference. Its standard deviation is the root of it."
    ),
)


def hit_rates(strength, validity, *, prior=PRIOR.right, bar=BAR.right, noise=NOISE.right):
    ahead = bar(prior(validity), strength)
    below = NormalDist().cdf
    return below((strength + ahead) / noise), below((strength - ahead) / noise)


def cases(draw: Draw) -> list[Case]:
    found = []
    for low, high in ((0.6, 0.9), (1.1, 1.6), (1.1, 1.6), (0.6, 0.9)):
        strength = round(draw.random.uniform(low, high), 3)
        found.append(Case({"strength": strength, "validity": round(draw.random.uniform(0.62, 0.78), 3)}))
    return found


EXERCISE = Function(
    id="1.10",
    title="A cue without better sight ★",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="hit_rates(strength, validity)",
    outputs=(Output("valid", kind="number"), Output("invalid", kind="number")),
    reference=hit_rates,
    cases=cases,
    mistakes=(PRIOR, BAR, NOISE),
    meaningless=((PRIOR["none"], BAR),),
    hints=(
        "The logarithm of how much more probable the two numbers are if the disc is on the cued side is "
        "strength · (cued number − other number). Add the logarithm of the odds of the cue.",
        "So the cued side is chosen if the difference, cued − other, lies above −log(odds) / strength. With "
        "which mean and which standard deviation is that difference distributed, after a valid cue and "
        "after an invalid one?",
        "Mean +strength or −strength, standard deviation √2. `statistics.NormalDist().cdf(x)` is the "
        "probability to lie below x.",
    ),
)
