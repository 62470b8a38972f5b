"""A window onto a picture that can be moved and zoomed, and through which gradients
flow: N × N Gaussian filters.

Gregor, Danihelka, Graves, Rezende & Wierstra 2015, "DRAW: A Recurrent Neural
Network For Image Generation", section 3.2, https://arxiv.org/abs/1502.04623. The
paper counts pixels and filters from 1; here both are counted from 0.
"""

import torch
from torch import Tensor, nn

from attnbook.nn import checks


class FilterBank(nn.Module):
    """An N × N grid of Gaussian filters on a picture, given by five numbers.

    The filters of a row stand at μ_i = x + (i − (N − 1)/2) · stride, i from 0 to
    N − 1, and filter i weighs pixel a by a softmax over the pixels,

        F_x[i, a] = exp(−(a − μ_i)² / 2 variance) / Z_i,

    where Z_i makes the row sum to 1; F_y in the same way. Reading is equation 27 of
    the paper, γ F_y picture F_xᵀ; writing is equation 29, F_yᵀ patch F_x / γ.

    Parameters
    ----------
    size : int
        N, filters in a row and in a column; at least 2.
    height, width : int
        Of the pictures, in pixels.
    inside : bool
        How ``window`` makes the five numbers. False: as in the paper, where the
        window may leave the picture. True: every filter stands on the picture, so
        that the window can neither leave it nor become larger than it.
    """

    def __init__(self, size: int, height: int, width: int, inside: bool = False):
        super().__init__()
        checks.whole_number("size", size, least=2)
        checks.sizes(height=height, width=width)
        self.size, self.height, self.width = size, height, width
        self.inside = inside

    def window(self, raw: Tensor) -> Tensor:
        """Five unbounded numbers to a window, equations 21 to 24.

        With zeros the paper's window lies on the middle of the picture and spans
        it; that of ``inside=True`` spans half of it.

        Parameters
        ----------
        raw : (batch, 5)
            As a linear layer says them.

        Returns
        -------
        window : (batch, 5)
            Centre x and y and the stride in pixels, the variance in pixels squared,
            and the intensity γ.

        Raises
        ------
        TypeError, ValueError
            If ``raw`` is not a floating tensor of that shape.
        """
        checks.raw_window("raw", raw)
        x, y, log_variance, log_stride, log_intensity = raw.unbind(-1)
        if self.inside:
            largest = (min(self.height, self.width) - 1) / (self.size - 1)
            stride = largest * torch.sigmoid(log_stride)
            half = (
                (self.size - 1) / 2 * stride
            )  # from the centre to the last filter
            x = half + (self.width - 1 - 2 * half) * torch.sigmoid(x)
            y = half + (self.height - 1 - 2 * half) * torch.sigmoid(y)
        else:
            whole = (max(self.height, self.width) - 1) / (self.size - 1)
            stride = whole * torch.exp(log_stride)
            x = (self.width + 1) / 2 * (x + 1) - 1  # −1: pixels counted from 0
            y = (self.height + 1) / 2 * (y + 1) - 1
        return torch.stack(
            [x, y, stride, torch.exp(log_variance), torch.exp(log_intensity)],
            dim=-1,
        )

    def filters(self, window: Tensor) -> tuple[Tensor, Tensor]:
        """Each filter's weights on the rows and on the columns of a picture.

        Parameters
        ----------
        window : (batch, 5)
            x, y, stride, variance, intensity.

        Returns
        -------
        F_y : (batch, N, height)
        F_x : (batch, N, width)
            Each row of both sums to 1.

        Raises
        ------
        TypeError, ValueError
            If the window is not a floating tensor of that shape, or its stride,
            variance or intensity is not above 0.
        """
        checks.whole_window("window", window)
        x, y, stride, variance, _ = window.unbind(-1)
        F_y = self._along(self.height, y, stride, variance)
        F_x = self._along(self.width, x, stride, variance)
        return F_y, F_x

    def _along(
        self, pixels: int, centre: Tensor, stride: Tensor, variance: Tensor
    ) -> Tensor:
        """One direction, equations 19, 20, 25 and 26: (batch, N, pixels)."""
        kind = {"dtype": centre.dtype, "device": centre.device}
        steps = torch.arange(self.size, **kind) - (self.size - 1) / 2  # (N,)
        mu = centre[:, None] + steps * stride[:, None]  # (batch, N)
        distance = (
            torch.arange(pixels, **kind) - mu[..., None]
        )  # (batch, N, pixels)
        return torch.softmax(-(distance**2) / (2 * variance[:, None, None]), dim=-1)

    def read(self, picture: Tensor, window: Tensor) -> Tensor:
        """What the window sees: (batch, N, N).

        Parameters
        ----------
        picture : (batch, height, width)
        window : (batch, 5)

        Raises
        ------
        TypeError, ValueError
            If shapes, dtypes or devices do not fit, or the window's stride,
            variance or intensity is not above 0.
        """
        checks.grey_pictures("picture", picture, self.height, self.width)
        checks.window("window", window, "picture", picture)
        F_y, F_x = self.filters(window)
        return window[:, 4, None, None] * (F_y @ picture @ F_x.mT)

    def write(self, patch: Tensor, window: Tensor) -> Tensor:
        """What a patch adds to a canvas through the window: (batch, height, width).

        Parameters
        ----------
        patch : (batch, N, N)
        window : (batch, 5)

        Raises
        ------
        TypeError, ValueError
            If shapes, dtypes or devices do not fit, or the window's stride,
            variance or intensity is not above 0.
        """
        checks.grey_pictures("patch", patch, self.size, self.size)
        checks.window("window", window, "patch", patch)
        F_y, F_x = self.filters(window)
        return F_y.mT @ (patch / window[:, 4, None, None]) @ F_x
