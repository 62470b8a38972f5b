"""Mark one submission: the judge's side of a session."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from attnbook.exercises import judge
from attnbook.exercises.spec import Exercise
from attnbook.grading import flags
from attnbook.grading.limits import Limits
from attnbook.grading.notebook import Code, look_through
from attnbook.grading.pool import Pool
from attnbook.grading.replies import cleaned
from attnbook.grading.session import Exhausted, Session
from attnbook.grading.submissions import Submission
from attnbook.grading.telling import sentences


@dataclass
class Mark:
    """What one exercise earned, and what the learner reads about it."""

    id: str
    title: str
    points: float
    possible: int
    feedback: list[str]
    named: list[dict[str, str]] = field(default_factory=list)


@dataclass
class Row:
    """One submission's result; ``asdict`` of it is what is stored.

    Attributes
    ----------
    status : str
        ``graded``, or why it was not: one sentence.
    points : float or None
        None where there is no mark: that is not the same as none earned.
    content : str
        A digest of the bytes that were graded, or empty.
    starved : bool
        Something took too long while it waited for a processor: it deserves another try on a quiet machine.
    """

    file: str
    id: str
    status: str
    points: float | None
    possible: int
    marks: list[Mark]
    flags: list[str]
    cells: list[dict[str, Any]]
    isolation: str
    fingerprint: str
    seconds: float
    content: str = ""
    starved: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def exercise_seed(secret: str, exercise: str) -> int:
    """The seed of an exercise's hidden inputs: from the secret, so that nobody without it can foresee them.

    The same for all submissions of a run, so that all meet the same inputs.
    """
    return int.from_bytes(hashlib.sha256(f"{secret}/{exercise}".encode()).digest()[:7], "big")


def mark(
    submission: Submission,
    exercises: Sequence[Exercise],
    secret: str,
    pool: Pool,
    limits: Limits,
    isolation: str,
) -> Row:
    """Grade one submission. Whatever is wrong with it ends up in its row.

    Raises
    ------
    CannotStart
        If no worker starts on this machine: that is nobody's mistake, and no row is made of it.
    """
    started = time.monotonic()
    possible = sum(exercise.points for exercise in exercises)

    code = Code()

    def row(status: str, marks=None, cells=(), starved=False) -> Row:
        return Row(
            file=submission.file,
            id=submission.id,
            status=status,
            points=None if marks is None else round(sum(one.points for one in marks), 2),
            possible=possible,
            marks=list(marks or ()),
            flags=[*code.flags, *([f"isolation={isolation}"] if isolation.startswith("none") else [])],
            cells=list(cells),
            isolation=isolation,
            fingerprint=code.fingerprint,
            seconds=round(time.monotonic() - started, 3),
            content=code.content,
            starved=starved,
        )

    if submission.problem:
        return row(submission.problem)
    code = look_through(Path(submission.path), flags.looked_for(exercises))
    if code.problem:
        return row(f"unreadable: {code.problem}")
    with Session(pool, code.cells, limits) as session:
        status = "graded"
        try:
            session.run_cells()
        except Exhausted as reason:
            status = f"graded in part: {reason}"
        marks = [_mark(exercise, session, secret) for exercise in exercises]
        reports = [asdict(report) for _, report in sorted(session.reports.items())]
    return row(status, marks, reports, session.starved)


def _mark(exercise: Exercise, session: Session, secret: str) -> Mark:
    cases = exercise.make_cases(exercise_seed(secret, exercise.id))
    requests = [exercise.request(case) for case in cases]
    replies, ended = session.ask(exercise.name, requests, exercise.time_limit)
    try:
        clean = [cleaned(reply, case) for reply, case in zip(replies, cases, strict=False)]
        if ended:
            clean.append({"status": "timeout"})
        verdict = judge.judge(exercise, cases, clean)
        reports = [asdict(report) for _, report in sorted(session.reports.items())]
        feedback = sentences(exercise, verdict, replies, ended, reports)
    except Exception as error:  # a reply that the judge did not expect must not stop the batch
        text = f"What came back could not be judged ({type(error).__name__})."
        return Mark(exercise.id, exercise.title, 0.0, exercise.points, [text])
    return Mark(
        exercise.id,
        exercise.title,
        round(exercise.points * verdict.credit, 2),
        exercise.points,
        feedback,
        verdict.named[:3] if isinstance(verdict, judge.Failed) else [],
    )
