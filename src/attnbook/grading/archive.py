"""Unpack a zip of submissions: whatever one entry is, it costs itself and not the others."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import time
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path, PurePosixPath

from attnbook.grading.limits import MAX_DEPTH, MAX_NOTEBOOK

MAX_ENTRIES = 100_000
MAX_BYTES = 4 << 30  # of all notebooks together, unpacked
LONGEST = 200  # bytes of a name; file systems take 255
LONGEST_PATH = 1000  # bytes of a path below the folder; Linux takes 4,096 of a whole one


def unpack(archive: Path, scratch: Path) -> tuple[Path, dict[str, str]]:
    """Unpack a zip below ``scratch``.

    Names that are too long or nested too deeply are shortened. Of files that are no notebooks the name is
    enough: they become empty ones. What cannot be unpacked is reported by its name and left out.

    Returns
    -------
    folder : Path
    problems : dict
        From an entry's path to what is wrong with it: one sentence.

    Raises
    ------
    ValueError
        If it is no zip, or too large.
    """
    target = scratch / "unpacked"
    remove(target)
    target.mkdir(parents=True)
    problems: dict[str, str] = {}
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = [entry for entry in opened.infolist() if not entry.is_dir()]
            notebooks = sum(entry.file_size for entry in entries if _is_notebook(entry.filename))
            if len(entries) > MAX_ENTRIES or notebooks > MAX_BYTES:
                raise ValueError(
                    f"{archive}: too large when unpacked; unpack it yourself and name the folder"
                )
            taken = Taken()
            for entry in entries:
                path = _safe(entry.filename)
                problem = _unsafe(entry) if path is None else ""
                if path is None:
                    path = PurePosixPath(entry.filename.replace("/", "∕").replace("\\", "∕"))
                path = taken.free(path)
                problem = problem or _extract(opened, entry, target / path)
                if problem:
                    problems[str(path)] = problem
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        remove(target)
        raise ValueError(f"{archive}: not a readable zip ({error}); download it again") from None
    except ValueError:
        remove(target)
        raise
    return target, problems


def remove(folder: Path) -> None:
    """Delete a folder that we unpacked into, however it was left."""
    shutil.rmtree(folder, ignore_errors=True)


def _is_notebook(name: str) -> bool:
    return name.lower().endswith(".ipynb")


def _safe(name: str) -> PurePosixPath | None:
    """Where an entry goes, below the folder; None for one that wants to be elsewhere."""
    path = PurePosixPath(name.replace("\\", "/"))
    drive = bool(path.parts) and re.fullmatch(r"[A-Za-z]:", path.parts[0])
    if path.is_absolute() or ".." in path.parts or drive or not path.parts or "\0" in name:
        return None
    parts = [_short(part) for part in path.parts]
    long = sum(len(_bytes(part)) for part in parts) > LONGEST_PATH
    if len(parts) > MAX_DEPTH or (long and len(parts) > 7):  # whose it is stands in the first ones
        middle = hashlib.sha256(_bytes("/".join(parts[4:-2]))).hexdigest()[:16]
        parts = [*parts[:4], f"…{middle}", *parts[-2:]]
    return PurePosixPath(*parts)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")


def _short(part: str) -> str:
    """A name that every file system takes: the same, or its beginning with a digest of the whole."""
    encoded = _bytes(part)
    if len(encoded) <= LONGEST:
        return part
    suffix = ".ipynb" if _is_notebook(part) else ""
    mark = f"~{hashlib.sha256(encoded).hexdigest()[:8]}{suffix}"
    return encoded[: LONGEST - len(mark)].decode("utf-8", "ignore") + mark


def _unsafe(entry: zipfile.ZipInfo) -> str:
    return f"its name in the zip points outside ({entry.filename[:60]!r}); not unpacked"


def _extract(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path) -> str:
    """Write one entry; the sentence on what is wrong with it, or an empty one."""
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "a symbolic link, which is not followed"
    content = b""
    if _is_notebook(entry.filename):
        if entry.file_size > MAX_NOTEBOOK:
            return f"larger than {MAX_NOTEBOOK >> 20} MB; was output saved with it?"
        try:
            with opened.open(entry) as reading:
                content = reading.read(MAX_NOTEBOOK)
        except Exception as error:  # of whatever library unpacks it: it costs this entry alone
            return f"damaged in the zip ({type(error).__name__}); ask for it again"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)  # a full disk stops the run, and says so
    with suppress(ValueError, OverflowError, OSError):  # a date that is none: it stays the one of today
        when = time.mktime((*entry.date_time, 0, 0, -1))
        os.utime(path, (when, when))
    return ""


class Taken:
    """Names that are in use below a folder, letter case aside, as some file systems see them."""

    def __init__(self) -> None:
        self.files: set[str] = set()
        self.folders: set[str] = set()

    def free(self, path: PurePosixPath) -> PurePosixPath:
        """The same path, with ``~`` added to the names on it that a file already has."""
        parts: list[str] = []
        for number, part in enumerate(path.parts, start=1):
            last = number == len(path.parts)
            while (key := "/".join([*parts, part]).lower()) in self.files or (last and key in self.folders):
                stem, dot, suffix = part.rpartition(".")
                part = f"{stem}~{dot}{suffix}" if last and dot else f"{part}~"
            parts.append(part)
            (self.files if last else self.folders).add(key)
        return PurePosixPath(*parts)
