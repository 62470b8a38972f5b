"""``score``: the points of one notebook, by the same runner and judge that give marks.

For learners who want to see where they stand, offline. It isolates nothing: the notebook's code runs as the
person who calls ``score``, with all their rights. ``attnbook grade`` is for marks.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from attnbook.exercises.registry import exercises
from attnbook.exercises.spec import Exercise
from attnbook.grading.limits import Limits
from attnbook.grading.marks import mark
from attnbook.grading.notebook import Unreadable, code_cells
from attnbook.grading.pool import CannotStart, Pool
from attnbook.grading.sandbox import Sandbox
from attnbook.grading.submissions import Submission

CHECKED = re.compile(r"""\b(?:check|hint)\(\s*["'](\d{1,2})\.\d{1,2}["']""")


@dataclass
class Line:
    """One exercise's row: points reached, and a sentence when they are not all there."""

    id: str
    title: str
    points: float
    of: int
    remark: str = ""


@dataclass
class Score:
    """The points of a notebook."""

    lines: list[Line] = field(default_factory=list)
    problem: str = ""

    @property
    def points(self) -> float:
        """Points reached."""
        return sum(line.points for line in self.lines)

    @property
    def of(self) -> int:
        """Points that could be reached."""
        return sum(line.of for line in self.lines)

    def __str__(self) -> str:
        if not self.lines:
            return self.problem
        rows = [
            f"{line.id:<5} {line.title[:44]:<44} {line.points:>4g} of {line.of:<2} {line.remark}".rstrip()
            for line in self.lines
        ]
        total = f"{'':<5} {'all':<44} {self.points:>4g} of {self.of}"
        tail = [self.problem] if self.problem else []
        return "\n".join([*rows, total, *tail, "Grading also tries unseen inputs."])

    __repr__ = __str__


def score(notebook: str | os.PathLike[str], seed: int = 0, limit: float = Limits.submission) -> Score:
    """Run a notebook as ``attnbook grade`` does, and judge every exercise of its chapter.

    Answers are found by the names that the exercises ask for, whatever cells they stand in. A cell that
    raises, or takes longer than a minute, is left behind and the next one runs.

    Parameters
    ----------
    notebook : path
        A saved ``.ipynb``. It is not changed.
    seed : int
        Of the inputs that the answers are tried on; a grader's hidden inputs are others.
    limit : float
        Seconds for all of it.

    Returns
    -------
    Score
        Prints as a table. A notebook that cannot be read gives a score without lines, and says why.
    """
    path = Path(notebook)
    try:
        cells = code_cells(path)
    except Unreadable as reason:
        return Score(problem=f"{path}: {reason}.")
    items = exercises_of(path, [source for _, source in cells])
    if not items:
        return Score(problem=f"{path.name}: no exercise of this book is named in it.")
    if os.name != "posix":
        return Score(
            problem="score runs the grader, which needs Linux or macOS: on Windows use WSL, or call "
            "check on each answer."
        )
    limits = Limits(submission=limit)
    submission = Submission(file=path.name, id=path.stem, path=path)
    try:
        with Pool(Sandbox("none"), limits) as pool:
            row = mark(submission, items, f"score {seed}", pool, limits, "none")
    except CannotStart as error:
        return Score(problem=f"{path.name}: {error}.")
    lines = [
        Line(
            one.id, one.title, one.points, one.possible, one.feedback[0] if one.points < one.possible else ""
        )
        for one in row.marks
    ]
    broken = [
        f"cell {report['number']} {report['outcome']}" for report in row.cells if report["outcome"] != "done"
    ]
    problems = [*([] if row.status == "graded" else [row.status]), *broken]
    return Score(lines, "; ".join(problems))


def exercises_of(path: Path, sources: list[str]) -> list[Exercise]:
    """The exercises of the chapter whose checks the notebook calls, else of that in its file's name."""
    chapters = {int(number) for source in sources for number in CHECKED.findall(source)}
    if not chapters:
        named = re.match(r"(\d\d)_", path.name)
        chapters = {int(named.group(1))} if named else set()
    return [item for item in exercises() if item.chapter in chapters]
