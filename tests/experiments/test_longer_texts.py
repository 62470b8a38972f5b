"""The runs of chapter 9's core: the repairs, the window, and the stored results."""

import argparse
import copy

import pytest
import torch

from attnbook.experiments import extrapolation, longer_texts
from attnbook.results import results

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    longer_texts.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--batch", "0"), "--batch: expected at least 1"),
        (("--steps", "0"), "--steps: expected at least 1"),
        (("--further", "5", "0"), "--further: expected numbers of at least 1, got 0"),
        (("--learning-rate", "0"), "--learning-rate: expected above 0"),
    ],
)
def test_options_out_of_range_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        longer_texts.run_seed(options(*words), 0, CPU)


def test_the_repairs_change_the_frequencies_that_they_should():
    rates = longer_texts.frequencies()
    slower = {name: (rates["as it is"] / each).tolist() for name, each in rates.items()}
    assert slower["all interpolated"] == [4] * 8
    # pairs 0 and 1 turn more than once in 32 places
    assert slower["slow ones interpolated"] == [1, 1] + [4] * 6
    assert slower["larger base"][0] == 1
    assert slower["larger base"][-1] == pytest.approx(4)


def test_a_windowed_reader_is_a_copy():
    model = extrapolation.build("rotary", 0)
    twin = longer_texts.windowed(model, 3)
    assert model.reach is None
    assert twin.reach == 3
    text = extrapolation.texts(1, 4, torch.Generator().manual_seed(1))
    with torch.no_grad():
        torch.testing.assert_close(model(text), twin(text))  # nothing is farther back


def test_a_seed_repeats(monkeypatch):
    monkeypatch.setattr(longer_texts, "SCHEMES", ("t5", "rotary"))
    monkeypatch.setattr(extrapolation, "LONGEST", 64)
    chosen = options("--batch", "4", "--steps", "2", "--further", "1")
    first = longer_texts.run_seed(chosen, 0, CPU)
    assert first == longer_texts.run_seed(copy.copy(chosen), 0, CPU)
    assert set(first["repaired"]) == set(longer_texts.frequencies())
    assert set(first["one layer"]) == set(longer_texts.LAYERS)


def test_the_stored_results_are_whole():
    stored = results("longer_texts")
    for run in stored["seeds"].values():
        assert set(run["accuracy"]) == set(run["loss"]) == set(longer_texts.SCHEMES)
        shares = [*run["accuracy"].values(), run["windowed"], *run["one layer"].values()]
        for each in shares:
            assert len(each) == 5
            assert all(0 <= share <= 1 for share in each.values())
        for steps in run["repaired"].values():
            assert set(steps) == {"0", "100", "400"}
