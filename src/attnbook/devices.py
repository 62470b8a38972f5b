"""Where the tensors live, and one seed for everything random: both set once, at the top of every notebook."""

import random

import numpy as np
import torch


def device() -> torch.device:
    """The fastest device that torch can use here: ``cuda``, then ``mps``, then ``cpu``.

    Returns
    -------
    torch.device
        Send every tensor and every model there with ``.to(device)``.
    """
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def named_device(name: str) -> torch.device:
    """``"auto"`` or a device name such as ``"cpu"`` or ``"cuda:1"``, checked against this machine.

    Raises
    ------
    ValueError
        If the name is unknown, or the machine has no such device.
    """
    if name == "auto":
        return device()
    try:
        chosen = torch.device(name)
    except RuntimeError:
        raise ValueError(f"device: expected auto, cpu, cuda, cuda:N or mps, got {name!r}") from None
    if chosen.type == "cuda" and (chosen.index or 0) >= torch.cuda.device_count():
        raise ValueError(
            f"device: {name} was asked for, and torch sees {torch.cuda.device_count()} CUDA devices; "
            "use --device auto or cpu"
        )
    if chosen.type == "mps" and not torch.backends.mps.is_available():
        raise ValueError("device: mps was asked for, and this machine has none; use --device auto or cpu")
    return chosen


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
