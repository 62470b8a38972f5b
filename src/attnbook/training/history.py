"""What a training run left behind, and how long it took."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass
class History:
    """What a run left behind.

    Attributes
    ----------
    losses : list of float
        Training loss of each step.
    validations : list of (int, float)
        After how many steps, and what ``validate`` returned.
    stopped_early : bool
        Whether ``patience`` ran out before ``steps``.
    best_step : int or None
        After how many steps validation was best; the model holds the weights of then if it stopped early, or
        with ``keep_best``.
    seconds : float
        Time spent in steps, over all resumed parts.
    cpu_seconds : float
        Processor time of that, over all threads: what other work on the machine does not change.
    resumed_from : int
        Steps that a checkpoint had already done; 0 for a run from the start.
    """

    losses: list[float] = field(default_factory=list)
    validations: list[tuple[int, float]] = field(default_factory=list)
    stopped_early: bool = False
    best_step: int | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    resumed_from: int = 0

    @property
    def steps_per_second(self) -> float:
        """Speed over the whole run, in optimisation steps a second."""
        return len(self.losses) / self.seconds if self.seconds else 0.0


class Clocks:
    """Adds wall and processor time since the last call to a history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def count(self) -> None:
        """Up to now."""
        wall, cpu = time.monotonic(), time.process_time()
        self.history.seconds += wall - self.wall
        self.history.cpu_seconds += cpu - self.cpu
        self.wall, self.cpu = wall, cpu
