"""Chapter 0: its exercises are of several kinds, and its self-test sends readers to sections that exist."""

import re

import nbformat
import pytest

from attnbook.exercises import check, exercises
from attnbook.exercises.self_test import SELF_TEST
from attnbook.widgets import Quiz
from project import ROOT

SECTION = re.compile(r"\b[Ss]ection (0\.\d+)")


def headings() -> set[str]:
    """The numbers of the chapter's sections."""
    cells = nbformat.read(ROOT / "chapters" / "00_preliminaries.ipynb", as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return set(re.findall(r"(?m)^## (0\.\d+) ", text))


def test_exercises_are_of_several_kinds_from_easy_to_hard():
    mine = exercises(0)
    assert [item.id for item in mine] == [f"0.{n}" for n in range(1, 12)]
    assert {item.task for item in mine} == {
        "write a function",
        "find the mistake",
        "predict",
        "measure",
        "choose",
    }
    assert {item.difficulty for item in mine} == {"easy", "medium", "hard"}
    assert mine[0].difficulty == "easy"


def test_every_explanation_of_the_self_test_names_a_section_that_exists():
    known = headings()
    assert len(SELF_TEST) == 8
    for question in SELF_TEST:
        for explanation in question["explanations"]:
            named = SECTION.findall(explanation)
            assert named, explanation
            assert set(named) <= known, explanation


def test_the_self_test_is_a_quiz_that_can_be_passed():
    quiz = Quiz(name="self-test", questions=SELF_TEST)
    quiz.answers = [[question["answer"]] for question in SELF_TEST]
    quiz.checked = [True] * len(SELF_TEST)
    assert quiz.score == 1.0


@pytest.mark.parametrize(
    ("id", "answer", "word"),
    [
        ("0.1", 48, "stretched"),
        ("0.1", 30, "all its numbers"),
        ("0.2", "a", "straight line"),
        ("0.5", 0.09, "overshoots"),
        ("0.5", 0.06, "added up"),
        ("0.9", 0.466, "wrong way round"),
        ("0.9", 0.7, "tanh of that sum"),
        ("0.11", 10, "every"),
        ("0.11", 18, "constant"),
    ],
)
def test_wrong_values_are_told_why(id, answer, word, capsys):
    assert not check(id, answer).passed
    assert word in " ".join(capsys.readouterr().out.split())
