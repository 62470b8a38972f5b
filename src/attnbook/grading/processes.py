"""What a process and all its descendants use (Linux; elsewhere containers limit it)."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def descendants(process: int) -> list[int]:
    """The process and everything that it started, directly or not."""
    found, new = [], [process]
    while new:
        current = new.pop()
        found.append(current)
        try:
            for task in Path(f"/proc/{current}/task").iterdir():
                new += [int(child) for child in (task / "children").read_text().split()]
        except (OSError, ValueError):
            continue  # it ended meanwhile
    return found


def resident(processes: list[int]) -> int:
    """Bytes of memory that these processes hold, pages shared between them counted once for each."""
    total = 0
    for one in processes:
        with suppress(OSError, ValueError, IndexError):
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE
    return total


def processor_seconds(processes: list[int]) -> float:
    """Processor time of these processes, and of the children that they have waited for."""
    ticks = 0
    for one in processes:
        with suppress(OSError, ValueError, IndexError):
            # After the name, which stands in parentheses and may hold anything: state is field 3.
            fields = Path(f"/proc/{one}/stat").read_text(errors="replace").rpartition(")")[2].split()
            ticks += sum(int(ticks) for ticks in fields[11:15])
    return ticks / TICK


def waiting_seconds(processes: list[int]) -> float:
    """How long their threads were ready to run while a processor did something else."""
    total = 0
    for one in processes:
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                with suppress(OSError, ValueError, IndexError):
                    total += int((task / "schedstat").read_text().split()[1])
    return total / 1e9


def wants_processor(processes: list[int]) -> bool:
    """Whether one of their threads is ready to run, or waits for a disk, at this moment."""
    for one in processes:
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                with suppress(OSError, IndexError):
                    stat = (task / "stat").read_text(errors="replace")
                    if stat.rpartition(")")[2].split()[0] in ("R", "D"):
                        return True
    return False


def keep_on(process: int, processor: int) -> None:
    """Let a process, its threads and all that it starts from now on run on this processor alone."""
    for one in descendants(process):
        with suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                with suppress(OSError, ValueError):
                    os.sched_setaffinity(int(task.name), {processor})


class Meter:
    """How much of its time a worker has used, and whether it holds too much memory.

    Its *own time* is what it computed, or slept, and not what it waited for a processor that others had: a
    busy machine takes nothing from it. A call looks again, a few times a second at most.

    Parameters
    ----------
    process : int
        The worker's.
    most_memory : int
        Bytes that its processes may hold together.
    every : float
        Seconds between two looks.
    """

    def __init__(self, process: int, most_memory: int, every: float = 0.25):
        self.process, self.most_memory, self.every = process, most_memory, every
        self.computed = self.waited = 0.0
        self._next = self._delay = 0.0
        self._looked = time.monotonic()

    def __call__(self) -> None:
        """Look.

        Raises
        ------
        MemoryError
            If its processes hold too much.
        """
        if time.monotonic() >= self._next:
            self.look()

    def look(self) -> None:
        """The same, at once."""
        processes = descendants(self.process)
        now = time.monotonic()
        # What ended takes its numbers with it, so that the sums may fall; the time does not.
        computed = max(self.computed, processor_seconds(processes))
        delay = max(self._delay, waiting_seconds(processes))
        idle = max(0.0, now - self._looked - (computed - self.computed))
        # The kernel counts a wait when it ends: one that goes on is seen by the thread's being ready to run.
        self.waited += idle if wants_processor(processes) else min(idle, delay - self._delay)
        self.computed, self._delay, self._looked, self._next = computed, delay, now, now + self.every
        if resident(processes) > self.most_memory:
            raise MemoryError("its processes hold more memory than one submission may")
