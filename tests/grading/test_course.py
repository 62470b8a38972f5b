"""A course of thirty, from hand-out to Canvas, with the commands of the instructor's page."""

import csv
import json
import re
import subprocess
import sys

import nbformat
import pytest

from attnbook.exercises.registry import exercises
from attnbook.grading.sandbox import bubblewrap_works
from support import ROOT

PAGE = (ROOT / "book" / "instructors.md").read_text(encoding="utf-8")
NAME = "02_attention_as_lookup.ipynb"
STUB = nbformat.read(ROOT / "exercises" / NAME, as_version=4)
SOLVED = nbformat.read(ROOT / "solutions" / NAME, as_version=4)
POSSIBLE = sum(exercise.points for exercise in exercises(2))


def commands() -> list[str]:
    """The commands of the page's code blocks that call the grader, each in one line."""
    blocks = re.findall(r"^```(\S*)\n(.*?)^```$", PAGE.replace("\\\n", ""), re.DOTALL | re.MULTILINE)
    lines = [line for language, block in blocks if not language for line in block.splitlines()]
    return [line for line in lines if line.startswith("attnbook grade")]


def solved_up_to(count: int) -> nbformat.NotebookNode:
    """A notebook in which the first ``count`` code cells are the solution's and the others still stubs."""
    solved = [cell for cell in SOLVED.cells if cell.cell_type == "code"]
    stubs = [cell for cell in STUB.cells if cell.cell_type == "code"]
    return nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell.source) for cell in solved[:count] + stubs[count:]]
    )


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """Thirty submissions as Canvas hands them out, a roster of thirty-one, and the page's command run."""
    if not bubblewrap_works():
        pytest.skip("bubblewrap is not installed, or may not make name spaces: apt-get install bubblewrap")
    folder = tmp_path_factory.mktemp("course")
    (folder / "submissions").mkdir()
    total = sum(cell.cell_type == "code" for cell in SOLVED.cells)
    roster = [["id", "name", "canvas_id", "section"]]
    for number in range(31):
        roster.append([str(4700 + number), f"Learner {number:02}", str(4700 + number), "A"])
    for number in range(30):
        handed_in = solved_up_to(round(total * number / 29))
        if number % 7 == 3:  # some repeat a cell, as people do
            handed_in.cells.append(handed_in.cells[-1])
        late = "LATE_" if number % 10 == 9 else ""
        name = f"learner{number:02}_{late}{4700 + number}_{99000 + number}_{NAME}"
        if number == 12:
            (folder / "submissions" / name).write_text("{", encoding="utf-8")
        else:
            nbformat.write(handed_in, folder / "submissions" / name)
    with (folder / "roster.csv").open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows(roster)
    (folder / "secret.txt").write_text("a long random line, for this test\n", encoding="utf-8")
    (command,) = (one for one in commands() if "--gradescope" not in one)
    words = re.findall(r'"([^"]*)"|(\S+)', command)
    words = [quoted or plain for quoted, plain in words][1:]
    done = subprocess.run(
        [sys.executable, "-m", "attnbook.cli", *words], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "30 files, 30 rows" in done.stdout
    return folder / "grades"


def test_thirty_in_thirty_out_and_the_best_has_everything(course):
    rows = json.loads((course / "grades.json").read_text(encoding="utf-8"))["rows"]
    points = {row["id"]: row["points"] for row in rows}
    assert len(points) == 30
    assert points["4700"] == 0, "a notebook that was only handed out earned something"
    assert points["4729"] == POSSIBLE
    assert points["4712"] is None
    readable = [points[str(4700 + number)] for number in range(30) if number != 12]
    assert readable == sorted(readable), "more solved cells earned fewer points"


def test_canvas_gets_a_line_a_person(course):
    with (course / "canvas.csv").open(encoding="utf-8", newline="") as opened:
        header, possible, *lines = list(csv.reader(opened))
    assert header == ["Student", "ID", "Section", "Week 2"]
    assert float(possible[-1]) == POSSIBLE
    assert len(lines) == 29  # one of thirty-one handed in nothing, and one what cannot be read
    assert lines[-1] == ["Learner 29", "4729", "A", f"{POSSIBLE:g}"]
    assert not {"4712", "4730"} & {line[1] for line in lines}


def test_everybody_has_a_page_and_the_absent_are_listed(course):
    assert len(list((course / "feedback").iterdir())) == 30
    with (course / "missing.csv").open(encoding="utf-8", newline="") as opened:
        assert list(csv.reader(opened)) == [["id", "name"], ["4730", "Learner 30"]]


def test_the_pages_own_exercise_works(tmp_path):
    """The example of a spec file on the instructor's page is whole, as it says."""
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    spec = tmp_path / "mine.py"
    spec.write_text(example, encoding="utf-8")
    from attnbook.exercises import judge
    from attnbook.grading.command import own_specs
    from attnbook.worker import oracle

    (one,) = own_specs(spec)
    cases = one.make_cases(5)
    replies = [oracle.answer(lambda x: x * x, one.request(case)) for case in cases]
    verdict = judge.judge(one, cases, replies)
    assert verdict.diagnosis == ["You multiply x with itself, not with 2."]
