"""What the mechanisms ask of each other: any class with these methods will do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from torch import Tensor, nn


class HasParameters(Protocol):
    """Whatever has parameters, none included: every ``torch.nn.Module``."""

    def parameters(self, recurse: bool = True) -> Iterator[nn.Parameter]:
        """Its parameters."""
        ...


class Score(HasParameters, Protocol):
    """How well a query fits a key: the classes of ``attnbook.nn.scores``, or yours.

    ``score(query, key)`` is ``score.compare(query, score.prepare(key))``: the
    scores, (…, queries, keys). Sizes that it insists on are its attributes
    ``d_query`` and ``d_key``.
    """

    def __call__(self, query: Tensor, key: Tensor) -> Tensor:
        """Scores (…, queries, keys) of (…, queries, d_query), (…, keys, d_key)."""
        ...

    def prepare(self, key: Tensor) -> Tensor:
        """What can be computed from the keys alone, once a sentence."""
        ...

    def compare(self, query: Tensor, prepared: Tensor) -> Tensor:
        """Scores (…, queries, keys) from queries and prepared keys."""
        ...


class ScoredAttention(Protocol):
    """Attention over a score: ``Attention``, ``LocalAttention``, and the like."""

    score: Score

    def __call__(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        *,
        prepared: Tensor | None = None,
        position: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """Context (…, queries, d_v) and weights (…, queries, keys)."""
        ...


class Cache(Protocol):
    """Keys and values of earlier calls: ``KVCache``.

    Attributes
    ----------
    grows : bool
        Whether each call adds its keys and values, or the first one's are kept.
    key, value : (batch, n_kv_heads, length, d_head), or None while empty
    """

    grows: bool
    key: Tensor | None
    value: Tensor | None

    @property
    def length(self) -> int:
        """Words in the cache."""
        ...

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add (batch, n_kv_heads, new, d_head); all keys and all values."""
        ...


class LatentCacheLike(Protocol):
    """Latent vectors of earlier calls: ``LatentCache``.

    Attributes
    ----------
    latent : (batch, length, d_latent), or None while empty
    """

    latent: Tensor | None

    @property
    def length(self) -> int:
        """Tokens in the cache."""
        ...


class RollingCacheLike(Protocol):
    """Keys and values that a window can still reach: ``RollingCache``.

    Attributes
    ----------
    window, n_global : int
    key : (batch, n_kv_heads, held, d_head), or None while empty
    """

    window: int
    n_global: int
    key: Tensor | None


class HasMemory(Protocol):
    """An encoder or decoder: it says how large one annotation of the memory is."""

    d_memory: int
