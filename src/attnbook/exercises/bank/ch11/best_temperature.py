"""11.7: one number learned by gradient descent, the temperature at which a model is calibrated.

Guo et al. (2017), "On calibration of modern neural networks", arXiv 1706.04599, section 4.2.
"""

from functools import cache

import torch
from torch.nn.functional import cross_entropy

from attnbook.exercises.spec import Measurement, Nearby


def overconfident(count: int = 600, vocab: int = 12) -> tuple[torch.Tensor, torch.Tensor]:
    """Logits (count, vocab) that are 2.4 times too large, and what came next: fixed, no random numbers."""
    number = torch.arange(count * vocab, dtype=torch.float64).view(count, vocab)
    honest = 1.6 * torch.sin(number * 12.9898 + 0.1 * (number % 7)) + torch.cos(number * 0.37)
    # Tokens drawn with the honest probabilities, by points that are spread evenly.
    point = ((torch.arange(count, dtype=torch.float64) + 0.5) * 0.6180339887498949) % 1
    tokens = (honest.softmax(-1).cumsum(-1) < point[:, None]).sum(-1).clamp(max=vocab - 1)
    return (2.4 * honest).float(), tokens


@cache
def fitted(steps: int = 300, rate: float = 0.5) -> float:
    """Where gradient descent on the loss ends."""
    logits, tokens = overconfident()
    temperature = torch.ones((), requires_grad=True)
    for _ in range(steps):
        loss = cross_entropy(logits / temperature, tokens)
        (slope,) = torch.autograd.grad(loss, temperature)
        with torch.no_grad():
            temperature -= rate * slope
    return float(temperature.detach())


EXERCISE = Measurement(
    id="11.7",
    title="Too sure of itself",
    points=2,
    minutes=15,
    difficulty="medium",
    signature="best_temperature = 1.0",
    reference=fitted,
    tolerance=0.02,
    nearby=(
        Nearby(
            2.4,
            "That is the factor with which the logits were made too large. The 600 tokens that were drawn "
            "have a best temperature of their own, close to it: let the gradient find it.",
            0.01,
        ),
        Nearby(
            0.411,
            "You multiply the logits by your number. Temperature divides them.",
            0.01,
        ),
        Nearby(
            1.0,
            "That is where you start. Take steps against the gradient until the loss no longer falls.",
            0.05,
        ),
    ),
    hints=(
        "One parameter: `T = torch.ones((), requires_grad=True)`, and the loss "
        "`cross_entropy(logits / T, tokens)`.",
        "`(slope,) = torch.autograd.grad(loss, T)`, then `T -= 0.5 * slope` inside `torch.no_grad()`; some "
        "hundreds of times.",
        "Print the loss every hundred steps. When it stays the same to four digits, you are there.",
    ),
)
