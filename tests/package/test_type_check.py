"""Type errors can only fall, and the rooms that have none keep none."""

import json

import type_check

NONE = {"nn", "worker", "grading", "training", "arguments", "files", "devices"}


def test_the_clean_rooms_have_no_allowance():
    allowed = json.loads(type_check.ALLOWED.read_text(encoding="utf-8"))
    assert not NONE & set(allowed)
    assert all(most > 0 for most in allowed.values())


def test_more_errors_than_allowed_are_named():
    (sentence,) = type_check.problems({"nn": 1, "data": 3}, {"data": 3})
    assert sentence == "nn: 1 type errors, at most 0 allowed; mend those that are new"


def test_fewer_errors_have_to_be_written_down():
    (sentence,) = type_check.problems({"data": 2}, {"data": 3})
    assert sentence.startswith("data: 2 type errors, 3 written down; run python tools/type_check.py --lower")
    assert type_check.problems({"data": 3}, {"data": 3}) == []


def test_lowering_never_raises():
    assert type_check.lowered({"data": 2, "nn": 5, "widgets": 9}, {"data": 3, "widgets": 4, "plots": 1}) == {
        "data": 2,
        "widgets": 4,
    }


def test_an_error_belongs_to_its_room():
    assert type_check.room({"file": str(type_check.SOURCE / "nn" / "checks" / "masks.py")}) == "nn"
    assert type_check.room({"file": str(type_check.SOURCE / "plots.py")}) == "plots"
