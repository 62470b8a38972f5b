"""The process from which workers are forked: ``zygote.py SETTINGS``, in a sandbox, a socket as its input.

It imports what a worker imports, which takes a second or two, and then waits. For each submission the judge
hands it three descriptors: the two pipes of a worker, and a *birth* socket. What is forked becomes a worker
in a sandbox inside the sandbox. The zygote runs no learner's code, reads nothing that comes from one, and
has no descriptor, no process number that one can name, and no place to write to in common with one.

    judge    → zygote   the user id of the worker (4 bytes; 0: its own), with the three descriptors
    child    → judge    ``born`` with a descriptor of the process (pidfd_open(2)), on the birth socket
    judge    → worker   ``go``: it is in its control group now
    worker   → judge    ``ready``, or why not; then the birth socket is closed, and the pipes are all there is

A message without descriptors comes back as it is: the zygote is there. SETTINGS is JSON: ``limits`` by their
names in ``resource``, ``scratch`` and ``shared`` (bytes of /tmp and /dev/shm), ``filter`` (hexadecimal).
"""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import struct
import sys
from contextlib import suppress
from typing import Any, NoReturn

# Started with `python -I`: the package that this file belongs to is not on the path by itself.
if os.environ.get("ATTNBOOK_RUNTIME"):
    sys.path.insert(0, os.environ["ATTNBOOK_RUNTIME"])

from attnbook.worker import main as worker
from attnbook.worker import shut_in
from attnbook.worker.birth import BORN, GO, READY

PIPES_AND_BIRTH = 3
MOST_TOLD = 500  # bytes of why something failed


def serve(control: socket.socket, settings: dict[str, Any]) -> None:
    """Fork a worker for each message, until the judge closes the socket."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, 64, PIPES_AND_BIRTH)
        if not message:
            return
        if len(descriptors) != PIPES_AND_BIRTH:
            control.send(message)
            continue
        # A thread would not be there in the fork, and what it held would be held for ever.
        if len(os.listdir("/proc/self/task")) != 1:
            raise RuntimeError("a thread runs in the zygote")
        (user,) = struct.unpack("!I", message)
        child = os.fork()
        if child == 0:
            _leave(descriptors, user, settings)
        for one in descriptors:
            os.close(one)
        os.waitpid(child, 0)  # it ends as soon as the worker is born


def _leave(descriptors: list[int], user: int, settings: dict[str, Any]) -> NoReturn:
    """In the first child: make name spaces, in which only *its* children are; fork, tell the judge, end."""
    birth = socket.socket(fileno=descriptors[2])
    try:
        shut_in.leave(as_root=user != 0)
        first = os.fork()
        if first == 0:
            _shut_in(descriptors, birth, user, settings)
        # Opened before the worker may go on, so that its number cannot have passed to another process.
        process = os.pidfd_open(first)
        socket.send_fds(birth, [BORN], [process])
    except BaseException as error:
        _tell(birth, error)
        os._exit(1)
    os._exit(0)


def _shut_in(descriptors: list[int], birth: socket.socket, user: int, settings: dict[str, Any]) -> NoReturn:
    """In the second child, the first process of its name space: give up everything, then fork the worker.

    It stays to collect what the worker leaves behind, and when it ends, the kernel ends all of them. It has
    the worker's rights, which are none, and no descriptor.
    """
    incoming, outgoing, _ = descriptors
    try:
        if birth.recv(len(GO)) != GO:
            os._exit(1)
        os.setsid()
        laid = shut_in.lay_out(settings["scratch"], settings["shared"])
        nowhere = os.open(os.devnull, os.O_RDWR)
        shut_in.keep(incoming, outgoing, nowhere, birth.detach())
        birth = socket.socket(fileno=3)
        shut_in.hold(settings["limits"])
        shut_in.give_up(user, bytes.fromhex(settings["filter"]))
        shut_in.verify(user, descriptors=4, amounts=settings["limits"], laid=laid)
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # which the first process of a name space never gets
    except BaseException as error:
        _tell(birth, error)
        os._exit(1)
    try:
        birth.send(READY)
        birth.close()
        first = os.fork()
        if first == 0:
            _work()
        os.closerange(0, 3)
        while os.wait()[0] != first:
            pass  # something that the worker had left
    finally:
        os._exit(0)


def _work() -> NoReturn:
    """In the third child: be as a process that was started for this submission alone."""
    try:
        shut_in.dumpable(True)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.argv = [worker.__file__ or ""]
        # A process of its own draws a seed for each of these; Python's generator does so at a fork by itself.
        worker.torch.default_generator.seed()
        if "numpy.random" in sys.modules:
            sys.modules["numpy.random"].seed()
        worker.main()
    finally:
        os._exit(0)  # nothing of the zygote's is to be unwound here


def _tell(birth: socket.socket, error: BaseException) -> None:
    """Say why a step failed; the text is ours, since no learner's code has run."""
    with suppress(OSError):  # the judge sees that it ended
        birth.send(f"{type(error).__name__}: {error}".encode()[:MOST_TOLD])


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    sys.argv = sys.argv[:1]
    os.chdir("/")
    shut_in.dumpable(False)
    gc.collect()
    gc.freeze()  # what lies here is never garbage; a collection in a child need not touch, and so copy, it
    serve(socket.socket(fileno=0), told)
