"""The model that the sentiment runs train: word vectors, pooled into one, and one line through them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

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
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(trainable, lr=learning_rate)
    best_loss, best = float("inf"), None
    for _ in range(epochs):
        model.train()
        order = torch.randperm(len(training.labels)).to(training.labels.device)
        for chosen in order.split(batch):
            some = training.rows(chosen)
            logits, _ = model(some.word_ids, some.mask)
            loss = nn.functional.binary_cross_entropy_with_logits(logits, some.labels)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        loss, _, _ = evaluate(model, validation)
        if loss < best_loss:
            best_loss = loss
            best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    model.load_state_dict(best)
    return model.eval()


def fit_plainly(
    model: PooledClassifier, training: Labelled, *, steps: int = 300, learning_rate: float = 0.01
) -> PooledClassifier:
    """Train as chapter 2 does: Adam, all examples at every step, no validation."""
    trainable = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.Adam(trainable, lr=learning_rate)
    model.train()
    for _ in range(steps):
        logits, _ = model(training.word_ids, training.mask)
        loss = nn.functional.binary_cross_entropy_with_logits(logits, training.labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return model.eval()


@torch.no_grad()
def evaluate(model: PooledClassifier, texts: Labelled) -> tuple[float, float, Tensor]:
    """Loss, share of right answers, and weights (texts, words)."""
    model.eval()
    logits, weights = model(texts.word_ids, texts.mask)
    loss = nn.functional.binary_cross_entropy_with_logits(logits, texts.labels)
    return loss.item(), ((logits > 0) == (texts.labels > 0)).float().mean().item(), weights
