"""A drawn class photograph, where it is known where each face is: children, their teacher, a balloon."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from attnbook.extras import needs

with needs("vision"):
    from skimage import draw

HEIGHT, WIDTH = 240, 320
FINER = 4  # drawn so much larger and averaged down, so that no edge is jagged
WALL, FLOOR = "#9c9e9b", "#8d857a"
JACKET = "#4d78b0"  # worn by the teacher alone
BALLOON = "#e61f26"
INK, WHITE = "#2b211d", "#f7f3ee"


@dataclass(frozen=True)
class Person:
    """How somebody looks. Colours are "#rrggbb"."""

    row: float
    column: float
    radius: float
    skin: str
    hair: str
    style: str  # "short", "long", "curly", "bun", "scarf" or "bald"
    shirt: str
    stripes: bool = False
    glasses: bool = False
    beard: bool = False


CHILDREN = (
    Person(84, 62, 14, "#f1c9a5", "#8a4b23", "short", "#8a6f5f"),
    Person(80, 120, 14, "#8d5a3b", "#231815", "curly", "#7d8577"),
    Person(86, 180, 13, "#e0ac7e", "#2a1f1b", "long", "#8f7f88"),
    Person(142, 40, 14, "#6b4230", "#1c1412", "bun", "#87838f"),
    Person(138, 98, 13, "#f6d7bd", "#d9a441", "long", "#8f8a72", glasses=True),
    Person(144, 156, 13, "#c98f62", "#3a2a22", "short", "#8b8680", stripes=True),
    Person(140, 212, 14, "#b77f56", "#6f7f72", "scarf", "#85796f"),
)
TEACHER = Person(78, 264, 17, "#a86f4a", "#4a4440", "bald", JACKET, beard=True)


@dataclass(frozen=True)
class GroupPicture:
    """A class and its teacher.

    Attributes
    ----------
    image : (240, 320, 3), float32 from 0 to 1
        What a model gets.
    print : (960, 1280, 3), float32 from 0 to 1
        The same, four times as fine, for a figure.
    faces : (people, 2) int64
        Row and column of the middle of each face in ``image``; the teacher's is the last.
    stripes : (2,) int64
        The middle of the one striped shirt.
    balloon : (2,) int64
        The most colourful thing in the picture.
    jacket : (3,) floats
        The colour that only the teacher wears.
    """

    image: Tensor
    print: Tensor
    faces: Tensor
    stripes: Tensor
    balloon: Tensor
    jacket: tuple[float, float, float]


def group_picture() -> GroupPicture:
    """Seven children in two rows, a teacher in a blue jacket, and a balloon that nobody asked about."""
    canvas = Canvas()
    canvas.polygon([(186, 0), (186, WIDTH), (HEIGHT, WIDTH), (HEIGHT, 0)], FLOOR)
    canvas.line((58, 41), (104, 46), 0.6, "#6d6a66")
    canvas.ellipse(40, 38, 17, 15, BALLOON)
    canvas.ellipse(33, 33, 4, 3, "#f0777b")
    people = (*CHILDREN[:3], TEACHER, *CHILDREN[3:])  # those behind first
    for person in people:
        _draw(canvas, person)
    striped = next(one for one in CHILDREN if one.stripes)
    return GroupPicture(
        image=canvas.averaged(FINER),
        print=canvas.averaged(1),
        faces=torch.tensor([(round(one.row), round(one.column)) for one in (*CHILDREN, TEACHER)]),
        stripes=torch.tensor([round(striped.row + 2.9 * striped.radius), round(striped.column)]),
        balloon=torch.tensor([40, 38]),
        jacket=_rgb(JACKET),
    )


class Canvas:
    """A picture of 240 × 320 units, drawn ``FINER`` times as fine."""

    def __init__(self) -> None:
        self.pixels = np.tile(np.array(_rgb(WALL), dtype=np.float32), (HEIGHT * FINER, WIDTH * FINER, 1))

    def ellipse(self, row: float, column: float, tall: float, wide: float, colour: str) -> None:
        """Filled; ``tall`` and ``wide`` are half its sides."""
        shape = self.pixels.shape[:2]
        r, c = draw.ellipse(row * FINER, column * FINER, tall * FINER, wide * FINER, shape=shape)
        self.pixels[r, c] = _rgb(colour)

    def polygon(self, corners: list[tuple[float, float]], colour: str) -> None:
        """Filled, through (row, column) of each corner."""
        rows, columns = np.array(corners).T * FINER
        r, c = draw.polygon(rows, columns, shape=self.pixels.shape[:2])
        self.pixels[r, c] = _rgb(colour)

    def line(self, start: tuple[float, float], end: tuple[float, float], width: float, colour: str) -> None:
        """Straight, with round ends."""
        for share in np.linspace(0, 1, 200):
            row, column = (1 - share) * np.array(start) + share * np.array(end)
            self.ellipse(row, column, width, width, colour)

    def smile(self, row: float, column: float, wide: float, colour: str) -> None:
        """An arc that hangs down in the middle."""
        for across in np.linspace(-1, 1, 60):
            self.ellipse(row + 0.45 * wide * (1 - across**2), column + wide * across, 0.55, 0.55, colour)

    def averaged(self, step: int) -> Tensor:
        """Each ``step`` × ``step`` pixels as one."""
        h, w, _ = self.pixels.shape
        blocks = self.pixels.reshape(h // step, step, w // step, step, 3)
        return torch.from_numpy(blocks.mean(axis=(1, 3)).astype(np.float32))


def _draw(canvas: Canvas, one: Person) -> None:
    """Hair behind, body, neck, head, face, hair in front."""
    row, column, r = one.row, one.column, one.radius
    _hair_behind(canvas, one)
    canvas.ellipse(row + 4.0 * r, column, 2.7 * r, 1.55 * r, one.shirt)
    if one.stripes:
        for k in range(-3, 4):
            top = row + 1.9 * r + 0.045 * r * k * k
            canvas.line((top, column + 0.38 * r * k), (row + 4.6 * r, column + 0.38 * r * k), 0.75, WHITE)
    canvas.ellipse(row + 1.15 * r, column, 0.6 * r, 0.42 * r, one.skin)
    for side in (-1, 1) if one.style != "scarf" else ():
        canvas.ellipse(row + 0.1 * r, column + side * 0.86 * r, 0.24 * r, 0.16 * r, one.skin)  # ears
    canvas.ellipse(row, column, 1.05 * r, 0.86 * r, one.skin)
    _hair_in_front(canvas, one)
    for side in (-1, 1):
        eye = column + side * 0.36 * r
        canvas.ellipse(row - 0.02 * r, eye, 0.15 * r, 0.18 * r, WHITE)
        canvas.ellipse(row, eye, 0.12 * r, 0.1 * r, INK)
        canvas.line((row - 0.3 * r, eye - 0.16 * r), (row - 0.33 * r, eye + 0.16 * r), 0.45, INK)
        if one.glasses:
            for turn in np.linspace(0, 2 * np.pi, 80):
                canvas.ellipse(row + 0.27 * r * np.sin(turn), eye + 0.28 * r * np.cos(turn), 0.4, 0.4, INK)
    if one.beard:
        canvas.ellipse(row + 0.72 * r, column, 0.34 * r, 0.56 * r, one.hair)
        canvas.ellipse(row + 0.52 * r, column, 0.2 * r, 0.4 * r, one.skin)
    canvas.smile(row + 0.42 * r, column, 0.34 * r, "#8c3b35")


def _hair_behind(canvas: Canvas, one: Person) -> None:
    row, column, r = one.row, one.column, one.radius
    if one.style == "long":
        canvas.ellipse(row + 0.5 * r, column, 1.6 * r, 1.12 * r, one.hair)
    elif one.style == "scarf":
        canvas.ellipse(row + 0.35 * r, column, 1.5 * r, 1.15 * r, one.hair)
    elif one.style == "curly":
        for turn in np.linspace(0, 2 * np.pi, 17):
            canvas.ellipse(row - 0.35 * r + 0.85 * r * np.sin(turn), column + 0.95 * r * np.cos(turn),
                           0.38 * r, 0.38 * r, one.hair)  # fmt: skip
        canvas.ellipse(row - 0.35 * r, column, 0.9 * r, r, one.hair)
    elif one.style == "bun":
        canvas.ellipse(row - 1.25 * r, column, 0.42 * r, 0.48 * r, one.hair)
        canvas.ellipse(row - 0.2 * r, column, r, 0.95 * r, one.hair)
    elif one.style == "short":
        canvas.ellipse(row - 0.25 * r, column, r, 0.95 * r, one.hair)


def _hair_in_front(canvas: Canvas, one: Person) -> None:
    """The part that falls over the forehead: the upper cap of an ellipse."""
    row, column, r = one.row, one.column, one.radius
    if one.style == "bald":
        return
    if one.style == "scarf":
        for turn in np.linspace(0, 2 * np.pi, 160):
            canvas.ellipse(row + 1.08 * r * np.sin(turn), column + 0.9 * r * np.cos(turn), 1.1, 1.1, one.hair)
        return
    hairline = {"short": -0.55, "long": -0.5, "curly": -0.62, "bun": -0.68}[one.style]
    across = np.linspace(-0.9, 0.9, 41)
    upper = [(row - 1.1 * r * np.sqrt(1 - x * x), column + 0.92 * r * x) for x in across]
    lower = [(row + r * (hairline + 0.28 * x * x), column + 0.92 * r * x) for x in across[::-1]]
    canvas.polygon(upper + lower, one.hair)


def _rgb(colour: str) -> tuple[float, float, float]:
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue
