"""System calls that a learner's code has no use for, refused by the kernel (Linux, x86-64 and ARM64).

Some hold memory that belongs to no process and so escapes every limit (memory files, System V segments,
a tmpfs mounted in a user name space of one's own); the others are where kernels have broken before.
The filter is a program of the kernel's packet filter, as ``seccomp(2)`` and ``bwrap --seccomp`` take it.
"""

from __future__ import annotations

import os
import platform
import struct

EPERM, ENOSYS = 1, 38
CLONE_NEWUSER = 0x10000000
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT = 0, 4, 16  # offsets in struct seccomp_data
FOREIGN_NUMBERS = 0x40000000  # x32 calls on x86-64: another table of the same calls

# The same numbers everywhere: open_tree … fspick, mount_setattr, io_uring_setup, memfd_secret.
_NEW = (428, 429, 430, 431, 432, 433, 442, 425, 447)
# memfd_create shmget msgget mq_open unshare setns mount pivot_root chroot ptrace bpf userfaultfd
# perf_event_open add_key request_key keyctl
_CALLS = {
    "x86_64": (319, 29, 68, 240, 272, 308, 165, 155, 161, 101, 321, 323, 298, 248, 249, 250),
    "aarch64": (279, 194, 186, 180, 97, 268, 40, 41, 51, 117, 280, 282, 241, 217, 218, 219),
}
_ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_CLONE = {"x86_64": 56, "aarch64": 220}
_CLONE3 = 435


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def program(machine: str | None = None) -> bytes | None:
    """The filter for this machine's processor, or None where its call numbers are not known here."""
    machine = machine or platform.machine()
    if machine not in _CALLS:
        return None
    refuse = _step(RETURN, ERRNO | EPERM)
    steps = [_step(LOAD, ARCHITECTURE), _step(JUMP_EQUAL, _ARCHITECTURE[machine], 1, 0), _step(RETURN, KILL)]
    steps += [_step(LOAD, NUMBER), _step(JUMP_GREATER_EQUAL, FOREIGN_NUMBERS, 0, 1), refuse]
    for call in (*_CALLS[machine], *_NEW):
        steps += [_step(JUMP_EQUAL, call, 0, 1), refuse]
    # The flags of clone3 lie in memory, where no filter sees them; without it, libraries use clone.
    steps += [_step(JUMP_EQUAL, _CLONE3, 0, 1), _step(RETURN, ERRNO | ENOSYS)]
    steps += [_step(JUMP_EQUAL, _CLONE[machine], 0, 3), _step(LOAD, FIRST_ARGUMENT)]
    steps += [_step(JUMP_BITS, CLONE_NEWUSER, 0, 1), refuse]
    return b"".join([*steps, _step(RETURN, ALLOW)])


def descriptor() -> int | None:
    """A descriptor from which the filter can be read once, or None; the caller closes it."""
    filter_ = program()
    if filter_ is None:
        return None
    readable, writable = os.pipe()
    os.write(writable, filter_)
    os.close(writable)
    return readable
