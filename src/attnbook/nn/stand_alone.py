"""Stand-alone self-attention: a layer with a convolution's window and attention's
weights.

Ramachandran et al. 2019, https://arxiv.org/abs/1906.05909, equation 3. The pixel at
row i, column j attends to the k × k pixels (a, b) around it:

    y_ij = Σ_ab softmax_ab(q_ijᵀ k_ab + q_ijᵀ r_(a−i, b−j)) v_ab

r is a learned vector for each offset: its first half belongs to the row offset
a − i, its second half to the column offset b − j. With several heads the channels
are cut into groups, one a head, each with projections of its own. The scores are
not divided by √d. Pixels outside the picture are not attended to; the paper does
not say what happens there.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.nn import checks


class StandAloneSelfAttention2d(nn.Module):
    """Attention in a window around each pixel, in the place of a convolution.

    Parameters
    ----------
    d_in, d_out : int
        Channels that come in and go out.
    window : int
        k, odd: the window holds k · k pixels; 7 in most of the paper's layers.
    n_heads : int
        Divides d_in and d_out; d_out / n_heads must be even, since offsets are
        told by two halves.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, window is even, or n_heads does not divide.
    """

    def __init__(self, d_in: int, d_out: int, window: int = 7, n_heads: int = 1):
        super().__init__()
        checks.divides("n_heads", n_heads, "d_in", d_in)
        checks.divides("n_heads", n_heads, "d_out", d_out)
        checks.divides("2", 2, "d_out / n_heads", d_out // n_heads)
        checks.odd("window", window)
        self.d_in, self.d_out = d_in, d_out
        self.window, self.n_heads = window, n_heads
        self.W_q = nn.Conv2d(d_in, d_out, 1, groups=n_heads, bias=False)
        self.W_k = nn.Conv2d(d_in, d_out, 1, groups=n_heads, bias=False)
        self.W_v = nn.Conv2d(d_in, d_out, 1, groups=n_heads, bias=False)
        half = d_out // n_heads // 2
        self.row_offsets = nn.Parameter(torch.randn(n_heads, window, half))
        self.column_offsets = nn.Parameter(torch.randn(n_heads, window, half))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Let each pixel attend to its window.

        Parameters
        ----------
        x : (batch, d_in, h, w)

        Returns
        -------
        context : (batch, d_out, h, w)
        weights : (batch, n_heads, h, w, window, window)
            Those of a pixel sum to 1; 0 outside the picture.

        Raises
        ------
        TypeError, ValueError
            If x does not fit.
        """
        checks.feature_maps("x", x, self.d_in)
        checks.fits_parameters("x", x, self)
        batch, _, h, w = x.shape
        # (batch, n_heads, d_head, h · w); keys and values of the k² neighbours
        q = self.W_q(x).reshape(batch, self.n_heads, -1, h * w)
        k = windows(self.W_k(x), self.window, self.n_heads)
        v = windows(self.W_v(x), self.window, self.n_heads)
        r = self.offsets()  # (n_heads, d_head, k²)
        # Content: (batch, n_heads, k², h · w)
        scores = (q.unsqueeze(3) * k).sum(dim=2)
        scores = scores + r.transpose(1, 2) @ q  # where the neighbour stands
        inside = windows(torch.ones_like(x[:1, :1]), self.window, 1)[0, 0] > 0
        scores = scores.masked_fill(~inside, -torch.inf)
        weights = torch.softmax(scores, dim=2)
        context = (weights.unsqueeze(2) * v).sum(dim=3)
        weights = weights.transpose(2, 3).unflatten(3, (self.window, self.window))
        return context.reshape(batch, -1, h, w), weights.unflatten(2, (h, w))

    def offsets(self) -> Tensor:
        """r for each place of the window, row by row: (n_heads, d_head, k²)."""
        k = self.window
        rows = self.row_offsets.unsqueeze(2).expand(-1, k, k, -1)
        columns = self.column_offsets.unsqueeze(1).expand(-1, k, k, -1)
        return torch.cat([rows, columns], dim=-1).flatten(1, 2).transpose(1, 2)


def windows(x: Tensor, window: int, n_heads: int) -> Tensor:
    """The k × k pixels around each pixel, zeros outside: (batch, channels, h, w) →
    (batch, n_heads, channels / n_heads, k², h · w).
    """
    # (batch, channels · k², h · w)
    found = F.unfold(x, window, padding=window // 2)
    return found.reshape(len(x), n_heads, -1, window * window, found.shape[-1])
