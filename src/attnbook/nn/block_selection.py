"""Block selection: each query scores whole blocks of keys by one key a block, and
attends to the keys of the best blocks alone.

In miniature, the selection of NSA (Yuan et al. 2025, https://arxiv.org/abs/2502.11089),
where blocks to score and blocks to choose are the same:

    k̃_j = φ(keys of block j)                  the compressed key of a block
    p = softmax(q · k̃_j)                       over blocks that lie in the past
    I = the n blocks with the largest p        beside the query's own block
    context = g_slc Attn(q, keys of I) + g_cmp Attn(q, k̃, ṽ)

φ is the mean here; NSA learns it. NSA has a third branch, a sliding window, for
which the query's own block stands here. Its branches have keys and values of their
own, and its query heads choose together where they share keys. Choosing has no
gradient. What trains it is that the same queries and keys are used for attending,
to the chosen keys and, where that branch is on, to the compressed ones.
DeepSeek-V3.2 chooses single keys instead, with a small scorer of its own.

The chosen keys are a mask here, and all scores are computed: the result is that of
a kernel which skips blocks, the time is not.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.attention import (
    dot_product_scores,
    scaled_dot_product_attention,
    softmax_or_zeros,
)
from attnbook.nn.masks import causal_mask
from attnbook.nn.multi_head import merge_heads, split_heads
from attnbook.nn.positions import RotaryPositions


def block_means(x: Tensor, block_size: int) -> Tensor:
    """(…, length, d) → (…, blocks, d): the mean of each block, the last of which
    may be shorter.
    """
    checks.sizes(block_size=block_size)
    checks.at_least_2d("x", x, "length", "d")
    sums = torch.nn.functional.pad(x, (0, 0, 0, -x.shape[-2] % block_size))
    sums = sums.unflatten(-2, (-1, block_size)).sum(dim=-2)  # (…, blocks, d)
    left = x.shape[-2] - block_size * torch.arange(sums.shape[-2], device=x.device)
    return sums / left.clamp(max=block_size).unsqueeze(-1).to(x.dtype)


def past_blocks(length: int, block_size: int, device: torch.device) -> Tensor:
    """True where block j lies before the block of query i: (length, blocks)."""
    own = torch.arange(length, device=device).unsqueeze(-1) // block_size
    return torch.arange(-(-length // block_size), device=device) < own


def selected_keys(
    query: Tensor,
    key: Tensor,
    block_size: int,
    n_blocks: int,
    block_scores: Tensor | None = None,
) -> Tensor:
    """Which keys each query may attend to: those of its own block up to itself, and
    of the ``n_blocks - 1`` earlier blocks whose mean key has the largest product
    with it.

    Yuan et al. 2025, https://arxiv.org/abs/2502.11089, with blocks of one size and
    the mean as φ.

    Parameters
    ----------
    query : (…, length, d_k)
    key : (…, length, d_k)
    block_size : int
    n_blocks : int
        Blocks that a query attends to, its own included.
    block_scores : (…, length, blocks), optional
        How well each query fits each block, if something else than the mean key is
        to choose.

    Returns
    -------
    (…, length, length) of bool
        A causal mask: at most ``n_blocks · block_size`` keys in a row.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or below 1, or shapes do not fit.
    """
    checks.blocks_to_choose(query, key, block_size, n_blocks)
    length = query.shape[-2]
    past = past_blocks(length, block_size, query.device)  # (length, blocks)
    if block_scores is None:
        block_scores = query @ block_means(key, block_size).transpose(-2, -1)
    checks.last_size("block_scores", block_scores, past.shape[-1], "blocks")
    block_scores = block_scores.detach().masked_fill(~past, -torch.inf)
    n_chosen = min(n_blocks - 1, past.shape[-1])
    best = block_scores.topk(n_chosen, dim=-1).indices  # (…, length, n_blocks - 1)
    chosen = torch.zeros_like(block_scores, dtype=torch.bool).scatter(
        -1, best, True
    )
    own = torch.nn.functional.one_hot(
        torch.arange(length, device=query.device) // block_size, past.shape[-1]
    ).bool()
    blocks = chosen & past | own  # (…, length, blocks)
    keys = blocks.repeat_interleave(block_size, dim=-1)[..., :length]
    return keys & causal_mask(length, device=query.device)


class BlockSelectionAttention(nn.Module):
    """Causal multi-head self-attention in which each query chooses its blocks.

    Parameters
    ----------
    d_model : int
        Size of the vectors that come in and go out.
    n_heads : int
        Divides d_model.
    block_size : int
        Keys of a block.
    n_blocks : int
        Blocks that a query attends to, its own included. With all of them and
        without the compressed branch this is MultiHeadAttention.
    compressed : bool
        Attend to the mean keys and values of all earlier blocks as well, and add
        the two contexts, each times a gate of the query: a sigmoid a head.
    positions : RotaryPositions, optional
        Turns queries and keys. Positions that add to the scores are refused, since
        a block has no position.

    Attributes
    ----------
    chooses : "mean", "random"
        What chooses the blocks: the mean key, or chance, as a control.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or below 1, or n_heads does not divide d_model.
    """

    chooses = "mean"

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        block_size: int,
        n_blocks: int,
        compressed: bool = False,
        positions: RotaryPositions | None = None,
    ):
        super().__init__()
        checks.divides("n_heads", n_heads, "d_model", d_model)
        checks.sizes(block_size=block_size, n_blocks=n_blocks)
        checks.rotary_or_none("positions", positions)
        self.d_model, self.n_heads = d_model, n_heads
        self.block_size, self.n_blocks = block_size, n_blocks
        self.W_q, self.W_k, self.W_v, self.W_o = (
            nn.Linear(d_model, d_model) for _ in range(4)
        )
        self.gates = nn.Linear(d_model, 2 * n_heads) if compressed else None
        self.positions = positions

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Attend from every position to the chosen keys before it.

        Parameters
        ----------
        x : (batch, length, d_model)

        Returns
        -------
        context : (batch, length, d_model)
        weights : (batch, n_heads, length, length)
            On the chosen keys, before the gate.

        Raises
        ------
        TypeError, ValueError
            If x is no tensor, or its shape, dtype or device does not fit.
        """
        checks.layer_input(x, self.d_model)
        checks.fits_parameters("x", x, self)
        # (batch, n_heads, length, d_head) each
        query, key, value = (
            split_heads(project(x), self.n_heads)
            for project in (self.W_q, self.W_k, self.W_v)
        )
        if self.positions is not None:
            query, key = self.positions.rotate(query), self.positions.rotate(key)
        mask = selected_keys(
            query, key, self.block_size, self.n_blocks, self.chance(query)
        )
        context, weights = scaled_dot_product_attention(query, key, value, mask)
        if self.gates is not None:
            gates = split_heads(self.gates(x), self.n_heads).sigmoid()
            chosen, coarse = gates.split(1, dim=-1)  # (batch, n_heads, length, 1)
            summary = self.attend_to_means(query, key, value)
            context = chosen * context + coarse * summary
        return self.W_o(merge_heads(context)), weights

    def attend_to_means(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """The compressed branch: attention to one key and one value a block, of
        blocks that lie before the query's own; zeros where there are none.
        """
        means = block_means(
            key, self.block_size
        )  # (batch, n_heads, blocks, d_head)
        past = past_blocks(query.shape[-2], self.block_size, query.device)
        scores = dot_product_scores(query, means).masked_fill(~past, -torch.inf)
        return softmax_or_zeros(scores) @ block_means(value, self.block_size)

    def chance(self, query: Tensor) -> Tensor | None:
        """Random scores for the blocks where chance chooses, else None."""
        if self.chooses != "random":
            return None
        n_blocks = -(-query.shape[-2] // self.block_size)
        return torch.rand(*query.shape[:-1], n_blocks, device=query.device)
