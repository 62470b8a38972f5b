"""Sentences with hidden words: what is hidden, what is asked, and the same for the same seed."""

import pytest
import torch

from attnbook.data import phrasebook
from attnbook.data.hidden_words import MASK, HiddenWords, probes
from attnbook.data.vocabulary import Vocabulary

SENTENCES = [pair.src for pair in phrasebook.sample(60, 0, "small", (3, 9))]
WORDS = Vocabulary([MASK, *phrasebook.vocabulary("small")[0]])


def test_a_batch_hides_words_and_keeps_the_answers():
    batches = HiddenWords(SENTENCES, WORDS, batch_size=8, share=0.3, seed=1)
    rows = {tuple(WORDS.encode(sentence, bos=True)) for sentence in SENTENCES}
    for step in range(20):
        batch = batches(step)
        assert (batch.tokens[batch.hidden] == WORDS.numbers[MASK]).all()
        assert not batch.hidden[:, 0].any()  # the start marker
        assert not (batch.hidden & ~batch.mask).any()  # padding
        assert batch.hidden.any(dim=1).all()
        restored = batch.tokens.clone()
        restored[batch.hidden] = batch.answers
        for row, mask in zip(restored, batch.mask, strict=True):
            assert tuple(row[mask].tolist()) in rows


def test_the_share_is_about_kept_and_the_seed_decides():
    batches = HiddenWords(SENTENCES, WORDS, batch_size=30, share=0.3)
    hidden, words = 0, 0
    for step in range(40):
        batch = batches(step)
        hidden, words = hidden + int(batch.hidden.sum()), words + int(batch.mask[:, 1:].sum())
    assert 0.25 < hidden / words < 0.4
    again = HiddenWords(SENTENCES, WORDS, batch_size=30, share=0.3)(5)
    assert torch.equal(again.tokens, batches(5).tokens)
    other = HiddenWords(SENTENCES, WORDS, batch_size=30, share=0.3, seed=1)(5)
    assert again.tokens.shape != other.tokens.shape or not torch.equal(again.tokens, other.tokens)


@pytest.mark.parametrize("hide", [True, False])
def test_a_probe_asks_for_every_word_once(hide):
    asked = set()
    for probe in probes(SENTENCES, WORDS, hide):
        for tokens, place, answer, sentence in zip(
            probe.tokens, probe.place, probe.answers, probe.sentence, strict=True
        ):
            full = WORDS.encode(SENTENCES[sentence], bos=True)
            assert int(answer) == full[place]
            full[place] = WORDS.numbers[MASK] if hide else full[place]
            assert tokens.tolist() == full
            asked.add((int(sentence), int(place)))
    assert len(asked) == sum(map(len, SENTENCES))


def test_words_that_nobody_could_name_are_not_asked():
    few = Vocabulary([MASK, "the", "dog"])
    (probe,) = probes([["the", "dog", "sleeps"]], few)
    assert probe.place.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"sentences": []}, "sentences"),
        ({"sentences": [["the"], []]}, "sentence 1"),
        ({"vocabulary": Vocabulary(["the"])}, "vocabulary"),
        ({"batch_size": 0}, "batch_size"),
        ({"share": 1.0}, "share"),
    ],
)
def test_bad_input_is_named(change, name):
    with pytest.raises(ValueError, match=name):
        HiddenWords(**{"sentences": SENTENCES, "vocabulary": WORDS, **change})
