"""Scenes with one thing in them and known clutter: a whole handwritten digit among pieces of other digits.

A scene is a grid of 6 × 6 cells of 4 × 4 pixels. The digit, 8 × 8 pixels, fills four neighbouring cells;
some of the other cells hold a quarter of some other digit each; the rest is empty. So ink alone does not say
where the digit is, and the true box is four whole cells. Digits come from
:func:`attnbook.data.scenes.digit_images`: no digit image is in two parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from attnbook.arguments import whole_number
from attnbook.data.scenes import DigitImages, digit_images

CELL, CELLS = 4, 6  # pixels of a cell's side; cells of a scene's side
SIDE = CELL * CELLS
FRAGMENTS = 8


@dataclass(frozen=True)
class Scenes:
    """Several scenes.

    Attributes
    ----------
    images : (scenes, 1, 24, 24)
        Ink from 0 to 1.
    labels : (scenes,) of int
        Which digit stands there whole.
    inside : (scenes, 36) of bool
        Which cells, row by row, the digit fills: four of each scene.
    """

    images: Tensor
    labels: Tensor
    inside: Tensor


def scenes(
    n: int, seed: int, part: str = "train", fragments: int = FRAGMENTS, pool: DigitImages | None = None
) -> Scenes:
    """``n`` scenes; the same for the same arguments.

    Parameters
    ----------
    n, seed : int
    part : "train", "validation" or "test"
        Which digit images may be used.
    fragments : int
        Cells that hold a quarter of another digit; at most 32.
    pool : DigitImages, optional
        Other digits than those of the part.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or the part is unknown.
    """
    whole_number("n", n)
    whole_number("seed", seed, least=0)
    whole_number("fragments", fragments, least=0)
    if fragments > CELLS**2 - 4:
        raise ValueError(
            f"fragments: expected at most {CELLS**2 - 4}, the cells beside the digit, got {fragments}"
        )
    pool = digit_images(part) if pool is None else pool
    generator = torch.Generator().manual_seed(seed)

    def drawn(most: int, *shape: int) -> Tensor:
        return torch.randint(most, shape, generator=generator)

    quarters = pool.images.unfold(1, CELL, CELL).unfold(2, CELL, CELL).flatten(1, 2)  # (digits, 4, 4, 4)
    whole = drawn(len(pool.labels), n)
    corner = drawn(CELLS - 1, n) * CELLS + drawn(CELLS - 1, n)  # the upper left one of the four cells
    box = corner.unsqueeze(1) + torch.tensor([0, 1, CELLS, CELLS + 1])  # (n, 4)
    inside = torch.zeros(n, CELLS**2, dtype=torch.bool).scatter(1, box, True)
    cells = torch.zeros(n, CELLS**2, CELL, CELL)
    lots = torch.rand(n, CELLS**2, generator=generator).masked_fill(inside, -1.0)
    where = lots.topk(max(1, fragments), dim=1).indices[:, :fragments]
    pieces = quarters[drawn(len(pool.labels), n, fragments), drawn(4, n, fragments)]
    rows = torch.arange(n).unsqueeze(1)
    cells[rows, where] = pieces
    cells[rows, box] = quarters[whole]
    images = cells.reshape(n, CELLS, CELLS, CELL, CELL).transpose(2, 3).reshape(n, 1, SIDE, SIDE)
    return Scenes(images, pool.labels[whole], inside)
