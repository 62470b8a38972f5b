"""Find a good output, one token at a time: greedy search and beam search.

Both work with any model that offers

- ``model.start(src, src_mask) -> state``: everything needed before the first token;
- ``model.step(token, state) -> (logits, weights, state)``: token (batch,), logits (batch, vocab), weights
  (batch, src) or None;
- ``state.select(rows) -> state``: those rows of the batch (beam search only).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attnbook.data.vocabulary import Vocabulary, pad
from attnbook.training.evaluating import evaluating


@dataclass(frozen=True)
class Hypothesis:
    """One output.

    Attributes
    ----------
    tokens : list of int
        Without <bos> and <eos>.
    log_probability : float
        Sum of the natural logarithms of the tokens' probabilities, <eos> included when it came.
    weights : (tokens, src), or None
        Where the model looked for each token; None without attention.
    finished : bool
        Whether <eos> came before the limit.
    """

    tokens: list[int]
    log_probability: float
    weights: Tensor | None
    finished: bool


def _check(src: Tensor, src_mask: Tensor | None, most: int) -> Tensor:
    if not isinstance(src, Tensor) or src.ndim != 2:
        given = tuple(src.shape) if isinstance(src, Tensor) else type(src).__name__
        raise ValueError(f"src: expected a (batch, src) tensor of token numbers, got {given}")
    if most < 1:
        raise ValueError(f"most: expected at least 1 token, got {most}")
    return torch.ones_like(src, dtype=torch.bool) if src_mask is None else src_mask


@torch.no_grad()
def greedy(
    model,
    src: Tensor,
    src_mask: Tensor | None = None,
    *,
    most: int = 80,
    bos: int = Vocabulary.bos,
    eos: int = Vocabulary.eos,
) -> list[Hypothesis]:
    """Take the likeliest token at each step until <eos>, or until ``most`` tokens.

    Parameters
    ----------
    model
        With ``start`` and ``step`` (see above). Dropout is off during the search.
    src : (batch, src) of int
    src_mask : (batch, src) of bool, optional
        True for real tokens.
    most : int
        Limit for each output.

    Returns
    -------
    list of Hypothesis
        One a sentence.
    """
    mask = _check(src, src_mask, most)
    with evaluating(model):
        state = model.start(src, mask)
        token = torch.full((len(src),), bos, dtype=torch.long, device=src.device)
        done = torch.zeros(len(src), dtype=torch.bool, device=src.device)
        total = torch.zeros(len(src), device=src.device)
        tokens, looks = [], []
        for _ in range(most):
            logits, weights, state = model.step(token, state)
            best, token = logits.log_softmax(dim=-1).max(dim=-1)  # (batch,), (batch,)
            token = token.masked_fill(done, eos)
            total = total + best.masked_fill(done, 0.0)
            tokens.append(token)
            if weights is not None:
                looks.append(weights)
            done = done | (token == eos)
            if done.all():
                break
    written = torch.stack(tokens, dim=1).cpu()  # (batch, steps)
    seen = torch.stack(looks, dim=1).cpu() if looks else None  # (batch, steps, src)
    hypotheses = []
    for row, numbers in enumerate(written.tolist()):
        length = numbers.index(eos) if eos in numbers else len(numbers)
        weights = None if seen is None else seen[row, :length]
        hypotheses.append(Hypothesis(numbers[:length], total[row].item(), weights, eos in numbers))
    return hypotheses


def length_penalty(length: int, alpha: float) -> float:
    """((5 + length) / 6) ** alpha: what a hypothesis's log probability is divided by.

    Wu et al. 2016 (https://arxiv.org/abs/1609.08144), equation 14. With alpha 0 nothing changes, and short
    outputs win because each further token makes a sum of logarithms smaller.
    """
    return ((5 + length) / 6) ** alpha


@torch.no_grad()
def beam(
    model,
    src: Tensor,
    src_mask: Tensor | None = None,
    *,
    width: int = 4,
    alpha: float = 0.6,
    most: int = 80,
    keep: int = 1,
    bos: int = Vocabulary.bos,
    eos: int = Vocabulary.eos,
) -> list[list[Hypothesis]]:
    """Keep the ``width`` best unfinished outputs at each step; return the best finished ones.

    Sentences are searched one after the other, so that each one's beam is easy to follow.

    Parameters
    ----------
    model
        With ``start``, ``step``, and states that have ``select`` (see above). Dropout is off.
    src : (batch, src) of int
    src_mask : (batch, src) of bool, optional
    width : int
        Hypotheses kept at each step; 1 is greedy search.
    alpha : float
        Length normalisation, see :func:`length_penalty`; 0 for none.
    most : int
        Limit for each output.
    keep : int
        Hypotheses returned for each sentence, best first; at most ``width``.

    Returns
    -------
    list of list of Hypothesis
    """
    mask = _check(src, src_mask, most)
    if width < 1 or not 1 <= keep <= width:
        raise ValueError(f"width, keep: expected 1 ≤ keep ≤ width, got width {width} and keep {keep}")
    with evaluating(model):
        options = (width, alpha, most, keep, bos, eos)
        return [_beam_one(model, src[i : i + 1], mask[i : i + 1], *options) for i in range(len(src))]


def _beam_one(model, src, mask, width, alpha, most, keep, bos, eos) -> list[Hypothesis]:
    state = model.start(src, mask)
    token = torch.tensor([bos], device=src.device)
    totals = torch.zeros(1, device=src.device)  # (beams,)
    tokens: list[list[int]] = [[]]
    looks: list[list[Tensor]] = [[]]
    finished: list[tuple[float, Hypothesis]] = []
    for step in range(1, most + 1):
        logits, weights, state = model.step(token, state)
        scores = totals.unsqueeze(1) + logits.log_softmax(dim=-1)  # (beams, vocab)
        # 2·width candidates: at most width of them end here, so at least width go on.
        best, index = scores.flatten().topk(min(2 * width, scores.numel()))
        origins, words = index // scores.shape[1], index % scores.shape[1]
        rows, new_tokens, new_looks, new_totals = [], [], [], []
        for score, origin, word in zip(best.tolist(), origins.tolist(), words.tolist(), strict=True):
            look = looks[origin] + ([weights[origin].cpu()] if weights is not None else [])
            if word == eos:
                if len(rows) < width:  # an end that is itself among the best
                    stacked = torch.stack(look[:-1]) if look[:-1] else None
                    if stacked is None and weights is not None:
                        stacked = weights.new_zeros(0, weights.shape[-1]).cpu()
                    hypothesis = Hypothesis(tokens[origin], score, stacked, True)
                    finished.append((score / length_penalty(step, alpha), hypothesis))
            elif len(rows) < width:
                rows.append(origin)
                new_tokens.append([*tokens[origin], word])
                new_looks.append(look)
                new_totals.append(score)
        finished.sort(key=lambda item: -item[0])
        finished = finished[:keep]
        # Scores only fall. With α ≥ 0 the best that a live hypothesis can still reach is its score over the
        # largest penalty; once the worst kept one beats that, the search is over.
        if len(finished) == keep and new_totals:
            reachable = max(new_totals) / length_penalty(most if alpha > 0 else step, alpha)
            if finished[-1][0] >= reachable:
                break
        tokens, looks = new_tokens, new_looks
        totals = torch.tensor(new_totals, device=src.device)
        state = state.select(torch.tensor(rows, device=src.device))
        token = torch.tensor([row[-1] for row in tokens], device=src.device)
    if len(finished) < keep:  # the limit came first
        for total, row, look in zip(totals.tolist(), tokens, looks, strict=True):
            hypothesis = Hypothesis(row, total, torch.stack(look) if look else None, False)
            finished.append((total / length_penalty(len(row), alpha), hypothesis))
        finished = sorted(finished, key=lambda item: (not item[1].finished, -item[0]))[:keep]
    return [hypothesis for _, hypothesis in finished]


def translate(
    model,
    sentences: Sequence[Sequence[str]],
    src_vocabulary: Vocabulary,
    tgt_vocabulary: Vocabulary,
    *,
    width: int = 1,
    alpha: float = 0.6,
    most: int = 80,
    batch_size: int = 128,
) -> list[tuple[list[str], Tensor | None]]:
    """Words in, words out: each sentence's translation with its (tgt, src) weights, or None.

    ``width`` 1 is greedy search, in batches of sentences of like length; more is beam search.
    """
    device = next(model.parameters()).device
    for i, sentence in enumerate(sentences):
        if len(sentence) == 0:
            raise ValueError(f"sentences: sentence {i} has no words; leave it out")
    order = sorted(range(len(sentences)), key=lambda i: len(sentences[i]))
    answers: list = [None] * len(sentences)
    for start in range(0, len(order), batch_size):
        rows = order[start : start + batch_size]
        src, mask = pad([src_vocabulary.encode(sentences[i]) for i in rows])
        src, mask = src.to(device), mask.to(device)
        if width == 1:
            found = greedy(model, src, mask, most=most)
        else:
            found = [best[0] for best in beam(model, src, mask, width=width, alpha=alpha, most=most)]
        for i, hypothesis in zip(rows, found, strict=True):
            weights = hypothesis.weights
            if weights is not None:
                weights = weights[:, : len(sentences[i])]
            answers[i] = ([tgt_vocabulary.words[number] for number in hypothesis.tokens], weights)
    return answers
