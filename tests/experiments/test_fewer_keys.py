"""The run of chapter 11's lab on caches: equal parameters, a rate for each, a control without attention."""

import argparse

import pytest
import torch

from attnbook.experiments import fewer_keys, kept_trials
from attnbook.nn import KVCache, LatentCache
from attnbook.results import results

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    fewer_keys.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--batch-size", "0"), "--batch-size: expected at least 1"),
        (("--steps", "5"), "--steps: expected at least 20"),
        (("--learning-rates", "0.1", "0"), "--learning-rates: expected numbers above 0, got 0"),
    ],
)
def test_options_out_of_range_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        fewer_keys.run_seed(options(*words), 0, CPU)


def test_an_unknown_attention_is_refused():
    with pytest.raises(ValueError, match="name: expected one of multi-head, grouped"):
        fewer_keys.attention("sparse")


def test_all_have_the_parameters_of_the_first():
    counts = {name: fewer_keys.count(fewer_keys.build(name, 210)) for name in fewer_keys.NAMES}
    unit = fewer_keys.LAYERS * (2 * fewer_keys.D_MODEL + 1)  # the least by which a feed-forward part can grow
    assert max(counts.values()) - min(counts.values()) <= unit


@pytest.mark.parametrize("name", [name for name in fewer_keys.NAMES if name != "no attention"])
def test_the_count_of_the_cache_is_what_a_cache_holds(name):
    attention = fewer_keys.attention(name)
    cache = LatentCache() if name == "latent" else KVCache()
    attention(torch.randn(1, 5, fewer_keys.D_MODEL), causal=True, cache=cache)
    held = (cache.latent, cache.rotated_key) if name == "latent" else (cache.key, cache.value)
    assert sum(tensor.numel() for tensor in held) == 5 * fewer_keys.numbers_in_cache(name)


def test_the_control_sees_one_word_alone():
    torch.manual_seed(0)
    tokens = torch.randint(210, (1, 6))
    changed = tokens.clone()
    changed[0, 0] = (tokens[0, 0] + 1) % 210
    for name, blind in (("no attention", True), ("multi-query", False), ("latent", False)):
        model = fewer_keys.build(name, 210).eval()
        assert torch.equal(model(tokens)[0][0, -1], model(changed)[0][0, -1]) is blind, name


def test_a_seed_repeats(monkeypatch, tmp_path):
    monkeypatch.setattr(fewer_keys, "SENTENCES", {"train": 200, "validation": 60, "test": 60})
    chosen = options("--steps", "20", "--batch-size", "4", "--learning-rates", "0.004")
    found = []
    for folder in ("first", "second", "second"):  # the third time nothing is trained
        monkeypatch.setattr(kept_trials, "CACHE", tmp_path / folder)
        found.append(fewer_keys.run_seed(chosen, 0, CPU))
    assert found[0] == found[1] == found[2]
    assert set(found[0]["test loss"]) == set(fewer_keys.NAMES)


def test_the_loss_leaves_padding_out():
    torch.manual_seed(0)
    model = fewer_keys.build("grouped", 20).eval()
    long, short = torch.randint(4, 20, (1, 7)), torch.randint(4, 20, (1, 4))
    padded = torch.cat([long, torch.nn.functional.pad(short, (0, 3))])
    mask = torch.tensor([[True] * 7, [True] * 4 + [False] * 3])
    together = fewer_keys.nats_a_word(model, [(padded, mask)])
    alone = [fewer_keys.loss_sum(model, (row, torch.ones_like(row).bool())) for row in (long, short)]
    assert together == pytest.approx((sum(t for t, _ in alone) / sum(n for _, n in alone)).item(), rel=1e-5)


def test_the_stored_results_are_those_of_this_run():
    stored = results("fewer_keys")
    assert stored["experiment"] == "fewer_keys"
    assert len(stored["seeds"]) == 3
    for seed in stored["seeds"].values():
        assert set(seed["test loss"]) == set(fewer_keys.NAMES)
        assert seed["numbers in cache"] == {
            name: fewer_keys.numbers_in_cache(name) for name in fewer_keys.NAMES
        }
        for name, tried in seed["rates tried"].items():
            assert seed["learning rate"][name] == min(tried, key=lambda pair: pair[1])[0]
