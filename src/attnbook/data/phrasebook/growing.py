"""Add to a clause of the phrasebook what more there is to say: adjectives, places, company, times."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from attnbook.data.phrasebook import sense
from attnbook.data.phrasebook.choices import Choices
from attnbook.data.phrasebook.clauses import Active, Clause, Copula, Modal, Passive, Report
from attnbook.data.phrasebook.lexicon import Verb
from attnbook.data.phrasebook.phrases import Adjunct, NounPhrase, Pronoun


class ClauseGrower(Choices):
    """Grows clauses; for the parameters see :class:`attnbook.data.phrasebook.choices.Choices`."""

    def __init__(self, subset: str, random: Random) -> None:
        super().__init__(subset, random)
        self.timed = False  # whether the sentence says when: once is enough

    def fill(self, clause: Clause, room: int) -> None:
        """Add adjectives, places, times … until the clause has about ``room`` English words."""
        size, misses = len(clause.say()[0]), 0
        while size < room and misses < 5:
            added = self._grow(clause, room - size)
            size += added
            misses += added == 0

    def _grow(self, clause: Clause, room: int) -> int:
        """Add one thing of at most ``room`` English words; return the number of words added."""
        options: list[Callable[[], int]] = []
        for phrase in _phrases(clause):
            avoid = frozenset({clause.adjective.dimension} if isinstance(clause, Copula) else ())
            last = phrase.last()
            options.append(lambda last=last, avoid=avoid: self.grow(last, room, self._relative, avoid))
        options += [lambda: self._add_time(clause, room)]
        if isinstance(clause, Copula):
            options.append(lambda: self._add_degree(clause))
        elif isinstance(clause, Passive):
            options += [lambda: self._add_by(clause, room)] * 2
        elif isinstance(clause, Active) and not isinstance(clause, Report):
            options += [lambda: self._add_place(clause, room)] * 2
            options += [lambda: self._add_with(clause, room), lambda: self._add_adverb(clause)]
        return self.pick(options)()

    def _relative(self, phrase: NounPhrase) -> Clause:
        """the letter that the boy wrote, the dog that sees the cat"""
        letter = next(each for each in "paw" if each in phrase.noun.classes)
        if letter == "w":
            verbs = [verb for verb in self.verbs["trans"] if verb.base in ("write", "find", "translate")]
            writer = self.phrase("p", simple=True) if self.chance(0.5) else self.person("3p")
            return Active(subject=writer, tense="past", verb=self.pick(verbs), object_gap=True)
        verbs = [verb for verb in self.verbs["trans"] if can(verb, letter) and verb.base != verb.past]
        verb = self.pick(verbs)
        thing = self.phrase(verb.objects_of(letter), simple=True)
        return Active(subject=None, tense="past", verb=verb, object=thing)

    def _add_place(self, clause: Active, room: int) -> int:
        if room < 3 or {adjunct.kind for adjunct in clause.adjuncts} & {"place", "with", "time"}:
            return 0
        subject = clause.subject
        animal = isinstance(subject, NounPhrase) and "a" in subject.noun.classes
        if isinstance(subject, NounPhrase) and subject.name:
            return 0
        if clause.negative and clause.verb.base in sense.MOMENTS:
            return 0
        rows = [row for row in self.places if row[0] in clause.verb.adjuncts]
        if not rows:
            return 0
        letter, english, french, classes = self.pick(rows)
        if animal and letter == "i":
            classes = "x"
        phrase = self.phrase(classes, simple=True)
        phrase.plural = False
        words = tuple((word, (0,), "S") for word in french)
        clause.adjuncts.append(Adjunct("place", (english,), words, phrase))
        return len(clause.adjuncts[-1].english) + len(phrase.say()[0])

    def _add_with(self, clause: Active, room: int) -> int:
        said = {adjunct.kind for adjunct in clause.adjuncts}
        if room < 3 or "w" not in clause.verb.adjuncts or said & {"with", "time"}:
            return 0
        animal = isinstance(clause.subject, NounPhrase) and "a" in clause.subject.noun.classes
        if animal and clause.verb.base not in ("cross", "arrive", "leave", "run"):
            return 0
        phrase = self.phrase("p", simple=True)
        clause.adjuncts.append(Adjunct("with", ("with",), (("avec", (0,), "S"),), phrase))
        return 3

    def _add_by(self, clause: Passive, room: int) -> int:
        if room < 3 or clause.adjuncts or not isinstance(clause.subject, NounPhrase):
            return 0
        things = set(clause.subject.noun.classes)
        subjects = "".join(who for who, what in clause.verb.frames if set(what) & things)
        phrase = self.phrase(subjects, simple=True)
        clause.adjuncts.append(Adjunct("by", ("by",), (("par", (0,), "S"),), phrase))
        return len(clause.adjuncts[-1].say()[0])

    def _add_degree(self, clause: Copula) -> int:
        if clause.degree is not None or clause.adjective.dimension in sense.UNGRADED:
            return 0
        clause.degree = self.pick(
            ("too", "very") if clause.adjective.dimension in sense.TOO_MUCH else ("very",)
        )
        return 1

    def _add_adverb(self, clause: Active) -> int:
        timed = any(adjunct.kind == "time" for adjunct in clause.adjuncts)
        if not self.adverbs or clause.adverb or clause.negative or clause.question or timed:
            return 0
        if clause.tense != "present" or isinstance(clause, Modal) or clause.verb.base in sense.MOMENTS:
            return 0
        clause.adverb = self.pick(self.adverbs)
        return 1

    def _add_time(self, clause: Clause, room: int) -> int:
        """yesterday, in August, in August 1992; tomorrow; today: once in a sentence"""
        if self.timed or (isinstance(clause, Active) and clause.adverb):
            return 0
        if isinstance(clause, Copula) and clause.adjective.dimension not in sense.PASSING:
            return 0
        adjunct = self._time(clause.tense, room)
        if adjunct is None:
            return 0
        self.timed = True
        clause.adjuncts.append(adjunct)
        return len(adjunct.english)

    def _time(self, tense: str, room: int) -> Adjunct | None:
        if room >= 3 and tense == "past" and self.chance(0.6):
            return self._date(year=True)
        if room >= 2 and tense in ("past", "future") and self.chance(0.7):
            if self.weekdays and self.chance(0.4):
                english, french = self.pick(self.weekdays)
                return Adjunct("time", ("on", english), ((french, (1,), "S"),))
            return self._date(year=False)
        words = {"past": ("yesterday", "hier"), "future": ("tomorrow", "demain"),
                 "progressive": ("today", "aujourd'hui")}.get(tense)  # fmt: skip
        return Adjunct("time", words[:1], ((words[1], (0,), "S"),)) if words else None

    def _date(self, year: bool) -> Adjunct:
        """in August 1992 / en août 1992"""
        english, french = self.pick(self.months)
        words = [("en", (0,), "S"), (french, (1,), "S")]
        if not year:
            return Adjunct("time", ("in", english), tuple(words))
        number = self.pick(self.years)
        return Adjunct("time", ("in", english, number), (*words, (number, (2,), "S")))


def can(verb: Verb, classes: str) -> bool:
    """Whether somebody of these classes does such a thing."""
    return any(set(subjects) & set(classes) for subjects, _ in verb.frames)


def _phrases(clause: Clause) -> list[NounPhrase]:
    """The noun phrases of a clause."""
    found: list[NounPhrase | Pronoun | None] = [clause.subject]
    if isinstance(clause, Active):
        found += [clause.object, clause.receiver]
    found += [adjunct.phrase for adjunct in clause.adjuncts]
    return [phrase for phrase in found if isinstance(phrase, NounPhrase)]
