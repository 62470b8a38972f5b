"""Chapter 5's grid: which score, who asks, with input feeding or without, the whole sentence or a window.

``attnbook run luong_grid --seeds 3 --device cpu --threads 1`` runs ``attnbook run translation`` once for each
row of :data:`ROWS`, :data:`WIDER` and :data:`LONGER`, at equal terms (:data:`TERMS`), and leaves out what is
stored already, so that it goes on where it was cut off. Each row is stored under its own name. :func:`stored`
reads the rows of one size and one length of training that there are, and :func:`table` prints them. Only such
rows are compared with one another.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attnbook.results import FOLDER, read

ABOUT = "chapter 5's grid: score, who asks, input feeding, window; each row a run of translation"

HIDDEN = 32  # a bidirectional encoder of 2 × 32 numbers, a decoder of 64 for every score
WIDE = 64  # twice that: first the rows of chapters 3 and 4
SHORT, LONG = 20, 40  # words of the longest sentence of training
TERMS = "--batch-size 64 --most-steps 2500 --learning-rates .002 .004 .008"
# In these a row may differ. The larger rows of chapters 3 and 4 also tried the rate .001, which never won,
# and keep a curve.
OWN = ("attention", "query", "alignment", "input_feeding", "identity", "learning_rates", "bleu_curve")
MEASURED = ("second_beam",)  # after training: not a term of it
BEAM = 5  # hypotheses of the second search, where one is made
ASKERS = {"previous": "asks before", "previous-word": "asks before + word", "current": "asks after"}


@dataclass(frozen=True)
class Row:
    """One decoder of the grid.

    Attributes
    ----------
    attention : str
        The score, or "none" for one fixed vector.
    query : "previous", "previous-word" or "current"
        Which state asks: the one before the update, the same with the last word, or the one after it.
    feeding : bool
        Whether the attentional vector is fed to the next step.
    alignment : "global", "local-m" or "local-p"
    identity : bool
        Whether W_a of *general* starts as the identity, so that the first scores are those of *dot*.
    """

    attention: str
    query: str = "current"
    feeding: bool = False
    alignment: str = "global"
    identity: bool = False

    @property
    def name(self) -> str:
        """Such as "general, local-p, feeding"; a row whose state asks after the update does not say so."""
        if self.attention == "none":
            return "fixed vector"
        parts = [self.attention]
        parts += [self.alignment] if self.alignment != "global" else []
        parts += [ASKERS[self.query]] if self.query != "current" else []
        parts += ["feeding"] if self.feeding else []
        parts += ["from the identity"] if self.identity else []
        return ", ".join(parts)

    def words(self, hidden: int = HIDDEN, longest: int = SHORT) -> list[str]:
        """The options of ``attnbook run translation``."""
        words = ["--attention", self.attention, "--query", self.query]
        words += ["--alignment", self.alignment] if self.alignment != "global" else []
        words += ["--input-feeding"] if self.feeding else []
        words += ["--identity"] if self.identity else []
        words += ["--longest", str(longest)] if longest != SHORT else []
        words += ["--second-beam", str(BEAM)] if hidden == WIDE or longest == LONG else []
        return [*words, "--hidden", str(hidden), *TERMS.split()]

    def result(self, hidden: int = HIDDEN, longest: int = SHORT) -> str:
        """The name under which the row of that size is stored, as ``translation.result_name`` makes it."""
        parts = ["translation", "phrasebook", self.attention]
        parts += [self.alignment] if self.alignment != "global" else []
        parts += [self.query] if self.query != "previous" else []
        parts += [str(hidden)]
        parts += ["feeding"] if self.feeding else []
        parts += ["identity"] if self.identity else []
        parts += [f"to-{longest}"] if longest != SHORT else []
        return "_".join(parts)


ROWS = (
    Row("none", "previous"),  # chapter 3
    # who asks before the update, as in chapter 4
    Row("additive", "previous"),
    Row("additive", "previous-word"),
    Row("dot", "previous"),
    Row("general", "previous"),
    # who asks after it
    Row("additive"),
    Row("dot"),
    Row("general"),
    Row("general", identity=True),
    Row("concat"),
    Row("location"),
    # and feeds what was found to the next step
    Row("additive", feeding=True),
    Row("dot", feeding=True),
    Row("general", feeding=True),
    Row("concat", feeding=True),
    # windows
    Row("general", alignment="local-m"),
    Row("general", alignment="local-p"),
    Row("general", alignment="local-p", feeding=True),
)
# A decoder of twice the size; the first four rows are those of chapters 3 and 4
WIDER = (
    Row("none", "previous"),
    Row("additive", "previous"),
    Row("additive", "previous-word"),
    Row("additive"),
    Row("dot"),
    Row("general"),
    Row("concat"),
    Row("general", alignment="local-m"),
    Row("general", feeding=True),
)
# Trained on the lengths of the test, as the paper's were
LONGER = (
    Row("general"),
    Row("general", alignment="local-m"),
)
PARTS = ((HIDDEN, SHORT, ROWS), (HIDDEN, LONG, LONGER), (WIDE, SHORT, WIDER))

# heading, number in the summary, decimals
COLUMNS = (("loss", "validation loss", 3), ("exact", "exact", 2), ("endless", "endless", 3))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options of its own: the rows are listed above."""


def runs(seeds: Sequence[int]) -> list[list[str]]:
    """What ``attnbook run`` has to be given for each row that lacks one of these seeds.

    ``translation`` itself leaves out the seeds that a row has.
    """
    wanted = {str(seed) for seed in seeds}
    return [
        ["translation", *row.words(hidden, longest)]
        for hidden, longest, rows in PARTS
        for row in rows
        if not wanted <= set((_read(row, hidden, longest) or {"seeds": ()})["seeds"])
    ]


def _read(row: Row, hidden: int, longest: int) -> dict[str, Any] | None:
    path = FOLDER / f"{row.result(hidden, longest)}.json"
    return read(path) if path.exists() else None


def stored(hidden: int = HIDDEN, longest: int = SHORT, least: int = 3) -> dict[Row, dict[str, Any]]:
    """The results of each row of this size and this length of training that has at least so many seeds.

    They stand in the order in which the rows are listed.

    Raises
    ------
    ValueError
        If the grid has no such part, or two rows were trained at different terms; the sentence names the
        option.
    """
    parts = {(size, length): rows for size, length, rows in PARTS}
    if (hidden, longest) not in parts:
        known = ", ".join(map(str, parts))
        raise ValueError(f"hidden, longest: expected one of {known}, got ({hidden}, {longest})")
    rows = parts[hidden, longest]
    read_rows = ((row, _read(row, hidden, longest)) for row in rows)
    found = {row: results for row, results in read_rows if results and len(results["seeds"]) >= least}
    terms = [_terms(results["options"]) for results in found.values()]
    for row, own in zip(found, terms, strict=True):
        for option, value in own.items():
            if value != terms[0][option]:
                raise ValueError(
                    f"{row.result(hidden, longest)}: {option} is {value}, and {terms[0][option]} in the "
                    "other rows; store the row again by attnbook run luong_grid"
                )
    return found


def names() -> set[str]:
    """Under which names the rows that :func:`stored` reads are stored, of all parts."""
    return {row.result(hidden, longest) for hidden, longest, _ in PARTS for row in stored(hidden, longest)}


def _terms(options: dict[str, Any]) -> dict[str, Any]:
    return {option: value for option, value in sorted(options.items()) if option not in OWN + MEASURED}


def apart(first: dict[str, Any], second: dict[str, Any], number: str) -> bool:
    """Whether two rows' results differ by more than their seeds: the ranges over seeds do not meet.

    Parameters
    ----------
    first, second : dict
        Results, as :func:`stored` has them.
    number : str
        A number of the summary, such as "endless by length/31-40".
    """
    one, other = first["summary"][number], second["summary"][number]
    return one["max"] < other["min"] or other["max"] < one["min"]


def table(
    columns: Sequence[tuple[str, str, int]] = COLUMNS,
    hidden: int = HIDDEN,
    longest: int = SHORT,
    least: int = 3,
) -> str:
    """The rows of one size that are stored, a line each: mean (smallest–largest) over seeds.

    Parameters
    ----------
    columns : sequence of (heading, number in the summary, decimals)
    hidden, longest : int
        The size, and the length of the longest sentence of training, as in :func:`stored`.
    least : int
        Leave out rows of fewer seeds.
    """
    lines = [["", *(heading for heading, _, _ in columns)]]
    for row, results in stored(hidden, longest, least).items():
        numbers = [_cell(results["summary"].get(key), decimals) for _, key, decimals in columns]
        lines.append([row.name, *numbers])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip()
        for line in lines
    )


def _cell(number: dict[str, float] | None, decimals: int) -> str:
    if number is None:
        return "–"
    mean, low, high = (f"{number[part]:.{decimals}f}" for part in ("mean", "min", "max"))
    if decimals:  # .96 rather than 0.96: a table is as wide as a page
        mean, low, high = (text.removeprefix("0") if text != "0" else text for text in (mean, low, high))
    return mean if number["n"] < 2 else f"{mean} ({low}–{high})"
