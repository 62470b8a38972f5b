"""What goes into grade books, held to the rules of the programs that read it and not to our own wishes."""

import csv
import io
import re

import pytest

from attnbook.grading import gradebooks
from attnbook.grading.reports import _table, write_all
from attnbook.grading.roster import Roster, read_roster


def row(id, points, **more):
    return {
        "file": f"{id}.ipynb",
        "id": id,
        "status": "graded",
        "points": points,
        "possible": 5,
        "marks": [],
        "flags": [],
        "cells": [],
        "isolation": "bubblewrap",
        "fingerprint": "",
        "seconds": 0.1,
        "counts": True,
        **more,
    }


def student_columns(header: list[str]) -> int | None:
    """How many columns describe a student, by the rule of Canvas's importer; None for "Invalid header row".

    ``update_column_count`` and ``header?`` of ``lib/gradebook_importer.rb`` in instructure/canvas-lms,
    without the columns for first and last names.
    """
    if not (len(header) > 3 and "Student" in header[0] and "ID" in header[1]):
        return None
    columns = 3
    if re.search(r"SIS\s+Login\s+ID", header[2]):
        columns += 1
    elif re.search(r"SIS\s+User\s+ID", header[2]) and re.search(r"SIS\s+Login\s+ID", header[3]):
        integration = 1 if re.search(r"Integration\s+ID", header[4]) else 0
        columns += 2 + integration
        if re.search(r"Root\s+Account", header[4 + integration]):
            columns += 1
    return columns if "Section" in header[columns - 1] else None


def imported(table: list[list]) -> dict[str, tuple[str, str]]:
    """What Canvas takes from a table: from each student's id to the assignment and the grade."""
    header, *rows = csv.reader(io.StringIO(_table(table)))
    columns = student_columns(header)
    assert columns is not None, f"Invalid header row: {header}"
    assert len(header) == columns + 1
    students = [row for row in rows if "Points Possible" not in row[0]]
    assert all(len(row) == len(header) for row in rows)
    return {row[1]: (header[-1], row[-1]) for row in students}


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("Student,ID,Section,A", 3),
        ("Student,ID,SIS Login ID,Section,A", 4),
        ("Student,ID,SIS User ID,SIS Login ID,Section,A", 5),
        ("Student,ID,SIS User ID,SIS Login ID,Integration ID,Section,A", 6),
        ("Student,ID,SIS User ID,Section,A", None),
        ("Student,ID,A", None),
    ],
)
def test_the_rule_is_canvass(header, columns):
    assert student_columns(header.split(",")) == columns


@pytest.mark.parametrize(
    "more",
    [{}, {"sis_id": "s1"}, {"sis_login_id": "ada"}, {"sis_id": "s1", "sis_login_id": "ada", "section": "A"}],
    ids=["plain", "sis", "login", "both"],
)
def test_canvas_takes_the_table(more):
    roster = Roster(
        [{"id": "ada", "name": "Lovelace, Ada", "canvas_id": "11", **more}, {"id": "ben", "canvas_id": "12"}]
    )
    rows = [row("ada", 1.5), row("ben", 2.0)]
    table = gradebooks.canvas(rows, "Week 2; part = 1", roster)
    assert imported(table) == {"11": ("Week 2; part = 1", "1.5"), "12": ("Week 2; part = 1", "2")}
    assert imported(gradebooks.canvas(rows, "W", None)) == {"ada": ("W", "1.5"), "ben": ("W", "2")}


def test_who_has_no_mark_is_left_out_of_every_grade_book(tmp_path):
    """An empty cell would be shown as a change, and a 0 would be one."""
    people = [{"id": id, "name": id} for id in ("ada", "ben", "cy", "dee")]
    rows = [
        row("ada", 1.5),
        row("ben", None, status="not graded: MemoryError in the grader; please report it"),
        row("cy", 5.0, counts=False),
        row("cy", 0.0, file="cy-2.ipynb"),
    ]
    roster = Roster(people)
    assert imported(gradebooks.canvas(rows, "W", roster)) == {"ada": ("W", "1.5"), "cy": ("W", "0")}
    assert [line[0] for line in gradebooks.plain(rows, roster)[1:]] == ["ada", "cy"]
    assert [line[1] for line in gradebooks.nbgrader(rows, "W")[1:]] == ["ada", "cy"]


def test_moodle_gets_its_own_worksheet_back(tmp_path):
    header = ["Identifier", "Full name", "Email address", "Status", "Grade", "Maximum Grade"]
    header += ["Grade can be changed", "Last modified (submission)", "Last modified (grade)"]
    sheet = tmp_path / "grades.csv"
    lines = [header, ["Participant 815", "Ada", "a@b", "Submitted", "", "5.00", "Yes", "Monday, 4 May", "-"]]
    lines.append(["Participant 816", "Ben", "b@b", "No submission", "", "5.00", "Yes", "-", "-"])
    with sheet.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened).writerows(lines)
    roster = read_roster(sheet)
    assert gradebooks.is_moodle(roster)
    write_all([row("815", 3.5)], tmp_path / "out", "W", roster)
    with (tmp_path / "out" / "moodle.csv").open(encoding="utf-8", newline="") as opened:
        written = list(csv.DictReader(opened))
    # What assignfeedback_offline_grade_importer looks for: these three columns, and a number after a word.
    assert {"Identifier", "Grade", "Last modified (grade)"} <= written[0].keys()
    assert [(one["Identifier"], one["Grade"]) for one in written] == [("Participant 815", "3.5")]
    assert written[0]["Last modified (submission)"] == "Monday, 4 May"
    assert written[0]["Last modified (grade)"] == "-", "what is not a grade comes back as it was"


@pytest.mark.parametrize(
    ("header", "maximum", "said"),
    [
        (["Identifier", "Grade", "Maximum Grade"], "5.00", False),
        (["Identifier", "Grade", "Maximum Grade"], "5,00", False),
        (["Identifier", "Grade", "Maximum Grade"], "100.00", True),
        (["Identifier", "Grade", "Maximum Grade"], "Satisfactory", True),
        (["Identifier", "Grade"], "", False),
        (["id", "Maximum Grade"], "100.00", False),  # no worksheet of Moodle's
    ],
)
def test_another_maximum_in_moodle_is_said(header, maximum, said):
    roster = Roster([{"id": "815"}], [], header, [{"Maximum Grade": maximum} if maximum else {}])
    told = gradebooks.other_maximum([row("815", 3.5, possible=5)], roster)
    assert bool(told) is said
    assert not said or f"worksheet is {maximum}, and the exercises have 5 points" in told
