"""The sandboxed side: runs a learner's cells, then their answers on inputs that arrive one by one.

It knows no exercise, no seed and no expected value. Whatever the learner's code does to this process, it
can only change what this learner's answers return.

Messages in: ``{"do": "cell", "number": n, "source": text}`` and ``{"do": "answer", "name": name,
"request": …}`` (see ``oracle``). Messages out: one reply for each, after a first ``{"status": "ready"}``.
"""

from __future__ import annotations

import gc
import linecache
import os
import re
import sys
import types

# Started with `python -I main.py`: the package that this file belongs to is not on the path by itself.
if os.environ.get("ATTNBOOK_RUNTIME"):
    sys.path.insert(0, os.environ["ATTNBOOK_RUNTIME"])
if os.environ.get("ATTNBOOK_PACKAGES"):
    sys.path.append(os.environ["ATTNBOOK_PACKAGES"])

# A seventh of the time that torch takes to import is the collector's, which finds nothing there.
gc.disable()
import torch  # noqa: E402

from attnbook.worker import frames, oracle  # noqa: E402

gc.enable()

_MAGIC_LINE = re.compile(r"^([ \t]*)(?:[%!?].*|[\w.]+\?{1,2}[ \t]*)$", re.MULTILINE)
_TIMED_LINE = re.compile(r"^([ \t]*)%time[ \t]+(\S.*)$", re.MULTILINE)
_FROM_MAGIC = re.compile(r"^([ \t]*\w+[ \t]*=)[ \t]*[!%].*$", re.MULTILINE)
_TRANSPARENT = ("%%time", "%%timeit", "%%capture")  # cell magics whose body is ordinary code


def plain_python(source: str) -> str:
    """A cell's source without IPython's magics; a cell of another language becomes empty."""
    try:
        compile(source, "<cell>", "exec", dont_inherit=True)
    except SyntaxError:
        first, _, rest = source.lstrip().partition("\n")
        if first.startswith("%%"):
            return plain_python(rest) if first.split()[0] in _TRANSPARENT else ""
        source = _FROM_MAGIC.sub(r"\1 None", _TIMED_LINE.sub(r"\1\2", source))
        return _MAGIC_LINE.sub(r"\1pass", source)
    return source


class NoShell:
    """Stands for IPython's shell: accepts every call and does nothing."""

    def __getattr__(self, name):
        return lambda *arguments, **options: None


def run_cell(source: str, number: int, namespace: dict) -> dict:
    """Run one cell as Jupyter would; what stood before an error stays."""
    name = f"<cell {number}>"
    try:
        source = plain_python(source)
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        exec(compile(source, name, "exec", dont_inherit=True), namespace)
    except BaseException as error:
        return {"status": "raised", "error": oracle.describe(error)}
    return {"status": "done"}


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
    module.__dict__.update(get_ipython=NoShell, display=lambda *things, **options: None)

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
            reply(run_cell(message["source"], message["number"], module.__dict__))
            continue
        try:
            thing = module.__dict__.get(message["name"])
            reply(oracle.answer(thing, message["request"]))
        except BaseException as error:
            reply({"status": "raised", "error": oracle.describe(error)})


if __name__ == "__main__":
    main()
