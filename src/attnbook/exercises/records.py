"""What a learner has solved, kept in a small file on their own machine.

The file holds one line of JSON for each check: ``{"id": "2.3", "passed": true, "when": "2026-…"}``. Lines are
only appended. A damaged line costs itself alone: the file is rewritten from the lines that can be read, and
the damaged original is kept beside it. ``ATTNBOOK_PROGRESS`` names another file, or ``off`` for none.
"""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

from platformdirs import user_data_path

from attnbook.exercises.registry import exercises

VARIABLE = "ATTNBOOK_PROGRESS"
ID = re.compile(r"\d{1,2}\.\d{1,2}")


def path() -> Path | None:
    """Where progress is kept; None when ``ATTNBOOK_PROGRESS`` is ``off``."""
    named = os.environ.get(VARIABLE, "")
    if named.lower() == "off":
        return None
    if named:
        return Path(named).expanduser()
    return user_data_path("attnbook", appauthor=False) / "progress.jsonl"


def record(id: str, passed: bool) -> str:
    """Append one check. Returns a sentence when that was not possible, else an empty string."""
    file = path()
    if file is None:
        return ""
    line = {
        "id": id,
        "passed": passed,
        "when": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
    except OSError as error:
        return f"Your progress could not be kept in {file} ({error.strerror}); {VARIABLE} names another file."
    return ""


def solved() -> tuple[set[str], str]:
    """The numbers of the exercises that were passed at least once, and a sentence if the file was mended."""
    file = path()
    if file is None:
        return set(), ""
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return set(), ""
    except OSError as error:
        reason = f"cannot be read ({error.strerror}); {VARIABLE} names another file."
        return set(), f"The progress file {file} {reason}"
    good: list[dict[str, Any]] = []
    damaged = 0
    for line in data.split(b"\n"):
        if not line.strip():
            continue
        entry = _entry(line)
        if entry is None:
            damaged += 1
        else:
            good.append(entry)
    note = _rebuild(file, data, good, damaged) if damaged else ""
    return {entry["id"] for entry in good if entry["passed"]}, note


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    if not isinstance(entry, dict) or not isinstance(entry.get("passed"), bool):
        return None
    id = entry.get("id")
    return entry if isinstance(id, str) and ID.fullmatch(id) else None


def _rebuild(file: Path, data: bytes, good: list[dict[str, Any]], damaged: int) -> str:
    aside = file.with_suffix(".damaged")
    part = file.with_suffix(".part")
    try:
        aside.write_bytes(data)
        part.write_text("".join(json.dumps(entry) + "\n" for entry in good), encoding="utf-8")
        os.replace(part, file)
    except OSError as error:
        return f"The progress file {file} is damaged and cannot be rewritten ({error.strerror})."
    lines = "1 line" if damaged == 1 else f"{damaged} lines"
    return (
        f"The progress file was damaged in {lines}. It was rebuilt from the other {len(good)}; "
        f"the damaged one is kept as {aside.name} beside it."
    )


def progress(chapter: int | None = None) -> None:
    """Show which exercises you have solved, as a picture in a notebook and as text elsewhere.

    Parameters
    ----------
    chapter : int, optional
        This chapter alone.
    """
    done, note = solved()
    items = exercises(chapter)
    if not items:
        chapters = sorted({item.chapter for item in exercises()})
        said = (
            f"{chapter!r}: a chapter is a whole number" if type(chapter) is not int else f"chapter {chapter}"
        )
        print(f"There are no exercises for {said}; there are some for {', '.join(map(str, chapters))}.")
        return
    if note:
        print(note)
    summary = "; ".join(_summaries(items, done))
    if in_notebook():
        from attnbook import plots

        plots.show(_draw(items, done), alt=f"points by exercise. {summary}.")
        return
    for number in sorted({item.chapter for item in items}):
        mine = [item for item in items if item.chapter == number]
        got, total = _points(mine, done)
        filled = round(20 * got / total)
        print(f"chapter {number:>2}  {'█' * filled}{'░' * (20 - filled)}  {got} of {total} points")
        for item in mine:
            print(f"   {'✓' if item.id in done else '·'} {item.id:<5} {item.title} ({item.points})")


def _points(items, done) -> tuple[int, int]:
    return sum(item.points for item in items if item.id in done), sum(item.points for item in items)


def _summaries(items, done) -> list[str]:
    lines = []
    for number in sorted({item.chapter for item in items}):
        mine = [item for item in items if item.chapter == number]
        got, total = _points(mine, done)
        open_ones = [item.id for item in mine if item.id not in done]
        rest = f", still open {', '.join(open_ones)}" if open_ones else ", none open"
        lines.append(f"chapter {number}: {got} of {total} points{rest}")
    return lines


def _draw(items, done) -> Any:
    from attnbook.plots import PALETTE, new_figure

    chapters = sorted({item.chapter for item in items})
    figure, axes = new_figure(width=7.2, height=0.9 + 0.55 * len(chapters))
    for row, number in enumerate(chapters):
        left = 0
        for item in (item for item in items if item.chapter == number):
            solved_now = item.id in done
            axes.barh(
                row,
                item.points,
                left=left,
                height=0.6,
                color=PALETTE[0] if solved_now else "white",
                edgecolor=PALETTE[0],
                hatch=None if solved_now else "//",
            )
            label = f"✓ {item.id}" if solved_now else item.id
            axes.text(
                left + item.points / 2,
                row,
                label,
                ha="center",
                va="center",
                fontsize=7,
                color="white" if solved_now else "black",
                bbox=None if solved_now else {"facecolor": "white", "edgecolor": "none", "pad": 0.8},
            )
            left += item.points
    axes.set_yticks(range(len(chapters)), [f"chapter {number}" for number in chapters])
    axes.set_ylim(len(chapters) - 0.4, -0.6)
    axes.set_xlabel("points (filled: solved)")
    return figure


def in_notebook() -> bool:
    """Whether the output goes to a Jupyter or Colab notebook."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return shell is not None and hasattr(shell, "kernel")
