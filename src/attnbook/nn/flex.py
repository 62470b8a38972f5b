"""Attention that two small functions change: one for the scores, one for the mask.

Dong et al. 2024 (FlexAttention), https://arxiv.org/abs/2412.05496:

    context = softmax(score_mod(Q Kᵀ · scale), where mask_mod allows it) V

The functions have the arguments of ``torch.nn.attention.flex_attention``, which
calls them for one score at a time and compiles them into its kernel. Here they are
called once, with tensors that broadcast to all scores, so a function of plain
arithmetic, comparisons and indexing works in both. The operator ``FlexAttention``
of ONNX (domain ai.onnx.preview, version 1) has the same conventions and a third
function, for the weights.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from attnbook.nn import checks
from attnbook.nn.attention import softmax_or_zeros
from attnbook.nn.multi_head import repeat_heads

ScoreMod = Callable[[Tensor, Tensor, Tensor, Tensor, Tensor], Tensor]
MaskMod = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]


def flex_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_mod: ScoreMod | None = None,
    mask_mod: MaskMod | None = None,
    scale: float | None = None,
    prob_mod: ScoreMod | None = None,
) -> tuple[Tensor, Tensor]:
    """Scaled dot-product attention with functions of your own inside.

    Dong et al. 2024, https://arxiv.org/abs/2412.05496.

    Parameters
    ----------
    query : (batch, n_heads, queries, d_k)
    key : (batch, n_kv_heads, keys, d_k)
        n_kv_heads divides n_heads: query head h reads key head
        h // (n_heads / n_kv_heads).
    value : (batch, n_kv_heads, keys, d_v)
    score_mod : callable, optional
        ``score_mod(score, b, h, q, k)`` returns the score that counts. ``b, h, q,
        k`` are the numbers of batch, head, query and key.
    mask_mod : callable, optional
        ``mask_mod(b, h, q, k)`` is True where the query may attend to the key.
    scale : float, optional
        What the products are multiplied with; 1/√d_k if left out.
    prob_mod : callable, optional
        ``prob_mod(weight, b, h, q, k)`` returns the weight that values are mixed
        with. ONNX has it, torch does not.

    Returns
    -------
    context : (batch, n_heads, queries, d_v)
        A query that may attend to nothing gets zeros.
    weights : (batch, n_heads, queries, keys)

    Raises
    ------
    TypeError
        If a function is not callable, or what it returns is no tensor.
    ValueError
        If shapes, dtypes or devices do not fit, or a function returns another shape
        than it was given, or mask_mod anything but booleans.
    """
    checks.flex_inputs(query, key, value, score_mod, mask_mod, prob_mod)
    checks.number("scale", scale)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    key, value = (repeat_heads(x, query.shape[1]) for x in (key, value))
    scores = query @ key.transpose(-2, -1)  # (batch, n_heads, queries, keys)
    # Half-precision scores are changed and normalised in single precision, as both
    # torch and ONNX do.
    scores = scores.to(torch.promote_types(query.dtype, torch.float32)) * scale
    places = indices(*scores.shape, device=scores.device)
    if score_mod is not None:
        changed = score_mod(scores, *places)
        scores = full("score_mod", changed, scores)
    if mask_mod is not None:
        allowed = full("mask_mod", mask_mod(*places), scores, torch.bool)
        scores = scores.masked_fill(~allowed, -torch.inf)
    weights = softmax_or_zeros(scores)
    if prob_mod is not None:
        weights = full("prob_mod", prob_mod(weights, *places), scores)
    weights = weights.to(value.dtype)
    return weights @ value, weights


def indices(
    batch: int,
    n_heads: int,
    queries: int,
    keys: int,
    device: torch.device | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """The numbers 0, 1, … of batch, head, query and key, each along its own
    dimension: (batch, 1, 1, 1), (n_heads, 1, 1), (queries, 1), (keys,).
    """
    b, h, q, k = (
        torch.arange(size, device=device)
        for size in (batch, n_heads, queries, keys)
    )
    return b.view(-1, 1, 1, 1), h.view(-1, 1, 1), q.view(-1, 1), k


def full(
    name: str, given: Tensor, scores: Tensor, dtype: torch.dtype | None = None
) -> Tensor:
    """What a function returned, in the shape of the scores; a function that ignores
    the batch may leave its dimension out.
    """
    checks.returned(name, given, scores.shape, dtype)
    return given.expand(scores.shape)


def block_kinds(
    mask_mod: MaskMod, n_queries: int, n_keys: int, block_size: int = 128
) -> Tensor:
    """What a kernel has to do with each block of scores: 0 skip it, 1 ask the mask
    inside it, 2 compute it without asking.

    The last block of a row or column may be smaller. As in torch's
    ``create_block_mask``, a smaller block is never one of kind 2.

    Parameters
    ----------
    mask_mod : callable
        As in ``flex_attention``; asked for batch 0 and head 0.
    n_queries, n_keys, block_size : int

    Returns
    -------
    (⌈n_queries / block_size⌉, ⌈n_keys / block_size⌉) of int

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or below 1, or mask_mod returns no booleans.
    """
    checks.sizes(n_queries=n_queries, n_keys=n_keys, block_size=block_size)
    checks.function("mask_mod", mask_mod)
    places = indices(1, 1, n_queries, n_keys)
    shape = torch.empty(1, 1, n_queries, n_keys, device="meta")
    allowed = full("mask_mod", mask_mod(*places), shape, torch.bool)[0, 0]
    down, across = (-size % block_size for size in (n_queries, n_keys))
    # what is beyond the end may not be attended to
    allowed = torch.nn.functional.pad(allowed, (0, across, 0, down))
    blocks = allowed.unflatten(1, (-1, block_size)).unflatten(0, (-1, block_size))
    some, every = blocks.any(dim=3).any(dim=1), blocks.all(dim=3).all(dim=1)
    return some.long() + every.long()
