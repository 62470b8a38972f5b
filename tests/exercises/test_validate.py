"""``validate`` says in a sentence what is wrong with an exercise."""

from dataclasses import replace

import pytest
import torch
from test_mistakes import POWER, SIGN, spec

from attnbook.exercises import exercise
from attnbook.exercises.spec import (
    Case,
    Choice,
    Mistakes,
    Nearby,
    Output,
    Prediction,
    Property,
    Wrong,
    validate,
)

WORDS = "A sentence."


def test_a_whole_exercise_has_no_fault():
    assert validate(spec()) == []


def cube(x, *, power=3, sign=SIGN.right):
    return sign * x**power


def drifting():
    count = torch.zeros(4)

    def cases(draw):
        count.add_(1)
        return [Case({"x": count.clone()})]

    return cases


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"id": "one"}, 'id: "one" is not chapter.number'),
        ({"title": " "}, "title: it is empty"),
        ({"points": 1.5}, "points: a whole number of at least 1 was expected, got 1.5."),
        ({"minutes": 0}, "minutes: a whole number of at least 1 was expected, got 0."),
        ({"time_limit": 0}, "time_limit: seconds above 0"),
        ({"difficulty": "simple"}, 'difficulty: "simple" is none of easy, medium, hard.'),
        ({"hints": ()}, "hints: there is none"),
        ({"hints": ("One.", "")}, "hints: number 2 is empty."),
        ({"signature": "(x)"}, "does not begin with the name"),
        ({"signature": "square"}, 'signature: "square" cannot be called'),
        ({"signature": "square(x, y)"}, "signature: it has the parameters (x, y), the reference (x)."),
        ({"reference": cube}, 'the default of the keyword "power" should be the family\'s `right`.'),
        ({"mistakes": (POWER.under("to"), SIGN)}, 'the reference takes no keyword "to"'),
        ({"mistakes": (POWER, POWER)}, 'two families have the switch "power"'),
        ({"mistakes": (POWER.only(), SIGN)}, 'the family "power" holds no mistake.'),
        ({"mistakes": (POWER.also(same=Wrong(2, WORDS)),)}, '"power", "same" has the right code'),
        ({"mistakes": (POWER.reworded(none="no power"),)}, '"power", "none" has no whole sentence'),
        ({"together": 3}, "together: from 1 to the number of families, 2; got 3."),
        ({"meaningless": ((Wrong(0, "Not of these."), SIGN),)}, 'the mistake "Not of these.…" is none of'),
        ({"possible": lambda switches: "sign" not in switches}, '"sign", "minus" is in no combination'),
        ({"outputs": ()}, "outputs: there is none"),
        ({"outputs": (Output("x", ("n",), "array"),)}, 'outputs: the kind "array" of x is none of'),
        ({"outputs": (Output("x", ("n", "m")),)}, "x has 1 dimensions, and 2 are named. (Case 1 of seed 0.)"),
        ({"cases": lambda draw: []}, "cases: there is none."),
        ({"cases": lambda draw: 1 / 0}, "cases: seed 0 raises ZeroDivisionError"),
        ({"cases": lambda draw: [Case({"x": torch.ones(2)}, group="odd")]}, 'the group "odd" is none of'),
        ({"cases": lambda draw: [Case({"x": torch.ones(2)}, group="mask")]}, 'be of the group "plain"'),
        ({"cases": lambda draw: [Case({"y": torch.ones(2)})]}, "the arguments are (y), the reference's (x)."),
        ({"cases": drifting()}, "the same seed gives other inputs the second time"),
        ({"cases": lambda draw: [Case({"x": "two"})]}, "reference: it raises TypeError"),
        ({"cases": lambda draw: [Case({"x": 2})]}, "squared should be a tensor and is int."),
        (
            {"cases": lambda draw: [Case({"x": draw.normal(3, 3)})], "outputs": (Output("x", ("n", "m")),)},
            "two dimensions of x have one size, (3, 3)",
        ),
        (
            {"properties": (Property("it is negative", lambda args, found: found["squared"].max() < 0),)},
            'properties: "it is negative" does not hold for the reference.',
        ),
    ],
)  # fmt: skip
def test_each_fault_has_its_sentence(changes, sentence):
    found = validate(spec(**changes))
    assert any(sentence in problem for problem in found), found
    assert all(problem.startswith(f"{changes.get('id', '1.1')}: ") for problem in found)


def test_a_modules_cases_need_their_state():
    whole = exercise("10.6")
    assert validate(whole) == []
    bare = replace(whole, cases=lambda draw: [replace(case, state=None) for case in whole.cases(draw)])
    assert "needs init, state and cotangents" in validate(bare)[0]


def value(kind, **changes):
    fields = {"id": "1.2", "title": "A value", "points": 1, "minutes": 3, "difficulty": "easy"}
    return kind(**{**fields, "signature": "share = 0.5", "hints": ("Think.",), **changes})


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (value(Prediction, reference=lambda: "half"), "`share` should be a single number"),
        (value(Prediction, reference=lambda: 1 / 0), "reference: it raises ZeroDivisionError"),
        (
            value(Prediction, reference=lambda: 0.5, tolerance=0.1, nearby=(Nearby(0.55, WORDS),)),
            "nearby: 0.55 counts as right; the tolerance is 0.1.",
        ),
        (
            value(Prediction, reference=lambda: 0.5, nearby=(Nearby(0.6, "too high"),)),
            "nearby: 0.6 has no whole sentence as its text.",
        ),
        (
            value(Choice, reference=lambda: "a", nearby=(Nearby("b", WORDS), Nearby("b", WORDS))),
            'nearby: "b" is the right option, or stands twice.',
        ),
    ],
)
def test_a_value_is_checked_too(wrong, sentence):
    assert any(sentence in problem for problem in validate(wrong)), validate(wrong)


def test_a_family_that_names_a_keyword_with_a_place_is_refused():
    def by_position(x, power=POWER.right):
        return x**power

    found = validate(spec(reference=by_position, mistakes=(Mistakes("power", right=2, **POWER.wrongs),)))
    assert any('takes no keyword "power"' in problem for problem in found)
