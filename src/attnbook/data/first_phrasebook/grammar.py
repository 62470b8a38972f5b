"""Noun phrases and clauses of the phrasebook, each said in English and in French at once.

Every phrase has a method ``say`` that returns its English words and its French words; each French word
carries links to the English words that it translates, "S" (sure) or "P" (possible: an auxiliary that only
one language has, a particle that the other language leaves out).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from attnbook.data.first_phrasebook import french as fr
from attnbook.data.first_phrasebook.french import English, French
from attnbook.data.first_phrasebook.lexicon import Adjective, Noun, Verb

Words = tuple[list[English], list[French]]


@dataclass
class Agreement:
    """What a verb or participle agrees with."""

    person: str  # 1s 2s 3s 1p 3p
    gender: str

    @property
    def plural(self) -> bool:
        return self.person.endswith("p")


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


@dataclass
class Pronoun:
    """A personal pronoun. ``thing`` makes the third person singular "it", with the referent's gender."""

    person: str
    gender: str = "m"
    thing: bool = False

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


# determiner: French masculine, feminine, plural (None: no such form); "the" and "some" are made below
_POSSESSIVES = {"my": ("mon", "ma", "mes"), "your": ("ton", "ta", "tes"), "his": ("son", "sa", "ses"),
                "her": ("son", "sa", "ses"), "our": ("notre", "notre", "nos"),
                "their": ("leur", "leur", "leurs")}  # fmt: skip
NUMBERS = {"two": "deux", "three": "trois", "four": "quatre"}


def _determiner(
    name: str, gender: str, plural: bool, adjective_first: bool, mass: bool, negated: bool
) -> Words:
    """An article, possessive, demonstrative or number, agreeing; French may need two words."""
    word = English({"this": "these"}.get(name, name) if plural else name)
    sure = [(word, "S")]
    if name == "the":
        article = "les" if plural else "la" if gender == "f" else "le"
        return [word], [French(article, sure, role="article")]
    if name == "a":
        if negated:  # "il n' a pas de livre"
            return [word], [French("de", sure, role="elides")]
        return [word], [French("une" if gender == "f" else "un", sure)]
    if name in _POSSESSIVES:
        masculine, feminine, many = _POSSESSIVES[name]
        return [word], [fr.possessive(feminine, masculine, many, gender, plural, sure)]
    if name == "this":
        if plural:
            return [word], [French("ces", sure)]
        return [word], [French("cette", sure) if gender == "f" else French("ce", sure, before_vowel="cet")]
    if name in NUMBERS:
        return [word], [French(NUMBERS[name], sure)]
    if name == "every":
        return [word], [French("chaque", sure)]
    if name == "many":
        return [word], [French("beaucoup", sure), French("de", sure, role="elides")]
    if name == "some" and mass:  # the partitive: du pain, de la soupe, de l' orange
        article = "la" if gender == "f" else "le"
        return [word], [French("de", sure, role="elides"), French(article, list(sure), role="article")]
    if name == "some":  # plural: des chiens, de petits chiens
        return [word], [French("de", sure, role="elides") if adjective_first else French("des", sure)]
    raise ValueError(f"name: no determiner {name!r}")


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
    relative: Clause | None = None  # "that …" / "qui …" or "que …"
    name: bool = False  # a proper name such as "European Economic Area": capitals in English

    def agreement(self) -> Agreement:
        return Agreement("3p" if self.plural else "3s", self.noun.gender)

    def last(self) -> NounPhrase:
        """Where something may still be attached without a doubt about what it belongs to."""
        for follower in (self.topic, self.of):
            if follower is not None:
                return follower.last()
        return self

    def say(self, negated: bool = False) -> Words:
        gender, plural = self.noun.gender, self.plural
        english, french = _determiner(
            self.determiner, gender, plural, self.before is not None, self.noun.plural is None, negated
        )
        first, behind = [], []
        if self.before:
            word = English(self.before.word)
            english.append(word)
            first.append(fr.adjective_word(self.before, gender, plural, [(word, "S")]))
        for adjective in (self.after, self.relational):  # English order; French takes it from the end
            if adjective:
                word = English(adjective.word.capitalize() if self.name else adjective.word)
                english.append(word)
                behind.insert(0, French(fr.agree(adjective.forms, gender, plural), [(word, "S")]))
        word = English(self.noun.plural if plural else self.noun.singular)
        english.append(word)
        noun = French(fr.noun_word(self.noun, plural), [(word, "S")], aspirated=self.noun.aspirated)
        french = [*french, *first, noun, *behind]
        for preposition, french_preposition, phrase in (("of", "de", self.of), ("on", "sur", self.topic)):
            if phrase is not None:
                link = English(preposition)
                their_english, their_french = phrase.say()
                english += [link, *their_english]
                french += [French(french_preposition, [(link, "S")], role="elides"), *their_french]
        if self.relative is not None:
            link = English("that")
            their_english, their_french = self.relative.say(within=self.agreement())
            relative = "qui" if self.relative.subject is None else "que"
            english += [link, *their_english]
            french += [French(relative, [(link, "S")], role="elides"), *their_french]
        return english, french


def _be(person: str, past: bool) -> str:
    if past:
        return "were" if person in ("2s", "1p", "3p") else "was"
    return {"1s": "am", "3s": "is"}.get(person, "are")


def _be_words(person: str, past: bool, negative: bool) -> list[English]:
    """is, isn't; and "am not", which has no contraction."""
    word = _be(person, past)
    if not negative:
        return [English(word)]
    return [English("am"), English("not")] if word == "am" else [English(word + "n't")]


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
            their_english, their_french = self.phrase.say()
            english, french = english + their_english, french + their_french
        return english, french


@dataclass
class Clause:
    """subject + verb group + complements + adjuncts.

    ``subject`` None stands for the gap of a subject relative ("that sees the cat"); ``object_gap`` for that
    of an object relative ("that the boy wrote"), with whose head a French participle agrees.
    """

    subject: NounPhrase | Pronoun | None
    verb: Verb | None = None  # None: the copula, with ``adjective``
    tense: str = "present"  # present, progressive, past, future
    negative: bool = False
    passive: bool = False
    object: NounPhrase | Pronoun | None = None
    object_gap: bool = False
    receiver: NounPhrase | Pronoun | None = None
    adjective: Adjective | None = None
    degree: str | None = None  # too, very
    adverb: tuple[str, str] | None = None  # often/souvent: changes sides of the verb
    modal: Verb | None = None
    complement: Clause | None = None  # "that …" of say, think
    adjuncts: list[Adjunct] = field(default_factory=list)

    def say(self, within: Agreement | None = None) -> Words:
        """The words of both languages; ``within`` is the head's agreement when this is a relative clause."""
        english: list[English] = []
        french: list[French] = []
        if self.subject is None:
            agreement = within
        else:
            english, french = self.subject.say()
            agreement = self.subject.agreement()
        if self.verb is None:
            more = self._copula(agreement)
        elif self.passive:
            more = self._passive(agreement)
        else:
            more = self._active(agreement, within)
        english, french = english + more[0], french + more[1]
        if self.complement is not None:
            that = English("that")
            more = self.complement.say()
            english += [that, *more[0]]
            french += [French("que", [(that, "S")], role="elides"), *more[1]]
        for adjunct in self.adjuncts:
            more = adjunct.say()
            english, french = english + more[0], french + more[1]
        return english, french

    # ---- is tired / est fatigué -------------------------------------------------------------------
    def _copula(self, agreement: Agreement) -> Words:
        past = self.tense == "past"
        be = _be_words(agreement.person, past, self.negative)
        index = fr.PERSONS.index(agreement.person)
        word = fr.IMPERFECT_BE[index] if past else fr.PRESENT["être"][index]
        english = list(be)
        french = _negate([French(word, [(be[0], "S")])], be[-1] if self.negative else None)
        if self.degree:
            degree = English(self.degree)
            english.append(degree)
            french.append(French({"too": "trop", "very": "très"}[self.degree], [(degree, "S")]))
        word = English(self.adjective.word)
        english.append(word)
        form = fr.agree(self.adjective.forms, agreement.gender, agreement.plural)
        french.append(French(form, [(word, "S")]))
        return english, french

    # ---- was signed / a été signé -----------------------------------------------------------------
    def _passive(self, agreement: Agreement) -> Words:
        be = _be_words(agreement.person, True, self.negative)
        index = fr.PERSONS.index(agreement.person)
        auxiliary = French(fr.PRESENT["avoir"][index], [(be[0], "S")])
        word = English(self.verb.participle)
        forms = fr.participle_forms(self.verb.past_participle)
        participle = French(fr.agree(forms, agreement.gender, agreement.plural), [(word, "S")])
        french = _negate([auxiliary], be[-1] if self.negative else None)
        return [*be, word], [*french, French("été", [(be[0], "S")]), participle]

    # ---- everything else --------------------------------------------------------------------------
    def _active(self, agreement: Agreement, within: Agreement | None) -> Words:
        lead = self.modal or self.verb  # the verb that is conjugated
        head_english, lead_word, helper, negator = self._english_group(lead, agreement.person)
        verb_word = lead_word
        english = list(head_english)
        to = None
        if self.modal:
            to, verb_word = English(self.modal.particle), English(self.verb.base)
            english += [to, verb_word]
        verb_links = [(verb_word, "S")]

        # Objects and particles, English order
        clitics: list[French] = []
        tail_english: list[English] = []
        tail_french: list[French] = []
        moved = within if self.object_gap else None  # what a participle with avoir agrees with
        particle = None
        if self.verb.particle and self.verb.kind == "trans":
            particle = English(self.verb.particle)
            tail_english.append(particle)
        if self.verb.kind == "reflexive":
            form = fr.REFLEXIVE[fr.PERSONS.index(agreement.person)]
            clitics.append(French(form, [(verb_word, "S")], role="elides"))
        if isinstance(self.receiver, Pronoun):
            word, clitic = self.receiver.say_as_object(indirect=True)
            tail_english.append(word)
            clitics.append(clitic)
        if isinstance(self.object, Pronoun):
            indirect = self.verb.preposition == "à"
            word, clitic = self.object.say_as_object(indirect)
            tail_english.append(word)
            clitics.append(clitic)
            moved = None if indirect else self.object.agreement()
        elif isinstance(self.object, NounPhrase):
            # "pas de livre", but "n' obéit pas à un frère": only a direct object changes its article
            more = self.object.say(negated=self.negative and not self.verb.preposition)
            tail_english += more[0]
            if self.verb.preposition:
                tail_french.append(French(self.verb.preposition, [(verb_word, "P")], role="elides"))
            tail_french += more[1]
        if isinstance(self.receiver, NounPhrase):
            word = English("to")
            more = self.receiver.say()
            tail_english += [word, *more[0]]
            tail_french += [French("à", [(word, "S")], role="elides"), *more[1]]

        index = fr.PERSONS.index(agreement.person)
        adverb = []
        if self.adverb:
            word = English(self.adverb[0])
            english.insert(0, word)  # only with tenses of one English word: "often sees"
            adverb = [French(self.adverb[1], [(word, "S")])]
        if self.modal:
            finite = French(fr.present(self.modal, agreement.person), _with(helper, [(lead_word, "S")]))
            french = _negate([finite], negator) + adverb
            if self.modal.preposition:
                french.append(French(self.modal.preposition, [(to, "S")], role="elides"))
                main = French(self.verb.infinitive, verb_links)
            else:
                main = French(self.verb.infinitive, [*verb_links, (to, "P")])
            french += [*clitics, main]
        elif self.tense == "past":
            auxiliary = French(fr.PRESENT[self.verb.auxiliary][index], [(verb_word, "P")])
            if negator is not None:  # "didn't" carries the tense as well as the negation
                auxiliary.links.insert(0, (negator, "S"))
            if self.verb.auxiliary == "être":
                moved = agreement
            forms = fr.participle_forms(self.verb.past_participle)
            form = fr.agree(forms, moved.gender, moved.plural) if moved else forms[0]
            main = French(form, verb_links)
            french = [*_negate([*clitics, auxiliary], negator), *adverb, main]
        else:
            form = (fr.future if self.tense == "future" else fr.present)(self.verb, agreement.person)
            main = French(form, _with(helper, verb_links))
            french = _negate([*clitics, main], negator) + adverb
        if particle is not None:
            main.links.append((particle, "P"))
        return english + tail_english, french + tail_french

    def _english_group(self, verb: Verb, person: str):
        """English words up to the conjugated verb; that verb; a helper French lacks; what says "not"."""
        third = person == "3s"
        if self.tense == "progressive":
            be = _be_words(person, False, self.negative)
            word = English(verb.ing)
            return [*be, word], word, be[0], be[-1] if self.negative else None
        if self.tense == "future":
            will = English("won't" if self.negative else "will")
            word = English(verb.base)
            return [will, word], word, will, will if self.negative else None
        if self.negative:
            helper = English("didn't" if self.tense == "past" else "doesn't" if third else "don't")
            word = English(verb.base)
            return [helper, word], word, None, helper
        word = English(verb.past if self.tense == "past" else verb.third if third else verb.base)
        return [word], word, None, None


def _with(helper: English | None, links):
    """French says with an ending what English says with a helper (is eating, will eat): a possible link."""
    return [*links, (helper, "P")] if helper is not None else list(links)


def _negate(words: list[French], negator: English | None) -> list[French]:
    """ne … pas around the clitics and the conjugated verb."""
    if negator is None:
        return words
    return [French("ne", [(negator, "S")], role="elides"), *words, French("pas", [(negator, "S")])]


_NO_AN = ("European", "university", "useful")


def align(english: list[English], french: list[French]):
    """Finish both sides and turn links into index pairs.

    Returns
    -------
    (src, tgt, alignment)
        Two lists of words, and a frozenset of (source index, target index, "S" or "P").
    """
    french = fr.join(french)
    for position, word in enumerate(english[:-1]):
        following = english[position + 1].word
        if word.word == "a" and following[0].lower() in "aeiou" and following not in _NO_AN:
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
