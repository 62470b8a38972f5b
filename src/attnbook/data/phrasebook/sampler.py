"""Draw random sentences of a wanted length from the phrasebook's grammar.

A sentence keeps one time from its first clause to its last, "because" gives a reason for what was said,
"when" says a moment or a habit, and "but" stands between what contrasts.
"""

from __future__ import annotations

from collections.abc import Callable

from attnbook.data.phrasebook import sense
from attnbook.data.phrasebook.choices import ANYBODY
from attnbook.data.phrasebook.clauses import Active, Clause, Copula, Modal, Passive, Report
from attnbook.data.phrasebook.french import English, French
from attnbook.data.phrasebook.growing import can
from attnbook.data.phrasebook.lexicon import Verb
from attnbook.data.phrasebook.making import Actor, ClauseMaker
from attnbook.data.phrasebook.phrases import NounPhrase, Pronoun, Words

Part = Clause | str  # a clause, or the conjunction before one


class Sampler(ClauseMaker):
    """Sentences of one subset.

    Parameters
    ----------
    subset : str
        "small", "medium" or "full".
    random : random.Random
        Where every choice comes from.
    """

    # ---- sentences -------------------------------------------------------------------------------------

    def sentence(self, length: int) -> Words:
        """English and French words of a sentence of about ``length`` English words.

        Up to 20 words, no noun comes twice.
        """
        while True:
            self.used.clear()
            self.timed, self.first, self.repeated = False, True, False
            parts = self._parts(length)
            if not self.repeated or length > 20:
                return self.say(parts)

    def _parts(self, length: int) -> list[Part]:
        if 3 <= length <= 14 and self.chance(0.2):
            return [self.clause(length, self._tense(), question=True)]
        parts: list[Part] = []
        if length >= 11 and self.chance(0.1):
            tense = "past"
            parts += self.crossing(min(length, 14))
        elif self.level == 3 and length >= 5 and self.chance(0.07):
            tense = "future"
            parts += self._condition()
        else:
            tense = self._tense()
            parts += self._group(length, tense)
        size = len(self.say(parts)[0])
        while size + 3 <= length:
            more = self._continued(parts, length - size - 1, tense)
            size += len(self.say(more)[0])
            parts += more
        return parts

    def say(self, parts: list[Part]) -> Words:
        """The words of clauses and of the conjunctions between them."""
        english: list[English] = []
        french: list[French] = []
        for part in parts:
            if isinstance(part, Clause):
                more = part.say()
                english, french = english + more[0], french + more[1]
                continue
            word = English(part)
            english.append(word)
            french += [
                French(each, [(word, "S")], role="elides" if each == "que" else "")
                for each in self.conjunctions[part]
            ]
        return english, french

    def _tense(self) -> str:
        return self.pick(["past"] * 4 + ["present"] * 3 + ["progressive"] * 2 + ["future"] * (self.level > 1))

    def _condition(self) -> list[Part]:
        """if he arrives … she will …: the condition in the present, the consequence in the future"""
        first = None
        while first is None or not self.clear(first):
            first = self.intransitive("intrans", "present", 4, None)
        first.negative = self.chance(0.2)
        return ["if", first, self.later_clause(6, "future")]

    def _group(self, room: int, tense: str) -> list[Part]:
        """A clause, and perhaps the reason for it or the moment."""
        whole = room if room <= 9 else min(room, self.random.randint(5, 12))
        main = self.clause(whole, tense)
        parts: list[Part] = [main]
        left = room - len(main.say()[0]) - 1
        if left >= 3 and self.chance(0.7):
            parts += self._subordinate(main, left, tense)
        return parts

    def _continued(self, parts: list[Part], room: int, tense: str) -> list[Part]:
        """and, or but, and another clause that goes on with the last one if that is no reason of another."""
        self.first = False
        before = parts[-1]
        assert isinstance(before, Clause)
        alone = len(parts) == 1 or parts[-2] in ("and", "but")
        whole = room if room <= 9 else min(room, self.random.randint(4, 11))
        clause = self._follow_up(before, whole, tense) if alone and self.chance(0.85) else None
        joint = "and"
        if clause is None:
            clause = self._other(before, whole, tense)
        elif _tone(before) != _tone(clause):
            if parts[-2:-1] == ["but"]:  # one "but" after another contrasts with nothing
                clause = self._other(before, whole, tense)
            else:
                joint = "but"
        found: list[Part] = [joint, clause]
        left = room - len(clause.say()[0]) - 1
        if left >= 3 and self.chance(0.7):
            found += self._subordinate(clause, left, tense)
        return found

    def _other(self, before: Clause, room: int, tense: str) -> Clause:
        """A clause about somebody else; of a thing only if the one before was about a thing."""
        used = set(self.used)
        clause = self.clause(room, tense)
        for _ in range(6):  # two words never describe a thing
            if _describes(clause) == _describes(before):
                break
            self.used = set(used)
            clause = self.clause(room, tense)
        return clause

    # ---- because, when, while --------------------------------------------------------------------------

    def _subordinate(self, main: Clause, room: int, tense: str) -> list[Part]:
        """because …, when … or while …, where one of them makes sense behind the clause; else nothing."""
        self.first = False
        options: list[Callable[[], list[Part]]] = [
            lambda: self._because(self._state(main)),
            lambda: self._because(self._property(main)),
            lambda: self._because(self._event(main, room, tense)),
            lambda: self._when(main, room, tense),
        ]
        if self.level == 3:
            options.append(lambda: self._while(main, room, tense))
        if tense == "future":  # English would need the present in both
            return []
        self.random.shuffle(options)
        for option in options:
            found = option()
            if found and len(self.say(found)[0]) <= room + 1:
                return found
        return []

    @staticmethod
    def _because(reason: Clause | None) -> list[Part]:
        return ["because", reason] if reason is not None else []

    def _state(self, main: Clause) -> Clause | None:
        """The girl sings because she is happy."""
        if not isinstance(main, Active) or isinstance(main, (Modal, Report)) or main.subject is None:
            return None
        words = sense.STATES.get((main.verb.base, main.negative), ())
        return self._said_of(main.subject, words, main, too=main.negative)

    def _property(self, main: Clause) -> Clause | None:
        """The girl does not read the book because it is too long; no other "it" or "they" may be meant."""
        if type(main) is not Active or not isinstance(main.object, NounPhrase) or main.receiver is not None:
            return None
        if main.subject is None or main.object.determiner != "the" or "p" in main.object.noun.classes:
            return None
        if any(adjunct.phrase is not None for adjunct in main.adjuncts):  # "it" might be the garden
            return None
        found = self.again(main.object)
        rival = self.again(main.subject)
        if (rival.person, rival.thing) == (found.person, found.thing):
            return None
        words = sense.PROPERTIES.get((main.verb.base, main.negative), ())
        return self._said_of(main.object, words, main, too=main.negative)

    def _said_of(
        self, phrase: NounPhrase | Pronoun, words: tuple[str, ...], main: Clause, too: bool
    ) -> Clause | None:
        """it is too long: one of these words of what the phrase stands for"""
        classes = self.classes_of(phrase)
        found = [each for each in self.predicates(classes, phrase) if each.word in words]
        if not found:
            return None
        degree = None if self.chance(0.4) else "too" if too else "very"
        if too and not set("pa") & set(classes):
            degree = "too"  # "did not buy it because it is big" leaves the reader to guess
        tense = "past" if main.tense == "past" else "present"
        return Copula(subject=self.again(phrase), tense=tense, adjective=self.pick(found), degree=degree)

    def _event(self, main: Clause, room: int, tense: str) -> Clause | None:
        """The girl is happy because her friend arrived."""
        if not isinstance(main, Copula) or main.negative or main.subject is None or room < 3:
            return None
        own = self.chance(0.4)
        events = (sense.OWN_EVENTS if own else sense.EVENTS).get(main.adjective.word, ())
        known = {verb.base: verb for kind in ("intrans", "trans", "reflexive") for verb in self.verbs[kind]}
        classes = self.classes_of(main.subject)
        events = [
            (known[base], negative)
            for base, negative in events
            if base in known
            and can(known[base], classes if own else "p")
            and self.fits_tense(known[base], tense)
        ]
        if not events:
            return None
        verb, negative = self.pick(events)
        if own:
            actor = Actor(self.again(main.subject), classes)
        else:
            actor = Actor(self.phrase("p"), "p")
        clause = self.active(verb, tense, actor, negative=negative)
        self.fill(clause, room - 1)
        return clause if self.clear(clause) else None

    def _when(self, main: Clause, room: int, tense: str) -> list[Part]:
        """The man stopped when the dog arrived; the girl sings when she is happy."""
        if tense == "past" and room >= 3 and self._is_moment(main):
            verbs = [v for kind in ("intrans", "reflexive", "trans") for v in self.verbs[kind]]
            verbs = [verb for verb in verbs if verb.base in sense.PUNCTUAL and can(verb, "pa")]
            verb = self.pick(verbs)
            if isinstance(main, Active) and verb is main.verb:
                return []
            clause = self.active(verb, tense, Actor(*self.somebody("p" if can(verb, "p") else "a")))
            self.fill(clause, room - 1)
            return ["when", clause] if self.clear(clause) else []
        if tense != "present" or not isinstance(main, Active) or isinstance(main, (Modal, Report)):
            return []
        if self.chance(0.5):
            state = self._state(main)
            if isinstance(state, Copula):
                state.degree = None
                return ["when", state]
            return []
        return self._habit(main, room)

    def _habit(self, main: Active, room: int) -> list[Part]:
        """The man reads when the children sleep."""
        verbs = [v for v in [*self.verbs["intrans"], *self.verbs["reflexive"]] if v.base in sense.HABITS]
        if main.verb in verbs or main.negative or room < 3 or main.verb.base not in sense.MEANWHILE:
            return []
        clause = self.active(self.pick(verbs), "present", Actor(*self.somebody("p")))
        self.fill(clause, room - 1)
        return ["when", clause] if self.clear(clause) else []

    def _while(self, main: Clause, room: int, tense: str) -> list[Part]:
        """The boy is sleeping while the girl is singing."""
        if tense != "progressive" or type(main) is not Active or main.negative or room < 4:
            return []
        if main.verb.base not in sense.MEANWHILE:
            return []
        verbs = [v for v in [*self.verbs["intrans"], *self.verbs["reflexive"]] if v.base in sense.HABITS]
        verb = self.pick(verbs)
        if verb is main.verb:
            return []
        clause = self.active(verb, tense, Actor(*self.somebody("p")))
        self.fill(clause, room - 1)
        return ["while", clause]

    @staticmethod
    def _is_moment(main: Clause) -> bool:
        """Whether "when he arrived" may follow."""
        if main.adjuncts and main.adjuncts[-1].kind == "time":
            return False
        if isinstance(main, Copula):
            return main.adjective.dimension in sense.PASSING
        return type(main) is Active and not main.negative and main.verb.base not in sense.LASTING

    # ---- and, but --------------------------------------------------------------------------------------

    def _follow_up(self, before: Clause, room: int, tense: str) -> Clause | None:
        """A clause about what the one before was about, or None.

        "he", "it" and "they" as subjects stand for the subject of the clause before, "it" and "them" as
        objects for its object; so an English sentence has one translation.
        """
        ways = [self._same_subject, self._same_subject, self._same_object, self._contrast]
        self.random.shuffle(ways)
        return next((found for way in ways if (found := way(before, room, tense))), None)

    def _same_subject(self, before: Clause, room: int, tense: str) -> Clause | None:
        subject = before.subject
        if subject is None or isinstance(before, (Passive, Report)):
            return None
        classes = self.classes_of(subject)
        if isinstance(subject, NounPhrase) and subject.determiner == "every":
            return None
        if not set("pa") & set(classes):
            return self._copula_of(before)
        clause = self.clause(room, tense, actor=Actor(self.again(subject), classes))
        if isinstance(before, Active) and before.verb.base in sense.LOSSES and not isinstance(clause, Copula):
            return None
        if isinstance(before, Copula) and isinstance(clause, Copula):
            return clause if clause.adjective.dimension != before.adjective.dimension else None
        return clause

    def _contrast(self, before: Clause, room: int, tense: str) -> Clause | None:
        """… but the boy did not read it: the same verb of somebody else, affirmed or denied"""
        if type(before) is not Active or before.receiver or before.verb.kind == "neutral" or room < 5:
            return None
        thing = before.object
        if isinstance(thing, NounPhrase):
            if thing.determiner in ("every", "a") or before.verb.base in ("eat", "lose"):
                return None
            thing = self.again(thing)
        wanted = set(self.classes_of(before.object)) if before.object else set()
        frames = [
            (who, what)
            for who, what in before.verb.frames
            if set("pa") & set(who) and (not wanted or wanted & set(what))
        ]
        if not frames or before.subject is None or before.subject.agreement().person[0] != "3":
            return None
        somebody = self.phrase(self.pick(frames)[0], simple=True)
        clause = Active(subject=somebody, tense=tense, verb=before.verb, object=thing)
        clause.negative, clause.contracted = not before.negative, self.chance(0.5)
        return clause if self.clear(clause) else None

    def _copula_of(self, before: Clause) -> Clause | None:
        """… and it is new: another thing about what was described"""
        if not isinstance(before, Copula) or not isinstance(before.subject, NounPhrase):
            return None
        noun = before.subject
        found = [
            each
            for each in self.predicates(noun.noun.classes, noun)
            if each.dimension != before.adjective.dimension
        ]
        if not found:
            return None
        return Copula(subject=self.again(noun), tense=before.tense, adjective=self.pick(found))

    def _same_object(self, before: Clause, room: int, tense: str) -> Clause | None:
        """… and the boy found it"""
        if type(before) is not Active or before.negative or not isinstance(before.object, NounPhrase):
            return None
        thing = before.object
        if "p" in thing.noun.classes or thing.determiner == "every" or before.verb.kind != "trans":
            return None
        verbs = [verb for verb in self._done_next(before.verb, thing) if self.fits_tense(verb, tense)]
        if not verbs:
            return None
        subject = self.phrase("p") if self.chance(0.6) else self.person("3s 3p")
        clause = Active(subject=subject, tense=tense, verb=self.pick(verbs), object=self.again(thing))
        clause.negative, clause.contracted = self.chance(0.25), self.chance(0.5)
        self.fill(clause, room)
        return clause if self.clear(clause) else None

    def _done_next(self, verb: Verb, thing: NounPhrase) -> list[Verb]:
        """What somebody may do to a thing after this: what is lost can be found, what is eaten is gone."""
        if verb.base in ("eat", "cross"):
            return []
        return [
            each
            for each in self.verbs["trans"]
            if each is not verb
            and set(each.objects_of(ANYBODY)) & set(thing.noun.classes)
            and each.base not in ("cross", "eat")
            and (verb.base != "lose" or each.base == "find")
        ]

    # ---- the animal and the street ---------------------------------------------------------------------

    def crossing(self, room: int) -> tuple[Active, str, Copula]:
        """The animal didn't cross the street because it was too tired / too wide: il or elle."""
        animal, path = self.phrase("a", simple=True), self.phrase("h", simple=True)
        animal.plural = path.plural = False
        path.determiner = "the"
        verb = next(verb for verb in self.verbs["trans"] if verb.base == "cross")
        first = Active(subject=animal, tense="past", negative=True, verb=verb, object=path)
        blamed, words = self.pick(((animal, sense.STATES["cross", True]), (path, sense.CROSSING_PATH)))
        adjective = self.pick([a for a in self.adjectives if a.word in words])
        it = Pronoun("3s", blamed.noun.gender, thing=True)
        second = Copula(subject=it, tense="past", adjective=adjective, degree="too")
        avoid = frozenset({"width", "length", "danger", "energy", "health"})
        for least in (11, 12, 13):
            if room > least and self.chance(0.6):
                self._add_before(
                    self.pick([each for each in (animal, path) if not each.before] or [path]), avoid
                )
        self.first = False
        return first, "because", second


def _describes(clause: Clause) -> bool:
    """Whether it says how a thing is, not what happens or how somebody feels."""
    return isinstance(clause, Copula) and clause.adjective.dimension not in sense.PASSING


def _tone(clause: Clause) -> bool:
    """Whether it says something good or neutral; "but" stands between such a clause and another."""
    if isinstance(clause, Copula):
        dark = clause.degree == "too" or clause.adjective.word in sense.DARK
    else:
        dark = isinstance(clause, Active) and clause.verb.base in sense.LOSSES
    return dark == clause.negative
