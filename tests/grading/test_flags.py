"""What a person should look at is flagged, and what stands in a comment or a string is not."""

import json

import pytest

from attnbook.exercises.registry import exercise
from attnbook.grading import flags
from attnbook.grading.limits import Limits
from attnbook.grading.marks import mark
from attnbook.grading.pool import Pool
from attnbook.grading.sandbox import Sandbox
from attnbook.grading.submissions import Submission

EXERCISE = exercise("2.3")


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import attnbook.nn as n", ["attnbook.nn"]),
        ("from attnbook.nn import masked_softmax", ["attnbook.nn"]),
        ("from attnbook import nn", ["attnbook.nn"]),
        ("torch.nn.functional.scaled_dot_product_attention(q, k, v)", ["scaled_dot_product_attention"]),
        ("layer = torch.nn.MultiheadAttention(8, 2)", ["MultiheadAttention"]),
        ("%time y = MultiheadAttention(8, 2)", ["MultiheadAttention"]),
        ("import torch.nn as other\ny = other.MultiheadAttention(8, 2)", ["MultiheadAttention"]),
        ("torch.ops.aten._scaled_dot_product_attention_math(q)", ["_scaled_dot_product_attention_math"]),
        ("# attnbook.nn\nx = 'scaled_dot_product_attention'", []),
        ("import torch\ndef attention_weights(scores):\n    return torch.softmax(scores, -1)", []),
    ],
)
def test_ready_made_functions_are_flagged_by_name(source, names):
    assert flags.library_calls([source], flags.looked_for([EXERCISE])) == [f"uses {name}" for name in names]


def test_a_module_under_another_name_is_followed():
    code = ["import torch.nn.functional as TF", "y = TF.layer_norm(x, (3,))"]
    assert flags.library_calls(code, ["functional.layer_norm"]) == ["uses functional.layer_norm"]


def test_equal_code_has_one_fingerprint_whatever_its_comments_and_spaces():
    first = flags.fingerprint(["def f(x):\n    return x + 1\n"])
    assert first == flags.fingerprint(["# mine\ndef f( x ):\n\n    return x+1  # one more\n"])
    assert first != flags.fingerprint(["def f(x):\n    return x + 2\n"])


def test_a_flag_reaches_the_row_and_takes_no_point(tmp_path):
    """Without a sandbox, which says so in a flag of its own."""
    code = "import torch\nimport attnbook.nn\nattention_weights = lambda scores: torch.softmax(scores, -1)"
    path = tmp_path / "ada.ipynb"
    path.write_text(json.dumps({"cells": [{"cell_type": "code", "source": code}]}), encoding="utf-8")
    with Pool(Sandbox("none"), Limits(), ahead=1) as pool:
        row = mark(Submission("ada.ipynb", "ada", path), (EXERCISE,), "s", pool, Limits(), "none (--unsafe)")
    assert row.flags == ["uses attnbook.nn", "isolation=none (--unsafe)"]
    assert row.points == row.possible == EXERCISE.points
    assert len(row.fingerprint) == 64
