"""Checks that the options of several experiments need."""

from __future__ import annotations

import argparse


def at_least(options: argparse.Namespace, least: int, *names: str) -> None:
    """Refuse an option below ``least``; names as they stand in ``options``, "batch_size" for --batch-size.

    Raises
    ------
    ValueError
        If one is below. The sentence names the option as it is typed.
    """
    for name in names:
        if getattr(options, name) < least:
            typed = name.replace("_", "-")
            raise ValueError(f"--{typed}: expected at least {least}, got {getattr(options, name)}")


def learning_rates_above_zero(rates: list[float]) -> None:
    """Refuse ``--learning-rates`` that hold a number of 0 or below, or NaN.

    Raises
    ------
    ValueError
        If one is.
    """
    for rate in rates:
        if not rate > 0:
            raise ValueError(f"--learning-rates: expected numbers above 0, got {rate}")
