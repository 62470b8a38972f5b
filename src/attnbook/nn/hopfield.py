"""Hopfield networks: memories that complete a damaged pattern.

The modern network (Ramsauer et al. 2020, https://arxiv.org/abs/2008.02217,
equations 2 and 3) stores N patterns of d numbers as they are, X = (x_1 … x_N), and
moves a state ξ towards the one it is most like:

    E(ξ) = −lse(β, Xᵀξ) + ½ ξᵀξ + β⁻¹ log N + ½ M²        energy, never below 0
    ξ_new = X softmax(β Xᵀ ξ)                             never raises it

with lse(β, z) = β⁻¹ log Σ_l exp(β z_l), and M the length of the longest pattern.
The update is a soft lookup in which the patterns are keys and values at once.

The classical network (Hopfield 1982, https://doi.org/10.1073/pnas.79.8.2554) keeps
one number for each pair of positions instead, however many patterns of −1 and 1 it
has seen:

    W = Σ_i x_i x_iᵀ / d, diagonal 0                      Hebb's rule
    ξ[l] = sign(Σ_m W[l, m] ξ[m]), one l after the other

With ``rule="pseudo-inverse"`` W projects onto the patterns instead (Personnaz,
Guyon & Dreyfus 1986, https://doi.org/10.1103/PhysRevA.34.4217), and keeps its
diagonal. Patterns stand in rows here: (patterns, d).
"""

from __future__ import annotations

import torch
from torch import Tensor

from attnbook.nn import checks
from attnbook.nn.lookup import soft_lookup

RULES = ("hebb", "pseudo-inverse")


def hopfield_retrieval(
    state: Tensor,
    patterns: Tensor,
    mask: Tensor | None = None,
    beta: float = 1.0,
    steps: int = 1,
) -> tuple[Tensor, Tensor]:
    """Move states towards the patterns they are like: ``ξ ← X softmax(β Xᵀ ξ)``.

    Ramsauer et al. 2020, equation 3.

    Parameters
    ----------
    state : (…, states, d)
    patterns : (…, patterns, d)
    mask : broadcasts to (…, states, patterns), optional
        Boolean, True = may be retrieved.
    beta : float
        The larger, the more of the state comes from the nearest pattern alone.
    steps : int
        Updates; attention makes one.

    Returns
    -------
    state : (…, states, d)
        All 0 where the mask allows no pattern.
    weights : (…, states, patterns)
        Those of the last step.

    Raises
    ------
    TypeError, ValueError
        If shapes, dtypes, devices, mask, beta or steps do not fit; the sentence
        names the argument.
    """
    checks.hopfield_inputs(state, patterns)
    checks.temperature("beta", beta)
    checks.whole_number("steps", steps)
    for _ in range(steps):
        state, weights = soft_lookup(state, patterns, patterns, mask, 1 / beta)
    return state, weights


def hopfield_energy(state: Tensor, patterns: Tensor, beta: float = 1.0) -> Tensor:
    """The energy of each state, which no step of :func:`hopfield_retrieval` raises.

    Ramsauer et al. 2020, equation 2.

    Parameters
    ----------
    state : (…, states, d)
    patterns : (…, patterns, d)
        At least one.
    beta : float

    Returns
    -------
    (…, states)
        At least 0.

    Raises
    ------
    TypeError, ValueError
        If shapes, dtypes, devices or beta do not fit, or there is no pattern.
    """
    checks.hopfield_inputs(state, patterns)
    checks.temperature("beta", beta)
    scores = beta * state @ patterns.transpose(-2, -1)  # (…, states, patterns)
    # the mean of the exponentials, not their sum: that is the term β⁻¹ log N
    largest = scores.amax(dim=-1, keepdim=True)
    mean = torch.exp(scores - largest).mean(dim=-1)
    lse = (largest.squeeze(-1) + mean.log()) / beta
    longest = patterns.square().sum(dim=-1).amax(dim=-1, keepdim=True)  # M²
    return state.square().sum(dim=-1) / 2 + longest / 2 - lse


def hopfield_weights(patterns: Tensor, rule: str = "hebb") -> Tensor:
    """The classical network's connections, one for each pair of positions.

    Parameters
    ----------
    patterns : (patterns, d)
        Of −1 and 1.
    rule : "hebb" or "pseudo-inverse"

    Returns
    -------
    (d, d)
        Symmetric; Hebb's has a diagonal of 0, the pseudo-inverse keeps its own.

    Raises
    ------
    TypeError, ValueError
        If patterns is no matrix of floating-point numbers, holds other numbers than
        −1 and 1, or the rule is unknown.
    """
    checks.signs("patterns", patterns, ("patterns", "d"))
    checks.one_of("rule", rule, RULES)
    if rule == "pseudo-inverse":
        return torch.linalg.pinv(patterns) @ patterns
    weights = patterns.T @ patterns / patterns.shape[-1]
    return weights - torch.diag(weights.diagonal())


def classical_retrieval(state: Tensor, weights: Tensor, sweeps: int = 10) -> Tensor:
    """Set one position after the other to the sign of what the others say.

    One at a time, so that the energy ``−½ ξᵀ W ξ`` never rises. A position stays as
    it is where the others say exactly 0.

    Parameters
    ----------
    state : (…, d)
        Of −1 and 1.
    weights : (d, d)
        From :func:`hopfield_weights`.
    sweeps : int
        How often each position has its turn, at most: it ends when none changes.

    Returns
    -------
    (…, d)
        Of −1 and 1.

    Raises
    ------
    TypeError, ValueError
        If the shapes do not fit, state holds other numbers than −1 and 1, or sweeps
        is no whole number of at least 1.
    """
    checks.connections("weights", weights, state)
    checks.signs("state", state)
    checks.whole_number("sweeps", sweeps)
    state = state.clone()
    for _ in range(sweeps):
        before = state.clone()
        for place in range(state.shape[-1]):
            said = state @ weights[place]  # (…,)
            state[..., place] = torch.where(
                said == 0, state[..., place], said.sign()
            )
        if torch.equal(state, before):
            break
    return state
