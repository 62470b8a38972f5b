"""One submission in a sandbox: its cells, then its answers; what breaks costs itself and nothing else.

When the worker dies or hangs in a cell, that cell is marked and a fresh worker runs the others again. When
it dies in an answer, that answer is lost, and the next one gets a fresh worker.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from attnbook.grading.limits import MAX_ERROR_TEXT, Limits
from attnbook.grading.pipes import TookTooLong, WorkerGone
from attnbook.grading.pool import Pool, SandboxLost, Worker
from attnbook.grading.replies import cell_error


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

    Attributes
    ----------
    starved : bool
        Something took too long while it waited for a processor: on a quiet machine it might not have.
    """

    def __init__(self, pool: Pool, cells: list[tuple[int, str]], limits: Limits):
        self.pool, self.cells, self.limits = pool, cells, limits
        self.reports: dict[int, CellReport] = {}
        self._skipped: set[int] = set()
        self._worker: Worker | None = None
        self._restarts = -1  # the first start is not a restart
        self._used = 0.0  # own seconds of all exchanges
        self._error_text = MAX_ERROR_TEXT  # characters that errors may still say
        self.starved = False

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *error) -> None:
        self._drop()

    def _drop(self) -> None:
        if self._worker is not None:
            self.pool.give_back(self._worker)
            self._worker = None

    def _seconds(self, most: float) -> float:
        left = self.limits.submission - self._used
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
            self._worker = self.pool.take()
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
        if reply.get("status") != "raised":
            self.reports[number] = CellReport(number, "done")
            return True
        error = cell_error(reply.get("error"), self._error_text)
        self._error_text -= len(error["message"]) + sum(map(len, error["where"]))
        self.reports[number] = CellReport(number, "raised", error)
        return True

    def _exchange(self, message: dict, seconds: float) -> tuple[dict, str]:
        """The reply and an empty text, or an empty reply and what went wrong; then the worker is gone.

        Raises
        ------
        SandboxLost
            If it may be gone through no fault of the submission's.
        """
        assert self._worker is not None
        pipes = self._worker.pipes
        allowed = self._seconds(seconds)
        pipes.used = 0.0
        try:
            reply = pipes.exchange(message, allowed)
        except TookTooLong as late:
            fault = "took too long"
            self.starved |= late.starved
        except MemoryError:
            fault = "too much memory"
        except WorkerGone:
            overflowed = self._worker.overflowed()
            if not overflowed and self._worker.lost():
                raise SandboxLost("the sandbox around a worker ended") from None
            fault = "too much memory" if overflowed else "ended the process"
        else:
            if isinstance(reply, dict):
                return reply, ""
            fault = "ended the process"
        finally:
            self._used += pipes.used
        self._drop()
        return {}, fault

    def ask(self, name: str, requests: list[dict], seconds: float) -> tuple[list[dict], str]:
        """The replies to these requests for the answer called ``name``, in order.

        After a request that does not come back the rest is not asked: fewer replies than requests, and what
        ended it: a fault of a cell's, or ``no time left``.

        Each request has ``seconds``, and all of them together the time of one cell beside that: what is
        compiled at a first call, or at the first of another shape, takes longer than what follows.
        """
        replies: list[dict] = []
        beside = self.limits.cell
        for request in requests:
            try:
                self._ready()
                before = self._used
                message = {"do": "answer", "name": name, "request": request}
                reply, fault = self._exchange(message, seconds + beside)
            except Exhausted:
                return replies, "no time left"
            if fault:
                return replies, fault
            replies.append(reply)
            beside = max(0.0, beside - max(0.0, self._used - before - seconds))
        return replies, ""
