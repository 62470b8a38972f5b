"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def replacing(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file for writing; ``path`` becomes that file in one step when the block ends.

    Whoever reads ``path`` meanwhile, or after a crash or a kill, sees the old content or the new one, never
    half of one. If the block raises, ``path`` stays as it was. Folders on the way are made.

    Parameters
    ----------
    path : str or path
    mode : "w" or "wb"
        Text (UTF-8, the same line ends on every system) or bytes.

    Yields
    ------
    file
        Open for writing, beside ``path``: a rename is one step only within one disk.

    Raises
    ------
    ValueError
        If ``mode`` is another one.
    OSError
        If the folder or the file cannot be written.
    """
    if mode not in ("w", "wb"):
        raise ValueError(f"mode: expected 'w' or 'wb', got {mode!r}")
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")  # two processes may write one file
    encoding, newline = ("utf-8", "\n") if mode == "w" else (None, None)
    try:
        with temporary.open(mode, encoding=encoding, newline=newline) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: str | os.PathLike[str], content: str) -> None:
    """Write text to ``path`` in one step, as :func:`replacing` does."""
    with replacing(path) as file:
        file.write(content)
