"""Pictures drawn by code for the experiments on seeing: bars to search, gratings, dots, moving discs.

All are (h, w, 3) or (h, w), float32 from 0 to 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from attnbook.extras import needs

with needs("vision"):
    from skimage import draw

Colour = tuple[float, float, float]
RED, GREEN = (0.85, 0.25, 0.2), (0.2, 0.6, 0.3)  # green is the darker, so it differs more from the grey
EQUAL = (0.9, 0.3, 0.3), (0.3, 0.9, 0.3)  # a red and a green that differ from the grey in colour alone
GREY = 0.5


@dataclass(frozen=True)
class SearchDisplay:
    """A picture with bars to search.

    Attributes
    ----------
    image : (256, 256, 3)
    places : (items, 2) int64
        Row and column of the middle of each bar: the target's is the first, then come the green ones.
    n_green : int
        How many bars are green: ``places[1 : 1 + n_green]``.
    """

    image: Tensor
    places: Tensor
    n_green: int


def search_display(
    kind: str,
    items: int,
    generator: torch.Generator,
    *,
    cell: int = 32,
    green: float = 0.5,
    colours: tuple[Colour, Colour] = (RED, GREEN),
) -> SearchDisplay:
    """Bars on grey with one target, a red upright bar.

    "colour": the others are green and upright. "orientation": red and lying. "conjunction": some green and
    upright, the others red and lying, so that neither colour nor orientation alone tells.

    Parameters
    ----------
    items : int, 2 to 64
        They stand on a grid of 8 × 8 cells, each shifted a little.
    green : float, 0 to 1
        Of a conjunction's other bars, the share that is green, rounded up to whole bars.
    colours : two of (3,)
        The red and the green.

    Raises
    ------
    ValueError
        If the kind is unknown, or ``items`` or ``green`` out of range.
    """
    if kind not in ("colour", "orientation", "conjunction"):
        raise ValueError(f"kind: expected 'colour', 'orientation' or 'conjunction', got {kind!r}")
    if not 2 <= items <= 64:
        raise ValueError(f"items: expected 2 to 64, one a cell, got {items}")
    if not 0 <= green <= 1:
        raise ValueError(f"green: expected a share from 0 to 1, got {green}")
    red_colour, green_colour = (torch.tensor(colour) for colour in colours)
    n_green = {"colour": items - 1, "orientation": 0, "conjunction": math.ceil(green * (items - 1))}[kind]
    side = 8 * cell
    image = torch.full((side, side, 3), GREY)
    cells = torch.randperm(64, generator=generator)[:items]
    jitter = torch.randint(-4, 5, (items, 2), generator=generator)
    places = torch.stack([cells // 8, cells % 8], dim=1) * cell + cell // 2 + jitter
    for i, (row, column) in enumerate(places.tolist()):
        is_green = 1 <= i <= n_green
        lying = i > n_green
        tall, wide = (3, 9) if lying else (9, 3)
        box = slice(row - tall, row + tall), slice(column - wide, column + wide)
        image[box] = green_colour if is_green else red_colour
    return SearchDisplay(image, places, n_green)


def grating(
    size: int, theta: float, *, period: float = 7.0, phase: float = 0.0, contrast: float = 1.0
) -> Tensor:
    """Stripes along ``theta`` degrees (0 lies, 90 stands), (size, size); ``phase`` in pixels moves them."""
    across = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    y, x = -across.unsqueeze(1), across.unsqueeze(0)
    angle = math.radians(theta)
    distance = y * math.cos(angle) - x * math.sin(angle)
    return 0.5 + 0.5 * contrast * torch.cos(2 * math.pi * (distance - phase) / period)


def spot(size: int, radius: float, *, light: float = 1.0, ground: float = 0.0) -> Tensor:
    """A disc in the middle, (size, size), its edge softened over one pixel."""
    across = torch.arange(size, dtype=torch.float32) - (size - 1) / 2
    distance = (across.unsqueeze(1) ** 2 + across**2).sqrt()
    return ground + (light - ground) * (radius + 0.5 - distance).clamp(0, 1)


def dots(size: int, share: float, generator: torch.Generator) -> Tensor:
    """Random dots of 2 × 2 pixels on black, (size, size), covering about ``share``; size must be even."""
    coarse = (torch.rand(size // 2, size // 2, generator=generator) < share).float()
    return coarse.repeat_interleave(2, 0).repeat_interleave(2, 1)


def shaded_disc(size: int, angle: float) -> Tensor:
    """A disc that is light towards ``angle`` degrees (90 is up) and dark away from it, on grey.

    Lit from above it looks like a bump; the same disc upside down like a dent.
    """
    across = (torch.arange(size, dtype=torch.float32) - (size - 1) / 2) / (size / 2)
    y, x = -across.unsqueeze(1), across.unsqueeze(0)
    light = 0.5 + 0.45 * (x * math.cos(math.radians(angle)) + y * math.sin(math.radians(angle)))
    return torch.where((x**2 + y**2) < 0.81, light, torch.full_like(light, GREY))


def wire(size: int, angle: float) -> Tensor:
    """A bent wire in space, turned ``angle`` degrees around its upright axis: its picture, (size, size)."""
    corners = np.array(
        [[-0.7, -0.8, 0.3], [0.5, -0.5, -0.7], [-0.4, 0.0, 0.7], [0.7, 0.3, 0.2], [-0.2, 0.8, -0.6]]
    )
    turn = math.radians(angle)
    across = corners[:, 0] * math.cos(turn) + corners[:, 2] * math.sin(turn)
    columns = np.round((across + 1.1) / 2.2 * (size - 1)).astype(int)
    rows = np.round((1.1 - corners[:, 1]) / 2.2 * (size - 1)).astype(int)
    image = np.zeros((size, size), dtype=np.float32)
    for i in range(len(corners) - 1):
        r, c, value = draw.line_aa(rows[i], columns[i], rows[i + 1], columns[i + 1])
        keep = (r >= 0) & (r < size) & (c >= 0) & (c < size)
        image[r[keep], c[keep]] = np.maximum(image[r[keep], c[keep]], value[keep])
    return torch.from_numpy(image)


@dataclass(frozen=True)
class MovingDiscs:
    """Twelve white discs on black, one of which behaves otherwise.

    Attributes
    ----------
    before, after : (192, 256, 3)
        Two frames.
    place : (2,) int64
        Row and column of the odd disc in the first frame.
    """

    before: Tensor
    after: Tensor
    place: Tensor


def moving_discs(kind: str, generator: torch.Generator) -> MovingDiscs:
    """Two frames with twelve discs. In each frame by itself none stands out.

    "starts": all rest, one moves to the right by a pixel. "other way": all move to the right, one to the
    left. "flickers": all rest, one gets darker, which the second frame shows.
    """
    if kind not in ("starts", "other way", "flickers"):
        raise ValueError(f"kind: expected 'starts', 'other way' or 'flickers', got {kind!r}")
    frames = torch.zeros(2, 192, 256)
    odd = int(torch.randint(12, (1,), generator=generator))
    place = torch.zeros(2, dtype=torch.int64)
    for i in range(12):
        shift = torch.randint(-8, 9, (2,), generator=generator)
        row, column = (torch.tensor([32 + 64 * (i // 4), 32 + 64 * (i % 4)]) + shift).tolist()
        if i == odd:
            place = torch.tensor([row, column])
        step = {"starts": int(i == odd), "other way": -1 if i == odd else 1, "flickers": 0}[kind]
        light = 0.4 if kind == "flickers" and i == odd else 1.0
        disc = spot(17, 6.0)
        frames[0, row - 8 : row + 9, column - 8 : column + 9] = disc
        frames[1, row - 8 : row + 9, column - 8 + step : column + 9 + step] = disc * light
    before, after = frames.unsqueeze(-1).repeat(1, 1, 1, 3)
    return MovingDiscs(before, after, place)
