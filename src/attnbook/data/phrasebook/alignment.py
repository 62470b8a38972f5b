"""From words that know what they translate to two lists of words and the links between their places."""

from __future__ import annotations

from itertools import pairwise

from attnbook.data.phrasebook.french import English, French, join

_NO_AN = ("European", "university", "useful", "Union")


def align(
    english: list[English], french: list[French]
) -> tuple[list[str], list[str], frozenset[tuple[int, int, str]]]:
    """Finish the spelling of both sides and turn links into pairs of indices.

    Returns
    -------
    (src, tgt, alignment)
        Two lists of words, and a frozenset of (source index, target index, "S" or "P").
    """
    french = join(french)
    for word, following in pairwise(english):
        vowel = following.word[0].lower() in "aeiou" and following.word not in _NO_AN
        if word.word == "a" and vowel:
            word.word = "an"
    place = {id(word): position for position, word in enumerate(english)}
    links: dict[tuple[int, int], str] = {}
    for position, word in enumerate(french):
        for source, kind in word.links:
            key = (place[id(source)], position)
            if links.get(key) != "S":  # sure wins over possible
                links[key] = kind
    alignment = frozenset((s, t, kind) for (s, t), kind in links.items())
    return [word.word for word in english], [word.word for word in french], alignment
