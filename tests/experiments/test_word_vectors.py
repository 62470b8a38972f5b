"""Word vectors: what is counted, what is asked of them, and that the stored tables are those of the runs."""

import argparse
import math

import pytest
import torch

from attnbook.experiments import word_vectors
from attnbook.nn import SkipGram
from attnbook.results import results


def options(*words):
    parser = argparse.ArgumentParser()
    word_vectors.add_arguments(parser)
    return parser.parse_args(words)


SENTENCES = [["the", "dog", "ran"], ["the", "cat", "ran", "off"]]


def test_pairs_by_hand():
    numbers = word_vectors.numbered(SENTENCES)
    assert numbers == {"cat": 0, "dog": 1, "off": 2, "ran": 3, "the": 4}
    word, near = word_vectors.pairs([["the", "dog", "ran"]], numbers, window=1)
    assert list(zip(word.tolist(), near.tolist(), strict=True)) == [(4, 1), (1, 4), (1, 3), (3, 1)]
    word, near = word_vectors.pairs(SENTENCES, numbers, window=2)
    counted = word_vectors.table(word, near, len(numbers))
    assert torch.equal(counted, counted.T)
    assert counted.sum() == len(word) == 6 + 10
    assert counted[numbers["the"], numbers["ran"]] == 2


def test_words_without_a_number_are_left_out():
    numbers = word_vectors.numbered(SENTENCES, at_least=2)
    assert numbers == {"ran": 0, "the": 1}
    word, _ = word_vectors.pairs(SENTENCES, numbers, window=1)
    assert len(word) == 4


def test_every_word_has_one_kind():
    kinds = word_vectors.kinds()
    assert kinds["dogs"] == "noun, plural"
    assert kinds["reading"] == "verb in -ing"
    assert kinds["old"] == "adjective"
    assert "read" not in kinds  # base form and past
    assert len(set(kinds.values())) == 8


def test_alike_is_right_on_vectors_made_for_it():
    group = {"a": "x", "b": "x", "c": "y", "d": "y"}
    numbers = {"a": 0, "b": 1, "c": 2, "d": 3, "without": 4}
    sorted_out = torch.tensor([[1.0, 0.1], [1.0, 0.0], [0.0, 1.0], [0.1, 1.0], [1.0, 0.05]])
    assert word_vectors.alike(sorted_out, numbers, group, n=1) == 1.0
    mixed = sorted_out[[0, 2, 1, 3, 4]]
    assert word_vectors.alike(mixed, numbers, group, n=1) == 0.0
    assert word_vectors.chance(numbers, group) == pytest.approx(1 / 3)


def test_random_vectors_reach_chance_and_no_more():
    group = word_vectors.kinds()
    numbers = {word: number for number, word in enumerate(group)}
    shares = [
        word_vectors.alike(
            torch.randn(len(numbers), 8, generator=torch.Generator().manual_seed(n)), numbers, group
        )
        for n in range(20)
    ]
    assert sum(shares) / 20 == pytest.approx(word_vectors.chance(numbers, group), abs=0.02)


def test_plurals_are_found_where_one_step_leads_to_all_of_them():
    nouns = [n for n in word_vectors.NOUNS if n.plural and n.plural != n.singular][:6]
    numbers = {word: k for k, word in enumerate(w for n in nouns for w in (n.singular, n.plural))}
    draw = torch.Generator().manual_seed(0)
    singular = torch.randn(len(nouns), 30, generator=draw)
    step = 4 * torch.randn(30, generator=draw)
    found = torch.stack([singular, singular + step], dim=1).flatten(0, 1)
    assert word_vectors.plurals(found, numbers)["with the step"] > 0.9
    assert word_vectors.plurals(torch.randn(12, 30, generator=draw), numbers)["with the step"] < 0.5


def test_opposites_are_counted_both_ways():
    numbers = {"big": 0, "small": 1, "hot": 2, "cold": 3}
    near = torch.tensor([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0], [-1.0, 0.0]])
    assert word_vectors.opposites(near, numbers, n=1) == 0.75


def test_shortening_keeps_what_a_small_matrix_holds():
    draw = torch.Generator().manual_seed(0)
    half = torch.randn(12, 3, generator=draw)
    matrix = half @ half.T
    short = word_vectors.shortened(matrix, 3)
    torch.testing.assert_close(short @ short.T, matrix, atol=1e-3, rtol=1e-3)


def test_training_lowers_the_loss_from_where_it_must_begin():
    torch.manual_seed(0)
    numbers = word_vectors.numbered(SENTENCES)
    word, near = word_vectors.pairs(SENTENCES, numbers, 1)
    losses = word_vectors.train(
        SkipGram(len(numbers), 8), word, near, steps=60, batch=16, negatives=3, learning_rate=0.05
    )
    assert losses[0] == pytest.approx(4 * math.log(2), abs=1e-5)
    assert sum(losses[-10:]) / 10 < losses[0] - 0.3


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--window", "0"], "--window: expected at least 1, got 0"),
        (["--d-embed", "-2"], "--d-embed: expected at least 1"),
        (["--learning-rate", "0"], "--learning-rate: expected above 0"),
    ],
)
def test_bad_options_are_named(words, sentence):
    with pytest.raises(ValueError, match=sentence):
        word_vectors.run_seed(options(*words), 0, torch.device("cpu"))


def test_a_run_gives_the_same_numbers_twice(monkeypatch):
    monkeypatch.setattr(word_vectors, "SENTENCES", (60,))
    monkeypatch.setattr(word_vectors, "REVIEWS", 40)
    few = options("--steps", "20", "--batch", "32")
    one, other = (word_vectors.run_seed(few, 3, torch.device("cpu")) for _ in range(2))
    assert one == other
    assert set(one["same kind"]) == {"random", "counts", "PPMI", "PPMI, shortened", "skip-gram"}


@pytest.mark.parametrize(("name", "seeds"), [("word_vectors", 10), ("word_vectors_tatoeba", 3)])
def test_stored_results_are_those_of_their_command(name, seeds):
    stored = results(name)
    assert len(stored["seeds"]) == seeds
    assert stored["command"].startswith("attnbook run word_vectors")
    assert "/" not in stored["command"]
    parser = argparse.ArgumentParser()
    word_vectors.add_arguments(parser)
    given, _ = parser.parse_known_args(stored["command"].split()[3:])
    assert stored["options"] == {key: getattr(given, key) for key in sorted(vars(given))}
    assert (
        stored["summary"]["same kind/skip-gram" + ("/4000" if name == "word_vectors" else "")]["n"] == seeds
    )
