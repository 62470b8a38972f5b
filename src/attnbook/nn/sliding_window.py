"""Sliding-window attention: each word attends to its neighbours alone, and no score
outside the window is computed.

Beltagy, Peters & Cohan 2020 (Longformer), https://arxiv.org/abs/2004.05150, and
for language models Jiang et al. 2023 (Mistral 7B), section 2,
https://arxiv.org/abs/2310.06825. A window of w holds w keys, the word's own among
them:

    causal:      word i attends to words j with 0 ≤ i − j < w
    two-sided:   |i − j| < w

so after L such layers a word has heard of those at most L (w − 1) positions away.
With ``n_global`` tokens, the first ones of the sequence are attended to by all, and
where nothing is causal they attend to all themselves.

The words are cut into blocks. The keys that the windows of one block can reach are
a run of neighbours, so that one matrix product a block makes all its scores. With
blocks of half a window, n words cost about 1.5 n w scores (causal), not n².
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.attention import scaled_dot_product_attention, softmax_or_zeros
from attnbook.nn.multi_head import merge_heads, repeat_heads, split_heads
from attnbook.nn.positions import RotaryPositions


def in_window(
    i: Tensor, j: Tensor, window: int, causal: bool, n_global: int = 0
) -> Tensor:
    """May the word at position i attend to the one at j? Broadcasts."""
    near = ((i - j) < window) & ((j - i) < (1 if causal else window))
    if n_global:
        near = near | ((j < n_global) & ((j <= i) | (not causal)))
        if not causal:
            near = near | (i < n_global)
    return near


def windowed_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    window: int,
    mask: Tensor | None = None,
    *,
    causal: bool = False,
    n_global: int = 0,
    scale: float | None = None,
    block: int | None = None,
) -> Tensor:
    """``scaled_dot_product_attention`` under a window, gathered by blocks.

    Parameters
    ----------
    query, key : (…, length, d_k)
    value : (…, length, d_v)
    window : int
        Keys that a word attends to on one side, its own counted.
    mask : (…, 1, length) of bool, optional
        True for real words: a padding mask, the same for all queries.
    causal : bool
        A word attends to itself and to those before it.
    n_global : int
        First words that all others attend to.
    scale : float, optional
        What the products are multiplied with; 1/√d_k if left out.
    block : int, optional
        Queries of a block; half a window, and at least 16, if left out.

    Returns
    -------
    context : (…, length, d_v)
        A word that may attend to nothing gets zeros.

    Raises
    ------
    TypeError, ValueError
        If an argument is no tensor or no number, shapes, dtypes or devices do not
        fit, or the mask differs between queries.
    """
    checks.windowed_inputs(query, key, value, mask, window, n_global)
    checks.number("scale", scale)
    block = max(16, window // 2) if block is None else block
    checks.sizes(block=block)
    length, before = query.shape[-2], window - 1
    if scale is None:
        scale = 1 / math.sqrt(query.shape[-1])
    n_blocks = max(1, -(-length // block))
    missing = n_blocks * block - length  # words that fill the last block
    span = before + block + (0 if causal else before)  # keys that a block can see
    after = missing + span - before - block

    def seen(rows: Tensor) -> Tensor:
        """(…, length, d) → (…, n_blocks, d, span): a view of overlapping runs."""
        return F.pad(rows, (0, 0, before, after)).unfold(-2, span, block)

    # (…, n_blocks, block, d_k)
    q = F.pad(query * scale, (0, 0, 0, missing)).unflatten(-2, (n_blocks, block))
    scores = q @ seen(key)  # (…, n_blocks, block, span)
    i = torch.arange(n_blocks * block, device=q.device).view(n_blocks, block, 1)
    j = i[:, :1] - before + torch.arange(span, device=q.device)
    near = in_window(
        i[0], j[0], window, causal
    )  # (block, span): alike in all blocks
    allowed = near & (j >= n_global) & (j < length)  # (n_blocks, block, span)
    if mask is not None:
        allowed = allowed & seen(mask.transpose(-2, -1))  # (…, n_blocks, 1, span)
    scores = scores.masked_fill(~allowed, -torch.inf)
    if n_global:  # their scores stand behind those of the window
        first = key[..., None, :n_global, :].transpose(-2, -1)  # (…, 1, d_k, g)
        g = torch.arange(first.shape[-1], device=q.device)
        open_to = (g <= i) | (not causal)  # (n_blocks, block, g)
        if mask is not None:
            open_to = open_to & mask[..., None, :, :n_global]
        far = (q @ first).masked_fill(~open_to, -torch.inf)
        scores = torch.cat([scores, far], dim=-1)
    weights = softmax_or_zeros(scores)  # (…, n_blocks, block, span + g)
    context = weights[..., :span] @ seen(value).transpose(-2, -1)
    if n_global:
        context = context + weights[..., span:] @ value[..., None, :n_global, :]
    context = context.flatten(-3, -2)[..., :length, :]
    if n_global and not causal:  # the global words attend to all
        whole, _ = scaled_dot_product_attention(
            query[..., :n_global, :], key, value, mask, scale=scale
        )
        context = torch.cat([whole, context[..., n_global:, :]], dim=-2)
    return context


class RollingCache:
    """Keys and values of the last window − 1 tokens, and of the first n_global: all
    that a later token may attend to beside itself.

    Parameters
    ----------
    window : int
    n_global : int

    Attributes
    ----------
    key, value : (batch, n_kv_heads, held, d_head), or None while empty
    positions : (held,) of int
        Where the held tokens stood.
    length : int
        Tokens read so far, those included that are no longer held.
    """

    def __init__(self, window: int, n_global: int = 0):
        checks.sizes(window=window)
        checks.whole_number("n_global", n_global, least=0)
        self.window, self.n_global = window, n_global
        self.key: Tensor | None = None
        self.value: Tensor | None = None
        self.positions = torch.arange(0)
        self.length = 0

    @property
    def n_bytes(self) -> int:
        """Bytes that keys and values take."""
        return sum(
            held.numel() * held.element_size()
            for held in (self.key, self.value)
            if held is not None
        )

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Add (batch, n_kv_heads, new, d_head); return keys, values and positions
        of what was held and of the new ones, then forget what no later token sees.

        Raises
        ------
        ValueError
            If batch, heads or sizes differ from what the cache holds, which then
            stays as it was.
        """
        checks.cache_entry(self.key, key, value)
        end = self.length + key.shape[-2]
        new = torch.arange(self.length, end, device=key.device)
        positions = torch.cat([self.positions.to(key.device), new])
        if self.key is not None and self.value is not None:
            key = torch.cat([self.key, key], dim=-2)
            value = torch.cat([self.value, value], dim=-2)
        kept = (positions > end - self.window) | (positions < self.n_global)
        # a copy, so that what is forgotten is freed
        self.key, self.value = key[..., kept, :], value[..., kept, :]
        self.positions, self.length = positions[kept], end
        return key, value, positions

    def copy(self) -> RollingCache:
        """A cache that holds the same tensors; appending to one leaves the other as
        it was.
        """
        twin = RollingCache(self.window, self.n_global)
        twin.key, twin.value = self.key, self.value
        twin.positions, twin.length = self.positions, self.length
        return twin

    def select(self, rows: Tensor) -> RollingCache:
        """A cache of these rows of the batch, in this order, repeats allowed."""
        twin = self.copy()
        if self.key is not None and self.value is not None:
            twin.key = self.key.index_select(0, rows)
            twin.value = self.value.index_select(0, rows)
        return twin


class SlidingWindowAttention(nn.Module):
    """Multi-head attention within a window: takes the place of
    ``MultiHeadAttention`` in a layer.

    Parameters
    ----------
    d_model : int
        Size of the vectors that come in and go out.
    n_heads : int
        Divides d_model.
    window : int
        Keys that a word attends to on one side, its own counted.
    n_kv_heads : int, optional
        Heads of keys and values, divides n_heads; n_heads if left out.
    n_global : int
        First words that all others attend to.
    bias : bool
        Whether the four projections add a learned constant.
    positions : RotaryPositions, optional

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or does not divide, or positions are of another
        kind.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        window: int,
        n_kv_heads: int | None = None,
        *,
        n_global: int = 0,
        bias: bool = True,
        positions: RotaryPositions | None = None,
    ):
        super().__init__()
        checks.divides("n_heads", n_heads, "d_model", d_model)
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        checks.divides("n_kv_heads", n_kv_heads, "n_heads", n_heads)
        checks.sizes(window=window)
        checks.whole_number("n_global", n_global, least=0)
        checks.rotary_or_none("positions", positions)
        self.d_model, self.n_heads, self.n_kv_heads = d_model, n_heads, n_kv_heads
        self.window, self.n_global = window, n_global
        d_head = d_model // n_heads
        self.W_q = nn.Linear(d_model, n_heads * d_head, bias=bias)
        self.W_k = nn.Linear(d_model, n_kv_heads * d_head, bias=bias)
        self.W_v = nn.Linear(d_model, n_kv_heads * d_head, bias=bias)
        self.W_o = nn.Linear(n_heads * d_head, d_model, bias=bias)
        self.positions = positions

    def forward(
        self,
        query: Tensor,
        mask: Tensor | None = None,
        *,
        causal: bool = False,
        cache: RollingCache | None = None,
        need_weights: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend with every word to its window.

        Parameters
        ----------
        query : (batch, length, d_model)
            The words themselves: self-attention.
        mask : (batch, 1, length) of bool, optional
            True for real words. Not together with a cache.
        causal : bool
            A word attends to itself and to those before it.
        cache : RollingCache, optional
            Keys and values of earlier calls; this call adds its own. With
            ``causal=True`` only.
        need_weights : bool
            With True the whole matrix of weights is made, n² of them, mostly zeros:
            for looking at, not for long texts. Without a cache only.

        Returns
        -------
        context : (batch, length, d_model)
        weights : (batch, n_heads, length, length), or None

        Raises
        ------
        TypeError, ValueError
            If an argument is no tensor, shapes, dtypes, devices or the mask do not
            fit, or two options exclude each other; the cache stays as it was.
        """
        checks.sliding_window_inputs(
            query, mask, cache, causal, need_weights, self.d_model
        )
        checks.window_cache(cache, self.window, self.n_global, query.shape[0])
        checks.fits_parameters("query", query, self)
        past = 0 if cache is None else cache.length
        # (batch, heads, length, d_head)
        q = split_heads(self.W_q(query), self.n_heads)
        k = split_heads(self.W_k(query), self.n_kv_heads)
        v = split_heads(self.W_v(query), self.n_kv_heads)
        if self.positions is not None:
            q, k = self.positions.rotate(q, past), self.positions.rotate(k, past)
        weights = None
        if cache is not None:
            context = self.with_cache(q, k, v, cache)
        else:
            k, v = repeat_heads(k, self.n_heads), repeat_heads(v, self.n_heads)
            mask = None if mask is None else mask.unsqueeze(1)
            if need_weights:
                context, weights = self.masked(q, k, v, mask, causal)
            else:
                context = windowed_attention(
                    q,
                    k,
                    v,
                    self.window,
                    mask,
                    causal=causal,
                    n_global=self.n_global,
                )
        return self.W_o(merge_heads(context)), weights

    def masked(
        self, q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, causal: bool
    ) -> tuple[Tensor, Tensor | None]:
        """The same numbers by a mask over all n² scores, with the weights."""
        j = torch.arange(q.shape[-2], device=q.device)
        allowed = in_window(j.unsqueeze(-1), j, self.window, causal, self.n_global)
        if mask is not None:
            allowed = allowed & mask
        return scaled_dot_product_attention(q, k, v, allowed)

    def with_cache(
        self, q: Tensor, k: Tensor, v: Tensor, cache: RollingCache
    ) -> Tensor:
        """Some more words, a window of them at a time, each time with what the
        cache still holds.
        """
        contexts = []
        for start in range(0, max(1, q.shape[-2]), self.window):
            rows = slice(start, start + self.window)
            i = (
                torch.arange(q.shape[-2], device=q.device)[rows]
                + cache.length
                - start
            )
            i = i.unsqueeze(-1)  # positions of the new words
            keys, values, j = cache.append(k[..., rows, :], v[..., rows, :])
            allowed = in_window(i, j, self.window, True, self.n_global)
            context, _ = scaled_dot_product_attention(
                q[..., rows, :],
                repeat_heads(keys, self.n_heads),
                repeat_heads(values, self.n_heads),
                allowed,
                need_weights=False,
            )
            contexts.append(context)
        return torch.cat(contexts, dim=-2)
