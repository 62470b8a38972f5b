"""Multi-head latent attention: keys and values of all heads are rebuilt from one
short vector a token, and only that vector is kept.

DeepSeek-V2, section 2.1, https://arxiv.org/abs/2405.04434. For token t with vector
h_t, in head i:

    c_t = W^DKV h_t                          the latent vector, which is cached
    k^C_{t,i} = W^UK_i c_t    v_{t,i} = W^UV_i c_t
    k^R_t = RoPE(W^KR h_t)                   one rotated key for all heads, cached
    q^C_{t,i} = W^UQ_i h'_t    q^R_{t,i} = RoPE(W^QR_i h'_t)
    scores = (q^C · k^C + q^R · k^R) / √(d_head + d_rotary)

h'_t is h_t, or W^DQ h_t where queries are low-rank as well. Rotation stands between
query and key and would keep W^UK from moving to the other side of the product; so a
small part of query and key is rotated and has no latent vector ("decoupled").

Since q^C · (W^UK_i c) = (W^UK_iᵀ q^C) · c, keys and values need not be rebuilt: the
*absorbed* form compares queries of d_latent numbers with the latent vectors
themselves, and applies W^UV to what comes out. (The released model also normalises
the latent vectors, which the equations leave out, and so does this class.)
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.attention import scaled_dot_product_attention
from attnbook.nn.masks import causal_mask
from attnbook.nn.multi_head import both, merge_heads, split_heads
from attnbook.nn.positions import RotaryPositions


class LatentCache:
    """Latent vectors and rotated keys of tokens that were read before.

    Attributes
    ----------
    latent : (batch, length, d_latent), or None while empty
    rotated_key : (batch, length, d_rotary), or None while empty
    """

    def __init__(self) -> None:
        self.latent: Tensor | None = None
        self.rotated_key: Tensor | None = None

    @property
    def length(self) -> int:
        """Tokens in the cache."""
        return 0 if self.latent is None else self.latent.shape[1]

    @property
    def n_bytes(self) -> int:
        """Bytes that the two tensors take."""
        return sum(
            held.numel() * held.element_size()
            for held in (self.latent, self.rotated_key)
            if held is not None
        )

    def append(self, latent: Tensor, rotated_key: Tensor) -> tuple[Tensor, Tensor]:
        """Add (batch, new, d_latent) and (batch, new, d_rotary) at the end; return
        all of both.

        Raises
        ------
        ValueError
            If batch or sizes differ from what the cache holds, which then stays as
            it was.
        """
        checks.latent_cache_entry(
            self.latent, self.rotated_key, latent, rotated_key
        )
        if self.latent is not None and self.rotated_key is not None:
            latent = torch.cat([self.latent, latent], dim=1)
            rotated_key = torch.cat([self.rotated_key, rotated_key], dim=1)
        self.latent, self.rotated_key = latent, rotated_key
        return latent, rotated_key

    def copy(self) -> LatentCache:
        """A cache that holds the same tensors; appending to one leaves the other as
        it was.
        """
        twin = LatentCache()
        twin.latent, twin.rotated_key = self.latent, self.rotated_key
        return twin

    def select(self, rows: Tensor) -> LatentCache:
        """A cache of these rows of the batch, in this order, repeats allowed."""
        twin = self.copy()
        if self.latent is not None and self.rotated_key is not None:
            twin.latent = self.latent.index_select(0, rows)
            twin.rotated_key = self.rotated_key.index_select(0, rows)
        return twin


class MultiHeadLatentAttention(nn.Module):
    """Self-attention whose cache holds d_latent + d_rotary numbers a token,
    whatever the number of heads.

    Parameters
    ----------
    d_model : int
        Size of the vectors that come in and go out.
    n_heads : int
    d_latent : int
        Size of the vector from which keys and values of all heads are rebuilt.
    d_rotary : int
        Numbers of query and key that tell positions; even.
    d_head : int, optional
        Size of a value, and of the unrotated part of query and key, in one head;
        d_model / n_heads if left out.
    d_query_latent : int, optional
        Size of a latent vector from which the queries are made; none if left out.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or below 1, d_rotary is odd, or n_heads does not
        divide d_model where d_head is left out.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_latent: int,
        d_rotary: int,
        d_head: int | None = None,
        d_query_latent: int | None = None,
    ):
        super().__init__()
        if d_head is None:
            checks.divides("n_heads", n_heads, "d_model", d_model)
            d_head = d_model // n_heads
        checks.sizes(
            d_model=d_model, n_heads=n_heads, d_latent=d_latent, d_head=d_head
        )
        checks.divides("2", 2, "d_rotary", d_rotary)
        self.d_model, self.n_heads, self.d_head = d_model, n_heads, d_head
        self.d_latent, self.d_rotary = d_latent, d_rotary
        d_query = d_model
        self.W_dq: nn.Module = nn.Identity()
        if d_query_latent is not None:
            checks.sizes(d_query_latent=d_query_latent)
            d_query = d_query_latent
            self.W_dq = nn.Linear(d_model, d_query, bias=False)
        self.W_uq = nn.Linear(d_query, n_heads * d_head, bias=False)
        self.W_qr = nn.Linear(d_query, n_heads * d_rotary, bias=False)
        self.W_dkv = nn.Linear(d_model, d_latent, bias=False)
        self.W_kr = nn.Linear(d_model, d_rotary, bias=False)
        self.W_uk = nn.Linear(d_latent, n_heads * d_head, bias=False)
        self.W_uv = nn.Linear(d_latent, n_heads * d_head, bias=False)
        self.W_o = nn.Linear(n_heads * d_head, d_model, bias=False)
        self.rotary = RotaryPositions(d_rotary)

    def forward(
        self,
        query: Tensor,
        mask: Tensor | None = None,
        *,
        causal: bool = False,
        cache: LatentCache | None = None,
        need_weights: bool = True,
        absorbed: bool | None = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend with every query in every head.

        Parameters
        ----------
        query : (batch, queries, d_model)
            The words themselves: self-attention.
        mask : (queries, keys), (batch, queries, keys) or (batch, n_heads, queries,
        keys), optional
            As in MultiHeadAttention. With a cache, keys counts the cached ones too.
        causal : bool
            A query may attend to keys that are not later than itself; cached keys
            are all earlier.
        cache : LatentCache, optional
            Latent vectors of earlier calls; this call adds its own.
        need_weights : bool
            With False, weights are None, and a faster kernel runs.
        absorbed : bool, optional
            Compare with the latent vectors themselves; if left out, with a cache
            only. The numbers are the same up to rounding.

        Returns
        -------
        context : (batch, queries, d_model)
            Zeros for a query that may attend to nothing.
        weights : (batch, n_heads, queries, keys), or None

        Raises
        ------
        TypeError, ValueError
            If an argument is no tensor, or shapes, dtypes, devices or the mask do
            not fit; the cache stays as it was.
        """
        checks.latent_inputs(query, mask, cache, self.d_model, self.n_heads)
        checks.fits_parameters("query", query, self)
        past = 0 if cache is None else cache.length
        absorbed = cache is not None if absorbed is None else absorbed
        compressed = self.W_dq(query)
        # (batch, n_heads, queries, d_head) and (batch, n_heads, queries, d_rotary)
        q = split_heads(self.W_uq(compressed), self.n_heads)
        q_rotated = self.rotary(
            split_heads(self.W_qr(compressed), self.n_heads), past
        )
        latent = self.W_dkv(query)  # (batch, queries, d_latent)
        k_rotated = self.rotary(
            self.W_kr(query), past
        )  # (batch, queries, d_rotary)
        if cache is not None:
            latent, k_rotated = cache.append(latent, k_rotated)
        n_queries, n_keys = query.shape[1], latent.shape[1]
        if mask is not None and mask.dim() == 3:
            mask = mask.unsqueeze(1)  # (batch, 1, queries, keys): for all heads
        if causal and past:
            causal = False
            mask = both(mask, causal_mask(n_queries, n_keys, past, query.device))
        # one rotated key for all heads: (batch, n_heads, keys, d_rotary)
        k_rotated = k_rotated.unsqueeze(1).expand(-1, self.n_heads, -1, -1)
        if absorbed:
            q = q @ self.per_head(self.W_uk)  # (batch, n_heads, queries, d_latent)
            k = v = latent.unsqueeze(1).expand(-1, self.n_heads, -1, -1)
        else:
            k = split_heads(self.W_uk(latent), self.n_heads)
            v = split_heads(self.W_uv(latent), self.n_heads)
        context, weights = scaled_dot_product_attention(
            torch.cat([q, q_rotated], dim=-1),
            torch.cat([k, k_rotated], dim=-1),
            v,
            mask,
            causal=causal,
            scale=(self.d_head + self.d_rotary) ** -0.5,
            need_weights=need_weights,
        )
        if absorbed:  # (batch, n_heads, queries, d_latent) to (…, d_head)
            context = context @ self.per_head(self.W_uv).transpose(-2, -1)
        return self.W_o(merge_heads(context)), weights

    def per_head(self, up: nn.Linear) -> Tensor:
        """The matrix of W_uk or W_uv head by head: (n_heads, d_head, d_latent)."""
        return up.weight.unflatten(0, (self.n_heads, self.d_head))
