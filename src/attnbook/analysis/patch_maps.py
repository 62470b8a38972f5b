"""Maps over the patches of a picture: where a Vision Transformer attends, and where its input matters.

Each map is (batch, patches), at least 0, and sums to 1, so that maps can be compared with each other, with
the share of a box's area and with the share of the ink in it.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from attnbook.nn import ViT, patches


def attention_rollout(weights: Tensor, own: float = 0.5) -> Tensor:
    """How much of each token's last vector stems from each token at the input, if weights alone counted.

    Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928, section 3: the heads of a layer are averaged, the
    shortcut around attention is an identity matrix, the rows sum to 1 again, and the layers are multiplied:
    Ã_L ⋯ Ã_2 Ã_1 with Ã = (1 − own) · A + own · I. Values, feed-forward networks and normalisation are left
    out.

    Parameters
    ----------
    weights : (batch, n_layers, n_heads, tokens, tokens)
        The first layer first.
    own : float
        What a token keeps of itself in each layer; 0.5 in the paper.

    Returns
    -------
    rollout : (batch, tokens, tokens)
        Each row sums to 1.

    Raises
    ------
    ValueError
        If the shape does not fit, or own is not between 0 and 1.
    """
    if weights.dim() != 5 or weights.shape[-1] != weights.shape[-2]:
        raise ValueError(
            "weights: expected (batch, n_layers, n_heads, tokens, tokens), got "
            f"{tuple(weights.shape)}; call the model with need_weights=True"
        )
    if not 0 <= own <= 1:
        raise ValueError(f"own: expected a number from 0 to 1, got {own}; the paper's is 0.5")
    identity = torch.eye(weights.shape[-1], dtype=weights.dtype, device=weights.device)
    found = identity.expand(len(weights), -1, -1)
    for layer in range(weights.shape[1]):
        found = ((1 - own) * weights[:, layer].mean(dim=1) + own * identity) @ found
    return found


def class_row(matrix: Tensor, n_patches: int) -> Tensor:
    """The class token's row over the patches alone, made to sum to 1: (…, tokens, tokens) → (…, patches)."""
    return normalised(matrix[..., 0, 1 : 1 + n_patches])


def gradient_times_input(model: nn.Module, images: Tensor, patch_size: int) -> Tensor:
    """How much each patch's pixels move the winning class: |∂ logit / ∂ pixel · pixel|, summed over a patch.

    A map without attention (Shrikumar et al. 2016, https://arxiv.org/abs/1605.01713): it works for any
    model, one that returns weights beside its logits included.

    Returns
    -------
    (batch, patches)
    """
    pixels = images.detach().clone().requires_grad_()
    said = model(pixels)
    logits = said[0] if isinstance(said, tuple) else said
    (gradient,) = torch.autograd.grad(logits.max(dim=-1).values.sum(), pixels)
    return normalised(patches((gradient * pixels).abs().detach(), patch_size).sum(dim=-1))


def ink(images: Tensor, patch_size: int) -> Tensor:
    """The share of the picture's ink in each patch: what a map would be that followed ink alone."""
    return normalised(patches(images, patch_size).sum(dim=-1))


def mass_inside(maps: Tensor, inside: Tensor) -> Tensor:
    """The share of each map that lies in the true box: (batch, patches), bool of that shape → (batch,).

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    if maps.shape != inside.shape or inside.dtype != torch.bool:
        raise ValueError(
            f"inside: expected bool of shape {tuple(maps.shape)} as maps, got {inside.dtype} of "
            f"{tuple(inside.shape)}"
        )
    return (maps * inside).sum(dim=-1)


def erased(images: Tensor, chosen: Tensor, patch_size: int) -> Tensor:
    """The pictures with these patches made empty.

    Parameters
    ----------
    images : (batch, channels, height, width)
    chosen : (batch, patches) of bool
    patch_size : int

    Returns
    -------
    (batch, channels, height, width)
    """
    size = images.shape[-2:]
    kept = patches(images, patch_size) * ~chosen.unsqueeze(-1)
    return nn.functional.fold(kept.transpose(1, 2), size, patch_size, stride=patch_size)


def highest(maps: Tensor, n: int) -> Tensor:
    """The n patches of each map with the largest numbers: bool of the map's shape."""
    return torch.zeros_like(maps, dtype=torch.bool).scatter(1, maps.topk(n, dim=1).indices, True)


def attention_distance(model: ViT, weights: Tensor) -> Tensor:
    """How far each head looks, in pixels: the mean distance from a patch to those it attends to.

    Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929, appendix D.7: distances between patches,
    weighted with the weights of patches for patches, averaged over pictures and asking patches.

    Parameters
    ----------
    model : ViT
        For its grid and patch size.
    weights : (batch, n_layers, n_heads, tokens, tokens)

    Returns
    -------
    (n_layers, n_heads)
    """
    rows, columns = model.grid
    n = rows * columns
    place = torch.arange(n, device=weights.device)
    spot = torch.stack([place // columns, place % columns], dim=1).to(weights.dtype) * model.patch_size
    apart = torch.cdist(spot, spot)  # (patches, patches)
    between = normalised(weights[..., 1 : 1 + n, 1 : 1 + n])
    return (between * apart).sum(dim=-1).mean(dim=(0, 3))


def normalised(maps: Tensor) -> Tensor:
    """The same maps, each summing to 1; one that is 0 everywhere stays so."""
    return maps / maps.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(maps.dtype).tiny)
