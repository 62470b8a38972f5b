"""Every check of the project, in the order in which a failure is cheapest; the times go to the end.

python tools/test.py [STAGE…]          stages: style, types, package, notebooks, book
python tools/test.py --chapter 07      one chapter: its notebooks, labs, exercises and page
"""

import argparse
import os
import subprocess
import sys
import time

import passed
from project import ROOT

# Each test in a process a core. Those of one file stay together: they share what they built.
PYTEST = [sys.executable, "-m", "pytest", "-q", "--durations=10", "-n", "auto", "--dist", "loadscope"]
# In a browser most tests are a page each of one file, and all processes share one built book: who has nothing
# left to do takes over half of what another has not begun.
IN_A_BROWSER = [*PYTEST[:-1], "worksteal"]
NBVAL = ["--nbval", "--nbval-cell-timeout=300"]
BROWSER_TESTS = ["tests/widgets", "tests/book"]
OF_A_CHAPTER = ["tests/exercises", "tests/notebooks/test_rules.py", "tests/book/test_chapters.py"]

Stages = dict[str, list[list[str]]]


def all_stages() -> Stages:
    """The stages, each a list of commands."""
    folders = {path.relative_to(ROOT / "tests").parts[0] for path in ROOT.glob("tests/*/**/test_*.py")}
    package = sorted({f"tests/{folder}" for folder in folders} - set(BROWSER_TESTS))
    return {
        "style": [
            [sys.executable, "-m", "ruff", "check", "."],
            [sys.executable, "-m", "ruff", "format", "--check", "."],
            [sys.executable, "tools/javascript.py"],
        ],
        "types": [[sys.executable, "tools/type_check.py"]],
        "package": [[*PYTEST, *package]],
        "notebooks": [[*PYTEST, *NBVAL, "chapters", "solutions"]],
        "book": [[*IN_A_BROWSER, *BROWSER_TESTS]],
    }


def stages_of(chapter: str) -> Stages:
    """The same for one chapter, in one command, so that the cores share all of it.

    Raises
    ------
    ValueError
        If there is no such chapter.
    """
    number = chapter.zfill(2)
    notebooks = sorted(path for room in ("chapters", "solutions") for path in ROOT.glob(f"{room}/{number}_*"))
    if not notebooks:
        there = sorted({path.name[:2] for path in ROOT.glob("chapters/*.ipynb")})
        raise ValueError(f"--chapter: there is no chapter {chapter}; choose one of {', '.join(there)}")
    files = [str(path.relative_to(ROOT)) for path in notebooks]
    return {
        "style": [[sys.executable, "-m", "ruff", "check", *files]],
        f"chapter {number}": [[*PYTEST, *NBVAL, "--chapter", number, *files, *OF_A_CHAPTER]],
    }


def run(stages: Stages, everything: bool = False) -> int:
    """Run the stages; 1 when any command failed (the others still run).

    When ``everything`` passed, a note says of which commit; `make release` reads it.
    """
    # One thread a process: with busy cores two threads are many times slower than one.
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    failed, seconds = [], {}
    for name, commands in stages.items():
        started = time.monotonic()
        for command in commands:
            print(f"\n[{name}] {' '.join(command[1:])}", flush=True)
            if subprocess.run(command, cwd=ROOT, env=environment).returncode:
                failed.append(name)
        seconds[name] = time.monotonic() - started
    total = sum(seconds.values())
    print("\n" + ", ".join(f"{name} {taken:.0f} s" for name, taken in seconds.items()) + f"; {total:.0f} s")
    print(f"failed: {', '.join(dict.fromkeys(failed))}" if failed else "all stages passed")
    if everything and not failed:
        passed.write(total)
    return int(bool(failed))


def main() -> int:
    """Choose the stages and run them."""
    everything = all_stages()
    parser = argparse.ArgumentParser(description="Run the project's checks.")
    parser.add_argument("stages", nargs="*", metavar="STAGE", help=f"of {', '.join(everything)}; else all")
    parser.add_argument("--chapter", metavar="NN", help="what belongs to one chapter")
    options = parser.parse_args()
    unknown = [name for name in options.stages if name not in everything]
    if unknown:
        parser.error(f"no stage {unknown[0]}; choose from {', '.join(everything)}")
    if options.chapter and options.stages:
        parser.error("name stages or a chapter, not both")
    try:
        chosen = stages_of(options.chapter) if options.chapter else everything
    except ValueError as error:
        parser.error(str(error))
    names = options.stages or chosen
    return run({name: chosen[name] for name in names}, everything=set(names) == set(everything))


if __name__ == "__main__":
    sys.exit(main())
