"""Every check of the project, in the order in which a failure is cheapest; the figures go to the end.

python tools/test.py [STAGE…]        stages: style, package, notebooks, book
"""

import os
import subprocess
import sys
import time

from project import ROOT

PYTEST = [sys.executable, "-m", "pytest", "-q", "--durations=5"]
BROWSER_TESTS = ["tests/widgets", "tests/book"]
NOTEBOOK_FOLDERS = ["chapters", "solutions"]


def commands() -> dict[str, list[list[str]]]:
    """The stages, each a list of commands."""
    package = sorted(
        str(path.relative_to(ROOT))
        for path in (ROOT / "tests").iterdir()
        if path.is_dir() and any(path.glob("test_*.py"))
    )
    package = [folder.replace(os.sep, "/") for folder in package]
    # Notebooks are independent: one process a core, each notebook whole in one of them.
    nbval = ["--nbval", "--nbval-cell-timeout=300", "-n", "auto", "--dist", "loadscope"]
    return {
        "style": [
            [sys.executable, "-m", "ruff", "check", "."],
            [sys.executable, "-m", "ruff", "format", "--check", "."],
        ],
        "package": [[*PYTEST, *(folder for folder in package if folder not in BROWSER_TESTS)]],
        "notebooks": [[*PYTEST, *nbval, *NOTEBOOK_FOLDERS]],
        "book": [[*PYTEST, *(folder for folder in BROWSER_TESTS if folder in package)]],
    }


def main(wanted: list[str]) -> int:
    """Run the stages named, or all; 1 when any command failed (the others still run)."""
    stages = commands()
    unknown = [name for name in wanted if name not in stages]
    if unknown:
        print(f"test.py: no stage {unknown[0]}; choose from {', '.join(stages)}", file=sys.stderr)
        return 2
    # One thread a process: with busy cores two threads are many times slower than one.
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    failed, seconds = [], {}
    for name in wanted or stages:
        started = time.monotonic()
        for command in stages[name]:
            print(f"\n[{name}] {' '.join(command[1:])}", flush=True)
            done = subprocess.run(command, cwd=ROOT, env=environment).returncode
            if done and name == "book":
                # A browser on a busy machine can miss a frame. What fails twice is broken.
                print("\n[book] some browser tests FAILED: those are run once more", flush=True)
                done = subprocess.run([*command, "--last-failed"], cwd=ROOT, env=environment).returncode
            if done:
                failed.append(name)
        seconds[name] = time.monotonic() - started
    print("\n" + ", ".join(f"{name} {taken:.0f} s" for name, taken in seconds.items()))
    print(f"failed: {', '.join(dict.fromkeys(failed))}" if failed else "all stages passed")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
