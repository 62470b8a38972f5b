"""6.9: how many of many learners end at the best position, by where their baseline started."""

from functools import cache

import torch

from attnbook.exercises.spec import Measurement, Nearby

LEARNERS, STEPS, RATE, DECAY = 500, 200, 3.0, 0.9
REWARDS = (2.0, 2.2, 2.4, 2.6, 3.0)


def train(start: str) -> float:
    """The share of learners that find the best of five positions, each with REINFORCE and one draw a step.

    ``start``: "zero" or "first" (the first reward) for the moving average; "none" for no baseline.
    """
    generator = torch.Generator().manual_seed(6)
    rewards = torch.tensor(REWARDS)
    scores = torch.zeros(LEARNERS, 5)
    baseline = torch.zeros(LEARNERS)
    for step in range(STEPS):
        p = torch.softmax(scores, dim=-1)
        drawn = torch.multinomial(p, 1, generator=generator).squeeze(-1)
        reward = rewards[drawn]
        if step == 0 and start == "first":
            baseline = reward
        slopes = torch.nn.functional.one_hot(drawn, 5) - p
        scores = scores + RATE * (reward - baseline).unsqueeze(-1) * slopes
        if start != "none":
            baseline = DECAY * baseline + (1 - DECAY) * reward
    return (scores.argmax(dim=-1) == 4).float().mean().item()


@cache
def lucky_share() -> float:
    """The share with the first reward as the baseline's start."""
    return train("first")


EXERCISE = Measurement(
    id="6.9",
    title="A bad start",
    points=3,
    minutes=15,
    difficulty="hard",
    signature="lucky_share = 0.5",
    reference=lucky_share,
    tolerance=0.025,
    nearby=(
        Nearby(
            train("zero"),
            "That is the share with the baseline that starts at 0. Let each learner's baseline start at "
            "the first reward that it gets.",
            0.02,
        ),
        Nearby(
            train("none"),
            "That is about the share without a baseline. Is the baseline still subtracted, and kept up "
            "to date?",
            0.02,
        ),
        Nearby(
            100 * lucky_share(),
            "Right, in per cent: a share from 0 to 1 was asked for.",
            2.5,
        ),
        Nearby(
            1 - lucky_share(),
            "That is the share that ends somewhere else. Asked for is the share that finds the best "
            "position.",
            0.02,
        ),
    ),
    hints=(
        "One line is missing. It belongs into the loop, after the rewards are known and before they are "
        "used, and only in the first step.",
        "`baseline` holds one number for each learner, and so does `reward`.",
        "In step 0 the baseline becomes the reward, so the first step changes nothing.",
    ),
)
