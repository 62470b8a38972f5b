"""Reports: right numbers in the right columns, and no text that does anything."""

import csv
import json

import pytest

from attnbook.grading.replies import cleaned
from attnbook.grading.reports import canvas, cell, file_names, gradescope, write_all, write_atomically


def row(file, id, points=0.0, fingerprint="", feedback="Right.", flags=(), status="graded"):
    marks = [
        {
            "id": "2.3",
            "title": "Weights",
            "points": points,
            "possible": 2,
            "feedback": [feedback],
            "named": [],
        }
    ]
    return {
        "file": file,
        "id": id,
        "status": status,
        "points": points,
        "possible": 2,
        "marks": marks,
        "flags": list(flags),
        "cells": [{"number": 3, "outcome": "raised", "error": {"type": "ValueError", "message": "m"}}],
        "isolation": "bubblewrap",
        "fingerprint": fingerprint,
        "seconds": 0.1,
    }


def table(path):
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.reader(opened))


def test_grades_have_a_row_a_file_and_a_column_an_exercise(tmp_path):
    write_all([row("a.ipynb", "ada", 2.0), row("b.ipynb", "ben", 0.5)], tmp_path, "Week 2", None)
    header, *rows = table(tmp_path / "grades.csv")
    assert [dict(zip(header, line, strict=True))["2.3"] for line in rows] == ["2", "0.5"]
    assert [dict(zip(header, line, strict=True))["points"] for line in rows] == ["2", "0.5"]
    assert len(json.loads((tmp_path / "grades.json").read_text(encoding="utf-8"))["rows"]) == 2


def test_one_id_twice_keeps_both_and_says_so(tmp_path):
    write_all([row("a.ipynb", "ada", 1.0), row("b.ipynb", "ada", 2.0)], tmp_path, "Week 2", None)
    header, *rows = table(tmp_path / "grades.csv")
    assert len(rows) == 2
    assert all("2 submissions with this id" in line[header.index("flags")] for line in rows)
    assert sorted(path.name for path in (tmp_path / "feedback").iterdir()) == ["ada.html", "ada~2.html"]
    assert table(tmp_path / "canvas.csv")[2][-1] == "2"  # the better one


def test_copied_code_is_flagged_and_not_punished(tmp_path):
    rows = [
        row("a.ipynb", "ada", 2.0, "same"),
        row("b.ipynb", "ben", 2.0, "same"),
        row("c.ipynb", "cy", 2.0, "own"),
    ]
    write_all(rows, tmp_path, "Week 2", None)
    stored = json.loads((tmp_path / "grades.json").read_text(encoding="utf-8"))["rows"]
    assert [one["flags"] for one in stored] == [["same code as ben"], ["same code as ada"], []]
    assert [one["points"] for one in stored] == [2.0, 2.0, 2.0]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_no_cell_is_a_formula(text):
    assert cell(text)[0] not in "=+-@\t\r"


def test_numbers_stay_numbers():
    assert cell(-1) == "-1"
    assert cell(0.5) == "0.5"


def test_texts_are_escaped_in_pages_and_pages_load_nothing(tmp_path):
    bad = "<script>alert(1)</script>\"'&"
    write_all([row(f"{bad}.ipynb", bad, 1.0, feedback=bad)], tmp_path, "Week 2", None)
    (page,) = (path.read_text(encoding="utf-8") for path in (tmp_path / "feedback").iterdir())
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "default-src 'none'" in page
    assert "Code cell 3: raised (ValueError)" in page


def test_file_names_are_safe_and_different():
    rows = [{"id": id} for id in ("../../etc/passwd", "a", "A", "a~2", "", "..", "a", "ä" * 200)]
    names = file_names(rows)
    assert len({name.lower() for name in names}) == len(rows)
    assert all("/" not in name and name.strip(".") for name in names)


def test_canvas_follows_the_roster(tmp_path):
    roster = [
        {"id": "ada", "name": "Lovelace, Ada", "canvas_id": "11", "sis_id": "s1", "section": "A"},
        {"id": "ben", "name": "Ben", "canvas_id": "12", "sis_id": "", "section": "A"},
    ]
    lines = canvas([row("a.ipynb", "ada", 1.5)], "Week 2", roster)
    assert lines[0] == ["Student", "ID", "SIS User ID", "Section", "Week 2"]
    assert lines[1][0].strip() == "Points Possible"
    assert lines[1][-1] == 2
    assert lines[2] == ["Lovelace, Ada", "11", "s1", "A", 1.5]
    assert lines[3] == ["Ben", "12", "", "A", ""]
    write_all([row("a.ipynb", "ada", 1.5)], tmp_path, "Week 2", roster)
    assert table(tmp_path / "missing.csv") == [["id", "name"], ["ben", "Ben"]]


def test_gradescope_has_a_test_an_exercise():
    result = gradescope(row("a.ipynb", "ada", 1.5))
    assert result["score"] == 1.5
    assert result["tests"][0]["max_score"] == 2
    assert result["tests"][0]["output"] == "Right."


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "grades.csv"
    write_atomically(path, "old")
    monkeypatch.setattr("pathlib.Path.replace", lambda *a: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, "new")
    assert path.read_text(encoding="utf-8") == "old"


class OneCase:
    state = None


@pytest.mark.parametrize(
    "reply",
    [
        {"status": "raised", "error": {"type": "LEAK", "message": "LEAK", "where": ["LEAK"]}},
        {"status": "not callable", "kind": "LEAK"},
        {"status": "signature", "parameters": "LEAK"},
        {"status": "state", "found": {"LEAK": [1, "LEAK"]}},
        {"status": "returned", "value": None, "device": "LEAK", "mutated": ["LEAK"]},
        {"status": "LEAK"},
        {"status": "returned", "gradients": "LEAK"},
    ],
)
def test_no_text_of_the_learners_code_survives_cleaning(reply):
    assert "LEAK" not in str(cleaned(reply, OneCase()))
