"""The loss that the book's translators are trained with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn


def translation_loss(model: Callable[..., Any], batch: Any, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of the right next word, in nats, over the real target words of a ``Batch``."""
    logits, _ = model(batch.src, batch.tgt[:, :-1], batch.src_mask)  # (batch, tgt - 1, vocab)
    wanted = batch.tgt[:, 1:].masked_fill(~batch.tgt_mask[:, 1:], -100)  # -100: not counted
    return nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), label_smoothing=smoothing)
