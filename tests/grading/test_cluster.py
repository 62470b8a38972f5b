"""Submissions handed to a Dask cluster of two workers, one of which is killed in the middle."""

import json
import os
import signal
import threading
import time

import pytest

from attnbook import cli
from attnbook.exercises.registry import exercise
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
    ) as cluster:
        stored = tmp_path / "out" / "work" / "rows"
        victim = cluster.workers[0].pid
        killed = []

        def kill_one() -> None:
            deadline = time.monotonic() + 200
            while time.monotonic() < deadline and not list(stored.glob("*.json")):
                time.sleep(0.1)
            os.kill(victim, signal.SIGKILL)
            killed.append(len(list(stored.glob("*.json"))))

        thread = threading.Thread(target=kill_one)
        thread.start()
        address = cluster.scheduler_address
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
