"""``attnbook run pretraining``: labels that are right, and methods that can see what is there."""

import argparse

import pytest
import torch

from attnbook.experiments import pretraining
from attnbook.experiments.pretraining import Example, balanced, hidden_verbs

CPU = torch.device("cpu")


def options(*words):
    parser = argparse.ArgumentParser()
    pretraining.add_arguments(parser)
    return parser.parse_args(words)


def test_the_label_is_the_number_of_the_subject():
    examples = hidden_verbs(
        [
            ["the", "dogs", "of", "the", "old", "man", "are", "tired"],
            ["the", "friend", "of", "the", "queens", "is", "happy"],
            ["she", "sleeps"],  # a pronoun says it by itself
            ["the", "doctor", "signed", "the", "law"],  # a form without number
            ["the", "teachers", "do", "not", "read", "the", "letter"],
        ]
    )
    assert [(example.place, example.plural, example.forms) for example in examples] == [
        (6, 1, ("is", "are")),
        (5, 0, ("is", "are")),
        (2, 1, ("does", "do")),
    ]
    assert examples[0].words[6] == "<mask>"


def test_balanced_takes_both_classes_in_turn():
    both = [Example(["a"], 0, number, ("is", "are")) for number in (0, 0, 0, 1, 1)]
    assert [example.plural for example in balanced(both, 4)] == [0, 1, 0, 1]
    with pytest.raises(ValueError, match="at most 4 balanced"):
        balanced(both, 6)


def test_sets_have_no_sentence_in_common():
    chosen = options("--sentences", "300", "--test", "60")
    sets = pretraining._sets(chosen, 0)
    unlabelled = {tuple(words) for words in pretraining._sentences(300, 0, "train")}
    for part, n in ((sets.train, 500), (sets.validation, 400), (sets.test, 60)):
        assert len(part) == n
        assert sum(example.plural for example in part) == n // 2
        whole = {(*e.words[: e.place], e.forms[e.plural], *e.words[e.place + 1 :]) for e in part}
        assert not whole & unlabelled
    assert not {tuple(e.words) for e in sets.train} & {tuple(e.words) for e in sets.test}


def test_a_network_and_counting_learn_a_rule_that_a_word_decides():
    """The noun before the verb is "dogs" or "dog": everybody must find that."""
    made = [
        Example([*(["the"] * (i % 3)), "dogs" if i % 2 else "dog", "<mask>"], 1 + i % 3, i % 2, ("is", "are"))
        for i in range(40)
    ]
    words = pretraining.vocabulary()
    torch.manual_seed(0)
    data = pretraining.encoded(made, words, CPU)
    model = pretraining.tuned(pretraining.encoder(words, CPU), data, 4e-3, 60, 0)
    assert pretraining.right(model, data) == 1
    assert pretraining.counted(False, 1.0, made, made) == 1
    shuffled = [Example(e.words, e.place, int(i % 4 < 2), e.forms) for i, e in enumerate(made)]
    assert pretraining.counted(False, 1.0, shuffled, shuffled) < 0.8


def test_a_run_stores_every_method_at_every_size(monkeypatch):
    monkeypatch.setattr(pretraining, "SIZES", (10, 20))
    monkeypatch.setattr(pretraining, "RATES", (2e-3,))
    monkeypatch.setattr(pretraining, "STRENGTHS", (1.0,))
    for store in ("_STARTS", "_SEARCHED", "_LOSSES"):
        monkeypatch.setattr(pretraining, store, {})
    tiny = options(
        *["--sentences", "200", "--steps", "10", "--fine-steps", "5", "--test", "40", "--search", "20"]
    )
    numbers = pretraining.run_seed(tiny, 0, CPU)
    assert set(numbers["right"]) == {"pre-trained", "from scratch", "bag of words", "word pairs"}
    assert all(set(sizes) == {"10", "20"} for sizes in numbers["right"].values())
    assert numbers["n"] == 40
    assert 0 <= numbers["no labels"] <= 1
