"""The runs of chapter 15 on recall and time series: equal terms, no look into the future, what is stored."""

import argparse

import pytest
import torch

from attnbook.experiments import forecasting, glances, hopfield
from attnbook.nn import KernelRegression
from attnbook.results import results

CPU = torch.device("cpu")


def options(module, *words):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args(words)


def draw(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("module", "words", "message"),
    [
        (hopfield, ("--probes", "0"), "--probes: expected at least 1"),
        (glances, ("--batch-size", "0"), "--batch-size: expected at least 1"),
        (glances, ("--steps", "5"), "--steps: expected at least 20"),
        (glances, ("--learning-rates", "0"), "--learning-rates: expected numbers above 0"),
        (forecasting, ("--steps", "5"), "--steps: expected at least 20"),
        (forecasting, ("--learning-rates", "-1"), "--learning-rates: expected numbers above 0"),
    ],
)
def test_options_out_of_range_are_refused(module, words, message):
    with pytest.raises(ValueError, match=message):
        module.run_seed(options(module, *words), 0, CPU)


def test_a_tenth_of_each_probe_is_wrong():
    patterns = hopfield.random_patterns(5, 64, draw())
    chosen, probe = hopfield.damaged(patterns, 20, draw(1))
    assert ((probe != patterns[chosen]).sum(dim=1) == 6).all()


def test_no_two_digits_have_the_same_ink():
    patterns = hopfield.digit_patterns(300, draw())
    assert patterns.shape == (300, 64)
    assert len(patterns.unique(dim=0)) == 300
    assert set(patterns.unique().tolist()) == {-1.0, 1.0}


def test_a_story_holds_its_answer_and_nothing_contradicts_it():
    drawn = glances.stories(500, draw())
    rows = torch.arange(500)
    last = drawn.facts[rows, drawn.where[:, -1]]
    assert torch.equal(last[:, 2], drawn.answer)  # the last fact of the chain says it
    first = drawn.facts[rows, drawn.where[:, 0]]
    assert (first == drawn.question[:, 1:]).any(dim=1).all()  # the first one names what was asked for
    is_where = drawn.needs < 3
    assert (last[is_where, 1] == glances.NUMBER["in"]).all()
    for story, person, position in zip(
        drawn.facts[is_where], last[is_where, 0], drawn.where[is_where, -1], strict=True
    ):
        told = ((story[:, 0] == person) & (story[:, 1] == glances.NUMBER["in"])).nonzero()[:, 0]
        assert told.max() == position  # where somebody is now was told last


def test_all_that_answer_have_the_same_parameters():
    counts = {name: glances.count(glances.build(name)) for name in glances.NAMES}
    networks = {count for name, count in counts.items() if name != "bag of words"}
    assert len(networks) == 1
    assert counts["bag of words"] == pytest.approx(networks.pop(), rel=0.02)
    with pytest.raises(ValueError, match="name: expected one of 1 hop"):
        glances.build("4 hops")


def test_a_block_is_forecast_from_its_own_past_alone():
    series = torch.arange(400.0)
    for number, (first, held, past, block) in enumerate(forecasting.blocks(series)):
        start = round(400 * (0.6 + 0.08 * number))
        scale = series[:start].std()
        assert past.next.shape[0] == start - 47
        assert block.next.shape[0] == round(400 * (0.6 + 0.08 * (number + 1))) - start - 11
        assert len(first.seen) + forecasting.HORIZON + len(held.seen) == len(past.seen)
        torch.testing.assert_close(block.next[0], torch.arange(1.0, 13.0) / scale, atol=1e-3, rtol=1e-3)


def test_ridge_finds_a_line_and_attention_is_kernel_regression():
    x = torch.randn(200, 5, generator=draw())
    truth = torch.randn(5, forecasting.HORIZON, generator=draw(1))
    data = forecasting.Windows(x, x @ truth + 2)
    found = forecasting.ridge(data, 1e-6)
    torch.testing.assert_close(found[:-1].float(), truth, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(forecasting.ridge_forecast(found, x), data.next, atol=1e-3, rtol=1e-3)
    shrunk = forecasting.ridge(data, 1e4)
    assert shrunk[:-1].norm() < 0.1 * found[:-1].norm()
    forecast, weights = forecasting.attend(x[:3], data, 0.4)
    expected, their_weights = KernelRegression(5, 0.4 * 5**0.5)(x[:3], data.seen, data.next)
    torch.testing.assert_close(forecast, expected)
    torch.testing.assert_close(weights, their_weights)


def test_the_likest_lag_is_the_period():
    time = torch.arange(forecasting.PAST)
    waves = torch.stack([torch.sin(2 * torch.pi * time / period) for period in (8, 17, 40)])
    assert (forecasting.likest_lag(waves) % torch.tensor([8, 17, 40]) == 0).all()
    with pytest.raises(ValueError, match="kind: expected one of own periods, one period"):
        forecasting.generated("none", 3, draw())


def test_real_series_are_whole():
    for name, length in {"sunspots": 309, "co2": 526, "elnino": 732}.items():
        series = forecasting.real_series(name)
        assert len(series) == length
        assert series.isfinite().all()


@pytest.mark.parametrize(("name", "seeds"), [("hopfield", 10), ("glances", 3), ("forecasting", 3)])
def test_what_is_stored(name, seeds):
    stored = results(name)
    assert stored["experiment"] == name
    assert len(stored["seeds"]) == seeds
    assert "dirty" not in stored["commit"]
