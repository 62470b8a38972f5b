"""Imports run one way, and every public name says what it does."""

import ast
import importlib
import inspect

import pytest

from support import ROOT

SOURCE = ROOT / "src" / "attnbook"

# What a part of the package may import of the others.
ALLOWED = {
    "nn": {"nn"},
    "data": {"data"},
    "plots": set(),
    "device": set(),
    "reproducibility": set(),
    "widgets": {"widgets", "nn"},  # a widget's numbers are those of a mechanism
}
PARTS = ["nn", "data", "plots", "widgets", "exercises", "experiments", "train", "search", "metrics"]


def parts_imported(path):
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module]
            if node.module == "attnbook":
                modules = [f"attnbook.{alias.name}" for alias in node.names]
        found |= {name.split(".")[1] for name in modules if name.startswith("attnbook.")}
    return found


@pytest.mark.parametrize("part", sorted(ALLOWED))
def test_imports_run_one_way(part):
    files = sorted((SOURCE / part).rglob("*.py")) or [SOURCE / f"{part}.py"]
    for path in files:
        extra = parts_imported(path) - ALLOWED[part]
        assert not extra, f"{path}: imports {sorted(extra)}"


def public_objects():
    for part in PARTS:
        module = importlib.import_module(f"attnbook.{part}")
        for name in getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]):
            thing = getattr(module, name)
            mine = getattr(thing, "__module__", "").startswith("attnbook")
            if mine and (inspect.isclass(thing) or inspect.isfunction(thing)):
                yield pytest.param(thing, id=f"{part}.{name}")


@pytest.mark.parametrize("thing", list(public_objects()))
def test_public_names_are_documented(thing):
    assert inspect.getdoc(thing), f"{thing} has no docstring"
    assert len(inspect.getdoc(thing)) > 30
