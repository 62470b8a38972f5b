"""The runs in float32, mixed precision and compiled: same start, same batches, numbers in the right units."""

import argparse
import itertools
from types import SimpleNamespace

import pytest
import torch

from attnbook.experiments import scale_up
from attnbook.results import results
from attnbook.training import History


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


def test_speeds_are_those_of_the_steps_by_the_processor_clock(monkeypatch):
    """A clock that goes on by half a second a step: two steps a second, whatever the machine."""
    ticks = itertools.count()
    monkeypatch.setattr(scale_up.time, "process_time", lambda: next(ticks) / 2)
    monkeypatch.setattr(scale_up, "processor_seconds", lambda: 0.0)
    monkeypatch.setattr(
        scale_up.operations, "training_step", lambda *sizes, **more: SimpleNamespace(total=6e9)
    )
    monkeypatch.setattr(scale_up, "fit", six_steps)
    model = SimpleNamespace(tgt_vocab=9)
    batch = SimpleNamespace(src=torch.ones(2, 3), tgt=torch.ones(2, 5))
    row = scale_up.timed(model, lambda step: batch, 6, 0, torch.device("cpu"), "float32", scale_up.CHAPTER)
    assert row["steps per second"] == 2
    assert row["operations per second"] == 12e9
    assert row["seconds to start"] == 0
    assert row["loss"] == 1.0


def six_steps(model, batches, *, steps, **options):
    """In the place of fit: asks for the batches, and ends with a loss of 1."""
    for step in range(steps):
        batches(step)
    return History(losses=[2.0] * (steps - 1) + [1.0])


def test_labels_are_smoothed(smoothed):
    chosen = options("--steps", "4", "--wide-steps", "4", "--train-pairs", "60", "--test-pairs", "4")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scale_up, "WAYS", {way: scale_up.WAYS[way] for way in ("float32", "mixed")})
        patch.setattr(scale_up, "WIDE", {"d_model": 16, "n_heads": 2, "n_layers": 1, "d_ff": 16})
        scale_up.run_seed(chosen, 0, torch.device("cpu"))
    assert set(smoothed) == {0.1}


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
