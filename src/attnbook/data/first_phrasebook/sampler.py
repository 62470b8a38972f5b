"""Draw random clauses and sentences of a wanted length from the phrasebook's grammar.

All choices come from one ``random.Random`` and from tuples in a fixed order, so that a seed names a
sentence on every machine.
"""

from __future__ import annotations

from random import Random

from attnbook.data.first_phrasebook import lexicon as lexicon
from attnbook.data.first_phrasebook.french import English, French
from attnbook.data.first_phrasebook.grammar import Adjunct, Clause, NounPhrase, Pronoun, Words

LEVELS = {"small": 1, "medium": 2, "full": 3}
# verbs of state, which English does not put in the progressive
STATIVE = {"love", "see", "hear", "want", "say", "think", "believe", "know", "admire", "forget"}
_CROSSING_STATE = ("tired", "sick", "weak", "afraid")  # said of the one that crosses
_CROSSING_PATH = ("wide", "long", "narrow", "dangerous", "slippery")  # said of what is crossed
# people who are nobody's: no "my man", no "woman of the friend"
_UNOWNED = ("man", "woman", "boy", "girl", "hero")
_NEVER_OLD = ("boy", "girl", "child")
_OWNERS = ("my", "your", "his", "her", "our", "their")
_ABSOLUTE = ("red", "black", "white", "green", "blue", "yellow", "grey", "empty")  # not "very red"


class Sampler:
    """Sentences of one subset.

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
        self.verbs: dict[str, list] = {}
        for verb in lexicon.VERBS:
            if verb.level <= level:
                self.verbs.setdefault(verb.kind, []).append(verb)
        self.months = [row for row in lexicon.MONTHS if row[0] <= level]
        self.years = [row for row in lexicon.YEARS if row[0] <= level]
        self.weekdays = [row for row in lexicon.WEEKDAYS if row[0] <= level]
        self.places = [row for row in lexicon.PLACE_PREPOSITIONS if row[0] <= level]
        self.adverbs = [row for row in lexicon.ADVERBS if row[0] <= level]
        self.conjunctions = [row for row in lexicon.CONJUNCTIONS if row[0] <= level]
        self._nouns_by_class: dict[str, list] = {}
        self._adjectives_by_class: dict[tuple[str, str, str], list] = {}

    # ---- words
    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def noun(self, classes: str):
        found = self._nouns_by_class.get(classes)
        if found is None:
            found = [noun for noun in self.nouns if set(noun.classes) & set(classes)]
            self._nouns_by_class[classes] = found
        return self.random.choice(found)

    def adjective_for(self, noun, kinds: tuple[str, ...], use: str):
        """An adjective of these kinds that can describe ("classes") or be said of ("predicate") the noun."""
        key = (noun.singular, ",".join(kinds), use)
        found = self._adjectives_by_class.get(key)
        if found is None:
            found = [
                adjective for adjective in self.adjectives
                if adjective.kind in kinds and not (adjective.word == "old" and noun.singular in _NEVER_OLD)
                and set(getattr(adjective, use)) & set(noun.classes)
            ]  # fmt: skip
            self._adjectives_by_class[key] = found
        return self.random.choice(found) if found else None

    # ---- noun phrases
    def phrase(self, classes: str, *, simple: bool = False, negated: bool = False) -> NounPhrase:
        """A determiner and a noun; ``simple`` keeps to the, my, this (what may follow "of")."""
        noun = self.noun(classes)
        plural = noun.plural is not None and self.chance(0.25)
        owners = ["my", "your"] if self.level == 1 else ["my", "your", "his", "her", "our", "their"]
        choices = ["the"] * 6
        if noun.singular not in _UNOWNED and not set("ho") & set(noun.classes):
            choices.append(self.random.choice(owners))
        if self.level >= 2:
            choices.append("this")
        if noun.classes == "o":
            return NounPhrase(noun, "the")
        if not simple:
            if noun.plural is not None and not plural:
                choices += ["a", "a"]
            if self.level >= 3 and not negated:
                if plural:
                    choices += ["some", "many", self.random.choice(("two", "three", "four"))]
                elif noun.plural is None:
                    choices += ["some"]
                else:
                    choices += ["every"]
        return NounPhrase(noun, self.random.choice(choices), plural)

    def topic(self) -> NounPhrase:
        """What an agreement or a book can be on; sometimes the European Economic Area."""
        if self.chance(0.2):
            return self.area()
        return self.phrase("o")

    def area(self) -> NounPhrase:
        by_word = {adjective.word: adjective for adjective in self.adjectives}
        area = lexicon.Noun(1, "o", "f", "Area", None, "zone", None)
        return NounPhrase(area, "the", after=by_word["European"], relational=by_word["economic"], name=True)

    def grow_phrase(self, phrase: NounPhrase, room: int) -> int:
        """Add one thing of at most ``room`` English words; return how many words it added (0: nothing)."""
        options = []
        if not phrase.name and phrase.determiner != "every":
            if phrase.before is None:
                options.append("before")
            if phrase.after is None and phrase.relational is None:
                options.append("after")
            if phrase.relational is None and phrase.noun.classes in ("o", "dg"):
                options.append("relational")
        if room >= 3 and phrase.of is None and phrase.topic is None and phrase.relative is None:
            if "g" in phrase.noun.classes:
                options += ["topic", "topic"]
            if set(phrase.noun.classes) & set("ptdl") and self._may_be_owned(phrase):
                options.append("of")
            if self.level >= 2 and room >= 5 and set(phrase.noun.classes) & set("pad"):
                options += ["relative", "relative"]
        self.random.shuffle(options)
        for option in options:
            added = getattr(self, f"_add_{option}")(phrase, room)
            if added:
                return added
        return 0

    @staticmethod
    def _may_be_owned(phrase: NounPhrase) -> bool:
        # no "my hat of the boy"
        return phrase.noun.singular not in _UNOWNED and phrase.determiner not in _OWNERS

    def _add_before(self, phrase, room):
        phrase.before = self.adjective_for(phrase.noun, ("pre",), "classes")
        return 1 if phrase.before else 0

    def _add_after(self, phrase, room):
        phrase.after = self.adjective_for(phrase.noun, ("post", "nat"), "classes")
        return 1 if phrase.after else 0

    def _add_relational(self, phrase, room):
        if phrase.after is not None and phrase.after.kind != "nat":
            return 0
        phrase.relational = self.adjective_for(phrase.noun, ("rel",), "classes")
        return 1 if phrase.relational else 0

    def _add_topic(self, phrase, room):
        phrase.topic = self.topic()
        cost = 5 if phrase.topic.name else 3
        if cost > room:
            phrase.topic = None
            return 0
        return cost

    def _add_of(self, phrase, room):
        owners = {"p": "p", "t": "p", "d": "p", "l": "p"}
        letter = next(letter for letter in phrase.noun.classes if letter in owners)
        phrase.of = self.phrase(owners[letter], simple=True)
        return 3

    def _add_relative(self, phrase, room):
        if "d" in phrase.noun.classes:  # the letter that the boy wrote
            verb = self.random.choice([verb for verb in self.verbs["trans"] if verb.passive])
            clause = Clause(self.subject("p", pronoun=0.5), verb, "past", object_gap=True)
            if clause.subject.agreement().person == "3p":  # "they" would need a referent
                clause.subject = self.noun_or_we(clause.subject)
        else:  # the dog that sees the cat
            letter = "p" if "p" in phrase.noun.classes else "a"
            verb = self.verb("trans", letter)
            clause = Clause(None, verb, self.random.choice(("present", "past")))
            clause.object = self.phrase(verb.objects, simple=True)
            if clause.tense == "present" and verb.base == verb.past and phrase.plural:
                clause.tense = "past"
        size = 1 + len(clause.say(within=phrase.agreement())[0])
        if size > room:
            return 0
        phrase.relative = clause
        return size

    def subject(self, classes: str, pronoun: float = 0.3) -> NounPhrase | Pronoun:
        if "p" in classes and self.chance(pronoun):
            person, gender = self.random.choice(
                (("1s", "m"), ("2s", "m"), ("3s", "m"), ("3s", "f"), ("1p", "m"), ("3p", "m"))
            )
            return Pronoun(person, gender)
        return self.phrase(classes)

    @staticmethod
    def noun_or_we(subject):
        return Pronoun("1p") if isinstance(subject, Pronoun) else subject

    def object_pronoun(self, subject) -> Pronoun:
        """me, you, him, her, us, them; never the subject's own first or second person."""
        mine = subject.agreement().person[0] if subject is not None else "3"
        people = [("1s", "m"), ("2s", "m"), ("3s", "m"), ("3s", "f"), ("1p", "m"), ("3p", "m")]
        return Pronoun(*self.random.choice([row for row in people if row[0][0] != mine or mine == "3"]))

    # ---- verbs
    def verb(self, kind: str, letter: str = "p"):
        return self.random.choice([verb for verb in self.verbs[kind] if letter in verb.subjects])

    def tense(self, clause: Clause) -> None:
        """Choose tense and negation; skip what English spells ambiguously ("I read": present or past?)."""
        tenses = ["present", "past"]
        if clause.verb.base not in STATIVE:
            tenses.append("progressive")
        if self.level >= 2:
            tenses.append("future")
        clause.tense = self.random.choice(tenses)
        clause.negative = self.chance(0.2)
        third = clause.subject.agreement().person == "3s"
        if clause.tense == "present" and clause.verb.base == clause.verb.past and not third:
            clause.tense = "past"

    # ---- clauses
    def clause(self, room: int) -> Clause:
        """A clause of about ``room`` English words (at least 2)."""
        clause = self._core(room)
        size = len(clause.say()[0])
        misses = 0
        while size < room and misses < 4:
            added = self._grow(clause, room - size)
            size += added
            misses += added == 0
        return clause

    def _core(self, room: int) -> Clause:
        if room <= 2:
            kinds = ["intrans", "reflexive"]
        elif room == 3:
            kinds = ["intrans", "reflexive", "copula", "clitic", "clitic", "neutral"]
        elif room == 4:
            kinds = ["intrans", "reflexive", "copula", "clitic", "neutral", "trans", "trans"]
        else:
            kinds = (
                ["trans"] * 6
                + ["clitic"] * 2
                + ["passive"] * 3
                + ["intrans", "copula", "copula", "reflexive"]
            )
            if self.level >= 2:
                kinds += ["give", "give", "modal", "modal", "say", "say"]
        clause = getattr(self, f"_core_{self.random.choice(kinds)}")(room)
        if (
            clause.negative
            and isinstance(clause.subject, NounPhrase)
            and clause.subject.determiner == "every"
        ):
            clause.subject.determiner = "the"  # "every … not" is not what either language says
        return clause

    def _letters(self) -> str:
        return "p" if self.chance(0.75) else "a"

    def _verb_clause(self, kind: str, room: int) -> Clause:
        letter = self._letters()
        if not any(letter in verb.subjects for verb in self.verbs[kind]):
            letter = "p"
        subject = self.subject(letter, pronoun=1.0 if room <= 2 else 0.6 if room <= 4 else 0.3)
        if isinstance(subject, Pronoun):
            letter = "p"
        clause = Clause(subject, self.verb(kind, letter))
        self.tense(clause)
        if room <= 2:  # only two words: no helper, no "not"
            clause.negative = False
            third = subject.agreement().person == "3s"
            ambiguous = clause.verb.base == clause.verb.past and not third
            clause.tense = "past" if ambiguous else self.random.choice(("present", "past"))
        return clause

    def _core_intrans(self, room):
        return self._verb_clause("intrans", room)

    def _core_reflexive(self, room):
        return self._verb_clause("reflexive", room)

    def _core_neutral(self, room):
        """I am doing it / je le fais: "it" that stands for no noun is masculine in French."""
        clause = self._verb_clause("neutral", room)
        clause.object = Pronoun("3s", "m", thing=True)
        return clause

    def _core_trans(self, room):
        clause = self._verb_clause("trans", room)
        clause.object = self.phrase(clause.verb.objects, negated=clause.negative)
        return clause

    def _core_clitic(self, room):
        """I love you / je t' aime"""
        clause = self._verb_clause("trans", room)
        people = [
            verb
            for verb in self.verbs["trans"]
            if "p" in verb.objects and clause.verb.subjects == verb.subjects
        ]
        if not people:
            return self._core_trans(room)
        if "p" not in clause.verb.objects:
            clause.verb = self.random.choice(people)
            self.tense(clause)
        clause.object = self.object_pronoun(clause.subject)
        return clause

    def _core_copula(self, room):
        letter = self.random.choice("paptdflh")
        subject = self.subject(letter)
        noun = subject.noun if isinstance(subject, NounPhrase) else self.noun("p")
        adjective = self.adjective_for(noun, ("pre", "post", "nat"), "predicate")
        if adjective is None:
            return self._core_trans(room)
        tense = self.random.choice(("present", "past"))
        return Clause(subject, None, tense, negative=self.chance(0.2), adjective=adjective)

    def _core_passive(self, room):
        verb = self.random.choice(
            [verb for verb in self.verbs["trans"] if verb.passive and set("dg") & set(verb.objects)]
        )
        subject = self.phrase("g" if verb.objects == "g" else "d")
        return Clause(subject, verb, "past", passive=True, negative=self.chance(0.15))

    def _core_give(self, room):
        verb = self.random.choice(self.verbs["give"])
        clause = Clause(self.subject("p"), verb)
        self.tense(clause)
        clause.object = self.phrase(verb.objects, negated=clause.negative)
        if room < 8 or self.chance(0.4):
            clause.receiver = self.object_pronoun(clause.subject)  # gives me the book / me donne le livre
        else:
            clause.receiver = self.phrase("p")
        return clause

    def _core_modal(self, room):
        letter = self._letters()
        modal = self.verb("modal", letter)
        kind = self.random.choice(("trans", "trans", "clitic", "intrans", "reflexive"))
        verb = self.verb("trans" if kind == "clitic" else kind, letter)
        clause = Clause(self.subject(letter), verb, "present", negative=self.chance(0.2), modal=modal)
        if kind == "trans" or (kind == "clitic" and "p" not in verb.objects):
            clause.object = self.phrase(verb.objects, negated=clause.negative)
        elif kind == "clitic":
            clause.object = self.object_pronoun(clause.subject)
        return clause

    def _core_say(self, room):
        verb = self.random.choice(self.verbs["say"])
        clause = Clause(self.subject("p"), verb, "present")
        size = len(clause.say()[0]) + 1
        clause.complement = self.clause(max(2, room - size))
        _refer(clause, clause.complement)
        return clause

    def _grow(self, clause: Clause, room: int) -> int:
        """Add one thing of at most ``room`` English words to the clause; return the number of words added."""
        options = []
        phrases = [
            phrase
            for phrase in (clause.subject, clause.object, clause.receiver)
            if isinstance(phrase, NounPhrase)
        ]
        phrases += [adjunct.phrase for adjunct in clause.adjuncts if adjunct.phrase is not None]
        options += [("phrase", phrase.last()) for phrase in phrases] * 2
        kinds = {adjunct.kind for adjunct in clause.adjuncts}
        if clause.complement is None and clause.adjective is None:
            if room >= 3 and "place" not in kinds and "time" not in kinds and not clause.passive:
                options += [("place", None)] * 2
            if (
                room >= 3
                and "with" not in kinds
                and "time" not in kinds
                and not clause.passive
                and clause.receiver is None
            ):
                options.append(("with", None))
            if room >= 3 and clause.passive and not kinds:
                options += [("by", None)] * 3
            if room >= 1 and "time" not in kinds and clause.adverb is None:
                options.append(("time", None))
        if (
            clause.adjective is not None
            and clause.degree is None
            and clause.adjective.kind != "nat"
            and clause.adjective.word not in _ABSOLUTE
        ):
            options.append(("degree", None))
        plain = clause.tense == "present" or (clause.tense == "past" and clause.modal is None)
        if (
            self.adverbs and clause.verb is not None and clause.adverb is None and plain
            and not clause.negative and not clause.passive and clause.verb.kind not in ("say",)
            and clause.modal is None and "time" not in kinds
        ):  # fmt: skip
            options.append(("adverb", None))
        if clause.complement is not None:
            return 0
        if not options:
            return 0
        option, target = self.random.choice(options)
        if option == "phrase":
            return self.grow_phrase(target, room)
        return getattr(self, f"_add_clause_{option}")(clause, room)

    def _add_clause_place(self, clause, room):
        _, english, french, classes = self.random.choice(self.places)
        phrase = self.phrase(classes, simple=True)
        words = tuple((word, (0,), "S") for word in french)
        clause.adjuncts.append(Adjunct("place", (english,), words, phrase))
        return 3

    def _add_clause_with(self, clause, room):
        clause.adjuncts.append(Adjunct("with", ("with",), (("avec", (0,), "S"),), self.phrase("p")))
        return 3

    def _add_clause_by(self, clause, room):
        clause.adjuncts.append(Adjunct("by", ("by",), (("par", (0,), "S"),), self.phrase("p")))
        return 3

    def _add_clause_degree(self, clause, room):
        clause.degree = self.random.choice(("too", "very"))
        return 1

    def _add_clause_adverb(self, clause, room):
        clause.adverb = self.random.choice(self.adverbs)[1:]
        return 1

    def _add_clause_time(self, clause, room):
        past = clause.tense == "past" and clause.verb is not None
        if room >= 3 and past and self.chance(0.6):
            clause.adjuncts.append(self.date(year=True))
            return 3
        if room >= 2 and (past or clause.tense == "future") and self.chance(0.7):
            if self.weekdays and self.chance(0.4):
                _, english, french = self.random.choice(self.weekdays)
                clause.adjuncts.append(Adjunct("time", ("on", english), ((french, (1,), "S"),)))
            else:
                clause.adjuncts.append(self.date(year=False))
            return 2
        words = {"past": ("yesterday", "hier"), "future": ("tomorrow", "demain"),
                 "progressive": ("today", "aujourd'hui")}.get(clause.tense)  # fmt: skip
        if words is None:
            return 0
        clause.adjuncts.append(Adjunct("time", (words[0],), ((words[1], (0,), "S"),)))
        return 1

    def date(self, year: bool) -> Adjunct:
        """in August 1992 / en août 1992"""
        _, english, french = self.random.choice(self.months)
        words = [("en", (0,), "S"), (french, (1,), "S")]
        if not year:
            return Adjunct("time", ("in", english), tuple(words))
        number = self.random.choice(self.years)[1]
        return Adjunct("time", ("in", english, number), (*words, (number, (2,), "S")))

    # ---- pronouns that need a referent
    def crossing(self, room: int) -> list:
        """The animal didn't cross the street because it was too tired / too wide: il or elle."""
        animal, path = self.phrase("a", simple=True), self.phrase("h", simple=True)
        animal.plural = path.plural = False
        verb = next(verb for verb in self.verbs["trans"] if verb.base == "cross")
        first = Clause(animal, verb, "past", negative=True, object=path)
        blamed, words = self.random.choice(((animal, _CROSSING_STATE), (path, _CROSSING_PATH)))
        adjective = self.random.choice([a for a in self.adjectives if a.word in words])
        it = Pronoun("3s", blamed.noun.gender, thing=True)
        second = Clause(it, None, "past", adjective=adjective, degree="too")
        if room > 11 and self.chance(0.7):
            self.grow_phrase(self.random.choice((animal, path)), min(1, room - 11))
        if room > 12 and self.chance(0.7):
            self._add_before(
                self.random.choice([p for p in (animal, path) if p.before is None] or [animal]), 1
            )
        return [first, self._joint("because"), second]

    def follow_up(self, first: Clause, room: int) -> Clause | None:
        """A second clause whose pronoun stands for something in the first, or None.

        "it" and "them" as objects stand for the first clause's object; "it" and "they" as subjects for its
        subject, when that is the only thing named or is plural.
        """
        subject = first.subject
        options = []
        if isinstance(subject, NounPhrase):
            people = "p" in subject.noun.classes
            if subject.plural and set("pa") & set(subject.noun.classes):
                options.append("they")
            elif not people and first.verb is None:
                options.append("it")
        if isinstance(first.object, NounPhrase) and not first.object_gap and first.verb is not None:
            target = first.object.noun
            human = isinstance(subject, Pronoun) or "p" in subject.noun.classes
            if (
                human
                and "p" not in target.classes
                and room >= 3
                and first.object.determiner not in ("every",)
            ):
                options += ["object", "object"]
        if not options:
            return None
        option = self.random.choice(options)
        if option == "they":
            clause = self.clause(room)
            if clause.complement is not None or clause.passive or clause.verb is None:
                clause = self._verb_clause("intrans", room)
            letter = "p" if "p" in subject.noun.classes else "a"
            if letter not in clause.verb.subjects:
                clause = self._verb_clause("intrans", room)
                clause.verb = self.verb("intrans", letter)
            clause.subject = Pronoun("3p", subject.noun.gender)
            self._mend_tense(clause)
            return clause
        if option == "it":
            adjective = self.adjective_for(subject.noun, ("pre", "post"), "predicate")
            if adjective is None or adjective is first.adjective:
                return None
            if subject.plural:
                it = Pronoun("3p", subject.noun.gender)
            else:
                it = Pronoun("3s", subject.noun.gender, thing=True)
            return Clause(it, None, first.tense, adjective=adjective, negative=self.chance(0.2))
        noun, plural = first.object.noun, first.object.plural
        verbs = [
            verb for verb in self.verbs["trans"]
            if set(verb.objects) & set(noun.classes) and "p" in verb.subjects and verb is not first.verb
        ]  # fmt: skip
        if not verbs:
            return None
        clause = Clause(self.subject("p", pronoun=0.5), self.random.choice(verbs))
        self.tense(clause)
        clause.object = Pronoun("3p" if plural else "3s", noun.gender, thing=not plural)
        return clause

    def _mend_tense(self, clause: Clause) -> None:
        same = clause.modal is None and clause.verb.base == clause.verb.past
        if clause.tense == "present" and same and not clause.negative:
            clause.tense, clause.adverb = "past", None

    def _joint(self, wanted: str) -> tuple[str, tuple[str, ...]]:
        return next(row[1:] for row in self.conjunctions if row[1] == wanted)

    # ---- sentences
    def sentence(self, length: int) -> Words:
        """English and French words of a sentence of about ``length`` English words."""
        parts: list = []
        room = length
        if room >= 11 and self.chance(0.15):
            parts = self.crossing(min(room, 14))
        elif room >= 9 and self.level >= 3 and self.chance(0.08):
            parts = self._condition(room)
        else:
            parts = [self.clause(self._share(room))]
        size = len(self.say(parts)[0])
        while size + 3 <= length:
            room = length - size - 1
            clause = self.follow_up(parts[-1], self._share(room)) if self.chance(0.5) else None
            linked = clause is not None
            if clause is None:
                clause = self.clause(self._share(room))
            _refer(parts[-1], clause)
            parts += [self._joint(self._joint_name(parts, clause, linked)), clause]
            size = len(self.say(parts)[0])
            if linked:
                while size < length and (added := self._grow(clause, length - size)):
                    size += added
        return self.say(parts)

    def _joint_name(self, parts: list, clause: Clause, linked: bool) -> str:
        names = ["and", "but"]
        if not linked and len(parts) != 3:
            names.append("because")
            if clause.tense != "future":  # no "when he will …" in English
                names.append("when")
            if self.level >= 3 and clause.tense in ("present", "progressive"):
                names.append("while")
        return self.random.choice(names)

    def _condition(self, room: int) -> list:
        """if he arrives … she will …: the condition in the present, the consequence in the future"""
        first = Clause(
            self.subject("p", pronoun=0.7), self.verb("intrans"), "present", negative=self.chance(0.2)
        )
        self._mend_tense(first)
        second = self._verb_clause("intrans", room)
        second.tense, second.adverb = "future", None
        first.tense = "present"
        return [self._joint("if"), first, second]

    def _share(self, room: int) -> int:
        """How many of the words that are left the next clause takes."""
        if room <= 9:
            return max(2, room)
        return min(room, self.random.randint(5, 11))

    @staticmethod
    def say(parts: list) -> Words:
        english: list[English] = []
        french: list[French] = []
        for part in parts:
            if isinstance(part, Clause):
                more = part.say()
                english, french = english + more[0], french + more[1]
            else:
                word = English(part[0])
                english.append(word)
                french += [
                    French(each, [(word, "S")], role="elides" if each == "que" else "") for each in part[1]
                ]
        return english, french


def _refer(before: Clause, clause: Clause) -> None:
    """Give "they" and "them" the gender of what they stand for.

    "they" stands for the plural subject of the clause before, if that is people or animals or the adjective
    can be said of it; "them" for its plural object, where the verb can take such a thing; with nothing to
    stand for, both are masculine. One rule, so that an English sentence has one translation.
    """
    for role in ("subject", "object"):
        pronoun = getattr(clause, role)
        if isinstance(pronoun, Pronoun) and pronoun.person == "3p":
            referent = before.subject if role == "subject" else before.object
            if role == "object":
                fits = clause.verb.objects
            else:
                fits = "pa" if clause.adjective is None else clause.adjective.predicate
            pronoun.gender = "m"
            if isinstance(referent, Pronoun) and referent.person == "3p":
                pronoun.gender = referent.gender
            elif (
                isinstance(referent, NounPhrase)
                and referent.plural
                and set(fits) & set(referent.noun.classes)
            ):
                pronoun.gender = referent.noun.gender
    if clause.complement is not None:
        _refer(clause, clause.complement)
