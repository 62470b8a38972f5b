"""Where the tensors live: one choice, made once, at the top of every notebook."""

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
