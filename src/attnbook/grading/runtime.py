"""The folder that a sandbox sees as its package: attnbook with the worker, without exercises and grading.

Notebooks that call ``check`` still run there: a stand-in takes the calls and does nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import attnbook

PREFIX = "attnbook-runtime-"
WITHHELD = ("exercises", "grading", "__pycache__")
MEASURED = "results"  # its modules are imported by the experiments; what was measured stays here
STAND_IN = '''"""In the sandbox nothing is checked: grading happens elsewhere."""


class Unchecked:
    """What a check returns here, so that a cell that asks `.passed` goes on."""

    passed = False

    def __getattr__(self, name):
        return Unchecked()

    def __call__(self, *arguments, **options):
        return self

    def __iter__(self):
        return iter(())

    def __bool__(self):
        return False

    def __repr__(self):
        return "(not checked here)"

    __float__ = lambda self: 0.0
    __str__ = __repr__


def check(*arguments, **options):
    """Do nothing."""
    return Unchecked()


hint = progress = score = check
'''


def _remove_forgotten() -> None:
    """Folders that a judge left behind when it was killed: a day old, ours, and their process gone."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with suppress(OSError, ValueError, IndexError):
            found = folder.lstat()
            process = int(folder.name.removeprefix(PREFIX).split("-")[0])
            ours = not hasattr(os, "getuid") or found.st_uid == os.getuid()
            if ours and time.time() - found.st_mtime > 86_400 and not Path(f"/proc/{process}").exists():
                shutil.rmtree(folder, ignore_errors=True)


def _withheld(folder: str, names: list[str]) -> set[str]:
    """What is not copied from this folder, as ``shutil.copytree`` asks."""
    measured = (
        {name for name in names if Path(name).suffix != ".py"} if Path(folder).name == MEASURED else set()
    )
    return measured | {name for name in names if name in WITHHELD}


def make_runtime() -> Path:
    """Write the folder and return its path; the caller removes it.

    Contains ``attnbook/`` without what it withholds.
    """
    package = Path(attnbook.__file__).resolve().parent
    _remove_forgotten()
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))
    shutil.copytree(package, folder / "attnbook", ignore=_withheld)
    stand_in = folder / "attnbook" / "exercises"
    stand_in.mkdir()
    (stand_in / "__init__.py").write_text(STAND_IN, encoding="utf-8")
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return folder
