"""The runs behind chapter 5's costs: what is counted is what the equations say, and a window grows slower."""

import argparse

import pytest
import torch

from attnbook.experiments import attention_cost

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    attention_cost.add_arguments(parser)
    return parser.parse_args(words)


def test_the_three_ways_agree_where_they_must():
    ways = attention_cost.looks(30, 8, 3, seed=0)
    with torch.no_grad():
        (context, _), (gathered, weights) = ways["window, masked"](), ways["window, gathered"]()
    torch.testing.assert_close(gathered, context)
    assert weights is None


def test_operations_are_those_of_the_equations():
    n, d, window = 40, 8, 3
    ways = attention_cost.looks(n, d, window, seed=0)
    assert attention_cost.operations(ways["global"]) == 2 * 2 * n * n * d  # scores, and the mixture
    centre = 2 * n * d * d + 2 * n * d  # W_p h and v_p
    assert attention_cost.operations(ways["window, masked"]) == 2 * 2 * n * n * d + centre
    assert attention_cost.operations(ways["window, gathered"]) == 2 * 2 * n * (2 * window + 1) * d + centre


def test_peak_memory_counts_what_is_held_at_once():
    def one_after_the_other():
        for _ in range(3):
            torch.ones(1000)

    def together():
        return [torch.ones(1000) for _ in range(3)]

    assert attention_cost.peak_memory(one_after_the_other) == 4000
    assert attention_cost.peak_memory(together) == 12000


def test_the_exponent_of_a_law_is_found():
    lengths = [64, 128, 256, 512]
    assert attention_cost.exponent(lengths, [3.0 * n**2 for n in lengths]) == pytest.approx(2)
    assert attention_cost.exponent(lengths, [7.0 * n for n in lengths]) == pytest.approx(1)


def test_a_seed_gives_every_number():
    wanted = options("--shortest", "8", "--longest", "64", "--hidden", "4", "--window", "2", "--repeats", "1")
    found = attention_cost.run_seed(wanted, 0, CPU)
    assert set(found) == {"operations", "bytes", "processor seconds", "exponent"}
    for rows in (found["operations"], found["bytes"], found["processor seconds"]):
        assert set(rows) == {"global", "window, masked", "window, gathered"}
        assert all(list(row) == ["8", "16", "32", "64"] and min(row.values()) > 0 for row in rows.values())
    assert found["exponent"]["operations"]["global"] == pytest.approx(2)
    assert found["exponent"]["operations"]["window, gathered"] == pytest.approx(1)


def test_too_few_lengths_are_named():
    with pytest.raises(ValueError, match="--longest: expected at least 8 times --shortest"):
        attention_cost.run_seed(options("--shortest", "8", "--longest", "32"), 0, CPU)
