"""Seconds a submission: `attnbook grade` beside nbgrader's autograde, on the same notebooks, in one run.

    python benchmarks/grading.py [--submissions 16] [--repeats 3] [--memory 200] [--hostile 2]

nbgrader lives in an environment of its own, made on first use below ~/.cache/attnbook. Both grade the same
answers: nbgrader gets each notebook with one cell of tests a function, attnbook the notebook as it is.
It also grades N small submissions and reports the judge's memory along the way (``--memory N``), and
does so for N copies of the hostile submissions of the tests (``--hostile N``); 0 leaves it out, and
``--repeats 0`` leaves out the comparison.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import nbformat

NBGRADER = "nbgrader==0.9.6"
ANSWER = (
    "import torch\n"
    "def attention_weights(scores):\n"
    "    e = torch.exp(scores - scores.amax(dim=-1, keepdim=True))\n"
    "    return e / e.sum(dim=-1, keepdim=True)\n"
)
TESTS = (
    "import torch\n"
    "for seed in range(4):\n"
    "    torch.manual_seed(seed)\n"
    "    scores = torch.randn(2, 3, 5)\n"
    "    torch.testing.assert_close(attention_weights(scores), torch.softmax(scores, dim=-1))\n"
)


def nbgrader_environment() -> Path:
    """The folder of an environment that holds nbgrader and the torch of this one."""
    folder = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "attnbook" / "nbgrader"
    if not (folder / "complete").exists():
        print("making nbgrader's environment (once)", flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", NBGRADER, "ipykernel"], check=True)
        # The same torch for both: the one that is here, by a path file.
        packages = next(path for path in sys.path if path.endswith("site-packages"))
        (target,) = folder.glob("lib/python*/site-packages")
        (target / "shared_torch.pth").write_text(packages + "\n", encoding="utf-8")
        (folder / "complete").touch()
    return folder


def code(source: str, **settings) -> nbformat.NotebookNode:
    """A code cell with nbgrader's settings in its metadata."""
    cell = nbformat.v4.new_code_cell(source)
    if settings:
        cell.metadata["nbgrader"] = {"schema_version": 3, "locked": False, "task": False, **settings}
    return cell


def lay_out(folder: Path, count: int) -> None:
    """One course for nbgrader and one flat folder for attnbook, with the same answers."""
    answer = {"grade": False, "grade_id": "answer", "solution": True}
    tests = {"grade": True, "grade_id": "tests", "solution": False, "points": 2, "locked": True}
    flat = folder / "flat"
    flat.mkdir()
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    source = nbformat.v4.new_notebook(cells=[code(ANSWER, **answer), code(TESTS, **tests)], metadata=kernel)
    (folder / "course" / "source" / "week").mkdir(parents=True)
    nbformat.write(source, folder / "course" / "source" / "week" / "work.ipynb")
    for number in range(count):
        handed_in = nbformat.v4.new_notebook(
            cells=[code(f"{ANSWER}# {number}\n", **answer), code(TESTS, **tests)], metadata=kernel
        )
        place = folder / "course" / "submitted" / f"s{number:04}" / "week"
        place.mkdir(parents=True)
        nbformat.write(handed_in, place / "work.ipynb")
        nbformat.write(
            nbformat.v4.new_notebook(cells=[code(f"{ANSWER}# {number}\n")]), flat / f"s{number:04}.ipynb"
        )


def time_nbgrader(environment: Path, course: Path, count: int) -> float:
    """Seconds a submission of `nbgrader autograde`."""
    settings = {**os.environ, "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    tool = [str(environment / "bin" / "nbgrader")]
    quiet = {"cwd": course, "env": settings, "check": True, "capture_output": True}
    subprocess.run([*tool, "generate_assignment", "week", "--create"], **quiet)
    started = time.monotonic()
    subprocess.run([*tool, "autograde", "week"], **quiet)
    seconds = (time.monotonic() - started) / count
    graded = len(list((course / "autograded").glob("*/week/work.ipynb")))
    assert graded == count, f"nbgrader graded {graded} of {count}"
    return seconds


def time_attnbook(folder: Path, count: int, jobs: int) -> float:
    """Seconds a submission of `attnbook grade`, everything included."""
    out = folder / f"grades-{jobs}-{time.monotonic_ns()}"
    command = [sys.executable, "-m", "attnbook.cli", "grade", str(folder / "flat"), "--out", str(out)]
    started = time.monotonic()
    done = subprocess.run(
        [*command, "--exercises", "2.3", "--jobs", str(jobs)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    seconds = (time.monotonic() - started) / count
    rows = json.loads((out / "grades.json").read_text(encoding="utf-8"))["rows"]
    assert [row["points"] for row in rows] == [2] * count
    return seconds


def lay_out_hostile(folder: Path, copies: int) -> int:
    """Copies of the tests' hostile and broken submissions; returns how many there are."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "grading"))
    import grading_corpus

    (folder / "flat").mkdir()
    for copy in range(copies):
        for entry in [*grading_corpus.HOSTILE, *grading_corpus.BROKEN]:
            entry.make(folder / "flat" / f"{copy:03}-{entry.name}")
    return copies * len([*grading_corpus.HOSTILE, *grading_corpus.BROKEN])


def memory_of_the_judge(count: int, copies: int = 0) -> None:
    """Grade many submissions in this process and print its memory at each tenth.

    ``copies`` of the hostile ones where that is not 0, else ``count`` small ones.
    """
    from attnbook import cli

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if copies:
            count = lay_out_hostile(folder, copies)
        else:
            lay_out(folder, count)
        rows = folder / "out" / "work" / "rows"
        readings: dict[int, float] = {}
        stop = threading.Event()

        def watch() -> None:
            while not stop.wait(0.5):
                done = len(list(rows.glob("*.json"))) if rows.exists() else 0
                tenth = done * 10 // count
                pages = int(Path("/proc/self/statm").read_text().split()[1])
                readings.setdefault(tenth, pages * os.sysconf("SC_PAGE_SIZE") / 2**20)

        thread = threading.Thread(target=watch)
        thread.start()
        arguments = ["--exercises", "2.3", "--jobs", "2", "--out", str(folder / "out")]
        if copies:
            arguments += ["--cell-seconds", "3", "--submission-seconds", "60"]
        assert cli.main(["grade", str(folder / "flat"), *arguments]) == 0
        stop.set()
        thread.join()
        shown = ", ".join(f"{tenth}0 % {size:.0f}" for tenth, size in sorted(readings.items()))
        kind = "hostile" if copies else "small"
        print(f"judge's resident memory over {count} {kind} submissions, MB: {shown}")
        print(f"largest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MB")


def main() -> int:
    """Print seconds a submission and the ratio; the graders alternate, so that both meet the same machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--memory", type=int, default=200, metavar="N")
    parser.add_argument("--hostile", type=int, default=2, metavar="N")
    options = parser.parse_args()
    environment = nbgrader_environment() if options.repeats else Path()
    seconds: dict[str, list[float]] = {}
    for _ in range(options.repeats):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lay_out(folder, options.submissions)
            for jobs in (1, 2):
                taken = time_attnbook(folder, options.submissions, jobs)
                seconds.setdefault(f"attnbook --jobs {jobs}", []).append(taken)
            seconds.setdefault("nbgrader autograde", []).append(
                time_nbgrader(environment, folder / "course", options.submissions)
            )
    base = statistics.median(seconds["nbgrader autograde"]) if seconds else 1.0
    if seconds:
        print(f"{options.submissions} submissions, median of {options.repeats} runs")
    for name, values in seconds.items():
        median = statistics.median(values)
        print(f"  {name:22s} {median:6.2f} s a submission   {median / base:5.2f} of nbgrader's")
    if options.memory:
        memory_of_the_judge(options.memory)
    if options.hostile:
        memory_of_the_judge(0, options.hostile)
    return 0


if __name__ == "__main__":
    sys.exit(main())
