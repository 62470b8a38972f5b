"""The leaderboard's translators take turns at the clock, each built as its results say."""

import argparse

import pytest
import torch

from attnbook.experiments import translator_speed
from attnbook.translation import leaderboard

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    translator_speed.add_arguments(parser)
    return parser.parse_args(words)


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


def test_each_row_is_built_with_the_parameters_that_it_had():
    found = translator_speed.translators()
    rows = {row["model"]: row for row in leaderboard.rows()}
    assert set(found) == set(rows)
    for name, (experiment, wanted) in found.items():
        model = experiment.build(wanted, 205, 318)  # the small phrasebook's vocabularies
        assert parameters(model) == rows[name]["numbers"]["parameters"]["mean"], name


def test_turns_count_what_they_say(monkeypatch):
    every = translator_speed.translators()
    few = {name: every[name] for name in ("GRU, one fixed vector", "Transformer")}
    monkeypatch.setattr(translator_speed, "translators", lambda: few)
    clock = iter(range(1000))  # each pass over the batches takes one second
    monkeypatch.setattr(translator_speed.time, "process_time", lambda: next(clock))
    monkeypatch.setattr(translator_speed.time, "perf_counter", lambda: next(clock))
    trained = []

    def fit(model, batches, **more):
        trained.append((type(model).__name__, len(batches)))

    monkeypatch.setattr(translator_speed, "fit", fit)
    found = translator_speed.run_seed(options("--batch-size", "4", "--steps", "3", "--turns", "2"), 0, CPU)
    assert trained == [("Seq2Seq", 3), ("Variant", 3)] * 3  # one turn warms up
    assert {row["steps per second"] for row in found.values()} == {3.0}
    assert 12 * 6 < found["Transformer"]["target words per second"] < 12 * 30


@pytest.mark.parametrize("name", ["--batch-size", "--steps", "--turns"])
def test_bad_counts_are_named(name):
    with pytest.raises(ValueError, match=f"^{name}: expected at least 1, got 0"):
        translator_speed.run_seed(options(name, "0"), 0, CPU)
