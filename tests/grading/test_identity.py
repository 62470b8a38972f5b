"""Whose a submission is: what a learner can choose does not decide it where the roster can."""

import unicodedata

import pytest

from attnbook.grading.identity import owner_by_file, owner_by_folder
from attnbook.grading.roster import Roster
from attnbook.grading.submissions import common_prefix


def whose(name, known=()):
    owner = owner_by_file(name, name.removesuffix(".ipynb"), frozenset(known))
    return owner.id, owner.doubt != ""


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("lovelaceada_4711_99001_work.ipynb", "4711"),
        ("lovelaceada_LATE_4711_99001_work.ipynb", "4711"),
        ("O_Neil_4720_99011_work.ipynb", "4720"),
        ("ada_4711_99001_02_attention_as_lookup.ipynb", "4711"),
        ("ada_4711_99001_2_more.ipynb", "4711"),
        ("x_4711_4720_99011_work.ipynb", "4720"),
        ("x_4711_LATE_4720_99011_work.ipynb", "4720"),
        ("eve_4720_99011_4711_99012_x.ipynb", "4720"),
        ("anon_Ab3x9_99009_work.ipynb", "Ab3x9"),
        ("Ada Lovelace_815_assignsubmission_file_work.ipynb", "815"),
        ("ada.ipynb", "ada"),
        ("week_2.ipynb", "week_2"),
    ],
)
def test_names_that_can_be_read_in_one_way(name, id):
    assert whose(name) == (id, False)


def test_a_name_that_can_be_read_in_two_ways_is_nobodys_until_the_roster_decides():
    name = "x_104711_104720_99011_work.ipynb"  # a learner who calls himself x_104711
    assert whose(name) == ("x_104711_104720_99011_work", True)
    assert whose(name, {"104711", "104720"}) == ("x_104711_104720_99011_work", True)
    assert whose(name, {"104720"}) == ("104720", False)


def test_moodles_folders_and_others():
    assert owner_by_folder("Ada Lovelace_815_assignsubmission_file_").id == "815"
    assert owner_by_folder("week2-ada").id == "week2-ada"


PEOPLE = Roster(
    [
        {"id": unicodedata.normalize("NFC", "josé"), "email": "jose@example.org"},
        {"id": "04711", "canvas_id": "12"},
        {"id": "Ada", "github": "ada-l"},
        {"id": "ben", "github": "l"},
    ]
)


@pytest.mark.parametrize(
    ("said", "id"),
    [
        (unicodedata.normalize("NFD", "josé"), "josé"),
        ("JOSE@example.org", "josé"),
        ("4711", "04711"),
        ("12", "04711"),
        ("ada", "Ada"),
        ("week2-ada-l", "Ada"),
        ("week2-l", "ben"),
        ("week2-nobody", ""),
        ("13", ""),
    ],
)
def test_the_roster_knows_people_by_all_their_names(said, id):
    assert PEOPLE.person(said, prefix="week2-") == id


def test_a_name_that_two_people_have_is_nobodys():
    two = Roster([{"id": "a", "email": "x@y"}, {"id": "b", "email": "x@y"}])
    assert two.person("x@y") == ""


def test_the_assignment_before_names_of_repositories():
    assert common_prefix(["week2-anna", "week2-andy"]) == "week2-"
    assert common_prefix(["week2-ada"]) == ""
    assert common_prefix(["ada", "ben"]) == ""
