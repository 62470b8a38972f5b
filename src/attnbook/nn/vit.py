"""The Vision Transformer: a picture cut into patches, which are read as words.

Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929, equations 1 to 4:

    z_0  = [x_class; x_1 E; …; x_N E] + E_pos
    z'_l = Attention(LayerNorm(z_(l−1))) + z_(l−1)
    z_l  = FeedForward(LayerNorm(z'_l)) + z'_l
    y    = LayerNorm(class token of z_L), then one linear layer to the classes

Registers (Darcet et al. 2024, https://arxiv.org/abs/2309.16588) are further learned
tokens that stand for no part of the picture and are dropped at the end.
"""

from __future__ import annotations

import copy

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.nn import checks
from attnbook.nn.transformer import EncoderLayer


class ViT(nn.Module):
    """Patches, a class token, learned positions, encoder layers, one linear layer.

    The tokens stand in this order: the class token, the patches row by row, the
    registers.

    Parameters
    ----------
    image_size : int or (int, int)
        Pixels of a picture, height and width; one number for a square.
    patch_size : int
        P: divides both; a patch has P · P pixels.
    n_classes : int
    channels : int
        1 for grey pictures, 3 for red, green and blue.
    d_model, n_heads, n_layers, d_ff : int
        As in EncoderLayer; d_ff is 4 · d_model if left out, as in the paper.
    n_registers : int
        Learned tokens beside the class token; 0 in the paper, 4 in that of
        registers.
    dropout : float

    Raises
    ------
    TypeError, ValueError
        If a number is not whole, or does not divide.
    """

    def __init__(
        self,
        image_size: int | tuple[int, int],
        patch_size: int,
        n_classes: int,
        *,
        channels: int = 1,
        d_model: int = 64,
        n_heads: int = 4,
        n_layers: int = 4,
        d_ff: int | None = None,
        n_registers: int = 0,
        dropout: float = 0.0,
    ):
        super().__init__()
        checks.sizes(n_classes=n_classes, channels=channels, n_layers=n_layers)
        checks.whole_number("n_registers", n_registers, least=0)
        self.image_size = checked_size(image_size, patch_size)
        self.patch_size, self.channels = patch_size, channels
        d_ff = 4 * d_model if d_ff is None else d_ff
        n_patches = self.grid[0] * self.grid[1]
        self.class_token = nn.Parameter(torch.zeros(d_model))
        self.W_patch = nn.Linear(channels * patch_size**2, d_model)  # E
        self.positions = nn.Parameter(0.02 * torch.randn(1 + n_patches, d_model))
        self.registers = nn.Parameter(0.02 * torch.randn(n_registers, d_model))
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, n_heads, d_ff, dropout, "pre", "gelu")
            for _ in range(n_layers)
        )
        self.norm = nn.LayerNorm(d_model)
        self.W_classes = nn.Linear(d_model, n_classes)

    @property
    def grid(self) -> tuple[int, int]:
        """Patches in a column and in a row of the picture."""
        height, width = self.image_size
        return height // self.patch_size, width // self.patch_size

    def forward(
        self, images: Tensor, *, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """Classify pictures.

        Parameters
        ----------
        images : (batch, channels, height, width)
        need_weights : bool
            Whether to return the weights of all layers.

        Returns
        -------
        logits : (batch, n_classes)
        weights : (batch, n_layers, n_heads, tokens, tokens), or None
            tokens = 1 + patches + registers, in this order.

        Raises
        ------
        TypeError, ValueError
            If the pictures do not fit.
        """
        z, weights = self.encode(images, need_weights=need_weights)
        return self.W_classes(z[:, 0]), weights

    def embed(self, images: Tensor) -> Tensor:
        """z_0, what the first layer reads: (batch, tokens, d_model)."""
        checks.feature_maps("images", images, self.channels)
        checks.picture_size("images", images, self.image_size)
        checks.fits_parameters("images", images, self)
        z = self.W_patch(patches(images, self.patch_size))  # (batch, N, d_model)
        first = self.class_token.expand(len(z), 1, -1)  # (batch, 1, d_model)
        z = torch.cat([first, z], dim=1) + self.positions
        return torch.cat([z, self.registers.expand(len(z), -1, -1)], dim=1)

    def encode(
        self, images: Tensor, *, need_weights: bool = False
    ) -> tuple[Tensor, Tensor | None]:
        """The tokens after the last layer and its LayerNorm, (batch, tokens,
        d_model), and the weights as ``forward`` returns them.
        """
        z = self.embed(images)
        kept = []
        for layer in self.layers:
            z, weights = layer(z, need_weights=need_weights)
            kept.append(weights)
        return self.norm(z), torch.stack(kept, dim=1) if need_weights else None

    def resized(self, image_size: int | tuple[int, int]) -> ViT:
        """A copy for pictures of another size, cut into patches of the same size.

        Its positions are interpolated; all else is a copy of what this one has.

        Raises
        ------
        TypeError, ValueError
            If patches of this size do not fill such a picture.
        """
        other = copy.deepcopy(self)
        other.image_size = checked_size(image_size, self.patch_size)
        table = interpolate_positions(
            self.positions.detach(), self.grid, other.grid
        )
        other.positions = nn.Parameter(table)
        return other


def patches(images: Tensor, patch_size: int) -> Tensor:
    """Cut pictures into squares, row by row: (batch, channels, height, width) →
    (batch, N, channels · P²), each the numbers of one patch.

    Raises
    ------
    TypeError, ValueError
        If patches of this size do not fill a picture.
    """
    checks.pictures("images", images)
    checks.divides("patch_size", patch_size, "height", images.shape[2])
    checks.divides("patch_size", patch_size, "width", images.shape[3])
    return F.unfold(images, patch_size, stride=patch_size).transpose(1, 2)


def interpolate_positions(
    positions: Tensor, grid: tuple[int, int], new_grid: tuple[int, int]
) -> Tensor:
    """Learned positions for another number of patches (Dosovitskiy et al. 2021,
    section 3.2).

    The rows of the patches are laid out as a grid and interpolated bilinearly,
    corner to corner. The class token stands nowhere in the picture: its row is kept
    as it is.

    Parameters
    ----------
    positions : (1 + rows · columns, d_model)
        The class token's, then the patches' row by row.
    grid, new_grid : (rows, columns)
        Patches before and after.

    Returns
    -------
    positions : (1 + new rows · new columns, d_model)

    Raises
    ------
    TypeError, ValueError
        If positions has another number of rows.
    """
    checks.floating("positions", positions)
    checks.dimensions("positions", positions, ("1 + patches", "d_model"))
    checks.sizes(rows=new_grid[0], columns=new_grid[1])
    checks.position_rows(positions, grid)
    class_row, rest = positions[:1], positions[1:]
    picture = rest.T.reshape(1, -1, *grid)  # (1, d_model, rows, columns)
    picture = F.interpolate(
        picture, size=new_grid, mode="bilinear", align_corners=True
    )
    return torch.cat([class_row, picture.flatten(2)[0].T])


def checked_size(
    image_size: int | tuple[int, int], patch_size: int
) -> tuple[int, int]:
    """Height and width, both filled by patches."""
    square = not isinstance(image_size, (tuple, list))
    height, width = (image_size, image_size) if square else image_size
    checks.divides("patch_size", patch_size, "image_size", height)
    checks.divides("patch_size", patch_size, "image_size", width)
    return height, width
