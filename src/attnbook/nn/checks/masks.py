"""Masks of scores and of padding, and the lengths behind them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from attnbook.arguments import whole_number
from attnbook.nn.checks.tensors import broadcasts, dimensions, tensor


def mask(
    name: str,
    given: Tensor | None,
    scores: Tensor,
    shape: Sequence[int],
    names: str,
) -> None:
    """``given`` is None, or boolean (True = may attend), or floating (added to the
    scores), and fits ``shape``.

    ``scores`` is any tensor with the dtype and the device of the scores.
    """
    if given is None:
        return
    tensor(name, given)
    if given.dtype != torch.bool and not given.is_floating_point():
        raise ValueError(
            f"{name}: expected bool (True = may attend) or floating-point numbers "
            f"to add to the scores, got {given.dtype}; convert zeros and ones with "
            f"{name}.bool()"
        )
    if given.dtype != torch.bool and given.dtype != scores.dtype:
        raise ValueError(
            f"{name}: expected bool, or {scores.dtype} as in the scores, got "
            f"{given.dtype}; convert it with {name}.to({scores.dtype})"
        )
    if given.device != scores.device:
        raise ValueError(
            f"{name}: expected device {scores.device}, got {given.device}; "
            f"move it with {name}.to('{scores.device}')"
        )
    broadcasts(name, given, shape, names)


def padding_mask(
    name: str, given: Tensor | None, sequence: Tensor, sequence_name: str
) -> None:
    """``given`` is None or boolean (batch, length), True for real tokens, the shape
    of ``sequence``.
    """
    if given is None:
        return
    tensor(name, given)
    if given.dtype != torch.bool:
        raise ValueError(
            f"{name}: expected bool, True for real tokens, got {given.dtype}; "
            f"compare with the padding number, for example {sequence_name} != 0"
        )
    if given.shape != sequence.shape[:2]:
        raise ValueError(
            f"{name}: expected shape {tuple(sequence.shape[:2])} as in "
            f"{sequence_name}, got {tuple(given.shape)}; build it from "
            f"{sequence_name} itself"
        )
    if given.device != sequence.device:
        raise ValueError(
            f"{name}: expected device {sequence.device} as in {sequence_name}, got "
            f"{given.device}; move it with {name}.to({sequence_name}.device)"
        )


def padding_last(name: str, given: Tensor) -> None:
    """Each row of the mask starts with at least one True, and no True follows a
    False.
    """
    if torch.compiler.is_compiling():
        return
    if given.shape[1] == 0 or not bool(given[:, 0].all()):
        raise ValueError(
            f"{name}: expected at least one real token first in every sentence, "
            "got an empty sentence or padding in front; remove empty sentences and "
            "pad at the end"
        )
    if bool((given[:, 1:] & ~given[:, :-1]).any()):
        raise ValueError(
            f"{name}: expected real tokens first and padding last, got a real "
            "token after padding; pad at the end"
        )


def lengths(name: str, given: Tensor, size: int) -> None:
    """``given`` holds whole numbers from 0 to ``size``, one a sentence."""
    tensor(name, given)
    whole_number("size", size, least=0)
    if given.is_floating_point() or given.dtype == torch.bool:
        raise ValueError(
            f"{name}: expected whole numbers, got {given.dtype}; convert them with "
            f"{name}.long()"
        )
    dimensions(name, given, ("batch",))
    if torch.compiler.is_compiling() or given.numel() == 0:
        return
    if int(given.min()) < 0 or int(given.max()) > size:
        raise ValueError(
            f"{name}: expected numbers from 0 to size = {size}, got "
            f"{int(given.min())} to {int(given.max())}; no sentence is longer than "
            "the padded size"
        )


def mask_width(name: str, given: Tensor, n_keys: int) -> None:
    """``given`` is a mask of at most ``n_keys`` columns."""
    tensor(name, given)
    if given.shape[-1] > n_keys:
        raise ValueError(
            f"{name}: expected at most {n_keys} columns, one a key, got shape "
            f"{tuple(given.shape)}; cut it with {name}[..., :{n_keys}]"
        )


def boolean_mask(
    name: str, given: Tensor | None, scores: Tensor, names: str
) -> None:
    """``given`` is None, or boolean (True = may attend) and broadcasts to the shape
    of ``scores``.
    """
    if given is None:
        return
    tensor(name, given)
    if given.dtype != torch.bool:
        raise ValueError(
            f"{name}: expected bool (True = may attend), got {given.dtype}; "
            f"convert zeros and ones with {name}.bool()"
        )
    mask(name, given, scores, scores.shape, names)
