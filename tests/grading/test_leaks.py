"""Feedback says what prepared sentences say, and nothing that code chose after it saw the inputs."""

import pytest
import torch

from attnbook.exercises import judge
from attnbook.exercises.registry import exercise, exercises
from attnbook.exercises.spec import Module
from attnbook.grading.replies import cleaned, without_quotes
from attnbook.worker.values import Foreign

SECRET = 424242
RETURNED = [
    SECRET,
    str(SECRET),
    float(SECRET),
    [torch.zeros(1)] * 4242,
    ("x",) * 4242,
    {str(SECRET): SECRET},
    torch.empty(0, SECRET),
    torch.tensor(SECRET),
    torch.tensor(SECRET, dtype=torch.bool),
    Foreign(str(SECRET)),
    [Foreign(str(SECRET))] * 2,
    10**600 + SECRET,
    [[str(SECRET)]] * 2,
]


@pytest.mark.parametrize("value", RETURNED, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize("one", exercises(), ids=lambda one: one.id)
def test_nothing_that_is_returned_is_quoted(one, value):
    cases = one.make_cases(3)
    replies = [cleaned({"status": "returned", "value": value, "mutated": []}, case) for case in cases]
    try:
        verdict = judge.judge(one, cases, replies, diagnose=False)
    except (OverflowError, ValueError):  # `marks` turns this into a sentence of its own
        return
    text = " ".join(without_quotes(one, verdict))
    assert "4242" not in text
    assert text


def test_parameters_are_neither_named_nor_counted():
    one = next(one for one in exercises() if isinstance(one, Module))
    (case, *_) = one.make_cases(3)
    few = cleaned({"status": "state", "found": {"a": [1]}}, case)
    many = cleaned({"status": "state", "found": {f"SECRET{n}": [n] for n in range(99)}}, case)
    texts = [
        without_quotes(one, judge.judge(one, [case], [reply], diagnose=False))[0] for reply in (few, many)
    ]
    assert texts[0] == texts[1]
    assert "another parameter" in texts[0]


@pytest.mark.parametrize("status", [["returned"], {"returned": 1}, None, 3, torch.tensor(1)])
def test_a_status_of_any_kind_is_no_crash(status):
    (case, *_) = exercise("2.3").make_cases(3)
    assert cleaned({"status": status}, case)["status"] == "raised"
