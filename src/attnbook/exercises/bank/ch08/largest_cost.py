"""8.7: what the loss says of a layer without one of its heads."""

import torch

from attnbook.exercises.spec import Measurement, Nearby


def small_layer() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What three heads found for 40 words, W_o, and what should come out: all fixed, no random numbers."""
    word = torch.arange(40.0)
    heads = torch.stack(
        [
            torch.stack([torch.sin(word / 3), torch.cos(word / 3)], dim=-1),
            torch.stack([1.5 + 0.2 * torch.sin(word), 2.0 + 0.2 * torch.cos(word)], dim=-1),
            torch.stack([torch.sin(word / 5 + 1), torch.cos(word / 2)], dim=-1) * 0.6,
        ]
    )  # (n_heads, words, d_head)
    W_o = torch.eye(6) + 0.1 * torch.sin(torch.arange(36.0)).view(6, 6)
    wanted = heads.transpose(0, 1).flatten(1) @ W_o.T + 0.1 * torch.cos(torch.arange(240.0)).view(40, 6)
    return heads, W_o, wanted


def loss_without(off: int | None, by: str) -> float:
    """Mean squared error of the small layer with one head replaced by its mean, or by zeros."""
    heads, W_o, wanted = small_layer()
    if off is not None:
        heads = heads.clone()
        heads[off] = heads[off].mean(dim=0) if by == "mean" else 0.0
    output = heads.transpose(0, 1).flatten(1) @ W_o.T
    return float(((output - wanted) ** 2).mean())


def largest(by: str = "mean") -> float:
    """By how much the loss rises without the head that is missed most."""
    return max(loss_without(head, by) for head in range(3)) - loss_without(None, by)


EXERCISE = Measurement(
    id="8.7",
    title="The head that is missed most",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="largest_cost = 0.5",
    reference=largest,
    tolerance=0.003,
    nearby=(
        Nearby(
            largest("zero"),
            "That is the cost by zeros. The second head says about the same for every word, and its "
            "zeros take that constant away as well; the mean keeps it.",
            0.003,
        ),
        Nearby(
            max(loss_without(head, "mean") for head in range(3)),
            "That is the loss without the head. The cost is how much it rises: less the loss with all heads.",
            0.003,
        ),
        Nearby(
            min(loss_without(head, "mean") for head in range(3)) - loss_without(None, "mean"),
            "That is the cheapest of the three heads.",
            0.003,
        ),
    ),
    hints=(
        "A loop over three heads: copy, replace head h by its mean over the words, compute the loss.",
        "`heads[h].mean(dim=0)` has d_head numbers, the same for every word.",
        "The largest loss of the three, less the loss with all heads.",
    ),
)
