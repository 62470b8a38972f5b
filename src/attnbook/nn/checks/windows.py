"""What sliding-window attention and its cache are given."""

import torch
from torch import Tensor

from attnbook.arguments import whole_number
from attnbook.nn.checks.attention import attention_inputs, scores_shape
from attnbook.nn.checks.masks import mask as any_mask
from attnbook.nn.checks.numbers import sizes
from attnbook.nn.checks.tensors import dimensions, floating, last_size
from attnbook.nn.protocols import RollingCacheLike


def windowed_inputs(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    window: int,
    n_global: int,
) -> None:
    """Query, key and value of the same words, and a padding mask."""
    attention_inputs(query, key, value, None)
    sizes(window=window)
    whole_number("n_global", n_global, least=0)
    if query.shape[-2] != key.shape[-2]:
        raise ValueError(
            f"key: expected the {query.shape[-2]} words of query, got shape "
            f"{tuple(key.shape)}; a window is counted within one sequence"
        )
    padding_row(query, scores_shape(query, key)[:-2], mask)


def padding_row(
    query: Tensor, leading: tuple[int, ...], mask: Tensor | None
) -> None:
    """``mask`` is None, or boolean (…, 1, length): the same for all queries."""
    if mask is None:
        return
    shape = (*leading, 1, query.shape[-2])
    any_mask("mask", mask, query, shape, "(…, 1, length)")
    if mask.dtype != torch.bool:
        raise ValueError(
            f"mask: expected bool, True for real words, got {mask.dtype}; numbers "
            "cannot be added to the scores of a window"
        )
    if mask.dim() < 2 or mask.shape[-1] != query.shape[-2]:
        raise ValueError(
            f"mask: expected shape (…, 1, {query.shape[-2]}), got "
            f"{tuple(mask.shape)}; a padding mask (batch, length) becomes "
            "mask.unsqueeze(1)"
        )


def sliding_window_inputs(
    query: Tensor,
    mask: Tensor | None,
    cache: RollingCacheLike | None,
    causal: bool,
    need_weights: bool,
    d_model: int,
) -> None:
    """Query (batch, length, d_model), and options that go together."""
    floating("query", query)
    dimensions("query", query, ("batch", "length", "d_model"))
    last_size("query", query, d_model, "d_model")
    padding_row(query, (query.shape[0],), mask)
    if cache is None:
        return
    if not causal:
        raise ValueError(
            "causal: expected True with a cache, got False; a word that was read "
            "cannot attend to later ones"
        )
    if mask is not None:
        raise ValueError(
            "mask: expected None with a cache, got a tensor; give texts of equal "
            "length to a cache"
        )
    if need_weights:
        raise ValueError(
            "need_weights: expected False with a cache, got True; the cache has "
            "forgotten most of the keys"
        )


def window_cache(
    cache: RollingCacheLike | None, window: int, n_global: int, batch: int
) -> None:
    """None, or a rolling cache for this window and this batch."""
    if cache is None:
        return
    if not (hasattr(cache, "append") and hasattr(cache, "window")):
        raise TypeError(
            f"cache: expected a RollingCache or None, got {cache!r}; make one with "
            f"RollingCache({window})"
        )
    if (cache.window, cache.n_global) != (window, n_global):
        raise ValueError(
            f"cache: expected window {window} and n_global {n_global} as in the "
            f"layer, got {cache.window} and {cache.n_global}; make one with "
            f"RollingCache({window}, {n_global})"
        )
    if cache.key is not None and cache.key.shape[0] != batch:
        raise ValueError(
            f"cache: expected {batch} rows as in query, got {cache.key.shape[0]}; "
            "use a new RollingCache() for a new batch"
        )
