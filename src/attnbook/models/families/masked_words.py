"""Models that name hidden words: layers of heads and nothing besides."""

from __future__ import annotations

from collections.abc import Callable

import torch

from attnbook import nn


def masked_words(
    n_words: int, *, d_model: int, n_heads: int, n_layers: int, max_length: int
) -> nn.MaskedWordModel:
    """``nn.MaskedWordModel`` over a vocabulary of ``n_words`` tokens."""
    return nn.MaskedWordModel(n_words, d_model, n_heads, n_layers, max_length)


ARCHITECTURES: dict[str, Callable[..., torch.nn.Module]] = {"masked_words": masked_words}
