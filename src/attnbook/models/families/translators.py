"""Translators: recurrent ones, with attention or a fixed vector, and the transformer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from attnbook import nn

ATTENTIONS = ("none", "additive", "dot", "general", "concat", "location")
QUERIES = ("previous", "previous-word", "current")
ALIGNMENTS = {"global": None, "local-m": "monotonic", "local-p": "predictive"}


class WordQueryDecoder(nn.GRUDecoder):
    """Bahdanau's order, with the last word in the query: attention is asked with [s_{i−1}; E y_{i−1}].

    The papers' query s_{i−1} was computed before the word y_{i−1} was chosen and does not know it.
    """

    def advance(self, word: Tensor, state: nn.DecoderState) -> tuple[Tensor, Tensor | None, nn.DecoderState]:
        """One step: as GRUDecoder's with ``query="previous"``, but for the query."""
        context, weights = self.look(torch.cat([state.hidden[0], word], dim=-1), state)
        hidden = self.update(torch.cat([word, context], dim=-1), state.hidden)
        pairs = self.deep(torch.cat([hidden[0], word, context], dim=-1))  # (batch, 2 d_hidden)
        features = pairs.unflatten(-1, (-1, 2)).amax(dim=-1)  # maxout: (batch, d_hidden)
        return features, weights, replace(state, hidden=hidden, position=state.position + 1)


class AllAtOnceDecoder(nn.GRUDecoder):
    """Luong's order without input feeding, trained in one pass: the same numbers, several times faster.

    There s_t depends on the words alone and not on what was attended to, so with the right words given all
    states come from one call of ``torch.nn.GRU``, and all queries are asked at once.
    """

    def forward(self, tgt: Tensor, state: nn.DecoderState) -> tuple[Tensor, Tensor | None]:
        """As ``GRUDecoder.forward``: logits (batch, tgt, vocab), weights (batch, tgt, src)."""
        if self.attention is None or self.input_feeding or self.query != "current":
            return super().forward(tgt, state)
        words = self.dropout(self.embedding(tgt))  # (batch, tgt, d_embed)
        cell = self.rnn
        hidden, _ = torch.gru(
            words,
            state.hidden[0].unsqueeze(0),
            (cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh),
            has_biases=True, num_layers=1, dropout=0.0, train=False, bidirectional=False, batch_first=True,
        )  # fmt: skip
        context, weights = self.attention(
            hidden, state.memory, state.memory, state.mask.unsqueeze(1),
            prepared=state.prepared, position=state.position,
        )  # fmt: skip
        features = torch.tanh(self.deep(torch.cat([context, hidden], dim=-1)))
        return self.output(self.dropout(features)), weights


def recurrent(
    n_src: int,
    n_tgt: int,
    *,
    attention: str = "additive",
    unit: str = "gru",
    query: str = "previous",
    alignment: str = "global",
    window: int = 4,
    input_feeding: bool = False,
    hidden: int = 128,
    longest: int = 20,
    dropout: float = 0.0,
    identity: bool = False,
) -> nn.Seq2Seq:
    """A bidirectional encoder of 2 × ``hidden`` numbers and a decoder of 2 · ``hidden``.

    Word vectors, and the hidden layer inside additive and concat scores, have ``hidden`` numbers. The
    decoder is as wide as the memory for every score, because the dot product needs that.

    Parameters
    ----------
    n_src, n_tgt : int
        Sizes of the vocabularies.
    attention : str
        One of ``ATTENTIONS``; "none" for one fixed vector.
    unit : "gru" or "lstm"
    query : "previous", "previous-word" or "current"
        The state before the update (Bahdanau), that state and the last word, or the state after it (Luong).
    alignment : "global", "local-m" or "local-p"
    window : int
        D of local alignments: half the width of the window.
    input_feeding : bool
        With ``query="current"``.
    hidden, longest : int
        ``longest`` is the number of positions that a location score knows.
    dropout : float
    identity : bool
        With general attention: W_a starts as the identity, so that the first scores are those of dot.

    Raises
    ------
    ValueError
        If a name is unknown, or two choices do not go together.
    """
    named = {"attention": (attention, ATTENTIONS), "unit": (unit, ("gru", "lstm")),
             "query": (query, QUERIES), "alignment": (alignment, tuple(ALIGNMENTS))}  # fmt: skip
    for name, (value, choices) in named.items():
        if value not in choices:
            raise ValueError(f"{name}: expected one of {', '.join(choices)}, got {value!r}")
    if attention == "none" and alignment != "global":
        raise ValueError(f"alignment: {alignment} needs an attention; name one")
    if identity and (attention != "general" or query == "previous-word"):
        raise ValueError(
            f"identity: goes with general attention and query previous or current, got {attention} "
            f"and {query}"
        )
    if query == "previous-word" and (attention not in ("additive", "general", "concat") or unit == "lstm"):
        raise ValueError(
            f"query: previous-word makes the query longer than the memory; it goes with a GRU and with "
            f"additive, general or concat attention, got unit {unit} and attention {attention}"
        )
    encoder, decoder = {
        "gru": (nn.GRUEncoder, AllAtOnceDecoder),
        "lstm": (nn.LSTMEncoder, nn.LSTMDecoder),
    }[unit]
    reader = encoder(n_src, hidden, hidden, bidirectional=True, dropout=dropout)
    width = reader.d_memory
    d_query = width + (hidden if query == "previous-word" else 0)
    score: Any = {
        "none": lambda: None,
        "additive": lambda: nn.AdditiveScore(d_query, width, hidden),
        "dot": nn.DotScore,
        "general": lambda: nn.GeneralScore(d_query, width),
        "concat": lambda: nn.ConcatScore(d_query, width, hidden),
        # It has one row a place, so places beyond the longest training sentence cannot be looked at.
        "location": lambda: nn.LocationScore(width, longest),
    }[attention]()
    if identity:
        torch.nn.init.eye_(score.W.weight)
    if alignment != "global":
        score = nn.LocalAttention(score, window, ALIGNMENTS[alignment], d_query=d_query)
    options: dict[str, Any] = {"input_feeding": input_feeding, "dropout": dropout}
    if query == "previous-word":
        decoder = WordQueryDecoder
    else:
        options["query"] = query
    return nn.Seq2Seq(reader, decoder(n_tgt, hidden, width, width, score, **options))


def transformer(n_src: int, n_tgt: int, **configuration: Any) -> nn.Transformer:
    """``nn.Transformer`` for vocabularies of these sizes."""
    return nn.Transformer(n_src, n_tgt, **configuration)


ARCHITECTURES: dict[str, Callable[..., torch.nn.Module]] = {
    "recurrent": recurrent,
    "transformer": transformer,
}
