"""Train a model that ships again, by the command that it names, and compare what it scores.

    python tools/retrain_models.py [NAME …]     (one a night, in turn, if none is named)

Another machine or version of torch does not give the same weights, so scores are compared: those of the
shipped weights against those of the new ones, with the room that the model's file names. Exit status 1 if one
is worse by more than that.
"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from attnbook import models
from attnbook.experiments.shipping import TRANSLATORS_ROOM


def command(made: dict, name: str, folder: Path) -> list[str]:
    """The command that made the model, for its seed alone, with results and model in another folder."""
    words = shlex.split(made["command"])[1:]
    for option in ("--ship", "--models", "--out", "--seeds", "--first-seed", "--device"):
        if option in words:
            position = words.index(option)
            del words[position : position + 2]
    words += ["--seeds", "1", "--first-seed", str(made["seed"]), "--out", str(folder / "results.json")]
    return [sys.executable, "-m", "attnbook.cli", *words, "--ship", name, "--models", str(folder)]


def compare(shipped: dict, again: dict, room: dict) -> list[str]:
    """One line for each score that is worse by more than its room."""
    worse = []
    for score, most in room.items():
        if score in shipped:
            difference = again[score] - shipped[score]
            if difference * (1 if most > 0 else -1) > abs(most):
                worse.append(f"{score}: {again[score]:.3f}, shipped with {shipped[score]:.3f}")
    return worse


def retrain(name: str) -> list[str]:
    """Train again and compare; in a cache of its own, so that nothing is taken from an earlier run."""
    shipped = models.load(name)
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ATTNBOOK_CACHE": str(Path(folder) / "cache"), "TQDM_DISABLE": "1"}
        subprocess.run(command(shipped.made, name, Path(folder)), env=environment, check=True)
        again = models.load(name, folder=Path(folder))
    # The first two were made before a file told its room.
    return compare(shipped.scores, again.scores, shipped.made.get("room", TRANSLATORS_ROOM))


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
