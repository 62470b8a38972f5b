"""Grade a whole batch: in parallel, resumable, one row for every file whatever is in it."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from tqdm import tqdm

from attnbook.exercises.spec import Exercise
from attnbook.grading.limits import Limits
from attnbook.grading.marks import Row, mark
from attnbook.grading.notebook import digest
from attnbook.grading.pool import CannotStart, Pool
from attnbook.grading.reading import read_submission
from attnbook.grading.reports import write_atomically
from attnbook.grading.sandbox import Sandbox, describe
from attnbook.grading.submissions import Submission

NOT_GRADED = "not graded"  # how the status of a row begins when the grader itself failed
LEFT_ASIDE = "left aside"  # and when another file of the same person counts
_KEYS = {field.name for field in fields(Row)}
_code_of_none = (lambda: None).__code__


@dataclass(frozen=True)
class Plan:
    """How to grade: the same for every submission of a run."""

    exercises: tuple[Exercise, ...]
    secret: str
    limits: Limits
    sandbox: Sandbox

    def digest(self) -> str:
        """Changes with anything that changes a mark; stored results of another plan are not reused.

        The code that marks counts, and so does the file that an exercise comes from.
        """
        described = [
            (one.id, one.points, one.name, one.task, getattr(one, "tolerance", None))
            for one in self.exercises
        ]
        text = json.dumps([described, self.secret, repr(self.limits), describe(self.sandbox)])
        digest = hashlib.sha256(text.encode())
        package = Path(__file__).resolve().parent.parent
        files = {
            path for room in ("exercises", "worker", "grading") for path in package.glob(f"{room}/**/*.py")
        }
        for one in self.exercises:
            files.add(Path(getattr(one.reference, "__code__", _code_of_none).co_filename))
        for path in sorted(files):
            digest.update(path.read_bytes() if path.is_file() else b"")
        return digest.hexdigest()


def stored_secret(out: Path, seed_file: Path | None) -> str:
    """The run's secret: the seed file's text, or a random one kept in ``out`` so that a run can resume.

    Raises
    ------
    ValueError
        If the seed file cannot be read or is empty.
    """
    if seed_file is not None:
        try:
            text = seed_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"--seed-file: {seed_file} cannot be read ({error})") from None
        if not text:
            raise ValueError(f"--seed-file: {seed_file} is empty; put any long random text into it")
        return text
    kept = out / "work" / "seed"
    kept.parent.mkdir(parents=True, exist_ok=True)
    try:  # O_EXCL: of two runs that begin together one makes it, and it is never readable by others
        descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        text = kept.read_text(encoding="utf-8").strip()
        if not text:
            raise ValueError(
                f"{kept} is empty, and inputs could be foreseen; delete it and grade again"
            ) from None
        return text
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(text := secrets.token_hex(16))
        opened.flush()
        os.fsync(descriptor)
    return text


def grade_batch(
    submissions: Sequence[Submission], plan: Plan, out: Path, jobs: int = 1, grade: Callable | None = None
) -> list[dict[str, Any]]:
    """A row for each submission, in their order.

    Each row is stored as soon as it is known, under the content that was graded; a run that was
    interrupted, even by ``kill -9``, reads the stored ones and grades the rest. A submission whose file
    changed is graded again, also if it did so while the batch ran. What took too long because the machine
    was busy is tried once more at the end, alone. A row that cannot be stored costs itself.

    Parameters
    ----------
    submissions : sequence of Submission
    plan : Plan
    out : Path
        ``out/work`` holds the stored rows.
    jobs : int
        Submissions at a time on this machine.
    grade : callable, optional
        ``grade(submissions, plan)`` yields ``(submission, row)``: another way to do the work, such as a
        cluster. It is called again with one submission for each second try.
    """
    plan_digest = plan.digest()
    rows: dict[str, dict[str, Any]] = {}
    waiting = []
    for submission in submissions:
        row = left_aside(submission, plan) if not submission.counts else None
        row = row or _read(_place(out, submission.file, content_of(submission), plan_digest), submission)
        if row is None:
            waiting.append(submission)
        else:
            rows[submission.file] = row
    work = (grade or _here(jobs))(waiting, plan)
    with tqdm(total=len(submissions), initial=len(rows), desc="grading", unit="file") as bar:
        for submission, row in work:
            if row.get("starved"):
                rows[submission.file] = row  # not its last word
            else:
                rows[submission.file] = _store(row, out, submission, plan, plan_digest)
            bar.update()
    alone = grade or _here(1)
    for submission in [one for one in waiting if rows[one.file]["starved"]]:
        for _, row in alone([submission], plan):  # one at a time, on a cluster too
            rows[submission.file] = _store(row, out, submission, plan, plan_digest)
    return [rows[submission.file] for submission in submissions]


def _store(
    row: dict[str, Any], out: Path, submission: Submission, plan: Plan, plan_digest: str
) -> dict[str, Any]:
    """Keep a row for the next run, and return it; or the row that says why it cannot be kept."""
    if row["status"].startswith(NOT_GRADED):  # our own fault: the next run tries again
        return row
    try:
        text = json.dumps(row, allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return failed_row(submission, plan, error)
    write_atomically(_place(out, submission.file, row["content"], plan_digest), text)
    return row


def left_aside(submission: Submission, plan: Plan) -> dict[str, Any]:
    """The row of a file that does not count, since another one of the same person does."""
    return _row_without_marks(submission, plan, f"{LEFT_ASIDE}: {submission.instead} counts")


def _here(jobs: int) -> Callable:
    """Grade on this machine, ``jobs`` at a time."""

    def work(waiting: Sequence[Submission], plan: Plan) -> Iterator[tuple[Submission, dict[str, Any]]]:
        if not waiting:
            return
        # Importing torch takes far longer than grading: two workers start ahead even for one at a time.
        ahead = max(jobs, min(2, len(waiting)))
        with Pool(plan.sandbox, plan.limits, ahead=ahead) as pool, ThreadPoolExecutor(jobs) as threads:
            running = {threads.submit(grade_one, one, plan, pool): one for one in waiting}
            try:
                for done in as_completed(running):
                    yield running.pop(done), done.result()
            except BaseException:
                threads.shutdown(wait=False, cancel_futures=True)
                pool.stop()  # or the threads would wait for cells that may run for minutes
                raise

    return work


def grade_one(submission: Submission, plan: Plan, pool: Pool) -> dict[str, Any]:
    """One row, whatever happens; only a machine on which no worker starts stops a batch."""
    isolation = describe(plan.sandbox)
    try:
        return mark(submission, plan.exercises, plan.secret, pool, plan.limits, isolation).as_json()
    except CannotStart:
        raise
    except Exception as error:
        return failed_row(submission, plan, error)


def failed_row(submission: Submission, plan: Plan, error: Exception) -> dict[str, Any]:
    """The row of a submission on which the grader itself failed. Not stored: the next run tries again."""
    reason = f"{NOT_GRADED}: {type(error).__name__} in the grader; please report it"
    return _row_without_marks(submission, plan, reason)


def _row_without_marks(submission: Submission, plan: Plan, status: str) -> dict[str, Any]:
    possible = sum(exercise.points for exercise in plan.exercises)
    isolation = describe(plan.sandbox)
    return Row(
        submission.file, submission.id, status, None, possible, [], [], [], isolation, "", 0.0
    ).as_json()


def content_of(submission: Submission) -> str:
    """The digest of what would be graded now; empty where nothing can be read."""
    if submission.problem:
        return ""
    try:
        return digest(read_submission(submission.path))
    except OSError:
        return ""


def _place(out: Path, file: str, content: str, plan_digest: str) -> Path:
    name = hashlib.sha256(f"{plan_digest}\0{file}\0{content}".encode("utf-8", "surrogateescape"))
    return out / "work" / "rows" / f"{name.hexdigest()}.json"


def _read(path: Path, submission: Submission) -> dict[str, Any] | None:
    """A stored row, or None if there is none that can be used."""
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(row, dict) or row.get("file") != submission.file or row.keys() != _KEYS:
        return None
    return row
