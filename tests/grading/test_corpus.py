"""The corpus, graded as one batch: no unearned mark, no lost row, nothing stopped, nothing leaked."""

import csv
import json
import os
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from attnbook import cli
from attnbook.exercises.registry import exercise
from attnbook.grading.processes import descendants
from attnbook.grading.sandbox import bubblewrap_works
from support import ROOT

sys.path.insert(0, str(Path(__file__).parent))
import grading_corpus as corpus


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The reports of the whole corpus, graded once."""
    if not bubblewrap_works():
        pytest.skip("bubblewrap is not installed, or may not make name spaces: apt-get install bubblewrap")
    folder = tmp_path_factory.mktemp("corpus")
    entries = corpus.write_corpus(folder / "submissions")
    seed = folder / "seed.txt"
    seed.write_text("a secret of this test\n", encoding="utf-8")
    started = time.monotonic()
    arguments = ["--exercises", ",".join(corpus.EXERCISES), "--seed-file", str(seed), "--jobs", "2"]
    arguments += ["--cell-seconds", "3", "--submission-seconds", "60", "--out", str(folder / "grades")]
    assert cli.main(["grade", str(folder / "submissions"), *arguments]) == 0
    rows = json.loads((folder / "grades" / "grades.json").read_text(encoding="utf-8"))["rows"]
    print(f"{len(rows)} submissions in {time.monotonic() - started:.0f} s")
    return folder, entries, {row["file"]: row for row in rows}


def test_the_corpus_is_large_enough():
    assert len(corpus.ENTRIES) >= 60
    assert len({entry.name for entry in corpus.ENTRIES}) == len(corpus.ENTRIES)


def test_n_files_in_n_rows_out(graded):
    folder, entries, rows = graded
    assert set(rows) == set(entries)
    with (folder / "grades" / "grades.csv").open(encoding="utf-8", newline="") as opened:
        assert len(list(csv.DictReader(opened))) == len(entries)
    assert len(list((folder / "grades" / "feedback").iterdir())) == len(entries)


@pytest.mark.parametrize("entry", corpus.ENTRIES, ids=lambda entry: entry.name)
def test_each_earns_exactly_what_it_deserves(graded, entry):
    row = graded[2][entry.name.replace("/", "_")]
    assert row["status"].startswith(entry.status), row["status"]
    deserved = sum(exercise(id).points for id in entry.earns)
    earned = {mark["id"]: mark["points"] for mark in row["marks"]}
    assert (row["points"] or 0) == deserved, (
        earned,
        row["cells"],
        [mark["feedback"] for mark in row["marks"]],
    )


def test_no_report_holds_a_script_a_formula_or_a_leak(graded):
    grades = graded[0] / "grades"
    for path in (grades / "feedback").iterdir():
        page = path.read_text(encoding="utf-8")
        assert "<script" not in page, path
        assert "<img" not in page, path
        assert "LEAK" not in page, path
        assert "Content-Security-Policy" in page
    with (grades / "grades.csv").open(encoding="utf-8", newline="") as opened:
        for row in csv.reader(opened):
            assert not any(cell[:1] in "=+-@\t" for cell in row if cell), row
    assert "LEAK" not in (grades / "grades.json").read_text(encoding="utf-8")


def test_a_file_that_is_no_notebook_has_no_mark_rather_than_none_earned(graded):
    for name in ("empty-file.ipynb", "essay.pdf", "a-link.ipynb", "folder.ipynb", "too-much-code.ipynb"):
        assert graded[2][name]["points"] is None, name
    with (graded[0] / "grades" / "marks.csv").open(encoding="utf-8", newline="") as opened:
        marked = {row["id"] for row in csv.DictReader(opened)}
    assert "right" in marked
    assert not {"empty-file", "essay", "a-link", "folder.ipynb", "too-much-code"} & marked


def test_what_a_submission_says_of_its_errors_is_little(graded):
    """60 errors of a million characters each; the whole corpus has one file of reports."""
    cells = graded[2]["enormous-errors.ipynb"]["cells"]
    assert sum(len(json.dumps(cell["error"])) for cell in cells) < 30_000
    assert (graded[0] / "grades" / "grades.json").stat().st_size < 2_000_000


def left_running() -> list[str]:
    """The command lines of workers, and of what starts them, that are not those of a test beside this one."""
    running = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it ended meanwhile
            line = path.read_text(encoding="utf-8", errors="replace")
            if "/runtime/attnbook/worker/" in line:
                running[int(path.parent.name)] = line
    # Tests that run beside these, in another process of the same pytest, have workers of their own.
    family = descendants(os.getppid()) if "PYTEST_XDIST_WORKER" in os.environ else []
    beside = set(family) - set(descendants(os.getpid()))
    return [line for process, line in running.items() if process not in beside]


def test_nothing_was_left_running_or_written(graded):
    assert not Path("/tmp/bombed").exists()
    deadline = time.monotonic() + 10  # the kernel ends a sandbox a moment after the process that made it
    while (left := left_running()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []


def test_the_seed_and_the_references_stay_with_the_judge():
    from attnbook.grading.runtime import make_runtime

    runtime = make_runtime()
    names = {path.name for path in runtime.rglob("*.py")}
    kept = {"judge.py", "kinds.py", "attention_weights.py", "checking.py", "marks.py", "batch.py"}
    assert kept <= {path.name for path in (ROOT / "src/attnbook").rglob("*.py")}  # as they are called now
    assert not names & kept
    assert ROOT not in runtime.parents
