"""Whose a file is, by the names that course systems give.

A learner chooses the display name and the name of the file, and a course system chooses the numbers between
them. Where a name can be read in more than one way the roster decides, and without one the row says so.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# name_(LATE_)id_attachment_file. In a name Canvas keeps underscores, and digits at its end; its own numbers
# begin with no zero.
_CANVAS = re.compile(r"(?=_(?P<late>LATE_)?(?P<id>[1-9]\d*)_(?P<attachment>[1-9]\d*)_(?P<file>.+)$)")
ATTACHMENT = 5  # digits that the number of an upload has at the least, in a system that has been used a while
_ANONYMOUS = re.compile(r"^anon_(?P<id>[^_]+)_(?P<late>LATE_)?(?P<attachment>\d+)_(?P<file>.+)$")
_MOODLE = re.compile(r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_.*)?$")


@dataclass(frozen=True)
class Owner:
    """Whose a file is.

    Attributes
    ----------
    id : str
    name : str
        As the course system wrote it, or empty.
    late : bool
    doubt : str
        Why the id may be the wrong one; empty if there is no doubt.
    """

    id: str
    name: str = ""
    late: bool = False
    doubt: str = ""


def same_person(id: str) -> str:
    """What two spellings of one id have in common: accents as one character or two, and letter case."""
    return unicodedata.normalize("NFC", id).casefold().strip()


def owner_by_folder(folder: str, known: frozenset[str] = frozenset()) -> Owner:
    """Whose a learner's folder is: Moodle's, or the folder's name itself (nbgrader, GitHub Classroom)."""
    moodle = _MOODLE.match(folder)
    return Owner(moodle["id"], moodle["name"]) if moodle else Owner(folder)


def owner_by_file(name: str, stem: str, known: frozenset[str] = frozenset()) -> Owner:
    """Whose a file is that lies in no learner's folder.

    Parameters
    ----------
    name : str
        The file's name.
    stem : str
        The same without its ending: the id where no course system is recognised.
    known : frozenset of str
        The roster's ids, as :func:`same_person` gives them.
    """
    moodle = _MOODLE.match(stem)
    if moodle:
        return Owner(moodle["id"], moodle["name"])
    anonymous = _ANONYMOUS.match(name)
    if anonymous:
        return Owner(anonymous["id"], late=bool(anonymous["late"]))
    if same_person(stem) in known:
        return Owner(stem)
    readings = _canvas_readings(name)
    if len(readings) < 2:
        return readings[0] if readings else Owner(stem)
    in_roster = [reading for reading in readings if same_person(reading.id) in known]
    if len(in_roster) == 1:
        return in_roster[0]
    ids = ", ".join(reading.id for reading in in_roster or readings)
    doubt = f"its name can be read as that of {ids}: see whose it is"
    return Owner(stem, late=readings[0].late, doubt=doubt)


def _canvas_readings(name: str) -> list[Owner]:
    """The ways in which a name can be read as one that Canvas made; most have one."""
    found = [
        match
        for match in _CANVAS.finditer(name)
        if match.start() > 0 and not name[: match.start()].endswith("_LATE")
    ]
    likely = [match for match in found if len(match["attachment"]) >= ATTACHMENT] or found
    # A second reading begins one number later: the first one was the end of the person's name. What comes
    # after that stands in the name of the learner's own file.
    kept = [match for match in likely if match.start() < likely[0].start("attachment")]
    return [Owner(one["id"], name[: one.start()], bool(one["late"])) for one in kept]
