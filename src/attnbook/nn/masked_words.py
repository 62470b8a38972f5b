"""A small model that names hidden words: what the heads of chapter 8 learn on, and
nothing besides heads.

Word vectors and learned positions go through layers of multi-head attention, each
of which adds its answer to what the word already holds. The task is that of Devlin
et al. 2019, https://arxiv.org/abs/1810.04805, section 3.1 ("masked LM"), without
their feed-forward layers and normalisation, which chapter 10 adds.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.multi_head import PlainMultiHeadAttention
from attnbook.nn.positions import LearnedPositions


class MaskedWordModel(nn.Module):
    """Layers of heads between an embedding and an output layer.

    Parameters
    ----------
    vocab : int
        Number of tokens, the one that stands for a hidden word included.
    d_model, n_heads, n_layers : int
        n_heads divides d_model.
    max_length : int
        Longest sentence, the start marker included.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, below 1, or does not divide.
    """

    def __init__(
        self, vocab: int, d_model: int, n_heads: int, n_layers: int, max_length: int
    ):
        super().__init__()
        checks.sizes(vocab=vocab, n_layers=n_layers, max_length=max_length)
        checks.divides("n_heads", n_heads, "d_model", d_model)
        self.embedding = nn.Embedding(vocab, d_model)
        # as long as the positions' vectors
        nn.init.normal_(self.embedding.weight, std=d_model**-0.5)
        self.positions = LearnedPositions(max_length, d_model)
        self.layers = nn.ModuleList(
            PlainMultiHeadAttention(d_model, n_heads) for _ in range(n_layers)
        )
        self.output = nn.Linear(d_model, vocab)

    def forward(
        self, tokens: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """tokens (batch, length) of int, mask (batch, length), True = a word.

        Returns
        -------
        logits : (batch, length, vocab)
            For each place, a score for each word that could stand there.
        weights : (batch, n_layers, n_heads, length, length)
        """
        x, weights = self.read(tokens, mask)
        return self.output(x), weights

    def read(
        self, tokens: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """What each place holds after the last layer, (batch, length, d_model), and
        the weights.
        """
        x = self.positions(self.embedding(tokens))  # (batch, length, d_model)
        allowed = None if mask is None else mask.unsqueeze(1)  # (batch, 1, length)
        weights = []
        for layer in self.layers:
            context, looked = layer(x, mask=allowed)
            # each word keeps what it had, and adds what the heads found
            x = x + context
            weights.append(looked)
        return x, torch.stack(weights, dim=1)
