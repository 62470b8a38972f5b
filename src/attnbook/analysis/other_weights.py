"""Would other weights have given the same answer? Distances, permuted weights, adversarial weights.

Jain & Wallace 2019, "Attention is not Explanation", https://arxiv.org/abs/1902.10186: their attention
permutation and their adversarial attention, for a reader that says praise or complaint.
"""

from __future__ import annotations

import torch
from torch import Tensor

from attnbook.nn import PooledReader


def total_variation(p: Tensor, q: Tensor) -> Tensor:
    """Half the sum of the absolute differences of two distributions (…, n): from 0 to 1, shape (…)."""
    return (p - q).abs().sum(dim=-1) / 2


def jensen_shannon(p: Tensor, q: Tensor) -> Tensor:
    """Jensen–Shannon divergence of two distributions (…, n), in nats: from 0 to ln 2 = 0.69, shape (…).

    The mean of the two Kullback–Leibler divergences from their average.
    """
    middle = (p + q) / 2

    def divergence(each: Tensor) -> Tensor:
        tiny = torch.finfo(each.dtype).tiny
        return (each * (each.clamp(min=tiny).log() - middle.clamp(min=tiny).log())).sum(dim=-1)

    return (divergence(p) + divergence(q)) / 2


def permuted(weights: Tensor, mask: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """The same weights dealt to the words in another, random order; padding keeps none.

    Parameters
    ----------
    weights : (batch, words)
    mask : (batch, words) of bool
        True for words, which come first.
    generator : torch.Generator, optional

    Returns
    -------
    (batch, words)
    """
    drawn = torch.rand(weights.shape, generator=generator).to(weights.device)
    order = drawn.masked_fill(~mask, 2.0).argsort(dim=1)  # words in random order, then padding
    return weights.gather(1, order) * mask


@torch.no_grad()
def change_when_permuted(
    model: PooledReader, states: Tensor, mask: Tensor, times: int = 100, seed: int = 0
) -> Tensor:
    """How far the probability of praise moves when the weights are permuted: the median of many times.

    Jain & Wallace's attention permutation. For two answers, the total variation distance of the output is the
    absolute difference of the probabilities.

    Returns
    -------
    (batch,), from 0 to 1
    """
    generator = torch.Generator().manual_seed(seed)
    logits, weights = model.read(states, mask)
    moved = [
        (model.read(states, mask, permuted(weights, mask, generator))[0].sigmoid() - logits.sigmoid()).abs()
        for _ in range(times)
    ]
    return torch.stack(moved).median(dim=0).values


def adversarial_weights(
    model: PooledReader, states: Tensor, mask: Tensor, allowed: float = 0.05, steps: int = 200, seed: int = 0
) -> Tensor:
    """For each text apart: weights as unlike the model's own as can be found, with nearly the same answer.

    Jain & Wallace's adversarial attention: maximise the Jensen–Shannon divergence from the model's weights,
    while the output moves by at most ``allowed``. Gradient steps on the logarithms of the
    weights, from random weights, with a penalty for moving further; the best that was met is kept.

    Parameters
    ----------
    model : PooledReader
    states : (batch, words, d_model)
    mask : (batch, words) of bool
    allowed : float
        The largest change of the probability of praise.
    steps, seed : int

    Returns
    -------
    (batch, words)
        The model's own weights where nothing else was found.
    """
    states = states.detach()
    with torch.no_grad():
        logits, own = model.read(states, mask)
        answer = logits.sigmoid()
        best, furthest = own.clone(), torch.zeros_like(answer)
    generator = torch.Generator().manual_seed(seed)
    scores = torch.randn(own.shape, generator=generator).to(own.device).requires_grad_()
    optimiser = torch.optim.Adam([scores], lr=0.1)
    for _ in range(steps):
        weights = torch.softmax(scores.masked_fill(~mask, -torch.inf), dim=1)
        moved = (model.read(states, mask, weights)[0].sigmoid() - answer).abs()
        apart = jensen_shannon(own, weights)
        better = (moved <= allowed) & (apart > furthest)
        best = torch.where(better.unsqueeze(1), weights.detach(), best)
        furthest = torch.where(better, apart.detach(), furthest)
        loss = (20 * (moved - allowed).clamp(min=0) - apart).sum()
        (scores.grad,) = torch.autograd.grad(loss, scores)
        optimiser.step()
    return best
