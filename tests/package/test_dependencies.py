"""Every imported package is declared where it is needed, pinned, and named when it is missing."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from attnbook import cli
from attnbook.extras import PACKAGES, MissingExtra, needs
from support import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
DISTRIBUTIONS = packages_distributions()
OWN = {
    "attnbook",
    "attnbook_pages",
    *(path.stem for path in (ROOT / "tools").glob("*.py")),
    *(path.stem for path in (ROOT / "tests").rglob("*.py")),
    *(path.stem for path in (ROOT / "benchmarks").glob("*.py")),
}


def declared(requirements) -> dict[str, Requirement]:
    """The requirements by name; ``attnbook[extra]`` stands for what the extra brings."""
    found = {}
    for line in requirements:
        requirement = Requirement(line)
        for extra in requirement.extras if requirement.name == PROJECT["name"] else ():
            found |= declared(EXTRAS[extra])
        if requirement.name != PROJECT["name"]:
            found[canonicalize_name(requirement.name)] = requirement
    return found


CORE = declared(PROJECT["dependencies"])
EVERYTHING = CORE | declared(line for lines in EXTRAS.values() for line in lines)


class Imports(ast.NodeVisitor):
    """The packages that a file imports, each with the extra whose ``with needs(extra)`` it stands in."""

    def __init__(self):
        self.extra, self.found = None, []

    def visit_With(self, node):
        called = re.match(r"with needs\('(\w+)'\):", ast.unparse(node))
        before, self.extra = self.extra, called.group(1) if called else self.extra
        self.generic_visit(node)
        self.extra = before

    def visit_Import(self, node):
        self.found += [(alias.name.partition(".")[0], self.extra) for alias in node.names]

    def visit_ImportFrom(self, node):
        if node.level == 0:
            self.found.append((node.module.partition(".")[0], self.extra))


def imports(folder: str):
    """Each import of a package that is not ours and not Python's: file, package, extra."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "node_modules" in path.parts or "_build" in path.parts:
            continue
        visitor = Imports()
        visitor.visit(ast.parse(path.read_text(encoding="utf-8")))
        for package, extra in visitor.found:
            if package not in sys.stdlib_module_names and package not in OWN:
                yield path.relative_to(ROOT), package, extra


def names(package: str) -> set[str]:
    """The distributions that bring a package."""
    return {canonicalize_name(name) for name in DISTRIBUTIONS[package]}


def test_the_package_imports_what_it_declares():
    seen = list(imports("src"))
    assert {extra for _, _, extra in seen} == {None, *PACKAGES}
    for path, package, extra in seen:
        brought = CORE if extra is None else declared(EXTRAS[extra])
        assert names(package) & set(brought), f"{path} imports {package}: declare it in pyproject.toml"
        if extra:
            assert package in PACKAGES[extra], f"{path} imports {package}: name it in attnbook.extras"


@pytest.mark.parametrize(
    ("folder", "extras"), [("book", ["book"]), ("tools", None), ("tests", None), ("benchmarks", None)]
)
def test_the_authors_code_imports_what_is_declared(folder, extras):
    brought = EVERYTHING if extras is None else declared(line for name in extras for line in EXTRAS[name])
    seen = list(imports(folder))
    assert seen
    for path, package, _ in seen:
        assert names(package) & set(brought), f"{path} imports {package}: declare it in pyproject.toml"


def test_no_core_dependency_is_there_for_nothing():
    used = {name for _, package, extra in imports("src") if extra is None for name in names(package)}
    assert set(CORE) == used & set(CORE)


def test_what_all_installs_is_everything():
    everything = declared(EXTRAS["all"]) | CORE
    assert everything.keys() == EVERYTHING.keys()


def test_every_package_is_declared_once():
    lines = [*PROJECT["dependencies"], *(line for lines in EXTRAS.values() for line in lines)]
    for name, requirement in EVERYTHING.items():
        same = {str(Requirement(line)) for line in lines if canonicalize_name(Requirement(line).name) == name}
        assert same == {str(requirement)}, f"{name} is declared with different versions"


def test_requirements_pin_everything_that_is_declared():
    pins = {}
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            assert re.fullmatch(r"[\w.-]+==[\w.]+", line), f"requirements.txt: {line} is no pin"
            name, _, version = line.partition("==")
            pins[canonicalize_name(name)] = Version(version)
    for name, requirement in EVERYTHING.items():
        assert name in pins, f"{name} is not pinned: run `make requirements`"
        assert pins[name] in requirement.specifier, f"{name}: the pin is older than pyproject.toml allows"


def test_floors_are_the_lower_bounds():
    command = [sys.executable, str(ROOT / "tools" / "extras.py"), "--floors"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    floors = {canonicalize_name(line.partition("==")[0]): line.partition("==")[2] for line in lines}
    promised = CORE | declared(line for extra in PACKAGES for line in EXTRAS[extra])
    assert {name: f">={version}" for name, version in floors.items()} == {
        name: str(requirement.specifier) for name, requirement in promised.items()
    }


@pytest.mark.parametrize("extra", PACKAGES)
def test_a_missing_package_is_one_sentence_that_names_the_extra(extra, monkeypatch):
    for package, distribution in PACKAGES[extra].items():
        monkeypatch.setitem(sys.modules, package, None)
        sentence = rf'{distribution} is not installed: pip install "attnbook\[{extra}\]"'
        with pytest.raises(MissingExtra, match=sentence), needs(extra):
            __import__(package)


def test_a_package_that_no_extra_brings_is_not_explained_away():
    with pytest.raises(ModuleNotFoundError) as caught, needs("vision"):
        __import__("nothing_of_this_name")
    assert not isinstance(caught.value, MissingExtra)


def test_the_command_line_says_it_without_a_traceback(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "filelock", None)
    monkeypatch.delitem(sys.modules, "attnbook.grading.command", raising=False)
    assert cli.main(["grade", "x", "--chapter", "2", "--out", "y"]) == 1
    error = capsys.readouterr().err
    assert error == 'attnbook: filelock is not installed: pip install "attnbook[grading]" brings it\n'


def test_mechanisms_widgets_and_exercises_need_no_extra():
    """As after ``pip install attnbook``: what only extras bring cannot be imported."""
    blocked = sorted({package for packages in PACKAGES.values() for package in packages})
    code = f"""if True:
        import sys
        sys.modules.update(dict.fromkeys({blocked}))
        import torch, attnbook.nn, attnbook.plots, attnbook.training, attnbook.data, attnbook.vision.metrics
        from attnbook.data import phrasebook
        from attnbook.exercises import check
        from attnbook.widgets import Quiz
        check("2.3", lambda scores: torch.softmax(scores, dim=-1))
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2.3" in done.stdout
