"""Right answers that take long at first get full marks; what asks for what is not here is told the cause."""

import json
import shutil

import pytest

from attnbook.exercises import judge
from attnbook.exercises.registry import exercise
from attnbook.grading.limits import Limits
from attnbook.grading.marks import mark
from attnbook.grading.pool import Pool
from attnbook.grading.replies import cleaned
from attnbook.grading.sandbox import Sandbox, bubblewrap_works
from attnbook.grading.submissions import Submission
from attnbook.grading.telling import sentences

ONE = exercise("2.3")
ANSWER = "def attention_weights(scores):\n    return torch.softmax(scores, dim=-1)\n"


def graded(tmp_path, *cells):
    if not bubblewrap_works():
        pytest.skip("bubblewrap is not installed, or may not make name spaces: apt-get install bubblewrap")
    content = {"cells": [{"cell_type": "code", "source": source} for source in cells]}
    path = tmp_path / "a.ipynb"
    path.write_text(json.dumps(content), encoding="utf-8")
    with Pool(Sandbox("bubblewrap"), Limits()) as pool:
        return mark(Submission("a.ipynb", "a", path), (ONE,), "s", pool, Limits(), "bubblewrap")


def test_a_compiled_answer_gets_full_marks(tmp_path):
    """By torch's own compiler, whose first call takes longer than an answer may."""
    if shutil.which("g++") is None:
        pytest.skip("a C++ compiler is not installed: apt-get install g++")
    row = graded(tmp_path, "import torch\n@torch.compile\n" + ANSWER)
    assert row.points == ONE.points, row


def told(replies=(), ended="", cells=()):
    """The first paragraph about the exercise."""
    cases = ONE.make_cases(3)
    clean = [cleaned(reply, case) for reply, case in zip(replies, cases, strict=False)]
    verdict = judge.judge(ONE, cases, clean + ([{"status": "timeout"}] if ended else []))
    return sentences(ONE, verdict, list(replies), ended, list(cells))[0]


def raised(message, kind="RuntimeError"):
    return {"status": "raised", "error": {"type": kind, "message": message, "where": []}}


MISSING = {"status": "missing"}
NO_PACKAGE = raised("No module named 'einops'", "ModuleNotFoundError")["error"]


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        (told([raised("Found no NVIDIA driver on your system.")]), "Your code asks for a GPU"),
        (
            told([raised("Torch not compiled with CUDA enabled", "AssertionError")]),
            "Your code asks for a GPU",
        ),
        (told([raised("mat1 and mat2")]), "Your code raises RuntimeError."),
        (told([MISSING]), "No cell defines `attention_weights`, or it is None"),
        (
            told([MISSING], cells=[{"number": 4, "outcome": "raised", "error": NO_PACKAGE}]),
            "Code cell 4 is the first that did not: it imports einops, which is not installed",
        ),
        (
            told([MISSING], cells=[{"number": 2, "outcome": "took too long", "error": {}}]),
            "Code cell 2 is the first that did not: it took too long",
        ),
        (told(ended="took too long"), "something that takes very long at the first call"),
        (told(ended="too much memory"), "it used more memory than one submission may"),
        (told(ended="ended the process"), "its process ended"),
        (told(ended="no time left"), "This was not tried"),
    ],
)
def test_the_cause_is_named(sentence, words):
    assert words in sentence
    assert "ProcessEnded" not in sentence
