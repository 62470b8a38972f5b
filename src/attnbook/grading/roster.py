"""Who is in a course: a table as people have it, from a spreadsheet or out of a course system."""

from __future__ import annotations

import csv
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from attnbook.grading.identity import same_person

# What the columns of other systems are called here. The first that a table has is taken.
COLUMNS = {
    "id": (
        "id",
        "identifier",
        "user id",
        "student id",
        "username",
        "roster_identifier",
        "email",
        "email address",
    ),
    "name": ("name", "student", "full name", "student name"),
    "first": ("first name", "first_name"),
    "last": ("surname", "last name", "last_name"),
    "canvas_id": ("canvas_id", "canvas id"),
    "sis_id": ("sis_id", "sis user id"),
    "sis_login_id": ("sis_login_id", "sis login id"),
    "section": ("section",),
    "github": ("github_username",),
    "email": ("email", "email address", "e-mail"),
}
_WITH_ZERO = re.compile(r"^(\d+)[.,]0$")  # a whole number that went through a column of decimal ones
_DESTROYED = re.compile(r"^\d[.,]\d+E\+?\d+$", re.IGNORECASE)
_MOODLE_ID = re.compile(r"^(?:participant|teilnehmer/in|teilnehmer|participante?)\s*(\d+)$", re.IGNORECASE)
ENCODINGS = ("utf-8-sig", "cp1252")


@dataclass
class Roster:
    """The people of a course, in the order of the table.

    Attributes
    ----------
    people : list of dict
        With ``id``, and what else the table had: ``name``, ``canvas_id``, ``sis_id``, ``sis_login_id``,
        ``section``.
    warnings : list of str
        What an instructor should know about the table.
    header, rows : list
        The table as it was, for grade books that want their own table back.
    """

    people: list[dict[str, str]]
    warnings: list[str] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    rows: list[dict[str, str]] = field(default_factory=list)

    def known(self) -> frozenset[str]:
        """All ids, in the spelling in which they are compared."""
        return frozenset(self._aliases())

    def person(self, id: str, prefix: str = "") -> str:
        """The id in the roster of the person whom a submission calls ``id``; empty if there is none, or two.

        The roster's other columns count too: Canvas's id, a login, an e-mail address, a name on GitHub, with
        ``prefix`` taken away, which is the assignment's name there. Accents in one character or two, letter
        case, and zeros at the beginning make no difference where only one person is meant.
        """
        aliases = self._aliases()
        spellings = [same_person(id)]
        if prefix and id.startswith(prefix):
            spellings.append(same_person(id[len(prefix) :]))
        for spelling in spellings:
            meant = aliases.get(spelling) or {
                theirs
                for alias, people in aliases.items()
                if spelling.isdigit() and alias.isdigit() and int(alias) == int(spelling)
                for theirs in people
            }
            if meant:
                return next(iter(meant)) if len(meant) == 1 else ""
        return ""

    def _aliases(self) -> dict[str, set[str]]:
        """Whom each name stands for; a person's id comes before what others call themselves."""
        ids = {same_person(person["id"]): {person["id"]} for person in self.people}
        other: dict[str, set[str]] = {}
        for person in self.people:
            for column in ("canvas_id", "sis_id", "sis_login_id", "email", "github"):
                if person.get(column):
                    other.setdefault(same_person(person[column]), set()).add(person["id"])
        return {**other, **ids}


def read_roster(path: Path) -> Roster:
    """Read a table with a column ``id``.

    Commas, semicolons or tabs; UTF-8, UTF-16 or the encoding of western Windows; a first line ``sep=;``;
    column names in any case. The exports of Canvas's grade book, Moodle's grading worksheet and GitHub
    Classroom's roster are read as they are.

    Raises
    ------
    ValueError
        If the file cannot be read or nobody's id is in it.
    """
    lines = _text(path).splitlines()
    separator = ""
    if lines and lines[0].lower().startswith("sep="):
        separator = lines.pop(0)[4:5]
    while lines and not lines[0].strip(" ,;\t"):
        lines.pop(0)
    if not lines:
        raise ValueError(f"--roster: {path} is empty")
    separator = separator or max(";\t,", key=lines[0].count)
    try:
        table = list(csv.reader(lines, delimiter=separator))
    except csv.Error as error:
        raise ValueError(f"--roster: {path} cannot be read ({error})") from None
    header = [name.strip().lstrip("﻿") for name in table[0]]
    rows = [
        dict(zip(header, (value.strip() for value in row), strict=False)) for row in table[1:] if any(row)
    ]
    return Roster(*_people(path, header, rows), header, rows)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"--roster: {path} cannot be read ({error.strerror})") from None
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", "replace")
    if content[:4].count(b"\0") >= 2:
        return content.decode("utf-16-be" if content[:1] == b"\0" else "utf-16-le", "replace")
    if content[:4] in (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"):
        raise ValueError(f"--roster: {path} is a spreadsheet's own file; save it as CSV")
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _people(
    path: Path, header: list[str], rows: list[dict[str, str]]
) -> tuple[list[dict[str, str]], list[str]]:
    columns = _columns(header)
    if "id" not in columns:
        raise ValueError(
            f"--roster: {path} needs a first line with the column id, and a line a person; its first line is "
            + (", ".join(name for name in header if name)[:200] or "nothing")
        )
    people = []
    for number, row in enumerate(rows, start=2):
        person = {name: row.get(column, "") for name, column in columns.items()}
        for column in {"id", "canvas_id"} & set(person):
            person[column] = _WITH_ZERO.sub(r"\1", person[column])
        person["line"] = str(number - 2)
        if _not_a_person(row, person):
            continue
        moodle = _MOODLE_ID.match(person["id"])
        person["id"] = moodle[1] if moodle else person["id"]
        if not person["id"]:
            raise ValueError(f"--roster: {path}, line {number} has no id")
        if not person.get("name"):
            person["name"] = " ".join(filter(None, (person.pop("first", ""), person.pop("last", ""))))
        if "SIS Login ID" in header and "Student" in header:  # Canvas's own export: its ID is Canvas's
            person["canvas_id"] = person["id"]
        people.append(person)
    if not people:
        raise ValueError(f"--roster: {path} holds nobody: a line a person is needed below the first")
    return people, _warnings(people)


def _columns(header: list[str]) -> dict[str, str]:
    """From our names to the table's."""
    there = {name.casefold(): name for name in reversed(header)}
    return {
        ours: next(there[name] for name in names if name in there)
        for ours, names in COLUMNS.items()
        if any(name in there for name in names)
    }


def _not_a_person(row: dict[str, str], person: dict[str, str]) -> bool:
    """An empty line, or a line of Canvas's export that holds no person."""
    if not any(row.values()):
        return True
    name = person.get("name", "").strip()
    test_student = name.casefold() in ("student, test", "test student") and not person.get("sis_login_id")
    canvas_line = name == "Points Possible" or (not name and not person["id"] and "Student" in row)
    return canvas_line or (test_student and "Student" in row)


def _warnings(people: list[dict[str, str]]) -> list[str]:
    """What is wrong with ids so that marks might go astray."""
    ids = Counter(same_person(person["id"]) for person in people)
    twice = [id for id, number in ids.items() if number > 1]
    sentences = []
    if twice:
        sentences.append(f"the roster has more than one line for {_some(twice)}: each gets the same mark")
    destroyed = [person["id"] for person in people if _DESTROYED.match(person["id"])]
    if destroyed:
        sentences.append(
            f"the roster's id {_some(destroyed)} is a number that a spreadsheet has rounded; "
            "write the ids as text"
        )
    bare = Counter(id.lstrip("0") for id in ids if id.isdigit())
    zeros = [id for id in ids if id.isdigit() and bare[id.lstrip("0")] > 1]
    if zeros:
        sentences.append(f"the roster's ids {_some(zeros)} differ in zeros at the beginning alone")
    return sentences


def _some(values: list[str]) -> str:
    return ", ".join(values[:5]) + (f" and {len(values) - 5} more" if len(values) > 5 else "")
