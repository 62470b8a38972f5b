"""The book's own prose as plain text, for language models: a frozen copy, made by ``tools/prose.py``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("prose.txt")
HELD_OUT_EVERY = 12  # sections


@dataclass(frozen=True)
class Section:
    """A section of a chapter, a lab or the glossary.

    Attributes
    ----------
    source : str
        The notebook's name, such as "04_bahdanau", or "glossary".
    heading : str
    text : str
        Its paragraphs, an empty line between two.
    """

    source: str
    heading: str
    text: str


@cache
def sections() -> tuple[Section, ...]:
    """All sections in the order of the book."""
    found = []
    for part in ("\n" + FILE.read_text(encoding="utf-8")).split("\n# ")[1:]:
        head, _, text = part.partition("\n")
        source, _, heading = head.partition(": ")
        found.append(Section(source, heading, text.strip()))
    return tuple(found)


def split() -> tuple[list[Section], list[Section]]:
    """Sections to train on, and every twelfth, which is held out.

    Chapters have held-out sections among them, so a model has read about the topics, in other words.
    """
    parts: tuple[list[Section], list[Section]] = ([], [])
    for place, section in enumerate(sections()):
        parts[place % HELD_OUT_EVERY == HELD_OUT_EVERY - 1].append(section)
    return parts


def joined(parts: list[Section]) -> str:
    """Their text in one piece, each section behind an empty line."""
    return "".join(f"\n\n{section.text}" for section in parts)
