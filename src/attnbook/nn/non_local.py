"""The non-local block: self-attention over all positions of a feature map, added to
what was there.

Wang, Girshick, Gupta & He 2018, https://arxiv.org/abs/1711.07971, equations 1, 4
and 6, in the "embedded Gaussian" version:

    y_i = Σ_j softmax_j(θ(x_i)ᵀ φ(x_j)) g(x_j)
    z_i = W_z y_i + x_i

θ, φ and g are what chapter 7 calls the projections to query, key and value. The
scores are not divided by √d. W_z starts at zero, so that a block put into a trained
network changes nothing at first.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks


class NonLocalBlock(nn.Module):
    """Every position attends to every position, whatever the distance.

    Parameters
    ----------
    channels : int
    d_k : int, optional
        Numbers in a query, a key and a value; half of channels if left out, as in
        the paper.

    Raises
    ------
    TypeError, ValueError
        If a size is not a whole number of at least 1.
    """

    def __init__(self, channels: int, d_k: int | None = None):
        super().__init__()
        checks.sizes(channels=channels)
        d_k = max(1, channels // 2) if d_k is None else d_k
        checks.sizes(d_k=d_k)
        self.channels = channels
        self.W_q = nn.Linear(channels, d_k)  # θ
        self.W_k = nn.Linear(channels, d_k)  # φ
        self.W_v = nn.Linear(channels, d_k)  # g
        self.W_z = nn.Linear(d_k, channels)
        nn.init.zeros_(self.W_z.weight)
        nn.init.zeros_(self.W_z.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Attend, and add.

        Parameters
        ----------
        x : (batch, channels, h, w)

        Returns
        -------
        context : (batch, channels, h, w)
            x, and what was attended to.
        weights : (batch, h · w, h · w)
            Row by row of the map; each row sums to 1.

        Raises
        ------
        TypeError, ValueError
            If x does not fit.
        """
        checks.feature_maps("x", x, self.channels)
        checks.fits_parameters("x", x, self)
        rows = x.flatten(2).transpose(1, 2)  # (batch, h · w, channels)
        scores = self.W_q(rows) @ self.W_k(rows).transpose(1, 2)
        weights = torch.softmax(scores, dim=-1)  # (batch, h · w, h · w)
        y = self.W_z(weights @ self.W_v(rows))  # (batch, h · w, channels)
        return x + y.transpose(1, 2).reshape(x.shape), weights
