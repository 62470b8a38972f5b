"""Pictures drawn by code for the experiments on seeing: bars to search, gratings, dots, a group of people.

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

RED, GREEN = (0.85, 0.25, 0.2), (0.2, 0.6, 0.3)
GREY = 0.5
SKIN = (0.87, 0.66, 0.53)


@dataclass(frozen=True)
class SearchDisplay:
    """A picture with bars to search.

    Attributes
    ----------
    image : (256, 256, 3)
    places : (items, 2) int64
        Row and column of the middle of each bar; the target's is the first.
    """

    image: Tensor
    places: Tensor


def search_display(kind: str, items: int, generator: torch.Generator, *, cell: int = 32) -> SearchDisplay:
    """Bars on grey with one target, a red upright bar.

    "colour": the others are green and upright. "orientation": red and lying. "conjunction": half green and
    upright, half red and lying, so that neither colour nor orientation alone tells.

    Parameters
    ----------
    items : int, 2 to 64
        They stand on a grid of 8 × 8 cells, each shifted a little.
    """
    if kind not in ("colour", "orientation", "conjunction"):
        raise ValueError(f"kind: expected 'colour', 'orientation' or 'conjunction', got {kind!r}")
    if not 2 <= items <= 64:
        raise ValueError(f"items: expected 2 to 64, one a cell, got {items}")
    side = 8 * cell
    image = torch.full((side, side, 3), GREY)
    cells = torch.randperm(64, generator=generator)[:items]
    jitter = torch.randint(-4, 5, (items, 2), generator=generator)
    places = torch.stack([cells // 8, cells % 8], dim=1) * cell + cell // 2 + jitter
    for i, (row, column) in enumerate(places.tolist()):
        odd = i % 2 == 1
        green = i > 0 and (kind == "colour" or (kind == "conjunction" and odd))
        lying = i > 0 and (kind == "orientation" or (kind == "conjunction" and not odd))
        tall, wide = (3, 9) if lying else (9, 3)
        image[row - tall : row + tall, column - wide : column + wide] = torch.tensor(GREEN if green else RED)
    return SearchDisplay(image, places)


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
class GroupPicture:
    """A class and its teacher.

    Attributes
    ----------
    image : (240, 320, 3)
    faces : (people, 2) int64
        Row and column of each face; the teacher's is the last.
    jacket : (3,) floats
        The colour that only the teacher wears.
    balloon : (2,) int64
        Where the balloon is, the most colourful thing in the picture.
    """

    image: Tensor
    faces: Tensor
    jacket: tuple[float, float, float]
    balloon: Tensor


def group_picture() -> GroupPicture:
    """Seven children in two rows, a teacher in a slate-blue jacket, and a balloon that nobody asked about."""
    image = np.full((240, 320, 3), (0.62, 0.62, 0.6), dtype=np.float32)
    image[185:] = (0.5, 0.47, 0.42)  # the floor
    skin, jacket = SKIN, (0.36, 0.46, 0.6)
    shirts = ["#8a5a44", "#6f8f72", "#9a6b7d", "#7a7d86", "#a08457", "#7d6b91", "#8b8f6a"]
    back = [(86, 60), (82, 120), (88, 180)]
    front = [(138, 40), (134, 98), (140, 156), (136, 212)]
    people = [(place, 13, shirt) for place, shirt in zip(back + front, shirts, strict=True)]
    faces = []
    for (row, column), radius, shirt in people:
        colour = tuple(int(shirt[i : i + 2], 16) / 255 for i in (1, 3, 5))
        _person(image, row, column, radius, colour, skin)
        faces.append((row, column))
    _person(image, 78, 262, 16, jacket, skin)
    faces.append((78, 262))
    r, c = draw.disk((40, 30), 16, shape=image.shape[:2])
    image[r, c] = (0.9, 0.12, 0.15)
    return GroupPicture(torch.from_numpy(image), torch.tensor(faces), jacket, torch.tensor([40, 30]))


def _person(image: np.ndarray, row: int, column: int, radius: int, shirt, skin) -> None:
    """Body, head, hair, eyes and mouth, drawn over what is there."""
    shape = image.shape[:2]
    r, c = draw.ellipse(row + 3.6 * radius, column, 2.6 * radius, 1.5 * radius, shape=shape)
    image[r, c] = shirt
    r, c = draw.disk((row - 2, column), radius + 2, shape=shape)
    image[r, c] = (0.3, 0.24, 0.2)
    r, c = draw.ellipse(row + 2, column, radius, 0.85 * radius, shape=shape)
    image[r, c] = skin
    for side in (-1, 1):
        r, c = draw.disk((row, column + side * radius * 0.4), 1.8, shape=shape)
        image[r, c] = (0.1, 0.1, 0.1)
    r, c = draw.ellipse(row + radius * 0.6, column, 1.2, radius * 0.35, shape=shape)
    image[r, c] = (0.6, 0.25, 0.25)


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
