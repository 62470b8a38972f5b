"""Captioners: a convolutional network, and an LSTM that attends to what it found."""

from __future__ import annotations

from collections.abc import Callable

import torch

from attnbook import nn

ATTENTIONS = ("soft", "hard", "none")


def captioner(
    n_caption: int,
    *,
    attention: str = "soft",
    estimator: str = "reinforce",
    expected: float = 0.0,
    colours: int = 1,
    channels: int = 64,
    deeper: int = 1,
    coordinates: bool = True,
    canvas: int = 24,
    d_embed: int = 32,
    hidden: int = 64,
    d_attention: int = 32,
    start: str = "learned",
) -> nn.ShowAttendTell:
    """``nn.ShowAttendTell`` over ``nn.ConvAnnotations`` with an additive score.

    Parameters
    ----------
    n_caption : int
        Size of the vocabulary.
    attention : "soft", "hard" or "none"
    estimator, expected
        Of hard attention.
    colours, channels, deeper, coordinates
        Of the convolutional network.
    canvas : int
        Height and width of an image, an even number.
    d_embed, hidden, d_attention : int
    start : "mean" or "learned"

    Raises
    ------
    ValueError
        If a name is unknown or a number is out of range.
    """
    if attention not in ATTENTIONS:
        raise ValueError(f"attention: expected one of {', '.join(ATTENTIONS)}, got {attention!r}")
    if canvas < 4 or canvas % 2:
        raise ValueError(f"canvas: expected an even number of at least 4, got {canvas}")
    encoder = nn.ConvAnnotations(channels, deeper, coordinates, colours)
    width = encoder.d_annotation
    score = None if attention == "none" else nn.AdditiveScore(hidden, width, d_attention)
    looks: torch.nn.Module | None = score
    if score is not None and attention == "hard":
        looks = nn.HardAttention(score, estimator, expected=expected)
    places = (canvas // 2) ** 2
    return nn.ShowAttendTell(encoder, n_caption, width, d_embed, hidden, looks, places, start=start)


ARCHITECTURES: dict[str, Callable[..., torch.nn.Module]] = {"captioner": captioner}
