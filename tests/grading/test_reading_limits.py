"""No notebook takes the judge's memory or time: it is read in a process that has little of both."""

import json
import resource
import subprocess
import sys
import time

import pytest

from attnbook.grading import notebook
from attnbook.grading.notebook import NOT_LOOKED_THROUGH, look_through


def write(path, *sources):
    cells = [{"cell_type": "code", "source": source} for source in sources]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


def test_what_is_read_is_what_stands_there(tmp_path):
    path = write(tmp_path / "a.ipynb", "x = 1", " ", "from attnbook import nn")
    code = look_through(path, ["attnbook.nn"])
    assert code.cells == notebook.code_cells(path) == [(1, "x = 1"), (3, "from attnbook import nn")]
    assert (code.problem, code.flags) == ("", ["uses attnbook.nn"])
    assert code.content == notebook.digest(path.read_bytes())
    assert len(code.fingerprint) == 64


def test_a_relative_path_is_read_from_where_the_command_was_called(tmp_path, monkeypatch):
    path = write(tmp_path / "a.ipynb", "x = 1")
    monkeypatch.chdir(tmp_path)
    assert look_through(path.relative_to(tmp_path), []).cells == [(1, "x = 1")]


HOSTILE = {
    "long-module": "from " + "m" * 60_000 + " import " + ",".join(["a"] * 20_000),
    "long-aliases": "\n".join(f"import {'m' * 150}{n} as a{n}" for n in range(1500)) + "\n" + "a1;" * 1500,
    "deep": "x = " + "(" * 5_000 + ")" * 5_000,
    "chained": "x" + ".y" * 20_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_code_that_grows_when_it_is_looked_at_takes_little(tmp_path, name):
    """In a process of its own, so that its children's largest memory is the reader's alone."""
    path = write(tmp_path / "a.ipynb", HOSTILE[name])
    measure = (
        "import resource, sys; from pathlib import Path; from attnbook.grading.notebook import look_through\n"
        "code = look_through(Path(sys.argv[1]), ['attnbook.nn'])\n"
        "print(len(code.cells), resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10)"
    )
    done = subprocess.run([sys.executable, "-c", measure, str(path)], capture_output=True, text=True)
    cells, megabytes = map(int, done.stdout.split())
    assert cells == 1
    assert megabytes < 400


def test_a_reader_that_runs_out_costs_the_flags_and_no_point(tmp_path, monkeypatch):
    """Once the cells are known they are graded, whatever becomes of the look at them."""
    stand_in = tmp_path / "reader.py"
    stand_in.write_text(
        "import json, os\n"
        f"print(json.dumps(dict(content='c', problem='', cells=[[1, 'x']], flags=[{NOT_LOOKED_THROUGH!r}])),"
        " flush=True)\nprint('{\"flags\": [', end='', flush=True)\nos.abort()\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(notebook, "__file__", str(tmp_path / "notebook.py"))
    code = look_through(tmp_path / "a.ipynb", [])
    assert (code.cells, code.flags, code.problem) == ([(1, "x")], [NOT_LOOKED_THROUGH], "")


@pytest.mark.parametrize("code", ["import os; os.abort()", "import time; time.sleep(60)"])
def test_a_reader_that_says_nothing_is_a_sentence(tmp_path, monkeypatch, code):
    (tmp_path / "reader.py").write_text(code, encoding="utf-8")
    monkeypatch.setattr(notebook, "__file__", str(tmp_path / "notebook.py"))
    monkeypatch.setattr(notebook, "SECONDS", 1)
    started = time.monotonic()
    assert "cannot be read in the memory and time" in look_through(tmp_path / "a.ipynb", []).problem
    assert time.monotonic() - started < 30


def test_a_notebook_of_small_things_is_refused_before_it_fills_the_memory(tmp_path):
    """50 MB of `[[],[],…` would be two gigabytes of lists."""
    path = tmp_path / "a.ipynb"
    path.write_text('{"cells": [' + "[]," * 15_000_000 + "0]}", encoding="utf-8")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert look_through(path, []).problem
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 << 10


@pytest.mark.parametrize(
    ("cells", "words"),
    [(["x = 1"] * 1001, "1001 code cells"), (["#" * 500_001], "500,001 characters of code")],
)
def test_more_than_an_answer_needs_is_refused_with_the_limit(tmp_path, cells, words):
    assert words in look_through(write(tmp_path / "a.ipynb", *cells), []).problem
