"""The judge's side of a zygote: a process in a sandbox that has imported torch, and forks the workers.

The import is nearly all that a worker of its own costs. What is forked shuts itself into a sandbox inside the
sandbox before it hears of a learner (``attnbook.worker.shut_in``), so that nobody's code reaches the zygote
or another worker. Where the kernel does not allow that, each submission gets a sandbox started for it.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from attnbook.grading import sandbox as sandboxes
from attnbook.grading import seccomp
from attnbook.grading.cgroup import Group
from attnbook.grading.limits import Limits
from attnbook.grading.processes import resident
from attnbook.grading.sandbox import SHARED, Sandbox
from attnbook.worker.birth import BORN, GO, READY

START = 120.0  # seconds for importing torch and forking, on a busy machine
ANSWER = 30.0  # seconds in which a zygote says that it is there
END = 10.0  # seconds that the kernel may take to end all processes of a worker
DEATHS = 3  # zygotes that may end one after the other without having forked


class Gone(RuntimeError):
    """The zygote ended, or does not answer."""


class Refused(RuntimeError):
    """A fork could not be shut in here; the message says which step failed."""


@dataclass
class Child:
    """A forked worker: the first process of its name space, with the worker's pipes.

    Attributes
    ----------
    pid : int
        Its number on this machine, for looking at it; it is never signalled by it.
    handle : int
        A descriptor of the process, which cannot come to mean another one; -1 once it was ended.
    own_memory : int
        Bytes that the first process itself holds: the zygote's pages, not the learner's.
    """

    pid: int
    handle: int
    stdin: BinaryIO
    stdout: BinaryIO
    own_memory: int = 0

    def end(self) -> None:
        """End it, and with it its name space: returns when all processes of it are gone."""
        if self.handle < 0:
            return
        _kill(self.handle)
        os.close(self.handle)
        self.handle = -1


def _kill(handle: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    gone = select.poll()
    gone.register(handle, select.POLLIN)
    gone.poll(1000 * END)


def possible(sandbox: Sandbox) -> bool:
    """Whether a zygote may be tried: in bubblewrap, with a filter for this processor, on a kernel of 2019 or
    later. Whether nested name spaces are allowed shows when it forks."""
    calls = hasattr(os, "pidfd_open") and hasattr(signal, "pidfd_send_signal")
    return sandbox.kind == "bubblewrap" and calls and seccomp.program() is not None


class Zygote:
    """One of them, started; not for two threads at a time.

    Parameters
    ----------
    runtime : Path
        The folder that a worker sees as its package.
    limits : Limits
        Of each worker. The zygote itself has none: it runs our own code alone.
    """

    def __init__(self, runtime: Path, limits: Limits):
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._control.settimeout(START)
        self._ending = threading.Lock()
        filter_ = seccomp.program()
        assert filter_ is not None  # see ``possible``
        settings = {
            "limits": _limits(limits),
            "scratch": limits.scratch,
            "shared": SHARED,
            "filter": filter_.hex(),
        }
        with theirs:
            self.process = subprocess.Popen(
                sandboxes.zygote_command(runtime, limits, json.dumps(settings)),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                close_fds=True,
                env={},
                start_new_session=True,
                cwd="/",
            )

    def fork(self, group: Group | None = None) -> Child:
        """A worker, shut in, that has not been told anything yet.

        Parameters
        ----------
        group : Group, optional
            Where it is put before it does anything.

        Raises
        ------
        Gone
            If the zygote is not there any more.
        Refused
            If it was not shut in.
        """
        user = sandboxes.next_user() if os.geteuid() == 0 else 0
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        from_judge, to_worker = os.pipe()
        from_worker, to_judge = os.pipe()
        handle = -1
        try:
            try:
                socket.send_fds(
                    self._control, [struct.pack("!I", user)], [from_judge, to_judge, theirs.fileno()]
                )
            except OSError:
                raise Gone("it ended") from None
            finally:  # from here on the worker alone holds its ends, so that its end is seen
                theirs.close()
                os.close(from_judge)
                os.close(to_judge)
            ours.settimeout(START)
            handle = self._born(ours)
            pid = _number_of(handle)
            if group is not None:
                group.add(pid)
            ours.send(GO)
            said, _ = _heard(ours)
            if said != READY:
                self._failed(said)
            own_memory = resident([pid])
        except BaseException as error:
            os.close(to_worker)
            os.close(from_worker)
            if handle >= 0:
                _kill(handle)
                os.close(handle)
            if isinstance(error, OSError):
                raise Refused(str(error)) from None
            raise
        finally:
            ours.close()
        return Child(
            pid,
            handle,
            os.fdopen(to_worker, "wb", buffering=0),
            os.fdopen(from_worker, "rb", buffering=0),
            own_memory,
        )

    def _born(self, birth: socket.socket) -> int:
        """A descriptor of the process that was forked."""
        said, handles = _heard(birth)
        if said != BORN or len(handles) != 1:
            for one in handles:
                os.close(one)
            self._failed(said)
        return handles[0]

    def _failed(self, said: bytes) -> None:
        """Raise what it means that this was said in place of what was expected."""
        if not self.alive():
            raise Gone("it ended")
        raise Refused(said.decode(errors="replace") or "the forked process ended")

    def alive(self) -> bool:
        """Whether it answers."""
        question = secrets.token_bytes(8)  # a late answer to an earlier one is not taken for its own
        try:
            self._control.settimeout(ANSWER)
            self._control.send(question)
            while answer := self._control.recv(64):
                if answer == question:
                    return True
            return False
        except OSError:
            return False
        finally:
            self._control.settimeout(START)

    def end(self) -> None:
        """End it, and with it every worker that it forked; from any thread."""
        with self._ending:  # a number must not be used after the wait
            if self.process.poll() is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self.process.pid, signal.SIGKILL)  # bubblewrap, with which its box ends
                self.process.wait()

    def close(self) -> None:
        """End it and let go of its socket."""
        self.end()
        self._control.close()


def _limits(limits: Limits) -> dict[str, int]:
    """What the kernel holds each worker to, as ``sandbox.kernel_limits`` names it, and its processes.

    These are counted for the worker's user, in its user name space if it has one of its own. One more is the
    first process of its name space.
    """
    return {**sandboxes.kernel_limits(limits), "NPROC": limits.processes + 1}


def _heard(birth: socket.socket) -> tuple[bytes, Sequence[int]]:
    """The next message and its descriptors; nothing where the other side is closed."""
    try:
        said, handles, _, _ = socket.recv_fds(birth, 1024, 1, flags=socket.MSG_CMSG_CLOEXEC)
    except TimeoutError:
        raise Gone("it does not answer") from None
    except ConnectionResetError:
        return b"", []
    return said, handles


def _number_of(handle: int) -> int:
    """The number, on this machine, of the process that a descriptor stands for (proc(5), fdinfo).

    Raises
    ------
    Refused
        If it has ended, or cannot be seen from here.
    """
    for line in Path(f"/proc/self/fdinfo/{handle}").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "Pid" and int(value) > 0:
            return int(value)
    raise Refused("the forked process cannot be seen")


class Nursery:
    """Forks workers from one zygote, and starts another when that has ended.

    Parameters
    ----------
    runtime : Path
    limits : Limits
    """

    def __init__(self, runtime: Path, limits: Limits):
        self.runtime, self.limits = runtime, limits
        self._lock = threading.Lock()  # for talking to a zygote: one thread at a time
        self._started: list[Zygote] = []  # the last one is in use; the others ended
        self._stopped = self.given_up = False
        self._start()

    def _start(self) -> None:
        try:
            zygote = Zygote(self.runtime, self.limits)
        except (OSError, subprocess.SubprocessError) as error:
            self._give_up(str(error))
            return
        self._started.append(zygote)
        if self._stopped:  # meanwhile, by another thread
            zygote.end()

    def fork(self, group: Group | None = None) -> tuple[Child, Zygote] | None:
        """A worker and where it comes from; None from the time on that none can be had here, for good."""
        with self._lock:
            for _ in range(DEATHS):
                if self.given_up or self._stopped:
                    return None
                zygote = self._started[-1]
                try:
                    return zygote.fork(group), zygote
                except Gone as error:
                    reason = f"the process that starts workers ended: {error}"
                    if not self._stopped:  # workers that it forked before may go on in its box
                        self._start()
                except (Refused, OSError) as error:  # the latter: no descriptor is left, say
                    reason = str(error)
                    break
            if not (self._stopped or self.given_up):
                self._give_up(reason)
        return None

    def _give_up(self, reason: str) -> None:
        """Say so, once. What the zygote forked before goes on."""
        self.given_up = True
        print(
            f"attnbook: no sandbox inside a sandbox can be made here ({reason}); each submission gets one "
            "started for it, which takes a second or two longer and is as safe",
            file=sys.stderr,
        )

    def lost(self, zygote: Zygote) -> bool:
        """Whether a zygote has ended, so that its workers may have ended through no fault of theirs."""
        with self._lock:
            return zygote.process.poll() is not None or not zygote.alive()

    def stop(self) -> None:
        """End the zygote and all its workers, also while another thread waits for a fork."""
        self._stopped = True
        for zygote in list(self._started):
            zygote.end()

    def close(self) -> None:
        """The same, and let go of the sockets; when no other thread is left."""
        self.stop()
        with self._lock:
            for zygote in self._started:
                zygote.close()
