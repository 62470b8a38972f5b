"""One submission in a sandbox: its cells, then its answers; what breaks costs itself and nothing else.

When the worker dies or hangs in a cell, that cell is marked and a fresh worker runs the others again. When
it dies in an answer, that answer is lost, and the next one gets a fresh worker.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from attnbook.grading.limits import Limits
from attnbook.grading.pipes import TookTooLong, WorkerGone
from attnbook.grading.pool import Pool, Worker

SHUT_DOWN = "the process ended"


class Exhausted(Exception):
    """The submission has used up its time or its restarts."""


@dataclass
class CellReport:
    """What became of a cell: ``done``, ``raised``, ``took too long``, ``ended the process`` or
    ``too much memory``."""

    number: int
    outcome: str
    error: dict[str, Any] = field(default_factory=dict)


class Session:
    """Runs one submission's cells and asks for its answers; use as a context manager.

    Parameters
    ----------
    pool : Pool
    cells : list of (int, str)
        Number and source of each code cell, in order.
    limits : Limits
    """

    def __init__(self, pool: Pool, cells: list[tuple[int, str]], limits: Limits):
        self.pool, self.cells, self.limits = pool, cells, limits
        self.reports: dict[int, CellReport] = {}
        self._skipped: set[int] = set()
        self._worker: Worker | None = None
        self._restarts = -1  # the first start is not a restart
        self._ends = time.monotonic() + limits.submission

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error) -> None:
        self._drop()

    def _drop(self) -> None:
        if self._worker is not None:
            self._worker.close()
            self._worker = None

    def _seconds(self, most: float) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise Exhausted("it used up the time that one submission may take")
        return min(most, left)

    def run_cells(self) -> list[CellReport]:
        """Run all cells; the reports, in order."""
        self._ready()
        return [self.reports[number] for number, _ in self.cells if number in self.reports]

    def _ready(self) -> Worker:
        """A worker in which every cell that can run has run."""
        while self._worker is None:
            if self._restarts >= self.limits.restarts:
                raise Exhausted("its process had to be started again too often")
            self._restarts += 1
            asked = time.monotonic()
            self._worker = self.pool.take()
            self._ends += time.monotonic() - asked  # waiting for a worker is not the learner's time
            for number, source in self.cells:
                if number not in self._skipped and not self._run_cell(number, source):
                    break
        return self._worker

    def _run_cell(self, number: int, source: str) -> bool:
        """True while the worker lives."""
        message = {"do": "cell", "number": number, "source": source}
        reply, fault = self._exchange(message, self.limits.cell)
        if fault:
            self._skipped.add(number)
            self.reports[number] = CellReport(number, fault)
            return False
        outcome = "raised" if reply.get("status") == "raised" else "done"
        error = reply.get("error")
        self.reports[number] = CellReport(number, outcome, error if isinstance(error, dict) else {})
        return True

    def _exchange(self, message: dict, seconds: float) -> tuple[dict, str]:
        """The reply and an empty text, or an empty reply and what went wrong; then the worker is gone."""
        assert self._worker is not None
        try:
            reply = self._worker.pipes.exchange(message, self._seconds(seconds))
        except TookTooLong:
            fault = "took too long"
        except MemoryError:
            fault = "too much memory"
        except WorkerGone:
            fault = "ended the process"
        else:
            if isinstance(reply, dict):
                return reply, ""
            fault = "ended the process"
        self._drop()
        return {}, fault

    def ask(self, name: str, requests: list[dict], seconds: float) -> list[dict]:
        """The replies to these requests for the answer called ``name``, in order.

        After a request that does not come back the rest is not asked: fewer replies than requests.
        """
        replies: list[dict] = []
        for request in requests:
            try:
                self._ready()
                reply, fault = self._exchange({"do": "answer", "name": name, "request": request}, seconds)
            except Exhausted as reason:
                replies.append(_raised("NoTimeLeft", f"This submission was stopped: {reason}."))
                return replies
            if fault == "took too long":
                replies.append({"status": "timeout"})
            elif fault:
                replies.append(_raised("ProcessEnded", f"While this ran, it {fault}."))
            else:
                replies.append(reply)
            if fault:
                return replies
        return replies


def _raised(kind: str, message: str) -> dict:
    return {"status": "raised", "error": {"type": kind, "message": message, "where": []}}
