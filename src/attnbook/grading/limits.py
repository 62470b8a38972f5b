"""What one submission may use."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Times in seconds, sizes in bytes.

    Attributes
    ----------
    cell : float
        For one cell of the notebook.
    submission : float
        For everything of one submission together, replays included.
    restarts : int
        How often a worker that died is started again for one submission.
    memory : int
        Address space of each process, and resident memory of all processes together.
    scratch : int
        The private /tmp, which lives in memory, and each file in it.
    processes : int
        Processes and threads.
    """

    cell: float = 60.0
    submission: float = 300.0
    restarts: int = 8
    memory: int = 4 << 30
    scratch: int = 256 << 20
    processes: int = 64
    files: int = 256

    def __post_init__(self):
        for name in ("cell", "submission", "restarts", "memory", "scratch", "processes", "files"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected a number above 0, got {getattr(self, name)!r}")
