"""Tensors: kind, shape, dtype, device, tokens."""

from collections.abc import Sequence

import torch
from torch import Tensor

from attnbook.nn.protocols import HasParameters


def tensor(name: str, given: object) -> None:
    """``given`` is a tensor."""
    if not isinstance(given, Tensor):
        raise TypeError(
            f"{name}: expected a torch.Tensor, got {type(given).__name__}; "
            "convert it with torch.as_tensor(...)"
        )


def floating(name: str, given: Tensor) -> None:
    """``given`` is a tensor of real floating-point numbers."""
    tensor(name, given)
    if not given.is_floating_point():
        raise ValueError(
            f"{name}: expected floating-point numbers, got {given.dtype}; convert "
            f"it with {name}.float()"
        )


def same_kind(first_name: str, first: Tensor, name: str, given: Tensor) -> None:
    """``given`` has the dtype and the device of ``first``; mixed precision may mix
    dtypes, since it casts.
    """
    if given.dtype != first.dtype and not torch.is_autocast_enabled(
        first.device.type
    ):
        raise ValueError(
            f"{name}: expected {first.dtype} as in {first_name}, got "
            f"{given.dtype}; convert it with {name}.to({first_name}.dtype)"
        )
    if given.device != first.device:
        raise ValueError(
            f"{name}: expected device {first.device} as in {first_name}, got "
            f"{given.device}; move it with {name}.to({first_name}.device)"
        )


def dimensions(name: str, given: Tensor, names: Sequence[str]) -> None:
    """``given`` has exactly the dimensions ``names``, for example ``("batch",
    "src")``.
    """
    if given.dim() != len(names):
        raise ValueError(
            f"{name}: expected {len(names)} dimensions ({', '.join(names)}), got "
            f"shape {tuple(given.shape)}; add or remove a dimension with unsqueeze "
            "or squeeze"
        )


def at_least_2d(name: str, given: Tensor, rows: str, columns: str) -> None:
    """``given`` has the shape ``(…, rows, columns)``."""
    if given.dim() < 2:
        raise ValueError(
            f"{name}: expected shape (…, {rows}, {columns}), got "
            f"{tuple(given.shape)}; add a dimension with unsqueeze"
        )


def last_size(name: str, given: Tensor, size: int, meaning: str) -> None:
    """The last dimension of ``given`` is ``size``."""
    if given.shape[-1] != size:
        raise ValueError(
            f"{name}: expected last dimension {meaning} = {size}, got shape "
            f"{tuple(given.shape)}; project {name} to {size} numbers, or build the "
            f"module for {given.shape[-1]}"
        )


def broadcasts(name: str, given: Tensor, shape: Sequence[int], names: str) -> None:
    """``given`` broadcasts to ``shape`` without enlarging it."""
    # A plain loop: this runs before every masked call, where a generator's time
    # would show.
    sizes, extra = given.shape, len(shape) - given.dim()
    fits = extra >= 0
    for place, size in enumerate(sizes):
        if not fits:
            break
        fits = size == 1 or size == shape[place + extra]
    if not fits:
        raise ValueError(
            f"{name}: expected a shape that broadcasts to {names} = "
            f"{tuple(shape)}, got {tuple(given.shape)}; a padding mask of shape "
            f"(batch, keys) becomes {name}.unsqueeze(-2) for (batch, queries, keys)"
        )


def fits_parameters(name: str, given: Tensor, module: HasParameters) -> None:
    """``given`` lives on the device of the module's parameters, and has their dtype
    if it is floating.
    """
    if torch.compiler.is_compiling():
        return
    parameter = next(module.parameters(), None)
    if parameter is None:
        return
    if given.device != parameter.device:
        raise ValueError(
            f"{name}: expected device {parameter.device}, where "
            f"{type(module).__name__}'s parameters are, got {given.device}; move "
            "one of them with .to(...)"
        )
    # Under autocast torch converts as it goes.
    floats = given.is_floating_point() and not torch.is_autocast_enabled(
        given.device.type
    )
    if floats and given.dtype != parameter.dtype:
        raise ValueError(
            f"{name}: expected {parameter.dtype}, as {type(module).__name__}'s "
            f"parameters have, got {given.dtype}; convert one of them with .to(...)"
        )


def tokens(name: str, given: Tensor, vocab: int, names: Sequence[str]) -> None:
    """``given`` holds token numbers from 0 to vocab - 1, in the dimensions
    ``names``.
    """
    tensor(name, given)
    if given.dtype not in (torch.int64, torch.int32):
        raise ValueError(
            f"{name}: expected token numbers (int64), got {given.dtype}; convert "
            f"them with {name}.long()"
        )
    dimensions(name, given, names)
    # Looking at values would break a compiled graph in two, so a compiled model
    # trusts them.
    if torch.compiler.is_compiling() or given.numel() == 0 or given.is_meta:
        return
    low, high = int(given.min()), int(given.max())
    if low < 0 or high >= vocab:
        raise ValueError(
            f"{name}: expected token numbers from 0 to {vocab - 1}, got {low} to "
            f"{high}; use the vocabulary that the model was built for"
        )


def same_batch(first_name: str, first: Tensor, name: str, given: Tensor) -> None:
    """Both tensors have the same number of rows."""
    if first.shape[0] != given.shape[0]:
        raise ValueError(
            f"{name}: expected {first.shape[0]} rows as in {first_name}, got "
            f"{given.shape[0]}; pass the same sentences in the same order"
        )


def not_empty(name: str, given: Tensor) -> None:
    """There is at least one token a row."""
    if given.shape[1] == 0:
        raise ValueError(
            f"{name}: expected at least one token, got shape {tuple(given.shape)}; "
            "pass a prompt"
        )


def same_shape(name: str, given: Tensor, other_name: str, other: Tensor) -> None:
    """``given`` has the shape, the dtype and the device of ``other``."""
    floating(name, given)
    same_kind(other_name, other, name, given)
    if given.shape != other.shape:
        raise ValueError(
            f"{name}: expected shape {tuple(other.shape)} as in {other_name}, got "
            f"{tuple(given.shape)}; resize one of the two"
        )


def counts(name: str, given: Tensor) -> None:
    """``given`` holds no number below 0, and not zeros alone."""
    if bool((given < 0).any()) or not bool(given.sum() > 0):
        raise ValueError(
            f"{name}: expected counts of at least 0 and not all 0, got values from "
            f"{given.min():g} to {given.max():g}; count the pairs of a text that "
            "has some"
        )
