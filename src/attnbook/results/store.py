"""Stored results: one JSON file an experiment, in ``attnbook/results``."""

from __future__ import annotations

import json
import math
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from attnbook.files import write_text

FOLDER = Path(__file__).resolve().parent


def results(name: str) -> dict[str, Any]:
    """What ``attnbook run`` stored under that name.

    Returns
    -------
    dict
        ``experiment``, ``command``, ``options``, ``machine``, ``versions``, ``seeds`` (seed → numbers) and
        ``summary`` (number's name → mean, standard deviation over seeds, smallest, largest, count).

    Raises
    ------
    FileNotFoundError
        If nothing is stored under that name; the sentence names the command that would store it.
    """
    path = FOLDER / f"{name}.json"
    if not path.exists():
        raise FileNotFoundError(f"{path}: no results are stored; run: attnbook run … --out {path}")
    return read(path)


def read(path: Path) -> dict[str, Any]:
    """One results file.

    Raises
    ------
    ValueError
        If the file is not JSON, or not a results file.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{path}: not readable as results ({error}); move it away and run again") from None
    if not isinstance(stored, dict) or not isinstance(stored.get("seeds"), dict):
        raise ValueError(f"{path}: not a results file (it has no seeds); move it away and run again")
    return stored


def write(path: Path, content: dict[str, Any]) -> None:
    """Store results in one step: a reader sees the old file or the new one, never half of one."""
    write_text(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def flatten(numbers: dict[str, Any], prefix: str = "") -> dict[str, float]:
    """Nested numbers under one name each: ``{"a": {"b": 1}}`` becomes ``{"a/b": 1.0}``."""
    flat: dict[str, float] = {}
    for key, value in numbers.items():
        name = f"{prefix}{key}"
        if isinstance(value, dict):
            flat.update(flatten(value, f"{name}/"))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            flat[name] = float(value)
    return flat


def summarise(seeds: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean, spread (sample standard deviation), smallest and largest of each number over the seeds."""
    columns: dict[str, list[float]] = {}
    for numbers in seeds.values():
        for name, value in flatten(numbers).items():
            if math.isfinite(value):
                columns.setdefault(name, []).append(value)
    return {
        name: {
            "mean": fmean(values),
            "std": stdev(values) if len(values) > 1 else 0.0,
            "min": min(values),
            "max": max(values),
            "n": len(values),
        }
        for name, values in columns.items()
    }
