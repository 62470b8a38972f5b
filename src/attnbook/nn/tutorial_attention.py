"""The attention layer of a widely copied Keras tutorial, as a PyTorch module.

Hore and Chatterjee, "A Comprehensive Guide to Attention Mechanism in Deep Learning
for Everyone", Analytics Vidhya 2019,
https://www.analyticsvidhya.com/blog/2019/11/comprehensive-guide-attention-mechanism-deep-learning/

    scores = tanh(x · W + b)     W (features, 1), b (steps, 1): one bias a position
    weights = softmax(scores)    over all steps, padding included
    context = Σ weights · x

Nothing is asked: what stands in a query's place, W, is one learned vector for all
sentences. And tanh keeps each score between -1 and 1, so that no weight is more
than e² = 7.39 times another.
"""

import math

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.lookup import masked_softmax


class TutorialAttention(nn.Module):
    """A layer with Keras's four methods and no query.

    Parameters
    ----------
    name : str
        The layer's name, all that its configuration holds.

    Notes
    -----
    As in Keras the weights are made at the first call, when the input's shape is
    known; :meth:`build` makes them before.
    """

    W: nn.Parameter
    b: nn.Parameter

    def __init__(self, name: str = "attention"):
        super().__init__()
        self.name = name
        self.register_parameter("W", None)
        self.register_parameter("b", None)

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Make the weights for inputs of shape (batch, steps, features)."""
        _, steps, features = input_shape
        self.W = nn.Parameter(0.05 * torch.randn(features, 1))
        self.b = nn.Parameter(torch.zeros(steps, 1))

    def call(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """The layer: x (batch, steps, features) → context (batch, features) and
        weights (batch, steps).

        ``mask`` (batch, steps), True = may attend, is what the tutorial lacks.
        """
        scores = torch.tanh(x @ self.W + self.b).squeeze(-1)  # (batch, steps)
        weights = masked_softmax(scores, mask)  # (batch, steps)
        context = (weights.unsqueeze(-1) * x).sum(dim=1)  # (batch, features)
        return context, weights

    def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        """(batch, steps, features) → (batch, features)."""
        return (input_shape[0], input_shape[-1])

    def get_config(self) -> dict[str, str]:
        """What is needed to make the layer again, without its weights."""
        return {"name": self.name}

    def forward(
        self, x: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Build at the first call, then :meth:`call`.

        Raises
        ------
        TypeError
            If x is not a tensor.
        ValueError
            If x is not of floating point, or has other sizes than (batch, steps,
            features) of the first call.
        """
        checks.floating("x", x)
        if x.ndim != 3:
            raise ValueError(
                f"x: expected shape (batch, steps, features), got {tuple(x.shape)}"
            )
        if self.W is None or self.b is None:
            self.build(tuple(x.shape))
            if self.W.device != x.device:
                self.to(x.device)
        wanted = (len(self.b), len(self.W))
        if tuple(x.shape[1:]) != wanted:
            raise ValueError(
                f"x: expected (batch, {wanted[0]}, {wanted[1]}), as it was built, "
                f"got {tuple(x.shape)}; pad to {wanted[0]} steps, as b needs"
            )
        return self.call(x, mask)


def largest_weight(steps: int) -> float:
    """The most that one of ``steps`` positions can get when tanh bounds the scores.

    One score is 1 and all others are -1: ``e / (e + (steps - 1) / e)``.

    >>> round(largest_weight(32), 3)
    0.192
    """
    return math.e / (math.e + (steps - 1) / math.e)
