"""Tables for the grade books of course systems.

A person without a mark is left out of every table: an empty cell would take away a mark that is there
already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attnbook.grading.roster import Roster

Rows = Sequence[dict[str, Any]]
Table = list[list[Any]]


def marks(rows: Rows) -> dict[str, dict[str, Any]]:
    """The row that counts for each id, where it has points."""
    return {row["id"]: row for row in rows if row["points"] is not None and row.get("counts", True)}


def _people(rows: Rows, roster: Roster | None) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Each person with a mark, and the row of the mark: the roster's people, or all there are without one."""
    there = marks(rows)
    people = roster.people if roster is not None else [{"id": id} for id in sorted(there)]
    return [(person, there[person["id"]]) for person in people if person["id"] in there]


def possible(rows: Rows) -> Any:
    """Points that could be had."""
    return max((row["possible"] for row in rows), default=0)


def canvas(rows: Rows, title: str, roster: Roster | None) -> Table:
    """What Canvas imports under *Grades*: its second line gives the points possible.

    The columns before the assignment's are ``Student, ID, Section``; with SIS ids both of them, since Canvas
    refuses ``SIS User ID`` without ``SIS Login ID``.
    """
    people = _people(rows, roster)
    columns = [("ID", "canvas_id")]
    if any(person.get("sis_id") or person.get("sis_login_id") for person, _ in people):
        columns += [("SIS User ID", "sis_id"), ("SIS Login ID", "sis_login_id")]
    columns.append(("Section", "section"))
    table: Table = [
        ["Student", *(header for header, _ in columns), title],
        ["    Points Possible", *("" for _ in columns), possible(rows)],
    ]
    for person, row in people:
        values = [person.get(name, person["id"] if name == "canvas_id" else "") for _, name in columns]
        table.append([person.get("name") or person["id"], *values, row["points"]])
    return table


def moodle(rows: Rows, roster: Roster) -> Table:
    """Moodle's own grading worksheet, with the grades filled in.

    The worksheet is the roster: *Submissions → Download grading worksheet*. Moodle reads the columns
    ``Identifier``, ``Grade`` and ``Last modified (grade)``; the others come back as they were.
    """
    there = marks(rows)
    table: Table = [list(roster.header)]
    by_id = {person["line"]: person["id"] for person in roster.people}
    for number, line in enumerate(roster.rows):
        row = there.get(by_id.get(str(number), ""))
        if row is None:
            continue
        filled = dict(line)
        filled["Grade"] = f"{row['points']:g}"
        table.append([filled.get(name, "") for name in roster.header])
    return table


def is_moodle(roster: Roster | None) -> bool:
    """Whether the roster is a grading worksheet of Moodle's."""
    return roster is not None and {"Identifier", "Grade"} <= set(roster.header)


def other_maximum(rows: Rows, roster: Roster | None) -> str:
    """A sentence where Moodle's assignment has another maximum than the exercises; empty where it fits."""
    if roster is None or not is_moodle(roster) or not roster.rows:
        return ""
    said = roster.rows[0].get("Maximum Grade", "").strip()
    try:
        fits = not said or float(said.replace(",", ".")) == possible(rows)
    except ValueError:  # a scale of words
        fits = False
    if fits:
        return ""
    return (
        f"the maximum grade in Moodle's worksheet is {said}, and the exercises have {possible(rows):g} "
        "points: points are not converted, so set the assignment's maximum grade before you upload"
    )


def nbgrader(rows: Rows, title: str) -> Table:
    """The columns of ``nbgrader export``: a line a person and assignment."""
    table: Table = [
        ["assignment", "student_id", "raw_score", "late_submission_penalty", "score", "max_score"]
    ]
    for id, row in sorted(marks(rows).items()):
        table.append([title, id, row["points"], 0, row["points"], row["possible"]])
    return table


def plain(rows: Rows, roster: Roster | None) -> Table:
    """Id, name, points, points possible: for every other grade book."""
    table: Table = [["id", "name", "points", "possible"]]
    for person, row in _people(rows, roster):
        table.append([person["id"], person.get("name", ""), row["points"], row["possible"]])
    return table
