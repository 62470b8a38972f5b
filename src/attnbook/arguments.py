"""Checks of plain arguments that every room of the package needs. Nothing here imports torch."""

from __future__ import annotations


def whole_number(name: str, given: object, least: int = 1, most: int | None = None) -> None:
    """``given`` is an integer of at least ``least``, and of at most ``most`` if that is given.

    Raises
    ------
    TypeError
        If it is no int (True and False are none either).
    ValueError
        If it is out of range.
    """
    wanted = f"of at least {least}" if most is None else f"from {least} to {most}"
    if not isinstance(given, int) or isinstance(given, bool):
        raise TypeError(f"{name}: expected a whole number {wanted}, got {given!r}; pass an int")
    if given < least:
        raise ValueError(f"{name}: expected a whole number {wanted}, got {given}; choose a larger one")
    if most is not None and given > most:
        raise ValueError(f"{name}: expected a whole number {wanted}, got {given}; choose a smaller one")
