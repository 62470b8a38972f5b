"""How much memory a process and all its descendants hold (Linux; elsewhere containers limit it)."""

from __future__ import annotations

import os
import time
from pathlib import Path

PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


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


def resident(process: int) -> int:
    """Bytes of memory that the process and its descendants hold, pages shared between them counted once
    for each."""
    total = 0
    for one in descendants(process):
        try:
            total += int(Path(f"/proc/{one}/statm").read_text().split()[1]) * PAGE
        except (OSError, ValueError, IndexError):
            continue
    return total


class MemoryWatch:
    """Called while waiting for a worker; raises ``MemoryError`` once its processes hold too much."""

    def __init__(self, process: int, most: int, every: float = 0.25):
        self.process, self.most, self.every = process, most, every
        self._next = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + self.every
        if resident(self.process) > self.most:
            raise MemoryError("its processes hold more memory than one submission may")
