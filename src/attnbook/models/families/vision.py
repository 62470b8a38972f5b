"""Classifiers of pictures: the Vision Transformer."""

from __future__ import annotations

from attnbook import nn


def vision_transformer(
    *,
    image_size: int,
    patch_size: int,
    n_classes: int,
    channels: int = 1,
    d_model: int = 64,
    n_heads: int = 4,
    n_layers: int = 4,
    d_ff: int | None = None,
    n_registers: int = 0,
) -> nn.ViT:
    """A Vision Transformer for square pictures, without dropout; arguments as ``nn.ViT`` has them."""
    return nn.ViT(
        image_size,
        patch_size,
        n_classes,
        channels=channels,
        d_model=d_model,
        n_heads=n_heads,
        n_layers=n_layers,
        d_ff=d_ff,
        n_registers=n_registers,
    )


ARCHITECTURES = {"vision_transformer": vision_transformer}
