"""All exercises by number."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from attnbook.exercises.spec import Exercise


def _chapters() -> list[str]:
    """The packages of the bank, each with a list ``EXERCISES``."""
    from attnbook.exercises import bank

    return sorted(f"{bank.__name__}.{info.name}" for info in iter_modules(bank.__path__))


def _load() -> dict[str, Exercise]:
    found: dict[str, Exercise] = {}
    for module in _chapters():
        for item in import_module(module).EXERCISES:
            if item.id in found:
                raise ValueError(f"{module}: exercise {item.id} is defined twice")
            found[item.id] = item
    return dict(sorted(found.items(), key=lambda pair: tuple(map(int, pair[0].split(".")))))


_ALL = _load()


def _in_words(numbers: set[int]) -> str:
    """Whole numbers with runs drawn together: "0 to 5, 7, 8"."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][-1] == number - 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)


def exercises(chapter: int | None = None) -> list[Exercise]:
    """All exercises in order, or those of one chapter."""
    return [item for item in _ALL.values() if chapter is None or item.chapter == chapter]


def exercise(id: str) -> Exercise:
    """The exercise with this number.

    Raises
    ------
    KeyError
        With a sentence that says which numbers there are.
    """
    key = str(id).strip()
    if key in _ALL:
        return _ALL[key]
    same_chapter = [item.id for item in _ALL.values() if item.id.split(".")[0] == key.split(".")[0]]
    if same_chapter:
        there = f"this chapter has {same_chapter[0]} to {same_chapter[-1]}"
    else:
        there = f"there are exercises for chapters {_in_words({item.chapter for item in _ALL.values()})}"
    shown = key if len(key) <= 20 else f"{key[:20]}…"
    raise KeyError(f'There is no exercise "{shown}": {there}. Write its number in quotes, as in "2.1".')
