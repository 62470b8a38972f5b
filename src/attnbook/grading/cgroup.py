"""A control group for each worker, where this machine lets the judge make one: the kernel holds its memory.

Resident memory, which ``processes`` adds up four times a second, misses what belongs to no process, counts
pages that two processes share twice, and comes late. A control group counts each page once, those of a /tmp
in memory too, and the kernel ends what goes over the limit at that moment.

Version 2 is used where the memory controller is *delegated* to us: to root outside of systemd's services, or
to whoever calls ``systemd-run --user --scope -p Delegate=yes attnbook grade …``. A group whose children have
limits may hold no process itself (the rule of "no internal processes"), so the judge moves into a group
``judge`` beside its workers. Version 1 is used where root may make groups in it. See cgroups(7) and the
kernel's admin-guide/cgroup-v2.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path

PROCESS = Path("/proc/self")
GONE = 5.0  # seconds to wait for the last process of a group, which the kernel needs a moment for
_numbers = count()


@dataclass(frozen=True)
class Place:
    """Where groups can be made: a folder of the control groups' file system, and its version."""

    folder: Path
    version: int

    def make(self, memory: int) -> Group | None:
        """A group whose processes may hold ``memory`` bytes together; None if the kernel does not let us."""
        folder = self.folder / f"attnbook-{os.getpid()}-{next(_numbers)}"
        limits = {"memory.max": memory, "memory.swap.max": 0, "memory.oom.group": 1}
        if self.version == 1:
            limits = {"memory.limit_in_bytes": memory, "memory.memsw.limit_in_bytes": memory}
        first = next(iter(limits))
        try:
            folder.mkdir()
        except OSError:
            return None
        for name, value in limits.items():
            try:
                (folder / name).write_text(str(value), encoding="ascii")
            except OSError:
                if name == first:  # the others are there on some machines alone
                    with suppress(OSError):
                        folder.rmdir()
                    return None
        return Group(folder, self.version)


@dataclass(frozen=True)
class Group:
    """One worker's group."""

    folder: Path
    version: int

    def starter(self) -> list[str]:
        """What to put before a command, so that it and all that it starts are in the group from the start."""
        return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(self.folder / "cgroup.procs")]

    def add(self, process: int) -> None:
        """Put a process into the group; what it starts from then on is in it too.

        Raises
        ------
        OSError
            If the kernel refuses.
        """
        (self.folder / "cgroup.procs").write_text(str(process), encoding="ascii")

    def overflowed(self) -> bool:
        """Whether the kernel ended a process of the group because it held too much."""
        name = "memory.events" if self.version == 2 else "memory.oom_control"
        try:
            lines = (self.folder / name).read_text(encoding="ascii").splitlines()
            told = dict(line.split() for line in lines)
        except (OSError, ValueError):
            return False
        return int(told.get("oom_kill", 0)) > 0

    def remove(self) -> None:
        """Take the group away once its processes are gone; those that are left are ended first."""
        deadline = time.monotonic() + GONE
        while time.monotonic() < deadline:
            with suppress(OSError):
                for one in (self.folder / "cgroup.procs").read_text(encoding="ascii").split():
                    os.kill(int(one), 9)
            try:
                self.folder.rmdir()
                return
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.02)


@cache
def find(process: Path = PROCESS) -> Place | None:
    """Where groups with a limit on memory can be made, or None. Makes one and takes it away, to know.

    It is looked for once: then the judge may have moved, and would find itself below its own place.

    Parameters
    ----------
    process : Path
        The judge's folder in /proc.
    """
    for version, folder in _folders(process):
        place = Place(folder, version)
        if version == 2 and not _ready(folder):
            continue
        tried = place.make(1 << 30)
        if tried is not None:
            tried.remove()
            return place
    return None


def _folders(process: Path) -> list[tuple[int, Path]]:
    """Our own group in each hierarchy that controls memory, version 2 first."""
    found = []
    try:
        mounts = [line.split() for line in (process / "mounts").read_text(encoding="utf-8").splitlines()]
        groups = [
            line.split(":", 2) for line in (process / "cgroup").read_text(encoding="utf-8").splitlines()
        ]
    except OSError:  # not Linux
        return []
    for _, controllers, path in groups:
        for _, place, kind, options, *_ in mounts:
            folder = Path(place) / path.lstrip("/")
            if kind == "cgroup2" and controllers == "" and folder.is_dir():
                found.append((2, folder))
            if kind == "cgroup" and "memory" in controllers.split(",") and "memory" in options.split(","):
                found += [(1, folder)] if folder.is_dir() else []
    return sorted(found, reverse=True)


def _ready(folder: Path) -> bool:
    """Whether groups below ``folder`` can have limits; moves the judge aside where that is what it takes."""
    try:
        if "memory" not in (folder / "cgroup.controllers").read_text(encoding="ascii").split():
            return False
        enabled = folder / "cgroup.subtree_control"
        if "memory" in enabled.read_text(encoding="ascii").split():
            return True
        try:
            enabled.write_text("+memory", encoding="ascii")
        except OSError:  # we are in it ourselves; whoever else is there must stay, and then this fails too
            aside = folder / "judge"
            aside.mkdir(exist_ok=True)
            (aside / "cgroup.procs").write_text(str(os.getpid()), encoding="ascii")
            enabled.write_text("+memory", encoding="ascii")
    except OSError:
        return False
    return True
