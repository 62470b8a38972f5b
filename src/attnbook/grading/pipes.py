"""The judge's end of a worker's pipes: every read and write has a deadline."""

from __future__ import annotations

import os
import select
import subprocess
import time
from typing import Any

from attnbook.worker import frames


class WorkerGone(Exception):
    """The worker ended, or what it sent is not a frame."""


class TookTooLong(Exception):
    """The deadline passed before the worker answered."""


class Pipes:
    """Send a message, wait for the reply, never for longer than allowed.

    Parameters
    ----------
    process : subprocess.Popen
        With pipes for standard input and output, unbuffered.
    watch : callable, optional
        Called a few times a second while waiting; raises to end the wait (memory, say).
    """

    STEP = 0.1  # seconds between two looks at the watch

    def __init__(self, process: subprocess.Popen, watch=None):
        self.process = process
        self.watch = watch or (lambda: None)
        if process.stdin is None or process.stdout is None:
            raise ValueError(
                "process: expected pipes for input and output; start it with stdin=PIPE, stdout=PIPE"
            )
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)

    def exchange(self, message: Any, seconds: float) -> Any:
        """Send a message and return the reply.

        Raises
        ------
        WorkerGone
            If the worker ended or sent what is not a frame.
        TookTooLong
            If there was no whole reply in time.
        """
        deadline = time.monotonic() + seconds
        self._write(frames.encode(message), deadline)
        return self.receive(deadline)

    def receive(self, deadline: float) -> Any:
        """The next frame, by the deadline (on the clock of ``time.monotonic``)."""
        try:
            return frames.decode(lambda count: self._read(count, deadline))
        except (frames.FrameError, RuntimeError, OverflowError, TypeError) as error:
            raise WorkerGone(f"it sent what is not a frame: {error}") from None

    def _wait(self, descriptor: int, deadline: float, *, reading: bool) -> None:
        poll = select.poll()  # not select(): that one knows no descriptor above 1023
        poll.register(descriptor, select.POLLIN if reading else select.POLLOUT)
        while True:
            self.watch()
            left = deadline - time.monotonic()
            if left <= 0:
                raise TookTooLong
            if poll.poll(1000 * min(left, self.STEP)):
                return

    def _read(self, count: int, deadline: float) -> bytes:
        parts, missing = [], count
        while missing:
            self._wait(self._out, deadline, reading=True)
            try:
                part = os.read(self._out, min(missing, 1 << 20))
            except BlockingIOError:
                continue
            if not part:
                raise WorkerGone("its process ended")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _write(self, data: bytes, deadline: float) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._in, deadline, reading=False)
            try:
                view = view[os.write(self._in, view) :]
            except BlockingIOError:
                continue
            except (BrokenPipeError, OSError):
                raise WorkerGone("its process ended") from None
