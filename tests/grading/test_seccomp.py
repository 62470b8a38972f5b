"""What the filter of system calls decides: the kernel's packet filter, run here on the calls themselves."""

import struct

import pytest

from attnbook.grading import seccomp

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS, EAFNOSUPPORT = 0x00050000 | 1, 0x00050000 | 38, 0x00050000 | 97
NEW_USER, NEW_MOUNTS, THREAD = 0x10000000, 0x00020000, 0x00010F00
X86, ARM = "x86_64", "aarch64"
# By the tables of the kernel (arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h).
ORDINARY = {
    X86: {
        "read": 0,
        "write": 1,
        "openat": 257,
        "mmap": 9,
        "futex": 202,
        "execve": 59,
        "connect": 42,
        "exit": 60,
    },
    ARM: {
        "read": 63,
        "write": 64,
        "openat": 56,
        "mmap": 222,
        "futex": 98,
        "execve": 221,
        "connect": 203,
        "exit": 93,
    },
}
DANGEROUS = {
    X86: {
        "memfd_create": 319,
        "shmget": 29,
        "unshare": 272,
        "setns": 308,
        "mount": 165,
        "ptrace": 101,
        "bpf": 321,
    },
    ARM: {
        "memfd_create": 279,
        "shmget": 194,
        "unshare": 97,
        "setns": 268,
        "mount": 40,
        "ptrace": 117,
        "bpf": 280,
    },
}
CLONE = {X86: 56, ARM: 220}
MMAP = {X86: 9, ARM: 222}
SOCKETS = {X86: (41, 53), ARM: (198, 199)}
AUDIT = {X86: 0xC000003E, ARM: 0xC00000B7}


def decision(
    machine: str, number: int, *, architecture: int | None = None, flags: int = 0, fourth: int = 0
) -> int:
    """What the filter answers to one call, as the kernel would run it (linux/filter.h)."""
    audit = AUDIT[machine] if architecture is None else architecture
    data = struct.pack("=IIQ6Q", number, audit, 0, flags, 0, 0, fourth, 0, 0)
    steps = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    at = accumulator = 0
    while True:
        code, if_true, if_false, value = steps[at]
        at += 1
        if code == 0x20:  # BPF_LD | BPF_W | BPF_ABS
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif code == 0x06:  # BPF_RET | BPF_K
            return value
        else:  # BPF_JMP with JEQ, JGE or JSET against the constant
            holds = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}
            at += if_true if holds[code] else if_false


@pytest.mark.parametrize("machine", [X86, ARM])
def test_ordinary_calls_pass_and_dangerous_ones_do_not(machine):
    assert {name: decision(machine, number) for name, number in ORDINARY[machine].items()} == dict.fromkeys(
        ORDINARY[machine], ALLOW
    )
    assert {name: decision(machine, number) for name, number in DANGEROUS[machine].items()} == dict.fromkeys(
        DANGEROUS[machine], EPERM
    )


@pytest.mark.parametrize(("column", "machine"), [(0, X86), (1, ARM)])
def test_every_call_of_the_table_is_refused_and_no_other(column, machine):
    refused = {numbers[column] for numbers in seccomp.REFUSED.values()}
    assert len(refused) == len(seccomp.REFUSED)
    answers = {number: decision(machine, number) for number in range(600)}
    assert {number for number, answer in answers.items() if answer == EPERM} == refused
    other = {number for number, answer in answers.items() if answer not in (EPERM, ALLOW)}
    assert other == {435, *SOCKETS[machine]}


@pytest.mark.parametrize("machine", [X86, ARM])
def test_processes_and_threads_start_but_not_in_a_user_name_space(machine):
    assert decision(machine, CLONE[machine], flags=THREAD) == ALLOW
    assert decision(machine, CLONE[machine], flags=NEW_USER) == EPERM
    assert decision(machine, CLONE[machine], flags=NEW_USER | NEW_MOUNTS) == EPERM
    assert decision(machine, 435, flags=THREAD) == ENOSYS, (
        "libraries fall back on clone when clone3 is not there"
    )


@pytest.mark.parametrize("machine", [X86, ARM])
def test_sockets_are_local_ones(machine):
    for call in SOCKETS[machine]:
        assert decision(machine, call, flags=1) == ALLOW
        assert {decision(machine, call, flags=family) for family in (0, 2, 10, 16, 17, 38, 40)} == {
            EAFNOSUPPORT
        }


@pytest.mark.parametrize("machine", [X86, ARM])
def test_memory_may_be_shared_or_have_no_file_and_not_both(machine):
    shared, private, no_file, fixed = 0x01, 0x02, 0x20, 0x10
    for flags in (shared, private, private | no_file, private | fixed, no_file | private | fixed):
        assert decision(machine, MMAP[machine], fourth=flags) == ALLOW
    for flags in (shared | no_file, shared | no_file | fixed, shared | 0x03 | no_file):
        assert decision(machine, MMAP[machine], fourth=flags) == EPERM


def test_calls_by_another_table_are_refused():
    assert decision(X86, 0, architecture=0x40000003) == KILL  # int 0x80: the 32-bit table
    assert decision(X86, 0x40000000 | 319) == EPERM  # x32
    assert decision(ARM, 63, architecture=AUDIT[X86]) == KILL


def test_the_filter_fits_into_a_pipe_and_unknown_processors_have_none():
    assert all(len(seccomp.program(machine)) < 4096 for machine in (X86, ARM))
    assert seccomp.program("riscv64") is None
