"""The Python side: checks, mirrors, names that repeat, the stand-in."""

import base64
import copy
import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from traitlets import TraitError
from widget_examples import QUESTIONS, playground, quiz

from attnbook.widgets import QKVPlayground, Quiz
from attnbook.widgets.values import fixed, percent


def test_reads_tensors_and_arrays():
    w = QKVPlayground(torch.tensor([1.0, 0.0]), np.eye(2), torch.eye(2, dtype=torch.float64))
    assert w.query == [1.0, 0.0]
    assert w.key == [[1.0, 0.0], [0.0, 1.0]]
    assert w.labels == ["word 1", "word 2"]
    assert w.scores == [1.0, 0.0]


def test_every_mirror_follows_an_assignment():
    w = playground()
    heard = []
    w.observe(lambda change: heard.append(change["name"]), ["weights", "context", "scores", "query"])
    w.query = [0.0, 2.0]
    assert w.state["query"] == [0.0, 2.0]
    assert set(heard) == {"weights", "context", "scores", "query"}
    assert w.weights == pytest.approx(torch.softmax(torch.tensor(w.scores) / 2**0.5, 0).tolist(), abs=1e-5)


def test_state_from_the_page_moves_every_mirror():
    w = playground()
    w.set_state({"state": {**w.state, "query": [0.0, -1.0], "mode": "hard"}})
    assert (w.query, w.mode) == ([0.0, -1.0], "hard")
    assert w.weights == [0.0, 0.0, 1.0]
    assert w.context == [-0.7, -0.6]


def test_weights_that_you_set_switch_the_mode():
    w = playground()
    w.weights = [0.2, 0.3, 0.5]
    assert w.mode == "fixed"
    assert w.context == pytest.approx([0.2 - 0.35, 0.3 - 0.3])
    w.mode = "soft"
    assert w.weights[0] > 0.5


def test_switching_to_fixed_moves_nothing():
    w = playground()
    before = w.weights
    w.mode = "fixed"
    assert w.weights == pytest.approx(before, abs=1e-4)


def test_several_parts_at_once():
    w = playground()
    w.assign(query=[1, 0, 2], key=torch.eye(3)[:2], value=[[1.0], [2.0]])
    assert (w.query, w.labels, w.mask) == ([1, 0, 2], ["word 1", "word 2"], [True, True])
    before = copy.deepcopy(w.state)
    for parts in ({"query": [1], "mode": "hard"}, {"scores": [1]}, {"nothing": 1}, {"theme": "dark"}):
        with pytest.raises(TraitError, match="expected"):
            w.assign(**parts)
        assert w.state == before


def test_observers_may_assign():
    w = playground()
    w.observe(lambda change: setattr(w, "temperature", 2.0), "query")
    w.query = [1.0, 1.0]
    assert w.state["temperature"] == 2.0


BAD = [
    ("query", [1, 2, 3], "key: expected a matrix of shape (n, 3)"),
    ("query", "abc", "query: expected a vector"),
    ("query", [], "query: expected a vector of at least one number"),
    ("query", [1, float("nan")], "query[1]: expected a finite number"),
    ("query", [1, True], "query[1]: expected a finite number"),
    ("key", [[1, 2]], "value: expected a matrix of shape (1, d)"),
    ("key", [[1, 2], [3]], "rows of equal length"),
    ("key", [[0, 0]] * 129, "at most 128 rows"),
    ("value", [[1], [2]], "value: expected a matrix of shape (3, d)"),
    ("labels", ["a", "b"], "labels: expected 3 strings"),
    ("labels", ["a", "b", " "], "labels: expected a list of non-empty strings"),
    ("temperature", 0, "temperature: expected a number from 0.01 to 100"),
    ("temperature", None, "temperature: expected a number from 0.01 to 100"),
    ("mode", "softish", "mode: expected one of 'soft', 'hard', 'fixed'"),
    ("scale", "big", "scale: expected a finite number"),
    ("mask", [True], "mask: expected 3 booleans"),
    ("mask", [1, 0, 1], "mask: expected 3 booleans"),
    ("weights", [0.1, 0.2], "weights: expected a vector of 3 numbers"),
    ("weights", [2, 0, 0], "weights: expected numbers from 0 to 1"),
    ("revealed", "yes", "revealed: expected True or False"),
    ("prediction", {"choice": "nobody", "share": 0.5}, "prediction: expected a choice among"),
    ("prediction", {"choice": 0, "share": 2}, "prediction share: expected a number from 0 to 1"),
    ("prediction", [0, 1], "prediction: expected {"),
    ("scores", [0, 0, 0], "scores: expected no assignment"),
    ("context", [0, 0], "context: expected no assignment"),
    ("score", 1.0, "score: expected no assignment"),
    ("theme", "blue", "theme"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), BAD, ids=lambda x: str(x)[:24])
def test_a_bad_assignment_raises_and_changes_nothing(name, value, sentence):
    w = playground()
    before = (copy.deepcopy(w.state), w.weights, w.summary, w.theme, getattr(w, name))
    with pytest.raises(TraitError) as caught:
        setattr(w, name, value)
    assert sentence in str(caught.value)
    assert (w.state, w.weights, w.summary, w.theme, getattr(w, name)) == before


@pytest.mark.parametrize(
    "state",
    [{}, {"version": 2}, {"version": 1}, {"version": 1, "query": [1], "key": 3}],
    ids=["empty", "another version", "nothing in it", "wrong types"],
)
def test_a_corrupt_state_raises_and_changes_nothing(state):
    for w in (playground(), quiz()):
        before = copy.deepcopy(w.state)
        with pytest.raises(TraitError, match="expected"):
            w.state = state
        assert w.state == before


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"query": [1, 2, 3]}, "key: expected a matrix"),
        ({"mask": [True, False]}, "mask: expected 3 booleans"),
        ({"mode": "warm"}, "mode: expected one of"),
        ({"predict": "yes"}, "predict: expected True or False"),
    ],
)
def test_the_constructor_raises_value_error(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        playground(**options)


def test_predict_first_hides_the_outcome_until_a_guess():
    w = playground()
    assert not w.revealed
    assert "hidden" in w.summary
    w.prediction = {"choice": "I", "share": 0.5}
    assert w.revealed
    assert w.prediction["answer"] == 0
    assert w.prediction["actual"] == pytest.approx(w.weights[0], abs=1e-5)
    assert w.score == pytest.approx(0.5 + 0.5 * (1 - abs(0.5 - w.weights[0])), abs=0.006)
    assert "54 %" in w.summary
    w.query = [0.0, 1.0]  # what was guessed stays guessed
    assert w.prediction["answer"] == 0
    w.prediction = None
    assert (w.revealed, w.score) == (False, None)


def test_a_row_without_any_key_gives_zeros():
    w = playground(mask=[False] * 3)
    assert w.weights == [0.0, 0.0, 0.0]
    assert w.context == [0.0, 0.0]
    assert "masked" not in repr(w), "the outcome is hidden at rest too"
    w.revealed = True
    assert "masked" in repr(w)


def test_repr_holds_no_address_and_the_stand_in_tells_the_same():
    w = playground(predict=False)
    data, metadata = w._repr_mimebundle_()
    assert repr(w) == data["text/plain"]
    assert (
        repr(w) == "QKVPlayground: “I” has the largest share, 54 % of 3 words; the context is (0.44, 0.23)."
    )
    assert base64.b64decode(data["image/png"])[:8] == b"\x89PNG\r\n\x1a\n"
    assert len(data["image/png"]) < 60_000
    assert "54 %" in metadata["image/png"]["alt"]
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == w.model_id


def test_quiz_stand_in_escapes_text():
    question = {**QUESTIONS[0], "options": ["<script>", "*b* & **c**", "2 * 3 * 4"]}
    data, _ = Quiz([question])._repr_mimebundle_()
    assert "<script>" not in data["text/html"]
    assert "&lt;script&gt;" in data["text/html"]
    assert "<code>softmax</code>" in data["text/html"]
    assert "<em>b</em> &amp; <strong>c</strong>" in data["text/html"]
    assert "2 * 3 * 4" in data["text/html"]


PROGRAM = """
import sys; sys.path.insert(0, {folder!r})
import json
from widget_examples import playground, quiz
from ipywidgets import Widget
made = [playground(), quiz(), playground(theme="dark")]
made[0].query = [1, 1]
print(json.dumps(Widget.get_manager_state(), sort_keys=False))
print([made[0]._repr_mimebundle_()[0]])
"""


def test_a_fresh_kernel_names_and_saves_widgets_alike():
    from pathlib import Path

    program = PROGRAM.format(folder=str(Path(__file__).parent))
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs[0] == runs[1]
    state = json.loads(runs[0].splitlines()[0])["state"]
    assert len(state) == 3, "one model a widget, no layout beside it"


def test_two_widgets_of_a_class_have_two_names():
    a, b = playground(), playground()
    assert a.model_id != b.model_id
    assert a.widget_id != b.widget_id


def test_quiz_scores_what_was_checked():
    w = quiz()
    assert (w.answers, w.checked, w.score) == ([[], []], [False, False], None)
    w.answers = [[0], [2]]
    assert w.score is None
    w.checked = [True, True]
    assert w.score == 0.5
    w.answers = [[0], [2, 0]]
    assert w.checked == [True, False], "an answer that changed waits to be checked again"
    w.checked = [True, True]
    assert (w.answers, w.score) == ([[0], [0, 2]], 1.0)
    assert w.summary == "2 questions, 2 answered, 2 right."


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("answers", [[0]], "answers: expected a list of 2"),
        ("answers", [[3], []], r"answers\[0\]: expected different numbers from 0 to 2"),
        ("answers", [[0, 1], []], r"answers\[0\]: expected at most 1, since one option is right"),
        ("answers", [[], [0, 0]], r"answers\[1\]: expected different numbers"),
        ("answers", [[True], []], r"answers\[0\]"),
        ("answers", None, "answers: expected a list of 2"),
        ("checked", [True], "checked: expected 2 booleans"),
        ("score", 1, "score: expected no assignment"),
        ("questions", [], "questions: expected no assignment"),
        ("prediction", 1, "prediction: expected no assignment"),
    ],
)
def test_a_bad_quiz_assignment_raises_and_changes_nothing(name, value, sentence):
    w = quiz()
    w.answers = [[1], [0]]
    before = copy.deepcopy((w.state, w.questions))
    with pytest.raises(TraitError, match=sentence):
        setattr(w, name, value)
    assert (w.state, w.questions) == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"options": ["only"]}, "at least two"),
        ({"answer": 3}, "answer: expected the index"),
        ({"answer": []}, "answer: expected the index"),
        ({"explanations": ["a"]}, "expected one an option"),
        ({"explanations": ["a", "", "c"]}, "non-empty"),
        ({"question": r"What is $\sqrt{d_k}$?"}, "a quiz sets no formulas"),
        ({"explanations": ["a", "$b$", "c"]}, "a quiz sets no formulas"),
        ({"extra": 1}, "expected a dict with"),
    ],
)
def test_a_bad_question_is_named(change, sentence):
    with pytest.raises(ValueError, match=rf"questions\[1\].*{sentence}"):
        Quiz([QUESTIONS[0], {**QUESTIONS[0], **change}])


def test_a_quiz_needs_a_safe_name():
    with pytest.raises(ValueError, match="name: expected"):
        quiz(name="../up")


def test_numbers_are_written_as_javascript_writes_them():
    assert [fixed(x) for x in (-0.001, 0.125, -0.125, 2)] == ["0.00", "0.13", "−0.13", "2.00"]
    assert [percent(x) for x in (0.005, 0.9386, 1)] == ["1 %", "94 %", "100 %"]
