"""The build: the same bytes twice, little work when nothing changed, one sentence when something is wrong."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from building import build
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from sample_book import figure_data, sample_notebook, write_sample_book

from support import ROOT


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def small_book(root: Path, *cells) -> None:
    """A sample book whose one chapter has these cells."""
    write_sample_book(root, {"sample": new_notebook(cells=[new_markdown_cell("# A chapter"), *cells])})


def last_line(done: subprocess.CompletedProcess) -> str:
    """The sentence with which a failed build ends."""
    assert done.returncode != 0, done.stdout
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_two_fresh_builds_give_the_same_bytes_and_a_third_changes_none(tmp_path):
    notebook = sample_notebook()
    trees = []
    for name in ("one", "another"):
        root = tmp_path / name / "root"
        write_sample_book(root, {"sample": notebook})
        assert build(root).returncode == 0
        trees.append(tree(root / "book" / "_build" / "html"))
    assert len(trees[0]) > 20
    differing = [path for path in trees[0] if trees[0][path] != trees[1].get(path)]
    assert differing == []
    assert trees[0].keys() == trees[1].keys()
    started = time.monotonic()
    again = build(root)
    assert again.returncode == 0
    print(f"an unchanged book is built in {time.monotonic() - started:.1f} s")
    assert tree(root / "book" / "_build" / "html") == trees[0]


def test_a_page_that_lists_a_folder_is_read_again_only_when_the_folder_changes(tmp_path):
    from types import SimpleNamespace

    from attnbook_pages import folders

    env = SimpleNamespace(docname="book/results")
    (tmp_path / "one.json").write_text("{}")
    folders.note(env, tmp_path)
    ask = lambda: folders.outdated(None, env, set(), set(), set())  # noqa: E731
    assert ask() == []
    (tmp_path / "another.json").write_text("{}")
    assert ask() == ["book/results"]
    folders.forget(None, env, "book/results")
    assert ask() == []


def test_every_file_that_a_page_names_is_there_and_none_is_elsewhere(sample_html):
    import re

    for page in sample_html.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        # A canonical link says where the page lives; nothing is loaded from there.
        text = re.sub(r'<link rel="canonical"[^>]*>', "", text)
        for kind, address in re.findall(r'<(script|link|img|source)\b[^>]*?\b(?:src|href)="([^"#]+)"', text):
            if address.startswith("data:"):
                continue
            assert not re.match(r"(https?:)?//", address), f"{page.name} loads {address}"
            assert (page.parent / address.split("?")[0]).is_file(), f"{page.name}: {kind} {address}"
    sheet = (sample_html / "_static" / "attnbook" / "book.css").read_text(encoding="utf-8")
    for address in re.findall(r"url\(\"?([^)\"]+)\"?\)", sheet):
        if not address.startswith(("data:", "#")):
            assert (sample_html / "_static" / "attnbook" / address).is_file(), address


def test_no_page_names_another_origin_in_its_styles_or_scripts(sample_html):
    for path in (sample_html / "_static").rglob("*"):
        if path.suffix in {".css", ".js"}:
            text = path.read_text(encoding="utf-8")
            assert "@import" not in text, path.name
            assert "//cdn" not in text, path.name


def test_repository_of_the_lockfile_is_nowhere():
    text = (ROOT / "book" / "package-lock.json").read_text(encoding="utf-8")
    assert "http" not in text
    packages = json.loads(text)["packages"]
    assert all("integrity" in entry for name, entry in packages.items() if name)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"nbformat": 3, "cells": []}', "not of notebook format 4"),
    ],
)
def test_an_unreadable_notebook_is_named(tmp_path, content, words):
    root = tmp_path / "root"
    small_book(root)
    (root / "chapters" / "sample.ipynb").write_text(content, encoding="utf-8")
    sentence = last_line(build(root))
    assert "chapters/sample.ipynb" in sentence.replace(os.sep, "/")
    assert words in sentence
    assert not (root / "book" / "_build").exists()


def test_a_missing_page_is_named(tmp_path):
    root = tmp_path / "root"
    small_book(root)
    (root / "chapters" / "sample.ipynb").unlink()
    assert "chapters/sample" in last_line(build(root))


def test_a_folder_without_a_book_is_named(tmp_path):
    assert "_config.yml is missing" in last_line(build(tmp_path))


@pytest.fixture(scope="module")
def complaints(tmp_path_factory) -> list[str]:
    """What a build says of a chapter in which much is wrong; it names everything before it fails."""
    root = tmp_path_factory.mktemp("broken") / "root"
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "gone"}, "text/plain": "Quiz"}
    wordless = new_output("display_data", figure_data("<Figure size 300x200 with 1 Axes>"))
    small_book(
        root,
        new_markdown_cell(r"An unknown command: $\notacommand{x}$"),
        new_markdown_cell(r"An open brace: $\frac{1}{$"),
        new_markdown_cell("$$\n\\begin{aligned} unfinished \\\\ b\n$$"),
        new_markdown_cell("$x \\text{ж}$"),
        new_markdown_cell("[nowhere](../book/glossary.md#no-such-term)"),
        new_code_cell("figure", execution_count=1, outputs=[wordless]),
        new_code_cell("quiz", execution_count=2, outputs=[new_output("display_data", view)]),
    )
    done = build(root)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr.splitlines()


@pytest.mark.parametrize(
    ("subject", "fault"),
    [
        ("notacommand", "cannot be set"),
        ("frac{1}{", "cannot be set"),
        ("unfinished", "cannot be set"),
        ("ж (U+0436)", "subset lacks"),
        ("no-such-term", "local id not found"),
        ("figure", "no alternative text"),
        ("widget", "state is not stored"),
    ],
)
def test_what_is_wrong_in_a_chapter_stops_the_build_and_is_named(complaints, subject, fault):
    naming = [line for line in complaints if subject in line and fault in line]
    assert len(naming) == 1, complaints
    assert "sample.ipynb" in naming[0]


@pytest.fixture
def other_checkout(tmp_path) -> Path:
    """The parts of a checkout that the build reads, in a folder that a test may damage."""
    root = tmp_path / "checkout"
    for name in ("_config.yml", "pyproject.toml"):
        (root).mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    ignored = shutil.ignore_patterns("_build", "node_modules", "__pycache__")
    shutil.copytree(ROOT / "book", root / "book", ignore=ignored)
    shutil.copytree(ROOT / "book" / "node_modules", root / "book" / "node_modules", symlinks=True)
    shutil.copytree(ROOT / "src" / "attnbook" / "widgets" / "static", root / "src/attnbook/widgets/static")
    (root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/licences\nchapters:\n  - file: book/notation\n", encoding="utf-8"
    )
    return root


def build_in(checkout: Path, **options) -> subprocess.CompletedProcess:
    command = [sys.executable, str(checkout / "book" / "build.py")]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)


@pytest.mark.parametrize(
    ("missing", "words"),
    [
        (
            "book/node_modules/@fontsource/stix-two-math/files",
            "stix-two-math-latin-400-normal.woff2 is missing",
        ),
        (
            "book/node_modules/@fontsource/source-serif-4/files",
            "source-serif-4-latin-400-normal.woff2 is missing",
        ),
        ("book/node_modules/temml/dist", "temml.cjs is missing"),
        ("book/node_modules/purgecss", "purgecss"),
        ("pyproject.toml", "pyproject.toml is missing"),
        ("book/package-lock.json", "package-lock.json is missing"),
    ],
)
def test_a_missing_file_is_one_sentence(other_checkout, missing, words):
    path = other_checkout / missing
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    done = build_in(other_checkout)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr, done.stderr
    naming = [line for line in done.stderr.splitlines() if words in line]
    assert len(naming) == 1, done.stderr


def test_a_damaged_font_is_one_sentence(other_checkout):
    folder = other_checkout / "book/node_modules/@fontsource/stix-two-math/files"
    for path in folder.glob("*.woff2"):
        path.write_bytes(b"wOF2" + bytes(100))
    done = build_in(other_checkout)
    assert done.returncode != 0
    assert "Traceback" not in done.stderr, done.stderr
    assert "cannot be read" in done.stderr


def test_a_missing_python_package_is_one_sentence(other_checkout, tmp_path):
    # A module finder that denies one package, as if it had not been installed.
    (tmp_path / "deny").mkdir()
    (tmp_path / "deny" / "sitecustomize.py").write_text(
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda name, *rest: None if name == 'jupyter_book' else find(name, *rest)\n",
        encoding="utf-8",
    )
    done = build_in(other_checkout, env={**os.environ, "PYTHONPATH": str(tmp_path / "deny")})
    assert "jupyter-book is missing" in last_line(done)


def test_licences_page_names_each_package_with_its_version(sample_html):
    text = (sample_html / "book" / "licences.html").read_text(encoding="utf-8")
    installed = json.loads((ROOT / "book/node_modules/temml/package.json").read_text(encoding="utf-8"))
    for words in ("temml", installed["version"], "OFL-1.1", "MIT", "BSD", "pydata-sphinx-theme"):
        assert words in text


def test_stored_notebook_can_be_downloaded(sample_html):
    path = sample_html / "_sources" / "chapters" / "sample.ipynb"
    assert nbformat.read(path, as_version=4).cells
