"""The map of all attentions: what each asks and is asked, what it costs, where the book teaches it.

The rows stand in ``attention_map.toml``; the table and the drawing of chapter 15, the sheet
``book/quick_reference.md`` and the widget ``AttentionMap`` are made from them. Reading them needs no torch.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

STORED = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True)
class Place:
    """A heading of the book.

    Attributes
    ----------
    notebook : str
        Its file in ``chapters/``, without the suffix.
    heading : str
        As it is printed; "" for the notebook as a whole.
    """

    notebook: str
    heading: str

    @property
    def label(self) -> str:
        """How a text names it: "5.7", or "11, lab"."""
        number = re.match(r"\d+\.\d+(?= )", self.heading)
        chapter = str(int(self.notebook[:2]))
        if "_lab_" in self.notebook:
            return f"{chapter}, lab"
        return number[0] if number else chapter

    @property
    def anchor(self) -> str:
        """The heading's name in an address, as Sphinx gives it: without number and signs."""
        return re.sub(r"[^a-z0-9]+", "-", _ascii(self.heading).lower()).strip("-0123456789")

    def link(self, folder: str = "") -> str:
        """A link in Markdown, to be written in a file from which ``folder`` leads to the chapters."""
        words = re.sub(r"[^\w\s-]", "", self.heading.lower()).strip()
        part = "#" + re.sub(r"\s", "-", words) if words else ""
        return f"[{self.label}]({folder}{self.notebook}.ipynb{part})"


def _ascii(text: str) -> str:
    """As docutils makes an identifier: a letter with an accent loses it, other signs go."""
    import unicodedata

    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


@dataclass(frozen=True)
class Named:
    """A column of the map (whom an attention asks), a row of it (how much it meets), or a need."""

    id: str
    name: str


@dataclass(frozen=True)
class Reason:
    """Why an attention stays, or goes, when a need is given.

    Attributes
    ----------
    need, id : str
    stays : bool
    why : str
        One or two sentences, of a measurement in the book or of what follows from the formula.
    where : Place
        Where the book says it.
    """

    need: str
    id: str
    stays: bool
    why: str
    where: Place


@dataclass(frozen=True)
class Row:
    """One attention, or a baseline that attention is measured against.

    Attributes
    ----------
    id, name : str
    where : Place
        Where the book teaches it.
    who, reach : str
        Its column and row on the map.
    asks, asked, score, normaliser, mixed, used : str
        In words, with formulas between dollar signs.
    cost, cache : str
        Formulas in the symbols of ``book/notation.md``: multiplications of scores and mixing in one layer,
        projections left out; numbers that are kept from step to step, "" if nothing is.
    fits : dict
        Need → the id of the reason.
    classes : tuple of str
        What ``attnbook.nn`` exports of it.
    attention : bool
        False for a baseline.
    """

    id: str
    name: str
    where: Place
    who: str
    reach: str
    asks: str
    asked: str
    score: str
    normaliser: str
    mixed: str
    cost: str
    cache: str
    used: str
    fits: dict[str, str]
    classes: tuple[str, ...] = ()
    attention: bool = True

    def reason(self, need: str) -> Reason:
        """Why it stays or goes when ``need`` is given.

        Raises
        ------
        ValueError
            If there is no such need.
        """
        if need not in self.fits:
            raise ValueError(f"need: expected one of {', '.join(self.fits)}, got {need!r}.")
        return reasons()[need, self.fits[need]]

    def stays(self, needs: Iterable[str]) -> bool:
        """Whether it remains when all of ``needs`` are given."""
        return all(self.reason(need).stays for need in needs)


@cache
def _stored() -> dict[str, list[dict]]:
    return tomllib.loads(STORED.read_text(encoding="utf-8"))


def askers() -> list[Named]:
    """The columns of the map: who asks whom."""
    return [Named(**one) for one in _stored()["who"]]


def reaches() -> list[Named]:
    """The rows of the map: how much a query meets."""
    return [Named(**one) for one in _stored()["reach"]]


def needs() -> list[Named]:
    """What a task may ask of an attention."""
    return [Named(**one) for one in _stored()["needs"]]


@cache
def reasons() -> dict[tuple[str, str], Reason]:
    """All reasons by need and id."""
    stored = (Reason(**{**one, "where": Place(*one["where"])}) for one in _stored()["reasons"])
    return {(one.need, one.id): one for one in stored}


@cache
def rows() -> tuple[Row, ...]:
    """All rows, in the order in which the book teaches them."""
    return tuple(
        Row(**{**one, "where": Place(*one["where"]), "classes": tuple(one.get("classes", ()))})
        for one in _stored()["rows"]
    )


def remaining(wanted: Iterable[str]) -> list[Row]:
    """The rows that meet every need in ``wanted``.

    Raises
    ------
    ValueError
        If one of them is no need of the map.
    """
    wanted = list(wanted)
    return [row for row in rows() if row.stays(wanted)]


def formula(text: str) -> str:
    """A cost as Markdown sets it; "" is a dash."""
    return f"${text}$" if text else "–"


class Table:
    """All rows as a table: in a notebook as Markdown, in plain text as its names.

    Parameters
    ----------
    folder : str
        Leads from the file in which the table stands to the chapters.
    """

    def __init__(self, folder: str = ""):
        self.folder = folder

    def _repr_markdown_(self) -> str:
        head = (
            "attention", "who asks", "who is asked", "score", "normaliser", "what is mixed", "cost", "cache",
            "taught", "used",
        )  # fmt: skip
        lines = [head, ["---"] * len(head)]
        for row in rows():
            lines.append(
                [
                    row.name, row.asks, row.asked, row.score, row.normaliser, row.mixed,
                    formula(row.cost), formula(row.cache), row.where.link(self.folder), row.used,
                ]
            )  # fmt: skip
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def __repr__(self) -> str:
        chapters: dict[str, list[str]] = {}
        for row in rows():
            chapters.setdefault(str(int(row.where.notebook[:2])), []).append(row.name)
        return "\n".join(f"{chapter:>2}: {', '.join(names)}" for chapter, names in chapters.items())
