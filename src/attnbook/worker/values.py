"""Inputs and outputs as plain data: what travels between a judge and the process that runs an answer.

A *value* is a tensor, None, a bool, int, float or str, or a list, tuple or dict (with str keys) of values.
``pack`` splits it into a layout that JSON can hold and a flat list of tensors; ``unpack`` puts it together
again. Nothing is ever unpickled. This file needs torch alone, so that it can stand on both sides.
"""

from __future__ import annotations

import math
from typing import Any

import torch

MAX_DEPTH = 12
MAX_ITEMS = 20_000

DTYPES = {
    name: getattr(torch, name)
    for name in (
        "bool",
        "uint8",
        "int8",
        "int16",
        "int32",
        "int64",
        "float16",
        "bfloat16",
        "float32",
        "float64",
    )
}


class Foreign:
    """Stands for a returned object that is not a value: only its type's name is kept."""

    def __init__(self, kind: str):
        self.kind = str(kind)[:80]

    def __repr__(self) -> str:
        return f"Foreign({self.kind!r})"


def pack(value: Any) -> tuple[Any, list[torch.Tensor]]:
    """Split a value into ``(layout, tensors)``.

    The layout holds only lists, strings, numbers, bools and None: ``["tensor", i]``, ``["list", [...]]``,
    ``["tuple", [...]]``, ``["dict", [[key, layout], ...]]``, ``["int", "123"]``, ``["float", "0.5"]``,
    ``["str", s]``, ``["bool", b]``, ``["none"]``, ``["foreign", type]``.
    """
    tensors: list[torch.Tensor] = []

    def walk(item: Any, depth: int) -> list:
        if depth > MAX_DEPTH:
            return ["foreign", "a structure nested too deeply"]
        if isinstance(item, Foreign):
            return ["foreign", item.kind]
        if item is None:
            return ["none"]
        if isinstance(item, torch.Tensor):
            tensors.append(item)
            return ["tensor", len(tensors) - 1]
        kind = type(item)
        if kind is bool:
            return ["bool", item]
        if kind is int:
            return ["int", str(item)] if item.bit_length() < 4000 else ["foreign", "an enormous int"]
        if kind is float:
            return ["float", repr(item)]
        if kind is str:
            return ["str", item]
        if kind in (list, tuple):
            if len(item) > MAX_ITEMS:
                return ["foreign", f"a {kind.__name__} of {len(item)} items"]
            return [kind.__name__, [walk(part, depth + 1) for part in item]]
        if kind is dict:
            return [
                "dict",
                [[str(key), walk(part, depth + 1)] for key, part in list(item.items())[:MAX_ITEMS]],
            ]
        return ["foreign", kind.__name__]

    return walk(value, 0), tensors


def unpack(layout: Any, tensors: list[torch.Tensor]) -> Any:
    """Put a value together again.

    Raises
    ------
    ValueError
        If the layout is not one that ``pack`` makes, or names a tensor that is not there.
    """

    def walk(item: Any, depth: int) -> Any:
        if depth > MAX_DEPTH + 1 or not isinstance(item, list) or not item or not isinstance(item[0], str):
            raise ValueError("layout: not a packed value")
        tag, rest = item[0], item[1:]
        if tag == "none" and not rest:
            return None
        if len(rest) != 1:
            raise ValueError(f"layout: {tag!r} with {len(rest)} parts")
        body = rest[0]
        if tag == "tensor" and type(body) is int and 0 <= body < len(tensors):
            return tensors[body]
        if tag == "bool" and type(body) is bool:
            return body
        if tag == "int" and isinstance(body, str) and len(body) < 1300:
            return int(body)
        if tag == "float" and isinstance(body, str) and len(body) < 40:
            return float(body)
        if tag == "str" and isinstance(body, str):
            return body
        if tag == "foreign" and isinstance(body, str):
            return Foreign(body)
        if tag in ("list", "tuple") and isinstance(body, list) and len(body) <= MAX_ITEMS:
            parts = [walk(part, depth + 1) for part in body]
            return parts if tag == "list" else tuple(parts)
        if tag == "dict" and isinstance(body, list) and len(body) <= MAX_ITEMS:
            result = {}
            for pair in body:
                if not isinstance(pair, list) or len(pair) != 2 or not isinstance(pair[0], str):
                    raise ValueError("layout: a dict's pair is not [key, value]")
                result[pair[0]] = walk(pair[1], depth + 1)
            return result
        raise ValueError(f"layout: {tag!r} is not known here")

    return walk(layout, 0)


def copy(value: Any) -> Any:
    """A deep copy in which every tensor is a new leaf without history."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if type(value) in (list, tuple):
        return type(value)(copy(part) for part in value)
    if type(value) is dict:
        return {key: copy(part) for key, part in value.items()}
    return value


def same(one: Any, other: Any) -> bool:
    """Bit-equal values, NaN equal to NaN: whether an input was left as it was."""
    if isinstance(one, torch.Tensor):
        if not isinstance(other, torch.Tensor) or one.shape != other.shape or one.dtype != other.dtype:
            return False
        one, other = one.detach(), other.detach()
        if one.is_floating_point():
            return bool(((one == other) | (one.isnan() & other.isnan())).all())
        return bool((one == other).all())
    if type(one) is not type(other):
        return False
    if type(one) in (list, tuple):
        return len(one) == len(other) and all(same(a, b) for a, b in zip(one, other, strict=True))
    if type(one) is dict:
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if type(one) is float and math.isnan(one):
        return math.isnan(other)
    return one == other
