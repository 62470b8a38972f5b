"""Scenes of handwritten digits with known boxes, and captions of a tiny grammar: "a three above a seven".

The digits are the 1,797 real ones of 8 × 8 pixels that come with scikit-learn (Alpaydin & Kaynak 1998,
https://archive.ics.uci.edu/dataset/80, CC BY 4.0). A scene holds two of them on an empty canvas, without
overlap. Where one stands higher by more than it stands aside, the caption says *above* and names the higher
one first; otherwise it says *left of* and names the left one first. So each scene has one right caption, and
each named digit a box.

No digit image is in two parts: what a model is tested on, it has never seen, not even elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from random import Random
from typing import Any

import torch
from torch import Tensor

from attnbook.arguments import whole_number
from attnbook.data.vocabulary import Vocabulary
from attnbook.extras import needs

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
SIDE = 8  # of a digit's image, in pixels
CANVAS = 24
PARTS = {"train": 1197, "validation": 300, "test": 300}
LONGEST = 6  # words of a caption
CLEAR = 3  # pixels by which one offset is larger than the other, so that the relation is plain


@dataclass(frozen=True)
class DigitImages:
    """Single digits.

    Attributes
    ----------
    images : (digits, 8, 8)
        Ink from 0 to 1.
    labels : (digits,) of int
    sources : (digits,) of int
        Each image's index in scikit-learn's ``load_digits()``.
    """

    images: Tensor
    labels: Tensor
    sources: Tensor


@dataclass(frozen=True)
class Box:
    """A rectangle of pixels: row and column of its upper left corner, height and width."""

    row: int
    column: int
    height: int = SIDE
    width: int = SIDE

    def mask(self, canvas: int = CANVAS) -> Tensor:
        """(canvas, canvas) of bool: True inside."""
        inside = torch.zeros(canvas, canvas, dtype=torch.bool)
        inside[self.row : self.row + self.height, self.column : self.column + self.width] = True
        return inside


@dataclass(frozen=True)
class Scene:
    """Two digits on a canvas.

    Attributes
    ----------
    image : (canvas, canvas)
        Ink from 0 to 1.
    caption : tuple of str
    boxes : tuple of Box
        In the order in which the caption names the digits.
    digits : tuple of int
        In the same order.
    sources : tuple of int
        Their images' indices in ``load_digits()``.
    """

    image: Tensor
    caption: tuple[str, ...]
    boxes: tuple[Box, ...]
    digits: tuple[int, ...]
    sources: tuple[int, ...]

    @property
    def objects(self) -> tuple[int | None, ...]:
        """For each word of the caption which box it names: 0 or 1, or None for *a*, *above*, *left*, *of*."""
        named = [word in DIGITS for word in self.caption]
        return tuple(sum(named[:place]) if is_digit else None for place, is_digit in enumerate(named))


@cache
def digit_images(part: str) -> DigitImages:
    """The digits of one part: 1,197 for "train", 300 each for "validation" and "test".

    Raises
    ------
    ValueError
        If the part is unknown.
    MissingExtra
        If scikit-learn is not installed.
    """
    if part not in PARTS:
        raise ValueError(f"part: expected one of {', '.join(PARTS)}, got {part!r}")
    with needs("experiments"):
        from sklearn.datasets import load_digits
    digits: Any = load_digits()
    order = list(range(len(digits.target)))
    Random(6).shuffle(order)
    start = sum(size for name, size in PARTS.items() if list(PARTS).index(name) < list(PARTS).index(part))
    chosen = torch.tensor(order[start : start + PARTS[part]])
    images = torch.from_numpy(digits.images).to(torch.get_default_dtype()) / 16
    return DigitImages(images[chosen], torch.from_numpy(digits.target).long()[chosen], chosen)


def scenes(n: int, seed: int, part: str = "train", canvas: int = CANVAS) -> list[Scene]:
    """``n`` scenes; the same for the same arguments.

    Parameters
    ----------
    n, seed : int
    part : "train", "validation" or "test"
        Which digit images may be used.
    canvas : int
        Height and width in pixels; at least 19, so that two digits and a plain relation fit.

    Raises
    ------
    TypeError, ValueError
        If a number is out of range, or the part is unknown.
    """
    whole_number("n", n)
    whole_number("seed", seed, least=0)
    whole_number("canvas", canvas, least=2 * SIDE + CLEAR)
    pool = digit_images(part)
    random = Random(f"{part} {seed}")
    found = []
    while len(found) < n:
        pair = [random.randrange(len(pool.labels)) for _ in range(2)]
        corners = [(random.randint(0, canvas - SIDE), random.randint(0, canvas - SIDE)) for _ in range(2)]
        if relation(*corners) is not None:
            found.append(compose(pool, pair, corners, canvas))
    return found


def relation(one: tuple[int, int], other: tuple[int, int]) -> str | None:
    """ "above", "below", "left" or "right": where ``one`` stands, seen from ``other``; corners (row, column).

    None where the boxes overlap, or neither direction is plainly the larger.
    """
    down, right = other[0] - one[0], other[1] - one[1]
    if max(abs(down), abs(right)) < SIDE or abs(abs(down) - abs(right)) < CLEAR:
        return None
    if abs(down) > abs(right):
        return "above" if down > 0 else "below"
    return "left" if right > 0 else "right"


def compose(
    pool: DigitImages,
    pair: Sequence[int],
    corners: Sequence[tuple[int, int]],
    canvas: int = CANVAS,
) -> Scene:
    """A scene of your own.

    Parameters
    ----------
    pool : DigitImages
        From :func:`digit_images`.
    pair : two int
        Which of the pool's images.
    corners : two (row, column)
        Where each one's upper left corner stands.
    canvas : int

    Raises
    ------
    ValueError
        If there are not two of each, a digit leaves the canvas, or the two have no plain relation.
    """
    if len(pair) != 2 or len(corners) != 2:
        raise ValueError(f"corners: expected two digits and two corners, got {len(pair)} and {len(corners)}")
    for row, column in corners:
        if not (0 <= row <= canvas - SIDE and 0 <= column <= canvas - SIDE):
            raise ValueError(
                f"corners: ({row}, {column}) puts a digit of {SIDE} pixels beyond the canvas of {canvas}"
            )
    stands = relation(corners[0], corners[1])
    if stands is None:
        raise ValueError(
            f"corners: {tuple(corners[0])} and {tuple(corners[1])} overlap, or stand aslant by nearly equal "
            "offsets, so that no caption is right; move one"
        )
    order = (0, 1) if stands in ("above", "left") else (1, 0)
    image = torch.zeros(canvas, canvas)
    for number, (row, column) in zip(pair, corners, strict=True):
        image[row : row + SIDE, column : column + SIDE] = pool.images[number]
    first, second = (int(pool.labels[pair[number]]) for number in order)
    words = ("above",) if stands in ("above", "below") else ("left", "of")
    return Scene(
        image,
        ("a", DIGITS[first], *words, "a", DIGITS[second]),
        tuple(Box(*corners[number]) for number in order),
        (first, second),
        tuple(int(pool.sources[pair[number]]) for number in order),
    )


def single_digits(n: int, seed: int, part: str = "train", canvas: int = CANVAS) -> tuple[Tensor, Tensor]:
    """One digit a canvas, anywhere on it.

    Returns
    -------
    images : (n, canvas, canvas)
    labels : (n,) of int
    """
    whole_number("n", n)
    whole_number("seed", seed, least=0)
    whole_number("canvas", canvas, least=SIDE)
    pool = digit_images(part)
    random = Random(f"single {part} {seed}")
    images, labels = torch.zeros(n, canvas, canvas), torch.zeros(n, dtype=torch.long)
    for place in range(n):
        number = random.randrange(len(pool.labels))
        row, column = random.randint(0, canvas - SIDE), random.randint(0, canvas - SIDE)
        images[place, row : row + SIDE, column : column + SIDE] = pool.images[number]
        labels[place] = pool.labels[number]
    return images, labels


def vocabulary() -> Vocabulary:
    """The fourteen words of the captions."""
    return Vocabulary(["a", "above", "left", "of", *DIGITS])


def as_tensors(given: Sequence[Scene], words: Vocabulary) -> tuple[Tensor, Tensor, Tensor]:
    """Scenes as a model reads them.

    Returns
    -------
    images : (scenes, 1, canvas, canvas)
    captions : (scenes, 8) of int
        <bos>, the words, <eos>, padding.
    mask : (scenes, 8) of bool
        True for <bos>, words and <eos>.

    Raises
    ------
    ValueError
        If there is no scene.
    """
    if not given:
        raise ValueError("given: expected at least one scene, got none")
    captions = torch.full((len(given), LONGEST + 2), words.pad)
    for row, scene in enumerate(given):
        numbers = words.encode(scene.caption, bos=True, eos=True)
        captions[row, : len(numbers)] = torch.tensor(numbers)
    return torch.stack([scene.image for scene in given]).unsqueeze(1), captions, captions != words.pad
