"""What several exercises share: draws from a softmax, and mistakes in the gradient of log p."""

import torch

from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Draw, Mistakes, Property, Wrong

# The gradient of log p(drawn) with respect to the scores: (probabilities, drawn as 0 and 1) → (…, positions).
LOG_PROB = Mistakes(
    "log_prob",
    right=lambda p, one_hot: one_hot - p,
    chosen_alone=Wrong(
        lambda p, one_hot: one_hot,
        "Only the drawn position's score gets a gradient. The other scores stand in the softmax's "
        "denominator: raising them makes the drawn position less likely, so each of them gets −p.",
    ),
    chosen_part=Wrong(
        lambda p, one_hot: one_hot * (1 - p),
        "The drawn position gets 1 − p, which is right, and the others get 0. They stand in the softmax's "
        "denominator, so each of them gets −p of its own.",
    ),
    of_the_probability=Wrong(
        lambda p, one_hot: (p * one_hot).sum(-1, keepdim=True) * (one_hot - p),
        "That is the gradient of p itself, not of its logarithm: there is a factor p of the drawn "
        "position too many. The draw has already weighted each position with its probability.",
    ),
    by_the_probability=Wrong(
        lambda p, one_hot: one_hot / p,
        "That is the gradient of log p with respect to p. Asked for is the gradient with respect to the "
        "scores: there is a softmax between the two.",
    ),
)


def policies(draw: Draw, batch: int, positions: int) -> torch.Tensor:
    """Scores (batch, positions), so far apart that the probabilities differ clearly."""
    return draw.normal(batch, positions, scale=1.2)


def drawn_from(draw: Draw, scores: torch.Tensor, samples: int) -> torch.Tensor:
    """Positions (batch, samples) drawn from the softmax of the scores (batch, positions)."""
    return torch.multinomial(softmax(scores), samples, replacement=True, generator=draw.generator)


def one_hot(drawn: torch.Tensor, positions: int) -> torch.Tensor:
    """1 at the drawn position, (…, positions)."""
    return torch.nn.functional.one_hot(drawn, positions).to(torch.float32)


def _adds_up_to_nothing(args, outputs) -> bool:
    return bool((outputs["gradient"].sum(-1).abs() < 1e-3).all())


# Raising all scores alike changes no probability, so the gradient with respect to them adds up to 0.
ADDS_UP_TO_NOTHING = Property("each row of the gradient adds up to 0", _adds_up_to_nothing)
