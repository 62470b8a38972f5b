"""The runs of chapter 13: what each form costs, and how far a pattern of layers reaches."""

import argparse

import pytest
import torch

from attnbook.experiments import attention_budget, kept_trials, layer_patterns

CPU = torch.device("cpu")


def options(module, *words):
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("module", "words", "message"),
    [
        (attention_budget, ("--longest", "256"), "--longest: expected at least 8 times --shortest"),
        (attention_budget, ("--repeats", "0"), "--repeats: expected at least 1"),
        (layer_patterns, ("--batch-size", "0"), "--batch-size: expected at least 1"),
        (layer_patterns, ("--steps", "5"), "--steps: expected at least 20"),
        (layer_patterns, ("--learning-rates", "0"), "--learning-rates: expected numbers above 0, got 0"),
    ],
)
def test_options_out_of_range_are_refused(module, words, message):
    with pytest.raises(ValueError, match=message):
        module.run_seed(options(module, *words), 0, CPU)


def test_a_budget_holds_every_way_and_sees_the_square():
    """The measure finds the exponent that is built into the plain form: its memory is the matrix."""
    chosen = options(attention_budget, "--shortest", "128", "--longest", "1024", "--repeats", "1")
    found = attention_budget.run_seed(chosen, 0, CPU)
    for kind in (attention_budget.SECONDS, attention_budget.BYTES, attention_budget.TRAINING):
        assert set(found[kind]) == set(found["exponent"][kind]) == set(attention_budget.WAYS)
    assert found["exponent"][attention_budget.BYTES]["plain"] == pytest.approx(2, abs=0.05)
    assert found["exponent"][attention_budget.BYTES]["window"] < 1.1


def test_three_ways_give_the_same_numbers():
    given = attention_budget.inputs(300)
    plain = attention_budget.WAYS["plain"](*given)
    for name in ("tiles", "torch's kernel"):
        torch.testing.assert_close(attention_budget.WAYS[name](*given), plain, atol=2e-5, rtol=1e-4)


def test_the_answer_stands_at_the_distance_told():
    batch = layer_patterns.one_mark(20, seed=3)
    for row in range(20):
        (place,) = batch.first[row].nonzero().flatten().tolist()
        assert batch.distance[row].tolist() == [t - place for t in range(layer_patterns.LENGTH["one mark"])]
        assert set(batch.target[row, place + 1 :].tolist()) == {batch.second[row, place].item()}
        assert (batch.target[row, : place + 1] == -100).all()
    batch, half = layer_patterns.pairs(20, seed=3), layer_patterns.PAIRS
    for row in range(20):
        assert len(set(batch.first[row, :half].tolist())) == half  # a key stands for one value
        for t in range(half, 2 * half):
            source = t - batch.distance[row, t].item()
            assert batch.first[row, source] == batch.first[row, t]
            assert batch.second[row, source] == batch.target[row, t]


def test_all_patterns_have_equal_parameters():
    sizes = {
        sum(p.numel() for p in layer_patterns.PatternReader(pattern).parameters())
        for pattern in layer_patterns.PATTERNS.values()
    }
    assert len(sizes) == 1


def test_sliding_layers_cannot_hear_of_what_is_out_of_reach():
    """The control: through four windows of 8, word 28 is moved by word 0, and word 29 is not."""
    torch.manual_seed(0)
    batch = layer_patterns.one_mark(1, seed=0)
    changed = batch.second.clone()
    changed[0, 0] = (changed[0, 0] + 1) % layer_patterns.SYMBOLS
    for name, last in (("all sliding", 28), ("all full", 47), ("three sliding, one full", 47)):
        model = layer_patterns.PatternReader(layer_patterns.PATTERNS[name]).double()
        moved = (model(batch.first, batch.second) != model(batch.first, changed)).any(dim=-1)[0]
        assert moved.nonzero().max().item() == last, name


def test_a_seed_repeats(monkeypatch, tmp_path):
    chosen = options(layer_patterns, "--steps", "20", "--batch-size", "2", "--learning-rates", "0.004")
    monkeypatch.setattr(layer_patterns, "PATTERNS", {"all sliding": "S"})
    found = []
    for folder in ("first", "second", "second"):  # the third time nothing is trained
        monkeypatch.setattr(kept_trials, "CACHE", tmp_path / folder)
        found.append(layer_patterns.run_seed(chosen, 0, CPU))
    assert found[0] == found[1] == found[2]
    assert set(found[0]["right"]) == {"one mark", "pairs"}
