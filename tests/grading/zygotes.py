"""What the tests of the zygote share."""

from __future__ import annotations

import os
import subprocess
from functools import cache

import pytest

from attnbook.grading import sandbox, zygote
from attnbook.grading.pool import Forked, Pool

BOX = sandbox.Sandbox("bubblewrap")


@cache
def nested_spaces_work() -> bool:
    """Whether the kernel lets a process in bubblewrap make name spaces and a /proc, by no code of ours."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-current-user"]
    inner = ["/usr/bin/unshare", *user, "--pid", "--net", "--ipc", "--uts", "--fork", "--mount-proc"]
    outer = ["bwrap", *sandbox._namespaces(), "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--"]
    return subprocess.run([*outer, *inner, "/bin/true"], capture_output=True).returncode == 0


def need_a_zygote() -> None:
    """Skip where there can be none."""
    if not sandbox.bubblewrap_works():
        pytest.skip("bubblewrap is not installed, or may not make name spaces: apt-get install bubblewrap")
    if not zygote.possible(BOX):
        pytest.skip("no filter of system calls for this processor, or a kernel before 5.3")
    if not nested_spaces_work():
        pytest.skip("this system allows no sandbox inside a sandbox")


def forked(pool: Pool) -> Forked:
    """A worker from the pool's zygote, and no other."""
    worker = pool.take()
    assert isinstance(worker, Forked), "it fell back on a worker of its own"
    return worker
