"""What one submission may use."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Of the notebook itself. A right answer needs a hundredth of each; what is over is refused with a sentence.
MAX_NOTEBOOK = 50 << 20  # bytes of the file, outputs included
MAX_CELLS = 1000  # code cells
MAX_CODE = 500_000  # characters of code
MAX_ERROR_TEXT = 20_000  # characters of what its cells' errors say, all together
# Of one learner's folder.
MAX_NOTEBOOKS = 50
MAX_DEPTH = 20  # folders inside each other


@dataclass(frozen=True)
class Limits:
    """Times in seconds, sizes in bytes.

    Attributes
    ----------
    cell : float
        For one cell of the notebook, in time of its own: what a busy machine took from it does not count.
    submission : float
        For everything of one submission together, replays included.
    patience : float
        How many times longer than its own time anything may last on the clock.
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
    patience: float = 4.0
    restarts: int = 8
    memory: int = 4 << 30
    scratch: int = 256 << 20
    processes: int = 64
    files: int = 256

    def __post_init__(self):
        for name in ("cell", "submission", "restarts", "memory", "scratch", "processes", "files"):
            if not 0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected a number above 0, got {getattr(self, name)!r}")
        if not 1 <= self.patience < math.inf:
            raise ValueError(f"patience: expected a number of at least 1, got {self.patience!r}")
