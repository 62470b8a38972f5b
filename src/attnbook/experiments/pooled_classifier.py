"""The model that the sentiment runs train: word vectors, pooled into one, and one line through them.

A step of so small a model is spent in starting operations, not in arithmetic. So all models of a grid are
trained at once: :func:`fit_together` stacks their parameters, and each operation works on all of them.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attnbook.nn.lookup import AttentionPooling

BETAS, EPSILON = (0.9, 0.999), 1e-8  # Adam's, as torch.optim.Adam has them


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


def fit_together(
    models: Sequence[PooledClassifier],
    rates: Sequence[float],
    training: Labelled,
    validation: Labelled,
    *,
    steps: int,
    every: int,
    batch: int,
) -> list[int]:
    """Train each model with Adam at its own rate; leave it as it was where its validation loss was lowest.

    Parameters
    ----------
    models : sequence of PooledClassifier
        Alike in vocabulary, size and dropout. All see the same batches.
    rates : sequence of float
        One learning rate a model.
    training, validation : Labelled
    steps, every : int
        How many steps, and after how many each validation.
    batch : int
        Texts a step.

    Returns
    -------
    list of int
        For each model, after how many steps its validation loss was lowest.
    """
    skeleton = copy.deepcopy(models[0])
    stacked = [dict(model.named_parameters()) for model in models]
    learns = {name: torch.tensor([each[name].requires_grad for each in stacked]) for name in stacked[0]}
    values = {
        name: torch.stack([each[name].detach() for each in stacked]).requires_grad_() for name in stacked[0]
    }
    first = {name: torch.zeros_like(value) for name, value in values.items()}
    second = {name: torch.zeros_like(value) for name, value in values.items()}
    best = {name: value.detach().clone() for name, value in values.items()}
    lowest, best_step = [math.inf] * len(models), [0] * len(models)
    batches = Shuffled(training, batch)

    def losses(texts: Labelled) -> Tensor:
        def loss(parameters: dict[str, Tensor]) -> Tensor:
            inputs = (texts.word_ids, texts.mask)
            logits, _ = torch.func.functional_call(skeleton, parameters, inputs)
            return nn.functional.binary_cross_entropy_with_logits(logits, texts.labels)

        return torch.vmap(loss, randomness="different")(values)

    for step in range(1, steps + 1):
        skeleton.train()
        gradients = torch.autograd.grad(losses(batches(step - 1)).sum(), list(values.values()))
        with torch.no_grad():
            for (name, value), gradient in zip(values.items(), gradients, strict=True):
                rate = torch.tensor(rates, device=value.device) * learns[name].to(value.device)
                first[name].lerp_(gradient, 1 - BETAS[0])
                second[name].mul_(BETAS[1]).addcmul_(gradient, gradient, value=1 - BETAS[1])
                spread = (second[name] / (1 - BETAS[1] ** step)).sqrt_().add_(EPSILON)
                shape = (-1, *[1] * (value.ndim - 1))
                value -= (rate / (1 - BETAS[0] ** step)).view(shape) * first[name] / spread
        if step % every and step < steps:
            continue
        skeleton.eval()
        with torch.no_grad():
            for row, number in enumerate(losses(validation).tolist()):
                if number < lowest[row]:
                    lowest[row], best_step[row] = number, step
                    for name, value in values.items():
                        best[name][row] = value[row]
    for row, model in enumerate(models):
        model.load_state_dict({name: value[row] for name, value in best.items()})
        model.eval()
    return best_step


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


@torch.no_grad()
def evaluate(model: nn.Module, texts: Labelled) -> tuple[float, Tensor, Tensor]:
    """Loss, which answers are right (texts,), and weights (texts, words)."""
    model.eval()
    logits, weights = model(texts.word_ids, texts.mask)
    loss = nn.functional.binary_cross_entropy_with_logits(logits, texts.labels)
    return loss.item(), (logits > 0) == (texts.labels > 0), weights
