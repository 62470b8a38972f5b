"""A device without float64, as Apple's GPUs are, on any machine: for tests that run a model "there".

Inside ``with StandIn():`` a tensor on the device is one on the CPU that says it is elsewhere, and a tensor
that names no device is made there. As on the real device, a tensor of float64 there is an error, and so is an
operation on tensors of two devices.
"""

import torch
from torch.overrides import TorchFunctionMode, resolve_name
from torch.utils._device import _device_constructors
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("mps")
# Take a tensor of the CPU beside those of the device: indices, and how many rows each step of a packed
# sequence has.
MAY_MIX = {"__getitem__", "copy_", "to", "gru", "lstm", "_pack_padded_sequence", "_pad_packed_sequence"}


class There(torch.Tensor):
    """A tensor on DEVICE."""

    __torch_function__ = torch._C._disabled_torch_function_impl

    def __deepcopy__(self, memo):
        copied = self.detach().clone().as_subclass(There).requires_grad_(self.requires_grad)
        copied._is_param = getattr(self, "_is_param", False)  # so that a module takes it as a parameter
        return memo.setdefault(id(self), copied)


class StandIn(TorchFunctionMode):
    """Runs every function of torch on the CPU, and keeps account of what would be where."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = (resolve_name(function) or function.__name__).split("torch.")[-1]
        if name == "Tensor.device.__get__" and isinstance(args[0], There):
            return DEVICE
        if name == "Tensor.is_cpu.__get__":
            return not isinstance(args[0], There)
        leaves = tree_leaves((args, kwargs))
        tensors = [leaf for leaf in leaves if isinstance(leaf, torch.Tensor)]
        mixed = len({isinstance(tensor, There) for tensor in tensors if tensor.dim() > 0}) == 2
        if mixed and name.split(".")[-1] not in MAY_MIX:
            raise RuntimeError(f"{name}: expected tensors of one device, found {DEVICE.type} and cpu")
        devices = [torch.device(leaf) for leaf in leaves if _names_device(leaf)]
        if name == "Tensor.cpu":
            devices = [torch.device("cpu")]
        elif not devices and function in _device_constructors():
            devices = [DEVICE]
        there = DEVICE in devices if devices else any(isinstance(tensor, There) for tensor in tensors)

        def here(leaf):
            return torch.device("cpu") if _names_device(leaf) else leaf

        result = function(*tree_map(here, args), **tree_map(here, kwargs))
        if name == "_pack_padded_sequence":
            return _placed(result[0], there, name), result[1]
        if isinstance(result, torch.Size):  # a tuple to tree_map
            return result
        return tree_map(lambda leaf: _placed(leaf, there, name), result)


def _names_device(leaf) -> bool:
    return isinstance(leaf, torch.device) or (isinstance(leaf, str) and leaf in ("cpu", DEVICE.type))


def _placed(leaf, there: bool, name: str):
    if not isinstance(leaf, torch.Tensor):
        return leaf
    if there and leaf.dtype == torch.float64:
        raise TypeError(
            f"{name}: the device has no float64; make the table on the CPU, convert, then move it"
        )
    if isinstance(leaf, There) == there:
        return leaf
    return leaf.as_subclass(There if there else torch.Tensor)
