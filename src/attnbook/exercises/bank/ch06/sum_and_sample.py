"""6.11 ★: sum the likeliest positions exactly, draw only among the rest (Liu et al. 2019)."""

import torch

from attnbook.exercises.bank.ch06._policies import ADDS_UP_TO_NOTHING, one_hot, policies
from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

CHOSEN = Mistakes(
    "chosen",
    right=lambda p, rewards, k: p.topk(k, dim=-1).indices,
    by_reward=Wrong(
        lambda p, rewards, k: rewards.topk(k, dim=-1).indices,
        "The sum takes the k positions with the largest rewards. It takes the k likeliest ones, from "
        "which most of the expectation comes; before the sum is computed nobody knows the rewards.",
    ),
    first=Wrong(
        lambda p, rewards, k: torch.arange(k).expand(len(p), k),
        "The sum takes the first k positions. It takes the k likeliest of each row.",
    ),
    rarest=Wrong(
        lambda p, rewards, k: (-p).topk(k, dim=-1).indices,
        "The sum takes the k least likely positions. It takes the likeliest.",
    ),
)
REST = Mistakes(
    "rest",
    right=lambda p, inside, one: 1 - (p * inside).sum(-1, keepdim=True),
    full=Wrong(
        lambda p, inside, one: torch.ones_like(p[:, :1]),
        "The drawn part counts in full. It stands for the positions outside of the sum, so its factor is "
        "their probability together.",
    ),
    own=Wrong(
        lambda p, inside, one: (p * one).sum(-1, keepdim=True),
        "The drawn part is multiplied by the drawn position's own probability. The draw has weighted the "
        "rest already; what is missing is the probability of the rest as a whole.",
    ),
    top=Wrong(
        lambda p, inside, one: (p * inside).sum(-1, keepdim=True),
        "The drawn part is multiplied by the probability of the positions in the sum. It should be that "
        "of the others.",
    ),
)
EXACT = Mistakes(
    "exact",
    right=lambda p, rewards, inside: p * ((rewards * inside) - (p * rewards * inside).sum(-1, keepdim=True)),
    none=Wrong(
        lambda p, rewards, inside: torch.zeros_like(p),
        "The exact part is missing: only the draw contributes.",
    ),
    no_mean=Wrong(
        lambda p, rewards, inside: p * rewards * inside,
        "In the exact part each position of the sum moves its own score alone. A sum of p_i R_i depends on "
        "every score, since each of them stands in the softmax's denominator.",
    ),
    all_positions=Wrong(
        lambda p, rewards, inside: p * (rewards - (p * rewards).sum(-1, keepdim=True)),
        "The exact part runs over all positions. Then the draw counts the rest a second time, and "
        "nothing was saved.",
    ),
)
DRAWN = Mistakes(
    "drawn_part",
    right=lambda p, one, inside: one - p,
    renormalised=Wrong(
        lambda p, one, inside: one - p * (1 - inside) / (p * (1 - inside)).sum(-1, keepdim=True),
        "You took the logarithm of the probability within the rest. The estimate needs the gradient of "
        "the *whole* policy's log p at the drawn position; the rest's own probability, too, depends on "
        "the scores.",
    ),
    alone=Wrong(
        lambda p, one, inside: one,
        "In the drawn part only the drawn position's score gets a gradient. The gradient of log p has −p "
        "at every position.",
    ),
)


def sum_and_sample(
    scores, rewards, drawn, k,
    *, chosen=CHOSEN.right, rest=REST.right, exact=EXACT.right, drawn_part=DRAWN.right,
):  # fmt: skip
    p = softmax(scores)
    inside = torch.zeros_like(p).scatter(-1, chosen(p, rewards, k), 1.0)
    one = one_hot(drawn, p.shape[-1])
    reward = (rewards * one).sum(-1, keepdim=True)
    return exact(p, rewards, inside) + rest(p, inside, one) * reward * drawn_part(p, one, inside)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, positions = draw.random.randint(3, 5), draw.random.randint(6, 9)
        k = draw.random.randint(2, positions - 3)
        scores = policies(draw, batch, positions)
        p = softmax(scores)
        outside = torch.ones_like(p).scatter(-1, p.topk(k, dim=-1).indices, 0.0)
        found.append(
            Case(
                {
                    "scores": scores,
                    "rewards": draw.normal(batch, positions, scale=1.5) + 2.0,
                    "drawn": torch.multinomial(p * outside, 1, generator=draw.generator).squeeze(-1),
                    "k": k,
                }
            )
        )
    return found


EXERCISE = Function(
    id="6.11",
    title="★ Sum what is likely, draw the rest",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="sum_and_sample(scores, rewards, drawn, k)",
    outputs=(Output("gradient", ("batch", "positions")),),
    reference=sum_and_sample,
    cases=cases,
    properties=(ADDS_UP_TO_NOTHING,),
    mistakes=(CHOSEN, REST, EXACT, DRAWN),
    together=2,
    forbidden=("autograd.grad", "backward", "attnbook.nn"),
    hints=(
        "Split J: J = Σ over the k likeliest of p R, plus Σ over the rest of p R. The gradient of the "
        "first sum can be written down, as in 6.3.",
        "The gradient of p_i with respect to the scores is p_i · (one-hot of i − p), also where i is in "
        "the sum.",
        "The second sum is the rest's probability times the mean over the rest; the drawn position gives "
        "an estimate R_j · (one-hot of j − p) of what stands in that mean.",
    ),
)
