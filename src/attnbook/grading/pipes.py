"""The judge's end of a worker's pipes: every read and write has a deadline."""

from __future__ import annotations

import os
import select
import time
from typing import IO, Any, Protocol

from attnbook.worker import frames


class WorkerGone(Exception):
    """The worker ended, or what it sent is not a frame."""


class TookTooLong(Exception):
    """The worker did not answer in its time.

    Attributes
    ----------
    starved : bool
        It had not used its own time, but waited for a processor: on a quiet machine it might have answered.
    """

    def __init__(self, starved: bool = False):
        super().__init__("no answer in time")
        self.starved = starved


class NoMeter:
    """Stands for a ``Meter`` where there is nothing to measure: the time on the clock is all there is."""

    computed = waited = 0.0

    def __call__(self) -> None:
        """Nothing to look at."""

    look = __call__


class Allowance:
    """The time for one answer: its own seconds, and a few times as many on the clock."""

    def __init__(self, seconds: float, meter: Any, patience: float = 1.0):
        self.seconds, self.meter = seconds, meter
        meter.look()
        self.started = time.monotonic()
        self.last = self.started + seconds * patience
        self._computed, self._waited = meter.computed, meter.waited

    def used(self) -> float:
        """Own seconds until now, as far as the meter has looked."""
        passed = time.monotonic() - self.started
        waited = self.meter.waited - self._waited
        return max(self.meter.computed - self._computed, passed - waited)

    def over(self) -> bool:
        """Whether the time is used up; the meter looks again before this says yes."""
        now = time.monotonic()
        if now < self.last and self.used() < self.seconds:
            return False
        self.meter.look()
        return now >= self.last or self.used() >= self.seconds

    def starved(self) -> bool:
        """Whether it waited for a processor for more than a tenth of its time, and had more to come."""
        waited = self.meter.waited - self._waited
        computed = self.meter.computed - self._computed
        return waited > 0.1 * self.seconds and computed < 0.9 * self.seconds


class WithPipes(Protocol):
    """A process: a ``subprocess.Popen``, or what stands for one that somebody else started."""

    @property
    def stdin(self) -> IO[bytes] | None:
        """What it reads from."""

    @property
    def stdout(self) -> IO[bytes] | None:
        """What it writes to."""


class Pipes:
    """Send a message, wait for the reply, never for longer than allowed.

    Parameters
    ----------
    process : WithPipes
        With pipes for standard input and output, unbuffered.
    meter : Meter, optional
        Called a few times a second while waiting; raises to end the wait (memory, say), and tells how much
        of its time the worker has used.
    patience : float
        How many times its own time an answer may last on the clock.
    """

    STEP = 0.1  # seconds between two looks at the meter
    LAST_READ = 5.0  # seconds for taking in a reply that had begun to arrive in time

    def __init__(self, process: WithPipes, meter=None, patience: float = 1.0):
        self.process, self.patience = process, patience
        self.meter = meter or NoMeter()
        if process.stdin is None or process.stdout is None:
            raise ValueError(
                "process: expected pipes for input and output; start it with stdin=PIPE, stdout=PIPE"
            )
        self._in, self._out = process.stdin.fileno(), process.stdout.fileno()
        os.set_blocking(self._in, False)
        os.set_blocking(self._out, False)
        self.used = 0.0  # own seconds of the last exchange

    def exchange(self, message: Any, seconds: float) -> Any:
        """Send a message and return the reply.

        Raises
        ------
        WorkerGone
            If the worker ended or sent what is not a frame.
        TookTooLong
            If there was no whole reply in time.
        """
        allowance = Allowance(seconds, self.meter, self.patience)
        try:
            self._write(frames.encode(message), allowance)
            return self._receive(allowance)
        finally:
            self.used = allowance.used()

    def receive(self, seconds: float) -> Any:
        """The next frame, within so many seconds on the clock."""
        return self._receive(Allowance(seconds, NoMeter()))

    def _receive(self, allowance: Allowance) -> Any:
        try:
            return frames.decode(lambda count: self._read(count, allowance), payload=frames.MAX_REPLY)
        except (frames.FrameError, RuntimeError, OverflowError, TypeError) as error:
            raise WorkerGone(f"it sent what is not a frame: {error}") from None

    def _wait(self, descriptor: int, allowance: Allowance, *, reading: bool) -> None:
        poll = select.poll()  # not select(): that one knows no descriptor above 1023
        poll.register(descriptor, select.POLLIN if reading else select.POLLOUT)
        while True:
            # First what has come, and only then the clock: this thread may itself have been kept waiting.
            if poll.poll(0) and time.monotonic() < allowance.last + self.LAST_READ:
                return
            self.meter()
            if allowance.over():
                raise TookTooLong(allowance.starved())
            if poll.poll(1000 * self.STEP):
                return

    def _read(self, count: int, allowance: Allowance) -> bytes:
        parts, missing = [], count
        while missing:
            self._wait(self._out, allowance, reading=True)
            try:
                part = os.read(self._out, min(missing, 1 << 20))
            except BlockingIOError:
                continue
            if not part:
                raise WorkerGone("its process ended")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _write(self, data: bytes, allowance: Allowance) -> None:
        view = memoryview(data)
        while view:
            self._wait(self._in, allowance, reading=False)
            try:
                view = view[os.write(self._in, view) :]
            except BlockingIOError:
                continue
            except (BrokenPipeError, OSError):
                raise WorkerGone("its process ended") from None
