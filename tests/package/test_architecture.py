"""Imports run one way, the face needs no torch, and every public name says what it does."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
from graphlib import TopologicalSorter

import pytest

from support import ROOT

SOURCE = ROOT / "src" / "attnbook"
BANK = SOURCE / "exercises" / "bank"

# What every room but the worker may import: these import nothing, torch neither.
ANYWHERE = {"arguments", "files"}
# Every other room of the package, and the rooms that it may import.
ALLOWED = {
    "extras": set(),
    "devices": set(),
    "plots": set(),
    "nn": set(),
    "data": {"extras"},
    "results": set(),
    "worker": set(),  # goes into the sandbox, where most of the package is absent
    "vision": {"extras"},
    "training": {"devices"},
    "translation": {"data", "extras", "nn", "results", "training"},
    "analysis": {"data", "nn", "plots", "training"},
    "models": {"data", "nn"},
    "serving": {"nn"},
    # A widget's numbers are those of a mechanism, a model or a metric; one shows the map of them all.
    "widgets": {"analysis", "data", "models", "nn", "vision"},
    "exercises": {"plots", "vision", "worker"},
    "grading": {"exercises", "extras", "worker"},
    "experiments": {
        "analysis",
        "data",
        "devices",
        "extras",
        "models",
        "nn",
        "results",
        "training",
        "translation",
        "vision",
    },
    "cli": {"data", "experiments", "extras", "grading"},
}
TORCH_FREE = [
    "attnbook",
    *sorted(f"attnbook.{room}" for room in ANYWHERE),
    "attnbook.analysis.model_shapes",
    "attnbook.data.attention_map",
    "attnbook.results",
    "attnbook.translation.leaderboard",
]
ROOMS = {path.stem for path in SOURCE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}


def rooms_imported(room):
    found = {}
    for path in sorted((SOURCE / room).rglob("*.py")) or [SOURCE / f"{room}.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module]
                if node.module == "attnbook":
                    modules = [f"attnbook.{alias.name}" for alias in node.names]
            for name in modules:
                if name.startswith("attnbook.") and name.split(".")[1] in ROOMS - {room}:
                    found.setdefault(name.split(".")[1], path.relative_to(SOURCE))
    return found


def test_every_room_is_named():
    assert ROOMS - {"__init__"} == set(ALLOWED) | ANYWHERE


@pytest.mark.parametrize("room", sorted(ALLOWED.keys() | ANYWHERE))
def test_imports_run_one_way(room):
    allowed = ALLOWED.get(room, set()) | (set() if room in ANYWHERE | {"worker"} else ANYWHERE)
    extra = {name: str(path) for name, path in rooms_imported(room).items() if name not in allowed}
    assert not extra, f"{room} imports {extra}"


@pytest.mark.parametrize("chapter", sorted(path.name for path in BANK.glob("ch*")))
def test_no_chapter_of_the_bank_imports_another(chapter):
    for path in (BANK / chapter).glob("*.py"):
        for name in re.findall(r"exercises\.bank\.(ch\d\d)", path.read_text(encoding="utf-8")):
            assert name == chapter, f"{path.relative_to(SOURCE)} imports {name}: share it in exercises/"


def test_the_allowed_directions_have_no_circle():
    TopologicalSorter(ALLOWED).prepare()  # raises CycleError


@pytest.mark.parametrize("name", TORCH_FREE)
def test_the_face_needs_no_torch(name):
    code = f"import sys; sys.modules['torch'] = None; import {name}"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_version_is_told_without_torch():
    code = "import sys; sys.modules['torch'] = None; from attnbook.cli import main; main(['--version'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.split()[0]) == (0, "attnbook"), done.stderr


def public_objects():
    for room in sorted(ALLOWED.keys() | ANYWHERE):
        module = importlib.import_module(f"attnbook.{room}")
        for name in getattr(module, "__all__", [n for n in vars(module) if not n.startswith("_")]):
            thing = getattr(module, name)
            mine = getattr(thing, "__module__", "").startswith("attnbook")
            if mine and (inspect.isclass(thing) or inspect.isfunction(thing)):
                yield pytest.param(thing, id=f"{room}.{name}")


def described(doc):
    """The names that the section Parameters of a docstring describes."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-+$|\Z)", doc, re.DOTALL | re.MULTILINE)
    heads = re.findall(r"^(\w[\w, ]*?)(?: : |$)", section[1], re.MULTILINE) if section else []
    return {name for head in heads for name in head.split(", ")}


@pytest.mark.parametrize("thing", list(public_objects()))
def test_public_names_are_documented(thing):
    """A sentence of its own; where parameters are described, all that are there and no other."""
    doc = inspect.cleandoc(thing.__doc__ or "")  # not the parent's, which inspect.getdoc would take
    sentence = doc.split("\n\n")[0]
    assert len(sentence.split()) >= 3, f"{thing} has no sentence that says what it does"
    assert sentence.endswith((".", "?", "::", ":")), f"{thing}: {sentence!r} does not end"
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return  # takes its message
    signature = {name for name in inspect.signature(thing).parameters if not name.startswith("_")}
    assert described(doc) <= signature, f"{thing} has no {described(doc) - signature}"
    missing = [name for name in signature if described(doc) and not re.search(rf"\b{name}\b", doc)]
    assert not missing, f"{thing} describes its parameters, but not {missing}"


def test_what_a_docstring_describes():
    doc = "Adds.\n\nParameters\n----------\na, b : int\n    Two.\nc\n    Three.\n\nReturns\n-------\nd : int"
    assert described(doc) == {"a", "b", "c"}
    assert described("No section.") == set()
