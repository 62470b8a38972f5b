"""Ring attention: each process holds a piece of the text, and the pieces of keys
and values travel from one process to the next.

Liu, Zaharia & Abbeel 2023, https://arxiv.org/abs/2310.01889. After as many rounds
as there are processes every query has met every key, and no process has held more
than a few pieces at once: its own, one that it passes on and one that arrives. (The
paper's hold two of the keys and values, since they give their own away.) What makes
it exact is that attention over two sets of keys can be merged from the contexts
over each and the logarithms of the sums under their fraction lines:

    z = log(e^{z_1} + e^{z_2})        context = e^{z_1 - z} c_1 + e^{z_2 - z} c_2
"""

from __future__ import annotations

import torch
import torch.distributed as dist
from torch import Tensor

from attnbook.nn import checks
from attnbook.nn.attention import (
    dot_product_scores,
    masked_scores,
    softmax_or_zeros,
)


def partial_attention(
    query: Tensor, key: Tensor, value: Tensor, causal: bool = False
) -> tuple[Tensor, Tensor]:
    """Attention over some of the keys, with what is needed to merge it with others.

    Parameters
    ----------
    query : (…, queries, d_k)
    key : (…, keys, d_k)
    value : (…, keys, d_v)
    causal : bool
        Query i may attend to keys 0 … i only.

    Returns
    -------
    context : (…, queries, d_v)
    log_sum : (…, queries, 1)
        log Σ e^score; minus infinity for a query that may attend to none of these.

    Raises
    ------
    TypeError, ValueError
        If shapes, dtypes or devices do not fit.
    """
    checks.attention_inputs(query, key, value, None)
    scores = masked_scores(dot_product_scores(query, key), causal=causal)
    return softmax_or_zeros(scores) @ value, scores.logsumexp(-1, keepdim=True)


def merged(
    first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]
) -> tuple[Tensor, Tensor]:
    """Attention over both sets of keys, from (context, log_sum) of each.

    Returns
    -------
    context : (…, queries, d_v)
    log_sum : (…, queries, 1)
    """
    (context, log_sum), (other, other_log_sum) = first, second
    total = torch.logaddexp(log_sum, other_log_sum)
    # A query that has met no key yet: minus infinity less itself is no number.
    zero = total == -torch.inf
    safe = total.masked_fill(zero, 0.0)
    context = (log_sum - safe).exp() * context
    return context + (other_log_sum - safe).exp() * other, total


def ring_attention(
    query: Tensor, key: Tensor, value: Tensor, causal: bool = False
) -> Tensor:
    """Attention over a text whose pieces lie in several processes.

    Every process of ``torch.distributed`` calls this with its own piece, and pieces
    are in the order of the ranks and of one length. Outside ``torch.distributed``
    there is one process, and one piece.

    Liu, Zaharia & Abbeel 2023, https://arxiv.org/abs/2310.01889. Forward alone:
    nothing here sends gradients round.

    Parameters
    ----------
    query : (…, piece, d_k)
    key : (…, piece, d_k)
    value : (…, piece, d_v)
    causal : bool
        A query may attend to keys that are not later in the whole text. Pieces that
        lie later are passed on unread.

    Returns
    -------
    context : (…, piece, d_v)
        Of this process's queries over the keys of all. No process ever holds the
        weights, so there are none to return.

    Raises
    ------
    TypeError, ValueError
        If shapes, dtypes or devices do not fit.
    """
    rank, size = 0, 1
    if dist.is_available() and dist.is_initialized():
        rank, size = dist.get_rank(), dist.get_world_size()
    found = partial_attention(query, key, value, causal)  # its own piece
    for round_ in range(1, size):
        key, value = passed_on(key, rank, size), passed_on(value, rank, size)
        holder = (rank - round_) % size  # whose piece has arrived
        if not causal or holder < rank:
            found = merged(found, partial_attention(query, key, value))
    return found[0]


def passed_on(x: Tensor, rank: int, size: int) -> Tensor:
    """Send x to the next process of the ring; return what the one before sent."""
    arrived = torch.empty_like(x)
    sending = dist.isend(x.contiguous(), (rank + 1) % size)
    dist.recv(arrived, (rank - 1) % size)
    if sending is not None:
        sending.wait()
    return arrived


def bytes_sent(key: Tensor, value: Tensor, processes: int) -> int:
    """What one process sends: its keys and values, ``processes - 1`` times."""
    checks.sizes(processes=processes)
    piece = sum(x.numel() * x.element_size() for x in (key, value))
    return (processes - 1) * piece
