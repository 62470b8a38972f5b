"""Run the build of the book as `make book` does, and read what it made."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from support import ROOT


def build(root: Path, *arguments: str, **options) -> subprocess.CompletedProcess:
    """Run the build that `make book` runs, on another folder."""
    command = [sys.executable, str(ROOT / "book" / "build.py"), "--root", str(root), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)


def script_value(html: Path, name: str) -> Any:
    """What a script of cards holds: the terms of the glossary, or the quizzes."""
    text = (html / "_static" / "attnbook" / f"{name}.js").read_text(encoding="utf-8")
    return json.loads(text[text.index("=", text.index(f".{name}")) + 1 : text.rindex(";")])
