"""Mixed precision: matrix products in 16 bits, weights and their updates in 32."""

from __future__ import annotations

import torch
from torch import Tensor

CHOICES = ("auto", "float32", "mixed")


class Precision:
    """The arithmetic of a training step.

    Parameters
    ----------
    choice : "auto", "float32" or "mixed"
        Auto: mixed on CUDA, float32 elsewhere.
    device : torch.device

    Attributes
    ----------
    scaler : torch.amp.GradScaler
        Off but for float16, whose range is so small that gradients would vanish without a factor; bfloat16
        has the range of float32.
    """

    def __init__(self, choice: str, device: torch.device) -> None:
        self.device = device
        self.mixed = choice == "mixed" or (choice == "auto" and device.type == "cuda")
        self.half = torch.bfloat16
        if self.mixed and device.type == "cuda" and not torch.cuda.is_bf16_supported():
            self.half = torch.float16
        self.scaler = torch.amp.GradScaler(device.type, enabled=self.mixed and self.half is torch.float16)

    def autocast(self) -> torch.autocast:
        """A context in which the model runs."""
        return torch.autocast(self.device.type, self.half, enabled=self.mixed)

    def backward(self, value: Tensor, optimiser: torch.optim.Optimizer) -> None:
        """Gradients of the loss, in their true size."""
        self.scaler.scale(value).backward()
        self.scaler.unscale_(optimiser)

    def step(self, optimiser: torch.optim.Optimizer) -> None:
        """Update the weights; with float16 a step whose scaled gradient overflowed is left out."""
        self.scaler.step(optimiser)
        self.scaler.update()
