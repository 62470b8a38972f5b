"""The task and the models of :mod:`attnbook.experiments.recall`: a dictionary that is written and then read.

A text begins with *writes*, each a key with its value, and ends with *reads*, a key each, whose answer is
the value that was last written for it. A write is one token, the sum of two embeddings, so that a single
layer can solve the task and what is measured is its memory alone. Reads only read: no method stores them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attnbook.nn import (
    ALiBi,
    FeedForward,
    LinearAttention,
    MultiHeadAttention,
    elu_plus_one,
    unit_length,
)

KEYS, VALUES = 128, 32  # different ones; which keys stand in a text is drawn
BLANK = VALUES  # the value of a read


@dataclass(frozen=True)
class Texts:
    """Keys and values (batch, length), of which the last ``answers.shape[1]`` tokens are reads."""

    keys: Tensor
    values: Tensor
    answers: Tensor

    def to(self, device: torch.device) -> Texts:
        """The same texts there."""
        return Texts(self.keys.to(device), self.values.to(device), self.answers.to(device))


def draw(batch: int, n_keys: int, n_writes: int, generator: torch.Generator) -> Texts:
    """Texts that write each of ``n_keys`` keys ``n_writes`` times, in a random order, and then read them."""

    def shuffled(rows: Tensor) -> Tensor:
        order = torch.rand(rows.shape, generator=generator).argsort(dim=1)
        return rows.gather(1, order)

    everything = torch.arange(KEYS).expand(batch, KEYS)
    asked = shuffled(everything)[:, :n_keys]
    written = shuffled(asked.repeat(1, n_writes))
    values = torch.randint(VALUES, written.shape, generator=generator)
    same = asked.unsqueeze(2) == written.unsqueeze(1)  # (batch, asked, written)
    last = (same * torch.arange(written.shape[1])).argmax(dim=2)
    return Texts(
        torch.cat([written, asked], dim=1),
        torch.cat([values, torch.full_like(asked, BLANK)], dim=1),
        values.gather(1, last),
    )


class FullAttention(nn.Module):
    """Attention with softmax, called as LinearAttention is."""

    def __init__(self, d_model: int, n_heads: int, alibi: bool):
        super().__init__()
        positions = ALiBi(n_heads) if alibi else None
        self.attention = MultiHeadAttention(d_model, n_heads, bias=False, positions=positions)

    def forward(self, x: Tensor, state: None = None, mask: Tensor | None = None) -> tuple[Tensor, None]:
        """x (batch, length, d_model), mask (batch, length): False for tokens that nobody may see."""
        seen = None if mask is None else mask.unsqueeze(1)
        return self.attention(x, mask=seen, causal=True, need_weights=False)[0], state


def positive_unit(x: Tensor) -> Tensor:
    """ELU + 1, then unit length: positive features on which the delta rule is stable too."""
    return unit_length(elu_plus_one(x))


def mixer(name: str, d_model: int, n_heads: int) -> nn.Module:
    """The layer called ``name``: full attention, or a rule of ``attnbook.nn.linear``, alone or with a feature
    map behind a comma.

    Raises
    ------
    ValueError
        If there is none of that name.
    """
    rule, _, features = name.partition(", ")
    if rule == "full" and features in ("", "no positions", "ALiBi"):
        return FullAttention(d_model, n_heads, alibi=features == "ALiBi")
    maps: dict[str, Callable[[Tensor], Tensor]] = {
        "": unit_length, "ELU + 1": positive_unit, "ELU + 1, normalised": elu_plus_one,
    }  # fmt: skip
    rules = ("linear", "gated", "delta", "gated delta")
    if rule not in rules or features not in maps:
        raise ValueError(f"name: expected one of {', '.join(rules)} or full, got {name!r}; see recall.py")
    return LinearAttention(
        d_model, n_heads, rule=rule.replace(" ", "_"), feature_map=maps[features],
        normalised="normalised" in features, scale=1.0,
    )  # fmt: skip


class Layer(nn.Module):
    """A mixer, and a feed-forward network if the model is deep, with shortcuts and norms before."""

    def __init__(self, name: str, d_model: int, n_heads: int, d_ff: int | None):
        super().__init__()
        self.norm, self.mixer = nn.LayerNorm(d_model), mixer(name, d_model, n_heads)
        self.feed_forward = (
            None if d_ff is None else nn.Sequential(nn.LayerNorm(d_model), FeedForward(d_model, d_ff, "gelu"))
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(batch, length, d_model) to the same."""
        x = x + self.mixer(self.norm(x), mask=mask)[0]
        return x if self.feed_forward is None else x + self.feed_forward(x)


class Reader(nn.Module):
    """Embeddings of key and value, layers, and logits of the value at each read."""

    def __init__(self, names: tuple[str, ...], d_model: int, n_heads: int, d_ff: int | None = None):
        super().__init__()
        self.key = nn.Embedding(KEYS, d_model)
        self.value = nn.Embedding(VALUES + 1, d_model)
        self.layers = nn.ModuleList(Layer(name, d_model, n_heads, d_ff) for name in names)
        self.out = nn.Sequential(nn.LayerNorm(d_model), nn.Linear(d_model, VALUES))

    def forward(self, texts: Texts) -> Tensor:
        """Logits (batch, reads, VALUES)."""
        x = self.key(texts.keys) + self.value(texts.values)
        writes = texts.values != BLANK
        for layer in self.layers:
            x = layer(x, writes)
        return self.out(x[:, -texts.answers.shape[1] :])


def count(module: nn.Module) -> int:
    """Its parameters."""
    return sum(parameter.numel() for parameter in module.parameters())
