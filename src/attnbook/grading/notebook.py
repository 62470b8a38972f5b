"""Read a submitted notebook: code cells and nothing else. Whatever is wrong with it is one sentence.

The judge does not read it itself: ``look_through`` starts a process with little memory and time for each file
(``reader``), so that no file can take the judge's.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from attnbook.grading.limits import MAX_CELLS, MAX_CODE
from attnbook.grading.reading import read_submission

SECONDS = 120  # on the clock, for a process that computes for a second or two
MEMORY = 1 << 30  # bytes: ten times what a notebook of 50 MB needs that is mostly pictures
NOT_LOOKED_THROUGH = "its code could not be looked through for flags"


class Unreadable(ValueError):
    """The file is not a notebook that can be graded; the message says why."""


@dataclass
class Code:
    """What a notebook holds for a grader.

    Attributes
    ----------
    content : str
        A digest of the bytes that were read; empty if there were none.
    problem : str
        Why there are no cells, or empty.
    cells : list of (int, str)
        Number and source of each code cell that holds code.
    flags : list of str
    fingerprint : str
        Equal for code that differs in comments and spacing alone.
    """

    content: str = ""
    problem: str = ""
    cells: list[tuple[int, str]] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    fingerprint: str = ""


def look_through(path: Path, names: Sequence[str]) -> Code:
    """Read a notebook in a process of its own.

    Parameters
    ----------
    path : Path
    names : sequence of str
        Functions whose use is flagged.
    """
    # Absolute, since the process starts elsewhere; not resolved, since a link is not to be followed.
    reader = str(Path(__file__).with_name("reader.py"))
    command = [sys.executable, "-I", reader, os.path.abspath(path), *names]
    code = Code(problem="it cannot be read in the memory and time that a notebook may take")
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd="/"
    )
    try:
        said, _ = process.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
    for line in said.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break  # it ended in the middle of it
        for name, value in json.loads(line).items():
            setattr(code, name, value)
    code.cells = [(number, source) for number, source in code.cells]
    return code


def digest(content: bytes) -> str:
    """By which a file's content is recognised."""
    return hashlib.sha256(content).hexdigest()


def code_cells(path: Path) -> list[tuple[int, str]]:
    """Number (from 1, code cells only) and source of each code cell that holds code.

    Only ``cells``, ``cell_type`` and ``source`` are read: no id, no metadata, no output, no execution
    count, so that split, copied, moved or relabelled cells change nothing.

    Raises
    ------
    Unreadable
        If the file is not such a notebook.
    """
    return cells_of(content_of(path))


def content_of(path: Path) -> bytes:
    """The file's bytes.

    Raises
    ------
    Unreadable
        If there are none.
    """
    try:
        return read_submission(path)
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror or type(error).__name__})") from None


def cells_of(content: bytes) -> list[tuple[int, str]]:
    """The code cells in these bytes; see :func:`code_cells`."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8 text; save it again from Jupyter") from None
    try:
        notebook = json.loads(text)
    except MemoryError:
        raise Unreadable("more than can be read; was output saved with it?") from None
    except (ValueError, RecursionError):
        raise Unreadable("not JSON; was the upload cut off?") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict):
        cells = _version_3(notebook)
    if not isinstance(cells, list):
        raise Unreadable("JSON, but not a notebook: it has no cells")
    sources = [_source(cell) for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    numbered = [(number, source) for number, source in enumerate(sources, start=1) if source.strip()]
    if len(numbered) > MAX_CELLS:
        raise Unreadable(f"{len(numbered)} code cells, and a notebook may have {MAX_CELLS}")
    characters = sum(len(source) for _, source in numbered)
    if characters > MAX_CODE:
        raise Unreadable(
            f"{characters:,} characters of code, and a notebook may have {MAX_CODE:,}; "
            "data belongs into a file or an output"
        )
    return numbered


def _version_3(notebook: dict) -> list | None:
    """The cells of a notebook of format 3, which kept them in worksheets."""
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list) or not sheets:
        return None
    cells: list = []
    for sheet in sheets:
        inside = sheet.get("cells") if isinstance(sheet, dict) else None
        cells += inside if isinstance(inside, list) else []
    return cells


def _source(cell: dict) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""
