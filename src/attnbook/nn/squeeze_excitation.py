"""Squeeze-and-excitation: one weight for each channel, made from the picture.

Hu, Shen & Sun 2018, https://arxiv.org/abs/1709.01507, section 3, equations 2 to 4:

    z_c = mean of channel c over all positions          squeeze
    s   = sigmoid(W_2 max(0, W_1 z))                    excitation
    out = s_c · channel c                               scale

The weights are no shares: each is between 0 and 1 on its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks


class SqueezeExcitation(nn.Module):
    """Multiply each channel by a weight that depends on all channels.

    Parameters
    ----------
    channels : int
    reduction : int
        Divides channels: between the two layers stand channels / reduction numbers;
        16 in the paper.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or does not divide.
    """

    def __init__(self, channels: int, reduction: int = 16):
        super().__init__()
        checks.divides("reduction", reduction, "channels", channels)
        self.channels = channels
        self.W_1 = nn.Linear(channels, channels // reduction, bias=False)
        self.W_2 = nn.Linear(channels // reduction, channels, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Weigh the channels.

        Parameters
        ----------
        x : (batch, channels, h, w)

        Returns
        -------
        context : (batch, channels, h, w)
        weights : (batch, channels)
            Each between 0 and 1.

        Raises
        ------
        TypeError, ValueError
            If x does not fit.
        """
        checks.feature_maps("x", x, self.channels)
        checks.fits_parameters("x", x, self)
        z = x.mean(dim=(2, 3))  # (batch, channels): squeeze
        hidden = torch.relu(self.W_1(z))  # (batch, channels / reduction)
        weights = torch.sigmoid(self.W_2(hidden))  # (batch, channels): excitation
        return x * weights[:, :, None, None], weights
