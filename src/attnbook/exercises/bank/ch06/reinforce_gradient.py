"""6.5: REINFORCE with a baseline, written out for a softmax."""

from attnbook.exercises.bank.ch06._policies import ADDS_UP_TO_NOTHING, LOG_PROB, drawn_from, one_hot, policies
from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

ADVANTAGE = Mistakes(
    "advantage",
    right=lambda rewards, baseline: rewards - baseline,
    no_baseline=Wrong(
        lambda rewards, baseline: rewards,
        "The baseline is never used. The estimate is right on average and noisier than it has to be.",
    ),
    added=Wrong(
        lambda rewards, baseline: rewards + baseline,
        "The baseline is added. It is what was expected without the draw, so it is taken away from the "
        "reward.",
    ),
    divided=Wrong(
        lambda rewards, baseline: rewards / baseline,
        "The rewards are divided by the baseline. That gives a gradient of another size; the baseline is "
        "subtracted.",
    ),
)
SIGN = Mistakes(
    "sign",
    right=1.0,
    loss=Wrong(
        -1.0,
        "The sign is turned round: that is the gradient of a loss, −J. Asked for is the gradient of J, "
        "which points to where the mean reward rises.",
    ),
)
TOGETHER = Mistakes(
    "average",
    right=lambda each: each.mean(-2),
    sum=Wrong(
        lambda each: each.sum(-2),
        "The draws are added up. With more draws the gradient would grow; an estimate of J's gradient is "
        "the mean over the draws.",
    ),
    positions=Wrong(
        lambda each: each.sum(-2) / each.shape[-1],
        "The sum over the draws is divided by the number of positions. Divide by the number of draws.",
    ),
)


def reinforce_gradient(
    scores, drawn, rewards, baseline,
    *, log_prob=LOG_PROB.right, advantage=ADVANTAGE.right, sign=SIGN.right, average=TOGETHER.right,
):  # fmt: skip
    p = softmax(scores).unsqueeze(-2)  # (batch, 1, positions)
    slopes = log_prob(p, one_hot(drawn, scores.shape[-1]))  # (batch, samples, positions)
    factor = advantage(rewards, baseline.unsqueeze(-1)).unsqueeze(-1)  # (batch, samples, 1)
    return sign * average(factor * slopes)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, samples, positions = draw.sizes(3, 3, 9)
        scores = policies(draw, batch, positions)
        found.append(
            Case(
                {
                    "scores": scores,
                    "drawn": drawn_from(draw, scores, samples),
                    "rewards": draw.normal(batch, samples) + 2.0,
                    "baseline": draw.uniform(batch, low=1.2, high=1.9),
                }
            )
        )
    return found


EXERCISE = Function(
    id="6.5",
    title="REINFORCE by hand",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="reinforce_gradient(scores, drawn, rewards, baseline)",
    outputs=(Output("gradient", ("batch", "positions")),),
    reference=reinforce_gradient,
    cases=cases,
    properties=(ADDS_UP_TO_NOTHING,),
    mistakes=(LOG_PROB, ADVANTAGE, SIGN, TOGETHER),
    together=2,
    forbidden=("autograd.grad", "backward", "attnbook.nn"),
    hints=(
        "log p_j = score_j − log Σ exp(score). What is its derivative with respect to score_i, when i = "
        "j and when not?",
        "`torch.nn.functional.one_hot(drawn, positions)` marks the draws, (batch, samples, positions); the "
        "gradient of log p is this, less p.",
        "Multiply by the advantage (batch, samples, 1), and take the mean over the samples.",
    ),
)
