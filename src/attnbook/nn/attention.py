"""Scaled dot-product attention: a query looks at every key, and takes a share of
every value.

Vaswani et al. 2017, "Attention Is All You Need", equation 1,
https://arxiv.org/abs/1706.03762:

    Attention(Q, K, V) = softmax(Q Kᵀ / √d_k) V

Shapes: query (…, queries, d_k), key (…, keys, d_k), value (…, keys, d_v). The dots
in front are any leading dimensions: none, (batch,), or (batch, heads). Everything
else in this file is one of the four steps of that equation, in order.
"""

import math
from typing import Literal, overload

import torch
import torch.nn.functional as F
from torch import Tensor

from attnbook.nn import checks


@overload
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    scale: float | None = None,
    softcap: float | None = None,
    need_weights: Literal[True] = True,
) -> tuple[Tensor, Tensor]: ...
@overload
def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    scale: float | None = None,
    softcap: float | None = None,
    need_weights: bool,
) -> tuple[Tensor, Tensor | None]: ...


def scaled_dot_product_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    scale: float | None = None,
    softcap: float | None = None,
    need_weights: bool = True,
) -> tuple[Tensor, Tensor | None]:
    """Compare each query with each key, turn the scores into weights, and mix the
    values with these weights.

    Vaswani et al. 2017, equation 1: ``softmax(Q Kᵀ / √d_k) V``.

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
        In addition to ``mask``.
    scale : float, optional
        What the products are multiplied with; 1/√d_k if left out.
    softcap : float, optional
        Squeeze the scores into (-softcap, softcap) with ``softcap * tanh(scores /
        softcap)``, before the mask.
    need_weights : bool
        With False, weights are returned as None, and torch's fused kernel does the
        same arithmetic without ever storing the (queries, keys) matrix. (With
        ``softcap``, which that kernel lacks, the steps below run anyway.)

    Returns
    -------
    context : (…, queries, d_v)
        A query that may attend to nothing gets zeros.
    weights : (…, queries, keys), or None
        Each row is at least 0 and sums to 1, or is all 0 where the query may attend
        to nothing.

    Raises
    ------
    TypeError
        If an argument is not a tensor, or scale or softcap not a number.
    ValueError
        If shapes, dtypes, devices or the mask do not fit.
    """
    checks.attention_inputs(query, key, value, mask)
    checks.number("scale", scale)
    checks.positive_number("softcap", softcap)
    if not need_weights and softcap is None:
        return fused_attention(query, key, value, mask, causal, scale), None
    scores = dot_product_scores(query, key, scale, softcap)  # (…, queries, keys)
    scores = masked_scores(scores, mask, causal)  # minus infinity where forbidden
    weights = softmax_or_zeros(scores)  # (…, queries, keys)
    context = weights @ value  # (…, queries, d_v)
    return context, weights if need_weights else None


def dot_product_scores(
    query: Tensor,
    key: Tensor,
    scale: float | None = None,
    softcap: float | None = None,
) -> Tensor:
    """How well each query fits each key: ``Q Kᵀ / √d_k``, (…, queries, keys)."""
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    # Scaling the query first is the same product, and half-precision numbers
    # overflow later.
    scores = (query * scale) @ key.transpose(-2, -1)
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    return scores


def masked_scores(
    scores: Tensor, mask: Tensor | None = None, causal: bool = False
) -> Tensor:
    """Put minus infinity where a query may not attend, so that its share there
    becomes exactly zero.
    """
    if mask is not None and mask.dtype == torch.bool:
        scores = scores.masked_fill(~mask, -torch.inf)
    elif mask is not None:
        scores = scores + mask
    if causal:
        past = torch.ones(
            scores.shape[-2:], dtype=torch.bool, device=scores.device
        ).tril()
        scores = scores.masked_fill(~past, -torch.inf)
    return scores


def softmax_or_zeros(scores: Tensor) -> Tensor:
    """Softmax over the last dimension; a row of minus infinities gives zeros, and a
    gradient of zeros.

    Softmax of such a row is 0/0 = NaN, and one NaN in the forward or the backward
    pass spoils every parameter. So the row is replaced *before* the softmax, and
    its weights are set to zero after it.
    """
    nothing = (scores == -torch.inf).all(dim=-1, keepdim=True)  # (…, queries, 1)
    weights = torch.softmax(scores.masked_fill(nothing, 0.0), dim=-1)
    return weights.masked_fill(nothing, 0.0)


def fused_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    causal: bool = False,
    scale: float | None = None,
) -> Tensor:
    """The same context from torch's fused kernel, shape (…, queries, d_v). It makes
    no weights to look at.
    """
    if mask is None:
        return F.scaled_dot_product_attention(
            query, key, value, is_causal=causal, scale=scale
        )
    if causal:  # the kernel takes a mask or the causal flag, not both
        past = torch.ones(
            query.shape[-2], key.shape[-2], dtype=torch.bool, device=query.device
        ).tril()
        if mask.dtype == torch.bool:
            mask = mask & past
        else:
            mask = mask.masked_fill(~past, -torch.inf)
    if mask.dim() < 2:
        mask = mask.reshape(1, -1)
    allowed = mask if mask.dtype == torch.bool else mask > -torch.inf
    # May this query attend to anything?
    something = allowed.any(dim=-1, keepdim=True)  # (…, queries or 1, 1)
    # Looking whether all may saves work on the CPU; a GPU would have to stop and
    # wait for the answer, and a compiled graph would break in two.
    if mask.is_cpu and not torch.compiler.is_compiling() and something.all():
        return F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, scale=scale
        )
    # For a row that may attend to nothing, the kernel's answer differs between
    # versions and devices. Open the row, then put zeros in its place.
    if mask.dtype == torch.bool:
        mask = mask | ~something
    else:
        mask = mask.masked_fill(~something, 0.0)
    context = F.scaled_dot_product_attention(
        query, key, value, attn_mask=mask, scale=scale
    )
    return context.masked_fill(~something, 0.0)
