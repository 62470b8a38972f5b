"""The model that the sentiment runs train: word vectors, pooled into one, and one line through them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from attnbook import training as training_loop
from attnbook.nn.lookup import AttentionPooling


class PooledClassifier(nn.Module):
    """Word vectors pooled with one query, then a line that separates praise from complaint.

    Parameters
    ----------
    vocab, d_model : int
        Words in the vocabulary; numbers in a word's vector.
    dropout : float
        On the word vectors.
    attends : bool
        False keeps the query at zero for ever: every word then weighs the same.
    spread : float
        Standard deviation of the word vectors before training; torch's own choice is 1.
    """

    def __init__(self, vocab: int, d_model: int, dropout: float, attends: bool, spread: float = 0.1):
        super().__init__()
        self.embedding = nn.Embedding(vocab, d_model, padding_idx=0)
        with torch.no_grad():
            self.embedding.weight.mul_(spread)
        self.dropout = nn.Dropout(dropout)
        self.pooling = AttentionPooling(d_model)
        self.pooling.query.requires_grad_(attends)
        self.output = nn.Linear(d_model, 1)

    def forward(self, word_ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch,), above 0 for praise, and weights (batch, words)."""
        vectors = self.dropout(self.embedding(word_ids))  # (batch, words, d_model)
        context, weights = self.pooling(vectors, vectors, mask)
        return self.output(context).squeeze(-1), weights


@dataclass(frozen=True)
class Labelled:
    """Texts as tensors: word numbers (texts, words), mask (texts, words), labels (texts,) of 0.0 and 1.0."""

    word_ids: Tensor
    mask: Tensor
    labels: Tensor

    def rows(self, chosen: Tensor) -> Labelled:
        """Some of the texts, cut to the longest of them."""
        longest = max(1, int(self.mask[chosen].sum(dim=1).max()))
        return Labelled(self.word_ids[chosen, :longest], self.mask[chosen, :longest], self.labels[chosen])


def fit(
    model: PooledClassifier,
    training: Labelled,
    validation: Labelled,
    *,
    epochs: int,
    batch: int,
    learning_rate: float,
) -> PooledClassifier:
    """Train with Adam, and return the model as it was after the epoch with the lowest validation loss."""
    batches = Shuffled(training, batch)
    training_loop.fit(
        model,
        batches,
        steps=epochs * len(batches),
        loss=classification_loss,
        learning_rate=learning_rate,
        validate=lambda model: evaluate(model, validation)[0],
        validate_every=len(batches),
        keep_best=True,
        **PLAIN,
    )
    return model.eval()


def fit_plainly(
    model: PooledClassifier, training: Labelled, *, steps: int = 300, learning_rate: float = 0.01
) -> PooledClassifier:
    """Train as chapter 2 does: Adam, all examples at every step, no validation."""
    training_loop.fit(
        model, [training], steps=steps, loss=classification_loss, learning_rate=learning_rate, **PLAIN
    )
    return model.eval()


# The caller has seeded; the model is far too small for clipping, mixed precision or a bar.
PLAIN: dict[str, Any] = {"seed": None, "clip": None, "precision": "float32", "progress": False}


class Shuffled:
    """Batches of texts by step: each epoch all of them, in a new random order.

    Parameters
    ----------
    texts : Labelled
    size : int
        Texts a batch; the last of an epoch may have fewer.
    """

    def __init__(self, texts: Labelled, size: int):
        self.texts, self.size = texts, size
        self.order: tuple[Tensor, ...] = ()

    def __len__(self) -> int:
        """Batches an epoch."""
        return math.ceil(len(self.texts.labels) / self.size)

    def __call__(self, step: int) -> Labelled:
        """The batch of this step; steps are asked for one after the other, from 0."""
        place = step % len(self)
        if place == 0:
            order = torch.randperm(len(self.texts.labels)).to(self.texts.labels.device)
            self.order = order.split(self.size)
        return self.texts.rows(self.order[place])


def classification_loss(model: nn.Module, texts: Labelled) -> Tensor:
    """Binary cross-entropy in nats a text."""
    logits, _ = model(texts.word_ids, texts.mask)
    return nn.functional.binary_cross_entropy_with_logits(logits, texts.labels)


@torch.no_grad()
def evaluate(model: nn.Module, texts: Labelled) -> tuple[float, float, Tensor]:
    """Loss, share of right answers, and weights (texts, words)."""
    model.eval()
    logits, weights = model(texts.word_ids, texts.mask)
    loss = nn.functional.binary_cross_entropy_with_logits(logits, texts.labels)
    return loss.item(), ((logits > 0) == (texts.labels > 0)).float().mean().item(), weights
