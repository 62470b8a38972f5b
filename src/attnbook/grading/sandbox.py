"""How a worker is started so that it can reach nothing: bubblewrap, else docker or podman, else refusal.

Inside a container that is thrown away after one submission, as Gradescope's is, bubblewrap may not make name
spaces; there root can still run the worker as another user, with the same limits and the same filter.

With bubblewrap a worker is forked from a *zygote* where the kernel allows a sandbox inside a sandbox (see
``attnbook.grading.zygote``), and is started in a sandbox of its own elsewhere. Either way it has no network,
sees the system and the Python environment read-only, a private /tmp in memory, its own process and host name
spaces, a new session, and no descriptor but its two pipes. Limits on memory, processor time, processes and
file sizes come from the kernel (``setrlimit``), and so does the refusal of system calls that would get around
them (``seccomp``).

A judge that is root gives the worker an ordinary user id of its own, since the kernel does not limit the
number of root's processes; a judge that is an ordinary user gives it a user name space.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import site
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import torch

import attnbook
from attnbook.grading import seccomp
from attnbook.grading.limits import Limits

KINDS = ("bubblewrap", "docker", "podman", "user", "none")
SHARED = 16 << 20  # bytes of /dev/shm, through which torch's own worker processes pass tensors
FIRST_USER = 210_000  # far above the ids of real users; each sandbox takes the next
USERS = 50_000
# Name spaces and mounts; another user and group; and to take rights away for good.
ZYGOTE_RIGHTS = ("CAP_SYS_ADMIN", "CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
# Judges that run beside each other begin at different ids: the kernel counts processes by id.
_users = count(secrets.randbelow(USERS))


class NoSandbox(ValueError):
    """No way to isolate a worker on this machine."""


@dataclass(frozen=True)
class Sandbox:
    """A way to start workers: its kind, and for containers the image."""

    kind: str
    image: str = ""

    def start(self, runtime: Path, limits: Limits, before: Sequence[str] = ()) -> subprocess.Popen:
        """Start one worker; its standard input and output are the pipes that frames travel on.

        ``before`` stands in front of the command: what moves it into a control group.
        """
        commands = {
            "bubblewrap": _bubblewrap,
            "docker": _container,
            "podman": _container,
            "user": _another_user,
            "none": _bare,
        }
        command, environment = commands[self.kind](self, runtime, limits)
        filter_ = seccomp.descriptor() if self.kind in ("bubblewrap", "user") else None
        if filter_ is not None and self.kind == "bubblewrap":
            command[1:1] = ["--seccomp", str(filter_)]
        elif filter_ is not None:
            at = command.index(sys.executable)
            command[at:at] = [sys.executable, "-I", str(_in(runtime, "confine.py")), str(filter_)]
        limiter = shutil.which("prlimit") if self.kind in ("bubblewrap", "user") else None
        if limiter is not None:  # rather than code between fork and exec, which threads can lock up
            command = [limiter, *_limits_as_options(limits), *command]
        command = [*before, *command]
        own = self.kind in ("bubblewrap", "none") and limiter is None
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                close_fds=True,
                pass_fds=() if filter_ is None else (filter_,),
                env=environment,
                start_new_session=True,
                bufsize=0,
                cwd="/",
                preexec_fn=_own_limits(limits) if own else None,
            )
        finally:
            if filter_ is not None:
                os.close(filter_)

    def end(self, process: subprocess.Popen) -> None:
        """End what outlives the process that was started: an engine's containers do."""
        if self.kind in ("docker", "podman"):
            assert isinstance(process.args, list)  # as it was started
            name = process.args[process.args.index("--name") + 1]
            _quiet([self.kind, "kill", str(name)])
        if self.kind == "user":
            assert isinstance(process.args, list)
            (user,) = (str(part)[8:] for part in process.args if str(part).startswith("--reuid="))
            kill_all_of(int(user))


def choose(unsafe: bool = False, image: str = "", disposable: bool = False) -> Sandbox:
    """The best sandbox that works here.

    Parameters
    ----------
    unsafe : bool
        Run without isolation where there is no sandbox.
    image : str
        The container image with Python and torch, for docker or podman.
    disposable : bool
        This whole system is a container for one submission: another user id may do.

    Raises
    ------
    NoSandbox
        If there is none and ``unsafe`` is not set; the sentence says what to install.
    """
    if os.name != "posix":
        raise NoSandbox("grading needs Linux, or a container that runs it; on Windows use WSL")
    if bubblewrap_works():
        return Sandbox("bubblewrap")
    for engine in ("docker", "podman"):
        if image and shutil.which(engine) and _quiet([engine, "info"]):
            return Sandbox(engine, image)
    if disposable and os.geteuid() == 0 and shutil.which("setpriv") and seccomp.program():
        return Sandbox("user")
    if unsafe:
        return Sandbox("none")
    raise NoSandbox(
        "no sandbox works here: install bubblewrap (Debian: apt-get install bubblewrap), or give "
        "--image with docker or podman; --unsafe grades without isolation and stamps every row"
    )


def _quiet(command: list[str]) -> bool:
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def bubblewrap_works() -> bool:
    """Whether bubblewrap is here and the kernel lets it make name spaces."""
    path = shutil.which("bwrap")
    if path is None:
        return False
    return _quiet([path, *_namespaces(), "--ro-bind", "/", "/", "--", "/bin/true"])


def _namespaces() -> list[str]:
    spaces = ["--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]
    if os.geteuid() != 0:
        spaces += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    return [*spaces, "--die-with-parent", "--new-session"]


def _environment(runtime: str) -> dict[str, str]:
    """All that the worker's environment holds: nothing of the judge's own."""
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "MPLBACKEND": "Agg",
        "MPLCONFIGDIR": "/tmp",
        "OMP_NUM_THREADS": "1",
        "TQDM_DISABLE": "1",
        "ATTNBOOK_RUNTIME": runtime,
        "ATTNBOOK_PACKAGES": _packages(),
    }


def _packages() -> str:
    """The folder in which this judge found torch: the worker's too, also where a path variable led here."""
    return str(Path(torch.__file__).resolve().parent.parent)


def _readable_places() -> list[str]:
    """What Python and torch need to run, outermost first and each once."""
    places = ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives"]
    places += [sys.base_prefix, sys.prefix, *site.getsitepackages(), _packages()]
    kept: list[str] = []
    for place in sorted(dict.fromkeys(places), key=len):
        inside = any(place == other or place.startswith(other.rstrip("/") + "/") for other in kept)
        if os.path.exists(place) and not inside:
            kept.append(place)
    return kept


def readable(path: Path) -> bool:
    """Whether a learner's code could read this path in bubblewrap: it lies where Python does."""
    path = path.resolve()
    return any(path.is_relative_to(Path(place).resolve()) for place in _readable_places())


def _bubblewrap(sandbox: Sandbox, runtime: Path, limits: Limits) -> tuple[list[str], dict[str, str]]:
    command = _box(runtime, limits)
    if os.geteuid() == 0:
        command += _as_user()
    else:  # counted inside the user name space, so that the judge's own processes do not count
        command += ["/usr/bin/prlimit", f"--nproc={limits.processes}"]
    return [*command, sys.executable, "-I", "/runtime/attnbook/worker/main.py"], _environment("/runtime")


def zygote_command(runtime: Path, limits: Limits, settings: str) -> list[str]:
    """The command that starts a zygote (see ``attnbook.worker.zygote``) in a box like a worker's.

    It makes the last part of a worker's sandbox itself, for which root leaves it four rights; that of an
    ordinary user has none, and makes user name spaces.
    """
    command = _box(runtime, limits)
    if os.geteuid() == 0:
        rights = [part for right in ZYGOTE_RIGHTS for part in ("--cap-add", right)]
        command[1:1] = ["--cap-drop", "ALL", *rights]
    return [*command, sys.executable, "-I", "/runtime/attnbook/worker/zygote.py", settings]


def _box(runtime: Path, limits: Limits) -> list[str]:
    """How bubblewrap is told to shut in what follows."""
    command = [shutil.which("bwrap") or "bwrap", *_namespaces(), "--hostname", "sandbox", "--clearenv"]
    for name, value in _environment("/runtime").items():
        command += ["--setenv", name, value]
    # First of all the private /tmp, so that a Python that lives below /tmp is laid over it and not under it.
    command += ["--perms", "1777", "--size", str(limits.scratch), "--tmpfs", "/tmp", "--chdir", "/tmp"]
    made = {"/tmp"}
    for place in _readable_places():
        if os.path.islink(place):
            command += ["--symlink", os.readlink(place), place]
            continue
        # The folders above it, empty but for the way down, and open to the worker's user.
        for parent in [str(parent) for parent in reversed(Path(place).parents)][1:]:
            if parent not in made:
                command += ["--perms", "0755", "--dir", parent]
                made.add(parent)
        command += ["--ro-bind", place, place]
    command += ["--ro-bind", str(runtime), "/runtime", "--proc", "/proc", "--dev", "/dev"]
    command += ["--perms", "1777", "--size", str(SHARED), "--tmpfs", "/dev/shm"]
    # /dev/zero gives zeros, and, mapped, shared memory that no process is charged for; /dev/full gives zeros.
    command += ["--dev-bind", "/dev/full", "/dev/zero"]
    # An installed copy of the package would bring the references along.
    own = str(Path(attnbook.__file__).resolve().parent.parent)
    for folder in dict.fromkeys([*site.getsitepackages(), _packages(), own]):
        installed = Path(folder) / "attnbook"
        if installed.is_dir() and readable(installed):
            command += ["--ro-bind", str(runtime / "attnbook"), str(installed)]
    # What bubblewrap itself laid out in memory is finished: nothing but /tmp and /dev/shm can be written to.
    return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--"]


def _container(sandbox: Sandbox, runtime: Path, limits: Limits) -> tuple[list[str], dict[str, str]]:
    command = [
        *(sandbox.kind, "run", "--rm", "--interactive", "--network", "none", "--read-only"),
        *("--tmpfs", f"/tmp:rw,size={limits.scratch}", "--memory", str(limits.memory)),
        *("--memory-swap", str(limits.memory), "--pids-limit", str(limits.processes), "--cpus", "1"),
        *("--user", "65534:65534", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--ulimit", f"fsize={limits.scratch}", "--ulimit", "core=0", "--hostname", "sandbox"),
        *("--ulimit", f"cpu={int(limits.submission) + 5}", "--ulimit", f"nofile={limits.files}"),
        *("--name", f"attnbook-{secrets.token_hex(8)}"),
        *("--volume", f"{runtime}:/runtime:ro", "--workdir", "/tmp"),
    ]
    for name, value in _environment("/runtime").items():
        if name not in ("PATH", "ATTNBOOK_PACKAGES"):  # the image knows where its Python and torch are
            command += ["--env", f"{name}={value}"]
    return [*command, sandbox.image, "python", "-I", "/runtime/attnbook/worker/main.py"], dict(os.environ)


def _another_user(sandbox: Sandbox, runtime: Path, limits: Limits) -> tuple[list[str], dict[str, str]]:
    """No name spaces: a user id that owns nothing, and no way to a network or to more rights."""
    command = [*_as_user(), sys.executable, "-I", str(_in(runtime, "main.py"))]
    return command, _environment(str(runtime))


def _in(runtime: Path, name: str) -> Path:
    return runtime / "attnbook" / "worker" / name


def next_user() -> int:
    """A user id that nobody has, for one worker of a judge that is root."""
    return FIRST_USER + next(_users) % USERS


def _as_user() -> list[str]:
    """How root starts something as a user of its own, without any of its rights."""
    user = next_user()
    command = [shutil.which("setpriv") or "/usr/bin/setpriv", f"--reuid={user}", f"--regid={user}"]
    return [*command, "--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]


def kill_all_of(user: int) -> None:
    """End every process of a user id that belongs to one worker."""
    for _ in range(20):  # a process may start another one between our looking and our killing
        found = [
            int(path.name) for path in Path("/proc").glob("[0-9]*") if path.exists() and _owner(path) == user
        ]
        for process in found:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if not found:
            return
        time.sleep(0.02)


def _owner(path: Path) -> int:
    try:
        return path.stat().st_uid
    except OSError:
        return -1


def _bare(sandbox: Sandbox, runtime: Path, limits: Limits) -> tuple[list[str], dict[str, str]]:
    """No isolation: for an instructor's own machine and own notebooks, and said so in every row."""
    environment = {**_environment(str(runtime)), "HOME": str(runtime), "PATH": os.environ.get("PATH", "")}
    return [sys.executable, "-I", str(_in(runtime, "main.py"))], environment


def kernel_limits(limits: Limits) -> dict[str, int]:
    """What the kernel holds a worker to, by the names in ``resource`` without ``RLIMIT_``.

    The number of its processes is not among them: how these are counted depends on whose they are.
    """
    return {
        "AS": limits.memory,
        "CPU": int(limits.submission) + 5,
        "FSIZE": limits.scratch,
        "NOFILE": limits.files,
        "CORE": 0,
    }


def _limits_as_options(limits: Limits) -> list[str]:
    """The limits as options of prlimit; set before bubblewrap, and inherited."""
    amounts = kernel_limits(limits)
    if os.geteuid() == 0:  # counted for the worker's own user id
        amounts["NPROC"] = limits.processes
    return [f"--{name.lower()}={amount}" for name, amount in amounts.items()]


def _own_limits(limits: Limits):
    """The same limits, where there is no prlimit."""

    import resource  # POSIX only, as is every kind of worker that gets here

    def apply() -> None:
        # bubblewrap and setpriv are small: the limits that fit a worker fit them too.
        for name, amount in kernel_limits(limits).items():
            with suppress(ValueError, OSError):  # macOS knows no limit on address space
                resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (amount, amount))
        if os.geteuid() == 0:  # counted for the worker's own user id
            resource.setrlimit(resource.RLIMIT_NPROC, (limits.processes, limits.processes))

    return apply


def describe(sandbox: Sandbox) -> str:
    """The isolation as every row names it."""
    return {"none": "none (--unsafe)", "user": "another user, no name spaces"}.get(sandbox.kind, sandbox.kind)
