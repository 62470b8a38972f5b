"""What attention over chosen keys is given: functions of scores, blocks, caches."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from attnbook.nn.checks.attention import key_and_value
from attnbook.nn.checks.numbers import sizes
from attnbook.nn.checks.tensors import dimensions, last_size, tensor

FOUR = {"queries": ("batch", "n_heads", "queries", "d_k"),
        "keys": ("batch", "n_kv_heads", "keys", "d_k")}  # fmt: skip


def function(name: str, given: Any) -> None:
    """``given`` is None or callable."""
    if given is not None and not callable(given):
        raise TypeError(
            f"{name}: expected a function or None, got {given!r}; pass for example "
            "lambda b, h, q, k: q >= k"
        )


def flex_inputs(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: object,
    mask_mod: object,
    prob_mod: object,
) -> None:
    """Four dimensions each, heads that can be shared, and functions."""
    for name, given, names in (
        ("query", query, FOUR["queries"]),
        ("key", key, FOUR["keys"]),
        ("value", value, FOUR["keys"]),
    ):
        tensor(name, given)
        dimensions(name, given, names)
    if key.shape[1] == 0 or query.shape[1] % key.shape[1]:
        raise ValueError(
            f"key: expected n_kv_heads that divides query's n_heads = "
            f"{query.shape[1]}, got shape {tuple(key.shape)}; share each head of "
            "keys among equally many heads of queries"
        )
    if key.shape[:3] != value.shape[:3]:
        raise ValueError(
            f"value: expected shape {tuple(key.shape[:3])} and d_v, as in key, got "
            f"{tuple(value.shape)}; key and value must come from the same positions"
        )
    key_and_value(query, *(x[:, :1].expand(-1, query.shape[1], -1, -1)
                           for x in (key, value)))  # fmt: skip
    if query.shape[0] != key.shape[0]:
        raise ValueError(
            f"key: expected batch = {query.shape[0]} as in query, got shape "
            f"{tuple(key.shape)}; pass the same texts in the same order"
        )
    last_size("key", key, query.shape[-1], "d_k")
    function("score_mod", score_mod)
    function("mask_mod", mask_mod)
    function("prob_mod", prob_mod)


def returned(
    name: str, given: object, shape: Sequence[int], dtype: torch.dtype | None
) -> None:
    """A function's result broadcasts to the scores, and has the dtype if one is
    named.
    """
    if not isinstance(given, Tensor):
        raise TypeError(
            f"{name}: expected it to return a tensor, got {type(given).__name__}; "
            "compute with its arguments, which are tensors"
        )
    fits = given.dim() <= len(shape) and all(
        size in (1, wanted)
        for size, wanted in zip(
            reversed(given.shape), reversed(tuple(shape)), strict=False
        )
    )
    if not fits:
        raise ValueError(
            f"{name}: expected it to return the shape of the scores, "
            f"{tuple(shape)}, or one that broadcasts to it, got "
            f"{tuple(given.shape)}; change each score by itself"
        )
    if dtype is not None and given.dtype != dtype:
        raise ValueError(
            f"{name}: expected it to return booleans (True = may attend), got "
            f"{given.dtype}; return a comparison such as q >= k"
        )


def blocks_to_choose(
    query: Tensor, key: Tensor, block_size: object, n_blocks: object
) -> None:
    """Queries and keys of the same positions, and whole numbers of at least 1."""
    sizes(block_size=block_size, n_blocks=n_blocks)
    key_and_value(query, key, key)
    last_size("key", key, query.shape[-1], "d_k")
    if query.shape[-2] != key.shape[-2]:
        raise ValueError(
            f"key: expected one key for each of the {query.shape[-2]} queries, got "
            f"shape {tuple(key.shape)}; blocks are chosen in self-attention"
        )


def rotary_or_none(name: str, given: object) -> None:
    """``given`` is None, or positions that turn queries and keys."""
    if given is not None and not (
        hasattr(given, "turn") and hasattr(given, "frequencies")
    ):
        raise TypeError(
            f"{name}: expected RotaryPositions or None, got {given!r}; other "
            "positions are added to all n² scores, which are not computed here"
        )
