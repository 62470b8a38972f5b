"""Hand submissions to a Dask cluster, for classes too big for one machine.

Every machine of the cluster needs attnbook at the same version and the same kind of sandbox. A submission
whose machine dies is graded again on another: Dask keeps the task and this side keeps the notebook. When
no machine is left for a while, or the scheduler is lost, the run ends with a sentence: what was graded is
kept, and nothing is made of the rest.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from attnbook.extras import needs
from attnbook.grading.batch import Plan, failed_row, grade_one
from attnbook.grading.pool import CannotStart, Pool
from attnbook.grading.reading import read_submission
from attnbook.grading.submissions import Submission

PATIENCE = 300.0  # seconds to wait for a machine while none is there
LOOK = 5.0  # seconds between two looks at the machines
UNANSWERED = (OSError, TimeoutError, ValueError)  # what Dask raises where no scheduler is
STEP = 0.05  # seconds between two looks at what is done


def on_cluster(address: str, patience: float = PATIENCE) -> Callable:
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

    def connected() -> Any:
        return Client(address, timeout=20, set_as_default=False)

    try:
        connected().close()
    except UNANSWERED as error:
        raise ValueError(f"--cluster: no scheduler answers at {address} ({type(error).__name__})") from None

    def work(waiting: Sequence[Submission], plan: Plan) -> Iterator[tuple[Submission, dict[str, Any]]]:
        if not waiting:
            return
        try:
            client = connected()
        except UNANSWERED:
            raise ClusterLost(_lost(address)) from None
        with client, client.as_current():
            ids = tuple(exercise.id for exercise in plan.exercises)
            running = {
                client.submit(
                    _grade_there, one, _content(one), ids, replace(plan, exercises=()), pure=False, retries=3
                ): one
                for one in waiting
            }
            finished = as_completed(running)
            while running:
                done = _next(finished, client, address, patience)
                submission = running.pop(done)
                try:
                    row = done.result()
                except CannotStart:
                    raise
                except Exception as error:  # it took several machines with it, say
                    if client.status != "running" or done.status == "cancelled":
                        raise ClusterLost(_lost(address)) from None
                    row = failed_row(submission, plan, error)
                yield submission, row

    return work


class ClusterLost(ValueError):
    """The cluster is gone; what was graded is kept."""


def _lost(address: str) -> str:
    return (
        f"--cluster: the scheduler at {address} was lost; what was graded is kept. "
        "Start it and its workers again, and call the same command"
    )


def _next(finished: Any, client: Any, address: str, patience: float) -> Any:
    """The next submission that is done; says so while no machine is there to work.

    Raises
    ------
    ClusterLost
        If the scheduler is gone, or no machine came for so long.
    """
    alone_since, said = None, False
    while True:
        until = time.monotonic() + LOOK
        while True:  # not `next(…)`, which waits for as long as it takes
            if finished.has_ready():
                return next(finished)
            if finished.is_empty():  # all futures were cancelled
                raise ClusterLost(_lost(address))
            if time.monotonic() >= until:
                break
            time.sleep(STEP)
        if client.status != "running":
            raise ClusterLost(_lost(address))
        if _machines(client):
            alone_since, said = None, False
            continue
        alone_since = alone_since or time.monotonic()
        if time.monotonic() - alone_since > patience:
            raise ClusterLost(
                f"--cluster: no worker was there for {patience:g} seconds; what was graded is kept. "
                "Start workers, and call the same command again"
            )
        if not said:
            print(
                f"attnbook: the cluster has no worker left; waiting {patience:g} seconds for one",
                file=sys.stderr,
            )
            said = True


def _machines(client: Any) -> int:
    """How many workers there are now."""
    try:
        return len(client.scheduler_info(n_workers=-1)["workers"])
    except TypeError:  # older versions take no number, and give all
        return len(client.scheduler_info()["workers"])
    except (OSError, KeyError, AttributeError):
        return 0


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
