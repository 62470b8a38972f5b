"""Feature maps: what stands in the place of softmax's exponential where keys and
queries are no longer compared pair by pair.

A feature map φ turns a query or key into numbers whose dot product φ(q) · φ(k) is
the weight itself. ELU + 1 is that of Katharopoulos et al. 2020,
https://arxiv.org/abs/2006.16236; unit length is what the delta rule asks of its
keys (Yang et al. 2024, https://arxiv.org/abs/2406.06484).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from attnbook.nn import checks


def elu_plus_one(x: Tensor) -> Tensor:
    """Above 0 everywhere: x + 1 where x is positive, exp(x) elsewhere.

    Parameters
    ----------
    x : (…, d_k)

    Returns
    -------
    features : (…, d_k)

    Raises
    ------
    TypeError, ValueError
        If x is no tensor of floating-point numbers.
    """
    checks.floating("x", x)
    return F.elu(x) + 1


def unit_length(x: Tensor) -> Tensor:
    """x / |x|: only the direction of a vector counts. A vector of zeros stays one.

    Parameters
    ----------
    x : (…, d_k)

    Returns
    -------
    features : (…, d_k)

    Raises
    ------
    TypeError, ValueError
        If x is no tensor of floating-point numbers.
    """
    checks.floating("x", x)
    # Squares of half precision overflow above 255.
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return F.normalize(wide, dim=-1).to(x.dtype)
