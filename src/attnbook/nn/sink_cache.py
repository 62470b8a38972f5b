"""A cache that keeps the first tokens and the latest ones, and forgets the rest.

StreamingLLM, Xiao et al. 2023, https://arxiv.org/abs/2309.17453. What it holds
never grows beyond ``n_first + window`` keys and values a layer, however long the
text. Positions are counted inside the cache: with tokens 0, 1, 2, 3, 6, 7, 8 in it,
the next one stands at position 7. So no distance is larger than the cache is long.
"""

from __future__ import annotations

import torch
from torch import Tensor

from attnbook.nn import checks
from attnbook.nn.positions import RotaryPositions


class SinkCache:
    """Keys and values of the first tokens and of a window: in place of a KVCache.

    A token attends to what the cache holds and to itself; then the oldest one that
    is not among the first goes. Read a text token by token: of several that come at
    once, the later ones see all those before them as well.

    The paper keeps keys as they were before rotation and turns them at every step.
    Here they arrive turned, and are turned back by as many places as were forgotten
    before them, which is the same up to rounding.

    Parameters
    ----------
    n_first : int
        Tokens that are never forgotten; 0 is a window alone.
    window : int
        Latest tokens that are kept.
    rotary : RotaryPositions, optional
        What turned the keys; leave it out where positions are a bias, as with
        ALiBi, or where there are none.

    Attributes
    ----------
    key, value : (batch, n_kv_heads, length, d_head), or None while empty

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, n_first below 0 or window below 1.
    """

    grows = True

    def __init__(
        self, n_first: int, window: int, rotary: RotaryPositions | None = None
    ):
        checks.whole_number("n_first", n_first, least=0)
        checks.whole_number("window", window)
        checks.rotary_or_none("rotary", rotary)
        self.n_first, self.window, self.rotary = n_first, window, rotary
        self.key: Tensor | None = None
        self.value: Tensor | None = None

    @property
    def length(self) -> int:
        """Tokens in the cache, and so the position of the next one."""
        return 0 if self.key is None else self.key.shape[-2]

    def held(self) -> tuple[Tensor, Tensor] | None:
        """Keys and values, or None while there are none."""
        if self.key is None or self.value is None:
            return None
        return self.key, self.value

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Add (batch, n_kv_heads, new, d_head) at the end; return what the new
        tokens may attend to, and forget afterwards.

        Raises
        ------
        ValueError
            If batch, heads or sizes differ from what the cache holds, which then
            stays as it was.
        """
        checks.cache_entry(self.key, key, value)
        if self.key is not None and self.value is not None:
            key = torch.cat([self.key, key], dim=-2)
            value = torch.cat([self.value, value], dim=-2)
        rows = self.survivors(key.shape[-2])
        self.value = value[..., rows.to(value.device), :]
        self.key = self.turned_back(key[..., rows.to(key.device), :], rows)
        return key, value

    def survivors(self, length: int) -> Tensor:
        """Which of ``length`` rows are kept, in order: the first and the latest."""
        rows = torch.arange(length, device="cpu")
        return rows[(rows < self.n_first) | (rows >= length - self.window)]

    def turned_back(self, key: Tensor, rows: Tensor) -> Tensor:
        """Keys that stood at ``rows``, as they are at 0, 1, 2, …"""
        moved = rows - torch.arange(len(rows), device="cpu")
        if self.rotary is None or not moved.any():
            return key
        angle = moved.unsqueeze(-1) * self.rotary.frequencies  # (kept, d_head / 2)
        cos, sin = angle.cos().to(key.dtype), angle.sin().to(key.dtype)
        # to turn back is to turn with -sin
        return self.rotary.turn(key, cos.to(key.device), -sin.to(key.device))

    def copy(self) -> SinkCache:
        """A cache that holds the same tensors; appending to one leaves the other as
        it was.
        """
        twin = SinkCache(self.n_first, self.window, self.rotary)
        twin.key, twin.value = self.key, self.value
        return twin

    def select(self, rows: Tensor) -> SinkCache:
        """A cache of these rows of the batch, in this order, repeats allowed."""
        twin = self.copy()
        if self.key is not None and self.value is not None:
            twin.key = self.key.index_select(0, rows)
            twin.value = self.value.index_select(0, rows)
        return twin
