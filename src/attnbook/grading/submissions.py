"""Find the submissions in what an instructor has: a notebook, a folder, a zip, in the shapes of Canvas,
Moodle, nbgrader and GitHub Classroom.

Every file that somebody handed in gives one submission, readable or not: N files in, N rows out. A learner
whose folder holds no file at all gives one too. Nothing is followed out of the folder: a symbolic link is a
submission that cannot be read.
"""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from attnbook.grading.reading import MAX_NOTEBOOK

MAX_ZIP_FILES = 20_000
MAX_ZIP_BYTES = 4 << 30

IGNORED = {".git", ".ipynb_checkpoints", "__MACOSX", "__pycache__", ".DS_Store", "Thumbs.db", ".gitignore"}
_CANVAS = re.compile(r"^(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_(?P<submission>\d+)_(?P<file>.+)$")
_MOODLE = re.compile(r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?$")


@dataclass(frozen=True)
class Submission:
    """One file that was handed in.

    Attributes
    ----------
    file : str
        Its path below the folder, with forward slashes; the row's key, and unique.
    id : str
        Whose it is, as far as names tell; two submissions can have the same.
    path : Path
        Where to read it.
    problem : str
        Why it cannot be read, or empty.
    """

    file: str
    id: str
    path: Path
    problem: str = ""


def find(source: Path, scratch: Path) -> list[Submission]:
    """All submissions at ``source``, in order of their paths.

    Parameters
    ----------
    source : Path
        A notebook, a folder or a zip.
    scratch : Path
        Where a zip is unpacked.

    Raises
    ------
    ValueError
        If there is nothing at ``source``, or a zip is damaged or holds unsafe paths.
    """
    if not source.exists():
        raise ValueError(f"SUBMISSIONS: {source} is not there; name a notebook, a folder or a zip")
    if source.is_file() and source.suffix.lower() == ".zip":
        return _in_folder(_without_wrapper(unpack(source, scratch), source.stem))
    if source.is_file():
        return [_submission(source, PurePosixPath(source.name), None)]
    found = _in_folder(source)
    if not found:
        raise ValueError(f"SUBMISSIONS: {source} holds no files; is it the right folder?")
    return found


def unpack(archive: Path, scratch: Path) -> Path:
    """Unpack a zip below ``scratch``; refuse it whole if an entry would land elsewhere or is a link.

    Raises
    ------
    ValueError
        If it is damaged, too large, or holds an unsafe path.
    """
    target = scratch / "unpacked"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    try:
        with zipfile.ZipFile(archive) as opened:
            entries = opened.infolist()
            if len(entries) > MAX_ZIP_FILES or sum(entry.file_size for entry in entries) > MAX_ZIP_BYTES:
                raise ValueError(
                    f"{archive}: too large when unpacked; unpack it yourself and name the folder"
                )
            seen: set[str] = set()
            for entry in entries:
                path = PurePosixPath(entry.filename.replace("\\", "/"))
                drive = bool(path.parts) and re.fullmatch(r"[A-Za-z]:", path.parts[0])
                if path.is_absolute() or ".." in path.parts or drive:
                    raise ValueError(f"{archive}: the entry {entry.filename!r} points outside; not unpacked")
                if stat.S_ISLNK(entry.external_attr >> 16):
                    raise ValueError(f"{archive}: the entry {entry.filename!r} is a link; not unpacked")
                if str(path) in seen and not entry.is_dir():
                    raise ValueError(f"{archive}: it holds {entry.filename!r} twice; unpack it yourself")
                seen.add(str(path))
            for entry in entries:
                if PurePosixPath(entry.filename).parts:  # not the folder itself, "./"
                    opened.extract(entry, target)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        shutil.rmtree(target, ignore_errors=True)
        raise ValueError(f"{archive}: not a readable zip ({error}); ask for it again") from None
    except ValueError:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return target


def _without_wrapper(folder: Path, name: str) -> Path:
    """The folder in which a class was packed, where the zip holds that alone and is called like it."""
    inside = [entry for entry in folder.iterdir() if entry.name not in IGNORED]
    if len(inside) != 1 or inside[0].name != name or not inside[0].is_dir():
        return folder
    several = sum(entry.name not in IGNORED for entry in inside[0].iterdir()) > 1
    return inside[0] if several else folder


def _in_folder(folder: Path) -> list[Submission]:
    """One submission a file; in a learner's own folder, one a notebook, or one for the folder without."""
    found: list[Submission] = []
    for entry in sorted(folder.iterdir()):
        if entry.name in IGNORED:
            continue
        if entry.is_symlink() or not entry.is_dir():
            found.append(_submission(entry, PurePosixPath(entry.name), None))
        else:
            found += _in_learners_folder(entry, folder)
    return found


def _in_learners_folder(folder: Path, top: Path) -> list[Submission]:
    notebooks = [
        path
        for path in sorted(folder.rglob("*"))
        if not IGNORED & set(path.relative_to(folder).parts)
        and (path.suffix.lower() == ".ipynb")
        and _stays_inside(path, folder)
    ]
    if not notebooks:
        relative = PurePosixPath(folder.relative_to(top).as_posix())
        id = _owner(relative, folder.name)
        return [Submission(str(relative), id, folder, "no notebook in this folder")]
    return [
        _submission(path, PurePosixPath(path.relative_to(top).as_posix()), folder.name) for path in notebooks
    ]


def _stays_inside(path: Path, folder: Path) -> bool:
    """No folder on the way is a link; the notebook itself may be one, and is then reported."""
    return not any(parent.is_symlink() for parent in path.parents if folder in parent.parents)


def _submission(path: Path, relative: PurePosixPath, folder: str | None) -> Submission:
    id = _owner(relative, folder)
    problem = ""
    try:
        found = path.lstat()
    except OSError as error:
        return Submission(str(relative), id, path, f"cannot be read ({error.strerror})")
    if stat.S_ISLNK(found.st_mode):
        problem = "a symbolic link, which is not followed"
    elif not stat.S_ISREG(found.st_mode):
        problem = "not a regular file"
    elif path.suffix.lower() != ".ipynb":
        problem = "not a notebook (.ipynb)"
    elif found.st_size > MAX_NOTEBOOK:
        problem = f"larger than {MAX_NOTEBOOK >> 20} MB; was output saved with it?"
    return Submission(str(relative), id, path, problem)


def _owner(relative: PurePosixPath, folder: str | None) -> str:
    """Whose submission it is, from the names that Canvas, Moodle, nbgrader and GitHub Classroom give."""
    if folder is None:
        canvas = _CANVAS.match(relative.name)
        return canvas["id"] if canvas else relative.stem
    moodle = _MOODLE.match(folder)
    return moodle["id"] if moodle else folder
