"""What learners do to a check: every kind of answer gets a sentence, never a traceback of ours."""

import contextlib
import io
import random
import sys
import time

import numpy as np
import pytest
import torch

from attnbook.exercises import check, exercise, exercises, hint, progress, records, watchdog
from attnbook.exercises.checking import Report

CHAPTER_2 = sum(item.points for item in exercises(2))


@pytest.fixture(autouse=True)
def progress_file(tmp_path, monkeypatch):
    path = tmp_path / "kept" / "progress.jsonl"
    monkeypatch.setenv("ATTNBOOK_PROGRESS", str(path))
    return path


def says(id, *args, **options):
    """The report and what was printed; the two agree."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        report = check(id, *args, **options)
    text = printed.getvalue()
    assert isinstance(report, Report)
    assert report.text in text
    assert "Traceback" not in text
    assert max(map(len, text.split("\n"))) <= 140
    return report, text


def right_lookup(query, key, value):
    weights = torch.softmax(query @ key.mT / query.shape[-1] ** 0.5, -1)
    return weights @ value, weights


class Hostile:
    """Raises on everything that a check might do with it."""

    def __call__(self, *args):
        return self

    def __getattr__(self, name):
        raise RuntimeError("no attribute for you")

    def __repr__(self):
        raise RuntimeError("no repr for you")

    __str__ = __bool__ = __len__ = __iter__ = __eq__ = __repr__
    __hash__ = None


def prints_much(query, key, value):
    for _ in range(100_000):
        print("x" * 100)
    return right_lookup(query, key, value)


def changes_its_input(query, key, value):
    query /= query.shape[-1] ** 0.5
    weights = torch.softmax(query @ key.mT, -1)
    return weights @ value, weights


def raises(query, key, value):
    scores = query @ key
    return scores, scores


def raises_strangely(query, key, value):
    class Odd(Exception):
        def __str__(self):
            raise ValueError("no message either")

    raise Odd


def recurses(query, key, value):
    return recurses(query, key, value)


def leaves(query, key, value):
    sys.exit(0)


def interrupts(query, key, value):
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("thing", "rung", "word"),
    [
        (None, "defined", "None"),
        (3, "defined", "type int"),
        (torch.zeros(2), "defined", "type Tensor"),
        (lambda query: query, "signature", "scaled_lookup(query, key, value)"),
        (lambda query, key, value, extra: query, "signature", "(query, key, value, extra)"),
        (lambda q, k, v: None, "type", "return"),
        (lambda q, k, v: right_lookup(q, k, v)[0], "type", "2 values"),
        (lambda q, k, v: (*right_lookup(q, k, v), 1), "type", "2 values"),
        (lambda q, k, v: tuple(part.numpy() for part in right_lookup(q, k, v)), "type", "NumPy"),
        (lambda q, k, v: tuple(part.tolist() for part in right_lookup(q, k, v)), "type", "a list of"),
        (lambda q, k, v: tuple(part.double() for part in right_lookup(q, k, v)), "type", "float64"),
        (lambda q, k, v: tuple(part.bool() for part in right_lookup(q, k, v)), "type", "bool"),
        (lambda q, k, v: tuple(part.to("meta") for part in right_lookup(q, k, v)), "type", "meta"),
        (lambda q, k, v: tuple(part.to_sparse() for part in right_lookup(q, k, v)), "type", "sparse"),
        (
            lambda q, k, v: tuple(part.to(torch.complex64) for part in right_lookup(q, k, v)),
            "type",
            "complex64",
        ),
        (lambda q, k, v: ({"a": 1}, {1: 2}), "type", "type dict"),
        (lambda q, k, v: (i for i in range(2)), "type", "2 values"),
        (lambda q, k, v: right_lookup(q, k, v)[::-1], "shape", "swapped"),
        (lambda q, k, v: (right_lookup(q, k, v)[0].mT, right_lookup(q, k, v)[1]), "shape", "exchanged"),
        (lambda q, k, v: (right_lookup(q, k, v)[0].sum(1), right_lookup(q, k, v)[1]), "shape", "queries"),
        (lambda q, k, v: (right_lookup(q, k, v)[0][None], right_lookup(q, k, v)[1]), "shape", "too many"),
        (lambda q, k, v: tuple(part / 0 * 0 for part in right_lookup(q, k, v)), "NaN", "NaN"),
        (lambda q, k, v: tuple(part / 0 for part in right_lookup(q, k, v)), "NaN", "infinity|NaN"),
        (lambda q, k, v: tuple(part * 2 for part in right_lookup(q, k, v)), "properties", "adds up to 1"),
        (lambda q, k, v: (right_lookup(q, k, v)[0] + 1, right_lookup(q, k, v)[1]), "values", "context"),
        (changes_its_input, "type", "input `query`"),
        (raises, "runs", "scores = query @ key"),
        (raises_strangely, "runs", "cannot be printed"),
        (recurses, "runs", "RecursionError"),
        (leaves, "runs", "SystemExit"),
        (interrupts, "runs", "KeyboardInterrupt"),
        (print, None, ""),
        (torch.nn.Linear, None, ""),
        (dict, None, ""),
    ],
)
def test_each_misbehaviour_gets_a_sentence(thing, rung, word):
    report, text = says("2.4", thing)
    assert not report.passed
    if rung:
        assert report.verdict.finding.rung == rung, text
        assert any(part in " ".join(text.split()) for part in word.split("|")), text
        assert "site-packages" not in text
        assert "oracle.py" not in text


@pytest.mark.parametrize("id", ["2.1", "2.2", "2.4", "2.9", "3.6", "4.7"])
def test_a_hostile_object_gets_a_sentence(id):
    for make in (lambda: Hostile(), lambda: Hostile, lambda: lambda *args: Hostile(), lambda: [Hostile()]):
        report, text = says(id, make())
        assert not report.passed
        assert len(text) > 60


def test_a_stub_is_told_that_it_waits():
    def scaled_lookup(query, key, value):
        raise NotImplementedError

    report, text = says("2.4", scaled_lookup)
    assert report.verdict.finding.rung == "defined"
    assert "waits for your code" in text


def test_prints_are_captured_and_cut():
    report, text = says("2.4", prints_much)
    assert report.passed
    assert "xxxx" not in text

    def wrong(query, key, value):
        print("look here")
        return query, key

    report, text = says("2.4", wrong)
    assert "Your code printed:\n  look here" in text


def test_tensor_subclasses_and_gradients_are_fine():
    class Mine(torch.Tensor):
        pass

    report, _ = says("2.4", lambda q, k, v: tuple(part.as_subclass(Mine) for part in right_lookup(q, k, v)))
    assert report.passed
    report, _ = says("2.4", lambda q, k, v: right_lookup(q.requires_grad_(), k, v))
    assert report.passed


def test_learner_code_is_shown_without_ours():
    def helper(scores):
        return scores.view(3, 3, 3, 3, 3, 3)

    _, text = says("2.4", lambda q, k, v: helper(q))
    lines = [line for line in text.split("\n") if line.startswith("  line ")]
    assert len(lines) == 2
    assert "of helper: return scores.view(3, 3, 3, 3, 3, 3)" in lines[1]


@pytest.mark.parametrize(
    ("thing", "word"),
    [
        (lambda d_model, n_queries: None, "torch.nn.Module"),
        (lambda d_model: None, "QueryPooling(d_model, n_queries)"),
        (torch.nn.Linear, "it lacks the parameter `query`"),
        (torch.nn.Module, ""),
    ],
)
def test_modules_that_are_none(thing, word):
    report, text = says("2.9", thing)
    assert not report.passed
    assert word in text


def test_a_module_with_a_parameter_of_another_shape_or_without_super():
    class Turned(torch.nn.Module):
        def __init__(self, d_model, n_queries):
            super().__init__()
            self.query = torch.nn.Parameter(torch.zeros(d_model, n_queries))

    _, text = says("2.9", Turned)
    assert "the shape of `query`" in text
    assert "expected" in text

    class Hasty(torch.nn.Module):
        def __init__(self, d_model, n_queries):
            self.query = torch.nn.Parameter(torch.zeros(n_queries, d_model))

    _, text = says("2.9", Hasty)
    assert "AttributeError" in text


@pytest.mark.parametrize(
    ("id", "value", "passed", "word"),
    [
        ("2.1", "c", True, "this is right"),
        ("2.1", " (C). ", True, "this is right"),
        ("2.1", "z", False, "one of a, b, c, d"),
        ("2.1", 3, False, "one letter"),
        ("2.2", "0.94", False, "single number"),
        ("2.2", torch.tensor(0.9386), True, "right"),
        ("2.2", np.float64(0.9386), True, "right"),
        ("2.2", torch.tensor([0.9386]), False, "single number"),
        ("2.2", float("nan"), False, "finite"),
        ("2.2", True, False, "single number"),
        ("2.2", 0.71, False, "not the value"),
        ("2.6", 9.0, False, "too high"),
        ("2.6", 2.0, False, "too low"),
        ("3.2", 64, False, "holds 2 bits, not 4"),
    ],
)
def test_values(id, value, passed, word):
    report, text = says(id, value)
    assert report.passed is passed, text
    assert word in text


def test_a_wrong_value_never_shows_the_right_one():
    for id in ("2.2", "2.6", "3.2", "3.9", "4.2", "4.8"):
        right = exercise(id).reference()
        _, text = says(id, right + 7.7)
        assert f"{right:.2f}" not in text


def test_answers_are_found_by_name(monkeypatch):
    monkeypatch.setitem(globals(), "scaled_lookup", right_lookup)
    assert check("2.4").passed
    monkeypatch.delitem(globals(), "scaled_lookup")
    assert not check("2.4").passed


@pytest.mark.parametrize("id", ["77.1", "2.99", "two", "", None, 2.4, object()])
def test_a_number_that_does_not_exist(id):
    if id == 2.4:
        assert says(id, right_lookup)[0].passed  # a float reads like the number
        return
    report, text = says(id, right_lookup)
    assert not report.passed
    assert "There is no exercise" in text
    hint(id)


def test_seeds_repeat_and_differ():
    def wrong(query, key, value):
        return right_lookup(query + 0.1, key, value)

    report, text = says("2.4", wrong)
    assert f"seed={report.seed}" in text
    _, text_again = says("2.4", wrong, seed=report.seed)
    assert text == text_again
    assert len({says("2.4", wrong)[0].seed for _ in range(5)}) > 1
    for bad in (-1, "7", 1.5, True):
        assert "seed: expected a whole number" in says("2.4", wrong, seed=bad)[1]


def test_random_numbers_of_the_notebook_are_not_touched():
    def draws(query, key, value):
        torch.manual_seed(3)
        np.random.seed(3)  # noqa: NPY002
        random.seed(3)
        return right_lookup(query, key, value)

    torch.manual_seed(11)
    random.seed(11)
    wanted = torch.rand(3), random.random()
    torch.manual_seed(11)
    random.seed(11)
    assert check("2.4", draws).passed
    assert torch.equal(torch.rand(3), wanted[0])
    assert random.random() == wanted[1]


# Time


def quick(id, thing, seconds, monkeypatch):
    item = exercise(id)
    monkeypatch.setitem(item.__dict__, "time_limit", seconds)
    return says(id, thing)


def test_an_endless_loop_is_stopped(monkeypatch):
    def endless(query, key, value):
        count = 0
        while True:
            count += 1

    report, text = quick("2.4", endless, 0.5, monkeypatch)
    assert report.verdict.finding.rung == "runs"
    assert "did not come back within 0.5 seconds" in text
    assert "restart" not in text


def test_code_that_swallows_every_stop_is_left_behind_and_said_so(monkeypatch):
    halt = []

    def swallows(query, key, value):
        while not halt:
            with contextlib.suppress(BaseException):
                time.sleep(0.01)

    monkeypatch.setattr(watchdog, "GRACE", 0.3)
    _, text = quick("2.4", swallows, 0.3, monkeypatch)
    halt.append(True)
    assert "restart the kernel" in text


def test_a_stop_by_the_learner_is_a_sentence(monkeypatch):
    import _thread
    import signal
    import threading

    def endless(query, key, value):
        while True:
            pass

    # A shell starts its background jobs so that they ignore Ctrl-C; a kernel does not.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.5, _thread.interrupt_main).start()
        _, text = quick("2.4", endless, 20.0, monkeypatch)
    finally:
        signal.signal(signal.SIGINT, before)
    assert "You stopped the check" in text


def test_a_watchdog_keeps_the_output_of_others():
    outcome = watchdog.call(lambda: print("inside") or 5, 5.0)
    assert (outcome.status, outcome.value, outcome.printed) == ("done", 5, "inside\n")
    outcome = watchdog.call(lambda: 1 / 0, 5.0)
    assert outcome.status == "failed"
    assert isinstance(outcome.error, ZeroDivisionError)


# Hints and progress


def test_hints_go_down_a_ladder(capsys):
    item = exercise("2.7")
    hint("2.7", restart=True)
    hint("2.7")
    hint("2.7")
    hint("2.7")
    lines = " ".join(capsys.readouterr().out.split())
    for number in range(1, len(item.hints) + 1):
        assert f"Hint {number} of {len(item.hints)}" in lines
    assert lines.count(f"Hint {len(item.hints)} of") == 2


def test_progress_is_kept_and_drawn(progress_file, capsys):
    progress(2)
    assert f"0 of {CHAPTER_2} points" in capsys.readouterr().out
    check("2.1", "a")
    check("2.2", 0.9386)
    check("2.2", 0.1)
    capsys.readouterr()
    progress()
    out = capsys.readouterr().out
    assert f"1 of {CHAPTER_2} points" in out
    assert "✓ 2.2" in out
    assert "· 2.1" in out
    assert "chapter  4" in out
    progress(77)
    assert "no exercises for chapter 77" in capsys.readouterr().out
    assert len(progress_file.read_text().splitlines()) == 3


def test_a_damaged_progress_file_is_rebuilt_from_its_good_lines(progress_file, capsys):
    check("2.1", "c")
    good = progress_file.read_bytes()
    junk = (
        b'{"id": "2.2", "passed": tr\n\xff\xfe\x00\n[]\n{"id": "../../x", "passed": true}\n'
        + b"[" * 5000
        + b"\n"
    )
    progress_file.write_bytes(good[:0] + junk + good)
    progress(2)
    out = capsys.readouterr().out
    assert "was damaged in 5 lines" in out
    assert f"1 of {CHAPTER_2} points" in out
    assert progress_file.read_text().count("\n") == 1
    assert progress_file.with_suffix(".damaged").read_bytes() == junk + good
    progress(2)
    assert "damaged" not in capsys.readouterr().out


def test_a_progress_file_that_cannot_be_written_costs_one_sentence(progress_file, capsys):
    progress_file.parent.write_text("a file where the folder should be")
    assert check("2.1", "c").passed
    assert "could not be kept" in capsys.readouterr().out
    progress(2)
    assert f"0 of {CHAPTER_2}" in capsys.readouterr().out


def test_progress_can_be_switched_off(monkeypatch, capsys):
    monkeypatch.setenv("ATTNBOOK_PROGRESS", "off")
    assert check("2.1", "c").passed
    assert records.path() is None
    progress(2)
    assert f"0 of {CHAPTER_2}" in capsys.readouterr().out


class Odd(BaseException):
    """Neither an Exception nor one of Python's own ways out."""


def test_the_lines_shown_are_the_learners_own(capsys):
    def attention_weights(scores):
        raise Odd("mine")

    assert not check("2.3", attention_weights).passed
    shown = capsys.readouterr().out
    assert "of attention_weights: raise Odd" in shown
    assert "Odd: mine" in shown
    for ours in ("outcome.value", "oracle.answer", "<lambda>"):
        assert ours not in shown
