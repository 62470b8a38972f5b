"""One seed for everything that draws random numbers in a chapter."""

import random

import numpy as np
import torch


def seed(value: int = 0) -> None:
    """Seed Python, NumPy and torch (all devices) with the same number.

    Parameters
    ----------
    value : int
        From 0 to 2**32 - 1, the range that NumPy's global generator accepts.

    Raises
    ------
    ValueError
        If ``value`` is not an integer in that range.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**32:
        raise ValueError(f"value: expected an integer from 0 to 2**32 - 1, got {value!r}")
    random.seed(value)
    np.random.seed(value)  # noqa: NPY002 - libraries that readers use draw from the global generator
    torch.manual_seed(value)
