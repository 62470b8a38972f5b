"""Prompts that begin alike share the keys and values of their beginning."""

from __future__ import annotations

from torch import Tensor

from attnbook.nn import GPT
from attnbook.nn.gpt import GPTState
from attnbook.serving import checks
from attnbook.serving.states import cropped


class PrefixCache:
    """Remembers what it read, in steps of a block, and reads only what is new.

    As in vLLM (Kwon et al. 2023, https://arxiv.org/abs/2309.06180, section 4.4,
    "shared prefix"); a server also forgets what was not used for long, which is
    left out here.

    Parameters
    ----------
    model : GPT
    block_size : int
        Prompts share whole blocks of so many tokens.
    """

    def __init__(self, model: GPT, block_size: int = 16):
        checks.sizes(block_size=block_size)
        self.model, self.block_size = model, block_size
        self.states: dict[tuple[int, ...], GPTState] = {}

    def read(self, tokens: Tensor) -> tuple[Tensor, GPTState, int]:
        """Read a prompt.

        Parameters
        ----------
        tokens : (length,) of int
            At least one.

        Returns
        -------
        logits : (1, vocab)
            For the token after the last.
        state : GPTState
        reused : int
            Tokens that were not read again. The last token always is, since its
            logits are wanted.
        """
        words, size = tuple(tokens.tolist()), self.block_size
        reused = (len(words) - 1) // size * size
        while reused and words[:reused] not in self.states:
            reused -= size
        state = self.model.start()
        if reused:
            state = cropped(self.states[words[:reused]], reused)
        logits, state = self.model.step(tokens[None, reused:], state)
        for end in range(reused + size, len(words) + 1, size):
            self.states[words[:end]] = state
        return logits, state, reused
