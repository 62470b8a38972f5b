"""The steps by which a fork of the zygote gives up, for good, what a learner's code must not reach (Linux).

In their order: ``leave`` the zygote's name spaces; ``lay_out`` a /proc and a /tmp of its own; ``keep`` only
some descriptors; ``hold`` itself to limits; ``give_up`` its user, its rights and dangerous system calls; and
``verify``, which asks the kernel whether all of it is so. Every step raises if it fails, mostly ``OSError``:
then the process must end before it hears of any learner. Nothing here starts a thread or keeps a state.

What bubblewrap does in C for a worker of its own is done here by the same system calls: unshare(2),
user_namespaces(7), mount(2), capabilities(7), seccomp(2).
"""

from __future__ import annotations

import ctypes
import os
import resource
import stat
from contextlib import suppress

from attnbook.worker.confine import confine

NEW_MOUNTS, NEW_GROUPS, NEW_HOST = 0x00020000, 0x02000000, 0x04000000
NEW_IPC, NEW_USER, NEW_PROCESSES, NEW_NET = 0x08000000, 0x10000000, 0x20000000, 0x40000000
READ_ONLY, NO_SETUID, NO_DEVICES, NO_PROGRAMS = 1, 2, 4, 8  # of mount(2); statvfs(3) gives the same numbers
AGAIN, BIND, RECURSIVE, PRIVATE = 1 << 5, 1 << 12, 1 << 14, 1 << 18
PR_SET_DUMPABLE, PR_CAPBSET_READ, PR_CAPBSET_DROP = 4, 23, 24
CAPABILITIES_VERSION_3 = 0x20080522
WORST_TO_KEEP = 1000  # of oom_score_adj: when memory runs out, the kernel ends these first

_system = ctypes.CDLL(None, use_errno=True)


def _done(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def dumpable(yes: bool) -> None:
    """Whether processes of the same user may look into this one's memory and descriptors through /proc."""
    _done(_system.prctl(PR_SET_DUMPABLE, int(yes), 0, 0, 0), "prctl")


def leave(as_root: bool) -> None:
    """Name spaces of its own; this process's children are in the new one for processes.

    Without root that takes a user name space, in which the user stays who it was. There the kernel counts the
    processes of that user from nothing, whatever others run.
    """
    user, group = os.geteuid(), os.getegid()
    spaces = NEW_MOUNTS | NEW_HOST | NEW_IPC | NEW_PROCESSES | NEW_NET | (0 if as_root else NEW_USER)
    _done(_system.unshare(spaces), "unshare")
    # The files of a process that is not dumpable belong to root. Nobody who could look has its number: each
    # learner's code sees the processes of its own name space alone.
    dumpable(True)
    if not as_root:
        for name, text in (
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as opened:
                opened.write(text)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as opened:
        opened.write(str(WORST_TO_KEEP))
    dumpable(False)


def lay_out(scratch: int, shared: int) -> list[str]:
    """The places that differ from submission to submission; all others are read-only already.

    Nothing can be written through /proc, a process's memory least of all. There are no pseudo-terminals:
    those of the zygote's box would be seen by every submission.

    Parameters
    ----------
    scratch, shared : int
        Bytes of /tmp and of /dev/shm.

    Returns
    -------
    list of str
        What lies in /tmp all the same, read-only.
    """
    with suppress(OSError):  # a kernel without control groups has no name spaces for them
        _done(_system.unshare(NEW_GROUPS), "unshare")
    _mount("none", "/", None, RECURSIVE | PRIVATE)
    _mount("proc", "/proc", "proc", READ_ONLY | NO_SETUID | NO_DEVICES | NO_PROGRAMS)
    laid = _fresh_tmp(scratch)
    _mount("tmpfs", "/dev/shm", "tmpfs", NO_SETUID | NO_DEVICES, f"size={shared},mode=1777")
    _mount("tmpfs", "/dev/pts", "tmpfs", READ_ONLY | NO_SETUID | NO_DEVICES, "size=4096,mode=0555")
    os.chdir("/tmp")
    return laid


def _fresh_tmp(scratch: int) -> list[str]:
    """A /tmp of its own, over which lies what the box has laid over the zygote's: a Python below /tmp, say.

    Nobody has written into the zygote's, so all that is there belongs to the box. What a name leads to is
    held by a descriptor while the new /tmp covers it.
    """
    held = {name: os.open(f"/tmp/{name}", os.O_PATH | os.O_NOFOLLOW) for name in os.listdir("/tmp")}
    _mount("tmpfs", "/tmp", "tmpfs", NO_SETUID | NO_DEVICES, f"size={scratch},mode=1777")
    for name, descriptor in held.items():
        place = f"/tmp/{name}"
        if stat.S_ISLNK(os.fstat(descriptor).st_mode):
            os.symlink(os.readlink("", dir_fd=descriptor), place)
        else:
            os.mkdir(place)
            kept = os.fstatvfs(descriptor).f_flag & (READ_ONLY | NO_SETUID | NO_DEVICES | NO_PROGRAMS)
            _mount(f"/proc/self/fd/{descriptor}", place, None, BIND | RECURSIVE)
            _mount("none", place, None, AGAIN | BIND | READ_ONLY | kept)
        os.close(descriptor)
    return list(held)


def _mount(what: str, place: str, kind: str | None, flags: int, options: str = "") -> None:
    result = _system.mount(
        what.encode(), place.encode(), kind and kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _done(result, f"mount on {place}")


def keep(*descriptors: int) -> None:
    """Make these 0, 1, 2, … in this order, and close all others."""
    # First out of the way of each other: the copies lie above every number that is wanted.
    high = [os.dup(one) for one in descriptors]
    while min(high) < len(high):
        high = [os.dup(one) for one in high]
    for wanted, copy in enumerate(high):
        os.dup2(copy, wanted)
    for name in os.listdir("/proc/self/fd"):
        if int(name) >= len(descriptors):
            with suppress(OSError):  # the one by which the folder was read is closed already
                os.close(int(name))


def hold(amounts: dict[str, int]) -> None:
    """Limits of the kernel's, by their names in ``resource`` without ``RLIMIT_``."""
    for name, amount in amounts.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (amount, amount))


def give_up(user: int, filter_: bytes) -> None:
    """Become ``user`` (0: stay who one is), and hold no right and no dangerous system call any more."""
    for one in range(64):
        if _system.prctl(PR_CAPBSET_READ, one, 0, 0, 0) == 1:  # -1 for a number that the kernel does not know
            _done(_system.prctl(PR_CAPBSET_DROP, one, 0, 0, 0), "prctl")
    if user:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION_3, 0)
    _done(_system.capset(ctypes.byref(header), ctypes.byref((ctypes.c_uint32 * 6)())), "capset")
    dumpable(False)
    confine(filter_)


def verify(user: int, descriptors: int, amounts: dict[str, int], laid: list[str]) -> None:
    """Ask the kernel whether this process is shut in.

    Parameters
    ----------
    user, descriptors, amounts
        As the other steps had them.
    laid : list of str
        The names that may stand in /tmp, all read-only.

    Raises
    ------
    OSError
        With what is not as it has to be.
    """
    with open("/proc/self/status", encoding="ascii", errors="replace") as opened:
        status = dict(line.split(":", 1) for line in opened)
    found = {name: value.split() for name, value in status.items()}
    wanted = {
        "Seccomp": ["2"],
        "NoNewPrivs": ["1"],
        "Threads": ["1"],
        "Pid": ["1"],
        "Groups": found["Groups"] if not user else [],
        "Uid": [str(user)] * 4 if user else found["Uid"],
        "Gid": [str(user)] * 4 if user else found["Gid"],
        **{f"Cap{which}": ["0" * 16] for which in ("Inh", "Prm", "Eff", "Bnd", "Amb")},
    }
    wrong = [name for name, value in wanted.items() if found.get(name) != value]
    if os.geteuid() == 0:
        wrong.append("it is root")
    # The folder is read through a descriptor too, which lies right above the others.
    if any(int(name) > descriptors for name in os.listdir("/proc/self/fd")):
        wrong.append("open descriptors")
    if [name for name in os.listdir("/proc") if name.isdigit()] != ["1"]:
        wrong.append("other processes")
    with open("/proc/self/maps", encoding="utf-8", errors="replace") as opened:
        kinds = {line.split()[1] for line in opened}
    if any("w" in kind and "s" in kind for kind in kinds):  # in which forks would see each other's writing
        wrong.append("shared memory")
    places = {"/tmp": sorted(laid), "/dev/shm": [], "/dev/pts": []}
    wrong += [f"files in {place}" for place, names in places.items() if sorted(os.listdir(place)) != names]
    for place in (f"/tmp/{name}" for name in laid):
        if not os.path.islink(place) and not os.statvfs(place).f_flag & READ_ONLY:
            wrong.append(f"{place} can be written to")
    for name, amount in amounts.items():
        if resource.getrlimit(getattr(resource, f"RLIMIT_{name}")) != (amount, amount):
            wrong.append(f"the limit {name}")
    if wrong:
        raise OSError(0, f"not shut in: {', '.join(wrong)}")
