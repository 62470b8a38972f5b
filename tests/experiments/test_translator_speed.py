"""The leaderboard's translators take turns at the clock, each built as its results say."""

import argparse

import pytest
import torch

from attnbook.data import phrasebook
from attnbook.experiments import translator_speed
from attnbook.translation import leaderboard

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    translator_speed.add_arguments(parser)
    return parser.parse_args(words)


def parameters(model):
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.fixture
def two_rows(monkeypatch, tmp_path):
    """Two rows of stored runs."""
    monkeypatch.setattr(leaderboard, "FOLDER", tmp_path)
    leaderboard.add("translation_phrasebook_none_64", "fixed vector", 3)
    leaderboard.add("translation_phrasebook_additive_64", "additive", 4)


def test_each_row_is_built_with_the_parameters_that_it_had(two_rows):
    found = translator_speed.translators()
    rows = {row["model"]: row for row in leaderboard.rows()}
    assert set(found) == set(rows) == {"fixed vector", "additive"}
    src, tgt = phrasebook.vocabulary("small")
    for name, (experiment, wanted) in found.items():
        model = experiment.build(wanted, len(src) + 4, len(tgt) + 4)  # pad, bos, eos and unk
        assert parameters(model) == rows[name]["numbers"]["parameters"]["mean"], name


def test_turns_count_what_they_say(monkeypatch, two_rows):
    clock = iter(range(1000))  # each pass over the batches takes one second
    monkeypatch.setattr(translator_speed.time, "process_time", lambda: next(clock))
    monkeypatch.setattr(translator_speed.time, "perf_counter", lambda: next(clock))
    trained = []

    def fit(model, batches, **more):
        trained.append((type(model).__name__, len(batches)))

    monkeypatch.setattr(translator_speed, "fit", fit)
    found = translator_speed.run_seed(options("--batch-size", "4", "--steps", "3", "--turns", "2"), 0, CPU)
    assert trained == [("Seq2Seq", 3)] * 6  # one turn warms up
    assert {row["steps per second"] for row in found.values()} == {3.0}
    assert 12 * 6 < found["additive"]["target words per second"] < 12 * 30


@pytest.mark.parametrize("name", ["--batch-size", "--steps", "--turns"])
def test_bad_counts_are_named(name):
    with pytest.raises(ValueError, match=f"^{name}: expected at least 1, got 0"):
        translator_speed.run_seed(options(name, "0"), 0, CPU)
