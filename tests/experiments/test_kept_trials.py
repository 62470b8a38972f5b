"""Trainings are kept by what tells them apart, and the best learning rate is chosen among them."""

import math

import pytest

from attnbook.experiments import kept_trials


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    monkeypatch.setattr(kept_trials, "CACHE", tmp_path)
    return tmp_path


def test_a_training_is_done_once_for_each_thing_wanted(cache):
    done = []

    def train():
        done.append(1)
        return {"validation": math.inf, "curve": [[1, 0.5]]}

    first = kept_trials.kept("coin", {"rate": 0.1, "seed": 0}, train)
    assert kept_trials.kept("coin", {"rate": 0.1, "seed": 0}, train) == first
    assert len(done) == 1
    kept_trials.kept("coin", {"rate": 0.2, "seed": 0}, train)
    kept_trials.kept("dice", {"rate": 0.1, "seed": 0}, train)
    assert len(done) == 3
    assert len(list((cache / "trials").glob("coin_*.json"))) == 2


def test_other_code_trains_again(monkeypatch):
    here = kept_trials.kept_file("coin", [0.1, 0])
    monkeypatch.setattr(kept_trials, "commit", lambda: "another")
    assert kept_trials.kept_file("coin", [0.1, 0]) != here


def test_a_training_that_breaks_leaves_nothing(cache):
    def broken():
        raise RuntimeError("interrupted")

    with pytest.raises(RuntimeError, match="interrupted"):
        kept_trials.kept("coin", [1], broken)
    assert list(cache.rglob("*.json")) == []


def test_the_best_rate_by_hand():
    losses = {0.4: 1.0, 0.1: 2.0, 0.2: 1.0}
    assert kept_trials.best_rate(losses) == (0.2, [[0.1, 2.0], [0.2, 1.0], [0.4, 1.0]])
    assert kept_trials.best_rate(losses, highest=True)[0] == 0.1
