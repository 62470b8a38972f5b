"""Random inputs for an exercise, the same on every machine for the same seed."""

from __future__ import annotations

import random

import torch


class Draw:
    """Random inputs from one seed: the same seed gives the same inputs on every machine.

    Parameters
    ----------
    seed : int
        Non-negative.
    """

    def __init__(self, seed: int):
        self.seed = seed
        self.random = random.Random(seed)
        self.generator = torch.Generator().manual_seed(seed)

    def sizes(self, count: int, low: int = 2, high: int = 9) -> list[int]:
        """``count`` sizes from low to high, all different, so that no transposed axis goes unnoticed."""
        return self.random.sample(range(low, high + 1), count)

    def normal(self, *shape: int, scale: float = 1.0) -> torch.Tensor:
        """Normal numbers of the given shape, float32."""
        return torch.randn(shape, generator=self.generator) * scale

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> torch.Tensor:
        """Uniform numbers in [low, high), float32."""
        return torch.rand(shape, generator=self.generator) * (high - low) + low

    def integers(self, *shape: int, low: int = 0, high: int) -> torch.Tensor:
        """Whole numbers from low to high - 1, int64."""
        return torch.randint(low, high, shape, generator=self.generator)

    def mask(self, *shape: int) -> torch.Tensor:
        """A boolean mask (True = may attend) in which every row has at least one True and one False."""
        mask = torch.rand(shape, generator=self.generator) < 0.6
        flat = mask.view(-1, shape[-1])
        for row in flat:
            yes, no = self.random.sample(range(shape[-1]), 2)
            row[yes], row[no] = True, False
        return mask

    def permutation(self, size: int) -> torch.Tensor:
        """The numbers 0 to size - 1 in random order."""
        return torch.randperm(size, generator=self.generator)
