"""What latent attention and its cache are given."""

from torch import Tensor

from attnbook.nn.checks.attention import mask_of_heads
from attnbook.nn.checks.tensors import (
    dimensions,
    floating,
    last_size,
    same_kind,
    tensor,
)
from attnbook.nn.protocols import LatentCacheLike


def latent_cache_entry(
    held_latent: Tensor | None,
    held_key: Tensor | None,
    latent: Tensor,
    rotated_key: Tensor,
) -> None:
    """New latent vectors and keys fit each other and those of the cache."""
    for name, given in (("latent", latent), ("rotated_key", rotated_key)):
        floating(name, given)
        dimensions(name, given, ("batch", "new", "size"))
    if latent.shape[:2] != rotated_key.shape[:2]:
        raise ValueError(
            f"rotated_key: expected {tuple(latent.shape[:2])} rows as in latent, "
            f"got {tuple(rotated_key.shape[:2])}; both come from the same tokens"
        )
    for name, held, given in (
        ("latent", held_latent, latent),
        ("rotated_key", held_key, rotated_key),
    ):
        if held is None:
            continue
        same_kind("cache", held, name, given)
        if (held.shape[0], held.shape[2]) != (given.shape[0], given.shape[2]):
            raise ValueError(
                f"{name}: expected (batch, new, size) like the cache's "
                f"{tuple(held.shape)}, got {tuple(given.shape)}; use one cache a "
                "layer and a batch"
            )


def latent_inputs(
    query: Tensor,
    given_mask: Tensor | None,
    cache: LatentCacheLike | None,
    d_model: int,
    n_heads: int,
) -> None:
    """Query (batch, queries, d_model), a mask, a cache of latent vectors."""
    tensor("query", query)
    floating("query", query)
    dimensions("query", query, ("batch", "queries", "d_model"))
    last_size("query", query, d_model, "d_model")
    n_keys = query.shape[1]
    if cache is not None:
        if not (hasattr(cache, "append") and hasattr(cache, "latent")):
            raise TypeError(
                f"cache: expected a LatentCache or None, got {cache!r}; make one "
                "with LatentCache()"
            )
        if cache.latent is not None and cache.latent.shape[0] != query.shape[0]:
            raise ValueError(
                f"cache: expected {query.shape[0]} rows as in query, got "
                f"{cache.latent.shape[0]}; use a new LatentCache() for a new batch"
            )
        n_keys += cache.length
    mask_of_heads(given_mask, query, n_heads, n_keys)
