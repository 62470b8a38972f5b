"""The repository's address, which only ``pyproject.toml`` states."""

import tomllib
from functools import cache

from .errors import PageError
from .paths import ROOT


@cache
def project() -> dict:
    """The ``[project]`` table of pyproject.toml."""
    path = ROOT / "pyproject.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))["project"]
    except FileNotFoundError:
        raise PageError(
            f"{path} is missing; the launch buttons take the repository's address from it."
        ) from None
    except (tomllib.TOMLDecodeError, KeyError) as error:
        raise PageError(
            f"{path} cannot be read as a project file ({error}); mend it and build again."
        ) from None


def address() -> str:
    """The address of the repository, without a slash at its end."""
    try:
        return project()["urls"]["Repository"].rstrip("/")
    except KeyError:
        raise PageError(
            "pyproject.toml has no [project.urls] Repository; add it, the launch buttons need it."
        ) from None
