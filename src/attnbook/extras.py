"""Packages that only a part of attnbook needs: ``pip install attnbook`` has none of them, an extra does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

# The packages of each extra by the name under which they are imported; pyproject.toml gives their versions.
PACKAGES = {
    "vision": {"skimage": "scikit-image", "scipy": "scipy"},
    "experiments": {
        "pooch": "pooch",
        "sacrebleu": "sacrebleu",
        "sklearn": "scikit-learn",
        "scipy": "scipy",
        "statsmodels": "statsmodels",
    },
    "grading": {"jinja2": "jinja2", "markupsafe": "markupsafe", "filelock": "filelock"},
    "cluster": {"distributed": "distributed"},
}


class MissingExtra(ModuleNotFoundError):
    """A package that an extra brings is not installed; the sentence names both."""


@contextmanager
def needs(extra: str) -> Iterator[None]:
    """Import what ``extra`` brings within this: where a package of it is missing, a sentence says what to do.

    Raises
    ------
    MissingExtra
        If a package of the extra is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing not in PACKAGES[extra]:
            raise
        package = PACKAGES[extra][missing]
        raise MissingExtra(
            f'{package} is not installed: pip install "attnbook[{extra}]" brings it', name=error.name
        ) from None
