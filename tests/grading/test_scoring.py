"""`score`: a learner's own look at a whole notebook is the grader run on one file."""

import json
import re
import textwrap

import pytest

from attnbook.exercises import exercises
from attnbook.grading import score
from attnbook.grading.limits import Limits
from attnbook.grading.marks import mark
from attnbook.grading.pool import Pool
from attnbook.grading.sandbox import Sandbox
from attnbook.grading.submissions import Submission


def notebook(path, *cells):
    sources = [{"cell_type": "code", "source": textwrap.dedent(text), "metadata": {}} for text in cells]
    path.write_text(json.dumps({"cells": sources, "nbformat": 4, "nbformat_minor": 5, "metadata": {}}))
    return path


def test_score_finds_answers_by_name_and_survives_bad_cells(tmp_path):
    path = notebook(
        tmp_path / "my homework.ipynb",
        "%matplotlib inline\n!ls\nimport torch, math",
        "raise ValueError('no')",
        "from attnbook.exercises import check\nanswer_order = 'C'\ncheck('2.1', answer_order)",
        "def attention_weights(scores): return scores",
        "this is not Python",
        "def attention_weights(scores):\n    return torch.softmax(scores, -1)",
        "import sys; sys.exit()",
        """
        def lookup_or_nothing(context, weights, log_sum, exit_score):
            sums = torch.exp(log_sum)  # large scores overflow
            kept = (sums / (sums + torch.exp(exit_score)))[..., None]
            return kept * context, kept * weights
        """,
    )
    result = score(path)
    points = {line.id: line.points for line in result.lines}
    assert points == {
        "2.1": 1,
        "2.2": 0,
        "2.3": 2,
        "2.4": 0,
        "2.5": 0,
        "2.6": 0,
        "2.7": 0,
        "2.8": 0,
        "2.9": 0,
        "2.10": 3,
        "2.11": 0,
        "2.12": 0,
    }
    assert (result.points, result.of) == (6, 33)
    assert "scaled_lookup" in next(line.remark for line in result.lines if line.id == "2.4")
    assert "cell 2 raised" in result.problem


@pytest.mark.parametrize(
    "cell",
    [
        "even = (7\n        % 2 == 0)\ndef attention_weights(scores): return torch.softmax(scores, -1)",
        "%time attention_weights = lambda scores: torch.softmax(scores, -1)",
        "attention_weights = lambda scores: torch.softmax(scores, -1)\n!ls\nattention_weights?",
    ],
)
def test_score_is_what_the_grader_gives(tmp_path, cell):
    """Magics that a learner types are read by one runner: no notebook has two marks."""
    path = notebook(tmp_path / "02_x.ipynb", "import torch", cell)
    shown = {line.id: line.points for line in score(path).lines}
    with Pool(Sandbox("none"), Limits()) as pool:
        submission = Submission(path.name, path.stem, path)
        row = mark(submission, exercises(2), "another secret", pool, Limits(), "none")
    assert shown == {one.id: one.points for one in row.marks}
    assert shown["2.3"] == 2


def test_score_of_a_notebook_that_kills_its_process(tmp_path):
    path = notebook(tmp_path / "04_mine.ipynb", "import os", "os._exit(3)")
    result = score(path)
    assert (result.points, result.of) == (0, 27)
    assert "cell 2 ended the process" in str(result)


@pytest.mark.parametrize("content", ["", "[1]", '{"cells": 3}', "\udcff", "{}"])
def test_score_of_what_is_no_notebook(tmp_path, content):
    path = tmp_path / "02_x.ipynb"
    path.write_text(content, errors="surrogateescape")
    assert re.search("not a notebook|not JSON|not UTF-8", str(score(path)))


def test_score_of_a_file_that_is_not_there(tmp_path):
    assert "No such file" in str(score(tmp_path / "none.ipynb"))
