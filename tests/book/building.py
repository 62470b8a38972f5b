"""Run the build of the book as `make book` does."""

import subprocess
import sys
from pathlib import Path

from support import ROOT


def build(root: Path, *arguments: str, **options) -> subprocess.CompletedProcess:
    """Run the build that `make book` runs, on another folder."""
    command = [sys.executable, str(ROOT / "book" / "build.py"), "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)
