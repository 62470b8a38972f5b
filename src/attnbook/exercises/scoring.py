"""``score``: the points of a whole notebook, computed offline by running it in a process of its own.

For learners who want to see where they stand. It is no secure grader: the notebook's code runs as the
person who calls ``score``, with all their rights, beside the checks. ``attnbook grade`` is for marks.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from attnbook.exercises.registry import exercises
from attnbook.exercises.spec import Exercise

CHECKED = re.compile(r"""\b(?:check|hint)\(\s*["'](\d{1,2})\.\d{1,2}["']""")
CELL_SECONDS = 60.0


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


def score(notebook: str | os.PathLike[str], seed: int = 0, limit: float = 600.0) -> Score:
    """Run a notebook from top to bottom in a fresh process and check every exercise of its chapter.

    Answers are found by the names that the exercises ask for, whatever cells they stand in. A cell that
    raises, or takes longer than a minute, is left behind and the next one runs.

    Parameters
    ----------
    notebook : path
        A saved ``.ipynb``. It is not changed.
    seed : int
        Of the inputs that the answers are tried on.
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
    except ValueError as error:
        return Score(problem=str(error))
    items = exercises_of(path, cells)
    if not items:
        return Score(problem=f"{path.name}: no exercise of this book is named in it.")
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder) / "job.json"
        out = Path(folder) / "out.jsonl"
        job.write_text(json.dumps({"cells": cells, "ids": [item.id for item in items], "seed": seed}))
        environment = {
            **os.environ,
            "ATTNBOOK_PROGRESS": "off",
            "MPLBACKEND": "agg",
            "PYTHONIOENCODING": "utf-8",
        }
        command = [sys.executable, "-m", "attnbook.exercises.scoring", str(job), str(out)]
        problem = ""
        try:
            subprocess.run(
                command,
                cwd=path.resolve().parent,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                timeout=limit,
            )
        except subprocess.TimeoutExpired:
            problem = f"The notebook took longer than {limit:g} seconds: what was not reached counts 0."
        found = {}
        if out.exists():
            for text in out.read_text(encoding="utf-8", errors="replace").splitlines():
                row = json.loads(text)
                found[row["id"]] = row
    if len(found) < len(items) and not problem:
        problem = "The notebook's process ended early: what was not reached counts 0."
    lines = []
    for item in items:
        row = found.get(item.id, {"credit": 0.0, "remark": "not reached"})
        lines.append(
            Line(item.id, item.title, round(item.points * row["credit"], 2), item.points, row["remark"])
        )
    return Score(lines, problem)


def code_cells(path: Path) -> list[str]:
    """The sources of a notebook's code cells.

    Raises
    ------
    ValueError
        With one sentence, when the file is missing or not a notebook.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        cells = [cell for cell in data["cells"] if cell["cell_type"] == "code"]
        sources = ["".join(cell["source"]) for cell in cells]
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or 'cannot be read'}.") from None
    except (ValueError, KeyError, TypeError, RecursionError):
        raise ValueError(f"{path}: not a notebook that can be read; save it again in Jupyter.") from None
    return sources


def exercises_of(path: Path, cells: list[str]) -> list[Exercise]:
    """The exercises of the chapter whose checks the notebook calls, else of that in its file's name."""
    chapters = {int(number) for source in cells for number in CHECKED.findall(source)}
    if not chapters:
        named = re.match(r"(\d\d)_", path.name)
        chapters = {int(named.group(1))} if named else set()
    return [item for item in exercises() if item.chapter in chapters]


def run(job: str, out: str) -> None:
    """The other process: run the cells, check the names, write one line an exercise."""
    from attnbook.exercises import watchdog
    from attnbook.exercises.checking import try_answer

    task = json.loads(Path(job).read_text())
    namespace: dict = {"__name__": "__main__"}
    plain = _without_magics()
    for number, source in enumerate(task["cells"], start=1):
        watchdog.call(
            lambda source=source, number=number: _execute(plain(source), namespace, number), CELL_SECONDS
        )
    by_id = {item.id: item for item in exercises()}
    for id in task["ids"]:
        item = by_id[id]
        answer = namespace.get(item.name)
        if item.name not in namespace:
            row = {"credit": 0.0, "remark": f"no cell defines {item.name}"}
        else:
            try:
                verdict, _, _ = try_answer(item, answer, task["seed"])
                remark = "" if verdict.passed else verdict.feedback()[0]
                row = {"credit": verdict.credit, "remark": remark}
            except Exception as error:
                row = {"credit": 0.0, "remark": f"could not be read ({type(error).__name__})"}
        with open(out, "a", encoding="utf-8") as stream:
            stream.write(json.dumps({"id": id, **row}) + "\n")
    os._exit(0)  # threads that could not be stopped do not keep the process


def _execute(source: str, namespace: dict, number: int) -> None:
    exec(compile(source, f"<cell {number}>", "exec"), namespace)


def _without_magics():
    """A function that turns %magics and !commands into Python that does nothing here."""
    line = re.compile(r"(?m)^(\s*)[%!].*$")

    def plain(source: str) -> str:
        if source.lstrip().startswith("%%"):
            return ""
        return line.sub(r"\1pass", source)

    return plain


if __name__ == "__main__":
    run(*sys.argv[1:3])
