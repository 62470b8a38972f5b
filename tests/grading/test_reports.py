"""Reports: right numbers in the right columns, and no text that does anything."""

import csv
import json

import pytest

from attnbook.grading.gradescope import results
from attnbook.grading.replies import MAX_NAMES, cell_error, cleaned
from attnbook.grading.reports import cell, file_names, write_all, write_atomically
from attnbook.grading.roster import Roster


def row(file, id, points=0.0, fingerprint="", feedback="Right.", flags=(), status="graded", **more):
    marks = [
        {
            "id": "2.3",
            "title": "Weights",
            "points": points or 0.0,
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
        **more,
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


def test_of_two_notebooks_of_one_person_one_has_a_mark_and_a_page(tmp_path):
    rows = [
        row("a.ipynb", "ada", 1.0, counts=True, others=1),
        row(
            "b.ipynb",
            "ada",
            None,
            counts=False,
            others=1,
            instead="a.ipynb",
            status="left aside: a.ipynb counts",
        ),
    ]
    written = write_all(rows, tmp_path, "Week 2", None)
    header, *lines = table(tmp_path / "grades.csv")
    assert [line[header.index("counts")] for line in lines] == ["yes", ""]
    assert [line[header.index("points")] for line in lines] == ["1", ""]
    assert written[0]["flags"] == ["2 files of this person: this one counts"]
    assert written[1]["flags"] == ["2 files of this person: a.ipynb counts"]
    assert [path.name for path in (tmp_path / "feedback").iterdir()] == ["ada.html"]
    assert [line[0] for line in table(tmp_path / "marks.csv")] == ["id", "ada"]


def test_ids_that_are_spelt_alike_are_flagged(tmp_path):
    written = write_all([row("a", "Ada"), row("b", "ada"), row("c", "cy")], tmp_path, "W", None)
    assert [len(one["flags"]) for one in written] == [1, 1, 0]


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
    assert "Code cell 3: it raised ValueError" in page


def test_a_page_says_whose_it_is_what_counts_and_code_as_code(tmp_path):
    one = row(
        "a.ipynb", "ada", 1.0, feedback="`x` is <b>odd</b>", name="Ada", time="2026-05-04 03:02:00", late=True
    )
    write_all([{**one, "others": 2, "instead": ""}], tmp_path, "Week 2", None)
    page = (tmp_path / "feedback" / "ada.html").read_text(encoding="utf-8")
    assert "<title>Week 2: feedback for Ada</title>" in page
    assert "<code>x</code> is &lt;b&gt;odd&lt;/b&gt;" in page
    assert "<code>a.ipynb</code>, of 2026-05-04 03:02:00, handed in late. You handed in 2 more." in page


def test_a_page_without_a_mark_gives_no_points(tmp_path):
    write_all([row("a.ipynb", "ada", None, status="unreadable: not JSON")], tmp_path, "W", None)
    page = (tmp_path / "feedback" / "ada.html").read_text(encoding="utf-8")
    assert "No mark yet" in page
    assert "of 2 points" not in page


def test_every_cell_of_a_table_is_quoted(tmp_path):
    """Where a semicolon separates columns, `x;=1+1` would be a formula of its own."""
    write_all([row("x;=1+1.ipynb", "x;=1+1")], tmp_path, "W", None)
    text = (tmp_path / "grades.csv").read_text(encoding="utf-8")
    assert all(line.startswith('"') and line.endswith('"') for line in text.splitlines())
    assert '"x;=1+1.ipynb"' in text


def test_file_names_are_safe_and_different():
    rows = [{"id": id} for id in ("../../etc/passwd", "a", "A", "a~2", "", "..", "a", "ä" * 200)]
    names = file_names(rows)
    assert len({name.lower() for name in names}) == len(rows)
    assert all("/" not in name and name.strip(".") for name in names)


def test_the_roster_gives_names_and_who_is_missing(tmp_path):
    roster = Roster([{"id": "ada", "name": "Lovelace, Ada"}, {"id": "ben", "name": "Ben"}])
    (written,) = write_all([row("a.ipynb", "ada", 1.5)], tmp_path, "Week 2", roster)
    assert written["name"] == "Lovelace, Ada"
    assert table(tmp_path / "missing.csv") == [["id", "name"], ["ben", "Ben"]]


def test_gradescope_has_a_test_an_exercise():
    result = results(row("a.ipynb", "ada", 1.5))
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
    assert list(tmp_path.iterdir()) == [path], "half a file was left behind"


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


@pytest.mark.parametrize("error", [None, 3, [], {"type": ["x"]}, {"type": 1.5, "message": {}, "where": 7}])
def test_an_error_of_any_form_becomes_three_plain_fields(error):
    kept = cell_error(error)
    assert kept == {"type": "an error of its own kind", "message": "", "where": []}


def test_an_error_is_as_long_as_there_is_room():
    kept = cell_error({"type": "ValueError", "message": "m" * 9999, "where": ["w" * 9999] * 99}, room=700)
    assert kept["type"] == "ValueError"
    assert len(kept["message"]) + sum(map(len, kept["where"])) == 700


def test_what_is_not_known_of_a_reply_is_dropped():
    many = {f"n{number}": [1] for number in range(9999)}
    kept = cleaned({"status": "state", "found": many, "more": "x", "gradients": many}, OneCase())
    assert kept.keys() == {"status", "found", "gradients", "mutated"}
    assert len(kept["found"]) <= MAX_NAMES
    assert kept["gradients"] == {}
