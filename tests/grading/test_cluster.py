"""Submissions handed to a Dask cluster of two workers, one of which is killed in the middle."""

import csv
import json
import os
import signal
import sys
import threading
import time
from dataclasses import replace

import pytest

from attnbook import cli
from attnbook.exercises.registry import exercise
from attnbook.grading import batch, cluster
from attnbook.grading.sandbox import bubblewrap_works

RIGHT = "import torch\ndef attention_weights(scores):\n    return torch.softmax(scores, dim=-1)\n"


@pytest.mark.timeout(400)
def test_a_killed_machine_costs_nothing(tmp_path):
    if not bubblewrap_works():
        pytest.skip("bubblewrap is not installed, or may not make name spaces: apt-get install bubblewrap")
    distributed = pytest.importorskip("distributed", reason="Dask is not installed: pip install distributed")
    folder = tmp_path / "in"
    folder.mkdir()
    count = 6
    for number in range(count):
        content = {"cells": [{"cell_type": "code", "source": f"{RIGHT}n = {number}"}]}
        (folder / f"s{number}.ipynb").write_text(json.dumps(content), encoding="utf-8")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
    ) as machines:
        stored = tmp_path / "out" / "work" / "rows"
        victim = machines.workers[0].pid
        killed = []

        def kill_one() -> None:
            deadline = time.monotonic() + 200
            while time.monotonic() < deadline and not list(stored.glob("*.json")):
                time.sleep(0.1)
            os.kill(victim, signal.SIGKILL)
            killed.append(len(list(stored.glob("*.json"))))

        thread = threading.Thread(target=kill_one)
        thread.start()
        address = machines.scheduler_address
        command = [
            "grade",
            str(folder),
            "--exercises",
            "2.3",
            "--cluster",
            address,
            "--out",
            str(tmp_path / "out"),
        ]
        assert cli.main(command) == 0
        thread.join()
    assert killed
    assert killed[0] < count, "the machine was killed only after everything was graded"
    rows = json.loads((tmp_path / "out" / "grades.json").read_text(encoding="utf-8"))["rows"]
    assert len(rows) == count
    assert all(row["points"] == exercise("2.3").points for row in rows)


class Machine:
    """Stands for Dask's client and its futures: what it says is all that this side sees of a cluster."""

    def __init__(self, workers=0, status="running"):
        self.workers, self.status = workers, status

    def scheduler_info(self, n_workers=None):
        return {"workers": {str(number): {} for number in range(self.workers)}}


class Never:
    """Futures of which none is ever done."""

    def has_ready(self):
        return False

    is_empty = has_ready


def test_a_cluster_without_workers_is_said_and_waited_for(monkeypatch, capsys):
    monkeypatch.setattr(cluster, "LOOK", 0.0)
    with pytest.raises(
        cluster.ClusterLost, match="no worker was there for 0.05 seconds; what was graded is kept"
    ):
        cluster._next(Never(), Machine(), "tcp://x", 0.05)
    assert capsys.readouterr().err.count("no worker left; waiting 0.05 seconds") == 1


def test_a_lost_scheduler_ends_the_run_and_makes_no_marks(tmp_path, monkeypatch, capsys):
    with pytest.raises(
        cluster.ClusterLost, match="the scheduler at tcp://x was lost; what was graded is kept"
    ):
        cluster._next(Never(), Machine(status="closed"), "tcp://x", 9)

    def lost(address):
        def work(waiting, plan):
            raise cluster.ClusterLost(cluster._lost(address))
            yield

        return work

    monkeypatch.setattr(cluster, "on_cluster", lost)
    (tmp_path / "a.ipynb").write_text('{"cells": []}', encoding="utf-8")
    out = tmp_path / "out"
    arguments = ["grade", str(tmp_path / "a.ipynb"), "--exercises", "2.3", "--out", str(out), "--unsafe"]
    assert cli.main([*arguments, "--cluster", "tcp://x"]) == 1
    assert "was lost" in capsys.readouterr().err
    assert not (out / "canvas.csv").exists()
    assert not (out / "grades.csv").exists()


class Lost(Exception):
    """What a future raises whose scheduler is gone."""


class StandIn:
    """A module in the place of Dask's ``distributed``: a scheduler that is lost after some answers."""

    def __init__(self, answers):
        self.answers, self.asked = answers, []
        module, self.Client = self, lambda address, **options: StandInClient(module)

    def as_completed(self, running):
        return StandInFinished(running)


class StandInClient:
    def __init__(self, module):
        self.module, self.status = module, "running"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        pass

    def as_current(self):
        return self

    def submit(self, function, submission, content, ids, plan, **_):
        self.module.asked.append(submission.file)
        return StandInFuture(self, submission, ids, plan)


class StandInFuture:
    status = "finished"

    def __init__(self, client, submission, ids, plan):
        self.client, self.submission, self.ids, self.plan = client, submission, ids, plan

    def result(self):
        if self.client.module.answers <= 0:
            self.client.status, self.status = "closed", "cancelled"
            raise Lost
        self.client.module.answers -= 1
        return with_full_marks(self.submission, self.ids, self.plan)


class StandInFinished:
    def __init__(self, running):
        self.left = list(running)

    def has_ready(self):
        return bool(self.left)

    def is_empty(self):
        return not self.left

    def __next__(self):
        return self.left.pop(0)


def with_full_marks(submission, ids, plan):
    """The row of a submission in which everything is right."""
    asked = [exercise(id) for id in ids]
    marks = [
        {"id": one.id, "title": one.title, "points": one.points, "possible": one.points}
        | {"feedback": ["These checks passed."], "named": []}
        for one in asked
    ]
    row = batch._row_without_marks(submission, replace(plan, exercises=asked), "graded")
    return {**row, "points": row["possible"], "marks": marks, "content": batch.content_of(submission)}


def test_after_a_lost_scheduler_the_same_command_goes_on_and_nobody_has_zero(tmp_path, monkeypatch, capsys):
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for number in range(4):
        content = {"cells": [{"cell_type": "code", "source": f"{RIGHT}n = {number}"}]}
        (folder / f"s{number}.ipynb").write_text(json.dumps(content), encoding="utf-8")
    command = [
        "grade",
        str(folder),
        "--exercises",
        "2.3",
        "--out",
        str(out),
        "--unsafe",
        "--cluster",
        "tcp://x",
    ]

    monkeypatch.setitem(sys.modules, "distributed", lost := StandIn(answers=2))
    assert cli.main(command) == 1
    assert "the scheduler at tcp://x was lost; what was graded is kept" in capsys.readouterr().err
    assert len(lost.asked) == 4
    assert len(list((out / "work" / "rows").glob("*.json"))) == 2
    assert not list(out.glob("*.csv")), "a grade book was written although half of the class has no mark"

    monkeypatch.setitem(sys.modules, "distributed", again := StandIn(answers=9))
    assert cli.main(command) == 0
    assert again.asked == ["s2.ipynb", "s3.ipynb"]
    rows = json.loads((out / "grades.json").read_text(encoding="utf-8"))["rows"]
    assert [row["points"] for row in rows] == [exercise("2.3").points] * 4
    with (out / "marks.csv").open(encoding="utf-8", newline="") as opened:
        assert [float(line["points"]) for line in csv.DictReader(opened)] == [exercise("2.3").points] * 4
