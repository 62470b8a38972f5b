"""The note that every check passed: of which commit, with which Python and torch, in how long.

`tools/test.py` writes it when all stages passed, `tools/release.py` reads it. Git does not keep it.
"""

import json
import platform
import subprocess
from pathlib import Path

from project import ROOT, tested_torch

NOTE = Path(".cache") / "passed.json"


def git(*arguments: str, root: Path = ROOT) -> str:
    """What a git command prints.

    Raises
    ------
    subprocess.CalledProcessError
        If git refuses.
    """
    done = subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def write(seconds: float, root: Path = ROOT) -> bool:
    """Note that the present commit passed; False where what was tested is in no commit."""
    try:
        if git("status", "--porcelain", root=root):
            return False
        commit = git("rev-parse", "HEAD", root=root)
    except (OSError, subprocess.CalledProcessError):
        return False  # no git, or no repository: nothing that could be released
    note = {
        "commit": commit,
        "python": platform.python_version(),
        "system": platform.system(),
        "torch": tested_torch(),
        "seconds": round(seconds),
    }
    path = root / NOTE
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    return True


def read(root: Path = ROOT) -> str | None:
    """One sentence on the checks of the present commit; None where it has no note."""
    try:
        note = json.loads((root / NOTE).read_text(encoding="utf-8"))
        if note["commit"] != git("rev-parse", "HEAD", root=root):
            return None
        return (
            f"All checks passed on {note['system']} with Python {note['python']} and torch {note['torch']}, "
            f"in {note['seconds']} s."
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
