"""Hand submissions to a Dask cluster, for classes too big for one machine.

Every machine of the cluster needs attnbook at the same version and the same kind of sandbox. A submission
whose machine dies is graded again on another: Dask keeps the task and this side keeps the notebook.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from attnbook.extras import needs
from attnbook.grading.batch import Plan, failed_row, grade_one
from attnbook.grading.pool import CannotStart, Pool
from attnbook.grading.reading import read_submission
from attnbook.grading.submissions import Submission


def on_cluster(address: str) -> Callable:
    """A way to grade for ``grade_batch``: on the cluster whose scheduler listens at ``address``.

    Raises
    ------
    ValueError
        If no scheduler answers.
    attnbook.extras.MissingExtra
        If Dask is not installed.
    """
    with needs("cluster"):
        from distributed import Client, as_completed
    try:
        client = Client(address, timeout=20, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise ValueError(f"--cluster: no scheduler answers at {address} ({type(error).__name__})") from None

    def work(waiting: Sequence[Submission], plan: Plan) -> Iterator[tuple[Submission, dict[str, Any]]]:
        with client, client.as_current():
            ids = tuple(exercise.id for exercise in plan.exercises)
            running = {
                client.submit(
                    _grade_there, one, _content(one), ids, replace(plan, exercises=()), pure=False, retries=3
                ): one
                for one in waiting
            }
            for done in as_completed(running):
                submission = running.pop(done)
                try:
                    row = done.result()
                except CannotStart:
                    raise
                except Exception as error:  # it took several machines with it, say
                    row = failed_row(submission, plan, error)
                yield submission, row

    return work


def _content(submission: Submission) -> bytes | None:
    if submission.problem:
        return None
    try:
        return read_submission(submission.path)
    except OSError:
        return None


def _grade_there(
    submission: Submission, content: bytes | None, ids: tuple[str, ...], plan: Plan
) -> dict[str, Any]:
    """On a machine of the cluster: one submission, in a sandbox of its own."""
    from attnbook.exercises.registry import exercise

    plan = replace(plan, exercises=tuple(exercise(id) for id in ids))
    with tempfile.TemporaryDirectory() as folder, Pool(plan.sandbox, plan.limits, ahead=1) as pool:
        if content is not None:
            path = Path(folder) / "submission.ipynb"
            path.write_bytes(content)
            submission = replace(submission, path=path)
        return grade_one(submission, plan, pool)
