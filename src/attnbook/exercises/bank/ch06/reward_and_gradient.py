"""6.3: the exact gradient of an expectation over positions, with a temperature."""

from attnbook.exercises.bank.ch06._policies import ADDS_UP_TO_NOTHING, policies
from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

OVER = Mistakes(
    "over",
    right=-1,
    batch=Wrong(
        0,
        "The softmax runs over the images of the batch. Each image has probabilities of its own, which "
        "add up to 1 over its positions: look at the `dim`.",
    ),
)
MEAN = Mistakes(
    "mean",
    right=lambda p, rewards: (p * rewards).sum(-1),
    unweighted=Wrong(
        lambda p, rewards: rewards.mean(-1),
        "J is the plain mean of the rewards. In an expectation each reward counts with its probability.",
    ),
    likeliest=Wrong(
        lambda p, rewards: rewards.gather(-1, p.argmax(-1, keepdim=True)).squeeze(-1),
        "J is the reward at the likeliest position. An expectation counts all positions, each with its "
        "probability.",
    ),
    divided=Wrong(
        lambda p, rewards: (p * rewards).mean(-1),
        "The products of probability and reward are averaged. The probabilities have divided already: "
        "add the products up.",
    ),
)
SLOPE = Mistakes(
    "slope",
    right=lambda p, rewards, mean: p * (rewards - mean.unsqueeze(-1)),
    no_mean=Wrong(
        lambda p, rewards, mean: p * rewards,
        "The gradient is p · R. Raising a score also lowers every other probability, which costs p · J: "
        "with equal rewards everywhere nothing can be gained, and your gradient is not zero there.",
    ),
    no_weight=Wrong(
        lambda p, rewards, mean: rewards - mean.unsqueeze(-1),
        "The factor p is missing: a position that is hardly ever drawn moves J as much as the likeliest one.",
    ),
    rewards=Wrong(
        lambda p, rewards, mean: rewards,
        "That is the gradient of J with respect to the probabilities. Asked for is the gradient with "
        "respect to the scores, and the softmax stands between the two.",
    ),
    own=Wrong(
        lambda p, rewards, mean: p * (1 - p) * rewards,
        "You took the softmax's diagonal alone, p(1 − p): how a position's own probability moves with "
        "its own score. The score moves the other probabilities too, by −p times theirs.",
    ),
    down=Wrong(
        lambda p, rewards, mean: p * (mean.unsqueeze(-1) - rewards),
        "The sign is turned round: this is the gradient of −J. Positions with more than the mean reward "
        "should get a positive gradient.",
    ),
)

HEAT = Mistakes(
    "heat",
    right=lambda scores, temperature: scores / temperature,
    none=Wrong(
        lambda scores, temperature: scores,
        "The temperature is missing in the softmax: the probabilities are those of temperature 1.",
    ),
    times=Wrong(
        lambda scores, temperature: scores * temperature,
        "The scores are multiplied by the temperature. They are divided by it, so that a high temperature "
        "makes the probabilities more alike.",
    ),
)
CHAIN = Mistakes(
    "chain",
    right=lambda gradient, temperature: gradient / temperature,
    none=Wrong(
        lambda gradient, temperature: gradient,
        "That is the gradient with respect to e/τ. A nudge of e moves e/τ by 1/τ of the nudge only: the "
        "chain rule has one more factor.",
    ),
    times=Wrong(
        lambda gradient, temperature: gradient * temperature,
        "The gradient is multiplied by τ. When e is divided by a large τ, a nudge of e does *less*, so the "
        "factor is 1/τ.",
    ),
)


def reward_and_gradient(
    scores, rewards, temperature,
    *, over=OVER.right, mean=MEAN.right, slope=SLOPE.right, heat=HEAT.right, chain=CHAIN.right,
):  # fmt: skip
    p = softmax(heat(scores, temperature), over)
    expected = mean(p, rewards)
    return expected, chain(slope(p, rewards, expected), temperature)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, positions = draw.sizes(2, 3, 8)
        scores = policies(draw, batch, positions)
        rewards = draw.normal(batch, positions, scale=2.0) + 1.5
        temperature = round(draw.random.choice((0.5, 0.6, 1.6, 1.8)), 2)
        found.append(Case({"scores": scores, "rewards": rewards, "temperature": temperature}))
    batch, positions = draw.sizes(2, 3, 8)
    far = policies(draw, batch, positions)
    far[0], far[1] = far[0] + 200, far[1] - 200
    found.append(
        Case(
            {
                "scores": far,
                "rewards": draw.normal(batch, positions, scale=2.0) + 1.5,
                "temperature": 0.5,
            },
            group="edge",
            note="scores near 200 in one row and near −200 in another",
        )
    )
    return found


EXERCISE = Function(
    id="6.3",
    title="The gradient that hard attention cannot have",
    points=2,
    minutes=10,
    difficulty="easy",
    signature="reward_and_gradient(scores, rewards, temperature)",
    outputs=(Output("J", ("batch",)), Output("gradient", ("batch", "positions"))),
    reference=reward_and_gradient,
    cases=cases,
    properties=(ADDS_UP_TO_NOTHING,),
    mistakes=(OVER, MEAN, SLOPE, HEAT, CHAIN),
    together=2,
    meaningless=((OVER, MEAN), (OVER, SLOPE)),
    forbidden=("autograd.grad", "backward", "attnbook.nn"),
    hints=(
        "J is probability times reward, added up over the positions.",
        "Call x = e/τ. When x_i rises, p_i rises by p_i(1 − p_i), and every other p_j falls by p_i p_j. "
        "What does that do to J?",
        "Take p_i out of the sum: what is left in the bracket is the reward at i, less J. All of that is "
        "with respect to e/τ; one factor is missing for e.",
    ),
)
