"""Keys and values in few bits: whole numbers, and a scale and an offset for each
group of them.

The asymmetric rounding of KIVI (Liu et al. 2024, https://arxiv.org/abs/2402.02750,
section 3), which groups keys by channel and values by token.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from attnbook.serving import checks


@dataclass(frozen=True)
class Quantised:
    """Numbers rounded to 2^bits steps between the smallest and the largest of their
    group.

    Attributes
    ----------
    codes : of uint8
        Whole numbers from 0 to 2^bits − 1, in the shape of what was rounded.
    scale, lowest : that shape, with 1 in the dimension of a group
    bits : int
    """

    codes: Tensor
    scale: Tensor
    lowest: Tensor
    bits: int

    def values(self) -> Tensor:
        """The numbers, as nearly as they are known: ``codes · scale + lowest``."""
        return self.codes.to(self.scale.dtype) * self.scale + self.lowest

    @property
    def n_bytes(self) -> float:
        """Bytes with packed codes, and 16 bits for each scale and each lowest."""
        groups = self.scale.numel() + self.lowest.numel()
        return self.codes.numel() * self.bits / 8 + 2 * groups


def quantise(x: Tensor, bits: int, dim: int) -> Quantised:
    """Round to ``bits`` bits, one scale for all numbers along ``dim``.

    Parameters
    ----------
    x : (…, length, d_head)
    bits : int
        1 to 8.
    dim : int
        −1: a group is a token, as KIVI does with values. −2: a group is a channel
        (one number of all tokens), as it does with keys.

    Raises
    ------
    TypeError, ValueError
        If bits is not whole, or not from 1 to 8, or x is not floating.
    """
    checks.bits(bits)
    checks.floating(x)
    lowest, highest = x.amin(dim, keepdim=True), x.amax(dim, keepdim=True)
    scale = (highest - lowest) / (2**bits - 1)
    steps = (x - lowest) / torch.where(scale > 0, scale, 1.0)
    return Quantised(steps.round().to(torch.uint8), scale, lowest, bits)
