"""``attnbook grade``: from a folder of notebooks to grades."""

from __future__ import annotations

import argparse
import importlib.util
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from attnbook.exercises.registry import exercise, exercises
from attnbook.exercises.spec import Exercise, validate
from attnbook.extras import needs
from attnbook.grading import archive, batch, gradebooks, reports, sandbox, seccomp, submissions
from attnbook.grading.limits import Limits
from attnbook.grading.pool import GROUPED, CannotStart, Forked, Pool
from attnbook.grading.roster import Roster, read_roster

with needs("grading"):
    from filelock import FileLock, Timeout


def add_parser(subparsers) -> None:
    """The command's options."""
    parser = subparsers.add_parser("grade", help="grade a notebook, a folder of notebooks or a zip")
    parser.add_argument(
        "submissions", type=Path, nargs="?", metavar="SUBMISSIONS", help="a notebook, a folder or a zip"
    )
    parser.add_argument("--out", type=Path, metavar="GRADES", help="folder for the reports")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--chapter", type=int, help="grade all exercises of this chapter")
    which.add_argument("--exercises", help="grade these: numbers with commas, such as 2.1,2.4")
    which.add_argument("--specs", type=Path, help="grade the exercises of your own file of specs (Python)")
    which.add_argument(
        "--check", action="store_true", help="grade nothing, say how learners' code would be shut in here"
    )
    parser.add_argument("--seed-file", type=Path, help="secret text from which hidden inputs are drawn")
    parser.add_argument("--jobs", type=int, default=processors(), help="submissions at a time")
    parser.add_argument("--roster", type=Path, help="table of the course's people with a column id")
    parser.add_argument("--title", default=None, help="the assignment's name in the grade book")
    parser.add_argument(
        "--notebook",
        default="",
        metavar="NAME",
        help="of several notebooks of one person the one called NAME counts",
    )
    parser.add_argument("--cluster", metavar="ADDRESS", help="a Dask scheduler that hands the work out")
    parser.add_argument(
        "--gradescope",
        type=Path,
        metavar="DIR",
        help="grade nothing, write DIR/autograder.zip for Gradescope",
    )
    parser.add_argument("--image", default="", help="container image, where docker or podman is the sandbox")
    parser.add_argument("--unsafe", action="store_true", help="grade without isolation; stamps every row")
    parser.add_argument("--cell-seconds", type=float, default=Limits.cell, help="time for one cell")
    parser.add_argument("--submission-seconds", type=float, default=Limits.submission, help="for all of it")
    parser.set_defaults(function=run)


def processors() -> int:
    """How many of this machine's processors the grader may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
    """Grade and report; 0 when every submission has its row, 1 when the grader failed on one.

    Raises
    ------
    ValueError
        If the options do not fit, or no sandbox works here.
    """
    limits = Limits(cell=arguments.cell_seconds, submission=arguments.submission_seconds)
    if arguments.check:
        return check(arguments, limits)
    if arguments.gradescope is not None:
        return write_autograder(arguments, limits)
    if arguments.submissions is None or arguments.out is None:
        missing = "SUBMISSIONS" if arguments.submissions is None else "--out"
        raise ValueError(f"{missing}: name the submissions, and with --out a folder for the reports")
    if arguments.jobs < 1:
        raise ValueError(f"--jobs: expected at least 1, got {arguments.jobs}")
    if arguments.cluster and arguments.specs:
        raise ValueError("--cluster: machines of a cluster know the package's exercises only, not --specs")
    out: Path = arguments.out
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out: {out} is a file; name a folder")
    if arguments.submissions.is_dir() and out.resolve().is_relative_to(arguments.submissions.resolve()):
        raise ValueError(f"--out: {out} lies among the submissions; name a folder beside them")
    chosen = chosen_exercises(arguments)
    roster = read_roster(arguments.roster) if arguments.roster else None
    box = sandbox.choose(unsafe=arguments.unsafe, image=arguments.image)
    plan = batch.Plan(exercises=chosen, secret="", limits=limits, sandbox=box)
    if plan.sandbox.kind == "bubblewrap":
        given = [arguments.submissions, arguments.seed_file, arguments.specs, arguments.roster]
        keep_out_of_reach([out, *given])
    out.mkdir(parents=True, exist_ok=True)
    with alone_in(out):
        return grade_into(out, plan, arguments, roster)


def check(arguments: argparse.Namespace, limits: Limits) -> int:
    """Start one worker, and say what holds it."""
    box = sandbox.choose(unsafe=arguments.unsafe, image=arguments.image)
    with Pool(box, limits) as pool:
        worker = pool.take()
        group = worker.group
        pool.give_back(worker)
    if group is not None:
        holder = f"held by the kernel in a control group (version {group.version})"
    elif box.kind in ("docker", "podman"):
        holder = "held by the engine"
    else:
        holder = "looked at four times a second, since no control group can be made here"
    print(f"isolation: {sandbox.describe(box)}")
    if isinstance(worker, Forked):
        print("each submission: a sandbox inside a sandbox, forked from a process that has imported torch")
    else:
        print("each submission: a process started for it, which imports torch by itself")
    print(f"memory of one submission: {limits.memory / 2**30:g} GB, {holder}")
    filtered = box.kind in GROUPED and seccomp.program() is not None
    print(f"system calls: {'filtered' if filtered else 'as the system has them'}")
    print(f"submissions at a time: {arguments.jobs}")
    return 0


def write_autograder(arguments: argparse.Namespace, limits: Limits) -> int:
    """The zip for Gradescope."""
    from attnbook.grading import gradescope

    chosen = chosen_exercises(arguments)
    folder: Path = arguments.gradescope
    secret = batch.stored_secret(folder, arguments.seed_file)
    ids = [exercise.id for exercise in chosen]
    path = gradescope.make_zip(folder, ids, secret, limits, arguments.notebook, arguments.specs)
    points = sum(exercise.points for exercise in chosen)
    print(f"{path}: {len(ids)} exercises, {points} points; who has this file can compute the hidden inputs")
    return 0


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


def grade_into(out: Path, plan: batch.Plan, arguments: argparse.Namespace, roster: Roster | None) -> int:
    """Grade into a folder that is ours alone."""
    scratch = out / "work"
    found = submissions.find(arguments.submissions, scratch, arguments.notebook, roster)
    plan = replace(plan, secret=batch.stored_secret(out, arguments.seed_file))
    grade = None
    if arguments.cluster:
        from attnbook.grading.cluster import on_cluster

        grade = on_cluster(arguments.cluster)
    try:
        with stoppable():
            rows = batch.grade_batch(found, plan, out, arguments.jobs, grade)
    except CannotStart as error:
        raise ValueError(f"{error}; is torch installed for this Python, and memory left?") from None
    rows = [reports.described(row, submission) for row, submission in zip(rows, found, strict=True)]
    title = arguments.title or (
        f"Chapter {arguments.chapter}" if arguments.chapter is not None else "Exercises"
    )
    rows = reports.write_all(rows, out, title, roster)
    archive.remove(scratch / "unpacked")
    other = gradebooks.other_maximum(rows, roster)
    for warning in [*(roster.warnings if roster else []), *([other] if other else []), *about(found, rows)]:
        print(f"attnbook: {warning}", file=sys.stderr)
    print(summary(rows, out))
    return 1 if any(row["status"].startswith(batch.NOT_GRADED) for row in rows) else 0


def summary(rows: list[dict[str, Any]], out: Path) -> str:
    """One line: what a run came to."""
    parts = [
        f"{len(rows)} files, {len(rows)} rows",
        f"{sum(row['status'] == 'graded' for row in rows)} graded whole",
    ]
    aside = sum(not row["counts"] for row in rows)
    without = sum(row["counts"] and row["points"] is None for row in rows)
    if aside:
        parts.append(f"{aside} left aside since another notebook of the same person counts")
    if without:
        parts.append(f"{without} without a mark")
    parts.append(f"{sum(bool(row['flags']) for row in rows)} flagged")
    return f"{', '.join(parts)}: {out}/grades.csv"


def about(found: list[submissions.Submission], rows: list[dict[str, Any]]) -> list[str]:
    """What an instructor should not overlook, a sentence each."""
    sentences = []
    failed = sum(row["status"].startswith(batch.NOT_GRADED) for row in rows)
    if failed:
        sentences.append(
            f"THE GRADER FAILED ON {failed} OF {len(rows)} FILES. They have no mark and stand in no grade "
            "book; see their status in grades.csv, and call the same command again to try them once more"
        )
    if len(found) > 2 and len({one.id for one in found}) == 1:
        sentences.append(
            f"all {len(found)} files seem to be those of one person, {found[0].id}: if they are not, name "
            "the folder that holds one file or folder a person"
        )
    return sentences
