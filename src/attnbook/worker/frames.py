"""Frames: how a judge and a worker talk. A length, a JSON header, raw tensor bytes; nothing is unpickled.

    4 bytes   length of the header, big-endian
    header    {"layout": …, "tensors": [[dtype, shape], …]}      (see ``values.pack``)
    payload   the tensors' bytes, one after the other, in the machine's byte order

A reader trusts nothing: every size is checked before anything is allocated. This file needs torch and
``values.py`` beside it, so that it can stand on both sides.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable
from typing import Any

import torch

from attnbook.worker.values import DTYPES, pack, unpack

MAX_HEADER = 1 << 20  # bytes, of what a worker says
MAX_OWN_HEADER = 16 << 20  # bytes, of what a judge says: the source of a cell, escaped, stands in it
MAX_PAYLOAD = 16 << 20  # bytes, of all tensors of a frame together
MAX_REPLY = 4 << 20  # bytes, of those that a worker sends: the judge keeps the replies to all inputs
MAX_TENSORS = 4096
MAX_DIMENSIONS = 16

_NAMES = {dtype: name for name, dtype in DTYPES.items()}


class FrameError(ValueError):
    """What arrived is not a frame, or a larger one than is allowed."""


def encode(value: Any) -> bytes:
    """One value as a frame."""
    layout, tensors = pack(value)
    tensors = [tensor.detach().to("cpu").contiguous() for tensor in tensors]
    header = json.dumps(
        {"layout": layout, "tensors": [[_NAMES[tensor.dtype], list(tensor.shape)] for tensor in tensors]}
    ).encode()
    payload = b"".join(_bytes(tensor) for tensor in tensors)
    return struct.pack(">I", len(header)) + header + payload


def _bytes(tensor: torch.Tensor) -> bytes:
    if tensor.numel() == 0:
        return b""
    return tensor.reshape(-1).view(torch.uint8).numpy().tobytes()


def decode(read: Callable[[int], bytes], most: int = MAX_HEADER, payload: int = MAX_PAYLOAD) -> Any:
    """The value of the next frame.

    Parameters
    ----------
    read : callable
        ``read(n)`` returns exactly n bytes, or raises.
    most : int
        Bytes that a header may have.
    payload : int
        Bytes that its tensors may have together.

    Raises
    ------
    FrameError
        If the frame is not one that ``encode`` makes, or exceeds a limit.
    """
    (length,) = struct.unpack(">I", read(4))
    if length > most:
        raise FrameError(f"header of {length} bytes, over {most}")
    try:
        header = json.loads(read(length))
        layout, described = header["layout"], header["tensors"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise FrameError(f"header: {type(error).__name__}") from None
    sizes = _sizes(described, payload)
    tensors = [_tensor(read(size), *parts) for size, parts in zip(sizes, described, strict=True)]
    try:
        return unpack(layout, tensors)
    except (ValueError, RecursionError) as error:
        raise FrameError(f"layout: {error}") from None


def _sizes(described: Any, most: int) -> list[int]:
    """The bytes of each tensor that a header announces, checked against the limits."""
    if not isinstance(described, list) or len(described) > MAX_TENSORS:
        raise FrameError("tensors: not a list, or too many")
    sizes: list[int] = []
    together = 0
    for item in described:
        if not isinstance(item, list) or len(item) != 2 or str(item[0]) not in DTYPES:
            raise FrameError("tensors: an entry is not [dtype, shape]")
        shape = item[1]
        if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
            raise FrameError("tensors: a shape is not a short list")
        if any(type(size) is not int or not 0 <= size <= MAX_PAYLOAD for size in shape):
            raise FrameError("tensors: a size is not a whole number in range")
        if math.prod(size or 1 for size in shape) > MAX_PAYLOAD:  # also with a zero: strides overflow
            raise FrameError("tensors: a shape is too large")
        sizes.append(math.prod(shape) * DTYPES[str(item[0])].itemsize)
        together += sizes[-1]
        if together > most:
            raise FrameError(f"tensors of more than {most} bytes")
    return sizes


def _tensor(data: bytes, dtype: str, shape: list[int]) -> torch.Tensor:
    if not data:
        return torch.empty(shape, dtype=DTYPES[dtype])
    raw = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    if dtype == "bool":  # any other byte than 0 and 1 would be a boolean that is neither
        return (raw != 0).reshape(shape)
    return raw.view(DTYPES[dtype]).reshape(shape)
