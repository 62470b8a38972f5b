"""Every stored notebook keeps the rules; and each rule is seen to catch what it is for."""

import nbformat
import pytest

from cell_source import marker, synced, taught_source
from first_cell import first_cell
from normalise import write
from notebook_rules import problems, read
from support import ROOT

STORED = sorted([*ROOT.glob("chapters/*.ipynb"), *ROOT.glob("solutions/*.ipynb")])


def test_there_are_chapters():
    assert [path for path in STORED if path.parent.name == "chapters"]


@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_stored_notebook_keeps_every_rule(path):
    assert problems(path) == []


@pytest.mark.parametrize("path", STORED, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_stored_notebook_is_in_normal_form(path, tmp_path):
    copy = tmp_path / path.name
    write(read(path), copy)
    assert copy.read_bytes() == path.read_bytes(), f"run: python tools/notebooks.py normalise {path}"


@pytest.mark.parametrize("path", sorted(ROOT.glob("chapters/*.ipynb")), ids=lambda path: path.stem)
def test_a_chapter_shows_at_least_one_mechanism_from_the_package(path):
    assert any(marker(cell.source) for cell in read(path).cells if cell.cell_type == "code")


def _cell(source, outputs=(), count=None):
    return nbformat.v4.new_code_cell(source, outputs=list(outputs), execution_count=count)


def _notebook(tmp_path, *cells):
    path = tmp_path / "notebook.ipynb"
    text = nbformat.v4.new_output("stream", name="stdout", text="attnbook\n")
    notebook = nbformat.v4.new_notebook(cells=[_cell(first_cell(), [text], 1), *cells])
    write(notebook, path)
    return path


def _printed(source, text, count=2):
    return _cell(source, [nbformat.v4.new_output("stream", name="stdout", text=text)], count)


def test_a_good_notebook_has_no_problem(tmp_path):
    assert problems(_notebook(tmp_path, _printed("print(1)", "1\n"))) == []


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (_printed("print(1)", "1\n", count=3), "not executed from top to bottom"),
        (_cell("x = 1", [], None), "not executed from top to bottom"),
        (
            _cell(
                "1/0",
                [nbformat.v4.new_output("error", ename="ZeroDivisionError", evalue="", traceback=[])],
                2,
            ),
            "error output: ZeroDivisionError",
        ),
        (nbformat.v4.new_markdown_cell(":::{note}\nraw\n:::"), "MyST directive"),
        (nbformat.v4.new_markdown_cell("x" * 500_001), "over 500"),
        (
            _cell("show()", [nbformat.v4.new_output("display_data", {"image/png": "A" * 90_000})], 2),
            "over 60",
        ),
        (
            _cell("show()", [nbformat.v4.new_output("display_data", {"image/png": "AAAA"})], 2),
            "without alt text",
        ),
        (
            _printed("# The same source as attnbook.devices: device\ndef device(): ...", "x\n"),
            "differs from the package",
        ),
    ],
)
def test_each_rule_catches_its_breach(tmp_path, cell, words):
    found = problems(_notebook(tmp_path, cell))
    assert any(words in problem for problem in found), found


def test_too_few_compared_outputs_are_named(tmp_path):
    silent = [_cell(f"x = {n}", [], n) for n in range(2, 6)]
    assert any("text output" in problem for problem in problems(_notebook(tmp_path, *silent)))


def test_another_first_cell_is_named(tmp_path):
    path = tmp_path / "notebook.ipynb"
    write(nbformat.v4.new_notebook(cells=[_printed("import attnbook", "x\n", 1)]), path)
    assert any("first code cell" in problem for problem in problems(path))


def test_an_unreadable_notebook_is_one_sentence(tmp_path):
    path = tmp_path / "broken.ipynb"
    path.write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"broken\.ipynb: not a readable notebook .* restore it"):
        problems(path)


def test_taught_source_leaves_out_docstrings_checks_and_remarks_for_the_type_checker(tmp_path, monkeypatch):
    import cell_source

    folder = tmp_path / "src" / "attnbook"
    folder.mkdir(parents=True)
    (folder / "thing.py").write_text(
        'def f(x):\n    """Long words."""\n\n    checks.shape(\n        x\n    )\n'
        "    return x  # (n,)  # pyright: ignore[reportReturnType]\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(cell_source, "ROOT", tmp_path)
    assert taught_source("attnbook.thing", ["f"]) == "def f(x):\n    return x  # (n,)"
    cell = "# The same source as attnbook.thing: f\nanything"
    assert synced(cell) == "# The same source as attnbook.thing: f\ndef f(x):\n    return x  # (n,)"
    below = "# The same source as attnbook.thing:\n# f\n"  # long names go on a second line
    assert synced(below + "an old text") == below + "def f(x):\n    return x  # (n,)"
    with pytest.raises(LookupError, match="no function or class g"):
        taught_source("attnbook.thing", ["g"])
    with pytest.raises(LookupError, match="no such module"):
        taught_source("attnbook.nothing", ["f"])


@pytest.mark.parametrize("source", ["Quiz([])", 'mine = Quiz(\n    name="chapter-1",\n)'])
def test_the_code_of_a_quiz_is_folded_away(tmp_path, source):
    (_, plain, quiz) = read(_notebook(tmp_path, _printed("Quizzes = 1", "1\n"), _cell(source, [], 3))).cells
    assert plain.metadata == {}
    assert quiz.metadata.tags == ["hide-input"]
    assert quiz.metadata.jupyter.source_hidden
