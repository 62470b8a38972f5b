"""Speculative decoding: a cheap model drafts several tokens, the expensive one
checks all of them at once.

Leviathan, Kalman & Matias 2023, https://arxiv.org/abs/2211.17192, algorithm 1. A
drafted token x is accepted with probability min(1, p(x) / q(x)), where p is what
the target model gives it and q what the draft gave. At the first refusal another
token is drawn from max(0, p − q), made to sum to 1. What comes out has the
distribution of the target alone, whatever the draft is: a token x comes from the
draft with probability min(p, q), and from the second draw with max(0, p − q), and
the two add up to p.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from attnbook.serving import checks

# (tokens (length,), n) → (n, vocab): probabilities after each of the last n tokens
Reader = Callable[[Tensor, int], Tensor]


@dataclass(frozen=True)
class Speculation:
    """What was written, and how.

    Attributes
    ----------
    tokens : (length,) of int
        The prompt and what follows.
    accepted : list of int
        Drafted tokens that were accepted in each round.
    n_drafted : int
        Drafted tokens a round.
    """

    tokens: Tensor
    accepted: list[int]
    n_drafted: int

    @property
    def rounds(self) -> int:
        """Calls of the target."""
        return len(self.accepted)


def verify(
    p: Tensor, q: Tensor, drafted: Tensor, generator: torch.Generator | None = None
) -> tuple[int, Tensor]:
    """How many drafted tokens stand, and the token that follows them.

    Parameters
    ----------
    p : (n + 1, vocab)
        The target's probabilities at each drafted token, and after the last.
    q : (n, vocab)
        The draft's.
    drafted : (n,) of int
    generator : torch.Generator, optional

    Returns
    -------
    accepted : int
    token : (1,) of int
        From what the draft gave too little of, at a refusal; else one more from the
        target.
    """
    for i, token in enumerate(drafted):
        chance = torch.rand((), generator=generator)
        if chance * q[i, token] >= p[i, token]:  # refused: chance ≥ p / q
            return i, torch.multinomial(
                residual(p[i], q[i]), 1, generator=generator
            )
    return len(drafted), torch.multinomial(p[-1], 1, generator=generator)


def residual(p: Tensor, q: Tensor) -> Tensor:
    """max(0, p − q), made to sum to 1: (…, vocab). Where p and q are alike to the
    last digit, so that nothing is missing, p.
    """
    missing = (p - q).clamp(min=0)
    total = missing.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, missing / total, p)


@torch.no_grad()
def speculate(
    target: Reader,
    draft: Reader,
    tokens: Tensor,
    n_new: int,
    n_drafted: int = 4,
    generator: torch.Generator | None = None,
    verify: Callable[..., tuple[int, Tensor]] = verify,
) -> Speculation:
    """Write ``n_new`` tokens after ``tokens``, n_drafted + 1 at most in a round.

    Parameters
    ----------
    target, draft : callable
        ``target(tokens, n)`` gives the probabilities after each of the last n
        tokens, (n, vocab), as ``CachedReader`` does.
    tokens : (length,) of int
        At least one.
    n_new : int
    n_drafted : int
    generator : torch.Generator, optional
    verify : callable
        The rule of acceptance; others are for experiments.

    Returns
    -------
    Speculation
        Cut to ``n_new`` new tokens; what the last round wrote beyond them is
        dropped.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or below 1, or there is no token to begin with.
    """
    checks.sizes(n_new=n_new, n_drafted=n_drafted)
    checks.prompt(tokens)
    end, accepted = len(tokens) + n_new, []
    while len(tokens) < end:
        guess, odds = tokens, []
        for _ in range(n_drafted):
            odds.append(draft(guess, 1)[0])
            guess = torch.cat(
                [guess, torch.multinomial(odds[-1], 1, generator=generator)]
            )
        p, drafted = target(guess, n_drafted + 1), guess[len(tokens) :]
        stand, token = verify(p, torch.stack(odds), drafted, generator)
        tokens = torch.cat([tokens, drafted[:stand], token])
        accepted.append(stand)
    return Speculation(tokens[:end], accepted, n_drafted)


def acceptance_rate(p: Tensor, q: Tensor) -> Tensor:
    """The probability that a token drawn from q is accepted, ``Σ min(p, q)``: (…,)
    for (…, vocab).

    Leviathan et al. 2023, section 3.2.
    """
    return torch.minimum(p, q).sum(dim=-1)


def expected_tokens(alpha: float, n_drafted: int) -> float:
    """Tokens that a round writes on average, ``(1 − α^(n + 1)) / (1 − α)``, if each
    drafted token is accepted with probability α whatever the others are.

    Leviathan et al. 2023, equation 1.
    """
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha: expected a probability, from 0 to 1, got {alpha}")
    return float(sum(alpha**i for i in range(n_drafted + 1)))


def speed_up(alpha: float, n_drafted: int, cost: float) -> float:
    """How many times faster than the target alone: tokens of a round over its time,
    ``n · cost + 1``.

    Leviathan et al. 2023, section 3.3. ``cost`` is the time of a draft's step over
    the target's; the formula supposes that the target reads n + 1 tokens in the
    time of one.
    """
    if cost < 0:
        raise ValueError(f"cost: expected at least 0, got {cost}")
    return expected_tokens(alpha, n_drafted) / (n_drafted * cost + 1)
