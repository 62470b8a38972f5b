"""Who belongs to whom in a phrasebook sentence, against the clauses that the sentence was made from."""

from random import Random

import pytest

from attnbook.data import phrasebook
from attnbook.data.phrasebook.alignment import align
from attnbook.data.phrasebook.clauses import Active
from attnbook.data.phrasebook.phrases import NounPhrase
from attnbook.data.phrasebook.relations import RELATIONS, relations
from attnbook.data.phrasebook.sampler import Sampler


def head(phrase) -> int:
    """Where the noun stands in its phrase; 0 for a pronoun."""
    if not isinstance(phrase, NounPhrase):
        return 0
    return 1 + sum(adjective is not None for adjective in (phrase.before, phrase.after, phrase.relational))


def words_in(things) -> int:
    return sum(len(thing.say()[0]) for thing in things)


def from_the_grammar(parts):
    """Verb → subject and verb → object, from the clauses themselves."""
    at, subjects, objects = 0, {}, {}
    for part in parts:
        if isinstance(part, str):
            at += 1
            continue
        finite = at if part.question else at + words_in([part.subject])
        subjects[finite] = at + part.question + head(part.subject)
        end = at + words_in([part])
        if isinstance(part, Active) and part.object is not None:
            first = end - words_in([part.object, *part.adjuncts])
            objects[first - 1] = first + head(part.object)
        at = end
    return subjects, objects


def test_the_words_say_what_the_grammar_meant(monkeypatch):
    made, say = [], Sampler.say
    monkeypatch.setattr(Sampler, "say", lambda self, parts: made.append(list(parts)) or say(self, parts))
    sampler = Sampler("small", Random(3))
    apart = asked = 0
    for count in range(1500):
        words = align(*sampler.sentence(3 + count % 14))[0]
        found = relations(words)
        subjects, objects = from_the_grammar(made[-1])
        assert found["verb → subject"] == subjects, words
        assert found["verb → object"] == objects, words
        apart += any(verb - subject > 1 for verb, subject in subjects.items())
        asked += made[-1][0].question
    assert apart > 20  # the interesting ones occur
    assert asked > 100


def test_questions_and_plain_negations():
    found = relations(["do", "the", "old", "dogs", "of", "the", "man", "see", "you"])
    assert found["verb → subject"] == {0: 3}
    assert found["verb → object"] == {7: 8}
    found = relations(["the", "girl", "does", "not", "eat", "the", "apple"])
    assert found["verb → subject"] == {2: 1}
    assert found["verb → object"] == {4: 6}
    found = relations(["is", "the", "cat", "too", "old"])
    assert found["verb → subject"] == {0: 2}
    assert found["verb → object"] == {}
    assert relations(["you", "did", "it"])["verb → object"] == {1: 2}


def test_both_directions_and_adjectives():
    words = ["the", "dogs", "of", "the", "small", "old", "man", "didn't", "see", "the", "big", "red", "car"]
    found = relations(words)
    assert found["verb → subject"] == {7: 1}
    assert found["subject → verb"] == {1: 7}
    assert found["verb → object"] == {8: 12}
    assert found["object → verb"] == {12: 8}
    assert found["adjective → its noun"] == {4: 6, 5: 6, 10: 12, 11: 12}
    assert found["noun → its adjective"] == {6: 5, 12: 11}
    assert tuple(found) == RELATIONS


def test_an_adjective_after_is_belongs_to_no_noun():
    assert relations(["the", "cat", "is", "old"])["adjective → its noun"] == {}


def test_bad_input_is_named():
    with pytest.raises(TypeError, match="words"):
        relations("the cat is old")
    with pytest.raises(ValueError, match="zebra"):
        relations(["the", "zebra", "is", "old"])
    medium = next(
        pair.src
        for pair in phrasebook.sample(200, 0, "medium", (8, 12))
        if not set(pair.src) <= set(phrasebook.vocabulary("small")[0])
    )
    with pytest.raises(ValueError, match="small"):
        relations(medium)
