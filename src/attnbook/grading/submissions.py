"""Find the submissions in what an instructor has: a notebook, a folder, a zip, in the shapes of Canvas,
Moodle, nbgrader and GitHub Classroom.

Every file that somebody handed in gives one submission, readable or not: N files in, N rows out. A learner
whose folder holds no notebook gives one too. Nothing is followed out of the folder: a symbolic link is a
submission that cannot be read.

Of each learner one notebook counts: the newest, or the newest of those that are called as the instructor
said.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from attnbook.grading import archive
from attnbook.grading.identity import Owner, owner_by_file, owner_by_folder
from attnbook.grading.limits import MAX_DEPTH, MAX_NOTEBOOK, MAX_NOTEBOOKS
from attnbook.grading.roster import Roster

IGNORED = {".git", ".ipynb_checkpoints", "__MACOSX", "__pycache__", ".DS_Store", "Thumbs.db", ".gitignore"}
MANY_FILES = 100_000  # in one learner's folder, beside the notebooks


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
    name : str
        The owner's name, where the course system put it into the file's.
    time : float
        When it was handed in or last changed, in seconds; 0 where nothing tells.
    late : bool
        The course system marked it as late.
    counts : bool
        Whether it is the one of its owner's that is graded.
    instead : str
        The file that counts in its place.
    others : int
        How many more notebooks its owner has.
    doubt : str
        Why ``id`` may be the wrong one, or empty.
    """

    file: str
    id: str
    path: Path
    problem: str = ""
    name: str = ""
    time: float = 0.0
    late: bool = False
    counts: bool = True
    instead: str = ""
    others: int = 0
    doubt: str = ""


def find(source: Path, scratch: Path, notebook: str = "", roster: Roster | None = None) -> list[Submission]:
    """All submissions at ``source``, in order of their paths.

    Parameters
    ----------
    source : Path
        A notebook, a folder or a zip.
    scratch : Path
        Where a zip is unpacked.
    notebook : str
        How the notebook that counts is called, ``*`` standing for anything; empty for the newest.
    roster : Roster, optional
        Where a name can be read in two ways, the roster decides; and it says which names are one person's.

    Raises
    ------
    ValueError
        If there is nothing at ``source``, or a zip is damaged.
    """
    known = roster.known() if roster else frozenset()
    if not source.exists():
        raise ValueError(f"SUBMISSIONS: {source} is not there; name a notebook, a folder or a zip")
    if source.is_file() and source.suffix.lower() != ".zip":
        return [_submission(source, PurePosixPath(source.name), None, known)]
    problems: dict[str, str] = {}
    folder = source
    if source.is_file():
        top, problems = archive.unpack(source, scratch)
        folder = _without_wrapper(top, source.stem)
        inside = folder.relative_to(top).as_posix()
        problems = {_below(path, inside): problem for path, problem in problems.items()}
    found = [*_in_folder(folder, known), *_left_out(folder, problems, known)]
    if not found:
        raise ValueError(f"SUBMISSIONS: {source} holds no files; is it the right folder?")
    return _choose(_known_people(sorted(found, key=lambda one: one.file), roster), notebook)


def of_one(folder: Path, notebook: str = "") -> list[Submission]:
    """The notebooks in a folder that is one learner's, one of which counts."""
    return _choose(_in_learners_folder(folder, frozenset()), notebook)


def _known_people(found: list[Submission], roster: Roster | None) -> list[Submission]:
    """The same submissions, each with the roster's id where the roster knows who it is."""
    if roster is None:
        return found
    prefix = common_prefix([one.id for one in found])
    return [replace(one, id=roster.person(one.id, prefix) or one.id) for one in found]


def common_prefix(ids: list[str]) -> str:
    """What all names of repositories begin with, up to a hyphen: ``week2-`` of week2-ada and week2-ben."""
    if len(set(ids)) < 2:
        return ""
    first, last = min(ids), max(ids)
    same = next((at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first))
    return first[: first.rfind("-", 0, same) + 1]


def _below(path: str, folder: str) -> str:
    return path.removeprefix(f"{folder}/") if folder != "." else path


def _without_wrapper(folder: Path, name: str) -> Path:
    """The folder in which a class was packed, where the zip holds that alone and is called like it."""
    inside = [entry for entry in folder.iterdir() if entry.name not in IGNORED]
    name = re.sub(r"\s*\(\d+\)$", "", name)  # "week2 (1).zip" is a second download of week2.zip
    if len(inside) != 1 or inside[0].name != name or not inside[0].is_dir():
        return folder
    several = sum(entry.name not in IGNORED for entry in inside[0].iterdir()) > 1
    return inside[0] if several else folder


def _left_out(folder: Path, problems: dict[str, str], known: frozenset[str]) -> Iterator[Submission]:
    """A submission for each entry of a zip that was not unpacked."""
    for file, problem in problems.items():
        path = PurePosixPath(file)
        within = path.parts[0] if len(path.parts) > 1 else None
        if IGNORED & set(path.parts) or (within and path.suffix.lower() != ".ipynb"):
            continue
        owner = owner_by_folder(within, known) if within else owner_by_file(path.name, path.stem, known)
        yield _made(owner, file, folder / file, problem)


def _in_folder(folder: Path, known: frozenset[str]) -> list[Submission]:
    """One submission a file; in a learner's own folder, one a notebook, or one for the folder without."""
    found: list[Submission] = []
    for entry in sorted(folder.iterdir()):
        if entry.name in IGNORED:
            continue
        if entry.is_symlink() or not entry.is_dir():
            found.append(_submission(entry, PurePosixPath(entry.name), None, known))
        else:
            found += _in_learners_folder(entry, known)
    return found


def _in_learners_folder(folder: Path, known: frozenset[str]) -> list[Submission]:
    owner = owner_by_folder(folder.name, known)
    notebooks, too_deep = _notebooks(folder)
    if len(notebooks) > MAX_NOTEBOOKS:
        problem = f"more than {MAX_NOTEBOOKS} notebooks in this folder; leave the one that counts"
        return [_made(owner, folder.name, folder, problem)]
    if not notebooks:
        problem = "no notebook in this folder"
        if too_deep:
            problem += f", or more than {MAX_DEPTH} folders deep"
        return [_made(owner, folder.name, folder, problem)]
    return [
        _submission(path, PurePosixPath(folder.name, path.relative_to(folder).as_posix()), owner, known)
        for path in sorted(notebooks)
    ]


def _notebooks(folder: Path) -> tuple[list[Path], bool]:
    """The notebooks below a folder, and whether some folders lie too deep to be looked into.

    Folders that are links are not entered; a notebook that is one is reported.
    """
    found: list[Path] = []
    waiting, too_deep, seen = [(folder, 0)], False, 0
    while waiting and len(found) <= MAX_NOTEBOOKS and seen < MANY_FILES:
        current, depth = waiting.pop()
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            seen += 1
            if entry.name in IGNORED:
                continue
            if entry.is_dir(follow_symlinks=False) and not entry.name.lower().endswith(".ipynb"):
                too_deep |= depth + 1 >= MAX_DEPTH
                if depth + 1 < MAX_DEPTH:
                    waiting.append((Path(entry.path), depth + 1))
            elif entry.name.lower().endswith(".ipynb"):
                found.append(Path(entry.path))
    return found, too_deep


def _submission(
    path: Path, relative: PurePosixPath, owner: Owner | None, known: frozenset[str]
) -> Submission:
    """``owner`` is None where the file's own name tells whose it is."""
    owner = owner or owner_by_file(relative.name, relative.stem, known)
    problem = ""
    try:
        found = path.lstat()
    except OSError as error:
        return _made(owner, str(relative), path, f"cannot be read ({error.strerror})")
    if stat.S_ISLNK(found.st_mode):
        problem = "a symbolic link, which is not followed"
    elif not stat.S_ISREG(found.st_mode):
        problem = "not a regular file"
    elif path.suffix.lower() == ".zip":
        problem = "a zip inside of the folder: unpack it, or name it as SUBMISSIONS if it holds the class"
    elif path.suffix.lower() != ".ipynb":
        problem = "not a notebook (.ipynb)"
    elif found.st_size > MAX_NOTEBOOK:
        problem = f"larger than {MAX_NOTEBOOK >> 20} MB; was output saved with it?"
    return _made(owner, str(relative), path, problem, _handed_in(path, found.st_mtime))


def _made(owner: Owner, file: str, path: Path, problem: str = "", when: float = 0.0) -> Submission:
    return Submission(
        file, owner.id, path, problem, name=owner.name, time=when, late=owner.late, doubt=owner.doubt
    )


def _handed_in(path: Path, changed: float) -> float:
    """The time in nbgrader's ``timestamp.txt`` beside a notebook, else when the file was last changed."""
    try:
        text = (path.parent / "timestamp.txt").read_text(encoding="utf-8")[:60].strip()
        return datetime.fromisoformat(text.removesuffix(" UTC").strip()).timestamp()
    except (OSError, ValueError, OverflowError):
        return changed


def _choose(found: Sequence[Submission], notebook: str) -> list[Submission]:
    """The same submissions, with one that counts for each owner."""
    by_owner: dict[str, list[Submission]] = {}
    for one in found:
        by_owner.setdefault(one.id, []).append(one)
    chosen = {id: _counting(theirs, notebook) for id, theirs in by_owner.items()}
    return [
        replace(one, others=len(by_owner[one.id]) - 1)
        if one is chosen[one.id]
        else replace(one, counts=False, instead=chosen[one.id].file, others=len(by_owner[one.id]) - 1)
        for one in found
    ]


def _counting(theirs: Sequence[Submission], notebook: str) -> Submission:
    """The one that counts: among notebooks rather than other files, and called as it should be if one is."""
    called = [one for one in theirs if notebook and _is_called(one.file, notebook)]
    able = [one for one in called or theirs if not one.problem]
    return max(able or called or theirs, key=lambda one: (one.time, _numbers(one.file), one.file))


def _is_called(file: str, notebook: str) -> bool:
    """Whether a file has this name, apart from what a course system put before or behind it."""
    name, wanted = PurePosixPath(file).name.lower(), notebook.lower()
    stem, dot, suffix = wanted.rpartition(".")
    again = (
        f"{stem}-*{dot}{suffix}" if dot else wanted
    )  # Canvas: work-1.ipynb is the second try at work.ipynb
    return any(fnmatch.fnmatchcase(name, one) for one in (wanted, f"*_{wanted}", f"*_{again}"))


def _numbers(file: str) -> list[int]:
    """Of two files of one time the one with the higher number is the newer: Canvas counts uploads."""
    return [int(digits[:18]) for digits in re.findall(r"\d+", PurePosixPath(file).name)]
