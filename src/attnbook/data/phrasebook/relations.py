"""Which word of a phrasebook sentence belongs to which: adjective and noun, verb and subject or object.

For sentences of the "small" subset, whose clauses have one shape: a subject (a pronoun, or a noun with what
describes it, perhaps with "of the …" or "on the …" behind it), a verb group, and the rest. So the words alone
say what belongs together, and no annotation is needed.

>>> relations("the dogs of the old man are tired".split())["verb → subject"]
{6: 1}
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from attnbook.data.phrasebook import lexicon, vocabulary

RELATIONS = (
    "adjective → its noun",
    "noun → its adjective",
    "verb → subject",
    "subject → verb",
    "verb → object",
    "object → verb",
)

_SUBJECTS = frozenset(("I", "you", "he", "she", "it", "we", "they"))
_OBJECTS = frozenset(("me", "you", "him", "her", "it", "us", "them"))
_BETWEEN = frozenset(("and", "but", "because", "when"))
_BE = frozenset(("am", "is", "are", "was", "were", "isn't", "aren't", "wasn't", "weren't"))
_DO = frozenset(("do", "does", "did", "don't", "doesn't", "didn't"))
_DETERMINERS = frozenset(("the", "a", "an", "my", "your"))


@dataclass(frozen=True)
class _Kinds:
    """Nouns, adjectives and verb forms of the small subset, and all its words."""

    nouns: frozenset[str]
    adjectives: frozenset[str]
    verbs: frozenset[str]
    words: frozenset[str]


@cache
def _kinds() -> _Kinds:
    nouns = [noun for noun in lexicon.NOUNS if noun.level == 1]
    verbs = [verb for verb in lexicon.VERBS if verb.level == 1]
    adjectives = {adjective.word for adjective in lexicon.ADJECTIVES if adjective.level == 1}
    forms = {form for verb in verbs for form in (verb.base, verb.third, verb.past, verb.participle, verb.ing)}
    return _Kinds(
        nouns=frozenset(form for noun in nouns for form in (noun.singular, noun.plural) if form),
        adjectives=frozenset(adjectives | {"Economic"}),
        verbs=frozenset(forms),
        words=frozenset(vocabulary("small")[0]),
    )


def relations(words: Sequence[str]) -> dict[str, dict[int, int]]:
    """Pairs of places, counted from 0: ``found["verb → subject"][verb] == subject``.

    The subject is the noun that the verb agrees with, or the pronoun; the verb is the word that agrees with
    it ("is", "doesn't", "sleeps"). The object belongs to the verb that says what is done ("see" in "doesn't
    see").
    A noun with two adjectives is paired with the nearer one; an adjective after "is" is not paired.

    Raises
    ------
    TypeError, ValueError
        If ``words`` is one string, or holds a word that the small subset lacks.
    """
    if isinstance(words, str):
        raise TypeError(f"words: expected a list of words, got one string {words!r}; split it first")
    kinds = _kinds()
    stranger = next((word for word in words if word not in kinds.words), None)
    if stranger is not None:
        raise ValueError(
            f'words: {stranger!r} is not a word of the subset "small"; relations are known for that one alone'
        )
    found: dict[str, dict[int, int]] = {name: {} for name in RELATIONS}
    start = 0
    for end in [*(i for i, word in enumerate(words) if word in _BETWEEN), len(words)]:
        for name, (a, b) in _clause(words, start, end, kinds).items():
            found[name][a] = b
        start = end + 1
    for place, word in enumerate(words):
        if word in kinds.adjectives:
            noun = place + 1
            while noun < len(words) and words[noun] in kinds.adjectives:
                noun += 1
            if noun < len(words) and words[noun] in kinds.nouns:
                found["adjective → its noun"][place] = noun
                found["noun → its adjective"][noun] = place  # the last one wins: it is the nearest
    return found


def _clause(words: Sequence[str], start: int, end: int, kinds: _Kinds) -> dict[str, tuple[int, int]]:
    """Subject, verb and object of the clause ``words[start:end]``."""
    finite = start if start < end and words[start] in _BE | _DO else None  # a question
    subject = _subject(words, start if finite is None else start + 1, end, kinds)
    if subject is None:
        return {}
    if finite is None:
        verbs = _BE | _DO | kinds.verbs
        finite = next((i for i in range(subject + 1, end) if words[i] in verbs), None)
    if finite is None:
        return {}
    found = {"verb → subject": (finite, subject), "subject → verb": (subject, finite)}
    main = _main_verb(words, finite, subject, end, kinds)
    thing = None if main is None else _object(words, main + 1, end, kinds)
    if main is not None and thing is not None:
        found |= {"verb → object": (main, thing), "object → verb": (thing, main)}
    return found


def _subject(words: Sequence[str], start: int, end: int, kinds: _Kinds) -> int | None:
    """The pronoun at ``start``, or the first noun."""
    if start < end and words[start] in _SUBJECTS:
        return start
    return next((i for i in range(start, end) if words[i] in kinds.nouns), None)


def _main_verb(words: Sequence[str], finite: int, subject: int, end: int, kinds: _Kinds) -> int | None:
    """The verb that says what is done: "eating" of "is eating", "see" of "didn't see" and of "do you see"."""
    if words[finite] not in _BE | _DO:
        return finite
    stops = kinds.verbs | {"too", "very"}
    after = next((i for i in range(max(finite, subject) + 1, end) if words[i] in stops), None)
    if after is not None and words[after] in kinds.verbs:
        return after
    return finite if words[finite] in _DO else None  # "we do it": the verb itself


def _object(words: Sequence[str], start: int, end: int, kinds: _Kinds) -> int | None:
    """The pronoun or the noun of the phrase that begins at ``start``."""
    if start >= end:
        return None
    if words[start] in _OBJECTS:
        return start
    if words[start] in _DETERMINERS | kinds.adjectives | kinds.nouns:
        return next((i for i in range(start, end) if words[i] in kinds.nouns), None)
    return None
