"""Pronouns, noun phrases and adjuncts of the phrasebook, each said in English and in French at once.

Every phrase has a method ``say`` that returns its English words and its French words; each French word
carries links to the English words that it translates, "S" (sure) or "P" (possible: an auxiliary that only
one language has, a particle that the other language leaves out).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from attnbook.data.phrasebook import french as fr
from attnbook.data.phrasebook.french import English, French, Link
from attnbook.data.phrasebook.lexicon import Adjective, Noun

Words = tuple[list[English], list[French]]


@dataclass(frozen=True)
class Agreement:
    """What a verb or participle agrees with."""

    person: str  # 1s 2s 3s 1p 3p
    gender: str

    @property
    def plural(self) -> bool:
        return self.person.endswith("p")

    @property
    def index(self) -> int:
        """Where the person stands in a row of French forms."""
        return fr.PERSONS.index(self.person)


# English subject form, object form, French subject, direct object, indirect object
_PRONOUNS = {
    ("1s", "m"): ("I", "me", "je", "me", "me"),
    ("2s", "m"): ("you", "you", "tu", "te", "te"),
    ("3s", "m"): ("he", "him", "il", "le", "lui"),
    ("3s", "f"): ("she", "her", "elle", "la", "lui"),
    ("1p", "m"): ("we", "us", "nous", "nous", "nous"),
    ("3p", "m"): ("they", "them", "ils", "les", "leur"),
    ("3p", "f"): ("they", "them", "elles", "les", "leur"),
}


@dataclass(frozen=True)
class Pronoun:
    """A personal pronoun. ``thing`` makes the third person singular "it", with the referent's gender."""

    person: str
    gender: str = "m"
    thing: bool = False
    stands_for: Noun | None = None  # None: I, you, we, or somebody whom the sentence has not named

    def agreement(self) -> Agreement:
        return Agreement(self.person, self.gender)

    def say(self) -> Words:
        english, _, french, _, _ = _PRONOUNS[self.person, self.gender]
        word = English("it" if self.thing else english)
        return [word], [French(french, [(word, "S")], role="elides")]

    def say_as_object(self, indirect: bool) -> tuple[English, French]:
        """The English object and the French clitic that goes before the verb."""
        _, english, _, direct, indirectly = _PRONOUNS[self.person, self.gender]
        word = English("it" if self.thing else english)
        return word, French(indirectly if indirect else direct, [(word, "S")], role="elides")


POSSESSIVES = {"my": ("mon", "ma", "mes"), "your": ("ton", "ta", "tes"), "his": ("son", "sa", "ses"),
               "her": ("son", "sa", "ses"), "our": ("notre", "notre", "nos"),
               "their": ("leur", "leur", "leurs")}  # fmt: skip
NUMBERS = {"two": "deux", "three": "trois", "four": "quatre"}
_INVARIABLE = {**NUMBERS, "every": "chaque"}


@dataclass(frozen=True)
class _Place:
    """What a determiner depends on besides its name."""

    gender: str
    plural: bool
    before_adjective: bool
    mass: bool
    negated: bool


def _determiner(name: str, place: _Place) -> Words:
    """An article, possessive, demonstrative or number, agreeing; French may need two words."""
    word = English("these" if name == "this" and place.plural else name)
    sure: list[Link] = [(word, "S")]
    if name in POSSESSIVES:
        return [word], [fr.possessive(POSSESSIVES[name], place.gender, place.plural, sure)]
    if name in _INVARIABLE:
        return [word], [French(_INVARIABLE[name], sure)]
    return [word], _ARTICLES[name](place, sure)


def _definite(place: _Place, sure: list[Link]) -> list[French]:
    article = "les" if place.plural else "la" if place.gender == "f" else "le"
    return [French(article, sure, role="article")]


def _indefinite(place: _Place, sure: list[Link]) -> list[French]:
    if place.negated:  # "il n' a pas de livre"
        return [French("de", sure, role="elides")]
    return [French("une" if place.gender == "f" else "un", sure)]


def _demonstrative(place: _Place, sure: list[Link]) -> list[French]:
    if place.plural:
        return [French("ces", sure)]
    if place.gender == "f":
        return [French("cette", sure)]
    return [French("ce", sure, before_vowel="cet")]


def _partitive(place: _Place, sure: list[Link]) -> list[French]:
    """du pain, de la soupe, de l' orange; des chiens, but de petits chiens"""
    if place.mass:
        return [French("de", sure, role="elides"), *_definite(place, sure)]
    return [French("de", sure, role="elides") if place.before_adjective else French("des", sure)]


def _many(place: _Place, sure: list[Link]) -> list[French]:
    return [French("beaucoup", sure), French("de", sure, role="elides")]


_ARTICLES = {
    "the": _definite,
    "a": _indefinite,
    "this": _demonstrative,
    "some": _partitive,
    "many": _many,
}


class Relative(Protocol):
    """A clause that describes a noun; :class:`attnbook.data.phrasebook.clauses.Clause` is one."""

    @property
    def relative_pronoun(self) -> str: ...

    def say(self, within: Agreement | None = None) -> Words: ...


@dataclass
class NounPhrase:
    """determiner + adjectives + noun, then what follows it."""

    noun: Noun
    determiner: str = "the"
    plural: bool = False
    before: Adjective | None = None  # petit, vieux …: before the noun in both languages
    after: Adjective | None = None  # colour, state, nationality: after the noun in French
    relational: Adjective | None = None  # économique …: next to the noun in both, so the order reverses
    of: NounPhrase | None = None  # "of …" / "de …"
    topic: NounPhrase | None = None  # "on …" / "sur …"
    relative: Relative | None = None  # "that …" / "qui …" or "que …"

    @property
    def name(self) -> bool:
        """Whether it is a name such as "European Economic Area", with capitals in English."""
        return "n" in self.noun.classes

    def agreement(self) -> Agreement:
        return Agreement("3p" if self.plural else "3s", self.noun.gender)

    def dimensions(self) -> set[str]:
        """Of what its adjectives are values: size, colour …"""
        return {each.dimension for each in (self.before, self.after, self.relational) if each}

    def last(self) -> NounPhrase:
        """Where something may still be attached without a doubt about what it belongs to."""
        for follower in (self.topic, self.of):
            if follower is not None:
                return follower.last()
        return self

    def say(self, negated: bool = False) -> Words:
        """The words of both languages; ``negated`` makes "un livre" "de livre"."""
        gender, plural = self.noun.gender, self.plural
        place = _Place(gender, plural, self.before is not None, self.noun.plural is None, negated)
        english, french = _determiner(self.determiner, place)
        behind: list[French] = []
        if self.before:
            word = English(self.before.word)
            english.append(word)
            french.append(fr.adjective_word(self.before, gender, plural, [(word, "S")]))
        for adjective in (self.after, self.relational):  # English order; French takes it from the end
            if adjective:
                word = English(adjective.word.capitalize() if self.name else adjective.word)
                english.append(word)
                behind.insert(0, French(fr.agree(adjective.forms, gender, plural), [(word, "S")]))
        word = English(self.noun.plural if plural and self.noun.plural else self.noun.singular)
        english.append(word)
        french += [fr.noun_word(self.noun, plural, [(word, "S")]), *behind]
        for preposition, french_preposition, phrase in (("of", "de", self.of), ("on", "sur", self.topic)):
            if phrase is not None:
                more = phrase.say()
                _join(english, french, preposition, french_preposition, more)
        if self.relative is not None:
            more = self.relative.say(within=self.agreement())
            _join(english, french, "that", self.relative.relative_pronoun, more)
        return english, french


def _join(english: list[English], french: list[French], word: str, translation: str, more: Words) -> None:
    """Append a word that leads to more words, in both languages."""
    link = English(word)
    english += [link, *more[0]]
    french += [French(translation, [(link, "S")], role="elides"), *more[1]]


@dataclass
class Adjunct:
    """Where, with whom or when: English words and French words around an optional noun phrase."""

    kind: str  # place, with, by, time
    english: tuple[str, ...]
    french: tuple[tuple[str, tuple[int, ...], str], ...]  # (word, indices of English words, "S" or "P")
    phrase: NounPhrase | None = None

    def say(self) -> Words:
        english = [English(word) for word in self.english]
        french = [
            French(word, [(english[i], kind) for i in indices], role="elides" if word in ("de", "à") else "")
            for word, indices, kind in self.french
        ]
        if self.phrase is not None:
            more = self.phrase.say()
            english, french = english + more[0], french + more[1]
        return english, french
