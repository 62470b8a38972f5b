"""A draw has no derivative: four ways to learn the odds all the same.

A position k is drawn with the odds α = softmax(scores), and an outcome follows that
depends on it. Wanted is the gradient of the *expected* outcome, J = Σ_k α_k f(k).

- Where all positions can be tried, J itself can be differentiated:
  :func:`expected_outcome`.
- REINFORCE (Williams 1992): ``f(k) ∇ log α_k`` for the k that was drawn. Unbiased;
  a baseline takes noise away: :func:`reinforce_loss`, :class:`MovingBaseline`.
- Gumbel-softmax (Jang et al. 2017, https://arxiv.org/abs/1611.01144; Maddison et
  al. 2017, https://arxiv.org/abs/1611.00712): no draw but a random mixture near
  one, which has a derivative: :func:`gumbel_softmax`.
- Straight-through (Bengio et al. 2013, https://arxiv.org/abs/1308.3432): draw, and
  differentiate as if the draw were α: :func:`straight_through`.
"""

import torch
from torch import Tensor

from attnbook.nn import checks
from attnbook.nn.attention import softmax_or_zeros


def expected_outcome(scores: Tensor, outcomes: Tensor) -> Tensor:
    """``Σ_k α_k f(k)``, from the outcome at every position. Its gradient is exact.

    Parameters
    ----------
    scores : (…, keys)
        −∞ where nothing may be drawn.
    outcomes : (…, keys)
        What would follow from drawing each key.

    Returns
    -------
    (…)

    Raises
    ------
    TypeError, ValueError
        If the shapes differ, or an argument is no floating-point tensor.
    """
    checks.floating("scores", scores)
    checks.floating("outcomes", outcomes)
    checks.same_shape("scores", scores, "outcomes", outcomes)
    return (softmax_or_zeros(scores) * outcomes).sum(dim=-1)


def gumbel_noise(scores: Tensor) -> Tensor:
    """Independent Gumbel noise of the shape of ``scores``: −log(−log u), u uniform.

    The largest of scores + noise is a draw with softmax(scores) as the odds.
    """
    checks.floating("scores", scores)
    return -torch.empty_like(scores).exponential_().log()


def draw_one(scores: Tensor) -> Tensor:
    """One key a row, with softmax(scores) as the odds, as a row of zeros and a one.

    Parameters
    ----------
    scores : (…, keys)
        −∞ where nothing may be drawn; a row of nothing else gives zeros.

    Returns
    -------
    (…, keys)
    """
    checks.floating("scores", scores)
    return one_hot_of_largest(scores.detach() + gumbel_noise(scores))


def one_hot_of_largest(scores: Tensor) -> Tensor:
    """1 at each row's largest score, else 0; a row of minus infinities gives zeros.
    (…, keys)
    """
    if scores.shape[-1] == 0:
        return torch.zeros_like(scores)
    largest = torch.zeros_like(scores).scatter(
        -1, scores.argmax(dim=-1, keepdim=True), 1.0
    )
    return largest.masked_fill(
        (scores == -torch.inf).all(dim=-1, keepdim=True), 0.0
    )


def gumbel_softmax(scores: Tensor, temperature: float = 1.0) -> Tensor:
    """A random mixture: ``softmax((scores + Gumbel noise) / temperature)``.

    As the temperature goes to 0 it becomes a one-hot *draw* with softmax(scores) as
    the odds; it does not become the argmax of the scores.

    Parameters
    ----------
    scores : (…, keys)
        −∞ where nothing may be drawn; a row of nothing else gives zeros.
    temperature : float

    Returns
    -------
    (…, keys)

    Raises
    ------
    TypeError, ValueError
        If the scores are no floating-point tensor, or the temperature is not above
        0.
    """
    checks.floating("scores", scores)
    checks.positive_number("temperature", temperature)
    return softmax_or_zeros((scores + gumbel_noise(scores)) / temperature)


def straight_through(drawn: Tensor, soft: Tensor) -> Tensor:
    """The draw's value and the softmax's gradient.

    Exact on average where the outcome is linear in the weights, biased elsewhere.

    Parameters
    ----------
    drawn, soft : (…, keys)
        A one-hot draw, and what is differentiated in its place.

    Returns
    -------
    (…, keys)
    """
    checks.same_shape("drawn", drawn, "soft", soft)
    return drawn.detach() + (soft - soft.detach())


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
