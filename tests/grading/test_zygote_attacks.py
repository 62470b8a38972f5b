"""What a learner's code does to the zygote, to its neighbours and to whoever comes next: nothing.

Each attack is marked as a submission. What it deserves is what it gets, and the next one, forked from the
same zygote, is graded right.
"""

import json
import os
import shutil
import sys
import tempfile
from ast import literal_eval
from pathlib import Path

import pytest

from attnbook.exercises.registry import exercise
from attnbook.grading import sandbox
from attnbook.grading.limits import Limits
from attnbook.grading.marks import mark
from attnbook.grading.pool import Pool
from attnbook.grading.submissions import Submission

sys.path.insert(0, str(Path(__file__).parent))
from zygotes import BOX, forked, need_a_zygote

LIMITS = Limits(cell=15, submission=60)
ONE = exercise("2.3")
RIGHT = "import torch\ndef attention_weights(scores):\n    return torch.softmax(scores, dim=-1)\n"
WRONG = RIGHT.replace("dim=-1", "dim=-2")
CALL = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
FRAME = """import json, os, struct
def frame(value):
    header = json.dumps({"layout": value, "tensors": []}).encode()
    return struct.pack(">I", len(header)) + header
def forge(value):
    for descriptor in range(1024):
        try:
            os.write(descriptor, frame(value) * 20)
        except OSError:
            pass
"""
# On x86-64 and on ARM64, by the kernel's tables; None where a machine has another table.
NUMBERS = {
    "x86_64": dict(
        unshare=272, mount=165, umount2=166, setns=308, userfaultfd=323, io_uring_setup=425,
        io_uring_enter=426, ptrace=101, process_vm_readv=310, process_vm_writev=311, pidfd_getfd=438,
        keyctl=250, bpf=321, memfd_create=319, shmget=29, msgget=68, open_tree=428, fsopen=430,
    ),
    "aarch64": dict(
        unshare=97, mount=40, umount2=39, setns=268, userfaultfd=282, io_uring_setup=425,
        io_uring_enter=426, ptrace=117, process_vm_readv=270, process_vm_writev=271, pidfd_getfd=438,
        keyctl=219, bpf=280, memfd_create=279, shmget=194, msgget=186, open_tree=428, fsopen=430,
    ),
}  # fmt: skip

# What raises nothing here was held off: an attack that succeeds ends in an error before the answer.
HELD_OFF = {
    "write-to-every-memory": """
import glob
found = glob.glob("/proc/[0-9]*/mem") + glob.glob("/proc/[0-9]*/task/*/mem") + ["/proc/self/mem"]
assert {path.split("/")[2] for path in found} == {"1", "2", "self"}, found
for path in found:
    try:
        open(path, "r+b")
    except OSError:
        continue
    raise SystemExit(path)
""",
    "read-what-the-first-process-has": """
import os
assert os.getppid() == 1
for name in ("mem", "fd", "fdinfo", "environ", "maps", "map_files", "root", "cwd", "exe"):
    try:
        os.listdir("/proc/1/" + name) if "fd" in name or "files" in name else open("/proc/1/" + name).read(1)
    except OSError:
        continue
    if name not in ("root", "cwd"):
        raise SystemExit(name)
try:
    os.readlink("/proc/1/root")
    raise SystemExit("the link")
except OSError:
    pass
""",
    "kill-everything": """
import os, signal
try:
    os.kill(-1, signal.SIGKILL)
except ProcessLookupError:
    pass
seen = []
for other in range(1, 40_000):
    if other != os.getpid():
        try:
            os.kill(other, signal.SIGKILL)
            seen.append(other)
        except OSError:
            pass
assert seen == [1], seen  # the first process of the name space, which no signal of ours ends
for number in range(1, 65):
    try:
        os.kill(1, number)
    except OSError:
        pass
os.kill(1, 0)
""",
    "trace": CALL
    + """
for request in (0, 16, 0x4206):  # PTRACE_TRACEME, ATTACH, SEIZE
    for other in (1, os.getppid(), os.getpid()):
        assert libc.ptrace(request, other, 0, 0) == -1 and ctypes.get_errno() == 1
""",
    "refused-calls": CALL
    + f"""
numbers = {NUMBERS!r}.get(os.uname().machine, {{}})
for name, number in numbers.items():
    libc.syscall.restype = ctypes.c_long
    assert (libc.syscall(number, 0, 0, 0, 0, 0, 0), ctypes.get_errno()) == (-1, 1), name
clone = {{"x86_64": 56, "aarch64": 220}}.get(os.uname().machine)
if clone:
    assert (libc.syscall(clone, 0x10000000 | 17, 0, 0, 0, 0), ctypes.get_errno()) == (-1, 1)
    assert (libc.syscall(435, 0, 0), ctypes.get_errno()) == (-1, 38)
""",
    "no-rights": """
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
for which in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
    assert int(status["Cap" + which], 16) == 0, which
assert status["Seccomp"].strip() == "2" and status["NoNewPrivs"].strip() == "1"
import os
for become in (os.setuid, os.setgid):
    try:
        become(0)
        raise SystemExit("root")
    except OSError:
        pass
import subprocess
told = subprocess.run(["/bin/cat", "/proc/self/status"], capture_output=True, text=True).stdout
assert [line.split()[1] for line in told.splitlines() if line.startswith("Cap")] == ["0" * 16] * 5
""",
    "write-anywhere": """
import os
for folder, inside, files in os.walk("/"):
    inside[:] = [one for one in inside if one not in ("tmp", "shm", "usr", "site-packages")]
    if folder.startswith("/proc/"):  # what a process has open is its own, and its threads are like it
        inside[:] = [one for one in inside if one not in ("fd", "task", "map_files")]
    there = [os.path.join(folder, one) for one in files] if folder.startswith("/proc") else []
    for name in [folder + "/written", *there]:
        try:
            os.close(os.open(name, os.O_WRONLY | (os.O_CREAT if name.endswith("/written") else 0)))
        except OSError:
            continue
        raise SystemExit(name)
""",
    "nothing-in-common": """
import os
kinds = {line.split()[1] for line in open("/proc/self/maps")}
assert not [kind for kind in kinds if "w" in kind and "s" in kind], kinds
assert sorted(map(int, os.listdir("/proc/self/fd"))) == [*range(7)]  # one is that of the listing
assert not [one for one in os.listdir("/proc/self/fd")
            if os.path.exists("/proc/self/fd/" + one) and "socket" in os.readlink("/proc/self/fd/" + one)]
assert os.getsid(0) != 0 and not os.listdir("/dev/pts")
try:
    os.open("/dev/ptmx", os.O_RDWR)
    raise SystemExit("a terminal")
except OSError:
    pass
assert not [k for k in os.environ if "SEED" in k or "SECRET" in k or "TOKEN" in k]
""",
    "the-zygotes-frames": """
import gc, os, socket, sys
frame = sys._getframe()
while frame:
    for thing in list(frame.f_locals.values()):
        if isinstance(thing, socket.socket):
            try:
                thing.send(b"?")
                raise SystemExit("a socket")
            except OSError:
                pass
    frame = frame.f_back
""",
    "leaves-processes-behind": """
import os, socket, time
for number in range(8):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            bound = socket.socket(socket.AF_UNIX)
            bound.bind("\\0attnbook-%d" % number)
            bound.listen()
            while True:
                for place in ("/tmp", "/dev/shm"):
                    open(place + "/left-%d" % number, "w").write("x")
                time.sleep(0.01)
        os._exit(0)
time.sleep(0.2)
""",
    "changes-everything-in-memory": """
import json, sys, torch
right = torch.softmax
torch.softmax = torch.nn.functional.softmax = torch.Tensor.softmax = lambda *a, **k: None
json.left = sys.path.append("/tmp")
""",
    "fills-tmp": """
for place in ("/tmp/big", "/dev/shm/big"):
    try:
        with open(place, "wb") as opened:
            while True:
                opened.write(bytes(1 << 20))
    except OSError:
        pass
""",
}
# What ends the cell, and costs it; the answer stands in a cell before.
COSTS_ITS_CELL = {
    "fork-bomb": "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
    "memory-bomb": "held = []\nwhile True: held.append(bytearray(1 << 26))",
    "memory-in-many": (
        "import os, time\nfor _ in range(6):\n    if os.fork() == 0:\n"
        "        held = bytearray(b'x') * (1 << 30)\n        time.sleep(60)\ntime.sleep(60)"
    ),
    "kills-itself": "import os\nos.kill(os.getpid(), 9)",
    "ends-all-of-its-own": "import os\nos.kill(0, 9)",
    "crashes": "import ctypes\nctypes.string_at(0)",
    "aborts": "import os\nos.abort()",
    "threads": "import threading, time\nwhile True: threading.Thread(target=time.sleep, args=(99,)).start()",
}


@pytest.fixture(scope="module")
def pool():
    """One pool for all attacks: each meets the zygote that the last one left."""
    need_a_zygote()
    with Pool(BOX, LIMITS) as made:
        made.give_back(forked(made))
        yield made


def points(pool, folder: Path, *cells: str) -> float:
    content = {"cells": [{"cell_type": "code", "source": source} for source in cells]}
    path = folder / "a.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    row = mark(Submission("a.ipynb", "a", path), (ONE,), "s", pool, pool.limits, "bubblewrap")
    assert row.status == "graded", row
    return row.points


def assert_the_next_is_right(pool, folder: Path) -> None:
    """On the same zygote, in a place that nobody was in before, a right answer and a wrong one."""
    clean = (
        "import os, socket\n"
        "assert not os.listdir('/tmp') and not os.listdir('/dev/shm')\n"
        "assert [one for one in os.listdir('/proc') if one.isdigit()] == ['1', '2']\n"
        "for number in range(8):\n"
        "    try:\n"
        "        socket.socket(socket.AF_UNIX).connect('\\0attnbook-%d' % number)\n"
        "        raise SystemExit('somebody is there')\n"
        "    except ConnectionRefusedError:\n"
        "        pass\n"
    )
    assert points(pool, folder, clean + RIGHT) == ONE.points
    assert points(pool, folder, WRONG) == 0
    assert not pool._nursery.given_up
    assert len(pool._nursery._started) == 1, "the zygote had to be replaced"
    assert pool._nursery._started[0].alive()


@pytest.mark.parametrize("attack", HELD_OFF.values(), ids=HELD_OFF.keys())
def test_an_attack_is_held_off_and_the_next_is_graded_right(pool, tmp_path, attack):
    earned = points(
        pool, tmp_path, attack + ("\ntorch.softmax = right\n" if "right =" in attack else "") + RIGHT
    )
    assert earned == ONE.points
    assert_the_next_is_right(pool, tmp_path)


@pytest.mark.parametrize("attack", COSTS_ITS_CELL.values(), ids=COSTS_ITS_CELL.keys())
def test_what_costs_its_cell_costs_nothing_else(pool, tmp_path, attack):
    assert points(pool, tmp_path, RIGHT, attack) == ONE.points
    assert points(pool, tmp_path, WRONG, attack) == 0
    assert_the_next_is_right(pool, tmp_path)


@pytest.mark.parametrize("where", ["cell", "answer"])
@pytest.mark.parametrize(
    "value",
    [
        ["dict", [["status", ["str", "returned"]], ["value", ["str", "right"]]]],
        ["dict", [["status", ["str", "ready"]]]],
        ["dict", [["status", ["str", "passed"]], ["credit", ["float", "1.0"]]]],
    ],
    ids=["returned", "ready", "passed"],
)
def test_forged_frames_on_every_descriptor_earn_nothing(pool, tmp_path, where, value):
    call = f"forge({value!r})\n"
    answer = "def attention_weights(scores):\n    " + call + "    return scores\n"
    assert points(pool, tmp_path, FRAME, call + WRONG if where == "cell" else answer) == 0
    assert_the_next_is_right(pool, tmp_path)


def told(worker, source: str) -> str:
    """What a cell says: the text of the error that it ends with."""
    reply = worker.pipes.exchange({"do": "cell", "number": 1, "source": source}, 30)
    return reply["error"]["message"] if reply["status"] == "raised" else ""


def test_two_at_a_time_share_no_place_to_meet(pool):
    one, other = pool.take(), pool.take()
    try:
        leave = (
            "import ctypes, os, socket\n"
            "bound = socket.socket(socket.AF_UNIX)\nbound.bind('\\0meeting')\nbound.listen()\n"
            "named = socket.socket(socket.AF_UNIX)\nnamed.bind('/tmp/meeting')\nnamed.listen()\n"
            "open('/dev/shm/meeting', 'w').write('x')\n"
            "raise ValueError(ctypes.CDLL(None).semget(4711, 1, 0o1666))"
        )
        assert told(one, leave) == "0", "a System V semaphore may be made, each for itself"
        look = (
            "import ctypes, os, socket\nfound = []\n"
            "for name in ('\\0meeting', '/tmp/meeting'):\n"
            "    try:\n        socket.socket(socket.AF_UNIX).connect(name)\n        found.append(name)\n"
            "    except OSError:\n        pass\n"
            "found += os.listdir('/tmp') + os.listdir('/dev/shm')\n"
            "found += ['semaphore'] if ctypes.CDLL(None).semget(4711, 1, 0o666) != -1 else []\n"
            "raise ValueError(found)"
        )
        assert told(other, look) == "[]"
        names = ("pid", "mnt", "net", "ipc", "uts")
        spaces = f"import os\nraise ValueError([os.readlink('/proc/self/ns/' + one) for one in {names}])"
        mine = [os.readlink(f"/proc/self/ns/{name}") for name in names]
        seen = [literal_eval(told(worker, spaces)) for worker in (one, other)]
        assert not set(seen[0]) & set(seen[1])
        assert not set(seen[0] + seen[1]) & set(mine)
        if os.geteuid() == 0:
            assert told(one, "import os\nraise ValueError(os.getuid())") != told(
                other, "import os\nraise ValueError(os.getuid())"
            )
    finally:
        pool.give_back(one)
        pool.give_back(other)


def test_what_python_needs_below_tmp_is_there_and_read_only(tmp_path_factory, monkeypatch):
    """An environment in /tmp, as for a trial, and a link that leads to it."""
    need_a_zygote()
    base = Path(tempfile.mkdtemp(prefix="attnbook-below-", dir="/tmp"))
    link = base.with_name(base.name + "-link")
    try:
        (base / "deep" / "packages").mkdir(parents=True)
        (base / "deep" / "packages" / "below.py").write_text("found = 7\n", encoding="utf-8")
        for folder in (base, base / "deep", base / "deep" / "packages"):
            folder.chmod(0o755)
        link.symlink_to(base / "deep")
        places = sandbox._readable_places
        monkeypatch.setattr(
            sandbox, "_readable_places", lambda: [*places(), str(base / "deep" / "packages"), str(link)]
        )
        with Pool(BOX, LIMITS) as pool:
            for _ in range(2):
                worker = forked(pool)
                source = (
                    "import os, sys\nrefused = []\n"
                    f"sys.path.insert(0, '{base}/deep/packages')\nimport below\n"
                    f"for place in ('{base}', '{base}/deep', '{base}/deep/packages', '{link}'):\n"
                    "    try:\n        open(place + '/left', 'w')\n"
                    "    except OSError:\n        refused.append(place)\n"
                    "open('/tmp/own', 'x')\n"
                    f"raise ValueError((below.found, len(refused), os.listdir('{link}')))"
                )
                assert told(worker, source) == "(7, 4, ['packages'])"
                pool.give_back(worker)
    finally:
        link.unlink(missing_ok=True)
        shutil.rmtree(base)


def test_processes_are_counted_for_each_submission_alone(pool):
    """While one holds all that it may start, another starts as many."""
    count = (  # small ones: each fork of this process would count with all of torch where groups do not
        "import subprocess\nstarted = []\nfor _ in range(200):\n    try:\n"
        "        started.append(subprocess.Popen(['/bin/sleep', '60']))\n    except OSError:\n"
        "        break\nraise ValueError(len(started))"
    )
    workers = [pool.take() for _ in range(2)]
    try:
        started = [int(told(worker, count)) for worker in workers]
        assert started == [LIMITS.processes - 1] * 2
    finally:
        for worker in workers:
            pool.give_back(worker)


def test_a_worker_begins_as_a_fresh_process_does(pool):
    """Nothing that one drew or changed is there for the next."""
    draw = (
        "import random, numpy, torch, sys\n"
        "drawn = (random.random(), float(numpy.random.rand()), float(torch.rand(1)), torch.initial_seed())\n"
        "torch.manual_seed(5); random.seed(5); numpy.random.seed(5); sys.modules['left'] = sys\n"
        "raise ValueError(drawn)"
    )
    drawn = []
    for _ in range(3):
        worker = pool.take()
        assert told(worker, "import sys\nraise ValueError('left' in sys.modules)") == "False"
        drawn.append(literal_eval(told(worker, draw)))
        pool.give_back(worker)
    assert [len(set(column)) for column in zip(*drawn, strict=True)] == [3, 3, 3, 3], drawn
