"""The experiment on explanations: its material, its controls, its adversary, and what is stored."""

import argparse

import pytest
import torch

from attnbook.data.reviews import reviews
from attnbook.experiments import explanation
from attnbook.experiments.explanation import EXPLANATIONS, POOLINGS, READERS, BuiltIn, WithWeightsOf
from attnbook.nn import PooledReader
from attnbook.results import results


@pytest.fixture(scope="module")
def parts():
    return explanation.material(0)


def test_a_twin_has_the_opposite_verdict_and_nothing_else_changed():
    for review in reviews(200, seed=5):
        other = explanation.twin(review)
        changed = {i for i, (a, b) in enumerate(zip(review.words, other, strict=True)) if a != b}
        assert changed == set(review.deciding)
        back = explanation.TWIN[other[review.deciding[0]]]
        assert back == review.words[review.deciding[0]]


def test_texts_mark_the_words_that_decide(parts):
    numbers, _, _, test = parts
    by_number = {number: word for word, number in numbers.items()}
    for row, review in enumerate(reviews(explanation.TEST, seed=2)):
        marked = test.deciding[row].nonzero().flatten().tolist()
        assert tuple(marked) == review.deciding
        assert [by_number[int(test.tokens[row, i])] for i in marked] == [review.words[i] for i in marked]
        assert test.labels[row] == review.label
    assert not (test.deciding & ~test.mask).any()


def test_what_is_built_in_is_seen_and_where_nothing_is_nothing_is_seen(parts):
    found = explanation._controls(parts[0], 0, torch.device("cpu"))
    built_in, nothing = found["built in"], found["nothing to find"]
    assert built_in["accuracy"] == nothing["accuracy"] == 1
    assert built_in["heaviest weight"] == pytest.approx(nothing["heaviest weight"], abs=0.01)
    assert built_in["permuted, answer moves"] > 0.3
    assert nothing["permuted, answer moves"] < 1e-6
    assert nothing["adversarial, divergence"] > 0.6 > 0.4 > built_in["adversarial, divergence"]
    assert set(built_in["names"].values()) == {1.0}


def test_measures_against_counts_by_hand(parts):
    *_, test = parts
    texts = explanation.Texts(*(each[:4] for each in vars(test).values()))
    first = texts.deciding.float().argmax(dim=1)
    wrong = (texts.deciding * 1.0).argmin(dim=1)
    top = {"a": first, "b": torch.where(torch.tensor([True, False, True, False]), first, wrong)}
    assert explanation.named(top, texts) == {"a": 1.0, "b": 0.5}
    assert explanation.same(top, texts) == {"a | b": 0.5}


def test_a_reader_of_words_under_imposed_weights_does_not_train_the_other(parts):
    torch.manual_seed(0)
    other = PooledReader(len(parts[0]), "recurrent", 8)
    model = WithWeightsOf(other)
    assert not {id(p) for p in other.parameters()} & {id(p) for p in model.parameters()}
    test = parts[3]
    torch.testing.assert_close(
        model(test.tokens[:5], test.mask[:5])[1], other(test.tokens[:5], test.mask[:5])[1]
    )


def test_training_teaches_the_words_and_the_adversary_finds_other_weights(parts):
    numbers, training, validation, test = parts
    model, rate = explanation.train("none", numbers, training, validation, steps=150, rates=(0.01,))
    assert rate == 0.01
    untrained = PooledReader(len(numbers), "none", explanation.D_MODEL).eval()
    assert explanation.accuracy(model, test) > explanation.accuracy(untrained, test) + 0.2
    base = BuiltIn(numbers).eval()
    pulled = explanation.adversary(base, training, validation, 40, 0.01, 5.0, 1)
    held = explanation.adversary(base, training, validation, 40, 0.01, 0.0, 1)
    assert explanation._divergence(base, pulled, test) > explanation._divergence(base, held, test)


def test_steps_below_one_are_refused():
    with pytest.raises(ValueError, match="--steps"):
        explanation.run_seed(argparse.Namespace(steps=0, unlike=0.3), 0, torch.device("cpu"))


def test_what_is_stored_carries_what_the_chapter_says():
    stored = results("explanation")
    seeds = list(stored["seeds"].values())
    assert len(seeds) >= 5
    for seed in seeds:
        assert set(seed["readers"]) == set(READERS)
        for kind, poolings in seed["readers"].items():
            assert set(poolings) == set(POOLINGS)
            for found in poolings.values():
                missing = set() if kind == "self-attention" else {"roll-out"}
                assert set(found["names"]) == set(EXPLANATIONS) - missing
        # opposite pictures at equal accuracy, from where the query began
        recurrent = seed["readers"]["recurrent"]
        good, blind = recurrent["dot, at random"], recurrent["dot, from zero"]
        assert min(good["accuracy"], blind["accuracy"]) > 0.95
        assert good["names"]["weights"] > blind["names"]["weights"] + 0.3
        assert blind["names"]["hiding a word"] > blind["names"]["weights"] + 0.3
        # an adversary is possible where states know other words
        fair = seed["fair test"]
        assert (
            fair["recurrent"]["adversary"]["accuracy"] > 0.95 > fair["words alone"]["adversary"]["accuracy"]
        )
        assert fair["recurrent"]["adversary"]["names"] < 0.1
        # a measure that an untrained reader passes is no explanation
        for untrained in seed["untrained"].values():
            assert untrained["patching, from the twin"] > 0.5
            assert untrained["patching, from other reviews"] < 0.5
