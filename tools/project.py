"""The facts that tools and tests read from pyproject.toml, their only home."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def project() -> dict:
    """The table ``[project]``: name, version, dependencies and the rest."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def version() -> str:
    """The package's version, such as ``"0.1.0"``; its tag is this with a ``v`` before it."""
    return project()["version"]


def repository() -> str:
    """The repository's address, used by launch buttons and by the notebooks' first cell."""
    return project()["urls"]["Repository"]


def tested_torch() -> str:
    """The torch that requirements.txt pins, such as ``"2.13.0"``."""
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("torch=="):
            return line.removeprefix("torch==")
    raise LookupError("requirements.txt: no line torch==…; add the tested version")
