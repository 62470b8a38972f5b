"""Who belongs to whom in a phrasebook sentence, against the clauses that the sentence was made from."""

from random import Random

import pytest

from attnbook.data import phrasebook
from attnbook.data.phrasebook.grammar import Clause, NounPhrase, align
from attnbook.data.phrasebook.relations import RELATIONS, relations
from attnbook.data.phrasebook.sampler import Sampler


def head(phrase) -> int:
    """Where the noun stands in its phrase; 0 for a pronoun."""
    if not isinstance(phrase, NounPhrase):
        return 0
    return 1 + sum(adjective is not None for adjective in (phrase.before, phrase.after, phrase.relational))


def from_the_grammar(parts):
    """Verb → subject and verb → object, from the clauses themselves."""
    at, subjects, objects = 0, {}, {}
    for part in parts:
        if not isinstance(part, Clause):
            at += 1
            continue
        subjects[at + len(part.subject.say()[0])] = at + head(part.subject)
        if part.object is not None:
            group = Clause(part.subject, part.verb, part.tense, part.negative, part.passive)
            first = at + len(group.say()[0])
            objects[first - 1] = first + head(part.object)
        at += len(part.say()[0])
    return subjects, objects


def test_the_words_say_what_the_grammar_meant(monkeypatch):
    made, say = [], Sampler.say
    monkeypatch.setattr(Sampler, "say", staticmethod(lambda parts: made.append(list(parts)) or say(parts)))
    sampler = Sampler("small", Random(3))
    apart = 0
    for count in range(800):
        words = align(*sampler.sentence(4 + count % 11))[0]
        found = relations(words)
        subjects, objects = from_the_grammar(made[-1])
        assert found["verb → subject"] == subjects, words
        assert found["verb → object"] == objects, words
        apart += any(verb - subject > 1 for verb, subject in subjects.items())
    assert apart > 20  # the interesting ones occur


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
