"""Right answers of which several exercises are made, with their mistakes as keywords."""

from __future__ import annotations

import torch

from attnbook.exercises.mistakes import EMPTY, HEAD_SCALE, MASK, MERGE, MIX, PROJECT, SPLIT


def masked_softmax(
    scores: torch.Tensor, mask: torch.Tensor, *, placed=MASK.right, empty=EMPTY.right, dim: int = -1
) -> torch.Tensor:
    """Softmax over the positions where mask is True; a row without any gives zeros."""
    return placed(scores, mask, empty, dim)


def multi_head(
    query: torch.Tensor,
    memory: torch.Tensor,
    W_q: torch.Tensor,
    W_k: torch.Tensor,
    W_v: torch.Tensor,
    W_o: torch.Tensor,
    n_heads: int,
    mask: torch.Tensor,
    *,
    project=PROJECT.right,
    split=SPLIT.right,
    merge=MERGE.right,
    scale=HEAD_SCALE.right,
    over=masked_softmax,
    placed=MASK.right,
    empty=EMPTY.right,
    output=MIX.right,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Multi-head attention: context (batch, queries, d_model), weights (batch, n_heads, queries, keys).

    ``over(scores, mask, placed=…, empty=…)`` makes the weights.
    """
    d_model = query.shape[-1]
    q, k, v = (split(rows, n_heads) for rows in project(query, memory, W_q, W_k, W_v, n_heads))
    before, after = scale(d_model // n_heads, d_model=d_model, n_keys=k.shape[-2])
    scores = q @ k.transpose(-2, -1) / before  # (batch, n_heads, queries, keys)
    allowed = mask[:, None, None, :].expand(scores.shape)
    weights = over(scores, allowed, placed=placed, empty=empty) / after
    return output(merge(weights @ v), W_o), weights
