"""System calls that a learner's code has no use for, refused by the kernel (Linux, x86-64 and ARM64).

Some hold memory that belongs to no process and so escapes every limit (memory files, System V segments,
shared memory without a file, pages given to a pipe, a tmpfs mounted in a user name space of one's own);
one would let a process leave the processor that it was given; some reach into other processes; the others
are where kernels have broken before. Sockets are local ones only: network name spaces do not cover every
other kind.
The filter is a program of the kernel's packet filter, as ``seccomp(2)`` and ``bwrap --seccomp`` take it.
"""

from __future__ import annotations

import os
import platform
import struct

EPERM, ENOSYS, EAFNOSUPPORT = 1, 38, 97
CLONE_NEWUSER = 0x10000000
MAP_SHARED, MAP_ANONYMOUS = 0x01, 0x20
AF_UNIX = 1
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_BITS, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, FOURTH_ARGUMENT = 0, 4, 16, 40  # offsets in struct seccomp_data
FOREIGN_NUMBERS = 0x40000000  # x32 calls on x86-64: another table of the same calls

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
# Each refused call by its number on x86-64 and on ARM64.
REFUSED = {
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "ptrace": (101, 117),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "pidfd_getfd": (438, 438),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "vmsplice": (278, 75),
    "sched_setaffinity": (203, 122),
}
CLONE = (56, 220)
CLONE3 = 435
MMAP = (9, 222)
SOCKETS = {"socket": (41, 198), "socketpair": (53, 199)}


def _step(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, value)


def program(machine: str | None = None) -> bytes | None:
    """The filter for this machine's processor, or None where its call numbers are not known here."""
    machine = machine or platform.machine()
    if machine not in ARCHITECTURES:
        return None
    column = list(ARCHITECTURES).index(machine)
    refuse = _step(RETURN, ERRNO | EPERM)
    steps = [_step(LOAD, ARCHITECTURE), _step(JUMP_EQUAL, ARCHITECTURES[machine], 1, 0), _step(RETURN, KILL)]
    steps += [_step(LOAD, NUMBER), _step(JUMP_GREATER_EQUAL, FOREIGN_NUMBERS, 0, 1), refuse]
    for numbers in REFUSED.values():
        steps += [_step(JUMP_EQUAL, numbers[column], 0, 1), refuse]
    # The flags of clone3 lie in memory, where no filter sees them; without it, libraries use clone.
    steps += [_step(JUMP_EQUAL, CLONE3, 0, 1), _step(RETURN, ERRNO | ENOSYS)]
    steps += [_step(JUMP_EQUAL, CLONE[column], 0, 4), _step(LOAD, FIRST_ARGUMENT)]
    steps += [_step(JUMP_BITS, CLONE_NEWUSER, 0, 1), refuse, _step(RETURN, ALLOW)]
    for numbers in SOCKETS.values():
        steps += [_step(JUMP_EQUAL, numbers[column], 0, 4), _step(LOAD, FIRST_ARGUMENT)]
        steps += [_step(JUMP_EQUAL, AF_UNIX, 1, 0), _step(RETURN, ERRNO | EAFNOSUPPORT)]
        steps += [_step(RETURN, ALLOW)]
    # Memory that is shared and has no file stays when every process has let go of it.
    steps += [_step(JUMP_EQUAL, MMAP[column], 0, 4), _step(LOAD, FOURTH_ARGUMENT)]
    steps += [_step(JUMP_BITS, MAP_SHARED, 0, 2), _step(JUMP_BITS, MAP_ANONYMOUS, 0, 1), refuse]
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
