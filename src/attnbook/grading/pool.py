"""Workers: forked from a zygote that has imported torch, or started ahead, since that takes a second.

Each worker serves one submission, or one attempt at it, and is then killed with all that it started.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import weakref
from collections import deque
from contextlib import suppress

from attnbook.grading import cgroup
from attnbook.grading.cgroup import Group
from attnbook.grading.limits import Limits
from attnbook.grading.pipes import Pipes, TookTooLong, WorkerGone
from attnbook.grading.processes import Meter, descendants, keep_on
from attnbook.grading.runtime import make_runtime
from attnbook.grading.sandbox import Sandbox
from attnbook.grading.zygote import Child, Nursery, Zygote, possible

START = 120.0  # seconds that a worker may take to import torch on a busy machine
ATTEMPTS = 3  # at starting a worker: a machine can be short of something for a moment
GROUPED = ("bubblewrap", "user")  # sandboxes whose workers get a control group where there can be one
PINS = hasattr(os, "sched_setaffinity")  # Linux; elsewhere a container has one processor's time


class CannotStart(RuntimeError):
    """Workers do not start on this machine: no submission can be graded, none is at fault."""


class SandboxLost(RuntimeError):
    """Somebody ended the sandbox around a worker: no fault of what ran in it."""


class Worker:
    """One worker process with its pipes, started for itself."""

    def __init__(
        self,
        process: subprocess.Popen | Child,
        limits: Limits,
        sandbox: Sandbox,
        group: Group | None = None,
        beside: int = 0,
    ):
        self.process, self.sandbox, self.group = process, sandbox, group
        self._ended = threading.Lock()
        # In a control group the kernel holds the memory, and counts it better than we can.
        most = limits.memory + beside if group is None else sys.maxsize
        self.pipes = Pipes(process, Meter(process.pid, most), limits.patience)
        self.processor: int | None = None
        self._ready = False

    def wait_until_ready(self) -> None:
        """Wait for the first message."""
        if self._ready:
            return
        try:
            first = self.pipes.receive(START)
        except (WorkerGone, TookTooLong, MemoryError) as error:
            self.close()
            raise CannotStart(f"a worker did not start in the sandbox ({error or 'no answer'})") from None
        if first != {"status": "ready"}:
            self.close()
            raise CannotStart("a worker's first message was not the expected one")
        self._ready = True

    def overflowed(self) -> bool:
        """Whether the kernel ended one of its processes because they held too much memory."""
        return self.group is not None and self.group.overflowed()

    def lost(self) -> bool:
        """Whether it may have ended because the sandbox around it did."""
        return False

    def kill(self) -> None:
        """End the process and, through its name space or group, all that it started."""
        with self._ended:  # two threads may want it, and a process id must not be used after the wait
            self._kill()

    def _kill(self) -> None:
        assert isinstance(self.process, subprocess.Popen)
        if self.process.returncode is not None:
            return
        for one in reversed(descendants(self.process.pid)):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(one, signal.SIGKILL)
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.sandbox.end(self.process)
        if self.group is not None:
            self.group.remove()

    def close(self) -> None:
        """End it and close the pipes; only for the thread that reads them."""
        self.kill()
        for stream in filter(None, (self.process.stdin, self.process.stdout)):
            with suppress(OSError):
                stream.close()


class Forked(Worker):
    """A worker that a zygote forked."""

    def __init__(
        self,
        child: Child,
        limits: Limits,
        sandbox: Sandbox,
        group: Group | None,
        nursery: Nursery,
        zygote: Zygote,
    ):
        super().__init__(child, limits, sandbox, group, child.own_memory)
        self.child, self._nursery, self._zygote = child, nursery, zygote

    def lost(self) -> bool:
        """See ``Worker``."""
        return self._nursery.lost(self._zygote)

    def _kill(self) -> None:
        if self.child.handle >= 0:
            self.child.end()
            if self.group is not None:
                self.group.remove()


class Pool:
    """Gives workers: ``take()`` forks one, or gives one that waited and starts the next.

    Parameters
    ----------
    sandbox : Sandbox
    limits : Limits
    ahead : int
        How many workers wait, ready, where they cannot be forked.
    """

    def __init__(self, sandbox: Sandbox, limits: Limits, ahead: int = 1):
        self.sandbox, self.limits, self.ahead = sandbox, limits, ahead
        self.runtime = make_runtime()
        # An engine has groups of its own; and `score` runs in a learner's session, which stays where it is.
        self._groups = cgroup.find() if sandbox.kind in GROUPED else None
        self._waiting: deque[Worker] = deque()
        self._taken: weakref.WeakSet[Worker] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._closed = False
        # How many workers run a learner's code on each processor that the judge may use.
        self._load = dict.fromkeys(sorted(os.sched_getaffinity(0)), 0) if PINS else {}

        self._nursery: Nursery | None = None

    def __enter__(self) -> Pool:
        if possible(self.sandbox):
            self._nursery = Nursery(self.runtime, self.limits)
        else:
            self._fill()
        return self

    def __exit__(self, *error) -> None:
        self.stop()
        if self._nursery is not None:
            self._nursery.close()
        shutil.rmtree(self.runtime, ignore_errors=True)

    def stop(self) -> None:
        """End all workers, those that are at work too, and start no more."""
        if self._nursery is not None:
            self._nursery.stop()
        with self._lock:
            self._closed = True
            waiting, self._waiting = list(self._waiting), deque()
            taken = list(self._taken)
        for worker in waiting:
            worker.close()
        for worker in taken:
            worker.kill()

    def _fill(self) -> None:
        with self._lock:
            while not self._closed and len(self._waiting) < self.ahead:
                try:
                    self._waiting.append(self._start())
                except CannotStart:
                    return  # whoever takes the next one tries again

    def _fork(self) -> Worker | None:
        """A worker from the zygote, or None where there is none; so soon made that none waits ahead."""
        if self._nursery is None or self._nursery.given_up or self._closed:
            return None
        group = self._groups.make(self.limits.memory) if self._groups else None
        forked = self._nursery.fork(group)
        if forked is not None:
            child, zygote = forked
            return Forked(child, self.limits, self.sandbox, group, self._nursery, zygote)
        if group:
            group.remove()
        return None

    def _start(self) -> Worker:
        group = self._groups.make(self.limits.memory) if self._groups else None
        try:
            before = group.starter() if group else ()
            process = self.sandbox.start(self.runtime, self.limits, before)
        except (OSError, subprocess.SubprocessError) as error:
            if group:
                group.remove()
            raise CannotStart(f"a worker did not start ({error})") from None
        return Worker(process, self.limits, self.sandbox, group)

    def take(self) -> Worker:
        """A fresh worker, ready for its first message.

        Raises
        ------
        CannotStart
            If workers do not start here.
        """
        for attempt in range(ATTEMPTS):
            try:
                return self._take()
            except CannotStart:
                if self._closed or attempt == ATTEMPTS - 1:
                    raise
                time.sleep(1 + attempt)
        raise AssertionError("not reached")

    def _take(self) -> Worker:
        worker = self._fork()
        with self._lock:
            if self._closed:
                if worker is not None:
                    worker.close()
                raise CannotStart("grading was stopped")
            forked = worker is not None
            if worker is None:
                worker = self._waiting.popleft() if self._waiting else self._start()
            self._taken.add(worker)
        if not forked:
            self._fill()
        worker.wait_until_ready()
        self._give_a_processor(worker)
        return worker

    def _give_a_processor(self, worker: Worker) -> None:
        """From here on it runs a learner's code: on one processor, the one with the fewest others."""
        if not self._load:
            return
        with self._lock:
            worker.processor = min(self._load, key=self._load.__getitem__)
            self._load[worker.processor] += 1
        keep_on(worker.process.pid, worker.processor)

    def give_back(self, worker: Worker) -> None:
        """End a worker that was taken."""
        worker.close()
        with self._lock:
            if worker.processor is not None:
                self._load[worker.processor] -= 1
                worker.processor = None
