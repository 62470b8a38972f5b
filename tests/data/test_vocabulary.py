"""Words to numbers and back, padding, and batches that depend on seed and step alone."""

import pytest
import torch

from attnbook.data import phrasebook
from attnbook.data.pairs import Pair
from attnbook.data.vocabulary import Batches, Vocabulary, collate, pad


def test_special_words_come_first_and_strangers_are_unk():
    vocabulary = Vocabulary(["je", "t'", "aime"])
    assert vocabulary.words == ["<pad>", "<bos>", "<eos>", "<unk>", "je", "t'", "aime"]
    assert (vocabulary.pad, vocabulary.bos, vocabulary.eos, vocabulary.unk) == (0, 1, 2, 3)
    assert vocabulary.encode(["je", "hais"], bos=True, eos=True) == [1, 4, 3, 2]
    assert vocabulary.decode([1, 4, 5, 6, 2, 4, 0]) == ["je", "t'", "aime"]
    assert vocabulary.decode(torch.tensor([4, 0, 6])) == ["je", "aime"]
    assert "aime" in vocabulary
    assert "hais" not in vocabulary
    assert len(vocabulary) == 7


def test_of_ranks_by_count_then_alphabet_and_cuts_off():
    sentences = [["b", "a", "c"], ["b", "a"], ["b", "d"]]
    assert Vocabulary.of(sentences).words[4:] == ["b", "a", "c", "d"]
    assert Vocabulary.of(sentences, most=2).words[4:] == ["b", "a"]
    assert Vocabulary.of(sentences, at_least=2).words[4:] == ["b", "a"]


def test_a_word_twice_or_a_whole_string_is_an_error():
    with pytest.raises(ValueError, match="'a' twice"):
        Vocabulary(["a", "b", "a"])
    with pytest.raises(ValueError, match="'<eos>' twice"):
        Vocabulary(["<eos>"])
    with pytest.raises(TypeError, match="split it first"):
        Vocabulary(["a"]).encode("a b")


def test_pad_and_collate_by_hand():
    tokens, mask = pad([[5, 6], [7], [8, 9, 10]])
    assert tokens.tolist() == [[5, 6, 0], [7, 0, 0], [8, 9, 10]]
    assert mask.tolist() == [[True, True, False], [True, False, False], [True] * 3]
    vocabulary = Vocabulary(["x", "y"])
    batch = collate([Pair(["x"], ["y", "y"]), Pair(["x", "y"], ["x"])], vocabulary, vocabulary)
    assert batch.src.tolist() == [[4, 0], [4, 5]]
    assert batch.tgt.tolist() == [[1, 5, 5, 2], [1, 4, 2, 0]]
    assert batch.src_mask.tolist() == [[True, False], [True, True]]
    assert batch.tgt_mask.tolist() == [[True] * 4, [True] * 3 + [False]]
    with pytest.raises(ValueError, match="at least one row"):
        pad([])


@pytest.fixture(scope="module")
def corpus():
    words = phrasebook.vocabulary("small")
    return phrasebook.sample(700, 0), Vocabulary(words[0]), Vocabulary(words[1])


def rows(batch):
    return [tuple(row[row > 0].tolist()) for row in batch.tgt]


def test_one_pass_has_every_pair_once_and_little_padding(corpus):
    pairs, src, tgt = corpus
    batches = Batches(pairs, src, tgt, 64, seed=1)
    assert len(batches) == 11
    seen = [row for batch in batches for row in rows(batch)]
    assert sorted(seen) == sorted(tuple(tgt.encode(pair.tgt, bos=True, eos=True)) for pair in pairs)
    real = sum(batch.tgt_mask.sum().item() for batch in batches)
    bucketed = real / sum(batch.tgt.numel() for batch in batches)
    mixed = Batches(pairs, src, tgt, 64, seed=1, pool=1)
    plain = real / sum(batch.tgt.numel() for batch in mixed)
    assert bucketed > 0.9 > plain


def test_a_batch_depends_on_seed_and_step_alone(corpus):
    pairs, src, tgt = corpus
    first, again = (Batches(pairs, src, tgt, 64, seed=3) for _ in range(2))
    straight = [first(step).src for step in range(30)]
    jumped = {step: again(step).src for step in (29, 3, 12, 3)}
    for step, batch in jumped.items():
        assert torch.equal(batch, straight[step])
    other = Batches(pairs, src, tgt, 64, seed=4)
    assert rows(other(0)) != rows(first(0))
    assert rows(first(0)) != rows(first(len(first)))  # the second pass is shuffled anew


def test_bad_batches_are_named(corpus):
    pairs, src, tgt = corpus
    with pytest.raises(ValueError, match="at least one pair"):
        Batches([], src, tgt)
    with pytest.raises(ValueError, match="batch_size, pool: expected at least 1"):
        Batches(pairs, src, tgt, 0)
    with pytest.raises(ValueError, match="the source of pair 1 has no words"):
        Batches([pairs[0], Pair([], ["oui"])], src, tgt)
    with pytest.raises(ValueError, match="the target of pair 0 has no words"):
        Batches([Pair(["yes"], [])], src, tgt)
