"""The numbers of one stored run, looked up by name: one value for each seed that has it.

A name is a path through what a seed stored, as in the table of the page: ``accuracy/full/64``. In lists the
place stands for the name: ``right/one mark/full/7/0``. Beside that

==================  ==========================================================
``mean of NAME``    the mean of a list of numbers
``NAME ÷ NAME``     the one divided by the other, seed by seed
==================  ==========================================================
"""

from statistics import fmean
from typing import Any

MEAN_OF = "mean of "
OVER = " ÷ "


class RunNumbers:
    """What one results file holds.

    Parameters
    ----------
    result : dict
        A results file as read from JSON.
    """

    def __init__(self, result: dict[str, Any]):
        self.options: dict[str, Any] = result["options"]
        self._seeds = [_flat(numbers) for numbers in result["seeds"].values()]

    def __len__(self) -> int:
        return len(self._seeds)

    def names(self) -> list[str]:
        """Every name that some seed has, in the order in which it was stored."""
        return list(dict.fromkeys(name for seed in self._seeds for name in seed))

    def values(self, name: str) -> list[float]:
        """One value a seed, in the order of seeds; seeds that lack it take no part.

        Raises
        ------
        ValueError
            If no seed has such a number.
        """
        found = [value for seed in self._seeds if (value := _value(seed, name)) is not None]
        if not found:
            raise ValueError(
                f"no seed has a number {name!r}; the table of the run names those that are there"
            )
        return found

    def mean(self, name: str) -> float:
        """The mean over seeds."""
        return fmean(self.values(name))


def _value(seed: dict[str, float], name: str) -> float | None:
    if OVER in name:
        above, below = (_value(seed, part) for part in name.split(OVER))
        return above / below if above is not None and below else None
    if name.startswith(MEAN_OF):
        start = name.removeprefix(MEAN_OF) + "/"
        parts = [value for key, value in seed.items() if key.startswith(start)]
        return fmean(parts) if parts else None
    return seed.get(name)


def _flat(numbers: Any, prefix: str = "") -> dict[str, float]:
    """Nested dictionaries and lists of numbers under one name each."""
    found: dict[str, float] = {}
    pairs = numbers.items() if isinstance(numbers, dict) else enumerate(numbers)
    for key, value in pairs:
        name = f"{prefix}{key}"
        if isinstance(value, dict | list):
            found.update(_flat(value, f"{name}/"))
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = float(value)
    return found
