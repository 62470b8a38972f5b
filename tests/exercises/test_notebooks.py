"""What is handed out: generated from the masters, worth nothing untouched and everything when solved."""

import re
import subprocess
import sys

import nbformat
import pytest

import make_exercises as generator
from attnbook.exercises import exercises
from attnbook.exercises.spec import Function, Module
from attnbook.grading import score
from project import ROOT, repository

SOLUTIONS = sorted(ROOT.glob("solutions/*.ipynb"))
HEADER = re.compile(
    "(?m)^## (?P<id>\\d+\\.\\d+) · (?P<title>.+)\\n\\n\\*(?P<points>\\d+) points? · about (?P<minutes>\\d+) "
    "minutes · (?P<difficulty>\\w+) · (?P<kind>[\\w ]+?)(?: · without `[^*\\n]+`)?\\*$"
)
STEM = [path.stem for path in SOLUTIONS]


def chapter(path):
    return exercises(int(path.name[:2]))


def test_every_chapter_has_a_master():
    chapters = {path.stem for path in (ROOT / "chapters").glob("*.ipynb") if "_lab_" not in path.stem}
    assert chapters == set(STEM)
    assert len(STEM) >= 8
    assert {item.chapter for item in exercises()} == {int(stem[:2]) for stem in STEM}


def test_generated_files_are_what_the_masters_give():
    command = [sys.executable, "tools/make_exercises.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    again = generator.wanted()
    for path, text in generator.wanted().items():
        assert text == again[path]
        assert path.read_bytes() == text.encode()


@pytest.mark.parametrize("path", SOLUTIONS, ids=STEM)
def test_headers_and_cells_agree_with_the_specs(path):
    cells = nbformat.read(path, as_version=4).cells
    found = {match["id"]: match for cell in cells for match in HEADER.finditer(cell.source)}
    assert list(found) == [item.id for item in chapter(path)]
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    for item in chapter(path):
        match = found[item.id]
        assert match["title"] == item.title
        assert (int(match["points"]), int(match["minutes"])) == (item.points, item.minutes)
        assert (match["difficulty"], match["kind"]) == (item.difficulty, item.task)
        assert f'check("{item.id}", {item.name})' in code
        if isinstance(item, Function):
            assert f"def {item.signature}:" in code
        elif isinstance(item, Module):
            parameters = item.signature.removeprefix(item.name).strip("()")
            assert f"class {item.name}(torch.nn.Module):" in code
            assert f"def __init__(self, {parameters}):" in code
    items = chapter(path)
    points, minutes = sum(item.points for item in items), sum(item.minutes for item in items)
    assert f"*{len(items)} exercises, {points} points, about {minutes} minutes.*" in cells[0].source


@pytest.mark.parametrize("path", SOLUTIONS, ids=STEM)
def test_what_is_handed_out_holds_no_solution_and_no_output(path):
    handed = nbformat.read(ROOT / "exercises" / path.name, as_version=4)
    nbformat.validate(handed)
    text = "\n".join(cell.source for cell in handed.cells)
    assert "SOLUTION" not in text
    assert "PLANTED" not in text
    assert "solutions" not in handed.cells[0].source
    assert all(
        not cell.outputs and cell.execution_count is None for cell in handed.cells if cell.cell_type == "code"
    )
    address = repository().removeprefix("https://github.com/")
    assert (
        f"colab.research.google.com/github/{address}/blob/main/exercises/{path.name}"
        in handed.cells[0].source
    )
    ids = [cell.id for cell in handed.cells]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("path", SOLUTIONS, ids=STEM)
def test_untouched_scores_nothing_and_solved_scores_everything(path):
    untouched = score(ROOT / "exercises" / path.name, seed=12)
    assert untouched.of > 0
    assert untouched.points == 0, str(untouched)
    assert all(line.remark for line in untouched.lines)
    solved = score(path, seed=12)
    assert solved.points == solved.of == untouched.of, str(solved)


@pytest.mark.parametrize("path", SOLUTIONS, ids=STEM)
def test_an_untouched_notebook_runs_through(path, tmp_path, monkeypatch):
    """Restart and run all stops at no cell: a stub's check says that it waits."""
    from nbclient import NotebookClient

    monkeypatch.setenv("ATTNBOOK_PROGRESS", str(tmp_path / "progress.jsonl"))
    handed = nbformat.read(ROOT / "exercises" / path.name, as_version=4)
    NotebookClient(handed, timeout=300, kernel_name="python3").execute()
    text = "\n".join(
        output.get("text", "") for cell in handed.cells if cell.cell_type == "code" for output in cell.outputs
    )
    for item in chapter(path):
        assert f"✗ {item.id} · {item.title}: not yet" in text
    assert "could not read your answer" not in text


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (
            "def f(x):\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION\n\n\nf(1)",
            "def f(x):\n    raise NotImplementedError\n\n\nf(1)",
        ),
        ("# BEGIN SOLUTION\na = 1\nb = a\n# END SOLUTION\nprint(b)", "b = None  # your answer\nprint(b)"),
        (
            "def f(x):\n    # BEGIN SOLUTION\n    return x\n    # END SOLUTION\n    # BEGIN PLANTED\n"
            "    # y = 2\n    # if y:\n    #     return y\n    # END PLANTED\n",
            "def f(x):\n    y = 2\n    if y:\n        return y\n",
        ),
        ("x = 1", "x = 1"),
    ],
)
def test_stubs(source, wanted):
    assert generator.stub(source) == wanted


@pytest.mark.parametrize(
    "source",
    ["# BEGIN SOLUTION\nx = 1", "x = 1\n# END SOLUTION", "# BEGIN PLANTED\n# y\n# END PLANTED"],
)
def test_a_marker_without_its_partner_is_refused(source):
    with pytest.raises(ValueError, match="without its partner"):
        generator.stub(source)
