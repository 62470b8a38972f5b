"""The names that ``attnbook run`` knows: every module of this package that says what it is about."""

import ast
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType


@cache
def experiments() -> dict[str, str]:
    """Name → sentence of each experiment: the modules with an ``ABOUT``, read without importing them."""
    found = {}
    for path in sorted(Path(__file__).parent.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "ABOUT":
                found[path.stem] = ast.literal_eval(node.value)
    return found


def load(name: str) -> ModuleType:
    """The experiment's module.

    Raises
    ------
    ValueError
        If there is no experiment of that name; the sentence lists the names.
    """
    if name not in experiments():
        raise ValueError(f"name: no experiment {name!r}; choose one of {', '.join(experiments())}")
    return import_module(f"attnbook.experiments.{name}")
