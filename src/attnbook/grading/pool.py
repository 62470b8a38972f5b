"""Workers started ahead: torch takes a second to import, and the next submission need not wait for it.

Each worker serves one submission, or one attempt at it, and is then killed with all that it started.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from collections import deque
from contextlib import suppress

from attnbook.grading.limits import Limits
from attnbook.grading.memory import MemoryWatch
from attnbook.grading.pipes import Pipes, TookTooLong, WorkerGone
from attnbook.grading.runtime import make_runtime
from attnbook.grading.sandbox import Sandbox

START = 120.0  # seconds that a worker may take to import torch on a busy machine


class CannotStart(RuntimeError):
    """Workers do not start on this machine: no submission can be graded, none is at fault."""


class Worker:
    """One worker process with its pipes."""

    def __init__(self, process: subprocess.Popen, limits: Limits):
        self.process = process
        self.pipes = Pipes(process, MemoryWatch(process.pid, limits.memory))
        self._ready = False

    def wait_until_ready(self) -> None:
        """Wait for the first message."""
        if self._ready:
            return
        try:
            first = self.pipes.receive(time.monotonic() + START)
        except (WorkerGone, TookTooLong) as error:
            self.kill()
            raise CannotStart(f"a worker did not start in the sandbox ({error or 'no answer'})") from None
        if first != {"status": "ready"}:
            self.kill()
            raise CannotStart("a worker's first message was not the expected one")
        self._ready = True

    def kill(self) -> None:
        """End the process and, through its name space or group, all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            with suppress(OSError):
                stream.close()


class Pool:
    """Keeps a few workers started; ``take()`` gives one and starts the next.

    Parameters
    ----------
    sandbox : Sandbox
    limits : Limits
    ahead : int
        How many workers wait, ready.
    """

    def __init__(self, sandbox: Sandbox, limits: Limits, ahead: int = 1):
        self.sandbox, self.limits, self.ahead = sandbox, limits, ahead
        self.runtime = make_runtime()
        self._waiting: deque[Worker] = deque()
        self._lock = threading.Lock()
        self._closed = False

    def __enter__(self) -> Pool:
        self._fill()
        return self

    def __exit__(self, *error) -> None:
        with self._lock:
            self._closed = True
            waiting, self._waiting = list(self._waiting), deque()
        for worker in waiting:
            worker.kill()
        shutil.rmtree(self.runtime, ignore_errors=True)

    def _fill(self) -> None:
        with self._lock:
            while not self._closed and len(self._waiting) < self.ahead:
                self._waiting.append(self._start())

    def _start(self) -> Worker:
        return Worker(self.sandbox.start(self.runtime, self.limits), self.limits)

    def take(self) -> Worker:
        """A fresh worker, ready for its first message.

        Raises
        ------
        CannotStart
            If workers do not start here.
        """
        with self._lock:
            worker = self._waiting.popleft() if self._waiting else self._start()
        self._fill()
        worker.wait_until_ready()
        return worker
