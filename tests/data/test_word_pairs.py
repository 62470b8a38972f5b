"""Which words stood side by side: counted, listed where they never did, packed and unpacked."""

import json
import random

import pytest

from attnbook.data import phrasebook
from attnbook.data.vocabulary import Vocabulary
from attnbook.data.word_pairs import WordPairs

SENTENCES = [["a", "b"], ["b", "c", "a"]]
WORDS = Vocabulary(["a", "b", "c"])


def test_neighbours_and_ends_that_never_stood_so():
    familiar = WordPairs(SENTENCES, WORDS)
    assert (familiar.shortest, familiar.longest, len(familiar)) == (2, 3, 7)
    for sentence in SENTENCES:
        assert familiar.unseen(sentence) == []
    assert familiar.unseen(["a", "c"]) == [("a", "c"), ("c", "<eos>")]
    assert familiar.unseen(["c"]) == [("<bos>", "c"), ("c", "<eos>")]
    assert familiar.unseen(["a", "zebra", "b"]) == [], "whoever names the unknown word names enough"


def test_packed_as_json_it_is_the_same():
    draw = random.Random(0)
    words = [f"w{i}" for i in range(23)]
    sentences = [draw.choices(words, k=draw.randint(1, 9)) for _ in range(40)]
    vocabulary = Vocabulary(words)
    familiar = WordPairs(sentences, vocabulary)
    again = WordPairs.unpacked(json.loads(json.dumps(familiar.packed())), vocabulary)
    assert len(again) == len(familiar)
    for _ in range(200):
        sentence = draw.choices(words, k=6)
        assert again.unseen(sentence) == familiar.unseen(sentence)
    assert (again.shortest, again.longest) == (familiar.shortest, familiar.longest)


def test_no_sentence_is_refused():
    with pytest.raises(ValueError, match="sentences: expected at least one, got none"):
        WordPairs([], WORDS)


def test_it_tells_sentences_from_shuffled_ones():
    """Of 2,000 sentences: few others hold a new pair, and nearly all do with their words shuffled."""
    vocabulary = Vocabulary(phrasebook.vocabulary("small")[0])
    train = phrasebook.sample(2000, 0, "small", (4, 14), "train")
    familiar = WordPairs((pair.src for pair in train), vocabulary)
    draw, others = random.Random(0), phrasebook.sample(100, 1, "small", (4, 14), "test")
    new = sum(bool(familiar.unseen(pair.src)) for pair in others)
    shuffled = sum(bool(familiar.unseen(draw.sample(pair.src, len(pair.src)))) for pair in others)
    assert new < 40
    assert shuffled > 90
