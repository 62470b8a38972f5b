"""Control groups: found where they are, used by the kernel's rules, and left behind by nobody."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from attnbook import cli
from attnbook.grading import cgroup, command, sandbox
from attnbook.grading.limits import Limits
from attnbook.grading.pipes import WorkerGone
from attnbook.grading.pool import SandboxLost
from attnbook.grading.session import Session

V2 = "cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid 0 0"
OURS = "user.slice/session.scope"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine's /proc/self and control groups as plain files, which any name can be written to."""
    monkeypatch.setattr(cgroup, "GONE", 0.0)
    cgroup.find.cache_clear()
    process, root = tmp_path / "self", tmp_path / "groups"
    (root / OURS).mkdir(parents=True)
    process.mkdir()

    def made(mounts: str, groups: str, controllers: str = "", enabled: str = "") -> tuple[Path, Path]:
        (process / "mounts").write_text(mounts.replace("/sys/fs/cgroup", str(root)))
        (process / "cgroup").write_text(groups)
        (root / OURS / "cgroup.controllers").write_text(controllers)
        (root / OURS / "cgroup.subtree_control").write_text(enabled)
        return process, root / OURS

    yield made
    cgroup.find.cache_clear()


@pytest.mark.parametrize("enabled", ["memory pids", ""])
def test_a_delegated_group_of_version_2_is_used(machine, enabled):
    process, ours = machine(V2, f"0::/{OURS}\n", "cpu memory pids", enabled)
    assert cgroup.find(process) == cgroup.Place(ours, 2)
    assert "memory" in (ours / "cgroup.subtree_control").read_text()
    group = cgroup.Place(ours, 2).make(5 << 20)
    assert (group.folder / "memory.max").read_text() == str(5 << 20)
    assert (group.folder / "memory.oom.group").read_text() == "1"
    (group.folder / "memory.events").write_text("low 0\nmax 3\noom 1\noom_kill 0\n")
    assert not group.overflowed()
    (group.folder / "memory.events").write_text("low 0\nmax 3\noom 1\noom_kill 2\n")
    assert group.overflowed()


def test_a_judge_that_is_in_the_way_moves_aside(machine, monkeypatch):
    """The kernel refuses limits for children while their parent holds a process."""
    process, ours = machine(V2, f"0::/{OURS}\n", "memory")
    write = Path.write_text

    def as_the_kernel(path, text, *rest, **options):
        if path.name == "cgroup.subtree_control" and not (ours / "judge" / "cgroup.procs").exists():
            raise OSError(16, "Device or resource busy")
        return write(path, text, *rest, **options)

    monkeypatch.setattr(Path, "write_text", as_the_kernel)
    assert cgroup.find(process) == cgroup.Place(ours, 2)
    assert (ours / "judge" / "cgroup.procs").read_text() == str(os.getpid())


@pytest.mark.parametrize(
    ("mounts", "groups"),
    [
        (V2, f"0::/{OURS}\n"),  # the controller is not ours
        ("tmpfs /tmp tmpfs rw 0 0", f"0::/{OURS}\n"),
        ("cgroup /sys/fs/cgroup cgroup rw,cpu 0 0", f"1:cpu:/{OURS}\n"),
        (V2, "0::/elsewhere\n"),
        ("", ""),
    ],
)
def test_where_there_is_none_none_is_found(machine, mounts, groups):
    process, _ = machine(mounts, groups, "cpu pids")
    assert cgroup.find(process) is None


def test_version_1_is_used_where_there_is_no_other(machine):
    both = f"{V2}\ncgroup /sys/fs/cgroup cgroup rw,memory 0 0"
    process, ours = machine(both, f"4:memory:/{OURS}\n0::/{OURS}\n", "cpu")
    assert cgroup.find(process) == cgroup.Place(ours, 1)
    assert (cgroup.Place(ours, 1).make(7).folder / "memory.limit_in_bytes").read_text() == "7"


def test_a_system_without_proc_has_none(tmp_path):
    assert cgroup.find(tmp_path / "none") is None


def test_the_kernel_ends_what_holds_too_much(monkeypatch):
    place = cgroup.find()
    if place is None:
        pytest.skip(
            "not Linux, or no control group is delegated here: systemd-run --user --scope -p Delegate=yes"
        )
    group = place.make(64 << 20)
    try:
        greedy = [sys.executable, "-I", "-c", "held = bytearray(400 << 20); print('held')"]
        done = subprocess.run([*group.starter(), *greedy], capture_output=True, text=True)
        assert (done.returncode, done.stdout) == (-9, "")
        assert group.overflowed()
    finally:
        group.remove()
    assert not group.folder.exists()
    modest = place.make(200 << 20)
    try:
        done = subprocess.run([*modest.starter(), "/bin/echo", "a", "b"], capture_output=True, text=True)
        assert (done.stdout, modest.overflowed()) == ("a b\n", False)
    finally:
        modest.remove()


class OneWorker:
    """Stands for a pool: its only worker has this group."""

    def __init__(self, group):
        self.worker = SimpleNamespace(group=group)

    def __call__(self, box, limits):
        return self

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def take(self):
        return self.worker

    def give_back(self, worker):
        assert worker is self.worker


@pytest.mark.parametrize(
    ("kind", "group", "words"),
    [
        ("bubblewrap", cgroup.Group(Path("/g"), 2), "held by the kernel in a control group (version 2)"),
        ("bubblewrap", None, "looked at four times a second, since no control group can be made here"),
        ("podman", None, "held by the engine"),
    ],
)
def test_check_says_what_holds_a_submission(monkeypatch, capsys, kind, group, words):
    monkeypatch.setattr(command, "Pool", OneWorker(group))
    monkeypatch.setattr(sandbox, "choose", lambda **options: sandbox.Sandbox(kind))
    assert cli.main(["grade", "--check"]) == 0
    printed = capsys.readouterr().out
    assert f"isolation: {kind}" in printed
    assert f"memory of one submission: 4 GB, {words}" in printed
    assert "each submission: a process started for it" in printed


@pytest.mark.parametrize(("full", "fault"), [(True, "too much memory"), (False, "ended the process")])
def test_what_the_kernel_ended_for_its_memory_is_told_so(full, fault):
    def gone(message, seconds):
        raise WorkerGone("its process ended")

    given_back = []
    session = Session(SimpleNamespace(give_back=given_back.append), [], Limits())
    pipes = SimpleNamespace(exchange=gone, used=0.0)
    # What was over its limit was ended for that, even if the sandbox around it went too.
    worker = SimpleNamespace(pipes=pipes, overflowed=lambda: full, lost=lambda: full)
    session._worker = worker
    assert session._exchange({"do": "cell"}, 1.0) == ({}, fault)
    assert given_back == [worker]


def test_what_ended_with_its_sandbox_has_no_fault():
    def gone(message, seconds):
        raise WorkerGone("its process ended")

    session = Session(SimpleNamespace(give_back=lambda worker: None), [], Limits())
    pipes = SimpleNamespace(exchange=gone, used=0.0)
    session._worker = SimpleNamespace(pipes=pipes, overflowed=lambda: False, lost=lambda: True)
    with pytest.raises(SandboxLost):
        session._exchange({"do": "cell"}, 1.0)
