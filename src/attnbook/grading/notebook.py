"""Read a submitted notebook: code cells and nothing else. Whatever is wrong with it is one sentence."""

from __future__ import annotations

import json
import threading
from pathlib import Path

from attnbook.grading.reading import read_submission

MAX_CELLS = 2000
MAX_CODE = 2 << 20  # characters
_one_at_a_time = threading.Lock()  # a notebook of 50 MB can be 2 GB of small objects


class Unreadable(ValueError):
    """The file is not a notebook that can be graded; the message says why."""


def code_cells(path: Path) -> list[tuple[int, str]]:
    """Number (from 1, code cells only) and source of each code cell that holds code.

    Only ``cells``, ``cell_type`` and ``source`` are read: no id, no metadata, no output, no execution
    count, so that split, copied, moved or relabelled cells change nothing.

    Raises
    ------
    Unreadable
        If the file is not such a notebook.
    """
    with _one_at_a_time:
        return _code_cells(path)


def _code_cells(path: Path) -> list[tuple[int, str]]:
    try:
        text = read_submission(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("not UTF-8 text; save it again from Jupyter") from None
    except OSError as error:
        raise Unreadable(f"cannot be read ({error.strerror or type(error).__name__})") from None
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError, MemoryError):
        raise Unreadable("not JSON; was the upload cut off?") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if cells is None and isinstance(notebook, dict):
        cells = _version_3(notebook)
    if not isinstance(cells, list):
        raise Unreadable("JSON, but not a notebook: it has no cells")
    sources = [_source(cell) for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]
    numbered = [(number, source) for number, source in enumerate(sources, start=1) if source.strip()]
    if len(numbered) > MAX_CELLS or sum(len(source) for _, source in numbered) > MAX_CODE:
        raise Unreadable("more code than an answer can need")
    return numbered


def _version_3(notebook: dict) -> list | None:
    """The cells of a notebook of format 3, which kept them in worksheets."""
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list) or not sheets or not isinstance(sheets[0], dict):
        return None
    return sheets[0].get("cells")


def _source(cell: dict) -> str:
    source = cell.get("source", cell.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    return source if isinstance(source, str) else ""
