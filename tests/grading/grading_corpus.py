"""Broken and hostile submissions, each with the mark that it deserves.

All are graded on three exercises of chapter 2: ``answer_order`` (2.1, a choice), ``attention_weights`` (2.3, a
function) and ``temperature_softmax`` (2.5, a bug to mend). ``RIGHT`` answers the first two. A hostile
notebook tries to earn what its answers do not, to harm others, or to stop the batch.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from attnbook.exercises.registry import exercise

EXERCISES = ("2.1", "2.3", "2.5")
CHOICE = f'answer_order = "{exercise("2.1").reference()}"'
WEIGHTS = """\
import torch
def attention_weights(scores):
    return torch.softmax(scores, dim=-1)
"""
WRONG = """\
import torch
def attention_weights(scores):
    return torch.softmax(scores, dim=-2)
"""
RIGHT = [CHOICE, WEIGHTS]
ALL = {"2.1", "2.3"}  # what RIGHT earns
NONE: set[str] = set()


@dataclass(frozen=True)
class Entry:
    """One submission: its file's name, what makes the file, and the exercises it deserves the points of.

    ``status`` is how the row's status begins.
    """

    name: str
    make: Callable[[Path], None]
    earns: frozenset[str]
    status: str = "graded"


def notebook(cells: list, **extra) -> bytes:
    """A notebook's bytes; a cell is a source or a whole dictionary."""
    full = [
        cell
        if isinstance(cell, dict)
        else {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": cell,
        }
        for number, cell in enumerate(cells)
    ]
    content = {"cells": full, "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **extra}
    return json.dumps(content).encode()


def cells(name: str, *sources, earns=ALL, status: str = "graded", **extra) -> Entry:
    """An entry whose file is a notebook of these cells."""
    return Entry(
        f"{name}.ipynb",
        lambda path: path.write_bytes(notebook(list(sources), **extra)) and None,
        frozenset(earns),
        status,
    )


def probe(name: str, source: str) -> Entry:
    """An entry that tries something and defines its answers afterwards: it earns only if it was held off."""
    return cells(name, "\n".join([source, *RIGHT]))


def raw(name: str, content: bytes, status: str) -> Entry:
    """An entry whose file holds these bytes, and earns nothing."""
    return Entry(name, lambda path: path.write_bytes(content) and None, frozenset(), status)


HONEST = [
    cells("right", *RIGHT),
    cells("wrong", WRONG, earns=NONE),
    cells("empty", earns=NONE),
    cells("untouched", "def attention_weights(scores):\n    raise NotImplementedError", earns=NONE),
    cells(
        "calls-check",
        "from attnbook.exercises import check, hint, progress",
        *RIGHT,
        "check('2.3', attention_weights)",
    ),
    cells("magics", "%matplotlib inline\n!pip list\nimport torch", *RIGHT, "%%bash\nexit 1", "%%time\nx = 1"),
    cells(
        "first-cell",
        "try:\n    import attnbook\nexcept ModuleNotFoundError:\n    %pip install attnbook",
        *RIGHT,
    ),
    cells(
        "loops-instead",
        CHOICE,
        "import torch\ndef attention_weights(scores):\n    out = torch.empty_like(scores)\n    for b in range(scores.shape[0]):\n        for q in range(scores.shape[1]):\n            e = (scores[b, q] - scores[b, q].max()).exp()\n            out[b, q] = e / e.sum()\n    return out",
    ),
    cells("defined-twice-last-right", WRONG, *RIGHT),
    cells("defined-twice-last-wrong", *RIGHT, WRONG, earns={"2.1"}),
    cells("duplicate-cells", *RIGHT, *RIGHT),
    cells("cells-in-reverse", "x = 1", WEIGHTS, CHOICE),
    cells(
        "split-cell",
        "import torch",
        "def helper(s):\n    return torch.softmax(s, dim=-1)",
        "def attention_weights(scores):\n    return helper(scores)",
        CHOICE,
    ),
    cells(
        "same-ids",
        *[
            {"cell_type": "code", "id": "same", "metadata": {"grade": True, "points": 99}, "source": source}
            for source in RIGHT
        ],
    ),
    cells("no-ids-no-metadata", *[{"cell_type": "code", "source": source} for source in RIGHT]),
    cells(
        "source-as-list",
        *[{"cell_type": "code", "source": source.splitlines(keepends=True)} for source in RIGHT],
    ),
    Entry(
        "format-3.ipynb",
        lambda path: (
            path.write_bytes(
                json.dumps(
                    {
                        "nbformat": 3,
                        "worksheets": [{"cells": [{"cell_type": "code", "input": s}]} for s in RIGHT],
                    }
                ).encode()
            )
            and None
        ),
        frozenset(ALL),
    ),
    cells("wrong-kernel", *RIGHT, metadata={"kernelspec": {"name": "julia-1.9", "language": "julia"}}),
    cells("syntax-error-between", CHOICE, "def broken(:\n", WEIGHTS),
    cells("raises-between", CHOICE, "1 / 0", WEIGHTS),
    cells("string-with-magic", 'text = """\n%not a magic\n"""', *RIGHT),
    cells("deleted-answer", *RIGHT, "del attention_weights", earns={"2.1"}),
    cells(
        "magics-inside",
        CHOICE,
        "import torch\nnames = !ls\ntorch.softmax?\n%time size = 3\ndisplay(size, names)\n" + WEIGHTS,
    ),
    cells("large-cell", CHOICE, "picture = '" + "é" * 400_000 + "'\n" + WEIGHTS),
    cells("unicode-name", *RIGHT, "名前 = '∑'\nprint(名前)"),
    # Whatever runs in Jupyter runs here.
    cells(
        "awaits",
        "import asyncio\nawait asyncio.sleep(0)\nasync with asyncio.Lock():\n    x = 1\n" + WEIGHTS,
        CHOICE,
    ),
    cells("writes-a-module", "%%writefile mine.py\n" + WEIGHTS, "from mine import attention_weights", CHOICE),
    cells("runs-a-file", "%%writefile mine.py\n" + WEIGHTS, "%run mine.py", CHOICE),
    cells("pip-over-lines", "!pip install \\\n    einops \\\n    jaxtyping\n" + WEIGHTS, CHOICE),
    cells("percent-below", "%matplotlib inline\neven = (7\n    % 3)\nassert even == 1\n" + WEIGHTS, CHOICE),
    cells(
        "annotations-of-the-future",
        "from __future__ import annotations",
        WEIGHTS.replace("(scores)", "(scores: NoSuchName) -> NorThis"),
        CHOICE,
    ),
    cells("in-and-out", "6 * 7", "assert _ == Out[1] == 42 and In[1] == '6 * 7'\n" + WEIGHTS, CHOICE),
    cells("a-package-that-is-not-here", "import no_such_package\n" + WEIGHTS + CHOICE),
    cells(
        "float64-by-default",
        "import torch\ntorch.set_default_dtype(torch.float64)\ntorch.set_grad_enabled(False)",
        "def attention_weights(scores):\n    out = torch.zeros(scores.shape)\n    out += torch.softmax(scores, -1)\n    return out",
        CHOICE,
    ),
    cells(
        "asks-what-check-said",
        "from attnbook.exercises import check\nif check('2.3', len).passed:\n    print('!')\n" + WEIGHTS,
        "report = check('2.3', attention_weights)\nprint(report.by_case, bool(report), *report.named)\n"
        + CHOICE,
    ),
]

BROKEN = [
    raw("empty-file.ipynb", b"", "unreadable"),
    raw("cut-off.ipynb", notebook(RIGHT)[:-40], "unreadable"),
    raw("not-utf8.ipynb", notebook(RIGHT).replace(b"torch", b"t\xff\xferch"), "unreadable"),
    raw("utf16.ipynb", notebook(RIGHT).decode().encode("utf-16"), "unreadable"),
    raw("a-list.ipynb", b"[1, 2, 3]", "unreadable"),
    raw("cells-is-text.ipynb", b'{"cells": "none"}', "unreadable"),
    raw("deep-json.ipynb", b"[" * 200_000 + b"]" * 200_000, "unreadable"),
    raw("deep-object.ipynb", b'{"cells":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, "unreadable"),
    raw("essay.pdf", b"%PDF-1.4", "not a notebook"),
    raw("notes.txt", b"I did it on paper.", "not a notebook"),
    raw("too-many-cells.ipynb", notebook(["x = 1"] * 2001), "unreadable"),
    raw("too-much-code.ipynb", notebook(["#" * 500_001, "x = 1"]), "unreadable: 500,006 characters of code"),
    Entry(
        "odd-cells.ipynb",
        lambda path: (
            path.write_bytes(
                json.dumps(
                    {
                        "cells": [
                            *(3, None, [], {"cell_type": "code"}, {"cell_type": "code", "source": 7}),
                            {"cell_type": "code", "source": [1, CHOICE]},
                            {"cell_type": "code", "source": WEIGHTS},
                        ]
                    }
                ).encode()
            )
            and None
        ),
        frozenset(ALL),
    ),
    cells(
        "huge-output",
        {
            "cell_type": "code",
            "source": CHOICE,
            "outputs": [{"output_type": "stream", "text": "x" * (30 << 20)}],
        },
        WEIGHTS,
    ),
    cells(
        "script-in-output",
        {
            "cell_type": "code",
            "source": CHOICE,
            "outputs": [{"output_type": "display_data", "data": {"text/html": "<script>alert(1)</script>"}}],
        },
        WEIGHTS,
    ),
    Entry("a-link.ipynb", lambda path: os.symlink("/etc/passwd", path), frozenset(), "a symbolic link"),
    Entry("dangling.ipynb", lambda path: os.symlink("nowhere", path), frozenset(), "a symbolic link"),
    Entry("a-pipe.ipynb", lambda path: os.mkfifo(path), frozenset(), "not a regular file"),
    Entry("folder.ipynb", lambda path: path.mkdir(), frozenset(), "no notebook in this folder"),
    cells("half-a-character", *RIGHT, "x = '\ud800'"),
    cells("zero-byte", *RIGHT, "x = '\x00'"),
    cells("long-chains", *RIGHT, "x = 1 if True else " + ".".join("a" * 900)),
    cells(os.fsdecode(b"caf\xe9"), *RIGHT),
    cells("=HYPERLINK(1)", *RIGHT),
    cells("<img src=x onerror=alert(1)>", *RIGHT),
    cells('line\nbreak, "quoted"', *RIGHT),
]

FORGE = """\
import struct, json, os
def frame(value):
    header = json.dumps({"layout": value, "tensors": []}).encode()
    return struct.pack(">I", len(header)) + header
"""

HOSTILE = [
    # To earn marks without answers.
    cells(
        "patch-assert-close",
        "import torch.testing\ntorch.testing.assert_close = lambda *a, **k: None",
        WRONG,
        earns=NONE,
    ),
    cells(
        "patch-allclose",
        "import torch\ntorch.allclose = lambda *a, **k: True\ntorch.equal = torch.allclose\ntorch.Tensor.__eq__ = lambda a, b: True",
        WRONG,
        earns=NONE,
    ),
    cells(
        "always-equal",
        "import torch\nclass Equal(torch.Tensor):\n    def __eq__(self, other): return True\n    def allclose(self, *a, **k): return True\ndef attention_weights(scores):\n    return torch.zeros_like(scores).as_subclass(Equal)",
        earns=NONE,
    ),
    cells(
        "patch-checker",
        "import sys, types\nfake = types.ModuleType('attnbook.exercises.judge')\nfake.judge = lambda *a, **k: True\nsys.modules['attnbook.exercises.judge'] = fake\nsys.modules['attnbook.worker.oracle'] = fake",
        WRONG,
        earns=NONE,
    ),
    cells(
        "patch-worker",
        "import gc, types\nfor f in gc.get_objects():\n    if isinstance(f, types.FunctionType) and f.__name__ in ('answer', 'reply', 'run_cell'):\n        f.__code__ = (lambda *a, **k: {'status': 'returned', 'value': True}).__code__",
        WRONG,
        earns=NONE,
    ),
    cells(
        "import-judge",
        "try:\n    from attnbook.exercises.judge import expected\nexcept ImportError:\n    expected = None",
        "def attention_weights(scores):\n    return expected(scores)",
        earns=NONE,
    ),
    probe(
        "search-reference",
        "import os, sys\nplaces = ['/runtime', '/tmp', *(p + '/attnbook' for p in sys.path)]\nfound = []\nfor place in places:\n    for d, ds, fs in os.walk(place):\n        ds[:] = [one for one in ds if one != 'site-packages']\n        found += [os.path.join(d, f) for f in fs if f in ('attention_weights.py', 'judge.py', 'marks.py', 'seed', 'grades.json')]\nassert not found, found",
    ),
    cells("returns-function", "attention_weights = lambda scores: (lambda: scores)", CHOICE, earns={"2.1"}),
    cells("returns-its-input", "def attention_weights(scores): return scores", earns=NONE),
    cells(
        "nan-everywhere",
        "import torch\ndef attention_weights(scores): return scores * float('nan')",
        earns=NONE,
    ),
    cells("true-as-answer", "answer_order = True\nattention_weights = True", earns=NONE),
    cells(
        "list-of-all-choices",
        "answer_order = ['a', 'b', 'c', 'd']\nclass S(str):\n    def strip(self): return self\n    def __eq__(self, o): return True\n    def __hash__(self): return 1\nanswer_order = S('z')",
        earns=NONE,
    ),
    cells(
        "liar-object",
        "class Liar:\n    def __getattr__(self, n): return Liar()\n    def __call__(self, *a): return Liar()\n    def __eq__(self, o): return True\n    def __bool__(self): return True\nanswer_order = attention_weights = Liar()",
        earns=NONE,
    ),
    cells(
        "forged-frames",
        FORGE,
        "for fd in range(3, 64):\n    try:\n        os.write(fd, frame(['dict', [['status', ['str', 'returned']], ['value', ['str', 'right']]]]) * 50)\n    except OSError:\n        pass",
        WRONG,
        earns=NONE,
    ),
    cells(
        "forged-in-answer",
        FORGE,
        CHOICE,
        "def attention_weights(scores):\n    for fd in range(3, 64):\n        try:\n            os.write(fd, frame(['dict', [['status', ['str', 'passed']], ['credit', ['float', '1.0']]]]) * 20)\n        except OSError:\n            pass\n    return scores",
        earns={"2.1"},
    ),
    cells(
        "oversized-frame",
        CHOICE,
        "import os, struct\ndef attention_weights(scores):\n    for fd in range(3, 64):\n        try:\n            os.write(fd, struct.pack('>I', 0xffffffff) + b'x' * 4096)\n        except OSError:\n            pass\n    return scores",
        earns={"2.1"},
    ),
    cells(
        "enormous-tensor",
        CHOICE,
        "import torch\ndef attention_weights(scores): return torch.zeros(1).expand(10**12)",
        earns={"2.1"},
    ),
    cells(
        "forged-shape",
        CHOICE,
        "import os, struct, json\ndef attention_weights(scores):\n    h = json.dumps({'layout': ['tensor', 0], 'tensors': [['float32', [0] + [1 << 24] * 15]]}).encode()\n    for fd in range(3, 64):\n        try:\n            os.write(fd, struct.pack('>I', len(h)) + h)\n        except OSError:\n            pass\n    return scores",
        earns={"2.1"},
    ),
    cells(
        "forged-status",
        FORGE,
        CHOICE,
        "def attention_weights(scores):\n    for fd in range(3, 64):\n        try:\n            os.write(fd, frame(['dict', [['status', ['list', []]], ['found', ['none']]]]))\n        except OSError:\n            pass\n    return scores",
        earns={"2.1"},
    ),
    cells(
        "hangs-when-looked-at",
        CHOICE,
        "import torch\nclass Hang(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, *a, **k):\n        while True: pass\ndef attention_weights(scores):\n    return scores.as_subclass(Hang)",
        earns={"2.1"},
    ),
    cells(
        "enormous-number",
        CHOICE,
        "def attention_weights(scores): return 10 ** 5000",
        earns={"2.1"},
    ),
    cells(
        "pickle-bomb",
        CHOICE,
        "class Bomb:\n    def __reduce__(self):\n        import os\n        return os.system, ('touch /tmp/bombed',)\ndef attention_weights(scores): return Bomb()",
        earns={"2.1"},
    ),
    # To be what no report can hold.
    cells(
        "poisoned-error",
        "import sys, torch\nsys.modules['attnbook.worker.oracle'].describe = lambda e: {'type': torch.ones(2), 'message': {'a': torch.ones(2)}, 'where': [torch.ones(2), float('nan')], 'more': torch.ones(2)}",
        "1 / 0",
        *RIGHT,
    ),
    cells(
        "enormous-errors",
        "import sys\nsys.modules['attnbook.worker.oracle'].describe = lambda e: {'type': 'ValueError', 'message': 'A' * 900_000, 'where': ['B' * 1000] * 20}",
        *["1 / 0"] * 60,
        *RIGHT,
    ),
    cells(
        "poisoned-answers",
        "import sys, torch\ndef answer(thing, request):\n    x = torch.ones(2)\n    return {'status': 'state', 'found': {f'n{i}': [x] * 3 for i in range(1500)}, 'error': {'type': x}, 'kind': x, 'device': x, 'parameters': x, 'mutated': [x] * 9, 'gradients': {'a': x}, 'more': x}\nsys.modules['attnbook.worker.oracle'].answer = answer",
        WRONG,
        CHOICE,
        earns=NONE,
    ),
    cells("quadratic-import", *RIGHT, "from " + "m" * 60_000 + " import " + ",".join(["a"] * 20_000)),
    cells("many-statements", *RIGHT, "a = 1\n" + "a;" * 10_000),
    cells("deep-expression", *RIGHT, "x = " + "-" * 20_000 + "1"),
    # To read or harm others.
    probe(
        "read-proc",
        "import glob\nseen = [open(p).read() for p in glob.glob('/proc/[0-9]*/cmdline')]\nassert not any('grade' in s or 'pytest' in s for s in seen), seen",
    ),
    cells(
        "write-proc-mem",
        "import glob, os\nfor p in glob.glob('/proc/[0-9]*/mem'):\n    if p.split('/')[2] != str(os.getpid()):\n        try:\n            open(p, 'r+b').write(b'0')\n        except OSError:\n            pass",
        *RIGHT,
    ),
    cells("kill-everything", CHOICE, WEIGHTS, "import os, signal\nos.kill(-1, signal.SIGKILL)"),
    cells(
        "kill-parent",
        CHOICE,
        WEIGHTS,
        "import os, signal\nfor pid in range(1, 400):\n    try:\n        if pid != os.getpid(): os.kill(pid, signal.SIGKILL)\n    except OSError:\n        pass",
    ),
    probe(
        "read-neighbours",
        "import os\nseen = 0\nfor d, ds, fs in os.walk('/'):\n    ds[:] = [x for x in ds if x not in ('proc', 'usr', 'site-packages')]\n    seen += 1\n    assert not [f for f in fs if f.endswith(('.ipynb', 'seed.txt', 'grades.json'))], d\nassert seen > 5",
    ),
    probe(
        "write-outside",
        "import os\nfor place in ('/runtime/attnbook/worker/oracle.py', '/usr/x', '/etc/x', '/root/x', '/x'):\n    try:\n        open(place, 'w').write('x')\n        raise SystemExit('wrote ' + place)\n    except OSError:\n        pass",
    ),
    probe(
        "network",
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', 22), timeout=1)\n    raise SystemExit('connected')\nexcept OSError:\n    pass",
    ),
    probe(
        "environment",
        "import os\nassert not [k for k in os.environ if 'SEED' in k or 'SECRET' in k or 'TOKEN' in k or 'ATTNBOOK_DATA' in k]",
    ),
    probe(
        "memory-of-no-process",
        "import os, ctypes\ntry:\n    os.memfd_create('x')\n    raise SystemExit('memfd')\nexcept OSError:\n    pass\nassert ctypes.CDLL(None).shmget(0, 1 << 30, 0o1600) == -1\nroom = os.statvfs('/dev/shm')\nassert room.f_blocks * room.f_frsize <= 1 << 24",
    ),
    probe(
        "shared-memory-without-a-file",
        "import mmap, os\ntry:\n    mmap.mmap(-1, 1 << 20)\n    raise SystemExit('shared memory')\nexcept OSError:\n    pass\nzero = os.open('/dev/zero', os.O_RDWR)\nassert os.read(zero, 2) == bytes(2)\ntry:\n    mmap.mmap(zero, 1 << 20, flags=mmap.MAP_SHARED)\n    raise SystemExit('shared memory by a device')\nexcept OSError:\n    pass\nmmap.mmap(-1, 1 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)",
    ),
    probe(
        "sockets-of-other-kinds",
        "import socket\nfor family in (socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, 40):\n    try:\n        socket.socket(family, socket.SOCK_STREAM)\n        raise SystemExit('a socket')\n    except OSError:\n        pass\nsocket.socketpair()",
    ),
    probe(
        "one-processor",
        "import os\nassert len(os.sched_getaffinity(0)) == 1\ntry:\n    os.sched_setaffinity(0, range(64))\n    raise SystemExit('moved')\nexcept OSError:\n    pass",
    ),
    probe(
        "write-anywhere",
        "import os\nfor folder, inside, _ in os.walk('/'):\n    inside[:] = [one for one in inside if one not in ('tmp', 'shm', 'proc', 'usr', 'lib')]\n    if folder:\n        try:\n            open(folder + '/written', 'w')\n            raise SystemExit('wrote into ' + folder)\n        except OSError:\n            pass",
    ),
    probe(
        "data-loader",
        "import torch\nfrom torch.utils.data import DataLoader\nassert sum(map(len, DataLoader(torch.arange(6), batch_size=2, num_workers=1))) == 6",
    ),
    probe(
        "own-name-space",
        "import ctypes\nassert ctypes.CDLL(None).unshare(0x10000000) == -1\nassert ctypes.CDLL(None).syscall(435, 0, 0) == -1",
    ),
    probe(
        "signal-the-judge",
        "import os, signal\nassert os.getppid() <= 3\nfor pid in range(1, 400):\n    if pid != os.getpid() and pid != 1:\n        try:\n            os.kill(pid, 0)\n            raise SystemExit('there is another process')\n        except ProcessLookupError:\n            pass\n        except PermissionError:\n            pass",
    ),
    cells("ptrace", "import ctypes, os\nctypes.CDLL(None).ptrace(16, 1, 0, 0)", *RIGHT),
    probe(
        "setuid",
        "import os\ntry:\n    os.setuid(0)\n    raise SystemExit('became root')\nexcept OSError:\n    pass",
    ),
    cells(
        "terminal",
        "import fcntl, termios\ntry:\n    fcntl.ioctl(0, termios.TIOCSTI, b'x')\nexcept OSError:\n    pass",
        *RIGHT,
    ),
    # To stop the batch.
    cells("loops-forever", *RIGHT, "while True: pass"),
    cells("sleeps-forever", *RIGHT, "import time\ntime.sleep(10**6)"),
    cells("waits-for-input", *RIGHT, "name = input('who?')"),
    cells("exits", *RIGHT, "import sys\nsys.exit()"),
    cells("exits-hard", *RIGHT, "import os\nos._exit(0)"),
    cells("crashes", *RIGHT, "import ctypes\nctypes.string_at(0)"),
    cells("aborts", *RIGHT, "import os\nos.abort()"),
    cells("stops-itself", *RIGHT, "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
    cells(
        "swallows-everything",
        *RIGHT,
        "while True:\n    try:\n        while True: pass\n    except BaseException:\n        pass",
    ),
    cells(
        "ignores-signals",
        *RIGHT,
        "import signal\nfor s in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM): signal.signal(s, signal.SIG_IGN)\nwhile True: pass",
    ),
    cells("memory-bomb", *RIGHT, "x = []\nwhile True: x.append(bytearray(1 << 26))"),
    cells("memory-touch", *RIGHT, "import torch\nx = [torch.ones(1 << 24) for _ in range(400)]"),
    cells("recursion", *RIGHT, "def f(): return f()\nf()"),
    cells(
        "fork-bomb",
        *RIGHT,
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
    ),
    cells(
        "threads",
        *RIGHT,
        "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(1000,)).start()",
    ),
    cells(
        "daemon",
        *RIGHT,
        "import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', 'while True: pass'], start_new_session=True)",
    ),
    cells("prints-without-end", *RIGHT, "while True: print('x' * 100000)"),
    cells("prints-200-MB", *RIGHT, "for _ in range(200): print('x' * 1000000)"),
    cells(
        "fills-disk", *RIGHT, "with open('/tmp/big', 'wb') as f:\n    while True: f.write(b'x' * (1 << 20))"
    ),
    cells("many-files", *RIGHT, "opened = [open(f'/tmp/{i}', 'w') for i in range(10000)]"),
    cells("closes-descriptors", *RIGHT, "import os\nos.closerange(0, 1000)"),
    cells("answer-loops", CHOICE, "def attention_weights(scores):\n    while True: pass", earns={"2.1"}),
    cells("answer-exits", CHOICE, "import os\ndef attention_weights(scores): os._exit(0)", earns={"2.1"}),
    cells("answer-kills-next", WEIGHTS, CHOICE, "import os\ndef temperature_softmax(*a): os._exit(0)"),
    cells(
        "answer-slow-thread",
        CHOICE,
        "import threading, time\ndef attention_weights(scores):\n    threading.Thread(target=lambda: time.sleep(100)).start()\n    import torch\n    return torch.softmax(scores, dim=-1)",
    ),
    cells(
        "garbage-on-pipe",
        *RIGHT,
        "import os\nfor fd in range(3, 64):\n    try:\n        os.write(fd, b'garbage' * 1000)\n    except OSError:\n        pass",
    ),
    cells(
        "html-in-names",
        "class _b_script_(Exception): pass\n_b_script_.__name__ = '<script>alert(1)</script>'\ndef attention_weights(scores): raise _b_script_('<img src=x onerror=alert(1)>')",
        CHOICE,
        earns={"2.1"},
    ),
    cells(
        "leaks-inputs",
        CHOICE,
        "def attention_weights(scores):\n    raise type('LEAK' + str(scores.shape), (Exception,), {})('LEAK' + str(scores))",
        earns={"2.1"},
    ),
    cells(
        "leaks-by-return",
        CHOICE,
        "def attention_weights(scores): return 'LEAK' + str(scores.flatten()[:4].tolist())",
        earns={"2.1"},
    ),
    cells(
        "leaks-by-type",
        CHOICE,
        "def attention_weights(scores): return type('LEAK' + str(float(scores.flatten()[0])), (), {})()",
        earns={"2.1"},
    ),
]

ENTRIES = [*HONEST, *BROKEN, *HOSTILE]


def write_corpus(folder: Path) -> dict[str, Entry]:
    """Write every submission into ``folder``; entries by file name."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in ENTRIES:
        entry.make(folder / entry.name.replace("/", "_"))
    return {entry.name.replace("/", "_"): entry for entry in ENTRIES}
