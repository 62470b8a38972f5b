"""What an instructor and a learner get: tables, a page a submission, and files for Canvas and Gradescope.

Every file is written in one step. Texts from submissions and file names are escaped for where they land: in
HTML by Jinja2 (and the page may load and run nothing), in tables so that no spreadsheet takes them for a
formula.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import os
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attnbook.extras import needs
from attnbook.grading.replies import OWN_ERRORS

STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0}"
    "main{max-width:44rem;margin:0 auto;padding:1rem}h1{font-size:1.6rem}"
    "h2{font-size:1.1rem;margin:1.5rem 0 .3rem}"
    "h2 span{font-weight:400}.total{font-size:1.3rem}code{overflow-wrap:anywhere}"
    "section{border-top:1px solid #8888}p{margin:.4rem 0}"
)
_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠\t\r]")  # wide signs too


def write_atomically(path: Path, text: str) -> None:
    """A reader of ``path`` sees the old text or the new one, never half of one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    temporary.write_text(text, encoding="utf-8", newline="", errors="backslashreplace")
    temporary.replace(path)


def cell(value: Any) -> str:
    """A value as a table's cell that no spreadsheet takes for a formula."""
    text = f"{value:g}" if isinstance(value, float) else str(value)
    text = "".join(character if character.isprintable() else " " for character in text)
    return f"'{text}" if _FORMULA.match(text) and not isinstance(value, int | float) else text


def _table(rows: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([[cell(value) for value in row] for row in rows])
    return buffer.getvalue()


def file_names(rows: Sequence[dict[str, Any]]) -> list[str]:
    """One file name a row, safe everywhere, equal for no two rows, even where letter case is ignored."""
    taken: Counter[str] = Counter()
    names = []
    for row in rows:
        base = re.sub(r"[^A-Za-z0-9._-]+", "-", row["id"]).strip(".-")[:80] or "submission"
        taken[base.lower()] += 1
        number = taken[base.lower()]
        while number > 1 and f"{base}~{number}".lower() in taken:
            number += 1
        name = base if number == 1 else f"{base}~{number}"
        taken[name.lower()] += name != base
        names.append(name)
    return names


def add_shared_flags(rows: list[dict[str, Any]], roster: list[dict[str, str]] | None = None) -> None:
    """Flags that need all rows: one id twice, the same code under different ids, nobody of the roster."""
    people = {person["id"] for person in roster or ()}
    ids = Counter(row["id"] for row in rows)
    owners: dict[str, set[str]] = {}
    for row in rows:
        if row["fingerprint"]:
            owners.setdefault(row["fingerprint"], set()).add(row["id"])
    for row in rows:
        if ids[row["id"]] > 1:
            row["flags"] = [*row["flags"], f"{ids[row['id']]} submissions with this id"]
        if people and row["id"] not in people:
            row["flags"] = [*row["flags"], "not in the roster"]
        others = sorted(owners.get(row["fingerprint"], set()) - {row["id"]})
        if others:
            row["flags"] = [*row["flags"], f"same code as {', '.join(others[:5])}"]


def write_all(rows: list[dict[str, Any]], out: Path, title: str, roster: list[dict[str, str]] | None) -> None:
    """Write every report below ``out``.

    Files: ``grades.csv``, ``grades.json``, ``feedback/<id>.html``, ``gradescope/<id>.json``, ``canvas.csv``,
    and with a roster ``missing.csv``. Pages of submissions that an earlier run reported and that are gone
    now are removed.
    """
    rows = [dict(row) for row in rows]
    add_shared_flags(rows, roster)
    names = file_names(rows)
    gone = _reported_before(out) - set(names)
    exercises = list(dict.fromkeys(mark["id"] for row in rows for mark in row["marks"]))
    _write_pages(rows, names, out)
    for row, name in zip(rows, names, strict=True):
        write_atomically(out / "gradescope" / f"{name}.json", json.dumps(gradescope(row), indent=1))
    write_atomically(out / "grades.json", json.dumps({"title": title, "rows": rows}, indent=1))
    header = ["file", "id", "points", "possible", "status", "flags", "isolation", "seconds", "feedback"]
    table = [[*header, *exercises]]
    for row, name in zip(rows, names, strict=True):
        earned = {mark["id"]: mark["points"] for mark in row["marks"]}
        table.append(
            [
                *(row[key] for key in header[:5]),
                "; ".join(row["flags"]),
                *(row["isolation"], row["seconds"], f"feedback/{name}.html"),
                *(earned.get(exercise, "") for exercise in exercises),
            ]
        )
    write_atomically(out / "grades.csv", _table(table))
    write_atomically(out / "canvas.csv", _table(canvas(rows, title, roster)))
    if roster is not None:
        there = {row["id"] for row in rows}
        absent = [[entry["id"], entry.get("name", "")] for entry in roster if entry["id"] not in there]
        write_atomically(out / "missing.csv", _table([["id", "name"], *absent]))
    for name in gone:
        (out / "feedback" / f"{name}.html").unlink(missing_ok=True)
        (out / "gradescope" / f"{name}.json").unlink(missing_ok=True)


def _reported_before(out: Path) -> set[str]:
    """The names of the pages that the stored ``grades.json`` stands for; none if it cannot be read."""
    try:
        return set(file_names(json.loads((out / "grades.json").read_text(encoding="utf-8"))["rows"]))
    except (OSError, ValueError, TypeError, KeyError):
        return set()


def best(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The row with most points for each id: what goes to a grade book that has one place a person."""
    chosen: dict[str, dict[str, Any]] = {}
    for row in rows:
        if row["id"] not in chosen or row["points"] > chosen[row["id"]]["points"]:
            chosen[row["id"]] = row
    return chosen


def canvas(
    rows: Sequence[dict[str, Any]], title: str, roster: list[dict[str, str]] | None
) -> list[list[Any]]:
    """Canvas's import table: student, id, SIS id, section, one column for the assignment.

    Its second line gives the points possible. With a roster its names, and its ``canvas_id`` where it has
    one, are used; somebody in the roster without a submission has an empty mark, which Canvas leaves as it
    is.
    """
    chosen = best(rows)
    possible = max((row["possible"] for row in rows), default=0)
    table: list[list[Any]] = [
        ["Student", "ID", "SIS User ID", "Section", title],
        ["    Points Possible", "", "", "", possible],
    ]
    people = roster if roster is not None else [{"id": id} for id in sorted(chosen)]
    for person in people:
        row = chosen.get(person["id"])
        table.append(
            [
                person.get("name", person["id"]),
                person.get("canvas_id", person["id"]),
                person.get("sis_id", ""),
                person.get("section", ""),
                row["points"] if row else "",
            ]
        )
    return table


def gradescope(row: dict[str, Any]) -> dict[str, Any]:
    """Gradescope's results format: one test an exercise."""
    return {
        "score": row["points"],
        "output": row["status"],
        "visibility": "after_published",
        "tests": [
            {
                "name": f"{mark['id']} {mark['title']}",
                "score": mark["points"],
                "max_score": mark["possible"],
                "output": "\n\n".join(mark["feedback"]),
                "output_format": "text",
            }
            for mark in row["marks"]
        ],
    }


def _write_pages(rows: Sequence[dict[str, Any]], names: Sequence[str], out: Path) -> None:
    with needs("grading"):
        from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("attnbook.grading"), autoescape=True, undefined=StrictUndefined
    )
    template = environment.get_template("feedback.html")
    style_hash = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    for row, name in zip(rows, names, strict=True):
        page = template.render(
            row=row, style=STYLE, style_hash=style_hash, number=lambda v: f"{v:g}", known_error=known_error
        )
        write_atomically(out / "feedback" / f"{name}.html", page)


def known_error(report: dict[str, Any]) -> str:
    """The type of a cell's error, if Python knows it; a learner's own texts stay out of the page."""
    import builtins

    name = str(report.get("error", {}).get("type", ""))
    standard = getattr(builtins, name, None)
    known = isinstance(standard, type) and issubclass(standard, BaseException)
    return name if known or name in OWN_ERRORS else ""
