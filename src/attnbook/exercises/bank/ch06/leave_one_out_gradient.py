"""6.10 ★: several draws of one image are baselines of each other (RLOO)."""

import torch

from attnbook.exercises.bank.ch06._policies import ADDS_UP_TO_NOTHING, LOG_PROB, drawn_from, one_hot, policies
from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# The advantages of one image add up to 0, so a −p that is left out cancels: no mistake here.
SLOPE = LOG_PROB.only("chosen_part", "of_the_probability", "by_the_probability")
OTHERS = Mistakes(
    "others",
    right=lambda rewards: (rewards.sum(-1, keepdim=True) - rewards) / (rewards.shape[-1] - 1),
    everyone=Wrong(
        lambda rewards: rewards.mean(-1, keepdim=True).expand_as(rewards),
        "The baseline is the mean of all draws, this one included. Then it depends on the draw that it is "
        "subtracted from, and the estimate comes out too small by the factor (K − 1)/K.",
    ),
    by_all=Wrong(
        lambda rewards: (rewards.sum(-1, keepdim=True) - rewards) / rewards.shape[-1],
        "The others' rewards are added up and divided by K. There are K − 1 others.",
    ),
    sum=Wrong(
        lambda rewards: rewards.sum(-1, keepdim=True) - rewards,
        "The baseline is the *sum* of the other rewards. It should be their mean.",
    ),
    batch=Wrong(
        lambda rewards: (rewards.sum(0, keepdim=True) - rewards) / (len(rewards) - 1),
        "The mean is taken over the other images of the batch. The baseline of a draw comes from the other "
        "draws of the *same* image.",
    ),
    best=Wrong(
        lambda rewards: rewards.amax(-1, keepdim=True).expand_as(rewards),
        "The baseline is the best of the rewards. It should be the mean of the other draws' rewards.",
    ),
    none=Wrong(
        lambda rewards: torch.zeros_like(rewards),
        "No baseline is subtracted. Each draw has K − 1 companions; the mean of their rewards is its "
        "baseline.",
    ),
)
TOGETHER = Mistakes(
    "average",
    right=lambda each: each.mean(-2),
    sum=Wrong(
        lambda each: each.sum(-2),
        "The draws are added up at the end. Their mean is asked for, so that more draws give a better "
        "estimate and not a larger one.",
    ),
)
SPREAD = Mistakes(
    "spread",
    right=lambda advantage: advantage,
    divided=Wrong(
        lambda advantage: advantage / advantage.std(-1, keepdim=True),
        "The advantages are divided by their standard deviation. That is a habit from elsewhere; it "
        "depends on the draws, so the estimate is no longer unbiased.",
    ),
)


def leave_one_out_gradient(
    scores, drawn, rewards,
    *, others=OTHERS.right, log_prob=SLOPE.right, average=TOGETHER.right, spread=SPREAD.right,
):  # fmt: skip
    advantage = spread(rewards - others(rewards)).unsqueeze(-1)  # (batch, K, 1)
    slopes = log_prob(softmax(scores).unsqueeze(-2), one_hot(drawn, scores.shape[-1]))
    return average(advantage * slopes)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, samples, positions = draw.sizes(3, 3, 8)
        scores = policies(draw, batch, positions)
        found.append(
            Case(
                {
                    "scores": scores,
                    "drawn": drawn_from(draw, scores, samples),
                    "rewards": draw.normal(batch, samples, scale=1.5) + 2.0,
                }
            )
        )
    return found


EXERCISE = Function(
    id="6.10",
    title="★ Companions as a baseline",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="leave_one_out_gradient(scores, drawn, rewards)",
    outputs=(Output("gradient", ("batch", "positions")),),
    reference=leave_one_out_gradient,
    cases=cases,
    properties=(ADDS_UP_TO_NOTHING,),
    mistakes=(OTHERS, SLOPE, TOGETHER, SPREAD),
    together=2,
    meaningless=((OTHERS["everyone"], SPREAD),),  # they differ by a factor, which SPREAD takes out
    forbidden=("autograd.grad", "backward", "attnbook.nn"),
    hints=(
        "A baseline may depend on everything but the draw that it is subtracted from. What do K draws of "
        "one image offer each of them?",
        "The mean of the others: all rewards of the image, less one's own, divided by K − 1.",
        "The rest is 6.5, with an advantage of its own for each draw.",
    ),
)
