"""Runs a piece of a learner's code with a time limit, on every system that Python runs on.

The code runs in a thread of its own, and the caller waits for it. When the time is up, an exception is
raised inside that thread.

What this can stop: Python code that loops, recurses or calls many small functions, on Linux, macOS and
Windows alike. What it cannot: one call into C that never returns (a single enormous matrix product,
``time.sleep`` of an hour), and code that catches every exception in an endless loop. Such a thread is left
behind: the check answers in time, but the thread keeps a core busy until it returns or the kernel is
restarted, and :class:`Outcome` says so. Code that ends the process (``os._exit``) ends it.
"""

from __future__ import annotations

import ctypes
import io
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

KEPT_OUTPUT = 4000  # characters
SLICE = 0.1  # seconds between two looks at whether somebody stopped the check
GRACE = 1.5  # seconds that a stopped thread gets to end


class Stopped(BaseException):
    """Raised inside the learner's thread when its time is up."""


@dataclass
class Outcome:
    """What became of a call: ``status`` is "done", "failed" (``error`` holds what was raised), "timeout"
    or "stopped" (by the person in front of it); ``left_running`` when the thread could not be ended."""

    status: str
    value: Any = None
    error: BaseException | None = None
    printed: str = ""
    left_running: bool = False


class _Router(io.TextIOBase):
    """A standard output that keeps what one thread prints and passes on what the others do."""

    def __init__(self, passed_on: Any):
        self.passed_on = passed_on
        self.thread: int | None = None
        self.parts: list[str] = []
        self.kept = 0

    def write(self, text: str) -> int:
        if threading.get_ident() != self.thread:
            return self.passed_on.write(text)
        if self.kept < KEPT_OUTPUT:
            self.parts.append(text[: KEPT_OUTPUT - self.kept])
            self.kept += len(text)
        return len(text)

    def flush(self) -> None:
        if threading.get_ident() != self.thread:
            self.passed_on.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.passed_on, name)


def call(function: Callable[[], Any], seconds: float) -> Outcome:
    """Call ``function`` with a time limit; what it prints is captured."""
    outcome = Outcome("timeout")
    router = _Router(sys.stdout)
    finished = threading.Event()

    def work() -> None:
        try:
            router.thread = threading.get_ident()
            try:
                outcome.value = function()
                outcome.status = "done"
            except Stopped:
                pass
            except BaseException as error:
                outcome.error, outcome.status = error, "failed"
        except BaseException:  # a stop that came while the result was being stored
            pass
        finally:
            finished.set()

    thread = threading.Thread(target=work, name="answer", daemon=True)
    before, sys.stdout = sys.stdout, router
    try:
        thread.start()
        try:
            deadline = time.monotonic() + seconds
            # In slices: one long wait for a lock does not notice every kind of interruption before its end.
            while not (in_time := finished.wait(min(SLICE, seconds))) and time.monotonic() < deadline:
                pass
        except KeyboardInterrupt:
            in_time = False
            outcome = Outcome("stopped")
        if not in_time:
            outcome = Outcome(outcome.status if outcome.status == "stopped" else "timeout")
            outcome.left_running = not _end(thread)
    finally:
        sys.stdout = before
    outcome.printed = "".join(router.parts)
    return outcome


def _end(thread: threading.Thread) -> bool:
    """Raise Stopped inside the thread until it ends; False when it does not within the grace period."""
    deadline = time.monotonic() + GRACE
    while thread.is_alive() and time.monotonic() < deadline:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stopped))
        thread.join(0.1)
    return not thread.is_alive()
