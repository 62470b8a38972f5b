"""Train a model that ships again, by the command that it names, and compare what it scores.

    python tools/retrain_models.py [NAME …]     (one a night, in turn, if none is named)

Another machine or version of torch does not give the same weights, so scores are compared: those of the
trained seed against those that the shipped weights had, with room for what seeds differ by. Exit status 1 if
one is worse by more than that.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from attnbook import models

# score, how much worse it may be: about three times what seeds differ by
ROOM = {"bleu": -5.0, "exact": -0.10, "aer": 0.08, "endless": 0.05}


def command(made: dict, out: Path) -> list[str]:
    """The command that made the model, for its seed alone, into another file, without shipping."""
    words = shlex.split(made["command"])[1:]
    for option in ("--ship", "--precision", "--out", "--seeds", "--first-seed", "--device"):
        if option in words:
            position = words.index(option)
            del words[position : position + 2]
    seed = ["--seeds", "1", "--first-seed", str(made["seed"])]
    return [sys.executable, "-m", "attnbook.cli", *words, *seed, "--out", str(out)]


def compare(shipped: dict, again: dict) -> list[str]:
    """One line for each score that is worse by more than its room."""
    worse = []
    for score, room in ROOM.items():
        if score in shipped:
            difference = again[score] - shipped[score]
            if difference * (1 if room > 0 else -1) > abs(room):
                worse.append(f"{score}: {again[score]:.3f}, shipped with {shipped[score]:.3f}")
    return worse


def retrain(name: str) -> list[str]:
    """Train again and compare; in a cache of its own, so that nothing is taken from an earlier run."""
    trained = models.load(name)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "results.json"
        environment = {**os.environ, "ATTNBOOK_CACHE": str(Path(folder) / "cache"), "TQDM_DISABLE": "1"}
        subprocess.run(command(trained.made, out), env=environment, check=True)
        again = json.loads(out.read_text(encoding="utf-8"))["seeds"][str(trained.made["seed"])]
    return compare(trained.scores, again)


def main() -> int:
    """Retrain the models that are named, or today's."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    known = models.names()
    names = parser.parse_args().names or [known[int(time.time() // 86_400) % len(known)]]
    failed = False
    for name in names:
        worse = retrain(name)
        failed = failed or bool(worse)
        print(f"{name}: " + ("; ".join(worse) if worse else "as good as the one that ships"))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
