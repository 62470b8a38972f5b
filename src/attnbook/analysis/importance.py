"""Which word did the answer come from? Five ways to ask a :class:`attnbook.nn.PooledReader`.

Each returns (batch, words), at least 0, and 0 for padding. The larger the number, the more important the
word, or the word's state. What is asked differs, and this is the point of comparing them:

- :func:`attention_weights` and :func:`rolled_out` read the weights of one forward pass;
- :func:`gradient_times_input` asks for the slope of the answer at each word vector;
- :func:`hidden_words` hides a word, and looks how far the answer moves;
- :func:`patched_states` puts one state of *other* texts into this one, and looks how far the answer moves.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from attnbook.analysis.patch_maps import attention_rollout
from attnbook.nn import PooledReader


@torch.no_grad()
def attention_weights(model: PooledReader, tokens: Tensor, mask: Tensor) -> Tensor:
    """The weight of each word's state: (batch, words)."""
    return model(tokens, mask)[1]


@torch.no_grad()
def rolled_out(model: PooledReader, tokens: Tensor, mask: Tensor) -> Tensor:
    """The weights followed down through the layers of self-attention, by attention roll-out.

    Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928. Without such layers these are the weights.

    Raises
    ------
    ValueError
        For the recurrent reader: no weight says where its states come from.
    """
    if model.mixer == "recurrent":
        raise ValueError("model: a recurrent reader has no weights between its words to roll out")
    states, weights = model.mix(model.embedding(tokens), mask)
    own = model.read(states, mask)[1]
    if weights is None:
        return own
    return (own.unsqueeze(1) @ attention_rollout(weights)).squeeze(1) * mask


def gradient_times_input(model: PooledReader, tokens: Tensor, mask: Tensor) -> Tensor:
    """|∂ logit / ∂ vector · vector| of each word (Shrikumar et al. 2016, https://arxiv.org/abs/1605.01713)."""
    vectors = model.embedding(tokens).detach().requires_grad_()
    states, _ = model.mix(vectors, mask)
    (gradient,) = torch.autograd.grad(model.read(states, mask)[0].sum(), vectors)
    return (gradient * vectors).sum(dim=-1).abs().detach() * mask


@torch.no_grad()
def hidden_words(
    model: PooledReader,
    tokens: Tensor,
    mask: Tensor,
    hidden: int = 1,
) -> Tensor:
    """How far the logit moves when one word is hidden.

    Parameters
    ----------
    model : PooledReader
    tokens : (batch, words) of int
    mask : (batch, words) of bool
    hidden : int
        The token that stands for a hidden word. The model should have met it in training: else it is
        asked about texts of a kind that it has never seen.

    Returns
    -------
    (batch, words)
    """
    whole = model(tokens, mask)[0]
    moved = torch.zeros_like(tokens, dtype=whole.dtype)
    for place in range(tokens.shape[1]):
        changed = tokens.clone()
        changed[:, place] = hidden
        changed = changed.where(mask, tokens)  # padding stays
        moved[:, place] = (model(changed, mask)[0] - whole).abs()
    return moved * mask


@torch.no_grad()
def patched_states(
    model: PooledReader,
    tokens: Tensor,
    mask: Tensor,
    donors: Sequence[tuple[Tensor, Tensor]],
) -> Tensor:
    """How far the logit moves when one word's state is exchanged for a donor's: the mean over the donors.

    A state is what receives a weight, and it may have seen more than its own word. This is activation
    patching (Vig et al. 2020, https://arxiv.org/abs/2004.12265; Meng et al. 2022,
    https://arxiv.org/abs/2202.05262).

    Parameters
    ----------
    model : PooledReader
    tokens : (batch, words) of int
    mask : (batch, words) of bool
    donors : sequence of (tokens, mask), each (batch, any number of words)
        Texts that give their states, one for each text. A shorter one begins again from its first word.

    Returns
    -------
    (batch, words)
    """
    states, _ = model.mix(model.embedding(tokens), mask)
    own = model.read(states, mask)[0]
    moved = torch.zeros_like(states[..., 0])
    for other, other_mask in donors:
        given, _ = model.mix(model.embedding(other), other_mask)
        rows, lengths = torch.arange(len(given)), other_mask.sum(dim=1)
        for place in range(tokens.shape[1]):
            patched = states.clone()
            patched[:, place] = given[rows, place % lengths]
            moved[:, place] += (model.read(patched, mask)[0] - own).abs()
    return moved / len(donors) * mask
