"""The zygote's life: what it forks ends without a trace, and when it ends itself nobody pays for it."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from attnbook import cli
from attnbook.exercises.registry import exercise
from attnbook.grading import batch, sandbox, zygote
from attnbook.grading.limits import Limits
from attnbook.grading.pool import Forked, Pool, SandboxLost, Worker
from attnbook.grading.processes import descendants
from attnbook.grading.submissions import Submission

sys.path.insert(0, str(Path(__file__).parent))
from zygotes import BOX, forked, need_a_zygote

LIMITS = Limits(cell=20, submission=60)
ONE = exercise("2.3")
RIGHT = "import torch\ndef attention_weights(scores):\n    return torch.softmax(scores, dim=-1)\n"


@pytest.fixture
def pool():
    need_a_zygote()
    with Pool(BOX, LIMITS) as made:
        yield made


def row_of(pool, folder: Path, source: str = RIGHT) -> dict:
    path = folder / "a.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": source}]}), encoding="utf-8")
    plan = batch.Plan((ONE,), "s", LIMITS, BOX)
    return batch.grade_one(Submission("a.ipynb", "a", path), plan, pool)


def zygote_process(pool) -> int:
    """The number of the zygote itself: of those in its box, the one that is in no name space inside."""
    for one in descendants(pool._nursery._started[-1].process.pid):
        line = Path(f"/proc/{one}/cmdline").read_bytes().split(b"\0")
        if b"/runtime/attnbook/worker/zygote.py" in line and b"--die-with-parent" not in line:
            status = Path(f"/proc/{one}/status").read_text(encoding="utf-8")
            (numbers,) = (told.split()[1:] for told in status.splitlines() if told.startswith("NSpid:"))
            if len(numbers) == 2:  # here, and in the box
                return one
    raise AssertionError("no zygote")


def wait_until(so) -> None:
    """Fail if it is not so soon: the first process of the box collects what has ended in its own time."""
    deadline = time.monotonic() + 10
    while not so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_the_handle_is_that_of_the_worker(pool):
    worker = forked(pool)
    status = Path(f"/proc/{worker.process.pid}/status").read_text(encoding="utf-8")
    told = dict(line.split(":", 1) for line in status.splitlines())
    assert told["NSpid"].split()[0] == str(worker.process.pid)
    assert told["NSpid"].split()[-1] == "1"
    assert int(told["CapEff"], 16) == int(told["CapBnd"], 16) == 0
    assert told["Seccomp"].strip() == "2"
    if os.geteuid() == 0:
        assert int(told["Uid"].split()[0]) >= sandbox.FIRST_USER
    assert len(descendants(worker.process.pid)) == 2
    assert all(os.sched_getaffinity(one) == {worker.processor} for one in descendants(worker.process.pid))
    pid = worker.process.pid
    pool.give_back(worker)
    assert worker.child.handle == -1
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    worker.kill()  # a second time, as a run that is stopped may: nothing happens


def test_forty_workers_leave_no_process_and_no_descriptor(pool):
    def left() -> tuple[int, int, int]:
        box = descendants(pool._nursery._started[0].process.pid)
        inside = len(os.listdir(f"/proc/{zygote_process(pool)}/fd")) if os.geteuid() == 0 else 0
        return len(box), inside, len(os.listdir("/proc/self/fd"))

    first = forked(pool)
    pool.give_back(first)
    wait_until(lambda: not Path(f"/proc/{first.process.pid}").exists())
    before = left()
    for _ in range(40):
        worker = forked(pool)
        pool.give_back(worker)
    wait_until(lambda: left() == before)


def test_the_zygote_holds_nothing_but_its_socket(pool):
    pool.give_back(forked(pool))
    if os.geteuid() != 0:
        pytest.skip("only root may look into a process that is not dumpable")
    number = zygote_process(pool)
    opened = [os.readlink(path) for path in Path(f"/proc/{number}/fd").iterdir()]
    assert sorted(one.split(":")[0] for one in opened) == ["/dev/null", "/dev/null", "socket"]
    assert len(os.listdir(f"/proc/{number}/task")) == 1
    environment = Path(f"/proc/{number}/environ").read_bytes()
    assert b"ATTNBOOK_RUNTIME" in environment
    assert b"PYTEST" not in environment, "nothing of the judge's own"


def test_a_zygote_that_ends_between_two_submissions_is_replaced(pool, tmp_path):
    pool.give_back(forked(pool))
    os.kill(zygote_process(pool), signal.SIGKILL)
    assert row_of(pool, tmp_path)["points"] == ONE.points
    assert len(pool._nursery._started) == 2
    assert not pool._nursery.given_up


def test_a_sandbox_that_ends_under_a_submission_is_the_graders_fault(pool, tmp_path, monkeypatch):
    """No zero: no mark, and the next submission has one."""
    taken = []
    take = pool.take

    def and_end_it(*arguments):
        worker = take()
        if isinstance(worker, Forked) and not taken:
            # The first process of the box, as the kernel may choose it when memory is short.
            os.kill(descendants(pool._nursery._started[0].process.pid)[1], signal.SIGKILL)
        taken.append(worker)
        return worker

    monkeypatch.setattr(pool, "take", and_end_it)
    row = row_of(pool, tmp_path)
    assert row["status"] == f"not graded: {SandboxLost.__name__} in the grader; please report it"
    assert row["points"] is None
    row = row_of(pool, tmp_path)
    assert (row["status"], row["points"]) == ("graded", ONE.points)
    assert len(pool._nursery._started) == 2


def test_a_submission_that_ends_itself_is_not_the_graders_fault(pool, tmp_path):
    row = row_of(pool, tmp_path, "import os\nos._exit(0)")
    assert (row["status"], row["points"]) == ("graded", 0)


@pytest.mark.parametrize("fault", ["a step fails", "it never starts", "it was not shut in"])
def test_where_it_does_not_work_each_has_a_sandbox_of_its_own(tmp_path, monkeypatch, capsys, fault):
    need_a_zygote()
    if fault == "a step fails":
        limits = zygote._limits
        monkeypatch.setattr(zygote, "_limits", lambda given: limits(given) | {"NO_SUCH_LIMIT": 1})
    elif fault == "it never starts":
        monkeypatch.setattr(sandbox, "zygote_command", lambda *arguments: ["/bin/false"])
    else:  # the filter is empty: the kernel takes none, and no learner's code may run
        monkeypatch.setattr(zygote.seccomp, "program", lambda: b"\x06\x00\x00\x00\x00\x00\xff")
        monkeypatch.setattr(zygote.seccomp, "descriptor", lambda: None)
    with Pool(BOX, LIMITS) as pool:
        for _ in range(2):
            row = row_of(pool, tmp_path)
            assert (row["status"], row["points"]) == ("graded", ONE.points)
        assert pool._nursery.given_up
        worker = pool.take()
        assert type(worker) is Worker
        pool.give_back(worker)
    said = capsys.readouterr().err
    assert said.count("no sandbox inside a sandbox can be made here") == 1
    assert {"a step fails": "NO_SUCH_LIMIT", "it never starts": "it ended"}.get(fault, "filter") in said


def test_a_stopped_pool_does_not_wait_for_a_fork(pool):
    started = time.monotonic()
    pool.stop()
    with pytest.raises(Exception, match="grading was stopped"):
        pool.take()
    assert time.monotonic() - started < 10
    assert all(one.process.poll() is not None for one in pool._nursery._started)


def test_check_says_how_submissions_start(capsys):
    need_a_zygote()
    assert cli.main(["grade", "--check"]) == 0
    assert "each submission: a sandbox inside a sandbox, forked" in capsys.readouterr().out


def test_only_bubblewrap_with_a_filter_has_one(monkeypatch):
    assert not any(zygote.possible(sandbox.Sandbox(kind)) for kind in ("docker", "podman", "user", "none"))
    monkeypatch.setattr(zygote.seccomp, "program", lambda: None)
    assert not zygote.possible(BOX)
