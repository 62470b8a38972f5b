"""French spelling across word boundaries: elision, contraction, and forms used before a vowel.

The grammar emits full forms ("de le", "je aime", "la école", "ma amie"); :func:`join` then does what the
next word demands ("du", "j' aime", "l' école", "mon amie"), and carries each word's alignment along.
"""

from __future__ import annotations

from collections.abc import Iterable

from attnbook.data.phrasebook.lexicon import VOWELS, Adjective, Noun, Verb

ELIDED = {"le": "l'", "la": "l'", "je": "j'", "me": "m'", "te": "t'", "se": "s'", "ne": "n'", "de": "d'",
          "que": "qu'"}  # fmt: skip
CONTRACTED = {("de", "le"): "du", ("de", "les"): "des", ("à", "le"): "au", ("à", "les"): "aux"}
_POSSESSIVE_BEFORE_VOWEL = {"ma": "mon", "ta": "ton", "sa": "son"}


class English:
    """One English word, known by identity until its position is."""

    __slots__ = ("word",)

    def __init__(self, word: str) -> None:
        self.word = word


Link = tuple[English, str]  # "S" (sure) or "P" (possible)


class French:
    """One French word with the English words that it translates.

    Attributes
    ----------
    word : str
    links : list of (English, "S" or "P")
    role : str
        "article" (contracts with de and à), "elides" (may lose its vowel), or "".
    before_vowel : str or None
        The form to use before a vowel ("bel", "cet", "mon").
    aspirated : bool
        Whether it begins with an h aspiré, before which nothing elides.
    """

    __slots__ = ("aspirated", "before_vowel", "links", "role", "word")

    def __init__(
        self,
        word: str,
        links: Iterable[Link] = (),
        role: str = "",
        before_vowel: str | None = None,
        aspirated: bool = False,
    ) -> None:
        self.word = word
        self.links = list(links)
        self.role = role
        self.before_vowel = before_vowel
        self.aspirated = aspirated

    def starts_with_vowel(self) -> bool:
        first = self.word[0]
        return first in VOWELS or (first == "h" and not self.aspirated)


def join(words: list[French]) -> list[French]:
    """Apply elision, contraction and vowel forms from left to right; links of merged words are merged."""
    out: list[French] = []
    for position, word in enumerate(words):
        following = words[position + 1] if position + 1 < len(words) else None
        if following is not None and following.starts_with_vowel():
            if word.role in ("article", "elides") and word.word in ELIDED:
                word.word = ELIDED[word.word]
            elif word.before_vowel is not None:
                word.word = word.before_vowel
        if following is not None and word.word == "si" and following.word in ("il", "ils"):
            word.word = "s'"
        previous = out[-1] if out else None
        if word.role == "article" and previous is not None and previous.role == "elides":
            merged = CONTRACTED.get((previous.word, word.word))
            if merged is not None:
                previous.word = merged
                previous.role = ""
                previous.links += [link for link in word.links if link not in previous.links]
                continue
        out.append(word)
    return out


def agree(forms: tuple[str, str, str, str], gender: str, plural: bool) -> str:
    """The form of an adjective or participle: (m, f, m plural, f plural)."""
    return forms[(2 if plural else 0) + (1 if gender == "f" else 0)]


def participle_forms(participle: str) -> tuple[str, str, str, str]:
    """Regular agreement of a past participle: vu, vue, vus, vues (an -s stays: pris, prise, pris, prises)."""
    plural = participle if participle.endswith("s") else participle + "s"
    return participle, participle + "e", plural, participle + "es"


# index of the five persons in a row of present forms: je, tu, il/elle, nous, ils/elles
PERSONS = ("1s", "2s", "3s", "1p", "3p")
PRESENT = {"avoir": ("ai", "as", "a", "avons", "ont"), "être": ("suis", "es", "est", "sommes", "sont")}
IMPERFECT_BE = ("étais", "étais", "était", "étions", "étaient")
FUTURE_ENDINGS = ("ai", "as", "a", "ons", "ont")
REFLEXIVE = ("me", "te", "se", "nous", "se")


def present(verb: Verb, person: str) -> str:
    return verb.present[PERSONS.index(person)]


def future(verb: Verb, person: str) -> str:
    return verb.future + FUTURE_ENDINGS[PERSONS.index(person)]


def noun_word(noun: Noun, plural: bool, links: Iterable[Link]) -> French:
    word = noun.french_plural if plural and noun.french_plural else noun.french
    return French(word, links, aspirated=noun.aspirated)


def adjective_word(adjective: Adjective, gender: str, plural: bool, links: Iterable[Link]) -> French:
    """The agreeing form; the masculine singular knows its form before a vowel (bel, nouvel, vieil)."""
    special = adjective.before_vowel if gender == "m" and not plural else None
    return French(agree(adjective.forms, gender, plural), links, before_vowel=special)


def possessive(forms: tuple[str, str, str], gender: str, plural: bool, links: Iterable[Link]) -> French:
    """mon, ma, mes: of (masculine, feminine, plural) the form that agrees; "ma" is "mon" before a vowel."""
    masculine, feminine, many = forms
    if plural:
        return French(many, links)
    if gender == "f":
        return French(feminine, links, before_vowel=_POSSESSIVE_BEFORE_VOWEL.get(feminine))
    return French(masculine, links)


def negate(words: list[French], negator: English | None) -> list[French]:
    """ne … pas around the clitics and the conjugated verb."""
    if negator is None:
        return words
    return [French("ne", [(negator, "S")], role="elides"), *words, French("pas", [(negator, "S")])]
