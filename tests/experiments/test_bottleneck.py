"""The runs of chapter 3: every model trains and is scored, and a reversed source is only that."""

import argparse

import pytest
import torch

from attnbook.data import first_phrasebook as phrasebook
from attnbook.data import upbringing
from attnbook.experiments import bottleneck

TINY = {"steps": 1, "pairs": 64, "test": 1, "task_steps": 1}


def test_a_seed_gives_every_number():
    found = bottleneck.run_seed(argparse.Namespace(**TINY), 0, torch.device("cpu"))
    assert set(found["bleu"]) == set(bottleneck.MODELS) == set(found["parameters"])
    assert all(set(row) == {"5-8", "9-12", "13-16", "17-20", "21-30"} for row in found["bleu"].values())
    assert set(found["far-off answer"]) == {"plain", "GRU", "LSTM"}


def test_the_same_seed_trains_the_same_model():
    training, test = bottleneck.sentences(pairs=64, test=2)

    def losses(seed):
        return bottleneck.train(bottleneck.build("GRU 32", seed), training, 3, seed).losses

    assert losses(0) == losses(0) != losses(1)
    assert len(test) == 2 * len(bottleneck.BUCKETS)


def test_reversing_turns_the_source_and_leaves_the_target():
    pairs = phrasebook.sample(5, seed=0, length=(5, 9))
    for pair, back in zip(pairs, bottleneck.reversed_source(pairs), strict=True):
        assert back.src == pair.src[::-1]
        assert back.tgt == pair.tgt


def test_models_differ_in_what_their_names_say():
    sizes = {
        name: sum(p.numel() for p in bottleneck.build(name, 0).parameters()) for name in bottleneck.MODELS
    }
    assert sizes["GRU 32"] < sizes["GRU 64"] < sizes["GRU 128"] < sizes["GRU 256"]
    assert sizes["GRU 128"] == sizes["GRU 128 reversed"] < sizes["GRU 128 two layers"]


def test_the_schedule_goes_up_to_one_and_down_to_nothing():
    factor = bottleneck.warm_up_and_down(100)
    values = [factor(step) for step in range(100)]
    assert max(values) == values[9] == 1
    assert values[-1] < 0.01
    assert values[0] == pytest.approx(0.1)


def test_a_reader_learns_the_near_answer():
    reader = bottleneck.train_reader("GRU", 250, 0, torch.device("cpu"))
    assert bottleneck.answers(reader, 0, "before", n=100)["right"] > 0.9
    words, right = reader.encode(upbringing.sample(3, seed=5, fill=(0, 9)))
    assert words.shape[0] == right.shape[0] == 3
    assert bool((words[:, -1] != 0).all())


def test_bad_numbers_are_named():
    with pytest.raises(ValueError, match="--steps"):
        bottleneck.run_seed(argparse.Namespace(**{**TINY, "steps": 0}), 0, torch.device("cpu"))
