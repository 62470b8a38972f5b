"""BLEU, chrF and AER worked by hand, and the baselines on pairs where the answer is known."""

import math

import pytest
import torch

from attnbook.data import phrasebook
from attnbook.data.pairs import Pair
from attnbook.translation.metrics import (
    IBMModel1,
    alignment_error_rate,
    bleu,
    bleu_by_length,
    chrf,
    diagonal,
    endless,
    exact,
    links_from_weights,
)


def test_bleu_by_hand():
    """the cat sat on the mat: precisions 5/6, 3/5, 2/4, 1/3, no brevity penalty."""
    ours, theirs = ["the", "cat", "sat", "on", "a", "mat"], ["the", "cat", "sat", "on", "the", "mat"]
    by_hand = 100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    assert bleu([ours], [theirs]) == pytest.approx(by_hand, abs=1e-6)
    short = ["the", "cat", "sat", "on", "the"]  # all right, but 5 words for 6
    assert bleu([short], [theirs]) == pytest.approx(100 * math.exp(1 - 6 / 5), abs=1e-6)
    assert bleu([theirs], [theirs]) == pytest.approx(100)
    assert bleu([["x"] * 6], [theirs]) < 10


def test_bleu_takes_words_as_they_are():
    """An apostrophe is part of its word; nothing is split again."""
    words = ["je", "t'", "aime", ",", "l'", "ami"]
    assert bleu([words], [words]) == pytest.approx(100)
    assert bleu([["je", "t'aime", ",", "l'", "ami"]], [words]) < 60


def test_bleu_by_length_sorts_by_the_given_lengths():
    right, wrong = ["a", "b", "c", "d", "e"], ["v", "w", "x", "y", "z"]
    scores = bleu_by_length([right, wrong, right], [right] * 3, [3, 8, 9], [(1, 5), (6, 8), (9, 9), (20, 30)])
    assert list(scores) == ["1-5", "6-8", "9-9"]
    assert scores["1-5"] == scores["9-9"] == pytest.approx(100)
    assert scores["6-8"] < 20
    with pytest.raises(ValueError, match="lengths: expected 1, one a sentence, got 2"):
        bleu_by_length([right], [right], [1, 2], [(1, 5)])


def test_exact_is_a_share():
    assert exact([["a"], ["b"], ["c"]], [["a"], ["b"], ["d"]]) == pytest.approx(2 / 3)


def test_chrf_by_hand():
    """abc against abd: orders 1 to 3 have 2/3, 1/2 and 0 of their n-grams right; there is none of order 4."""
    assert chrf([["abc"]], [["abd"]]) == pytest.approx(100 * (2 / 3 + 1 / 2 + 0) / 3, abs=1e-6)
    # "ab" for "abcd": precision 1, 1 and recall 2/4, 1/3; F = 5 P R / (4 P + R), recall counts double
    precision, recall = 1.0, (2 / 4 + 1 / 3) / 2
    by_hand = 100 * 5 * precision * recall / (4 * precision + recall)
    assert chrf([["ab"]], [["abcd"]]) == pytest.approx(by_hand, abs=1e-6)
    assert chrf([["le", "chat"]], [["lechat"]]) == pytest.approx(100)  # spaces are no characters
    assert chrf([["chats"]], [["chat"]]) > 70 > bleu([["chats"]], [["chat"]])


def test_endless_outputs():
    reference = ["w"] * 10
    assert endless([["w"] * 13], [reference], most=80) == 0  # exactly 1.3 times as long
    assert endless([["w"] * 14], [reference], most=80) == 1
    assert endless([["w"] * 14], [reference], most=80, ratio=1.4) == 0
    assert endless([["w"] * 10], [reference], most=10) == 1  # stopped by the limit
    assert endless([["w"] * 9, ["w"] * 14, []], [reference] * 3, most=80) == pytest.approx(1 / 3)
    with pytest.raises(ValueError, match="most: expected at least 1 word, got 0"):
        endless([reference], [reference], most=0)
    with pytest.raises(ValueError, match="ratio: expected at least 1, got nan"):
        endless([reference], [reference], most=80, ratio=float("nan"))


SCORES = [
    bleu,
    chrf,
    exact,
    lambda ours, theirs: endless(ours, theirs, most=80),
    lambda ours, theirs: bleu_by_length(ours, theirs, [3] * len(theirs), [(1, 9)]),
]


@pytest.mark.parametrize("score", SCORES)
def test_sentences_must_be_lists_of_words(score):
    """A string would be scored by its letters: 40.65 for a BLEU of 16.34."""
    words, string = ["le", "chat", "dort"], "le chat dort"
    with pytest.raises(ValueError, match=r"translations: .* list of words .* 'le chat dort' for sentence 1"):
        score([words, string], [words, words])
    with pytest.raises(ValueError, match=r"references: .* list of words .*; split it into words first"):
        score([words], [string])
    with pytest.raises(ValueError, match="references: .* list of words"):
        score([words], string)
    with pytest.raises(ValueError, match=r"translations: .* list of words .* \[4, 7\] for sentence 0"):
        score([[4, 7]], [words])


@pytest.mark.parametrize("score", SCORES)
def test_counts_must_match(score):
    with pytest.raises(ValueError, match=r"expected as many as references \(2\), got 1"):
        score([["a"]], [["a"], ["b"]])
    with pytest.raises(ValueError, match="at least one sentence"):
        score([], [])


def test_error_rate_by_hand():
    """A = {00, 11, 12}; S = {00, 22}; P = S + {11}: 1 − (1 + 2) / (3 + 2)."""
    gold = [{(0, 0, "S"), (2, 2, "S"), (1, 1, "P")}]
    assert alignment_error_rate([{(0, 0), (1, 1), (1, 2)}], gold) == pytest.approx(1 - 3 / 5)
    assert alignment_error_rate([{(0, 0), (2, 2)}], gold) == 0.0
    assert alignment_error_rate([{(0, 0), (2, 2), (1, 1)}], gold) == 0.0  # a possible link costs nothing
    assert alignment_error_rate([{(0, 2)}], gold) == 1.0
    assert alignment_error_rate([set()], gold) == 1.0
    # over a corpus counts are added, not rates averaged
    two = alignment_error_rate([{(0, 0), (2, 2)}, {(0, 1)}], [*gold, {(0, 0, "S")}])
    assert two == pytest.approx(1 - 4 / 6)


def test_a_model_without_alignments_has_no_error_rate():
    gold = [frozenset({(0, 0, "S")})]
    with pytest.raises(ValueError, match="sentence 0 has no alignment; AER is undefined"):
        alignment_error_rate([None], gold)
    with pytest.raises(ValueError, match="gold: sentence 0 has no gold alignment"):
        alignment_error_rate([set()], [None])
    with pytest.raises(ValueError, match=r"kinds \['Q'\]"):
        alignment_error_rate([set()], [{(0, 0, "Q")}])
    with pytest.raises(ValueError, match="expected 1 sentences, as in gold, got 0"):
        alignment_error_rate([], gold)
    with pytest.raises(ValueError, match="AER is undefined"):
        alignment_error_rate([set()], [set()])
    with pytest.raises(ValueError, match="weights: got None"):
        links_from_weights(None)


def test_links_from_weights():
    weights = torch.tensor([[0.1, 0.7, 0.2], [0.45, 0.1, 0.45001]])
    assert links_from_weights(weights) == {(1, 0), (2, 1)}
    assert links_from_weights(weights, 0.4) == {(1, 0), (0, 1), (2, 1)}


def test_the_diagonal():
    assert diagonal(3, 3) == {(0, 0), (1, 1), (2, 2)}
    assert diagonal(2, 4) == {(0, 0), (0, 1), (1, 2), (1, 3)}
    assert diagonal(5, 1) == {(2, 0)}
    for n_src in range(1, 9):
        for n_tgt in range(1, 9):
            links = diagonal(n_src, n_tgt)
            assert {t for _, t in links} == set(range(n_tgt))
            assert all(0 <= s < n_src for s, _ in links)


def test_model_1_learns_the_classic_example():
    """das Haus, das Buch, ein Buch (Brown et al.'s idea in Koehn's example): words sort themselves out."""
    pairs = [
        Pair(["das", "Haus"], ["the", "house"]),
        Pair(["das", "Buch"], ["the", "book"]),
        Pair(["ein", "Buch"], ["a", "book"]),
    ]
    model = IBMModel1(pairs, 30)
    for source, target in (("das", "the"), ("Buch", "book"), ("Haus", "house"), ("ein", "a")):
        assert max(model.table[source], key=model.table[source].get) == target
    assert model.links(["das", "Buch"], ["the", "book"]) == {(0, 0), (1, 1)}
    assert model.links(["Buch", "das"], ["the", "book"]) == {(1, 0), (0, 1)}
    for row in model.table.values():
        assert sum(row.values()) == pytest.approx(1)
    assert model.links(["das"], ["unheard"]) == set()


def test_one_round_of_model_1_by_hand():
    """One pair of one word: the empty word and the word share its count."""
    model = IBMModel1([Pair(["ja"], ["yes"])], 1)
    assert model.table == {None: {"yes": 1.0}, "ja": {"yes": 1.0}}
    assert model.log_likelihoods == [pytest.approx(math.log(1.0))]


def test_the_likelihood_never_falls_and_the_baselines_stand_in_order():
    pairs = phrasebook.sample(500, 0, "small", (5, 15))
    model = IBMModel1(pairs, 5)
    assert all(a <= b + 1e-6 for a, b in zip(model.log_likelihoods, model.log_likelihoods[1:], strict=False))
    gold = [pair.alignment for pair in pairs]
    learned = alignment_error_rate([model.links(pair.src, pair.tgt) for pair in pairs], gold)
    straight = alignment_error_rate([diagonal(len(pair.src), len(pair.tgt)) for pair in pairs], gold)
    assert learned < 0.3 < straight < 0.6


def test_model_1_refuses_nothing():
    with pytest.raises(ValueError, match="at least one pair"):
        IBMModel1([])
    with pytest.raises(ValueError, match="rounds: expected at least 1"):
        IBMModel1([Pair(["a"], ["b"])], 0)
