"""The transformer: attention and a small network in turn, with a shortcut and a
normalisation around each.

Vaswani et al. 2017, https://arxiv.org/abs/1706.03762, figure 1. Sublayers are
joined in one of two ways:

    post-norm:   x = LayerNorm(x + Sublayer(x))
    pre-norm:    x = x + Sublayer(LayerNorm(x))

Post-norm is the paper's; pre-norm is easier to train (Xiong et al. 2020,
https://arxiv.org/abs/2002.04745). There one more LayerNorm follows the last layer,
since nothing else normalises what comes out.

Shapes: x (batch, length, d_model); src (batch, src) and tgt (batch, tgt) are token
numbers; masks of tokens (batch, src) are True for real ones; weights are (batch,
n_heads, queries, keys) a layer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.multi_head import KVCache, MultiHeadAttention
from attnbook.nn.positions import (
    LearnedPositions,
    PositionsInAttention,
    RelativePositions,
    RotaryPositions,
    SinusoidalPositions,
)

POSITIONS = ("sinusoidal", "learned", "relative", "rotary", "none")


class FeedForward(nn.Module):
    """The same small network at every position: ``W_2 max(0, W_1 x + b_1) + b_2``.

    Vaswani et al. 2017, equation 2; ``activation="gelu"`` puts GELU (Hendrycks &
    Gimpel 2016) in place of max(0, ·).

    Parameters
    ----------
    d_model, d_ff : int
        Sizes outside and inside.
    activation : "relu" or "gelu"
    """

    def __init__(self, d_model: int, d_ff: int, activation: str = "relu"):
        super().__init__()
        checks.sizes(d_model=d_model, d_ff=d_ff)
        checks.one_of("activation", activation, ("relu", "gelu"))
        self.W_1 = nn.Linear(d_model, d_ff)
        self.W_2 = nn.Linear(d_ff, d_model)
        self.activation = F.relu if activation == "relu" else F.gelu

    def forward(self, x: Tensor) -> Tensor:
        """(…, d_model) → (…, d_model)."""
        return self.W_2(self.activation(self.W_1(x)))


class EncoderLayer(nn.Module):
    """Self-attention, then the feed-forward network. With ``causal=True`` it is a
    layer of GPT.

    Parameters
    ----------
    d_model, n_heads, d_ff : int
    dropout : float
        Share of each sublayer's output that is set to zero in training, before it
        joins the shortcut (section 5.4).
    norm : "post" or "pre"
    activation : "relu" or "gelu"
    n_kv_heads : int, optional
        As in MultiHeadAttention.
    positions : PositionsInAttention, optional
        As in MultiHeadAttention.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        dropout: float = 0.1,
        norm: str = "post",
        activation: str = "relu",
        n_kv_heads: int | None = None,
        positions: PositionsInAttention | None = None,
    ):
        super().__init__()
        checks.probability("dropout", dropout)
        checks.one_of("norm", norm, ("post", "pre"))
        self.d_model, self.norm = d_model, norm
        self.attention = MultiHeadAttention(
            d_model, n_heads, n_kv_heads, positions=positions
        )
        self.feed_forward = FeedForward(d_model, d_ff, activation)
        self.norm_1, self.norm_2 = nn.LayerNorm(d_model), nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        mask: Tensor | None = None,
        *,
        causal: bool = False,
        cache: KVCache | None = None,
        need_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None]:
        """One layer.

        Parameters
        ----------
        x : (batch, length, d_model) mask : (queries, keys), (batch, queries, keys)
        or (batch, n_heads, queries, keys), optional
            True = may attend.
        causal, cache, need_weights
            As in MultiHeadAttention.

        Returns
        -------
        x : (batch, length, d_model)
        weights : (batch, n_heads, length, keys), or None
        """
        checks.layer_input(x, self.d_model)
        attended = self.norm_1(x) if self.norm == "pre" else x
        attended, weights = self.attention(
            attended,
            mask=mask,
            causal=causal,
            cache=cache,
            need_weights=need_weights,
        )
        x = x + self.dropout(attended)
        if self.norm == "post":
            x = self.norm_1(x)
        x = x + self.dropout(
            self.feed_forward(self.norm_2(x) if self.norm == "pre" else x)
        )
        if self.norm == "post":
            x = self.norm_2(x)
        return x, weights


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to the encoder's output (cross-attention),
    then the feed-forward network.

    Parameters
    ----------
    d_model, n_heads, d_ff, dropout, norm, activation
        As in EncoderLayer.
    positions : PositionsInAttention, optional
        Of self-attention; in cross-attention queries and keys stand in different
        sentences.
    """

    def __init__(
        self,
        d_model: int,
        n_heads: int,
        d_ff: int,
        dropout: float = 0.1,
        norm: str = "post",
        activation: str = "relu",
        positions: PositionsInAttention | None = None,
    ):
        super().__init__()
        checks.probability("dropout", dropout)
        checks.one_of("norm", norm, ("post", "pre"))
        self.d_model, self.norm = d_model, norm
        self.attention = MultiHeadAttention(d_model, n_heads, positions=positions)
        self.cross_attention = MultiHeadAttention(d_model, n_heads)
        self.feed_forward = FeedForward(d_model, d_ff, activation)
        self.norm_1, self.norm_2, self.norm_3 = (
            nn.LayerNorm(d_model) for _ in range(3)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        memory: Tensor,
        mask: Tensor | None = None,
        memory_mask: Tensor | None = None,
        *,
        causal: bool = True,
        caches: tuple[KVCache, KVCache] | None = None,
        need_weights: bool = True,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """One layer.

        Parameters
        ----------
        x : (batch, tgt, d_model)
        memory : (batch, src, d_model)
            The encoder's output.
        mask, memory_mask : as in MultiHeadAttention, optional
            For self-attention (queries and keys from tgt) and cross-attention (keys
            from src). True = may attend.
        causal : bool
            No word sees a later one.
        caches : (KVCache(), KVCache(grows=False)), optional
            Of self-attention and of cross-attention.
        need_weights : bool
            With False, both weights are None, and a faster kernel runs.

        Returns
        -------
        x : (batch, tgt, d_model)
        self_weights : (batch, n_heads, tgt, tgt), or None
        cross_weights : (batch, n_heads, tgt, src), or None
        """
        checks.layer_input(x, self.d_model)
        own, fixed = (None, None) if caches is None else caches
        attended, self_weights = self.attention(
            self.norm_1(x) if self.norm == "pre" else x,
            mask=mask,
            causal=causal,
            cache=own,
            need_weights=need_weights,
        )
        x = x + self.dropout(attended)
        if self.norm == "post":
            x = self.norm_1(x)
        attended, cross_weights = self.cross_attention(
            self.norm_2(x) if self.norm == "pre" else x,
            memory,
            mask=memory_mask,
            cache=fixed,
            need_weights=need_weights,
        )
        x = x + self.dropout(attended)
        if self.norm == "post":
            x = self.norm_2(x)
        x = x + self.dropout(
            self.feed_forward(self.norm_3(x) if self.norm == "pre" else x)
        )
        if self.norm == "post":
            x = self.norm_3(x)
        return x, self_weights, cross_weights


class TransformerWeights(NamedTuple):
    """All weights of one pass, one tensor a layer: lists of (batch, n_heads,
    queries, keys).
    """

    encoder: list[Tensor]
    decoder: list[Tensor]
    cross: list[Tensor]


@dataclass(frozen=True)
class TransformerState:
    """What the decoder carries from one word to the next. Steps return a new one
    and leave the old as it was.

    Attributes
    ----------
    memory : (batch, src, d_model)
    mask : (batch, src) of bool, or None
    caches : one (KVCache, KVCache) a layer
    position : int
        Words written so far.
    """

    memory: Tensor
    mask: Tensor | None
    caches: tuple[tuple[KVCache, KVCache], ...]
    position: int = 0

    def select(self, rows: Tensor) -> TransformerState:
        """The state of these rows of the batch, in this order, repeats allowed:
        what beam search needs.
        """
        return replace(
            self,
            memory=self.memory.index_select(0, rows),
            mask=None if self.mask is None else self.mask.index_select(0, rows),
            caches=tuple(
                (own.select(rows), fixed.select(rows)) for own, fixed in self.caches
            ),
        )


class Transformer(nn.Module):
    """The translator: embeddings and positions, an encoder, a decoder, and logits
    for the next word.

    Vaswani et al. 2017, section 3; the defaults are its base model. Word vectors
    are multiplied with √d_model (3.4).

    Parameters
    ----------
    src_vocab, tgt_vocab : int
        Numbers of tokens.
    d_model, n_heads, n_layers, d_ff : int
        n_layers each in encoder and decoder.
    dropout : float
        In every sublayer, and after the positions have been added.
    norm : "post" or "pre"
    activation : "relu" or "gelu"
    tied : bool
        The output layer is the target embedding turned around (no bias), as in the
        paper.
    shared : bool
        Source and target use one embedding, as in the paper; needs one vocabulary.
    positions : "sinusoidal", "learned", "relative", "rotary" or "none"
        The first two are added to the word vectors; relative (Shaw et al. 2018) and
        rotary ones (Su et al. 2021) act inside the self-attention of every layer.
    max_length : int
        For learned positions: the longest sentence.
    max_distance : int
        For relative positions: the farthest distance with a vector of its own.
    """

    def __init__(
        self,
        src_vocab: int,
        tgt_vocab: int,
        d_model: int = 512,
        n_heads: int = 8,
        n_layers: int = 6,
        d_ff: int = 2048,
        dropout: float = 0.1,
        norm: str = "post",
        activation: str = "relu",
        tied: bool = True,
        shared: bool = False,
        positions: str = "sinusoidal",
        max_length: int = 512,
        max_distance: int = 16,
    ):
        super().__init__()
        checks.sizes(src_vocab=src_vocab, tgt_vocab=tgt_vocab, n_layers=n_layers)
        checks.shared_vocabulary(src_vocab, tgt_vocab, shared)
        checks.one_of("positions", positions, POSITIONS)
        checks.divides("n_heads", n_heads, "d_model", d_model)
        self.src_vocab, self.tgt_vocab, self.d_model = src_vocab, tgt_vocab, d_model
        shape = (d_model, n_heads, d_ff, dropout, norm, activation)

        def inside() -> PositionsInAttention | None:
            if positions == "relative":
                return RelativePositions(d_model // n_heads, max_distance)
            if positions == "rotary":
                return RotaryPositions(d_model // n_heads)
            return None

        self.encoder = nn.ModuleList(
            EncoderLayer(*shape, positions=inside()) for _ in range(n_layers)
        )
        self.decoder = nn.ModuleList(
            DecoderLayer(*shape, positions=inside()) for _ in range(n_layers)
        )
        self.encoder_norm = (
            nn.LayerNorm(d_model) if norm == "pre" else nn.Identity()
        )
        self.decoder_norm = (
            nn.LayerNorm(d_model) if norm == "pre" else nn.Identity()
        )
        self.tgt_embedding = nn.Embedding(tgt_vocab, d_model)
        self.src_embedding = (
            self.tgt_embedding if shared else nn.Embedding(src_vocab, d_model)
        )
        self.output = nn.Linear(d_model, tgt_vocab, bias=not tied)
        self.scheme = positions
        self.positions = None  # what is added to the word vectors
        if positions == "sinusoidal":
            self.positions = SinusoidalPositions(d_model)
        elif positions == "learned":
            self.positions = LearnedPositions(max_length, d_model)
        self.dropout = nn.Dropout(dropout)
        for name, parameter in self.named_parameters():
            if parameter.dim() > 1 and "positions" not in name:
                nn.init.xavier_uniform_(parameter)
        for embedding in (self.src_embedding, self.tgt_embedding):
            nn.init.normal_(embedding.weight, std=d_model**-0.5)
        if tied:
            self.output.weight = self.tgt_embedding.weight

    def forward(
        self,
        src: Tensor,
        tgt: Tensor,
        src_mask: Tensor | None = None,
        tgt_mask: Tensor | None = None,
        *,
        need_weights: bool = False,
    ) -> tuple[Tensor, TransformerWeights | None]:
        """Teacher forcing: logits for the word after each word of ``tgt``.

        Parameters
        ----------
        src : (batch, src) of int
        tgt : (batch, tgt) of int
            Begin-of-sentence, then the right words.
        src_mask, tgt_mask : (batch, src), (batch, tgt) of bool, optional
            True for real tokens. With padding at the end, causal attention never
            sees tgt's padding from a real word, so tgt_mask may be left out.
        need_weights : bool
            With False, weights are None, and a faster kernel runs.

        Returns
        -------
        logits : (batch, tgt, tgt_vocab)
        weights : TransformerWeights, or None
            Row i of the decoder's and the cross weights: where it looked to write
            word i + 1.

        Raises
        ------
        TypeError, ValueError
            If the tokens or a mask do not fit.
        """
        checks.tokens("tgt", tgt, self.tgt_vocab, ("batch", "tgt"))
        checks.fits_parameters("tgt", tgt, self)
        checks.padding_mask("tgt_mask", tgt_mask, tgt, "tgt")
        memory, encoder_weights = self.encode(
            src, src_mask, need_weights=need_weights
        )
        checks.same_batch("src", src, "tgt", tgt)
        x = self.embed(self.tgt_embedding, tgt)
        self_weights, cross_weights = [], []
        for layer in self.decoder:
            x, own, cross = layer(
                x,
                memory,
                for_all_queries(tgt_mask),
                for_all_queries(src_mask),
                need_weights=need_weights,
            )
            self_weights.append(own)
            cross_weights.append(cross)
        logits = self.output(self.decoder_norm(x))
        if not need_weights:
            return logits, None
        weights = (encoder_weights, self_weights, cross_weights)
        return logits, TransformerWeights(*weights)  # pyright: ignore[reportArgumentType]

    def encode(
        self,
        src: Tensor,
        src_mask: Tensor | None = None,
        *,
        need_weights: bool = False,
    ) -> tuple[Tensor, list[Tensor | None]]:
        """The encoder alone: memory (batch, src, d_model); each layer's (batch,
        n_heads, src, src).
        """
        checks.tokens("src", src, self.src_vocab, ("batch", "src"))
        checks.fits_parameters("src", src, self)
        checks.padding_mask("src_mask", src_mask, src, "src")
        x = self.embed(self.src_embedding, src)
        weights = []
        for layer in self.encoder:
            x, own = layer(x, for_all_queries(src_mask), need_weights=need_weights)
            weights.append(own)
        return self.encoder_norm(x), weights

    def start(
        self, src: Tensor, src_mask: Tensor | None = None
    ) -> TransformerState:
        """Read the source; the state before the first target word."""
        memory, _ = self.encode(src, src_mask)
        caches = tuple((KVCache(), KVCache(grows=False)) for _ in self.decoder)
        return TransformerState(memory, src_mask, caches)

    def step(
        self, token: Tensor, state: TransformerState, *, need_weights: bool = True
    ) -> tuple[Tensor, Tensor | None, TransformerState]:
        """One word further, from the keys and values kept so far.

        Parameters
        ----------
        token : (batch,) of int
            The word before; at the first step the begin-of-sentence token.
        state : TransformerState
        need_weights : bool

        Returns
        -------
        logits : (batch, tgt_vocab)
        weights : (batch, src), or None
            Cross-attention of the last layer, the mean of its heads.
        state : TransformerState
            The next one; the given one is unchanged.

        Raises
        ------
        TypeError, ValueError
            If token is not (batch,) of this vocabulary.
        """
        checks.tokens("token", token, self.tgt_vocab, ("batch",))
        checks.fits_parameters("token", token, self)
        checks.same_batch("state", state.memory, "token", token)
        caches = tuple((own.copy(), fixed.copy()) for own, fixed in state.caches)
        # (batch, 1, d_model)
        x = self.embed(self.tgt_embedding, token.unsqueeze(1), state.position)
        for layer, pair in zip(self.decoder, caches, strict=True):
            x, _, weights = layer(
                x,
                state.memory,
                None,
                for_all_queries(state.mask),
                caches=pair,
                need_weights=need_weights,
            )
        logits = self.output(self.decoder_norm(x)).squeeze(1)
        weights = weights.mean(dim=1).squeeze(1) if need_weights else None
        return (
            logits,
            weights,
            replace(state, caches=caches, position=state.position + 1),
        )

    def embed(
        self, embedding: nn.Embedding, tokens: Tensor, start: int = 0
    ) -> Tensor:
        """Word vectors times √d_model, plus positions where they are added: (batch,
        length, d_model).
        """
        x = embedding(tokens) * math.sqrt(self.d_model)
        if self.positions is not None:
            x = self.positions(x, start)
        return self.dropout(x)


def for_all_queries(mask: Tensor | None) -> Tensor | None:
    """A mask of tokens (batch, keys) as a mask of scores (batch, 1, keys)."""
    return None if mask is None else mask.unsqueeze(1)
