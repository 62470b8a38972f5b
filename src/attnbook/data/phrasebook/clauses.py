"""Clauses of the phrasebook, one class a kind, each said in English and in French at once.

A clause is a subject, a :class:`Predicate` and adjuncts. The kinds differ in the predicate alone; statements,
questions and negations are made here for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

from attnbook.data.phrasebook import french as fr
from attnbook.data.phrasebook.french import English, French, Link, negate
from attnbook.data.phrasebook.lexicon import Adjective, Verb
from attnbook.data.phrasebook.phrases import Adjunct, Agreement, NounPhrase, Pronoun, Words

TENSES = ("present", "progressive", "past", "future")


@dataclass
class Predicate:
    """What follows the subject.

    Attributes
    ----------
    first : English
        The English word that a question puts before the subject: "is", "did", "will".
    rest : list of English
    french : list of French
    first_is_said : bool
        Whether French has a word for ``first`` besides "est-ce que": "es" for "are", not one for "do".
    """

    first: English
    rest: list[English]
    french: list[French]
    first_is_said: bool


@dataclass
class Group:
    """The English verb up to its lexical word.

    Attributes
    ----------
    words : list of English
        "eats"; "does", "not", "eat"; "isn't", "eating".
    verb : English
        The last of them.
    helper : English or None
        is, will, do, did.
    negator : English or None
        The word that says "not".
    """

    words: list[English]
    verb: English
    helper: English | None
    negator: English | None


@dataclass(kw_only=True)
class Clause(ABC):
    """subject + predicate + adjuncts.

    ``subject`` None stands for the gap of a subject relative ("that sees the cat"). A negation is contracted
    ("doesn't", "isn't") or not ("does not", "is not"); French is the same.
    """

    subject: NounPhrase | Pronoun | None
    tense: str  # one of TENSES
    negative: bool = False
    contracted: bool = True
    question: bool = False
    adjuncts: list[Adjunct] = field(default_factory=list)

    @abstractmethod
    def predicate(self, agreement: Agreement, within: Agreement | None) -> Predicate:
        """The words behind the subject; ``within`` is the agreement of the noun that a relative describes."""

    @property
    def relative_pronoun(self) -> str:
        return "qui" if self.subject is None else "que"

    def say(self, within: Agreement | None = None) -> Words:
        """The words of both languages; ``within`` is the head's agreement when this is a relative clause.

        Raises
        ------
        ValueError
            If there is neither a subject nor a head to agree with.
        """
        if self.subject is not None:
            subject, french = self.subject.say()
            agreement = self.subject.agreement()
        elif within is not None:
            subject, french, agreement = [], [], within
        else:
            raise ValueError("subject: a clause without a subject needs the head that it describes; give one")
        predicate = self.predicate(agreement, within)
        if self.question:
            english = [predicate.first, *subject, *predicate.rest]
            kind = "P" if predicate.first_is_said else "S"
            asks: list[Link] = [(predicate.first, kind)]
            french = [French("est", asks), French("-ce", asks), French("que", asks, role="elides"), *french]
        else:
            english = [*subject, predicate.first, *predicate.rest]
        french += predicate.french
        for adjunct in self.adjuncts:
            more = adjunct.say()
            english, french = english + more[0], french + more[1]
        return english, french

    def be(self, agreement: Agreement) -> Group:
        """is, isn't, is not; "am" has no contraction"""
        past = self.tense == "past"
        many = agreement.person in ("2s", "1p", "3p")
        word = ("were" if many else "was") if past else {"1s": "am", "3s": "is"}.get(agreement.person, "are")
        return self._with_not(word)

    def _with_not(self, helper: str) -> Group:
        if not self.negative:
            word = English(helper)
            return Group([word], word, word, None)
        if self.contracted and helper != "am":
            word = English("won't" if helper == "will" else helper + "n't")
            return Group([word], word, word, word)
        word, negator = English(helper), English("not")
        return Group([word, negator], negator, word, negator)

    def group(self, verb: Verb, agreement: Agreement) -> Group:
        """The English words of an active verb, with do where a question or "not" needs it."""
        third = agreement.person == "3s"
        if self.tense == "progressive":
            helped, form = self.be(agreement), verb.ing
        elif self.tense == "future":
            helped, form = self._with_not("will"), verb.base
        elif self.negative or self.question:
            helper = "did" if self.tense == "past" else "does" if third else "do"
            helped, form = self._with_not(helper), verb.base
        else:
            word = English(verb.past if self.tense == "past" else verb.third if third else verb.base)
            return Group([word], word, None, None)
        word = English(form)
        return Group([*helped.words, word], word, helped.helper, helped.negator)


@dataclass(kw_only=True)
class Copula(Clause):
    """is tired / est fatigué"""

    adjective: Adjective
    degree: str | None = None  # too, very

    def predicate(self, agreement: Agreement, within: Agreement | None) -> Predicate:
        be = self.be(agreement)
        forms = fr.IMPERFECT_BE if self.tense == "past" else fr.PRESENT["être"]
        french = negate([French(forms[agreement.index], [(be.words[0], "S")])], be.negator)
        rest = be.words[1:]
        if self.degree:
            degree = English(self.degree)
            rest.append(degree)
            french.append(French({"too": "trop", "very": "très"}[self.degree], [(degree, "S")]))
        word = English(self.adjective.word)
        form = fr.agree(self.adjective.forms, agreement.gender, agreement.plural)
        return Predicate(be.words[0], [*rest, word], [*french, French(form, [(word, "S")])], True)


@dataclass(kw_only=True)
class Passive(Clause):
    """was signed / a été signé"""

    verb: Verb

    def predicate(self, agreement: Agreement, within: Agreement | None) -> Predicate:
        be = self.be(agreement)
        said: list[Link] = [(be.words[0], "S")]
        word = English(self.verb.participle)
        form = fr.agree(fr.participle_forms(self.verb.past_participle), agreement.gender, agreement.plural)
        french = negate([French(fr.PRESENT["avoir"][agreement.index], said)], be.negator)
        french += [French("été", said), French(form, [(word, "S")])]
        return Predicate(be.words[0], [*be.words[1:], word], french, True)


@dataclass
class Complements:
    """What an active verb takes with it: English words behind it; French clitics before and words behind."""

    english: list[English] = field(default_factory=list)
    clitics: list[French] = field(default_factory=list)
    french: list[French] = field(default_factory=list)
    agrees_with: Agreement | None = None  # what stands before a participle with avoir, as its object

    def put_object(self, verb: Verb, word: English, thing: NounPhrase | Pronoun, negative: bool) -> None:
        """``word`` is the English verb; it also stands for the "à" of "répondre à"."""
        if isinstance(thing, Pronoun):
            indirect = verb.preposition == "à"
            said, clitic = thing.say_as_object(indirect)
            self.english.append(said)
            self.clitics.append(clitic)
            if not indirect:
                self.agrees_with = thing.agreement()
            return
        # "pas de livre", but "n' obéit pas à un frère": only a direct object changes its article
        more = thing.say(negated=negative and not verb.preposition)
        self.english += more[0]
        if verb.preposition:
            self.french.append(French(verb.preposition, [(word, "P")], role="elides"))
        self.french += more[1]

    def put_receiver(self, receiver: NounPhrase | Pronoun) -> None:
        """gives me the book, or the book to the girl; call it before or after :meth:`put_object`"""
        if isinstance(receiver, Pronoun):
            said, clitic = receiver.say_as_object(indirect=True)
            self.english.insert(0, said)
            self.clitics.insert(0, clitic)
            return
        to = English("to")
        more = receiver.say()
        self.english += [to, *more[0]]
        self.french += [French("à", [(to, "S")], role="elides"), *more[1]]


@dataclass(kw_only=True)
class Active(Clause):
    """sleeps, eats the apple, gives me the book / dort, mange la pomme, me donne le livre

    ``object_gap`` marks an object relative ("that the boy wrote"), with whose head a participle agrees.
    """

    verb: Verb
    object: NounPhrase | Pronoun | None = None
    receiver: NounPhrase | Pronoun | None = None
    object_gap: bool = False
    adverb: tuple[str, str] | None = None  # often/souvent: changes sides of the verb

    @property
    def particle(self) -> str:
        """The English word after the verb that French does not have: wait *for*; "" if none."""
        return self.verb.particle

    def complements(self, verb: English, agreement: Agreement, within: Agreement | None) -> Complements:
        """``verb`` is the English verb that takes them."""
        found = Complements(agrees_with=within if self.object_gap else None)
        if self.verb.kind == "reflexive":
            form = fr.REFLEXIVE[agreement.index]
            found.clitics.append(French(form, [(verb, "S")], role="elides"))
        if self.object is not None:
            found.put_object(self.verb, verb, self.object, self.negative)
        if self.receiver is not None:
            found.put_receiver(self.receiver)
        return found

    def predicate(self, agreement: Agreement, within: Agreement | None) -> Predicate:
        group = self.group(self.verb, agreement)
        found = self.complements(group.verb, agreement, within)
        links: list[Link] = [(group.verb, "S")]
        if self.particle:
            particle = English(self.particle)
            found.english.insert(0, particle)
            links.append((particle, "P"))
        adverbs: list[French] = []
        words = group.words
        if self.adverb:
            word = English(self.adverb[0])
            words = [word, *words]  # only with tenses of one English word: "often sees"
            adverbs = [French(self.adverb[1], [(word, "S")])]
        if self.tense == "past":
            conjugated, behind = self._perfect(group, found, agreement, links)
        else:
            form = (fr.future if self.tense == "future" else fr.present)(self.verb, agreement.person)
            conjugated, behind = French(form, _with(group.helper, links)), []
        french = negate([*found.clitics, conjugated], group.negator) + adverbs + behind
        return Predicate(words[0], words[1:] + found.english, french + found.french, False)

    def _perfect(
        self, group: Group, found: Complements, agreement: Agreement, links: list[Link]
    ) -> tuple[French, list[French]]:
        """a mangé, est arrivée, l' a vue"""
        auxiliary = French(fr.PRESENT[self.verb.auxiliary][agreement.index], [(group.verb, "P")])
        if group.helper is not None:  # "didn't" and "did" carry the tense
            auxiliary.links.insert(0, (group.helper, "S"))
        agrees_with = agreement if self.verb.auxiliary == "être" else found.agrees_with
        forms = fr.participle_forms(self.verb.past_participle)
        form = fr.agree(forms, agrees_with.gender, agrees_with.plural) if agrees_with else forms[0]
        return auxiliary, [French(form, links)]


@dataclass(kw_only=True)
class Modal(Active):
    """wants to see the cat / veut voir le chat"""

    modal: Verb

    def predicate(self, agreement: Agreement, within: Agreement | None) -> Predicate:
        group = self.group(self.modal, agreement)
        form = (fr.future if self.tense == "future" else fr.present)(self.modal, agreement.person)
        french = negate([French(form, _with(group.helper, [(group.verb, "S")]))], group.negator)
        to, verb = English(self.modal.particle), English(self.verb.base)
        found = self.complements(verb, agreement, within)
        links: list[Link] = [(verb, "S")]
        if self.modal.preposition:
            french.append(French(self.modal.preposition, [(to, "S")], role="elides"))
        else:
            links.append((to, "P"))
        english = [*group.words[1:], to, verb]
        if self.particle:
            particle = English(self.particle)
            english.append(particle)
            links.append((particle, "P"))
        french += [*found.clitics, French(self.verb.infinitive, links), *found.french]
        return Predicate(group.words[0], english + found.english, french, False)


@dataclass(kw_only=True)
class Report(Active):
    """says that the cat sleeps / dit que le chat dort"""

    complement: Clause

    @property
    def particle(self) -> str:
        return ""  # "that" is said with the complement

    def complements(self, verb: English, agreement: Agreement, within: Agreement | None) -> Complements:
        found = super().complements(verb, agreement, within)
        that = English(self.verb.particle)
        more = self.complement.say()
        found.english += [that, *more[0]]
        found.french += [French("que", [(that, "S")], role="elides"), *more[1]]
        return found


def _with(helper: English | None, links: list[Link]) -> list[Link]:
    """French says with an ending what English says with a helper (is eating, will eat): a possible link."""
    return [*links, (helper, "P")] if helper is not None else list(links)
