"""BERT: the transformer's encoder alone, which names hidden tokens with both sides
in view.

Devlin et al. 2019, https://arxiv.org/abs/1810.04805. A token's row begins as the
sum of three learned vectors, for the token, its position and its segment; layers
are post-norm with GELU. What each row holds at the end is scored against every
token's embedding.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.positions import LearnedPositions
from attnbook.nn.transformer import EncoderLayer


class BERT(nn.Module):
    """An encoder-only model of hidden tokens.

    Parameters
    ----------
    vocab : int
        Number of tokens, the one that stands for a hidden token included.
    d_model, n_heads, n_layers : int
    max_length : int
    d_ff : int, optional
        4 d_model if left out.
    dropout : float
    segments : int
        How many kinds of text stand in one input: BERT has two, a first and a
        second sentence.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, below 1, or does not divide.
    """

    def __init__(
        self,
        vocab: int,
        d_model: int,
        n_heads: int,
        n_layers: int,
        max_length: int = 512,
        d_ff: int | None = None,
        dropout: float = 0.1,
        segments: int = 2,
    ):
        super().__init__()
        checks.sizes(
            vocab=vocab,
            n_layers=n_layers,
            max_length=max_length,
            segments=segments,
        )
        checks.divides("n_heads", n_heads, "d_model", d_model)
        self.vocab, self.d_model, self.segments = vocab, d_model, segments
        self.embedding = nn.Embedding(vocab, d_model)
        self.segment = nn.Embedding(segments, d_model)
        for table in (self.embedding, self.segment):
            nn.init.normal_(table.weight, std=0.02)  # as in the paper's code
        self.positions = LearnedPositions(max_length, d_model)
        self.norm = nn.LayerNorm(d_model)
        self.dropout = nn.Dropout(dropout)
        d_ff = 4 * d_model if d_ff is None else d_ff
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff, dropout, "post", "gelu")
            for _ in range(n_layers)
        )
        # Before the scores: one more layer, which fine-tuning throws away.
        self.before_output = nn.Sequential(
            nn.Linear(d_model, d_model), nn.GELU(), nn.LayerNorm(d_model)
        )
        self.output = nn.Linear(d_model, vocab)
        self.output.weight = self.embedding.weight  # tied

    def read(
        self,
        tokens: Tensor,
        mask: Tensor | None = None,
        segments: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """What each row holds after the last layer: what fine-tuning builds on.

        Parameters
        ----------
        tokens : (batch, length) of int
        mask : (batch, length) of bool, optional
            True for real tokens.
        segments : (batch, length) of int, optional
            The kind of text that each token belongs to; all 0 if left out.

        Returns
        -------
        x : (batch, length, d_model)
        weights : (batch, n_layers, n_heads, length, length)

        Raises
        ------
        TypeError, ValueError
            If tokens or segments are not of their vocabulary, too long, or mask
            does not fit.
        """
        checks.tokens("tokens", tokens, self.vocab, ("batch", "length"))
        checks.fits_parameters("tokens", tokens, self)
        checks.padding_mask("mask", mask, tokens, "tokens")
        if segments is None:
            segments = torch.zeros_like(tokens)
        checks.tokens("segments", segments, self.segments, ("batch", "length"))
        if segments.shape != tokens.shape:
            raise ValueError(
                f"segments: expected the shape of tokens, {tuple(tokens.shape)}, "
                f"got {tuple(segments.shape)}"
            )
        allowed = None if mask is None else mask.unsqueeze(1)  # (batch, 1, keys)
        x = self.positions(self.embedding(tokens)) + self.segment(segments)
        x = self.dropout(self.norm(x))  # (batch, length, d_model)
        weights = []
        for layer in self.layers:
            x, found = layer(x, allowed)
            weights.append(found)
        return x, torch.stack(weights, dim=1)

    def forward(
        self,
        tokens: Tensor,
        mask: Tensor | None = None,
        segments: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Scores for what could stand at each place.

        Parameters
        ----------
        tokens, mask, segments
            As in ``read``.

        Returns
        -------
        logits : (batch, length, vocab)
        weights : (batch, n_layers, n_heads, length, length)
        """
        x, weights = self.read(tokens, mask, segments)
        return self.output(self.before_output(x)), weights

    @staticmethod
    def from_transformers(model: Any) -> BERT:
        """A copy of a Hugging Face BERT, which gives the same logits.

        Parameters
        ----------
        model : transformers.BertForMaskedLM

        Returns
        -------
        BERT
            In evaluation mode, with weights of its own.

        Raises
        ------
        ValueError
            If the model is of another family, lacks its output layer, or has a part
            that this class does not have.
        """
        configuration: Any = getattr(model, "config", None)
        weights = model.state_dict() if hasattr(model, "state_dict") else {}
        kind = getattr(configuration, "model_type", type(model).__name__)
        if kind != "bert" or "cls.predictions.decoder.weight" not in weights:
            raise ValueError(
                "model: expected a BERT with its output layer (BertForMaskedLM), "
                f"got {type(model).__name__}"
            )
        if configuration.hidden_act != "gelu":
            raise ValueError(
                "model: expected the activation gelu, "
                f"got {configuration.hidden_act}; this class has no other"
            )
        copy = BERT(
            configuration.vocab_size,
            configuration.hidden_size,
            configuration.num_attention_heads,
            configuration.num_hidden_layers,
            configuration.max_position_embeddings,
            configuration.intermediate_size,
            configuration.hidden_dropout_prob,
            configuration.type_vocab_size,
        )
        copy.load_state_dict(_renamed(weights, configuration.num_hidden_layers))
        for part in copy.modules():
            if isinstance(part, nn.LayerNorm):
                part.eps = configuration.layer_norm_eps
        return copy.to(next(model.parameters())).eval()


def _renamed(weights: Mapping[str, Tensor], n_layers: int) -> dict[str, Tensor]:
    """Hugging Face's weights under the names of BERT."""
    names = {
        "segment": "bert.embeddings.token_type_embeddings",
        "norm": "bert.embeddings.LayerNorm",
        "before_output.0": "cls.predictions.transform.dense",
        "before_output.2": "cls.predictions.transform.LayerNorm",
        "output": "cls.predictions.decoder",
    }
    for number in range(n_layers):
        theirs, ours = f"bert.encoder.layer.{number}.", f"layers.{number}."
        for name, part in {
            "attention.W_q": "attention.self.query",
            "attention.W_k": "attention.self.key",
            "attention.W_v": "attention.self.value",
            "attention.W_o": "attention.output.dense",
            "norm_1": "attention.output.LayerNorm",
            "feed_forward.W_1": "intermediate.dense",
            "feed_forward.W_2": "output.dense",
            "norm_2": "output.LayerNorm",
        }.items():
            names[ours + name] = theirs + part
    embeddings = "bert.embeddings."
    found = {
        "embedding.weight": weights[f"{embeddings}word_embeddings.weight"],
        "positions.table": weights[f"{embeddings}position_embeddings.weight"],
    }
    for ours, theirs in names.items():
        for part in ("weight", "bias"):
            if f"{theirs}.{part}" in weights:
                found[f"{ours}.{part}"] = weights[f"{theirs}.{part}"]
    return found
