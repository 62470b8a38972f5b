"""Read a file that somebody else may change while it is read: never a link, a pipe or more than announced."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from attnbook.grading.limits import MAX_NOTEBOOK


def read_submission(path: Path) -> bytes:
    """The bytes of a regular file.

    What a path names may have changed since it was found, so everything is asked of the opened file.

    Raises
    ------
    OSError
        If it is gone, a link, not a regular file, too large, or not readable.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "not a regular file")
        content = opened.read(MAX_NOTEBOOK + 1)
    if len(content) > MAX_NOTEBOOK:
        raise OSError(0, f"larger than {MAX_NOTEBOOK >> 20} MB")
    return content
