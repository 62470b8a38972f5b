"""Make clauses of the phrasebook whose subject, verb and object go together."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from attnbook.data.phrasebook import sense
from attnbook.data.phrasebook.choices import ANYBODY
from attnbook.data.phrasebook.clauses import Active, Clause, Copula, Modal, Passive, Report
from attnbook.data.phrasebook.growing import ClauseGrower, can
from attnbook.data.phrasebook.lexicon import Verb
from attnbook.data.phrasebook.phrases import NounPhrase, Pronoun

_IT = Pronoun("3s", "m", thing=True)  # "it" that stands for no noun: I am doing it / je le fais


@dataclass(frozen=True)
class Actor:
    """Who does something, and the noun classes that this one has."""

    phrase: NounPhrase | Pronoun
    classes: str


class ClauseMaker(ClauseGrower):
    """Makes clauses; for the parameters see :class:`attnbook.data.phrasebook.choices.Choices`."""

    def __init__(self, subset: str, random: Random) -> None:
        super().__init__(subset, random)
        self.first = True  # whether he, she, they and them may stand for somebody who is not named

    def clause(self, room: int, tense: str, *, actor: Actor | None = None, question: bool = False) -> Clause:
        """A clause of about ``room`` English words (at least 2).

        Parameters
        ----------
        room : int
        tense : str
            The sentence's; "is" and "are" are the present of a progressive sentence.
        actor : Actor, optional
            Who does it.
        question : bool
        """
        room = max(room, 2 if tense in ("present", "past") else 3)
        while True:
            before = set(self.used)
            clause = self._core(room, tense, actor, question)
            if clause is not None and self.clear(clause):
                break
            self.used = before
        if not isinstance(clause, Report):
            self.fill(clause, room)
        return clause

    def later_clause(self, room: int, tense: str) -> Clause:
        """A clause for behind another: no "he" or "they" in it, which would ask for somebody."""
        self.first = False
        return self.clause(room, tense)

    def _core(self, room: int, tense: str, actor: Actor | None, question: bool) -> Clause | None:
        kinds = ["intrans"]
        if room >= 3:
            kinds += ["intrans", "copula", "clitic", "clitic"] + ["neutral"] * (self.first and room < 8)
        if room >= 4:
            kinds += ["trans"] * 3
        if room >= 5:
            kinds += ["trans"] * 4 + ["copula"] * 2 + ["passive"] * 3
            if self.level >= 2:
                kinds += ["give", "give"] + ["modal", "modal", "report", "report"] * (tense == "present")
        clause = self._made(self.pick(kinds), tense, room, actor)
        if clause is None:
            return None
        clause.question = question
        moment = isinstance(clause, Active) and clause.verb.base in sense.MOMENTS
        if moment and tense == "present" and not question and self.chance(0.7):  # "she loses a book": rare
            return None
        if question and clause.subject is not None and clause.subject.agreement().person[0] == "1":
            return None  # "do I see the cat" is no question to anybody
        if isinstance(clause, Report):  # "does not think that" would ask for the subjunctive
            return None if question else clause
        self._negate(clause, room)
        if question and isinstance(clause.subject, NounPhrase) and clause.subject.determiner == "a":
            clause.subject.determiner = "the"
        every = isinstance(clause.subject, NounPhrase) and clause.subject.determiner == "every"
        return None if every and (clause.negative or question) else clause

    def _made(self, kind: str, tense: str, room: int, actor: Actor | None) -> Clause | None:
        if kind == "intrans":
            return self.intransitive(self.pick(("intrans", "intrans", "reflexive")), tense, room, actor)
        if kind in ("trans", "clitic", "neutral", "give"):
            return self._transitive(kind, tense, room, actor)
        if kind == "copula":
            return self._copula(tense, room, actor)
        if kind == "passive":
            return self._passive(tense, actor)
        if kind == "modal":
            return self._modal(room, actor)
        return self._report(room, actor)

    def _negate(self, clause: Clause, room: int) -> None:
        """Make one clause in four negative; a question or a clause of two words stays as it is."""
        if clause.question or room <= 2 or not self.chance(0.25):
            return
        clause.negative, clause.contracted = True, self.chance(0.5)
        if isinstance(clause, Active) and isinstance(clause.object, NounPhrase):
            vague = (
                "some",
                "many",
                "every",
                "two",
                "three",
                "four",
                *["a"] * (clause.verb.base in sense.NEVER_ANY),
            )
            if clause.object.determiner in vague:
                clause.object.determiner = "the"

    @staticmethod
    def clear(clause: Clause) -> bool:
        """Whether English shows the tense: not "I read", which is present or past."""
        if not isinstance(clause, Active) or isinstance(clause, Modal) or clause.subject is None:
            return True
        third = clause.subject.agreement().person == "3s"
        helped = clause.negative or clause.question or clause.tense in ("progressive", "future")
        return helped or third or clause.verb.base != clause.verb.past

    def fits_tense(self, verb: Verb, tense: str) -> bool:
        return tense != "progressive" or verb.base not in sense.NEVER_PROGRESSIVE

    def somebody(self, classes: str, pronoun: float = 0.35) -> tuple[NounPhrase | Pronoun, str]:
        """A subject of one of these classes and the classes that it has; people are often a pronoun."""
        if set(ANYBODY) & set(classes) and self.chance(pronoun):
            return self.person("" if self.first else "3s 3p"), ANYBODY
        phrase = self.phrase(classes)
        return phrase, phrase.noun.classes

    def active(self, verb: Verb, tense: str, actor: Actor, negative: bool = False) -> Active:
        """The verb with this subject and an object that goes with both; see :func:`_can`."""
        clause = Active(subject=actor.phrase, tense=tense, verb=verb, negative=negative)
        clause.contracted = self.chance(0.5)
        classes = verb.objects_of(actor.classes)
        if classes:
            clause.object = self.phrase(classes, negated=negative)
        return clause

    def _verb(self, kind: str, tense: str, actor: Actor | None) -> Verb | None:
        verbs = [
            verb
            for verb in self.verbs[kind]
            if self.fits_tense(verb, tense) and (actor is None or can(verb, actor.classes))
        ]
        return self.pick(verbs) if verbs else None

    def _acting(self, verb: Verb, room: int, actor: Actor | None) -> Actor:
        """The actor, or somebody who does such things."""
        if actor is not None:
            return actor
        subjects = self.pick(verb.frames)[0]
        return Actor(*self.somebody(subjects, 1.0 if room <= 2 else 0.6 if room <= 4 else 0.3))

    def intransitive(self, kind: str, tense: str, room: int, actor: Actor | None) -> Clause | None:
        verb = self._verb(kind, tense, actor)
        if verb is None:
            return None
        return self.active(verb, tense, self._acting(verb, room, actor))

    def _transitive(self, kind: str, tense: str, room: int, actor: Actor | None) -> Clause | None:
        verb = self._verb("trans" if kind == "clitic" else kind, tense, actor)
        if verb is None:
            return None
        actor = self._acting(verb, room, actor)
        if kind == "neutral":
            return Active(subject=actor.phrase, tense=tense, verb=verb, object=_IT)
        if kind == "clitic":
            if not set("pr") & set(verb.objects_of(actor.classes)):
                return None
            person = self.other_person(actor.phrase, "" if self.first else "3s 3p")
            return Active(subject=actor.phrase, tense=tense, verb=verb, object=person)
        clause = self.active(verb, tense, actor)
        if kind == "give":
            person = self.other_person(actor.phrase, "3p")
            clause.receiver = person if room < 8 or self.chance(0.4) else self.phrase("p")
        return clause

    def _copula(self, tense: str, room: int, actor: Actor | None) -> Clause | None:
        if tense == "future":
            return None
        if actor is None:
            letter = self.pick(
                [each for each in "pppatcvukfdlhi" if any(each in n.classes for n in self.nouns)]
            )
            if letter == "p" and self.chance(0.4 if room > 3 else 0.9):
                actor = Actor(self.person("" if self.first else "3s 3p"), ANYBODY)
            else:
                phrase = self.phrase(letter, simple=True)
                actor = Actor(phrase, phrase.noun.classes)
        found = self.predicates(actor.classes, actor.phrase)
        if isinstance(
            actor.phrase, Pronoun
        ):  # what one says of "it" and "they" passes: they are named already
            found = [each for each in found if each.dimension in sense.PASSING]
        if not found:
            return None
        passing = [each for each in found if each.dimension in sense.PASSING]
        adjective = self.pick(passing if passing and self.chance(0.5) else found)
        return Copula(
            subject=actor.phrase, tense="past" if tense == "past" else "present", adjective=adjective
        )

    def _passive(self, tense: str, actor: Actor | None) -> Clause | None:
        if tense != "past" or actor is not None:
            return None
        verb = self.pick([verb for verb in self.verbs["trans"] if verb.passive])
        return Passive(subject=self.phrase(self.pick(verb.frames)[1]), tense="past", verb=verb)

    def _modal(self, room: int, actor: Actor | None) -> Clause | None:
        modal = self.pick(self.verbs["modal"])
        kind = self.pick(("trans", "trans", "intrans", "reflexive"))
        verb = self._verb(kind, "progressive", actor)
        if verb is None or (actor is not None and not can(modal, actor.classes)):
            return None
        actor = self._acting(verb, room, actor)
        classes = verb.objects_of(actor.classes)
        if not can(modal, actor.classes):
            return None
        thing = self.phrase(classes, simple=True) if classes else None
        return Modal(subject=actor.phrase, tense="present", modal=modal, verb=verb, object=thing)

    def _report(self, room: int, actor: Actor | None) -> Clause | None:
        verb = self.pick(self.verbs["say"])
        if actor is not None and not can(verb, actor.classes):
            return None
        actor = self._acting(verb, room, actor)
        clause = Active(subject=actor.phrase, tense="present", verb=verb)
        size = len(clause.say()[0]) + 1
        if room - size < 2:
            return None
        first, self.first = self.first, False
        told = self.clause(room - size, self.pick(("present", "past")))
        self.first = first
        return Report(subject=actor.phrase, tense="present", verb=verb, complement=told)
