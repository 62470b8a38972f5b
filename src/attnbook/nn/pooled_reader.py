"""A reader of short texts whose attention can be questioned: word vectors, what
mixes them, one learned query over the states, one line.

    vectors = E[tokens]                         (batch, words, d_model)
    states = mix(vectors)                       (batch, words, d_model)
    weights = softmax(keys query / √d_model)    (batch, words)
    logit = w · Σ_j weights_j states_j + b      (batch,)

The keys are the states themselves, or tanh(W states + b), the hidden layer of Yang
et al. 2016, https://aclanthology.org/N16-1174, equation 5.

The recurrent reader is the kind of model on which "Attention is not Explanation"
(Jain & Wallace 2019, https://arxiv.org/abs/1902.10186) and "Attention is not not
Explanation" (Wiegreffe & Pinter 2019, https://arxiv.org/abs/1908.04626) argued: one
weight for each state, and each state has seen the whole text.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.lookup import AttentionPooling
from attnbook.nn.positions import LearnedPositions
from attnbook.nn.transformer import EncoderLayer

MIXERS = ("none", "recurrent", "attention")


class PooledReader(nn.Module):
    """Says praise or complaint, and shows one weight for each word's state.

    Parameters
    ----------
    vocab : int
        Number of words; 0 is padding.
    mixer : "none", "recurrent" or "attention"
        What a state knows beside its own word: nothing; the text on both sides,
        read by a bidirectional GRU; the whole text, by two pre-norm layers of
        self-attention.
    d_model : int
        Numbers in a word vector and in a state; even.
    score : "dot" or "additive"
        What the query is compared with: the states, or a hidden layer over them.
    start : float
        Standard deviation of the query before training. At 0 all weights begin
        equal.
    attends : bool
        False keeps the query at zero for ever: every word then weighs the same.
    max_length : int
        The longest text, in words, for the positions of self-attention.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, d_model odd, or mixer or score unknown.
    """

    def __init__(
        self,
        vocab: int,
        mixer: str = "recurrent",
        d_model: int = 32,
        score: str = "dot",
        start: float = 0.0,
        attends: bool = True,
        max_length: int = 64,
    ):
        super().__init__()
        checks.sizes(vocab=vocab, max_length=max_length)
        checks.one_of("mixer", mixer, MIXERS)
        checks.one_of("score", score, ("dot", "additive"))
        checks.divides("directions", 2, "d_model", d_model)
        self.vocab, self.mixer, self.d_model = vocab, mixer, d_model
        self.score, self.start = score, start
        self.embedding = nn.Embedding(vocab, d_model, padding_idx=0)
        if mixer == "recurrent":
            self.gru = nn.GRU(
                d_model, d_model // 2, batch_first=True, bidirectional=True
            )
        if mixer == "attention":
            self.positions = LearnedPositions(max_length, d_model)
            self.layers = nn.ModuleList(
                EncoderLayer(d_model, 2, 2 * d_model, dropout=0.0, norm="pre")
                for _ in range(2)
            )
            self.norm = nn.LayerNorm(d_model)
        self.hidden = nn.Linear(d_model, d_model) if score == "additive" else None
        self.pooling = AttentionPooling(d_model)
        if attends:
            nn.init.normal_(self.pooling.query, std=start)
        self.pooling.query.requires_grad_(attends)
        self.output = nn.Linear(d_model, 1)

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch,), above 0 for praise, and weights (batch, words).

        Takes tokens (batch, words) of int and a mask (batch, words) of bool, True
        for words.
        """
        checks.tokens("tokens", tokens, self.vocab, ("batch", "words"))
        checks.padding_mask("mask", mask, tokens, "tokens")
        states, _ = self.mix(self.embedding(tokens), mask)
        return self.read(states, mask)

    def mix(self, vectors: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """From word vectors to states, both (batch, words, d_model).

        Also the weights (batch, n_layers, n_heads, words, words) of self-attention,
        or None where there is none.
        """
        if self.mixer == "recurrent":
            packed = nn.utils.rnn.pack_padded_sequence(
                vectors,
                mask.sum(dim=1).cpu(),
                batch_first=True,
                enforce_sorted=False,
            )
            states, _ = nn.utils.rnn.pad_packed_sequence(
                self.gru(packed)[0], batch_first=True, total_length=vectors.shape[1]
            )
            return states, None
        if self.mixer == "attention":
            x, found = self.positions(vectors), []
            for layer in self.layers:
                x, weights = layer(x, mask.unsqueeze(1))
                found.append(weights)
            return self.norm(x), torch.stack(found, dim=1)
        return vectors, None

    def read(
        self, states: Tensor, mask: Tensor, weights: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """From states to logits (batch,), with the model's own weights or others.

        Parameters
        ----------
        states : (batch, words, d_model)
        mask : (batch, words) of bool
        weights : (batch, words), optional
            Weights to use in place of the model's own.

        Returns
        -------
        logits : (batch,)
        weights : (batch, words)
            Those that were used.
        """
        if weights is None:
            keys = states if self.hidden is None else self.hidden(states).tanh()
            context, used = self.pooling(keys, states, mask)
        else:
            context, used = (weights.unsqueeze(1) @ states).squeeze(1), weights
        return self.output(context).squeeze(-1), used
