"""Seconds a submission: `attnbook grade` beside nbgrader's autograde, on the same notebooks, in one run.

    python benchmarks/grading.py [--submissions 16] [--repeats 3] [--jobs 1 2] [--memory 200] [--hostile 2]

nbgrader lives in an environment of its own, made on first use below ~/.cache/attnbook. Both grade the same
answers: nbgrader gets each notebook with one cell of tests a function, attnbook the notebook as it is.
It also grades N small submissions and reports the judge's memory along the way (``--memory N``), and
does so for N copies of the hostile submissions of the tests (``--hostile N``); 0 leaves it out, and
``--repeats 0`` leaves out the comparison.
"""

import argparse
import ctypes
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
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import nbformat
import torch

NBGRADER = "nbgrader==0.9.6"
NBGRADERS = "nbgrader autograde"  # its row
KINDS = ("clock", "processor")
PROMISED = 1 / 6  # of nbgrader's seconds a submission
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
        (folder / "complete").touch()
    # The same torch for both: the one that is here, by a path file.
    packages = str(Path(torch.__file__).resolve().parent.parent)
    (target,) = folder.glob("lib/python*/site-packages")
    (target / "shared_torch.pth").write_text(packages + "\n", encoding="utf-8")
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


@dataclass(frozen=True)
class Taken:
    """What a command took: seconds on the clock, and of processor time, its workers' included."""

    clock: float
    processor: float


def timed(command: list[str], **options) -> tuple[Taken, subprocess.CompletedProcess]:
    """Run a command, and wait for all that it started and left behind.

    A sandbox's processes end without anybody who waits for them, and their time would be lost; this process
    asks the kernel (``PR_SET_CHILD_SUBREAPER``) to be handed such orphans. On a busy machine the processor's
    time is the fairer one: a grader that runs more processes at a time gets more of such a machine.
    """
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, **options)
    clock = time.monotonic() - started
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-1, 0)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Taken(clock, processor), done


def time_nbgrader(environment: Path, course: Path) -> Taken:
    """What `nbgrader autograde` takes."""
    settings = {**os.environ, "PATH": f"{environment / 'bin'}{os.pathsep}{os.environ['PATH']}"}
    tool = [str(environment / "bin" / "nbgrader")]
    quiet = {"cwd": course, "env": settings, "check": True, "capture_output": True}
    subprocess.run([*tool, "generate_assignment", "week", "--create"], **quiet)
    taken, _ = timed([*tool, "autograde", "week"], **quiet)
    graded = list((course / "autograded").glob("*/week/work.ipynb"))
    handed_in = len(list((course / "submitted").iterdir()))
    assert len(graded) == handed_in, f"nbgrader graded {len(graded)} of {handed_in}"
    for path in graded:  # tests that cannot even import are over soon, and would be no comparison
        for cell in nbformat.read(path, as_version=4).cells:
            failed = [output for output in cell.get("outputs", []) if output["output_type"] == "error"]
            assert not failed, f"{path}: {failed[0]['evalue']}"
    return taken


def time_attnbook(folder: Path, count: int, jobs: int) -> Taken:
    """What `attnbook grade` takes, everything included."""
    out = folder / f"grades-{jobs}-{time.monotonic_ns()}"
    command = [sys.executable, "-m", "attnbook.cli", "grade", str(folder / "flat"), "--out", str(out)]
    taken, done = timed([*command, "--exercises", "2.3", "--jobs", str(jobs)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    rows = json.loads((out / "grades.json").read_text(encoding="utf-8"))["rows"]
    assert [row["points"] for row in rows] == [2] * count
    return taken


def tell(taken: dict[str, list[Taken]], count: int, loads: list[float]) -> None:
    """Print medians a submission, the spread on the clock, and whether the promised ratio is reached."""
    others = ", ".join(f"{load:.1f}" for load in loads)
    print(
        f"{count} submissions, {len(loads)} runs, start-up counted; load of the machine before each: {others}"
    )
    medians = {
        name: Taken(*(statistics.median(getattr(one, what) for one in all_) / count for what in KINDS))
        for name, all_ in taken.items()
    }
    base = medians[NBGRADERS]
    for name, median in medians.items():
        clocks = [one.clock / count for one in taken[name]]
        print(
            f"  {name:19s} {median.clock:6.2f} s a submission ({min(clocks):.2f} to {max(clocks):.2f}), "
            f"{median.clock / base.clock:.3f} of nbgrader's; "
            f"processor {median.processor:5.2f} s, {median.processor / base.processor:.3f}"
        )
    least = min(one.clock for name, one in medians.items() if name != NBGRADERS) / base.clock
    verdict = "reached" if least <= PROMISED else "NOT reached"
    print(f"{verdict}: at most {PROMISED:.3f} of nbgrader's seconds")


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
        after_start = {tenth: size for tenth, size in readings.items() if tenth >= 2}
        if len(after_start) > 1:  # what the first ones need, torch among it, is not growth
            growth = after_start[max(after_start)] - after_start[min(after_start)]
            counted = count * (max(after_start) - min(after_start)) / 10
            print(
                f"growth after the first fifth: {growth:+.1f} MB, "
                f"{1024 * growth / counted:+.0f} kB a submission"
            )
        print(f"largest: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MB")


def main() -> int:
    """Print seconds a submission and the ratio; the graders alternate, so that both meet the same machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--submissions", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="of attnbook grade")
    parser.add_argument("--memory", type=int, default=200, metavar="N")
    parser.add_argument("--hostile", type=int, default=2, metavar="N")
    options = parser.parse_args()
    environment = nbgrader_environment() if options.repeats else Path()
    taken: dict[str, list[Taken]] = {}
    loads: list[float] = []
    for _ in range(options.repeats):
        loads.append(os.getloadavg()[0])
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            lay_out(folder, options.submissions)
            for jobs in options.jobs:
                found = time_attnbook(folder, options.submissions, jobs)
                taken.setdefault(f"attnbook --jobs {jobs}", []).append(found)
            taken.setdefault(NBGRADERS, []).append(time_nbgrader(environment, folder / "course"))
    if taken:
        tell(taken, options.submissions, loads)
    if options.memory:
        memory_of_the_judge(options.memory)
    if options.hostile:
        memory_of_the_judge(0, options.hostile)
    return 0


if __name__ == "__main__":
    sys.exit(main())
