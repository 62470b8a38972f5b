"""All exercises by number."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from attnbook.exercises.spec import Exercise


def _load() -> dict[str, Exercise]:
    import attnbook.exercises as package

    found: dict[str, Exercise] = {}
    for module in sorted(info.name for info in iter_modules(package.__path__)):
        if module.startswith("chapter_"):
            for item in import_module(f"{package.__name__}.{module}").EXERCISES:
                if item.id in found:
                    raise ValueError(f"{module}: exercise {item.id} is defined twice")
                found[item.id] = item
    return dict(sorted(found.items(), key=lambda pair: tuple(map(int, pair[0].split(".")))))


_ALL = _load()


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
        there = "there are exercises for chapters " + ", ".join(
            sorted({item.id.split(".")[0] for item in _ALL.values()}, key=int)
        )
    raise KeyError(f'There is no exercise "{key}": {there}. Write its number in quotes, as in "2.1".')
