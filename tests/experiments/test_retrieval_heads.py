"""Retrieval heads: the texts, the score where it is known, what is taken away, and the stored run."""

import argparse
from itertools import pairwise

import pytest
import torch

from attnbook.experiments import kept_trials
from attnbook.experiments import retrieval_heads as heads
from attnbook.experiments.extrapolation import NOTHING
from attnbook.experiments.retrieval_heads import (
    ASK,
    CONTEXT,
    ENDS,
    FACTS,
    FIRST_FILLER,
    HEADS,
    LAYERS,
    NAMES,
    POSITIONS,
    SENTENCES,
    SYMBOLS,
    WORDS,
    Reader,
)
from attnbook.results import results

CPU = torch.device("cpu")


def drawn(n=200, seed=0, **options):
    return heads.texts(n, torch.Generator().manual_seed(seed), **options)


def test_an_answer_stands_in_one_fact_and_nowhere_else():
    text, place = drawn(questions=1)
    for row, where in zip(text.tolist(), place.tolist(), strict=True):
        fact = row[1 + where * WORDS : 1 + (where + 1) * WORDS]
        mark, *asked = row[CONTEXT:]
        assert mark == ASK
        assert asked == fact
        assert all(row[:CONTEXT].count(symbol) == 1 for symbol in fact)
        sentences = [row[1 + i * WORDS : 1 + (i + 1) * WORDS] for i in range(SENTENCES)]
        assert sum(sentence[0] < NAMES for sentence in sentences) == FACTS
        for sentence in sentences:
            if sentence[0] >= FIRST_FILLER:
                steps = [(b - a) % heads.FILLERS for a, b in pairwise(sentence)]
                assert steps == [1, 1]


def test_which_sentences_are_asked_about():
    shares = {}
    for trained_on in heads.TRAINED_ON:
        _, place = drawn(2000, trained_on=trained_on)
        shares[trained_on] = sum((place == end).float().mean().item() for end in ENDS)
    assert shares["anywhere"] == pytest.approx(4 / 12, abs=0.05)
    assert shares["mostly ends"] == pytest.approx(200 / 208, abs=0.03)
    assert shares["ends alone"] == pytest.approx(1, abs=1e-6)
    _, place = drawn(12, places=torch.arange(12))
    assert place.tolist() == list(range(12))
    with pytest.raises(ValueError, match="^trained_on: "):
        drawn(2, trained_on="middle")


def test_answers_are_values_behind_the_text_and_fillers_go_on():
    text, _ = drawn(50)
    answer, filler = heads.answers(text)
    assert ((answer != NOTHING).sum(dim=1) == heads.QUESTIONS * (WORDS - 1)).all()
    assert (answer[:, : CONTEXT - 1] == NOTHING).all()
    assert ((filler != NOTHING).sum(dim=1) == (SENTENCES - FACTS) * (WORDS - 1)).all()
    asked = filler != NOTHING
    assert (((text + 1 - FIRST_FILLER) % heads.FILLERS + FIRST_FILLER)[asked] == filler[asked]).all()


def built_in(text, place, off=0):
    """Weights of one layer whose head 0 stands on the symbol that is copied, the others on the start."""
    n, length = text.shape
    weights = torch.zeros(n, HEADS, length, length)
    weights[..., 0] = 1
    for row in range(n):
        for value in (0, 1):
            at = 1 + int(place[row]) * WORDS + 1 + value + off
            weights[row, 0, length - WORDS + value] = 0
            weights[row, 0, length - WORDS + value, at] = 1
    return weights


def test_the_score_sees_a_head_that_was_built_to_copy_and_no_other():
    text, place = drawn(40, questions=1)
    right = torch.ones(40, 2, dtype=torch.bool)
    one = heads.retrieval_scores([built_in(text, place)], text, place, right)
    assert one.tolist() == [[1.0, 0.0, 0.0, 0.0]]
    aside = heads.retrieval_scores([built_in(text, place, off=-1)], text, place, right)
    assert aside.max() == 0  # in the fact, and on the symbol before the one that is copied
    right[:20] = False
    assert heads.retrieval_scores([built_in(text, place)], text, place, right)[0, 0] == 1
    assert heads.retrieval_scores([built_in(text, place)], text, place, right & False).max() == 0


@pytest.mark.parametrize("positions", POSITIONS)
def test_a_head_taken_away_adds_nothing(positions):
    torch.manual_seed(0)
    model = Reader(positions).eval()
    text, _ = drawn(3)
    with torch.no_grad():
        everything = tuple((i, j) for i in range(LAYERS) for j in range(HEADS))
        bare = [attention.W_o.bias.clone() for attention in model.attentions]
        logits, _ = model.look(text, without=everything)
        x = model.positions(model.embedding(text)) + sum(bare)
        torch.testing.assert_close(logits, model.output(model.norm(x)))
        assert not torch.allclose(model(text), logits)
        torch.testing.assert_close(model.look(text)[0], model(text))  # nothing stays behind
        # the future does not matter
        other = text.clone()
        other[:, 30:] = ASK
        torch.testing.assert_close(model(other)[:, :30], model(text)[:, :30])


def test_an_unknown_way_of_telling_positions_is_named():
    with pytest.raises(ValueError, match="^positions: "):
        Reader("sinusoidal")


def test_heads_that_are_as_large_are_others():
    size = torch.tensor([[4.0, 1.0, 3.9, 2.0], [1.1, 9.0, 8.0, 0.5]])
    assert heads.alike([(0, 0), (1, 1)], size) == [(0, 2), (1, 2)]


def test_size_is_that_of_the_product():
    torch.manual_seed(0)
    model = Reader("none")
    attention = model.attentions[1]
    part = slice(16, 32)  # head 1
    product = attention.W_o.weight[:, part] @ attention.W_v.weight[part]
    torch.testing.assert_close(heads.size_of_heads(model)[1, 1], product.norm().detach())


def test_who_may_not_see_the_middle():
    mask = heads.blind_for_the_middle(CONTEXT + WORDS + 1, CPU)
    hidden = [i for i in range(SENTENCES) if not mask[-1, 1 + i * WORDS]]
    assert hidden == [i for i in range(SENTENCES) if i not in ENDS]
    assert mask[:CONTEXT].all()


def test_a_run_of_a_few_steps(monkeypatch, tmp_path):
    monkeypatch.setattr(kept_trials, "CACHE", tmp_path)
    monkeypatch.setattr(heads, "TEST", 48)
    options = argparse.Namespace(steps=10, batch=4, learning_rates=[1e-3])
    found = heads.run_seed(options, 0, CPU)
    assert set(found) == set(POSITIONS)
    assert "heads" in found["rotary"]["anywhere"]
    assert len(found["rotary"]["anywhere"]["by place"]) == SENTENCES
    with pytest.raises(ValueError, match="--steps"):
        heads.run_seed(argparse.Namespace(steps=2, batch=4, learning_rates=[1e-3]), 0, CPU)
    with pytest.raises(ValueError, match="--learning-rates"):
        heads.run_seed(argparse.Namespace(steps=10, batch=4, learning_rates=[0.0]), 0, CPU)


def test_what_is_stored_carries_what_the_lab_says():
    seeds = list(results("retrieval_heads")["seeds"].values())
    assert len(seeds) >= 3
    for seed in seeds:
        for positions in POSITIONS:
            for run in (seed[positions]["anywhere"], seed[positions]["ends alone"]):
                blind = run["by place, blind for the middle"]
                ends = [blind[i] for i in ENDS]
                if run["answers"] > 0.9:  # the measure sees a middle that is lost
                    assert min(ends) > max(share for i, share in enumerate(blind) if i not in ENDS) + 0.5
    assert SYMBOLS == 48
