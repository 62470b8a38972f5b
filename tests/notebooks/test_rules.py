"""Every stored notebook keeps the rules; and each rule is seen to catch what it is for."""

import nbformat
import pytest

from cell_source import marker, synced, taught_source
from first_cell import first_cell
from folding import expected_folds
from normalise import write
from notebook_rules import problems, read
from notebooks import main
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


@pytest.mark.parametrize("number", sorted({path.name[:2] for path in ROOT.glob("chapters/*.ipynb")}))
def test_a_chapter_shows_at_least_one_mechanism_from_the_package(number):
    """In its core or in a lab."""
    cells = [cell for path in ROOT.glob(f"chapters/{number}_*.ipynb") for cell in read(path).cells]
    assert any(marker(cell.source) for cell in cells if cell.cell_type == "code")


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
        (nbformat.v4.new_markdown_cell("x" * 2_000_001), "over 2000"),
        (
            _cell("show()", [nbformat.v4.new_output("display_data", {"image/png": "A" * 300_000})], 2),
            "over 200",
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
    assert quiz.metadata.tags == ["quiz"]
    assert quiz.metadata.jupyter.source_hidden
    assert quiz.metadata.cellView == "form"


FIGURE = nbformat.v4.new_output("display_data", {"image/svg+xml": "<svg/>", "text/plain": "Figure: a line."})


def _caption(number):
    words = {"text/markdown": f"**Figure {number}.** A line.", "text/plain": f"Figure {number}. A line."}
    return nbformat.v4.new_output("display_data", words)


def _said(text):
    return [nbformat.v4.new_output("stream", name="stdout", text=text)]


@pytest.mark.parametrize(
    ("source", "outputs", "fold"),
    [
        ("import torch", [], "setup"),
        (
            "import torch\nfrom torch import nn\n\ntorch.set_printoptions(precision=2)\nprint(1)",
            _said("1\n"),
            "setup",
        ),
        ("%matplotlib inline\nimport torch", [], "setup"),
        ("import torch\nkeys = torch.eye(3)", [], None),
        ("figure, ax = plots.new_figure()\nax.plot([1])\nplots.show(figure, alt='a')", [FIGURE], "draw"),
        ("figure = draw()\nplots.show(figure, alt='a')\nprint(1)", [FIGURE, *_said("1\n")], "draw"),
        ("figure = draw()\nplots.show(figure, alt='a')\nprint(table)", [FIGURE, *_said("1\n" * 9)], None),
        ("model.fit(data)\nplots.show(draw(model), alt='a')", [FIGURE], None),
        ("used_later = draw()\nplots.show(used_later, alt='a')", [FIGURE], None),
        ("assert weights.sum() == 1", [], "check"),
        (
            "theirs = f(x)\ntorch.testing.assert_close(ours, theirs)\nprint('equal: ', True)",
            _said("equal: True\n"),
            "check",
        ),
        ("assert weights.sum() == 1\nprint(weights)", _said("0.2 0.8\n"), None),
        ("used_later = f(x)\nassert used_later", [], None),
        ("x = 1", [], None),
        ("# The same source as attnbook.nn.masks: causal_mask\ndef causal_mask(): ...", [], None),
    ],
)
def test_what_is_folded_is_told_from_the_code(source, outputs, fold):
    later = _cell("fresh = [figure for figure in range(3)]\nprint(used_later)", _said("1\n"), 2)
    assert expected_folds([_cell(source, outputs, 1), later]) == [fold, None]


def test_a_name_that_is_bound_anew_below_is_not_needed_above():
    cells = [_cell("x = 1\nassert x", [], 1), _cell("x = 2", [], 2), _cell("print(x)", _said("2\n"), 3)]
    assert expected_folds(cells)[0] == "check"
    cells[1] = _cell("x = x + 1", [], 2)
    assert expected_folds(cells)[0] is None


def _chapter(tmp_path, *cells, name="04_name.ipynb"):
    (tmp_path / "chapters").mkdir(exist_ok=True)
    path = tmp_path / "chapters" / name
    first = _cell(first_cell(), _said("attnbook\n"), 1)
    first.metadata.tags = ["setup"]
    write(nbformat.v4.new_notebook(cells=[first, *cells]), path)
    return path


def test_an_open_cell_that_only_checks_is_named_until_it_is_tagged(tmp_path, capsys):
    path = _chapter(tmp_path, _cell("assert True", [], 2), _printed("print(1)", "1\n", 3))
    assert any("code cell 2 is to be folded as check" in problem for problem in problems(path))
    assert main(["tag", str(path)]) == 0
    assert problems(path) == []
    (_, check, plain) = read(path).cells
    assert check.metadata == {
        "cellView": "form",
        "jupyter": {"outputs_hidden": True, "source_hidden": True},
        "tags": ["check"],
    }
    assert plain.metadata == {}
    before = path.read_bytes()
    assert main(["tag", str(path)]) == 0
    assert path.read_bytes() == before


def test_a_cell_tagged_shown_stays_open(tmp_path):
    check = _cell("assert True", [], 2)
    check.metadata.tags = ["shown"]
    path = _chapter(tmp_path, check, _printed("print(1)", "1\n", 3))
    assert problems(path) == []
    assert main(["tag", str(path)]) == 0
    assert read(path).cells[1].metadata == {"tags": ["shown"]}


def test_an_unknown_tag_is_named(tmp_path):
    cell = _printed("print(1)", "1\n", 2)
    cell.metadata.tags = ["hide-input"]
    assert any("has the tag hide-input" in problem for problem in problems(_chapter(tmp_path, cell)))


@pytest.mark.parametrize(
    ("name", "numbers", "words"),
    [
        ("04_name.ipynb", ["4.1", "4.2"], None),
        ("04_lab_name.ipynb", ["4.B1", "4.B2"], None),
        ("04_name.ipynb", ["4.1", "4.3"], "number them in order"),
        ("04_name.ipynb", ["5.1"], "number them 4.1 and on"),
        ("04_name.ipynb", ["4.A1"], "number them 4.1 and on"),
        ("04_lab_name.ipynb", ["4.A1", "4.B2"], "number them 4.A1 and on"),
    ],
)
def test_figures_are_numbered_in_order(tmp_path, name, numbers, words):
    cells = []
    for count, number in enumerate(numbers, start=2):
        cell = _cell("plots.show(f)", [FIGURE, _caption(number)], count)
        cell.metadata.tags = ["draw"]
        cells.append(cell)
    found = problems(_chapter(tmp_path, *cells, name=name))
    assert found == [] if words is None else any(words in problem for problem in found), found


def test_a_reference_to_a_figure_that_is_not_there_is_named(tmp_path):
    cell = _cell("plots.show(f)", [FIGURE, _caption("4.1")], 2)
    cell.metadata.tags = ["draw"]
    text = nbformat.v4.new_markdown_cell("[figure 4.1](#figure-4-1) and [figure 4.2](#figure-4-2)")
    found = problems(_chapter(tmp_path, cell, text))
    assert found == ["its text refers to #figure-4-2, which no figure's caption gives"]
