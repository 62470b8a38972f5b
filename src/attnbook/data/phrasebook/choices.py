"""Choose words and noun phrases of the phrasebook: nothing is said of a thing that one would not say of it.

All choices come from one ``random.Random`` and from tuples in a fixed order, so that a seed names a
sentence on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import TypeVar

from attnbook.data.phrasebook import lexicon
from attnbook.data.phrasebook.lexicon import Adjective, Noun, Verb
from attnbook.data.phrasebook.phrases import NUMBERS, POSSESSIVES, Agreement, NounPhrase, Pronoun, Relative

LEVELS = {"small": 1, "medium": 2, "full": 3}
_OWN = "rytcvudK"  # noun classes of what can be somebody's: "my hat", "the hat of the boy"
ANYBODY = "pq"  # the noun classes of I, you, he, she, we, they
_UNCOUNTED = "no"  # names and topics: always "the", never "a" or "my"
_PEOPLE = (("1s", "m"), ("2s", "m"), ("3s", "m"), ("3s", "f"), ("1p", "m"), ("3p", "m"))
_NEVER_OLD = ("boy", "girl", "child")
_NEVER_YOUNG = ("child", "man", "bee")

T = TypeVar("T")
MakeRelative = Callable[[NounPhrase], Relative]


class Choices:
    """The words of one subset, and noun phrases made of them.

    Parameters
    ----------
    subset : str
        "small", "medium" or "full".
    random : random.Random
        Where every choice comes from.
    """

    def __init__(self, subset: str, random: Random) -> None:
        level = LEVELS[subset]
        self.level = level
        self.random = random
        self.nouns = [noun for noun in lexicon.NOUNS if noun.level <= level]
        self.adjectives = [adjective for adjective in lexicon.ADJECTIVES if adjective.level <= level]
        self.verbs: dict[str, list[Verb]] = {}
        for verb in lexicon.VERBS:
            if verb.level <= level:
                self.verbs.setdefault(verb.kind, []).append(verb)
        self.months = [row[1:] for row in lexicon.MONTHS if row[0] <= level]
        self.years = [row[1] for row in lexicon.YEARS if row[0] <= level]
        self.weekdays = [row[1:] for row in lexicon.WEEKDAYS if row[0] <= level]
        self.places = [row[1:] for row in lexicon.PLACE_PREPOSITIONS if row[0] <= level]
        self.adverbs = [row[1:] for row in lexicon.ADVERBS if row[0] <= level]
        self.conjunctions = {row[1]: row[2] for row in lexicon.CONJUNCTIONS if row[0] <= level}
        self._of_classes: dict[str, list[Noun]] = {}
        self.used: set[str] = set()  # nouns of this sentence
        self.repeated = False  # whether one of them had to come twice

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def pick(self, options: Sequence[T]) -> T:
        return self.random.choice(options)

    # ---- words -----------------------------------------------------------------------------------------

    def noun(self, classes: str) -> Noun:
        """A noun of one of these classes, if possible one that the sentence does not have yet."""
        found = self._of_classes.get(classes)
        if found is None:
            found = [noun for noun in self.nouns if set(noun.classes) & set(classes)]
            self._of_classes[classes] = found
        fresh = [noun for noun in found if noun.singular not in self.used]
        self.repeated |= not fresh
        noun = self.pick(fresh or found)
        self.used.add(noun.singular)
        return noun

    def describing(self, phrase: NounPhrase, kinds: Sequence[str], avoid: frozenset[str]) -> list[Adjective]:
        """Adjectives of these kinds that can be put to the noun, of no dimension that is taken."""
        taken = phrase.dimensions() | avoid
        return [
            adjective
            for adjective in self.adjectives
            if adjective.kind in kinds
            and adjective.dimension not in taken
            and set(adjective.classes) & set(phrase.noun.classes)
            and _suits(adjective, phrase.noun)
        ]

    def predicates(self, classes: str, phrase: NounPhrase | Pronoun) -> list[Adjective]:
        """Adjectives that "is …" can say of these classes, of no dimension that is taken."""
        taken = phrase.dimensions() if isinstance(phrase, NounPhrase) else set()
        return [
            adjective
            for adjective in self.adjectives
            if adjective.dimension not in taken
            and set(adjective.predicate) & set(classes)
            and (isinstance(phrase, Pronoun) or _suits(adjective, phrase.noun))
        ]

    # ---- pronouns --------------------------------------------------------------------------------------

    def person(self, without: str = "") -> Pronoun:
        """I, you, he, she, we, they; ``without`` names persons such as "3p" that would need a referent."""
        return Pronoun(*self.pick([row for row in _PEOPLE if row[0] not in without.split()]))

    def other_person(self, subject: NounPhrase | Pronoun, without: str = "") -> Pronoun:
        """me, you, him, her, us, them; never the subject's own first or second person."""
        mine = subject.agreement().person[0]
        own = {"1": "1s 1p", "2": "2s", "3": ""}[mine]
        return self.person(without=f"{own} {without}")

    @staticmethod
    def again(phrase: NounPhrase | Pronoun) -> Pronoun:
        """The pronoun that stands for a subject: he, she, it, they with its gender; I, you, we again."""
        if isinstance(phrase, Pronoun):
            return phrase
        thing = not phrase.plural and "p" not in phrase.noun.classes
        return Pronoun("3p" if phrase.plural else "3s", phrase.noun.gender, thing, phrase.noun)

    @staticmethod
    def classes_of(phrase: NounPhrase | Pronoun) -> str:
        """The noun classes of what the phrase stands for; those of a person for I, you, we."""
        noun = phrase.noun if isinstance(phrase, NounPhrase) else phrase.stands_for
        return noun.classes if noun is not None else ANYBODY

    # ---- noun phrases ----------------------------------------------------------------------------------

    def phrase(self, classes: str, *, simple: bool = False, negated: bool = False) -> NounPhrase:
        """A determiner and a noun; ``simple`` keeps to the, my, this (what may follow "of" and "is" may say).

        A name comes with the adjectives of its own: "the European Council", "the new Economic Area".
        """
        noun = self.noun(classes)
        if set(_UNCOUNTED) & set(noun.classes):
            phrase = NounPhrase(noun)
            if phrase.name:
                self._name(phrase)
            return phrase
        plural = noun.plural is not None and self.chance(0.25)
        choices = ["the"] * 6
        if set(_OWN) & set(noun.classes):
            choices.append(self.pick(["my", "your"] if self.level == 1 else list(POSSESSIVES)))
        if self.level >= 2:
            choices.append("this")
        if not simple:
            choices += self._indefinite(noun, plural, negated)
        return NounPhrase(noun, self.pick(choices), plural)

    def _indefinite(self, noun: Noun, plural: bool, negated: bool) -> list[str]:
        found = ["a", "a"] if noun.plural is not None and not plural and "h" not in noun.classes else []
        if self.level == 3 and not negated:
            if plural:
                found += ["some", "many", self.pick(list(NUMBERS))]
            else:
                found.append("some" if noun.plural is None else "every")
        return found

    def _name(self, phrase: NounPhrase) -> None:
        """European, Economic, new or old, in every combination, or none."""
        if self.chance(0.55):
            phrase.after = self.pick(self.describing(phrase, ("nat",), frozenset()))
        if self.chance(0.5):
            economic = self.describing(phrase, ("rel",), frozenset())
            phrase.relational = economic[0] if self.chance(0.5) else self.pick(economic)
        if self.chance(0.2):
            phrase.before = next(adjective for adjective in self.adjectives if adjective.word == "new")

    def grow(
        self,
        phrase: NounPhrase,
        room: int,
        relative: MakeRelative,
        avoid: frozenset[str] = frozenset(),
    ) -> int:
        """Add one thing of at most ``room`` English words; return how many words it added (0: nothing).

        Parameters
        ----------
        phrase : NounPhrase
        room : int
        relative : callable
            Makes a clause that describes the phrase.
        avoid : frozenset of str
            Dimensions of adjectives that the sentence says of the phrase elsewhere.
        """
        options: list[Callable[[], int]] = []
        if not phrase.name and phrase.determiner != "every":
            options += self._adjective_options(phrase, avoid)
        free = phrase.of is None and phrase.topic is None and phrase.relative is None
        if free and not phrase.name:
            classes = set(phrase.noun.classes)
            if "T" in classes:
                options += [lambda: self._add_topic(phrase, room)] * 3
            if "O" in classes and phrase.determiner == "the":
                options.append(lambda: self._add_of(phrase, room, "N" if "p" in classes else "n"))
            if set(_OWN) & classes and phrase.determiner == "the":
                options.append(lambda: self._add_of(phrase, room, "p"))
            if self.level >= 2 and set("paw") & classes and phrase.determiner not in POSSESSIVES:
                options += [lambda: self._add_relative(phrase, room, relative)] * 2
        self.random.shuffle(options)
        return next((added for option in options if (added := option())), 0)

    def _adjective_options(self, phrase: NounPhrase, avoid: frozenset[str]) -> list[Callable[[], int]]:
        options: list[Callable[[], int]] = []
        if phrase.before is None:
            options.append(lambda: self._add_before(phrase, avoid))
        if phrase.after is None and phrase.relational is None:
            options.append(lambda: self._add_after(phrase, avoid))
        if phrase.relational is None and (phrase.after is None or phrase.after.kind == "nat"):
            options.append(lambda: self._add_relational(phrase, avoid))
        return options

    def _add_before(self, phrase: NounPhrase, avoid: frozenset[str]) -> int:
        found = self.describing(phrase, ("pre",), avoid)
        phrase.before = self.pick(found) if found else None
        return 1 if found else 0

    def _add_after(self, phrase: NounPhrase, avoid: frozenset[str]) -> int:
        found = self.describing(phrase, ("post", "nat"), avoid)
        phrase.after = self.pick(found) if found else None
        return 1 if found else 0

    def _add_relational(self, phrase: NounPhrase, avoid: frozenset[str]) -> int:
        found = self.describing(phrase, ("rel",), avoid)
        phrase.relational = self.pick(found) if found else None
        return 1 if found else 0

    def _add_topic(self, phrase: NounPhrase, room: int) -> int:
        """on the crisis, on the European Economic Area"""
        topic = self.phrase(self.pick("Zno"))
        size = 1 + len(topic.say()[0])
        if size > room:
            self.used.discard(topic.noun.singular)
            return 0
        phrase.topic = topic
        return size

    def _add_of(self, phrase: NounPhrase, room: int, classes: str) -> int:
        owner = self.phrase(classes, simple=True)
        size = 1 + len(owner.say()[0])
        if size > room:
            self.used.discard(owner.noun.singular)
            return 0
        phrase.of = owner
        return size

    @staticmethod
    def _add_relative(phrase: NounPhrase, room: int, relative: MakeRelative) -> int:
        if room < 4:
            return 0
        clause = relative(phrase)
        size = 1 + len(clause.say(within=Agreement("3s", "m"))[0])
        if size > room:
            return 0
        phrase.relative = clause
        return size


def _suits(adjective: Adjective, noun: Noun) -> bool:
    """No old child, no beautiful king, no small bread: what the noun says already, denies, or has not."""
    if adjective.word == "old":
        return noun.singular not in _NEVER_OLD
    if adjective.word == "young":
        return noun.singular not in _NEVER_YOUNG
    if adjective.word == "beautiful" and "p" in noun.classes:
        return noun.gender == "f" or noun.singular == "child"
    return adjective.dimension != "size" or noun.plural is not None
