"""Several processes, as ``torchrun`` starts them: the same weights at first, then mean gradients."""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor, nn


def processes() -> tuple[int, int]:
    """(rank, number of processes); (0, 1) outside torchrun."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def same_start(model: nn.Module) -> None:
    """Every process begins with the weights of the first."""
    for tensor in model.state_dict().values():
        dist.broadcast(tensor, src=0)


def average(parameters: list[nn.Parameter], value: Tensor) -> Tensor:
    """Mean gradient over the processes, in place, in one message; and the mean loss."""
    gradients = []
    for parameter in parameters:
        if parameter.grad is None:  # every process must send the same number of values
            parameter.grad = torch.zeros_like(parameter)
        gradients.append(parameter.grad)
    flat = torch.cat([gradient.flatten() for gradient in gradients] + [value.detach().view(1)])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
    return flat[-1]
