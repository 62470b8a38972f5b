"""``attnbook grade``: from a folder of notebooks to grades."""

from __future__ import annotations

import argparse
import csv
import importlib.util
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attnbook.exercises.registry import exercise, exercises
from attnbook.exercises.spec import Exercise, validate
from attnbook.extras import needs
from attnbook.grading import batch, reports, sandbox, submissions
from attnbook.grading.limits import Limits
from attnbook.grading.pool import CannotStart

with needs("grading"):
    from filelock import FileLock, Timeout


def add_parser(subparsers) -> None:
    """The command's options."""
    parser = subparsers.add_parser("grade", help="grade a notebook, a folder of notebooks or a zip")
    parser.add_argument("submissions", type=Path, metavar="SUBMISSIONS", help="a notebook, a folder or a zip")
    parser.add_argument("--out", type=Path, required=True, metavar="GRADES", help="folder for the reports")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--chapter", type=int, help="grade all exercises of this chapter")
    which.add_argument("--exercises", help="grade these: numbers with commas, such as 2.1,2.4")
    which.add_argument("--specs", type=Path, help="grade the exercises of your own file of specs (Python)")
    parser.add_argument("--seed-file", type=Path, help="secret text from which hidden inputs are drawn")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="submissions at a time")
    parser.add_argument(
        "--roster", type=Path, help="CSV with the column id; name, canvas_id, sis_id, section"
    )
    parser.add_argument("--title", default=None, help="the assignment's name in Canvas")
    parser.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler that hands the work out")
    parser.add_argument("--image", default="", help="container image, where docker or podman is the sandbox")
    parser.add_argument("--unsafe", action="store_true", help="grade without isolation; stamps every row")
    parser.add_argument("--cell-seconds", type=float, default=Limits.cell, help="time for one cell")
    parser.add_argument("--submission-seconds", type=float, default=Limits.submission, help="for all of it")
    parser.set_defaults(function=run)


def chosen_exercises(arguments: argparse.Namespace) -> tuple[Exercise, ...]:
    """The exercises that the options name.

    Raises
    ------
    ValueError
        If there are none.
    """
    if arguments.specs is not None:
        return own_specs(arguments.specs)
    if arguments.chapter is not None:
        found = tuple(exercises(arguments.chapter))
        if not found:
            there = sorted({one.chapter for one in exercises()})
            raise ValueError(f"--chapter: no exercises for {arguments.chapter}; there are some for {there}")
        return found
    try:
        numbers = dict.fromkeys(number.strip() for number in arguments.exercises.split(","))
        return tuple(exercise(number) for number in numbers)
    except KeyError as error:
        raise ValueError(f"--exercises: {error.args[0]}") from None


def own_specs(path: Path) -> tuple[Exercise, ...]:
    """The list ``EXERCISES`` of an instructor's own Python file, in the form of the package's own.

    Raises
    ------
    ValueError
        If the file cannot be run, holds no such list, or an exercise in it has a fault; a line a fault.
    """
    if not path.is_file():
        raise ValueError(f"--specs: {path} is not there")
    specification = importlib.util.spec_from_file_location("attnbook_own_specs", path)
    if specification is None or specification.loader is None:
        raise ValueError(f"--specs: {path} is no Python file; name one that ends in .py")
    module = importlib.util.module_from_spec(specification)
    try:
        specification.loader.exec_module(module)
    except Exception as error:
        raise ValueError(f"--specs: {path} does not run ({type(error).__name__}: {error})") from None
    found = getattr(module, "EXERCISES", None)
    if not found or not all(isinstance(one, Exercise) for one in found):
        raise ValueError(f"--specs: {path} holds no list EXERCISES of attnbook.exercises.spec.Exercise")
    for what in ("id", "name"):
        values = [getattr(one, what) for one in found]
        twice = sorted({value for value in values if values.count(value) > 1})
        if twice:
            raise ValueError(f"--specs: {path} has two exercises with the {what} {twice[0]!r}")
    problems = [problem for one in found for problem in validate(one)]
    if problems:
        raise ValueError("\n".join(f"--specs: {path}: {problem}" for problem in problems))
    return tuple(found)


def read_roster(path: Path) -> list[dict[str, str]]:
    """The people of a course.

    Raises
    ------
    ValueError
        If the file cannot be read or has no column ``id``.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as opened:
            rows = [dict(row) for row in csv.DictReader(opened)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"--roster: {path} cannot be read ({error})") from None
    if not rows or "id" not in rows[0]:
        raise ValueError(f"--roster: {path} needs a first line with the column id, and a line a person")
    people = []
    for number, row in enumerate(rows, start=2):
        person = {key: value.strip() for key, value in row.items() if key and isinstance(value, str)}
        if not any(person.values()):
            continue
        if not person.get("id"):
            raise ValueError(f"--roster: {path}, line {number} has no id")
        people.append(person)
    return people


def keep_out_of_reach(paths: list[Path | None]) -> None:
    """Refuse to grade where learners' code may read: the box shows it Python's own folders.

    Raises
    ------
    ValueError
        If one of the paths lies there, as it does when an environment was made in the course's folder.
    """
    for path in paths:
        if path is not None and sandbox.readable(path):
            raise ValueError(
                f"{path} lies in a folder of Python or of the system, which learners' code may read; "
                "move it elsewhere"
            )


@contextmanager
def stoppable() -> Iterator[None]:
    """Being told to end (SIGTERM) is like Ctrl-C: workers are ended, what was graded is kept."""

    def stop(*_):
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def run(arguments: argparse.Namespace) -> int:
    """Grade and report; 0 when every submission has its row.

    Raises
    ------
    ValueError
        If the options do not fit, or no sandbox works here.
    """
    if arguments.jobs < 1:
        raise ValueError(f"--jobs: expected at least 1, got {arguments.jobs}")
    if arguments.cluster and arguments.specs:
        raise ValueError("--cluster: machines of a cluster know the package's exercises only, not --specs")
    out: Path = arguments.out
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out: {out} is a file; name a folder")
    chosen = chosen_exercises(arguments)
    roster = read_roster(arguments.roster) if arguments.roster else None
    plan = batch.Plan(
        exercises=chosen,
        secret="",
        limits=Limits(cell=arguments.cell_seconds, submission=arguments.submission_seconds),
        sandbox=sandbox.choose(unsafe=arguments.unsafe, image=arguments.image),
    )
    if plan.sandbox.kind == "bubblewrap":
        given = [arguments.submissions, arguments.seed_file, arguments.specs, arguments.roster]
        keep_out_of_reach([out, *given])
    out.mkdir(parents=True, exist_ok=True)
    with alone_in(out):
        return grade_into(out, plan, arguments, roster)


@contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it when this process ends, however it ends.

    Raises
    ------
    ValueError
        If another run holds it.
    """
    (out / "work").mkdir(exist_ok=True)
    try:
        with FileLock(out / "work" / "lock", timeout=0):
            yield
    except Timeout:
        raise ValueError(
            f"--out: another run grades into {out}; wait for it, or name another folder"
        ) from None


def grade_into(
    out: Path, plan: batch.Plan, arguments: argparse.Namespace, roster: list[dict[str, str]] | None
) -> int:
    """Grade into a folder that is ours alone."""
    scratch = out / "work"
    found = submissions.find(arguments.submissions, scratch)
    plan = batch.Plan(
        plan.exercises, batch.stored_secret(out, arguments.seed_file), plan.limits, plan.sandbox
    )
    grade = None
    if arguments.cluster:
        from attnbook.grading.cluster import on_cluster

        grade = on_cluster(arguments.cluster)
    try:
        with stoppable():
            rows = batch.grade_batch(found, plan, out, arguments.jobs, grade)
    except CannotStart as error:
        raise ValueError(f"{error}; is torch installed for this Python, and memory left?") from None
    title = arguments.title or (f"Chapter {arguments.chapter}" if arguments.chapter else "Exercises")
    reports.write_all(rows, out, title, roster)
    shutil.rmtree(scratch / "unpacked", ignore_errors=True)
    graded = sum(row["status"] == "graded" for row in rows)
    flagged = sum(bool(row["flags"]) for row in rows)
    print(f"{len(found)} files, {len(rows)} rows, {graded} graded whole, {flagged} flagged: {out}/grades.csv")
    return 0
