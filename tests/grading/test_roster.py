"""Rosters as people have them: what spreadsheets and course systems write is read, what is lost is said."""

import pytest

from attnbook.grading.roster import read_roster

LINES = "id,name\n4711,Ada Müller\n4712,Ben\n"
CANVAS = (
    "Student,ID,SIS User ID,SIS Login ID,Section,Week 1 (99)\n"
    "    Points Possible,,,,,10\n"
    '"Lovelace, Ada",4711,s1,ada,A,5\n'
    '"Student, Test",4799,,,A,\n'
)
MOODLE = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,"
    "Last modified (submission),Last modified (grade),Feedback comments\n"
    "Participant 815,Ada Lovelace,ada@example.org,Submitted for grading,,29.00,Yes,-,-,\n"
)
CLASSROOM = '"identifier","github_username","github_id","name"\n"ada@example.org","ada-l","12","Ada"\n'


def read(tmp_path, content):
    path = tmp_path / "roster.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_roster(path)


@pytest.mark.parametrize(
    "content",
    [
        LINES,
        LINES.replace("\n", "\r\n"),
        LINES.replace(",", ";"),
        LINES.replace(",", "\t"),
        "sep=;\n" + LINES.replace(",", ";"),
        "\n,\n" + LINES,
        LINES.replace("id,name", "ID,Name"),
        LINES.replace("id,name", "id , name"),
        LINES.encode("utf-8-sig"),
        LINES.encode("cp1252"),
        LINES.replace(",", "\t").encode("utf-16"),
        LINES.encode("utf-16-le"),
    ],
    ids=[
        "comma",
        "crlf",
        "semicolon",
        "tab",
        "sep",
        "blank",
        "case",
        "space",
        "bom",
        "cp1252",
        "utf16",
        "le",
    ],
)
def test_one_table_in_every_dress(tmp_path, content):
    people = read(tmp_path, content).people
    assert [(one["id"], one["name"]) for one in people] == [("4711", "Ada Müller"), ("4712", "Ben")]


def test_canvass_own_export(tmp_path):
    (ada,) = read(tmp_path, CANVAS).people
    wanted = {"id": "4711", "canvas_id": "4711", "sis_id": "s1", "sis_login_id": "ada", "section": "A"}
    assert wanted.items() <= ada.items()


def test_a_whole_number_from_a_column_of_decimals_is_the_number(tmp_path):
    people = read(tmp_path, "id,canvas_id\n4711.0,99.0\nv1.0,\n").people
    assert [(one["id"], one["canvas_id"]) for one in people] == [("4711", "99"), ("v1.0", "")]


def test_moodles_grading_worksheet(tmp_path):
    roster = read(tmp_path, MOODLE)
    assert [one["id"] for one in roster.people] == ["815"]
    assert roster.person("ada@example.org") == "815"


def test_github_classrooms_roster(tmp_path):
    roster = read(tmp_path, CLASSROOM)
    assert roster.person("week2-ada-l", prefix="week2-") == "ada@example.org"


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("id,name\n1,Ada\n1,Ben\n", "more than one line for 1"),
        ("id,name\n4.71E+11,Ada\n", "has rounded"),
        ("id,name\n04711,Ada\n4711,Ben\n", "differ in zeros"),
        ("id,name\nAda,Ada\nada,Ben\n", "more than one line for ada"),
    ],
)
def test_what_may_send_a_mark_astray_is_said(tmp_path, lines, words):
    assert words in " ".join(read(tmp_path, lines).warnings)
    assert read(tmp_path, LINES).warnings == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("name,id\nAda,\n", "line 2 has no id"),
        ("name\nAda\n", "needs a first line with the column id"),
        ("", "is empty"),
        ("id,name\n", "holds nobody"),
        (b"PK\x03\x04xlsx", "save it as CSV"),
    ],
)
def test_what_is_no_roster_is_one_sentence(tmp_path, content, words):
    with pytest.raises(ValueError, match=words):
        read(tmp_path, content)
