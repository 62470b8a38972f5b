"""Hard attention: draw one position at random, with the weights as the odds, and
look nowhere else.

Xu et al. 2015, "Show, Attend and Tell", section 4.1,
https://arxiv.org/abs/1502.03044. A draw has no derivative, so the scores learn by
an estimator of the gradient; :mod:`attnbook.nn.gradient_estimators` holds them.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.attention import masked_scores, softmax_or_zeros
from attnbook.nn.gradient_estimators import (
    gumbel_noise,
    gumbel_softmax,
    one_hot_of_largest,
    straight_through,
)
from attnbook.nn.protocols import Score

ESTIMATORS = (
    "reinforce",
    "gumbel-softmax",
    "straight-through",
    "gumbel-straight-through",
)


@dataclass(frozen=True)
class Draw:
    """One draw of positions.

    Attributes
    ----------
    probabilities : (…, queries, keys)
        The odds: what soft attention would use as weights.
    log_prob : (…, queries)
        Logarithm of the drawn position's probability; 0 where nothing was drawn, so
        that nothing is learned from it.
    entropy : (…, queries)
        Of the probabilities, in nats.
    """

    probabilities: Tensor
    log_prob: Tensor
    entropy: Tensor


class HardAttention(nn.Module):
    """One position a query: a random one in training, the likeliest one in
    evaluation.

    Parameters
    ----------
    score : torch.nn.Module
        A score from ``attnbook.nn.scores``.
    estimator : str
        How the scores learn. "reinforce" draws, and its loss is up to the caller
        (``take_draws``). "gumbel-softmax" mixes in training: a random mixture that
        is close to a draw. "straight-through" draws, and differentiates the odds;
        "gumbel-straight-through" draws, and differentiates a softmax with the same
        noise.
    temperature : float
        For the two of Gumbel: of the softmax that is differentiated. It does not
        change what "gumbel-straight-through" draws.
    expected : float
        Share of queries that, in training, take the soft weights in place of a draw
        (Xu et al. 2015, section 4.1, use 0.5; they choose once an image, this class
        once a query).

    Attributes
    ----------
    draws : list of Draw
        With "reinforce", one for each training call since ``take_draws()``; the
        loss needs them.
    """

    def __init__(
        self,
        score: Score,
        estimator: str = "reinforce",
        temperature: float = 1.0,
        expected: float = 0.0,
    ):
        super().__init__()
        checks.score_module("score", score)
        checks.one_of("estimator", estimator, ESTIMATORS)
        checks.positive_number("temperature", temperature)
        checks.probability("expected", expected)
        self.score = score
        self.estimator = estimator
        self.temperature = temperature
        self.expected = expected
        self.draws: list[Draw] = []

    def forward(
        self,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        mask: Tensor | None = None,
        *,
        prepared: Tensor | None = None,
        position: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """Draw a key for every query, and return its value.

        Parameters
        ----------
        query : (…, queries, d_query)
        key : (…, keys, d_key)
        value : (…, keys, d_v)
        mask : broadcasts to (…, queries, keys), optional
            True = may be drawn.
        prepared : optional
            ``score.prepare(key)``, if a caller that asks the same keys again and
            again has kept it.
        position : int
            Position of the first query in its sentence. Of no use here; local
            attention needs it.

        Returns
        -------
        context : (…, queries, d_v)
        weights : (…, queries, keys)
            A single 1 in each row; all 0 where everything is masked. In training
            with "gumbel-softmax" or ``expected``, rows that sum to 1.

        Raises
        ------
        TypeError, ValueError
            If an argument is no tensor, or shapes, dtypes, devices or the mask do
            not fit.
        """
        checks.score_attention_inputs(self.score, query, key, value, mask, prepared)
        if prepared is None:
            prepared = self.score.prepare(key)
        # (…, queries, keys)
        scores = masked_scores(self.score.compare(query, prepared), mask)
        probabilities = softmax_or_zeros(scores)
        if not self.training:
            weights = one_hot_of_largest(scores)
            return weights @ value, weights
        if self.estimator == "gumbel-softmax":
            weights = gumbel_softmax(scores, self.temperature)
        else:
            # The largest of scores + noise is a draw with the odds softmax(scores).
            noisy = scores + gumbel_noise(scores)
            weights = one_hot_of_largest(noisy)
        # (…, queries, 1)
        soft_rows = torch.rand_like(weights[..., :1]) < self.expected
        if self.estimator == "straight-through":
            weights = straight_through(weights, probabilities)
        elif self.estimator == "gumbel-straight-through":
            soft = softmax_or_zeros(torch.div(noisy, self.temperature))
            weights = straight_through(weights, soft)
        elif self.estimator == "reinforce":
            self.draws.append(
                describe(scores, probabilities, weights.masked_fill(soft_rows, 0.0))
            )
        weights = torch.where(soft_rows, probabilities, weights)
        return weights @ value, weights

    def take_draws(self) -> list[Draw]:
        """The draws since the last call of this method, oldest first; then forget
        them.
        """
        taken, self.draws = self.draws, []
        return taken


def describe(scores: Tensor, probabilities: Tensor, drawn: Tensor) -> Draw:
    """Log-probability and entropy of a draw, from the scores, their softmax and the
    one-hot draw, all (…, queries, keys).
    """
    # From the scores, since a small probability is 0 in half precision, and its
    # logarithm is not small. Minus infinity times 0 would spoil every parameter:
    # where nothing may be drawn stands 0.
    never = scores == -torch.inf
    nothing = never.all(dim=-1, keepdim=True)
    logs = torch.log_softmax(scores.masked_fill(nothing, 0.0), dim=-1)
    logs = logs.masked_fill(never, 0.0)
    log_prob = (logs * drawn).sum(dim=-1)  # (…, queries)
    return Draw(probabilities, log_prob, -(probabilities * logs).sum(dim=-1))
