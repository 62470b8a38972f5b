"""Sentence pairs: what one is, how pairs are parted, and how to read them from a file of your own."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Pair:
    """A sentence and its translation.

    Attributes
    ----------
    src, tgt : list of str
        The words of the two sentences.
    alignment : frozenset of (int, int, str), or None
        Gold links (source index, target index, "S" sure or "P" possible), indices from 0; None where a
        corpus has none.
    """

    src: list[str]
    tgt: list[str]
    alignment: frozenset[tuple[int, int, str]] | None = None

    def __hash__(self) -> int:
        return hash((tuple(self.src), tuple(self.tgt)))


def part_of(src: list[str]) -> str:
    """Which part a sentence belongs to: its checksum decides, so no sentence is ever in two parts.

    About 90 % of all sentences are "train", 5 % "validation", 5 % "test", whatever the seed and length.
    """
    number = crc32(" ".join(src).encode()) % 100
    return "train" if number < 90 else "validation" if number < 95 else "test"


_ENGLISH = re.compile(r"\w+(?:['-]\w+)*|[^\w\s]")
# "commençons-nous", "a-t-il": the pronoun after the hyphen is a word of its own, the hyphen stays with it
_PRONOUN = "(t-)?(je|tu|il|elle|on|nous|vous|ils|elles|moi|toi|le|la|les|lui|leur|y|en|ce|ci|là)"
_INVERTED = re.compile(rf"-{_PRONOUN}(?![\w'])", re.IGNORECASE)
_FRENCH = re.compile(r"aujourd'hui|\w+(?:-\w+)*'|(?<=\s)-(?:t-)?\w+|\w+(?:-\w+)*|[^\w\s]", re.IGNORECASE)
# What is written without a space before it, and with a space that no line may break at (French typography)
_CLOSES, _SPACED = (
    (",", ".", "…", ")", "]", "’"),
    {";": "\u202f", "!": "\u202f", "?": "\u202f", ":": "\u00a0", "»": "\u00a0"},
)


def split_words(text: str, language: str = "en", *, lower: bool = True) -> list[str]:
    """Lower-case words and punctuation marks, each on its own, as the phrasebook splits them.

    English keeps a contraction whole ("didn't"); French splits after an apostrophe, which stays with the
    first part ("l'" "accord"), and before an inverted pronoun ("a" "-t-il").

    Parameters
    ----------
    text : str
    language : "en" or "fr"
    lower : bool
        With False, capitals stay.

    Raises
    ------
    ValueError
        If the language is another one.
    """
    if language not in ("en", "fr"):
        raise ValueError(f"language: expected en or fr, got {language!r}")
    text = text.replace("’", "'").replace("\u00a0", " ").replace("\u202f", " ")
    text = text.lower() if lower else text
    if language == "en":
        return _ENGLISH.findall(text)
    return _FRENCH.findall(_INVERTED.sub(r" -\1\2", text))


def join_words(words: Sequence[str]) -> str:
    """French words as one writes them: what ``split_words(…, "fr")`` takes apart, put together again.

    "l'" keeps no space after it, "-t-il" and "," none before them; ";", "!", "?", ":" and "»" stand after a
    space at which no line breaks.

    >>> join_words(["l'", "animal", "n'", "a", "pas", "mangé", "."])
    "l'animal n'a pas mangé."
    """
    text = ""
    for i, word in enumerate(words):
        before = words[i - 1] if i else ""
        opened = not i or before.endswith("'") or before in ("(", "[")
        if opened or word in _CLOSES or _INVERTED.fullmatch(word):
            space = ""
        elif before == "«":
            space = "\u00a0"
        else:
            space = _SPACED.get(word, " ")
        text += space + word
    return text


def parse_pairs(text: str, name: str) -> list[Pair]:
    """Pairs of the lines of a tab-separated text; see :func:`read_pairs` for the form and the errors."""
    pairs = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        columns = line.split("\t")
        if len(columns) < 2:
            raise ValueError(
                f"{name}, line {number}: expected source TAB target, found no tab in {line[:60]!r}"
            )
        src, tgt = split_words(columns[0], "en"), split_words(columns[1], "fr")
        for side, words in (("source", src), ("target", tgt)):
            if not words:
                raise ValueError(f"{name}, line {number}: the {side} is empty; remove the line or fill it")
        pairs.append(Pair(src, tgt))
    if not pairs:
        raise ValueError(f"{name}: expected lines of source TAB target, found none")
    return pairs


def read_pairs(path: str | os.PathLike) -> list[Pair]:
    """Pairs from a UTF-8 file of your own: one a line, source TAB target; further columns are ignored.

    Words are split by :func:`split_words`, the source as English, the target as French; text that is already
    split at spaces stays as it is, but for capitals. Blank lines are skipped.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is not UTF-8, has a line without a tab or with an empty side (the line is named), or no
        pair at all.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"{path}: no such file; expected a text file of source TAB target lines")
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ValueError(
            f"{path}, line {line}: not UTF-8; save the file as UTF-8 and read it again"
        ) from None
    return parse_pairs(text, str(path))
