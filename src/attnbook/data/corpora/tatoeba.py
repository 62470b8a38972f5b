"""Tatoeba's English-French sentence pairs: short, everyday, written by volunteers (CC BY 2.0 FR)."""

from __future__ import annotations

from functools import cache
from zipfile import BadZipFile, ZipFile

from attnbook.data.corpora.fetch import fetch
from attnbook.data.pairs import Pair, parse_pairs, part_of


@cache
def _all() -> tuple[Pair, ...]:
    path = fetch("tatoeba")
    try:
        with ZipFile(path) as archive:
            text = archive.read("fra.txt").decode("utf-8")
    except (BadZipFile, KeyError) as error:
        raise ValueError(f"{path}: expected a zip file with fra.txt in it ({error})") from None
    return tuple(parse_pairs(text, "fra.txt"))


def pairs(part: str | None = None, length: tuple[int, int] = (1, 60)) -> list[Pair]:
    """The pairs whose source has a number of words in ``length`` (both ends included).

    Parameters
    ----------
    part : "train", "validation", "test" or None
        Parted by the source sentence, so that two translations of one sentence never fall into two parts.
        "validation" and "test" keep the first translation of each sentence.
    length : (int, int)

    Returns
    -------
    list of Pair
        Without alignments. Lower-case words and punctuation marks, French split after the apostrophe.
    """
    shortest, longest = length
    found = [pair for pair in _all() if shortest <= len(pair.src) <= longest]
    if part is None:
        return found
    found = [pair for pair in found if part_of(pair.src) == part]
    if part == "train":
        return found
    first: dict[tuple[str, ...], Pair] = {}
    for pair in found:
        first.setdefault(tuple(pair.src), pair)
    return list(first.values())
