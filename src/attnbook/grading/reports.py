"""What an instructor and a learner get: tables, a page a person, and files for grade books.

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
from datetime import datetime
from pathlib import Path
from typing import Any

from attnbook.extras import needs
from attnbook.grading import gradebooks
from attnbook.grading.identity import same_person
from attnbook.grading.roster import Roster
from attnbook.grading.submissions import Submission
from attnbook.grading.telling import why

with needs("grading"):
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup, escape

STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.5 system-ui,sans-serif;margin:0}"
    "main{max-width:44rem;margin:0 auto;padding:1rem}h1{font-size:1.6rem}"
    "h2{font-size:1.1rem;margin:1.5rem 0 .3rem}"
    "h2 span{font-weight:400}.total{font-size:1.3rem}code{overflow-wrap:anywhere}"
    "section{border-top:1px solid #8888}p{margin:.4rem 0}"
)
MOST_CELLS = 20  # that a page names of those which did not run
_FORMULA = re.compile(r"^\s*[=+\-@＝＋－＠\t\r]")  # wide signs too


def write_atomically(path: Path, text: str) -> None:
    """A reader of ``path`` sees the old text or the new one, never half of one, and no part file stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        temporary.write_text(text, encoding="utf-8", newline="", errors="backslashreplace")
        temporary.replace(path)
    except BaseException:  # a full disk, say
        temporary.unlink(missing_ok=True)
        raise


def cell(value: Any) -> str:
    """A value as a table's cell that no spreadsheet takes for a formula."""
    text = "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    text = "".join(character if character.isprintable() else " " for character in text)
    harmless = isinstance(value, int | float) or text == "-"  # as a table of Moodle's has it for no time
    return f"'{text}" if _FORMULA.match(text) and not harmless else text


def _table(rows: Sequence[Sequence[Any]]) -> str:
    buffer = io.StringIO()
    # Every cell is quoted: where a semicolon separates columns, one in a name would begin a cell of its own.
    writer = csv.writer(buffer, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerows([[cell(value) for value in row] for row in rows])
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


# What a row says of its file, where nothing else is known.
OF_THE_FILE = {
    "name": "",
    "time": "",
    "late": False,
    "counts": True,
    "others": 0,
    "instead": "",
    "doubt": "",
}


def described(row: dict[str, Any], submission: Submission) -> dict[str, Any]:
    """A row with what is known of its file: whose it is, when it came, whether it counts."""
    when = submission.time
    return {
        **row,
        "id": submission.id,
        "name": submission.name,
        "time": datetime.fromtimestamp(when).isoformat(" ", "seconds") if when > 0 else "",
        "late": submission.late,
        "counts": submission.counts,
        "others": submission.others,
        "instead": submission.instead,
        "doubt": submission.doubt,
    }


def add_shared_flags(rows: list[dict[str, Any]], roster: Roster | None = None) -> None:
    """Flags that need all rows: several files of one person, the same code under different ids, nobody of the
    roster."""
    people = {person["id"] for person in roster.people} if roster else set()
    spellings: dict[str, set[str]] = {}
    owners: dict[str, set[str]] = {}
    for row in rows:
        spellings.setdefault(same_person(row["id"]), set()).add(row["id"])
        if row["fingerprint"]:
            owners.setdefault(row["fingerprint"], set()).add(row["id"])
    for row in rows:
        new = []
        if row.get("others"):
            which = "this one" if row["counts"] else row["instead"]
            new.append(f"{row['others'] + 1} files of this person: {which} counts")
        if people and row["id"] not in people:
            new.append("not in the roster")
        if row.get("doubt"):
            new.append(row["doubt"])
        twins = sorted(spellings[same_person(row["id"])] - {row["id"]})
        if twins:
            new.append(f"another id is spelt almost alike: {', '.join(twins[:5])}")
        copies = sorted(owners.get(row["fingerprint"], set()) - {row["id"]})
        if copies:
            new.append(f"same code as {', '.join(copies[:5])}")
        row["flags"] = [*row["flags"], *new]


def write_all(
    rows: list[dict[str, Any]], out: Path, title: str, roster: Roster | None
) -> list[dict[str, Any]]:
    """Write every report below ``out``, and return the rows with all their flags.

    Files: ``grades.csv``, ``grades.json``, ``feedback/<id>.html`` for each file that counts, tables for grade
    books, and with a roster ``missing.csv``. Pages of submissions that an earlier run reported and that are
    gone now are removed.
    """
    rows = [{**OF_THE_FILE, **row} for row in rows]
    add_shared_flags(rows, roster)
    names = {person["id"]: person.get("name", "") for person in roster.people} if roster else {}
    for row in rows:
        row["name"] = names.get(row["id"]) or row["name"]
    counting = [row for row in rows if row["counts"]]
    pages = file_names(counting)
    page_of = {row["file"]: f"feedback/{page}.html" for row, page in zip(counting, pages, strict=True)}
    gone = _reported_before(out) - set(pages)
    _write_pages(counting, pages, out, title)
    write_atomically(out / "grades.json", json.dumps({"title": title, "rows": rows}, indent=1))
    write_atomically(out / "grades.csv", _table(_grades(rows, page_of)))
    for name, table in _grade_books(rows, title, roster).items():
        write_atomically(out / name, _table(table))
    if roster is not None:
        there = {row["id"] for row in rows}
        absent = [[one["id"], one.get("name", "")] for one in roster.people if one["id"] not in there]
        write_atomically(out / "missing.csv", _table([["id", "name"], *absent]))
    for name in gone:
        (out / "feedback" / f"{name}.html").unlink(missing_ok=True)
    return rows


def _grades(rows: Sequence[dict[str, Any]], page_of: dict[str, str]) -> list[list[Any]]:
    """The instructor's table: a line a file, a column an exercise."""
    exercises = list(dict.fromkeys(mark["id"] for row in rows for mark in row["marks"]))
    columns = ["file", "id", "name", "counts", "points", "possible", "status", "late", "time"]
    table: list[list[Any]] = [[*columns, "flags", "isolation", "seconds", "feedback", *exercises]]
    for row in rows:
        shown = {**row, "counts": _yes(row["counts"]), "late": _yes(row["late"])}
        earned = {mark["id"]: mark["points"] for mark in row["marks"]}
        table.append(
            [
                *(shown[column] for column in columns),
                "; ".join(row["flags"]),
                *(row["isolation"], row["seconds"], page_of.get(row["file"], "")),
                *(earned.get(exercise, "") for exercise in exercises),
            ]
        )
    return table


def _yes(value: bool) -> str:
    return "yes" if value else ""


def _grade_books(rows: list[dict[str, Any]], title: str, roster: Roster | None) -> dict[str, list[list[Any]]]:
    """From the names of files to their tables."""
    tables = {
        "canvas.csv": gradebooks.canvas(rows, title, roster),
        "nbgrader.csv": gradebooks.nbgrader(rows, title),
        "marks.csv": gradebooks.plain(rows, roster),
    }
    if roster is not None and gradebooks.is_moodle(roster):
        tables["moodle.csv"] = gradebooks.moodle(rows, roster)
    return tables


def _reported_before(out: Path) -> set[str]:
    """The names of the pages that the stored ``grades.json`` stands for; none if it cannot be read."""
    try:
        stored = json.loads((out / "grades.json").read_text(encoding="utf-8"))["rows"]
        return set(file_names([row for row in stored if row.get("counts", True)]))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return set()


def _write_pages(rows: Sequence[dict[str, Any]], names: Sequence[str], out: Path, title: str) -> None:
    environment = Environment(
        loader=PackageLoader("attnbook.grading"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["marked_up"] = marked_up
    template = environment.get_template("feedback.html")
    style_hash = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    for row, name in zip(rows, names, strict=True):
        broken = [(cell["number"], why(cell)) for cell in row["cells"] if cell["outcome"] != "done"]
        page = template.render(
            row=row,
            title=title,
            broken=broken[:MOST_CELLS],
            unsaid=max(0, len(broken) - MOST_CELLS),
            style=STYLE,
            style_hash=style_hash,
            number=lambda value: f"{value:g}",
        )
        write_atomically(out / "feedback" / f"{name}.html", page)


def marked_up(text: str) -> Markup:
    """Escaped text in which what stands between backticks is shown as code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    pieces = [
        Markup("<code>{}</code>").format(part) if odd % 2 else escape(part) for odd, part in enumerate(parts)
    ]
    return Markup("").join(pieces)
