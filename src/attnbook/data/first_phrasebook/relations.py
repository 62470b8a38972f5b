"""Which word of a phrasebook sentence belongs to which: adjective and noun, verb and subject or object.

For sentences of the "small" subset, whose clauses have one shape: a subject (a pronoun, or a noun with what
describes it, perhaps with "of the …" or "on the …" behind it), a verb group, and the rest. So the words alone
say what belongs together, and no annotation is needed.

>>> relations("the dogs of the old man are tired".split())["verb → subject"]
{6: 1}
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from attnbook.data.first_phrasebook import lexicon as lexicon
from attnbook.data.first_phrasebook import vocabulary

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


@cache
def _kinds() -> dict[str, frozenset[str]]:
    """Nouns, adjectives and verb forms of the small subset."""
    nouns = [noun for noun in lexicon.NOUNS if noun.level == 1]
    verbs = [verb for verb in lexicon.VERBS if verb.level == 1]
    adjectives = {adjective.word for adjective in lexicon.ADJECTIVES if adjective.level == 1}
    forms = {form for verb in verbs for form in (verb.base, verb.third, verb.past, verb.participle, verb.ing)}
    return {
        "noun": frozenset(
            {noun.singular for noun in nouns} | {noun.plural or "" for noun in nouns} | {"Area"}
        ),
        "adjective": frozenset(adjectives | {"European", "Economic"}),
        "verb": frozenset(forms - {"-", ""}),
        "any": frozenset(vocabulary("small")[0]),
    }


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
    stranger = next((word for word in words if word not in kinds["any"]), None)
    if stranger is not None:
        raise ValueError(
            f'words: {stranger!r} is not a word of the subset "small"; relations are known for that one alone'
        )
    found: dict[str, dict[int, int]] = {name: {} for name in RELATIONS}
    start = 0
    for end in [*(i for i, word in enumerate(words) if word in _BETWEEN), len(words)]:
        _clause(words, start, end, kinds, found)
        start = end + 1
    for place, word in enumerate(words):
        if word in kinds["adjective"]:
            noun = place + 1
            while noun < len(words) and words[noun] in kinds["adjective"]:
                noun += 1
            if noun < len(words) and words[noun] in kinds["noun"]:
                found["adjective → its noun"][place] = noun
                found["noun → its adjective"][noun] = place  # the last one wins: it is the nearest
    return found


def _clause(words, start: int, end: int, kinds, found) -> None:
    """Subject, verb and object of the clause ``words[start:end]``."""
    if start >= end:
        return
    if words[start] in _SUBJECTS:
        subject, place = start, start + 1
    else:
        subject = next((i for i in range(start, end) if words[i] in kinds["noun"]), None)
        if subject is None:
            return
        place = subject + 1
    verbs = _BE | _DO | kinds["verb"]
    finite = next((i for i in range(place, end) if words[i] in verbs), None)
    if finite is None:
        return
    found["verb → subject"][finite] = subject
    found["subject → verb"][subject] = finite
    main = finite
    for i in range(finite + 1, end):  # "is eating", "didn't see", "was signed", "am not eating"
        if words[i] in kinds["verb"]:
            main = i
        elif words[i] != "not":
            break
    after = main + 1
    if after >= end or words[main] in _BE:
        return
    if words[after] in _OBJECTS:
        thing = after
    elif words[after] in _DETERMINERS | kinds["adjective"] | kinds["noun"]:
        thing = next((i for i in range(after, end) if words[i] in kinds["noun"]), None)
    else:
        return
    if thing is not None:
        found["verb → object"][main] = thing
        found["object → verb"][thing] = main
