"""Going on from a state of a GPT, and going back in it."""

from __future__ import annotations

import torch
from torch import Tensor

from attnbook.nn import GPT
from attnbook.nn.gpt import GPTState
from attnbook.serving import checks


def read(model: GPT, tokens: Tensor, state: GPTState) -> tuple[Tensor, GPTState]:
    """Read some more tokens, and keep the logits after each of them (``GPT.step``
    keeps the last).

    Parameters
    ----------
    model : GPT
    tokens : (batch, new) of int
    state : GPTState

    Returns
    -------
    logits : (batch, new, vocab)
    state : GPTState
        The next one; the given one is unchanged.
    """
    caches = tuple(cache.copy() for cache in state.caches)
    x = model.embed(tokens, state.position)
    for layer, cache in zip(model.layers, caches, strict=True):
        x, _ = layer(x, causal=True, cache=cache, need_weights=False)
    return model.output(model.norm(x)), GPTState(
        caches, state.position + tokens.shape[1]
    )


def cropped(state: GPTState, length: int) -> GPTState:
    """The state after the first ``length`` tokens only. Nothing is computed: a
    causal model never lets an earlier token see a later one, so the earlier keys
    and values are what they would be without it.

    Raises
    ------
    ValueError
        If the state has read fewer tokens.
    """
    checks.read_so_far(length, state.position)
    caches = tuple(cache.copy() for cache in state.caches)
    for cache in caches:
        if cache.key is not None and cache.value is not None:
            cache.key, cache.value = (
                cache.key[..., :length, :],
                cache.value[..., :length, :],
            )
            if length == 0:
                cache.key = cache.value = None
    return GPTState(caches, length)


class CachedReader:
    """A GPT as a function from tokens to probabilities that keeps what it has read.

    Called with a sequence that begins like the last one, it reads the new end only;
    where the two part, it goes back to there.

    Parameters
    ----------
    model : GPT
    temperature : float
        What logits are divided by.

    Attributes
    ----------
    calls, tokens_read : int
        How often the model was run, and on how many tokens.
    """

    def __init__(self, model: GPT, temperature: float = 1.0):
        if not temperature > 0:
            raise ValueError(
                f"temperature: expected a number above 0, got {temperature}"
            )
        self.model, self.temperature = model, temperature
        self.state, self.known = model.start(), torch.empty(0, dtype=torch.long)
        self.calls = self.tokens_read = 0

    @torch.no_grad()
    def __call__(self, tokens: Tensor, n: int) -> Tensor:
        """Probabilities of the token after each of the last ``n``: (n, vocab), for
        tokens (length,).
        """
        shared = min(len(self.known), len(tokens))
        differs = (self.known[:shared] != tokens[:shared]).nonzero()
        shared = min(int(differs[0]) if len(differs) else shared, len(tokens) - n)
        logits, self.state = read(
            self.model, tokens[None, shared:], cropped(self.state, shared)
        )
        self.known = tokens.clone()
        self.calls, self.tokens_read = (
            self.calls + 1,
            self.tokens_read + len(tokens) - shared,
        )
        return (logits[0, -n:] / self.temperature).softmax(dim=-1)
