"""A loss or a gradient that is not finite: where it came up, and why it likely did."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class Diverged(ValueError):
    """Training met a number that is not finite. The sentence names the step and the likely cause."""


def check_finite(
    value: float,
    norm: Tensor,
    model: nn.Module,
    losses: list[float],
    optimiser: torch.optim.Optimizer,
    scaled: bool,
) -> None:
    """Raise :class:`Diverged` at the first loss or gradient that is not finite.

    Parameters
    ----------
    value : float
        Loss of the step that has not been made yet.
    norm : ()
        Length of its gradient.
    losses : list of float
        Of the steps before.
    optimiser : torch.optim.Optimizer
        Its learning rate is named.
    scaled : bool
        The gradient was scaled: then an overflow only makes the factor smaller, and the step is left out.
    """
    gradient_fine = bool(torch.isfinite(norm)) or scaled
    if not (math.isfinite(value) and gradient_fine):
        raise Diverged(_cause(value, model, losses, optimiser.param_groups[0]["lr"]))


def _cause(value: float, model: nn.Module, losses: list[float], rate: float) -> str:
    """One sentence: where it happened, and the first of the usual causes that the evidence fits."""
    step = len(losses)
    finite = math.isfinite(value)
    what = f"step {step}: a gradient is not finite" if finite else f"step {step}: the loss is {value}"
    sick = next((name for name, p in model.named_parameters() if not torch.isfinite(p).all()), None)
    recent = losses[-20:]
    grown = len(recent) >= 2 and recent[-1] > 2 * min(recent)
    if sick is not None:
        cause = (
            f"parameter {sick} already held numbers that are not finite, so the step before was too large: "
            f"lower the learning rate (now {rate:g}) or clip gradients"
        )
    elif grown:
        cause = (
            f"the loss rose from {min(recent):.3g} to {recent[-1]:.3g} just before, so the learning rate "
            f"(now {rate:g}) is likely too high: lower it"
        )
    elif finite:
        name = next(
            (n for n, p in model.named_parameters() if p.grad is not None and not p.grad.isfinite().all()),
            "?",
        )
        cause = (
            f"it is that of {name} while the loss is finite: likely a square root, logarithm or division at "
            "zero, whose slope has no bound; add a small number inside it"
        )
    else:
        cause = (
            "weights and earlier losses were finite: likely a batch with inf or NaN in it, a softmax over "
            "scores that are all masked, or the logarithm of zero"
        )
    return f"{what}; {cause}."
