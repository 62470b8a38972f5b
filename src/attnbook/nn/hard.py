"""Hard attention: draw one position at random, with the weights as the odds, and
look nowhere else.

Xu et al. 2015, "Show, Attend and Tell", section 4.1,
https://arxiv.org/abs/1502.03044. A draw has no derivative, so the scores learn in
one of two ways:

- REINFORCE (Williams 1992): make draws that were followed by a good result
  likelier. Unbiased, and noisy; a baseline takes some of the noise away.
- Gumbel straight-through (Jang et al. 2017, https://arxiv.org/abs/1611.01144): draw
  in the forward pass, and differentiate a softmax with the same noise in the
  backward pass. Biased, and much less noisy.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.attention import masked_scores, softmax_or_zeros
from attnbook.nn.protocols import Score


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
    estimator : "reinforce" or "gumbel"
        How the scores learn.
    temperature : float
        For "gumbel": of the softmax that is differentiated. It does not change what
        is drawn.
    expected : float
        Share of queries that, in training, take the soft weights in place of a draw
        (Xu et al. 2015 use 0.5; they choose once an image, this class once a
        query).

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
        checks.one_of("estimator", estimator, ("reinforce", "gumbel"))
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
            A single 1 in each row; all 0 where everything is masked.

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
        # The largest of scores + Gumbel noise is a draw with softmax(scores) as the
        # odds.
        noisy = scores - torch.empty_like(scores).exponential_().log()
        weights = one_hot_of_largest(noisy)
        # (…, queries, 1)
        soft_rows = torch.rand_like(weights[..., :1]) < self.expected
        if self.estimator == "gumbel":
            soft = softmax_or_zeros(noisy / self.temperature)
            # the draw's value, the softmax's gradient
            weights = weights + (soft - soft.detach())
        else:
            self.draws.append(
                describe(probabilities, weights.masked_fill(soft_rows, 0.0))
            )
        weights = torch.where(soft_rows, probabilities, weights)
        return weights @ value, weights

    def take_draws(self) -> list[Draw]:
        """The draws since the last call of this method, oldest first; then forget
        them.
        """
        taken, self.draws = self.draws, []
        return taken


def one_hot_of_largest(scores: Tensor) -> Tensor:
    """1 at each row's largest score, else 0; a row of minus infinities gives zeros.
    (…, queries, keys)
    """
    if scores.shape[-1] == 0:
        return torch.zeros_like(scores)
    largest = torch.zeros_like(scores).scatter(
        -1, scores.argmax(dim=-1, keepdim=True), 1.0
    )
    return largest.masked_fill(
        (scores == -torch.inf).all(dim=-1, keepdim=True), 0.0
    )


def describe(probabilities: Tensor, drawn: Tensor) -> Draw:
    """Log-probability and entropy of a draw, from the odds and the one-hot draw,
    both (…, queries, keys).
    """
    chosen = (probabilities * drawn).sum(dim=-1)  # (…, queries)
    log_prob = torch.where(chosen > 0, chosen, torch.ones_like(chosen)).log()
    # log(0) is minus infinity, and its gradient spoils everything: p log p is 0
    # there for any finite log.
    logs = probabilities.clamp_min(torch.finfo(probabilities.dtype).tiny).log()
    return Draw(probabilities, log_prob, -(probabilities * logs).sum(dim=-1))


def reinforce_loss(
    log_prob: Tensor, reward: Tensor, baseline: Tensor | float = 0.0
) -> Tensor:
    """A number whose gradient is REINFORCE's estimate: the mean of ``−(reward −
    baseline) · log_prob``.

    Xu et al. 2015, section 4.1: the reward is log p(y | draws, image), and λ_r
    times this is added to the usual loss.

    Parameters
    ----------
    log_prob : any shape
        Logarithm of the probability of what was drawn.
    reward, baseline : broadcast to that shape
        No gradient flows into them. A baseline that does not depend on the draw
        leaves the estimate unbiased.

    Raises
    ------
    ValueError
        If the shapes do not broadcast to that of log_prob.
    """
    checks.floating("log_prob", log_prob)
    advantage = torch.as_tensor(
        reward - baseline, dtype=log_prob.dtype, device=log_prob.device
    ).detach()
    checks.broadcasts("reward", advantage, log_prob.shape, "log_prob")
    return -(advantage * log_prob).mean()


class MovingBaseline:
    """The mean reward of late: ``b_k = decay · b_{k−1} + (1 − decay) · reward``; Xu
    et al. 2015 use decay 0.9.

    Parameters
    ----------
    decay : float
        From 0 (the last reward only) to below 1.
    """

    def __init__(self, decay: float = 0.9):
        checks.probability("decay", decay)
        self.decay = decay
        self.value = 0.0
        self.seen = 0

    def update(self, reward: Tensor) -> float:
        """Take in the mean of a batch of rewards; return the new baseline. The
        first call sets it.
        """
        checks.floating("reward", reward)
        mean = float(reward.detach().mean())
        self.value = (
            mean
            if self.seen == 0
            else self.decay * self.value + (1 - self.decay) * mean
        )
        self.seen += 1
        return self.value
