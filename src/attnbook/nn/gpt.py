"""GPT: the transformer's decoder without an encoder, which guesses the next token
from those before it.

Radford et al. 2018 and 2019. Layers are pre-norm with GELU, as in GPT-2: causal
self-attention, then the feed-forward network, each with a shortcut. A step keeps
the keys and values of earlier tokens, so each is projected once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.nn import checks, gpt2_weights
from attnbook.nn.multi_head import KVCache
from attnbook.nn.positions import (
    ALiBi,
    LearnedPositions,
    PositionsInAttention,
    RelativePositions,
    RotaryPositions,
    SinusoidalPositions,
)
from attnbook.nn.sampling import sampling_probabilities
from attnbook.nn.transformer import EncoderLayer

POSITIONS = ("learned", "sinusoidal", "rotary", "alibi", "relative", "none")


@dataclass(frozen=True)
class GPTState:
    """What a step hands to the next: one cache a layer, and the number of tokens
    read.
    """

    caches: tuple[KVCache, ...]
    position: int = 0

    def select(self, rows: Tensor) -> GPTState:
        """The state of these rows of the batch, in this order, repeats allowed."""
        return replace(
            self, caches=tuple(cache.select(rows) for cache in self.caches)
        )


class GPT(nn.Module):
    """A decoder-only language model.

    Parameters
    ----------
    vocab : int
        Number of tokens.
    d_model, n_heads, n_layers : int
    max_length : int
        The longest sequence, for learned positions; for relative ones the farthest
        distance with a vector of its own.
    d_ff : int, optional
        4 d_model if left out.
    n_kv_heads : int, optional
        Grouped queries (1: multi-query); n_heads if left out.
    dropout : float
    positions : "learned", "sinusoidal", "rotary", "alibi", "relative" or "none"
    norm : "pre" or "post"
    tied : bool
        The output layer is the embedding turned around.
    """

    def __init__(
        self,
        vocab: int,
        d_model: int,
        n_heads: int,
        n_layers: int,
        max_length: int = 256,
        d_ff: int | None = None,
        n_kv_heads: int | None = None,
        dropout: float = 0.0,
        positions: str = "learned",
        norm: str = "pre",
        tied: bool = True,
    ):
        super().__init__()
        checks.sizes(vocab=vocab, n_layers=n_layers, max_length=max_length)
        checks.divides("n_heads", n_heads, "d_model", d_model)
        checks.one_of("positions", positions, POSITIONS)
        self.vocab, self.d_model = vocab, d_model

        def inside() -> PositionsInAttention | None:
            if positions == "rotary":
                return RotaryPositions(d_model // n_heads)
            if positions == "alibi":
                return ALiBi(n_heads)
            if positions == "relative":
                return RelativePositions(d_model // n_heads, max_length)
            return None

        self.embedding = nn.Embedding(vocab, d_model)
        self.positions = None
        if positions == "learned":
            self.positions = LearnedPositions(max_length, d_model)
        elif positions == "sinusoidal":
            self.positions = SinusoidalPositions(d_model)
        self.layers = nn.ModuleList(
            EncoderLayer(
                d_model,
                n_heads,
                4 * d_model if d_ff is None else d_ff,
                dropout,
                norm,
                "gelu",
                n_kv_heads,
                inside(),
            )
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(d_model) if norm == "pre" else nn.Identity()
        self.output = nn.Linear(d_model, vocab, bias=False)
        self.dropout = nn.Dropout(dropout)
        nn.init.normal_(self.embedding.weight, std=0.02)  # as in GPT-2
        if tied:
            self.output.weight = self.embedding.weight

    @staticmethod
    def from_transformers(model: Any) -> GPT:
        """A copy of a Hugging Face GPT-2, which gives the same logits.

        Parameters
        ----------
        model : transformers.GPT2LMHeadModel

        Returns
        -------
        GPT
            In evaluation mode, without dropout, with weights of its own.

        Raises
        ------
        ValueError
            If the model is of another family, lacks its output layer, or has a part
            that this class does not have.
        """
        configuration: Any = getattr(model, "config", None)
        built = gpt2_weights.arguments(configuration)
        tied = bool(getattr(configuration, "tie_word_embeddings", True))
        copy = GPT(**built, tied=tied)
        weights = gpt2_weights.renamed(model.state_dict(), built["n_layers"])
        copy.load_state_dict(weights)
        activation = gpt2_weights.ACTIVATIONS[configuration.activation_function]
        layers: list[Any] = list(copy.layers)
        for layer in layers:
            layer.feed_forward.activation = activation
        for part in copy.modules():
            if isinstance(part, nn.LayerNorm):
                part.eps = configuration.layer_norm_epsilon
        return copy.to(next(model.parameters())).eval()

    def forward(
        self,
        tokens: Tensor,
        mask: Tensor | None = None,
        *,
        need_weights: bool = False,
    ) -> tuple[Tensor, list[Tensor] | None]:
        """Logits for the token after each token.

        Parameters
        ----------
        tokens : (batch, length) of int
        mask : (batch, length) of bool, optional
            True for real tokens.
        need_weights : bool

        Returns
        -------
        logits : (batch, length, vocab)
        weights : list of (batch, n_heads, length, length), one a layer; or None

        Raises
        ------
        TypeError, ValueError
            If tokens are not of this vocabulary, or are longer than learned
            positions reach, or mask does not fit.
        """
        checks.tokens("tokens", tokens, self.vocab, ("batch", "length"))
        checks.fits_parameters("tokens", tokens, self)
        checks.padding_mask("mask", mask, tokens, "tokens")
        allowed = None if mask is None else mask.unsqueeze(1)  # (batch, 1, keys)
        x = self.embed(tokens)
        weights = []
        for layer in self.layers:
            x, own = layer(x, allowed, causal=True, need_weights=need_weights)
            weights.append(own)
        return self.output(self.norm(x)), weights if need_weights else None

    def start(self) -> GPTState:
        """The state before the first token."""
        return GPTState(tuple(KVCache() for _ in self.layers))

    def step(self, tokens: Tensor, state: GPTState) -> tuple[Tensor, GPTState]:
        """Read some more tokens.

        Parameters
        ----------
        tokens : (batch, new) of int
            A whole prompt, or one token.
        state : GPTState

        Returns
        -------
        logits : (batch, vocab)
            For the token after the last of these.
        state : GPTState
            The next one; the given one is unchanged.

        Raises
        ------
        TypeError, ValueError
            As for the whole sequence at once.
        """
        checks.tokens("tokens", tokens, self.vocab, ("batch", "new"))
        checks.not_empty("tokens", tokens)
        checks.fits_parameters("tokens", tokens, self)
        caches = tuple(cache.copy() for cache in state.caches)
        x = self.embed(tokens, state.position)
        for layer, cache in zip(self.layers, caches, strict=True):
            x, _ = layer(x, causal=True, cache=cache, need_weights=False)
        logits = self.output(self.norm(x[:, -1]))
        return logits, GPTState(caches, state.position + tokens.shape[1])

    @torch.no_grad()
    def generate(
        self,
        tokens: Tensor,
        n_new: int,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        generator: torch.Generator | None = None,
    ) -> Tensor:
        """Write ``n_new`` tokens after ``tokens``.

        Parameters
        ----------
        tokens : (batch, length) of int
            The prompt, at least one token.
        n_new : int
        temperature : float
            What logits are divided by before they become odds; 0 takes the
            likeliest token each time.
        top_k : int, optional
            Draw from the k likeliest only.
        top_p : float, optional
            Draw from the nucleus: the fewest likeliest that together have this
            probability.
        generator : torch.Generator, optional
            Where the random numbers come from.

        Returns
        -------
        (batch, length + n_new) of int
        """
        checks.whole_number("n_new", n_new, least=0)
        logits, state = self.step(tokens, self.start())
        for i in range(n_new):
            odds = sampling_probabilities(logits, temperature, top_k, top_p)
            token = torch.multinomial(odds, 1, generator=generator)
            tokens = torch.cat([tokens, token], dim=1)
            if i + 1 < n_new:
                logits, state = self.step(token, state)
        return tokens

    def embed(self, tokens: Tensor, start: int = 0) -> Tensor:
        """Word vectors, plus positions where they are added: (batch, length,
        d_model).
        """
        x = self.embedding(tokens)
        return self.dropout(
            x if self.positions is None else self.positions(x, start)
        )
