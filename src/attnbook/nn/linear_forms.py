"""Two ways to compute linear attention, with the same result: token by token, and
chunk by chunk with matrix products.

Token by token, the state S (d_k, d_v) is what is remembered of the past:

    S ← diag(exp(g_t)) S            forget (gated rules)
    u_t = v_t                       what is written (linear, gated)
    u_t = β_t (v_t - Sᵀ k_t)        … or what is not yet there (delta rules)
    S ← S + k_t u_tᵀ                write
    o_t = Sᵀ q_t                    read

Within a chunk all u_t are found at once. With D(t, j) for what is left at t of
something written at j, and S_0 for the state before the chunk,

    S_t = D(t, 0) S_0 + Σ_{j ≤ t} D(t, j) k_j u_jᵀ

so that the delta rule's u_t depends on the u_j before it alone: one triangular
system, (I + diag(β) tril(K Kᵀ ⊙ D, -1)) U = diag(β) (V - (K ⊙ D(·, 0)) S_0). This
is the WY form of Yang et al. 2024, appendix B, https://arxiv.org/abs/2406.06484,
where the inverse is applied to V and to K apart (their U and W); with decay, Yang,
Kautz & Hatamizadeh 2025, https://arxiv.org/abs/2412.06464. Their S is our Sᵀ.
"""

from __future__ import annotations

import torch
from torch import Tensor

from attnbook.nn.linear_sums import additive_form


def recurrent_form(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    decay: Tensor | None,
    beta: Tensor | None,
    state: Tensor,
) -> tuple[Tensor, Tensor]:
    """One token after the other; the state is the only memory.

    Parameters
    ----------
    query, key : (…, length, d_k)
    value : (…, length, d_v)
    decay : (…, length, d_k) or (…, length, 1), optional
        Logarithm of what is kept of the state.
    beta : (…, length), optional
        How much of the difference is written; with it, the delta rule.
    state : (…, d_k, d_v)

    Returns
    -------
    context : (…, length, d_v)
    state : (…, d_k, d_v)
        After the last token.
    """
    context = []
    for t in range(query.shape[-2]):
        q, k, v = query[..., t, :], key[..., t, :], value[..., t, :]
        if decay is not None:
            state = decay[..., t, :].exp().unsqueeze(-1) * state
        if beta is not None:
            read = (k.unsqueeze(-2) @ state).squeeze(-2)  # Sᵀ k: what is there
            v = beta[..., t, None] * (v - read)
        state = state + k.unsqueeze(-1) * v.unsqueeze(-2)
        context.append(q.unsqueeze(-2) @ state)  # (…, 1, d_v)
    return torch.cat(context, dim=-2), state


def chunked_form(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    decay: Tensor | None,
    beta: Tensor | None,
    state: Tensor,
    size: int,
) -> tuple[Tensor, Tensor]:
    """Chunks of ``size`` tokens, each by matrix products; between them the state.

    Parameters and results are those of :func:`recurrent_form`. The last chunk may
    be shorter. With ``size`` at least the length, this is the parallel form.
    """
    if decay is None and beta is None:
        return additive_form(query, key, value, state, min(size, query.shape[-2]))
    context = []
    for start in range(0, query.shape[-2], size):
        now = slice(start, start + size)
        read, state = chunk(
            query[..., now, :],
            key[..., now, :],
            value[..., now, :],
            None if decay is None else decay[..., now, :],
            None if beta is None else beta[..., now],
            state,
        )
        context.append(read)
    return torch.cat(context, dim=-2), state


def chunk(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    decay: Tensor | None,
    beta: Tensor | None,
    state: Tensor,
) -> tuple[Tensor, Tensor]:
    """All tokens of one chunk at once; parameters as in :func:`recurrent_form`."""
    between = left_between(key, decay)
    read_first, key_first = query, key  # as the state before the chunk sees them
    if decay is not None:
        since_start = decay.cumsum(-2).exp()  # (…, length, d_k or 1)
        read_first, key_first = query * since_start, key * since_start
        kept = since_start[..., -1, :].unsqueeze(-1) * state
    else:
        kept = state
    written = value
    if beta is not None:
        beta = beta.unsqueeze(-1)
        overlap = compared(key, key, between).tril(-1)  # with earlier keys
        written = torch.linalg.solve_triangular(
            beta * overlap,
            beta * (value - key_first @ state),
            upper=False,
            unitriangular=True,  # takes the diagonal as ones: I + …
        )
    context = read_first @ state + compared(query, key, between) @ written
    at_end = key * between[..., -1, :, :]
    return context, kept + at_end.transpose(-2, -1) @ written


def left_between(key: Tensor, decay: Tensor | None) -> Tensor:
    """What is left at token t of something written at token j, 0 where j is later.

    Parameters
    ----------
    key : (…, length, d_k)
    decay : (…, length, d_k) or (…, length, 1), optional

    Returns
    -------
    between : (…, length, length, d_k or 1)
        exp of the sum of decays after j, up to t.
    """
    length = key.shape[-2]
    seen = key.new_ones(length, length).tril().unsqueeze(-1)  # (length, length, 1)
    if decay is None:
        return seen
    # Sums, not differences of sums from the start: these would lose the small
    # decays beside a large one, and be NaN beside one that forgets everything.
    after = key.new_ones(length, length).tril(-1).unsqueeze(-1).bool()
    steps = decay.unsqueeze(-2).expand(*decay.shape[:-1], length, decay.shape[-1])
    sums = steps.masked_fill(~after, 0.0).cumsum(-3)
    return sums.exp() * seen


def compared(query: Tensor, key: Tensor, between: Tensor) -> Tensor:
    """q_tᵀ D(t, j) k_j for all pairs, (…, length, length)."""
    if between.shape[-1] == 1:
        return query @ key.transpose(-2, -1) * between[..., 0]
    return torch.einsum("...td,...jd,...tjd->...tj", query, key, between)
