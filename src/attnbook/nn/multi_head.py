"""Multi-head attention: several small attentions side by side, each with its own
projections.

Vaswani et al. 2017, section 3.2.2, https://arxiv.org/abs/1706.03762:

    head_h = Attention(Q W^Q_h, K W^K_h, V W^V_h)
    MultiHead(Q, K, V) = Concat(head_1, …, head_n) W^O

With fewer heads for keys and values than for queries, groups of query heads share
one of them: grouped-query attention (Ainslie et al. 2023,
https://arxiv.org/abs/2305.13245); with a single one, multi-query attention (Shazeer
2019, https://arxiv.org/abs/1911.02150).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.attention import scaled_dot_product_attention
from attnbook.nn.masks import causal_mask
from attnbook.nn.positions import PositionsInAttention


class KVCache:
    """Keys and values of words that were read before, so that each is projected
    once.

    Parameters
    ----------
    grows : bool
        True for self-attention: each call adds its keys and values. False for
        attention to a fixed memory: the first call fills the cache, and later calls
        use what it holds.

    Attributes
    ----------
    key, value : (batch, n_kv_heads, length, d_head), or None while empty
    """

    def __init__(self, grows: bool = True):
        self.grows = grows
        self.key: Tensor | None = None
        self.value: Tensor | None = None

    @property
    def length(self) -> int:
        """Words in the cache."""
        return 0 if self.key is None else self.key.shape[-2]

    def held(self) -> tuple[Tensor, Tensor] | None:
        """Keys and values, or None while there are none."""
        if self.key is None or self.value is None or self.length == 0:
            return None
        return self.key, self.value

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add (batch, n_kv_heads, new, d_head) at the end; return all keys and all
        values.

        Raises
        ------
        ValueError
            If batch, heads or sizes differ from what the cache holds, which then
            stays as it was.
        """
        checks.cache_entry(self.key, key, value)
        self.key = key if self.key is None else torch.cat([self.key, key], dim=-2)
        self.value = (
            value if self.value is None else torch.cat([self.value, value], dim=-2)
        )
        return self.key, self.value

    def copy(self) -> KVCache:
        """A cache that holds the same tensors; appending to one leaves the other as
        it was.
        """
        twin = KVCache(self.grows)
        twin.key, twin.value = self.key, self.value
        return twin

    def select(self, rows: Tensor) -> KVCache:
        """A cache of these rows of the batch, in this order, repeats allowed: what
        beam search needs.
        """
        twin = self.copy()
        if self.key is not None and self.value is not None:
            twin.key, twin.value = (
                self.key.index_select(0, rows),
                self.value.index_select(0, rows),
            )
        return twin


class PlainMultiHeadAttention(nn.Module):
    """The equation above and no more: no cache, no shared keys, no positions
    inside.

    The parameters have the names and shapes of :class:`MultiHeadAttention`'s, and
    with the same numbers in them both give the same result.

    Parameters
    ----------
    d_model : int
        Size of the vectors that come in and go out.
    n_heads : int
        Divides d_model; each head works with d_model / n_heads numbers.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or does not divide.
    """

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        checks.divides("n_heads", n_heads, "d_model", d_model)
        self.d_model, self.n_heads = d_model, n_heads
        self.W_q = nn.Linear(d_model, d_model)
        self.W_k = nn.Linear(d_model, d_model)
        self.W_v = nn.Linear(d_model, d_model)
        self.W_o = nn.Linear(d_model, d_model)

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Attend with every query in every head.

        Parameters
        ----------
        query : (batch, queries, d_model)
        key : (batch, keys, d_model), optional
            The queries themselves if left out: self-attention.
        value : (batch, keys, d_model), optional
            The keys themselves if left out.
        mask : (queries, keys), (batch, queries, keys) or (batch, n_heads, queries,
        keys), optional
            True = may attend; a padding mask (batch, keys) is passed as
            ``mask.unsqueeze(1)``.

        Returns
        -------
        context : (batch, queries, d_model)
        weights : (batch, n_heads, queries, keys)

        Raises
        ------
        TypeError, ValueError
            If an argument is no tensor, or shapes, dtypes, devices or the mask do
            not fit.
        """
        key = query if key is None else key
        value = key if value is None else value
        checks.multi_head_inputs(
            query, key, value, mask, None, self.d_model, self.n_heads
        )
        checks.fits_parameters("query", query, self)
        # (batch, n_heads, queries, d_head), (batch, n_heads, keys, d_head) twice
        q = split_heads(self.W_q(query), self.n_heads)
        k = split_heads(self.W_k(key), self.n_heads)
        v = split_heads(self.W_v(value), self.n_heads)
        if mask is not None and mask.dim() == 3:
            mask = mask.unsqueeze(1)  # (batch, 1, queries, keys): for all heads
        # In every head at once.
        context, weights = scaled_dot_product_attention(q, k, v, mask)
        return self.W_o(merge_heads(context)), weights


class MultiHeadAttention(nn.Module):
    """Project, split into heads, attend in each, put together, project.

    Parameters
    ----------
    d_model : int
        Size of the vectors that come in and go out.
    n_heads : int
        Divides d_model; each head works with d_head = d_model / n_heads numbers.
    n_kv_heads : int, optional
        Heads of keys and values, divides n_heads; n_heads if left out.
    bias : bool
        Whether the four projections add a learned constant. The paper has none;
        torch has.
    positions : PositionsInAttention, optional
        RotaryPositions, ALiBi or RelativePositions. Keys then stand at positions 0,
        1, …, and so do queries, after those in the cache.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or does not divide.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        n_kv_heads: int | None = None,
        *,
        bias: bool = True,
        positions: PositionsInAttention | None = None,
    ):
        super().__init__()
        checks.divides("n_heads", n_heads, "d_model", d_model)
        n_kv_heads = n_heads if n_kv_heads is None else n_kv_heads
        checks.divides("n_kv_heads", n_kv_heads, "n_heads", n_heads)
        checks.positions_in_attention("positions", positions)
        self.d_model, self.n_heads, self.n_kv_heads = d_model, n_heads, n_kv_heads
        self.d_head = d_model // n_heads
        self.W_q = nn.Linear(d_model, n_heads * self.d_head, bias=bias)
        self.W_k = nn.Linear(d_model, n_kv_heads * self.d_head, bias=bias)
        self.W_v = nn.Linear(d_model, n_kv_heads * self.d_head, bias=bias)
        self.W_o = nn.Linear(n_heads * self.d_head, d_model, bias=bias)
        self.positions = positions

    def forward(
        self,
        query: Tensor,
        key: Tensor | None = None,
        value: Tensor | None = None,
        mask: Tensor | None = None,
        *,
        causal: bool = False,
        cache: KVCache | None = None,
        need_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend with every query in every head.

        Parameters
        ----------
        query : (batch, queries, d_model)
        key : (batch, keys, d_model), optional
            The queries themselves if left out: self-attention. Given:
            cross-attention.
        value : (batch, keys, d_model), optional
            The keys themselves if left out.
        mask : (queries, keys), (batch, queries, keys) or (batch, n_heads, queries,
        keys), optional
            True = may attend; floating: added to the scores. Sizes of 1 are
            stretched, so a padding mask (batch, keys) is passed as
            ``mask.unsqueeze(1)``. With a cache, keys counts the cached ones too.
        causal : bool
            A query may attend to keys that are not later than itself; cached keys
            are all earlier.
        cache : KVCache, optional
            Keys and values of earlier calls; this call adds its own.
        need_weights : bool
            With False, weights are None, and a faster kernel runs.

        Returns
        -------
        context : (batch, queries, d_model)
        weights : (batch, n_heads, queries, keys), or None

        Raises
        ------
        TypeError, ValueError
            If an argument is no tensor, or shapes, dtypes, devices or the mask do
            not fit; the cache stays as it was.
        """
        key = query if key is None else key
        value = key if value is None else value
        checks.multi_head_inputs(
            query, key, value, mask, cache, self.d_model, self.n_heads
        )
        checks.fits_parameters("query", query, self)
        past = cache.length if cache is not None and cache.grows else 0
        # (batch, n_heads, queries, d_head)
        q = split_heads(self.W_q(query), self.n_heads)
        if self.positions is not None:
            q = self.positions.rotate(q, past)
        fixed = None if cache is None or cache.grows else cache.held()
        if fixed is not None:
            k, v = fixed
        else:
            # (batch, n_kv_heads, keys, d_head)
            k = split_heads(self.W_k(key), self.n_kv_heads)
            v = split_heads(self.W_v(value), self.n_kv_heads)
            if self.positions is not None:
                k = self.positions.rotate(k, past)
            if cache is not None:
                k, v = cache.append(k, v)
        n_queries, n_keys = q.shape[-2], k.shape[-2]
        if mask is not None and mask.dim() == 3:
            mask = mask.unsqueeze(1)  # (batch, 1, queries, keys): for all heads
        if causal and past:
            causal = False
            mask = both(mask, causal_mask(n_queries, n_keys, past, q.device))
        if self.positions is not None:
            mask = both(self.positions.bias(q, n_keys, past), mask)
        k, v = repeat_heads(k, self.n_heads), repeat_heads(v, self.n_heads)
        needed = need_weights or (
            self.positions is not None and self.positions.uses_weights
        )
        # context (batch, n_heads, queries, d_head), weights (batch, n_heads,
        # queries, keys)
        context, weights = scaled_dot_product_attention(
            q, k, v, mask, causal=causal, need_weights=needed
        )
        if (
            self.positions is not None
            and self.positions.uses_weights
            and weights is not None
        ):
            context = context + self.positions.context(weights, past)
        return self.W_o(merge_heads(context)), weights if need_weights else None


def split_heads(x: Tensor, n_heads: int) -> Tensor:
    """(batch, length, n_heads · d_head) → (batch, n_heads, length, d_head)."""
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)


def merge_heads(x: Tensor) -> Tensor:
    """(batch, n_heads, length, d_head) → (batch, length, n_heads · d_head):
    split_heads undone.
    """
    return x.transpose(-3, -2).flatten(-2)


def repeat_heads(x: Tensor, n_heads: int) -> Tensor:
    """(batch, n_kv_heads, length, d_head) → (batch, n_heads, length, d_head): heads
    0 0 1 1 2 2 …
    """
    return (
        x
        if x.shape[-3] == n_heads
        else x.repeat_interleave(n_heads // x.shape[-3], dim=-3)
    )


def both(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    """One mask that says what two say, each of them boolean, floating or None."""
    if first is None or second is None:
        return second if first is None else first
    if first.dtype == torch.bool and second.dtype == torch.bool:
        return first & second
    if second.dtype == torch.bool:
        return torch.where(second, first, -torch.inf)
    if first.dtype == torch.bool:
        return torch.where(first, second, -torch.inf)
    return first + second
