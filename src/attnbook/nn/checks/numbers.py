"""Numbers, words and sizes that are not tensors."""

from collections.abc import Sequence
from numbers import Real
from typing import Any

from attnbook.arguments import whole_number


def number(name: str, given: Any) -> None:
    """``given`` is None or a real number."""
    if given is not None and (
        not isinstance(given, Real) or isinstance(given, bool)
    ):
        raise TypeError(
            f"{name}: expected a number or None, got {given!r}; pass a Python float"
        )


def positive_number(name: str, given: Any) -> None:
    """``given`` is None or a real number above zero."""
    number(name, given)
    if given is not None and not given > 0:
        raise ValueError(
            f"{name}: expected a number above 0, got {given}; leave it out to do "
            "without"
        )


def probability(name: str, given: Any) -> None:
    """``given`` is a number from 0 up to, but not including, 1."""
    if isinstance(given, bool) or not isinstance(given, Real):
        raise TypeError(
            f"{name}: expected a number from 0 to below 1, got {given!r}; pass a "
            "Python float"
        )
    if not 0 <= float(given) < 1:
        raise ValueError(
            f"{name}: expected a number from 0 to below 1, got {given}; 0 switches "
            "it off"
        )


def one_of(name: str, given: object, options: Sequence[str]) -> None:
    """``given`` is one of the words in ``options``."""
    if given not in options:
        named = " or ".join(repr(option) for option in options)
        raise ValueError(
            f"{name}: expected {named}, got {given!r}; choose one of these"
        )


def divides(name: str, divisor: int, whole_name: str, whole: int) -> None:
    """``whole`` can be split into ``divisor`` equal parts."""
    whole_number(name, divisor)
    whole_number(whole_name, whole)
    if whole % divisor:
        fitting = [n for n in range(1, whole + 1) if whole % n == 0]
        raise ValueError(
            f"{name}: expected a number that divides {whole_name} = {whole}, got "
            f"{divisor}; choose one of {', '.join(map(str, fitting))}"
        )


def sizes(**given: object) -> None:
    """Every keyword argument is a whole number of at least 1."""
    for name, size in given.items():
        whole_number(name, size)


def temperature(name: str, given: Any) -> None:
    """``given`` is a real number above zero, and not None."""
    if given is None:
        raise TypeError(
            f"{name}: expected a number above 0, got None; pass a Python float "
            "such as 1.0"
        )
    number(name, given)
    if not given > 0:
        raise ValueError(
            f"{name}: expected a number above 0, got {given}; for one winner that "
            "takes all, use hard_lookup"
        )


def known_size(name: str, given: int | None, score: object) -> None:
    """A size is known, from the caller or from the score."""
    if given is None:
        raise ValueError(
            f"{name}: expected a whole number, since {type(score).__name__} does "
            f"not know the size of a query, got None; pass {name}=..."
        )
    whole_number(name, given)


def not_negative(name: str, given: Any) -> None:
    """``given`` is a number of at least 0."""
    if isinstance(given, bool) or not isinstance(given, Real):
        raise TypeError(
            f"{name}: expected a number of at least 0, got {given!r}; pass a "
            "Python float"
        )
    if given < 0:
        raise ValueError(
            f"{name}: expected a number of at least 0, got {given}; choose 0 or "
            "more"
        )
