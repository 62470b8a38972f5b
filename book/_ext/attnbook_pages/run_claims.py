"""What the page says of each stored run: ``book/results.yml``, and whether the numbers bear it out.

A claim's numbers are filled in from the run: ``{accuracy/full/64:.0 %}`` is the mean over seeds,
``{lowest …}`` and ``{highest …}`` its extremes, ``{option steps}`` a setting. What a claim asserts beyond its
numbers stands under ``holds``, and the page is not built where it does not:

=====================  ==================================================================================
``A > B``              every seed of A lies above every seed of B: their ranges do not overlap
``each: A > B``        with each seed A lies above B, though the ranges may overlap
``A > 2 × B``          every seed of A lies above twice every seed of B
``A == B``             all seeds of both are the same, to three places
``A ~ B``              the ranges overlap: no order is to be told
=====================  ==================================================================================

A and B are names of numbers (:mod:`run_numbers`) or numbers. Comparisons may be chained, ``A > B > 0.5``, and
``{x|y}`` in one of them stands for each of several.
"""

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from itertools import pairwise, product
from string import Formatter
from typing import Any

import yaml

from .errors import PageError
from .paths import BOOK
from .run_numbers import RunNumbers

STORED = BOOK / "results.yml"
_SIGN = re.compile(r" (>|==|~) ")
_SEVERAL = re.compile(r"\{([^{}]*)\}")
_TIMES = re.compile(r"([\d.]+) × (.+)")


@dataclass(frozen=True)
class Claim:
    """What is asked and said of a run.

    Attributes
    ----------
    chapter : int
        Under which chapter it stands.
    question, says : str
        The heading, and the sentence under it, with places for numbers.
    holds : tuple of str
        The comparisons that the sentence rests on.
    figure : dict
        What is drawn: see :mod:`run_figures`.
    """

    chapter: int
    question: str
    says: str
    figure: dict[str, Any]
    holds: tuple[str, ...] = field(default=())


@cache
def _entries() -> dict[str, dict[str, Any]]:
    try:
        return yaml.safe_load(STORED.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise PageError(f"book/results.yml cannot be read ({' '.join(str(error).split())}).") from None


def names() -> list[str]:
    """The names of the file, in its order."""
    return list(_entries())


def claim(name: str) -> Claim:
    """What is said of the run stored under that name; a name of the file may hold ``*``.

    Raises
    ------
    PageError
        If nothing is, or a part is missing.
    """
    entries = _entries()
    found = entries.get(name) or next((e for key, e in entries.items() if fnmatchcase(name, key)), None)
    if found is None:
        raise PageError(
            f"book/results.yml says nothing of the run {name}; write its question, claim and figure."
        )
    try:
        return Claim(**{**found, "holds": tuple(found.get("holds", ()))})
    except TypeError as error:
        raise PageError(f"book/results.yml, {name}: {error}.") from None


class _Filled(Formatter):
    """Names of numbers, whatever signs they hold, in the place of names of Python."""

    def __init__(self, numbers: RunNumbers):
        self.numbers = numbers

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:
        how, _, name = field_name.partition(" ")
        if how == "option":
            return self.numbers.options[name], name
        if how in ("lowest", "highest"):
            return (min if how == "lowest" else max)(self.numbers.values(name)), name
        return self.numbers.mean(field_name), field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec.endswith(" %"):
            return f"{100 * value:{format_spec.removesuffix(' %')}f}\u00a0%"
        return f"{value:{format_spec}}".replace("-", "−" if format_spec else "-")


def filled(text: str, numbers: RunNumbers) -> str:
    """A sentence with the run's numbers in their places."""
    return re.sub(r"[ \n]+", " ", _Filled(numbers).format(text)).strip()  # a no-break space stays


def broken(holds: tuple[str, ...], numbers: RunNumbers) -> list[str]:
    """The comparisons that the run's numbers do not bear out."""
    return [one for comparison in holds for one in _spelled_out(comparison) if not _true(one, numbers)]


def _spelled_out(comparison: str) -> list[str]:
    """One comparison for each choice of ``{x|y}``."""
    parts = _SEVERAL.split(comparison)
    choices = [part.split("|") if place % 2 else [part] for place, part in enumerate(parts)]
    return ["".join(chosen) for chosen in product(*choices)]


def _true(comparison: str, numbers: RunNumbers) -> bool:
    each = comparison.startswith("each: ")
    parts = _SIGN.split(comparison.removeprefix("each: "))
    if len(parts) < 3:
        raise ValueError(f"{comparison!r}: expected a comparison, such as A > B")
    sides = [_side(part, numbers) for part in parts[::2]]
    return all(_compared(*two, sign, each) for two, sign in zip(pairwise(sides), parts[1::2], strict=True))


def _side(text: str, numbers: RunNumbers) -> list[float]:
    times = _TIMES.fullmatch(text)
    if times:
        return [float(times[1]) * value for value in _side(times[2], numbers)]
    try:
        return [float(text)]
    except ValueError:
        return numbers.values(text)


def _compared(left: list[float], right: list[float], sign: str, each: bool) -> bool:
    if sign == "==":
        return max(*left, *right) - min(*left, *right) < 0.0005
    if sign == "~":
        return min(left) <= max(right) and min(right) <= max(left)
    if each:
        return all(a > b for a, b in zip(left, right, strict=True))
    return min(left) > max(right)
