"""Learners' own mistakes are named, or told something true (the table: ``benchmarks/learners.py``)."""

import math
from collections import Counter

import pytest
import torch
from learner_answers import ANSWERS, EXERCISES
from learners import told

from attnbook.exercises import check, exercise
from attnbook.exercises.checking import forbidden_calls, try_answer


def test_nine_of_ten_are_served_and_none_passes_or_gets_another_mistakes_name():
    kinds = {f"{answer.exercise} {answer.what}": told(answer, 7)[0] for answer in ANSWERS}
    assert len(kinds) == len(ANSWERS) >= 170
    assert not [answer for answer, kind in kinds.items() if kind in ("accepted", "misnamed")]
    counts = Counter(kinds.values())
    assert not counts["quiet"], [answer for answer, kind in kinds.items() if kind == "quiet"]
    assert counts["named"] >= 0.75 * len(ANSWERS), counts


# By name: numbers change.
LOOKUP, RATE, SURPRISE = (EXERCISES[name].id for name in ("scaled_lookup", "learning_rate", "surprise"))
SOFTMAX, ORDER = (EXERCISES[name].id for name in ("attention_weights", "answer_order"))


def says(id, answer, seed=3):
    verdict, _, _ = try_answer(exercise(id), answer, seed)
    return verdict.finding


def lookup(weights):
    def answer(query, key, value):
        found = weights(query @ key.mT / query.shape[-1] ** 0.5)
        return found @ value, found

    return answer


def with_nan_at(index):
    def weights(scores):
        found = scores.softmax(-1)
        found[index] = math.nan
        return found

    return weights


@pytest.mark.parametrize(
    ("index", "where"),
    [
        ((slice(None), 0), "It fills the first row along `queries`, in every batch."),
        ((slice(None), -1), "It fills the last row along `queries`, in every batch."),
        ((slice(None), slice(1, None)), "It fills all rows but the first along `queries`"),
        ((..., 0), "It fills the first column along `keys`."),
        (0, "rows; the others are finite"),
        (slice(None), "All of it, on this input"),
        ((0, 0, 0), "and fills no row"),
    ],
)
def test_rows_of_nan_are_told_in_words(index, where):
    def only_weights(query, key, value):
        scores = query @ key.mT / query.shape[-1] ** 0.5
        return scores.softmax(-1) @ value, with_nan_at(index)(scores)

    finding = says(LOOKUP, only_weights)
    assert finding.rung == "NaN"
    assert where in finding.detail


def test_where_nan_is_stays_out_of_what_a_grader_shows():
    """The sentence is what a page of feedback holds: a learner's code chose the rows."""
    sentences = {says(LOOKUP, lookup(with_nan_at(index))).sentence for index in (0, (slice(None), -1))}
    assert len(sentences) == 1


def test_small_inputs_are_shown_and_numbers_that_differ_look_different():
    def late(step, d_model, warmup):
        return d_model**-0.5 * min((step + 1e-3) ** -0.5, (step + 1e-3) * warmup**-1.5)

    finding = says(RATE, late)
    wanted, got = finding.detail.splitlines()[-1].split("expected ")[1].split(", got ")
    assert wanted != got
    assert "Input: step = " in finding.detail


def test_what_an_exercise_forbids_is_said_of_a_right_answer(capsys):
    def by_torch(logits, right):
        return torch.nn.functional.cross_entropy(logits, right)

    def by_hand(logits, right):
        return (torch.logsumexp(logits, -1) - (right * logits).sum(-1)).mean()

    assert check(SURPRISE, by_torch).passed
    assert "It uses `cross_entropy`, which this exercise asks you to do without" in capsys.readouterr().out
    assert check(SURPRISE, by_hand).passed
    assert "asks you to do without" not in capsys.readouterr().out
    assert forbidden_calls(len, exercise(SURPRISE)) == []


def test_one_number_may_be_a_python_float():
    def as_float(logits, right):
        return float(torch.nn.functional.cross_entropy(logits, right))

    assert try_answer(exercise(SURPRISE), as_float, 1)[0].passed


def test_special_inputs_are_called_so_where_there_is_no_mask(capsys):
    def overflows(scores):
        powers = scores.exp()
        return powers / powers.sum(-1, keepdim=True)

    check(SOFTMAX, overflows, seed=1)
    assert "mask" not in capsys.readouterr().out


def test_a_name_that_is_not_there_is_called_so(capsys):
    assert not check(LOOKUP).passed
    assert "Nothing here is called `scaled_lookup`" in capsys.readouterr().out


def test_a_terminal_without_check_marks_gets_the_text(monkeypatch):
    import io
    import sys

    out = io.TextIOWrapper(io.BytesIO(), encoding="cp1252", errors="strict")
    monkeypatch.setattr(sys, "stdout", out)
    check(ORDER, "c")
    out.flush()
    assert ORDER.encode() in out.buffer.getvalue()


def test_of_three_mistakes_together_one_is_told():
    """What shows in one output alone: the weights are those of the wrong scale, the context is more "
    "than that."""
    (answer,) = [one for one in ANSWERS if one.what == "three at once"]
    item = EXERCISES[answer.exercise]
    verdict, _, _ = try_answer(item, answer.made(), 5)
    assert verdict.named == []
    assert "Several mistakes come together" in verdict.in_part
    assert verdict.in_part in verdict.feedback()
