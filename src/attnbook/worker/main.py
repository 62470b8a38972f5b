"""The sandboxed side: runs a learner's cells, then their answers on inputs that arrive one by one.

It knows no exercise, no seed and no expected value. Whatever the learner's code does to this process, it
can only change what this learner's answers return.

Messages in: ``{"do": "cell", "number": n, "source": text}`` and ``{"do": "answer", "name": name,
"request": …}`` (see ``oracle``). Messages out: one reply for each, after a first ``{"status": "ready"}``.
"""

from __future__ import annotations

import gc
import os
import sys
import types

# Started with `python -I main.py`: the package that this file belongs to is not on the path by itself.
if os.environ.get("ATTNBOOK_RUNTIME", "") not in ("", *sys.path):  # a zygote has put it there
    sys.path.insert(0, os.environ["ATTNBOOK_RUNTIME"])
if os.environ.get("ATTNBOOK_PACKAGES"):
    sys.path.append(os.environ["ATTNBOOK_PACKAGES"])

# A seventh of the time that torch takes to import is the collector's, which finds nothing there.
gc.disable()
import torch  # noqa: E402

from attnbook.worker import frames, oracle  # noqa: E402
from attnbook.worker.cells import Kernel  # noqa: E402

gc.enable()


def main() -> None:
    """Answer messages until the judge closes the pipe."""
    # The pipes move out of the way of print() and input(); the originals lead nowhere.
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    torch.set_num_threads(1)
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module  # classes that learners define live where a notebook's would
    kernel = Kernel(module.__dict__)
    os.chdir(os.environ.get("HOME", "/tmp"))
    sys.path.insert(0, "")  # as in Jupyter: what a cell wrote beside it can be imported

    def read(count: int) -> bytes:
        data = incoming.read(count)
        if len(data) < count:
            raise EOFError
        return data

    def reply(value: dict) -> None:
        outgoing.write(frames.encode(value))
        outgoing.flush()

    reply({"status": "ready"})
    while True:
        try:
            message = frames.decode(read, frames.MAX_OWN_HEADER)
        except EOFError:
            return
        if message["do"] == "cell":
            reply(kernel.run(message["source"], message["number"]))
            continue
        try:
            thing = module.__dict__.get(message["name"])
            reply(oracle.answer(thing, message["request"]))
        except BaseException as error:
            reply({"status": "raised", "error": oracle.describe(error)})


if __name__ == "__main__":
    main()
