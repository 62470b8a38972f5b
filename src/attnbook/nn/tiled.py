"""Tiled attention: the numbers of scaled dot-product attention, without ever
holding the (queries, keys) matrix.

Dao, Fu, Ermon, Rudra & Ré 2022, "FlashAttention", algorithms 1, 2 and 4,
https://arxiv.org/abs/2205.14135, in torch rather than on the chip of a GPU: exact,
with memory that grows with the length, and not as fast as a fused kernel. The loops
are in the order of FlashAttention-2 (Dao 2023, https://arxiv.org/abs/2307.08691):
queries outside, keys inside.

The softmax is computed while the keys go by (Milakov & Gimelshein 2018,
https://arxiv.org/abs/1805.02867). For one query and blocks of scores s:

    m' = max(m, max s)
    l' = l exp(m − m') + Σ exp(s − m')
    o' = o exp(m − m') + Σ exp(s − m') v

and o / l is the context after the last block. Of each row only its log-sum-exp
L = m + log l is kept, from which the backward pass makes the weights of a block
again: exp(s − L).
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from attnbook.nn import checks


def tiled_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    causal: bool = False,
    block_q: int = 256,
    block_k: int = 256,
    scale: float | None = None,
) -> Tensor:
    """``softmax(Q Kᵀ / √d_k) V``, tile by tile.

    Context and gradients are those of ``scaled_dot_product_attention`` up to
    rounding. There are no weights to return.

    Parameters
    ----------
    query : (…, queries, d_k)
    key : (…, keys, d_k)
    value : (…, keys, d_v)
    mask : broadcasts to (…, queries, keys), optional
        Boolean: True = this query may attend to this key. Floating: numbers added
        to the scores (minus infinity forbids).
    causal : bool
        Query i may attend to keys 0 … i only, counted from the upper left corner.
        In addition to ``mask``. Tiles above the diagonal are skipped.
    block_q, block_k : int
        Queries and keys of a tile; the last ones may be smaller.
    scale : float, optional
        What the products are multiplied with; 1/√d_k if left out.

    Returns
    -------
    context : (…, queries, d_v)
        A query that may attend to nothing gets zeros.

    Raises
    ------
    TypeError, ValueError
        If an argument is no tensor or no number, or shapes, dtypes, devices or the
        mask do not fit.
    """
    checks.attention_inputs(query, key, value, mask)
    checks.number("scale", scale)
    checks.sizes(block_q=block_q, block_k=block_k)
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    leading = torch.broadcast_shapes(
        query.shape[:-2], key.shape[:-2], value.shape[:-2]
    )
    query, key, value = (
        given.expand(*leading, *given.shape[-2:]) for given in (query, key, value)
    )
    if mask is not None and mask.dim() < 2:
        mask = mask.reshape(1, -1)  # one row for all queries
    tiles = (causal, block_q, block_k, scale)
    return TiledAttention.apply(query, key, value, mask, tiles)  # pyright: ignore[reportReturnType]


class TiledAttention(torch.autograd.Function):
    """Both passes, with nothing between them but inputs, context and one number a
    query.
    """

    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None,
        tiles: tuple[bool, int, int, float],
    ) -> Tensor:
        """The context, (…, queries, d_v)."""
        context, log_sum = tiled_forward(query, key, value, mask, *tiles)
        ctx.save_for_backward(query, key, value, mask, context, log_sum)
        ctx.tiles = tiles
        return context

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of query, key, value, and of a mask that learns."""
        query, key, value, mask, context, log_sum = ctx.saved_tensors
        grad_mask = torch.zeros_like(mask) if ctx.needs_input_grad[3] else None
        found = tiled_backward(
            grads[0],
            query,
            key,
            value,
            mask,
            context,
            log_sum,
            *ctx.tiles,
            grad_mask=grad_mask,
        )
        return *found, grad_mask, None


def tiled_forward(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    causal: bool,
    block_q: int,
    block_k: int,
    scale: float,
) -> tuple[Tensor, Tensor]:
    """Context (…, queries, d_v), and the log-sum-exp of each row of scores, (…,
    queries, 1), which is 0 where there is nothing to attend to.
    """
    contexts, log_sums = [], []
    for i in range(0, max(1, query.shape[-2]), block_q):
        q = wide(query[..., i : i + block_q, :]) * scale
        largest = q.new_full((*q.shape[:-1], 1), -torch.inf)  # m
        total = torch.zeros_like(largest)  # l
        context = q.new_zeros(*q.shape[:-1], value.shape[-1])  # o
        for j in range(0, key.shape[-2], block_k):
            if causal and j >= i + block_q:
                break  # all later tiles lie above the diagonal
            k = wide(key[..., j : j + block_k, :])
            v = wide(value[..., j : j + block_k, :])
            scores = tile_of_scores(q, k, mask, causal, i, j)
            new = torch.maximum(largest, scores.amax(dim=-1, keepdim=True))  # m'
            shift = new.masked_fill(new == -torch.inf, 0.0)
            shrink = torch.exp(largest - shift)
            weights = torch.exp(scores - shift)  # not yet divided by their sum
            total = total * shrink + weights.sum(dim=-1, keepdim=True)  # l'
            context = context * shrink + weights @ v  # o'
            largest = new
        empty = total == 0  # nothing to attend to
        contexts.append((context / total.masked_fill(empty, 1.0)).to(query.dtype))
        log_sums.append((largest + total.log()).masked_fill(empty, 0.0))
    return torch.cat(contexts, dim=-2), torch.cat(log_sums, dim=-2)


def tiled_backward(
    grad: Tensor,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    context: Tensor,
    log_sum: Tensor,
    causal: bool,
    block_q: int,
    block_k: int,
    scale: float,
    grad_mask: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of query, key and value from that of the context; that of the mask
    is added to ``grad_mask``.
    """
    d_query, d_key, d_value = (
        torch.zeros_like(wide(given)) for given in (query, key, value)
    )
    for i in range(0, query.shape[-2], block_q):
        rows = slice(i, i + block_q)
        q, g = wide(query[..., rows, :]) * scale, wide(grad[..., rows, :])
        # what a softmax takes off all scores of a row, Σ weight · gradient
        mean = (g * wide(context[..., rows, :])).sum(dim=-1, keepdim=True)
        for j in range(0, key.shape[-2], block_k):
            if causal and j >= i + block_q:
                break
            columns = slice(j, j + block_k)
            k, v = wide(key[..., columns, :]), wide(value[..., columns, :])
            scores = tile_of_scores(q, k, mask, causal, i, j)
            weights = torch.exp(scores - log_sum[..., rows, :])  # made again
            d_scores = weights * (g @ v.transpose(-2, -1) - mean)
            d_value[..., columns, :] += weights.transpose(-2, -1) @ g
            d_key[..., columns, :] += d_scores.transpose(-2, -1) @ q
            d_query[..., rows, :] += d_scores @ k * scale
            if grad_mask is not None:
                part = tile_of_mask(grad_mask, rows, columns)
                part += d_scores.sum_to_size(part.shape).to(part.dtype)
    return d_query.to(query.dtype), d_key.to(key.dtype), d_value.to(value.dtype)


def tile_of_scores(
    q: Tensor, k: Tensor, mask: Tensor | None, causal: bool, i: int, j: int
) -> Tensor:
    """Scores of a tile whose first query is i and first key j, minus infinity where
    a query may not attend.
    """
    scores = q @ k.transpose(-2, -1)  # (…, block_q, block_k)
    n_q, n_k = scores.shape[-2:]
    if mask is not None:
        tile = tile_of_mask(mask, slice(i, i + n_q), slice(j, j + n_k))
        if tile.dtype == torch.bool:
            scores = scores.masked_fill(~tile, -torch.inf)
        else:
            scores = scores + tile
    if causal and j + n_k > i + 1:  # the tile touches the diagonal
        places = torch.arange(i, i + n_q, device=q.device).unsqueeze(-1)
        later = torch.arange(j, j + n_k, device=q.device) > places
        scores = scores.masked_fill(later, -torch.inf)
    return scores


def tile_of_mask(mask: Tensor, rows: slice, columns: slice) -> Tensor:
    """The part of a mask (…, queries or 1, keys or 1) over a tile: a view."""
    if mask.shape[-2] > 1:
        mask = mask[..., rows, :]
    return mask[..., columns] if mask.shape[-1] > 1 else mask


def wide(x: Tensor) -> Tensor:
    """Half-precision numbers as float32, in which a sum over many keys is kept."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
