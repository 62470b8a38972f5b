"""A run that is told to stop ends at once, workers and containers too; other systems are told why."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from attnbook import cli
from attnbook.exercises.registry import exercise
from attnbook.grading import batch, command, sandbox
from attnbook.grading.limits import Limits
from attnbook.grading.notebook import digest
from attnbook.grading.pool import Worker
from attnbook.grading.submissions import Submission

RIGHT = "import torch\ndef attention_weights(scores):\n    return torch.softmax(scores, dim=-1)\n"


def write(path: Path, source: str) -> None:
    content = {"cells": [{"cell_type": "code", "source": source}]}
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_a_stopped_run_ends_its_workers_keeps_its_rows_and_resumes(tmp_path, sent):
    if not sandbox.bubblewrap_works():
        pytest.skip("bubblewrap is not installed, or may not make name spaces: apt-get install bubblewrap")
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.ipynb", RIGHT)
    write(tmp_path / "in" / "b.ipynb", RIGHT + "import time\ntime.sleep(1000)")
    arguments = [sys.executable, "-m", "attnbook.cli", "grade", str(tmp_path / "in"), "--jobs", "1"]
    arguments += ["--exercises", "2.3", "--cell-seconds", "500", "--submission-seconds", "500"]
    arguments += ["--out", str(tmp_path / "out")]
    place = {**os.environ, "TMPDIR": str(tmp_path)}
    judge = subprocess.Popen(
        arguments,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=place,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background ignores it
    )
    stored = tmp_path / "out" / "work" / "rows"
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and not list(stored.glob("*.json")):
        time.sleep(0.1)
    time.sleep(2)  # the second one sleeps in its cell by now
    judge.send_signal(sent)
    assert judge.wait(timeout=30) == 130
    assert "stopped; what was done so far is kept" in judge.stderr.read().decode()
    judge.stderr.close()
    assert len(list(stored.glob("*.json"))) == 1
    assert not list(tmp_path.glob("attnbook-runtime-*")), "the runtime's folder was left behind"
    running = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not any(str(tmp_path).encode() in line for line in running)
    write(tmp_path / "in" / "b.ipynb", RIGHT)
    assert subprocess.run(arguments, capture_output=True, env=place).returncode == 0
    rows = json.loads((tmp_path / "out" / "grades.json").read_text(encoding="utf-8"))["rows"]
    assert [row["points"] for row in rows] == [exercise("2.3").points] * 2


def test_a_container_ends_with_its_worker(tmp_path, monkeypatch):
    engine = tmp_path / "docker"
    engine.write_text(
        f'#!/bin/sh\necho "$@" >> {tmp_path}/calls\n[ "$1" = run ] && exec sleep 100\n', encoding="utf-8"
    )
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    box = sandbox.Sandbox("docker", "image:1")
    worker = Worker(box.start(tmp_path, Limits()), Limits(), box)
    name = worker.process.args[worker.process.args.index("--name") + 1]
    worker.close()
    assert worker.process.returncode is not None
    assert f"kill {name}" in (tmp_path / "calls").read_text(encoding="utf-8")


def test_windows_is_told_in_one_sentence(monkeypatch):
    monkeypatch.setattr(sandbox.os, "name", "other")
    with pytest.raises(sandbox.NoSandbox, match="grading needs Linux"):
        sandbox.choose(unsafe=True)


def test_help_works_where_there_is_no_posix():
    """As on Windows: without these modules and without POSIX's half of ``os``."""
    code = """if True:
        import sys
        for name in ("resource", "fcntl", "pwd", "grp", "termios"):
            sys.modules[name] = None
        import torch, os, signal, select, platformdirs
        for name in ("mkfifo", "geteuid", "getuid", "set_blocking", "killpg", "sysconf", "O_NOFOLLOW"):
            delattr(os, name)
        del select.poll, signal.SIGKILL
        import importlib, pkgutil, attnbook.grading
        for module in pkgutil.iter_modules(attnbook.grading.__path__):
            importlib.import_module("attnbook.grading." + module.name)
        from attnbook import cli
        for words in (["--help"], ["grade", "--help"]):
            try:
                cli.main(words)
            except SystemExit as end:
                assert end.code == 0
    """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "SUBMISSIONS" in done.stdout


def test_what_learners_code_may_read_is_no_place_for_submissions(tmp_path):
    command.keep_out_of_reach([tmp_path, None])
    inside = Path(sys.prefix) / "course" / "submissions"
    with pytest.raises(ValueError, match="which learners' code may read; move it"):
        command.keep_out_of_reach([inside])


def test_the_secret_is_private_and_never_empty(tmp_path):
    secret = batch.stored_secret(tmp_path, None)
    assert len(secret) == 32
    assert batch.stored_secret(tmp_path, None) == secret
    kept = tmp_path / "work" / "seed"
    assert kept.stat().st_mode & 0o077 == 0
    kept.write_text("", encoding="utf-8")
    with pytest.raises(ValueError, match="is empty"):
        batch.stored_secret(tmp_path, None)


def test_a_changed_reference_is_another_plan(tmp_path):
    source = (
        "from attnbook.exercises.spec import Case, Function, Output\n"
        "def double(x):\n    return 2 * x\n"
        "EXERCISES = [Function(id='1.1', title='Double', points=5, minutes=1, difficulty='easy',\n"
        "    signature='double(x)', outputs=(Output('twice', ('n',)),), hints=('Add.',),\n"
        "    reference=double, cases=lambda draw: [Case({'x': draw.normal(3)})])]\n"
    )
    spec = tmp_path / "mine.py"
    digests = []
    for text in (source, source, source.replace("2 * x", "3 * x")):
        spec.write_text(text, encoding="utf-8")
        plan = batch.Plan(command.own_specs(spec), "s", Limits(), sandbox.Sandbox("none"))
        digests.append(plan.digest())
    assert digests[0] == digests[1] != digests[2]


def test_exercises_named_twice_count_once(tmp_path):
    parsed = cli.parser(["grade"]).parse_args(
        ["grade", "x", "--out", str(tmp_path), "--exercises", "2.3, 2.3"]
    )
    assert [one.id for one in command.chosen_exercises(parsed)] == ["2.3"]


def test_a_file_that_is_replaced_while_the_batch_runs_is_graded_again(tmp_path):
    """The mark of the old content is kept under the old content alone."""
    submission = Submission("a.ipynb", "a", tmp_path / "a.ipynb")
    plan = batch.Plan((exercise("2.3"),), "s", Limits(), sandbox.Sandbox("none"))
    graded = []

    def replacing(waiting, plan):
        for one in waiting:
            graded.append(one.path.read_text(encoding="utf-8"))
            row = batch.failed_row(one, plan, MemoryError()) | {"status": "graded", "points": 0.0}
            row["content"] = digest(one.path.read_bytes())
            write(one.path, RIGHT)  # a synced folder brings the next version
            yield one, row

    write(submission.path, "x = 1")
    for _ in range(3):
        batch.grade_batch([submission], plan, tmp_path / "out", grade=replacing)
    assert ["softmax" in text for text in graded] == [False, True]


def test_a_row_that_the_grader_failed_on_is_shown_and_tried_again(tmp_path):
    write(tmp_path / "a.ipynb", RIGHT)
    submission = Submission("a.ipynb", "a", tmp_path / "a.ipynb")
    plan = batch.Plan((exercise("2.3"),), "s", Limits(), sandbox.Sandbox("none"))
    tried = []

    def failing(waiting, plan):
        tried.extend(waiting)
        for one in waiting:
            yield one, batch.failed_row(one, plan, MemoryError())

    for _ in range(2):
        (row,) = batch.grade_batch([submission], plan, tmp_path / "out", grade=failing)
        assert row["status"] == "not graded: MemoryError in the grader; please report it"
        assert (row["points"], row["possible"]) == (None, exercise("2.3").points)
    assert len(tried) == 2


def test_a_file_that_is_replaced_before_its_turn_is_kept_under_what_was_graded(tmp_path):
    """Graded is what is there when it is read; the old content, should it come back, is graded for itself."""
    submission = Submission("a.ipynb", "a", tmp_path / "a.ipynb")
    plan = batch.Plan((exercise("2.3"),), "s", Limits(), sandbox.Sandbox("none"))
    graded = []

    def work(waiting, plan):
        for one in waiting:
            write(one.path, RIGHT)
            graded.append(digest(one.path.read_bytes()))
            row = batch.failed_row(one, plan, MemoryError()) | {"status": "graded", "points": 2.0}
            yield one, row | {"content": graded[-1]}

    write(submission.path, "x = 1")
    batch.grade_batch([submission], plan, tmp_path / "out", grade=work)
    batch.grade_batch([submission], plan, tmp_path / "out", grade=work)
    assert len(graded) == 1, "the new content had its mark already"
    write(submission.path, "x = 1")
    batch.grade_batch([submission], plan, tmp_path / "out", grade=work)
    assert len(graded) == 2, "the old content was given the mark of the new one"


def test_what_was_starved_is_tried_once_more_alone_also_by_a_cluster(tmp_path):
    names = ["a", "b", "c"]
    found = [Submission(f"{name}.ipynb", name, tmp_path / f"{name}.ipynb") for name in names]
    plan = batch.Plan((exercise("2.3"),), "s", Limits(), sandbox.Sandbox("none"))
    asked = []

    def busy(waiting, plan):
        asked.append([one.id for one in waiting])
        for one in waiting:
            row = batch.failed_row(one, plan, MemoryError()) | {"status": "graded", "points": 0.0}
            first = len(asked) == 1 and one.id != "b"
            yield one, row | ({"starved": True} if first else {"points": 2.0, "starved": one.id == "c"})

    rows = batch.grade_batch(found, plan, tmp_path / "out", grade=busy)
    assert asked == [["a", "b", "c"], ["a"], ["c"]]
    assert [row["points"] for row in rows] == [2.0, 2.0, 2.0], "a second try that is starved too is the last"


@pytest.mark.parametrize("poison", [object(), float("nan"), {1, 2}], ids=lambda one: type(one).__name__)
def test_a_row_that_cannot_be_stored_costs_itself(tmp_path, poison):
    names = ["a", "b", "c"]
    found = [Submission(f"{name}.ipynb", name, tmp_path / f"{name}.ipynb") for name in names]
    plan = batch.Plan((exercise("2.3"),), "s", Limits(), sandbox.Sandbox("none"))

    def work(waiting, plan):
        for one in waiting:
            row = batch.failed_row(one, plan, MemoryError()) | {"status": "graded", "points": 1.0}
            yield one, row | ({"cells": [poison]} if one.id == "b" else {})

    rows = batch.grade_batch(found, plan, tmp_path / "out", grade=work)
    assert [row["status"][:10] for row in rows] == ["graded", "not graded", "graded"]
    assert [row["points"] for row in rows] == [1.0, None, 1.0]


def test_a_stored_row_that_lacks_something_is_graded_again(tmp_path):
    write(tmp_path / "a.ipynb", RIGHT)
    submission = Submission("a.ipynb", "a", tmp_path / "a.ipynb")
    plan = batch.Plan((exercise("2.3"),), "s", Limits(), sandbox.Sandbox("none"))

    def work(waiting, plan):
        for one in waiting:
            row = batch.failed_row(one, plan, MemoryError()) | {"status": "graded", "points": 1.0}
            yield one, row | {"content": digest(one.path.read_bytes())}

    batch.grade_batch([submission], plan, tmp_path / "out", grade=work)
    (stored,) = (tmp_path / "out" / "work" / "rows").iterdir()
    stored.write_text(json.dumps({"file": "a.ipynb", "status": "graded"}), encoding="utf-8")
    (row,) = batch.grade_batch([submission], plan, tmp_path / "out", grade=work)
    assert row["points"] == 1.0


def test_a_failure_of_the_grader_is_loud_and_is_no_zero(tmp_path, monkeypatch, capsys):
    def broken(*arguments):
        raise MemoryError

    monkeypatch.setattr(batch, "mark", broken)
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / "a.ipynb", RIGHT)
    arguments = [
        "grade",
        str(tmp_path / "in"),
        "--exercises",
        "2.3",
        "--out",
        str(tmp_path / "out"),
        "--unsafe",
    ]
    monkeypatch.setattr(sandbox, "bubblewrap_works", lambda: False)
    assert cli.main(arguments) == 1
    printed = capsys.readouterr()
    assert "THE GRADER FAILED ON 1 OF 1 FILES" in printed.err
    assert "1 without a mark" in printed.out
    assert len((tmp_path / "out" / "marks.csv").read_text(encoding="utf-8").splitlines()) == 1
    assert len((tmp_path / "out" / "canvas.csv").read_text(encoding="utf-8").splitlines()) == 2
