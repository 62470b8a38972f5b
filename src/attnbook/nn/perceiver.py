"""Perceiver: a few learned queries read an input of any length.

Jaegle, Gimeno, Brock, Zisserman, Vinyals & Carreira 2021,
https://arxiv.org/abs/2103.03206. Self-attention over M inputs compares M · M pairs.
Here N learned vectors, the *latent array*, ask the inputs (N · M pairs), and all
further layers run among the N (N · N pairs). Blocks of one cross-attention and a
few layers may be repeated: each reads the input again.

Inputs of any kind go in as rows with their positions written into them (a
spectrogram's frames, an image's pixels or patches, words): nothing in here knows
what they are.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.multi_head import MultiHeadAttention
from attnbook.nn.transformer import EncoderLayer, FeedForward


class CrossRead(nn.Module):
    """Latents ask inputs once: cross-attention and a feed-forward network, each
    with its normalisation before it and its shortcut past it.

    Parameters
    ----------
    d_model, n_heads : int
    """

    def __init__(self, d_model: int, n_heads: int):
        super().__init__()
        self.norm_latents = nn.LayerNorm(d_model)
        self.norm_inputs = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.norm = nn.LayerNorm(d_model)
        self.feed_forward = FeedForward(d_model, 2 * d_model, "gelu")

    def forward(
        self, latents: Tensor, inputs: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Latents (batch, N, d_model) and inputs (batch, M, d_model) to new latents
        and weights (batch, n_heads, N, M).
        """
        key = self.norm_inputs(inputs)
        query = self.norm_latents(latents)
        context, weights = self.attention(query, key, key, mask)
        latents = latents + context
        return latents + self.feed_forward(self.norm(latents)), weights


class Perceiver(nn.Module):
    """N vectors from M inputs, at a cost that grows with M and not with M².

    Parameters
    ----------
    d_input : int
        Numbers of an input, those of its position included.
    d_model : int
        Size of a latent vector.
    n_latents : int
        N: how many learned queries.
    n_heads : int
    n_blocks : int
        How often the input is read.
    n_layers : int
        Layers of self-attention among the latents after each reading.

    Raises
    ------
    TypeError, ValueError
        If a number is not whole or below 1, or n_heads does not divide d_model.
    """

    def __init__(
        self,
        d_input: int,
        d_model: int,
        n_latents: int,
        n_heads: int = 1,
        n_blocks: int = 1,
        n_layers: int = 1,
    ):
        super().__init__()
        checks.sizes(
            d_input=d_input,
            d_model=d_model,
            n_latents=n_latents,
            n_blocks=n_blocks,
            n_layers=n_layers,
        )
        checks.divides("n_heads", n_heads, "d_model", d_model)
        self.d_input = d_input
        self.latents = nn.Parameter(0.02 * torch.randn(n_latents, d_model))
        self.project = nn.Linear(d_input, d_model)
        self.reads = nn.ModuleList(
            CrossRead(d_model, n_heads) for _ in range(n_blocks)
        )
        self.layers = nn.ModuleList(
            nn.ModuleList(
                EncoderLayer(d_model, n_heads, 2 * d_model, 0.0, "pre", "gelu")
                for _ in range(n_layers)
            )
            for _ in range(n_blocks)
        )

    def forward(
        self, inputs: Tensor, mask: Tensor | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Read the inputs.

        Parameters
        ----------
        inputs : (batch, M, d_input)
        mask : (batch, M) of bool, optional
            True for what may be read; nothing is read where all is False.

        Returns
        -------
        latents : (batch, N, d_model)
        weights : list of (batch, n_heads, N, M)
            Of each reading.

        Raises
        ------
        TypeError, ValueError
            If the inputs have another size, or the mask does not fit.
        """
        checks.perceiver_inputs(self, inputs, mask)
        if mask is not None:
            mask = mask.unsqueeze(1)  # (batch, 1, M): for every latent
        inputs = self.project(inputs)
        latents = self.latents.expand(len(inputs), -1, -1)
        weights = []
        for read, layers in zip(self.reads, self.layers, strict=True):
            latents, seen = read(latents, inputs, mask)
            weights.append(seen)
            for layer in layers:  # pyright: ignore[reportGeneralTypeIssues]
                latents, _ = layer(latents)
        return latents, weights
