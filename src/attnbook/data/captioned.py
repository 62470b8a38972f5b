"""Images with captions of your own: a folder of pictures and one file that says what is on them.

The file is ``captions.txt``, ``captions.tsv`` or ``captions.csv``: one line a caption, the picture's name
first, then a tab or a comma, then the caption. Several lines may name one picture. So the file of Flickr8k
fits, in both of its usual forms (``dog.jpg#0<TAB>A dog runs .`` and ``image,caption`` with a first line that
names the columns).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from attnbook.arguments import whole_number

FILES = ("captions.txt", "captions.tsv", "captions.csv")
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?")


@dataclass(frozen=True)
class CaptionedImage:
    """A picture and all that was said about it.

    Attributes
    ----------
    name : str
    image : (3, side, side)
        Red, green and blue from 0 to 1; the largest square in the middle, made ``side`` pixels wide.
    captions : tuple of tuple of str
        Words in lower case, without punctuation.
    """

    name: str
    image: Tensor
    captions: tuple[tuple[str, ...], ...]


def captioned_images(folder: Path | str, side: int = 48) -> list[CaptionedImage]:
    """The pictures of a folder that have a caption, in the order of the file of captions.

    Parameters
    ----------
    folder : path
        Holds the file of captions, and the pictures beside it or in a folder below.
    side : int

    Raises
    ------
    ValueError
        If there is no file of captions, a line has no caption, or a picture is missing or cannot be read.
    """
    folder = Path(folder)
    whole_number("side", side)
    found = [folder / name for name in FILES if (folder / name).is_file()]
    if not found:
        raise ValueError(f"folder: {folder} holds none of {', '.join(FILES)}; write one line a caption")
    said = _captions(found[0])
    below = {path.name: path for path in sorted(folder.rglob("*")) if path.is_file()}
    images = []
    for name, captions in said.items():
        path = folder / name if (folder / name).is_file() else below.get(name)
        if path is None:
            raise ValueError(f"folder: {found[0]} names {name}, which is nowhere in {folder}")
        images.append(CaptionedImage(name, _square(path, side), tuple(captions)))
    return images


def _captions(path: Path) -> dict[str, list[tuple[str, ...]]]:
    """Picture's name → its captions."""
    said: dict[str, list[tuple[str, ...]]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), start=1):
        if not line.strip():
            continue
        name, separator, caption = line.partition("\t" if "\t" in line else ",")
        words = tuple(WORD.findall(caption.lower()))
        if number == 1 and words == ("caption",):
            continue
        if not separator or not words:
            raise ValueError(
                f"{path}, line {number}: expected a picture's name, a tab or a comma, and a caption"
            )
        said.setdefault(re.sub(r"#\d+$", "", name.strip()), []).append(words)
    if not said:
        raise ValueError(f"folder: {path} has no captions")
    return said


def _square(path: Path, side: int) -> Tensor:
    """(3, side, side)."""
    try:
        with Image.open(path) as picture:
            short = min(picture.size)
            left, top = (picture.width - short) // 2, (picture.height - short) // 2
            square = picture.convert("RGB").crop((left, top, left + short, top + short))
            pixels = np.asarray(square.resize((side, side), Image.Resampling.BILINEAR))
    except (UnidentifiedImageError, OSError) as error:
        raise ValueError(f"folder: {path} cannot be read as a picture ({error})") from None
    return torch.from_numpy(pixels.astype(np.float32) / 255).permute(2, 0, 1).contiguous()
