"""Give up dangerous system calls for good, then become another program: ``confine.py DESCRIPTOR PROGRAM …``.

For places where bubblewrap, which does the same, may not work. The descriptor holds a filter as
``seccomp(2)`` takes it; whatever the program starts inherits it.
"""

import ctypes
import os
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
STEP = 8  # bytes


class Program(ctypes.Structure):
    """``struct sock_fprog``: how many steps, and where they are."""

    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_char_p)]


def confine(steps: bytes) -> None:
    """Apply a filter to this process and all that it starts.

    Raises
    ------
    OSError
        If the kernel does not take it.
    """
    system = ctypes.CDLL(None, use_errno=True)
    program = Program(len(steps) // STEP, steps)
    for call in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if system.prctl(*call) != 0:
            raise OSError(ctypes.get_errno(), "the kernel does not take the filter of system calls")


if __name__ == "__main__":
    descriptor = int(sys.argv[1])
    with os.fdopen(descriptor, "rb") as opened:
        confine(opened.read())
    os.execv(sys.argv[2], sys.argv[2:])
