"""The ways through the book, as ``book/reading_paths.yml`` lists them."""

from pathlib import Path
from typing import Any

import yaml

from .errors import PageError

PATHS = "book/reading_paths.yml"


def ways(source: Path) -> dict[str, dict[str, Any]]:
    """Every way through the book by its name; none in a book without the file."""
    if not source.is_file():
        return {}
    try:
        found = yaml.safe_load(source.read_text(encoding="utf-8"))
        whole = all(map(_is_way, found.values()))
    except (yaml.YAMLError, AttributeError):
        whole = False
    if not whole:
        raise PageError(
            f"{source.name} cannot be read: each way has a name, a sentence (about), and steps or weeks; "
            "a step reads a page, or does something (do, to, title)."
        )
    return found


def _is_way(way: Any) -> bool:
    """Whether an entry of the list has what a way needs."""
    if not isinstance(way, dict) or not {"name", "about"} <= set(way) or ("steps" in way) == ("weeks" in way):
        return False
    return all("read" in step or {"do", "to", "title"} <= set(step) for step in way.get("steps", []))


def chapters(way: dict[str, Any]) -> list[int]:
    """The numbers of the chapters that a way reads, in its order."""
    if "weeks" in way:
        return [number for week in way["weeks"] for number in week]
    names = [step["read"] for step in way["steps"] if "read" in step]
    return [int(name.partition("chapters/")[2][:2]) for name in names if "_lab_" not in name]
