"""Masks: who may look at whom. True = may attend, everywhere in this package.

A mask is any boolean tensor that broadcasts to the scores, (…, queries, keys).
Combine two with ``&``.
"""

import torch
from torch import Tensor

from attnbook.nn import checks


def padding_mask(lengths: Tensor, size: int) -> Tensor:
    """True for the first ``lengths[b]`` of ``size`` positions.

    Parameters
    ----------
    lengths : (batch,) of int
        Real tokens in each sentence.
    size : int
        Tokens in each padded sentence.

    Returns
    -------
    (batch, size) of bool
        As a mask for scores, give it a dimension for the queries:
        ``mask.unsqueeze(-2)``, shape (batch, 1, size).

    Raises
    ------
    TypeError, ValueError
        If lengths is not a (batch,) tensor of whole numbers from 0 to size, or size
        is not a whole number.
    """
    checks.lengths("lengths", lengths, size)
    return torch.arange(size, device=lengths.device) < lengths.unsqueeze(-1)


def causal_mask(
    n_queries: int,
    n_keys: int | None = None,
    past: int = 0,
    device: torch.device | None = None,
) -> Tensor:
    """True where key j is not later than query i: ``j <= i + past``, shape
    (n_queries, n_keys).

    Parameters
    ----------
    n_queries, n_keys : int
        n_keys is n_queries + past if left out.
    past : int
        Keys that a cache already holds: query 0 stands at position ``past``.
    device : torch.device, optional
        Where the mask is made; the default one if left out.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or below 0.
    """
    n_keys = n_queries + past if n_keys is None else n_keys
    checks.whole_number("n_queries", n_queries, least=0)
    checks.whole_number("n_keys", n_keys, least=0)
    checks.whole_number("past", past, least=0)
    return torch.ones(n_queries, n_keys, dtype=torch.bool, device=device).tril(
        diagonal=past
    )


def window_mask(
    n_queries: int, n_keys: int, window: int, device: torch.device | None = None
) -> Tensor:
    """True where key j is at most ``window`` positions from query i: ``|i - j| <=
    window``, (n_queries, n_keys).

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or below 0.
    """
    checks.whole_number("n_queries", n_queries, least=0)
    checks.whole_number("n_keys", n_keys, least=0)
    checks.whole_number("window", window, least=0)
    i = torch.arange(n_queries, device=device).unsqueeze(-1)  # (n_queries, 1)
    j = torch.arange(n_keys, device=device)  # (n_keys,)
    return (i - j).abs() <= window


def lengthened(mask: Tensor, n_keys: int) -> Tensor:
    """A mask that covers the first keys only, extended to ``n_keys``: the rest may
    not be attended to.

    Boolean masks gain False, floating masks minus infinity: the convention of the
    ONNX ``Attention`` operator.

    Raises
    ------
    ValueError
        If the mask already has more columns than ``n_keys``.
    """
    checks.mask_width("mask", mask, n_keys)
    forbidden = False if mask.dtype == torch.bool else -torch.inf
    missing = mask.new_full((*mask.shape[:-1], n_keys - mask.shape[-1]), forbidden)
    return torch.cat([mask, missing], dim=-1)
