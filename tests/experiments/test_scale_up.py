"""The runs in float32, mixed precision and compiled: same start, same batches, numbers in the right units."""

import argparse

import pytest
import torch

from attnbook.experiments import scale_up
from attnbook.results import results


def options(*words):
    parser = argparse.ArgumentParser()
    scale_up.add_arguments(parser)
    return parser.parse_args(words)


def test_two_ways_from_the_same_weights(monkeypatch):
    monkeypatch.setattr(scale_up, "WAYS", {way: scale_up.WAYS[way] for way in ("float32", "mixed")})
    monkeypatch.setattr(scale_up, "WIDE", {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16})
    chosen = options("--steps", "6", "--wide-steps", "4", "--train-pairs", "100", "--test-pairs", "4")
    numbers = scale_up.run_seed(chosen, 0, torch.device("cpu"))
    assert set(numbers) == {"float32", "mixed", "wide, float32", "wide, mixed"}
    assert numbers["mixed"]["loss"] == pytest.approx(numbers["float32"]["loss"], rel=0.01)
    for row in numbers.values():
        assert 0 < row["steps per second"] < 1000
        assert row["seconds to start"] >= 0
        # A step of the chapter's size is some 1.5e9 operations (and a narrower one fewer).
        assert row["operations per second"] / row["steps per second"] < 5e9


@pytest.mark.parametrize("name", ["--steps", "--wide-steps", "--train-pairs", "--test-pairs"])
def test_wrong_options_are_named(name):
    with pytest.raises(ValueError, match=f"^{name}: expected at least 4"):
        scale_up.run_seed(options(name, "3"), 0, torch.device("cpu"))


def test_the_stored_table():
    stored = results("scale_up")
    assert "/" not in stored["command"]
    assert stored["machine"]["torch threads"] == 1
    for seed in stored["seeds"].values():
        assert seed["compiled"]["loss"] == pytest.approx(seed["float32"]["loss"], rel=0.02)
        assert seed["mixed"]["loss"] == pytest.approx(seed["float32"]["loss"], rel=0.05)
        assert seed["compiled"]["seconds to start"] > 10 * seed["float32"]["seconds to start"]
