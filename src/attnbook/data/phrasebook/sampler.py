"""Draw random sentences of a wanted length from the phrasebook's grammar.

A sentence keeps one time from its first clause to its last, "because" gives a reason for what was said, "when"
says a moment or a habit, and "but" stands between what contrasts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from attnbook.data.phrasebook import reasons
from attnbook.data.phrasebook.choices import Choices
from attnbook.data.phrasebook.clauses import Active, Clause, Copula, Modal, Passive, Report
from attnbook.data.phrasebook.french import English, French
from attnbook.data.phrasebook.lexicon import Adjective, Verb
from attnbook.data.phrasebook.phrases import Adjunct, NounPhrase, Pronoun, Words

# verbs of state, which English does not put in the progressive
STATIVE = {"love", "see", "hear", "want", "say", "think", "believe", "know", "admire", "forget"}
_MOMENTS = {"find", "lose", "fall", "accept"}  # "is finding it" is rare English
NEVER_PROGRESSIVE = STATIVE | _MOMENTS
_PUNCTUAL = {"arrive", "stop", "leave", "fall", "see", "find", "lose", "hear", "open"}  # "when he arrived"
_LASTING = {"love", "sleep", "work", "rest", "wait", "admire"}  # no "she loved him when he arrived"
_HABITS = {"sleep", "sing", "work", "laugh", "dance", "rest"}  # "when the children sleep"
_MEANWHILE = {*_HABITS, "read", "write", "eat", "watch", "listen", "clean", "paint", "help", "run", "swim"}
_NEVER_ANY = {"lose", "love", "forget", "sign", "admire"}  # no "does not lose a book"
_STATES = {"energy", "health", "mood", "strength", "fear"}  # dimensions of what passes
_CROSSING_STATE = ("tired", "sick", "weak", "afraid")  # said of the one that crosses
_CROSSING_PATH = ("wide", "long", "narrow", "dangerous", "slippery")  # said of what is crossed
_UNGRADED = {"colour", "origin"}  # no "very red"
_TOO_MUCH = {"size", "age", "width", "length", "weight", "ease", "warmth", "energy", "health", "strength"}  # too …
_DARK = {"old", "small", "tired", "sick", "sad", "weak", "bad", "difficult", "dangerous", "afraid", "heavy",
         "narrow", "slippery", "empty", "dry", "cold"}  # fmt: skip
_LOSSES = {"lose", "fall", "worry", "hide"}
ANYBODY = "pq"  # the noun classes of I, you, he, she, we, they
_IT = Pronoun("3s", "m", thing=True)  # "it" that stands for no noun: I am doing it / je le fais


@dataclass(frozen=True)
class Actor:
    """Who does something, and the noun classes that this one has."""

    phrase: NounPhrase | Pronoun
    classes: str


Part = Clause | str  # a clause, or the conjunction before one


class Sampler(Choices):
    """Sentences of one subset.

    Parameters
    ----------
    subset : str
        "small", "medium" or "full".
    random : random.Random
        Where every choice comes from.
    """

    def __init__(self, subset: str, random: Random) -> None:
        super().__init__(subset, random)
        self._timed = False  # whether the sentence says when: once is enough
        self._first = True  # whether "they" and "them" may stand for nobody in particular

    # ---- sentences -------------------------------------------------------------------------------------

    def sentence(self, length: int) -> Words:
        """English and French words of a sentence of about ``length`` English words."""
        self.used.clear()
        self._timed, self._first = False, True
        if 3 <= length <= 14 and self.chance(0.2):
            return self.say([self._question(length)])
        parts: list[Part]
        if length >= 11 and self.chance(0.1):
            tense, parts = "past", list(self.crossing(min(length, 14)))
        elif self.level == 3 and length >= 5 and self.chance(0.07):
            tense, parts = "future", self._condition()
        else:
            tense = self._tense()
            parts = self._group(length, tense)
        size = len(self.say(parts)[0])
        while size + 3 <= length:
            parts += self._continued(parts, length - size - 1, tense)
            size = len(self.say(parts)[0])
        return self.say(parts)

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

    def _question(self, length: int) -> Clause:
        """do you see the cat, was the letter signed in May"""
        return self.clause(length, self._tense(), question=True)

    def _condition(self) -> list[Part]:
        """if he arrives … she will …: the condition in the present, the consequence in the future"""
        first = self._intransitive("intrans", "present", 4, None)
        first.negative = self.chance(0.2)
        return ["if", first, self._later(lambda: self.clause(6, "future"))]

    def _later(self, make: Callable[[], Clause]) -> Clause:
        """Make a clause that is not the first: "they" and "them" must stand for something there."""
        self._first = False
        return make()

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
        self._first = False
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
        self._first = False
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
        words = reasons.STATES.get((main.verb.base, main.negative), ())
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
        words = reasons.PROPERTIES.get((main.verb.base, main.negative), ())
        return self._said_of(main.object, words, main, too=main.negative)

    def _said_of(
        self, phrase: NounPhrase | Pronoun, words: tuple[str, ...], main: Clause, too: bool
    ) -> Clause | None:
        """it is too long: one of these words of what the phrase stands for"""
        classes = ANYBODY if isinstance(phrase, Pronoun) else phrase.noun.classes
        found = [each for each in self.predicates(classes, phrase) if each.word in words]
        if not found or isinstance(phrase, Pronoun) and phrase.thing:
            return None
        degree = None if self.chance(0.4) else "too" if too else "very"
        if too and not isinstance(phrase, Pronoun) and not set("pa") & set(classes):
            degree = "too"  # "did not buy it because it is big" leaves the reader to guess
        tense = "past" if main.tense == "past" else "present"
        return Copula(subject=self.again(phrase), tense=tense, adjective=self.pick(found), degree=degree)

    def _event(self, main: Clause, room: int, tense: str) -> Clause | None:
        """The girl is happy because her friend arrived."""
        if not isinstance(main, Copula) or main.negative or main.subject is None or room < 3:
            return None
        own = self.chance(0.4)
        events = (reasons.OWN_EVENTS if own else reasons.EVENTS).get(main.adjective.word, ())
        known = {verb.base: verb for kind in ("intrans", "trans", "reflexive") for verb in self.verbs[kind]}
        classes = ANYBODY if isinstance(main.subject, Pronoun) else main.subject.noun.classes
        events = [
            (known[base], negative)
            for base, negative in events
            if base in known and _can(known[base], classes if own else "p") and self._fits_tense(known[base], tense)
        ]
        if not events:
            return None
        verb, negative = self.pick(events)
        if own:
            actor = Actor(self.again(main.subject), classes)
        else:
            actor = Actor(self.phrase("p"), "p")
        clause = self._active(verb, tense, actor, negative=negative)
        self._fill(clause, room - 1)
        return clause if self._clear(clause) else None

    def _when(self, main: Clause, room: int, tense: str) -> list[Part]:
        """The man stopped when the dog arrived; the girl sings when she is happy."""
        if tense == "past" and room >= 3 and self._is_moment(main):
            verbs = [v for kind in ("intrans", "reflexive", "trans") for v in self.verbs[kind]]
            verbs = [verb for verb in verbs if verb.base in _PUNCTUAL and _can(verb, "pa")]
            verb = self.pick(verbs)
            if isinstance(main, Active) and verb is main.verb:
                return []
            clause = self._active(verb, tense, Actor(*self._somebody("p" if _can(verb, "p") else "a")))
            self._fill(clause, room - 1)
            return ["when", clause] if self._clear(clause) else []
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
        verbs = [v for v in [*self.verbs["intrans"], *self.verbs["reflexive"]] if v.base in _HABITS]
        if main.verb in verbs or main.negative or room < 3 or main.verb.base not in _MEANWHILE:
            return []
        clause = self._active(self.pick(verbs), "present", Actor(*self._somebody("p")))
        self._fill(clause, room - 1)
        return ["when", clause] if self._clear(clause) else []

    def _while(self, main: Clause, room: int, tense: str) -> list[Part]:
        """The boy is sleeping while the girl is singing."""
        if tense != "progressive" or type(main) is not Active or main.negative or room < 4:
            return []
        if main.verb.base not in _MEANWHILE:
            return []
        verbs = [v for v in [*self.verbs["intrans"], *self.verbs["reflexive"]] if v.base in _HABITS]
        verb = self.pick(verbs)
        if verb is main.verb:
            return []
        clause = self._active(verb, tense, Actor(*self._somebody("p")))
        self._fill(clause, room - 1)
        return ["while", clause]

    @staticmethod
    def _is_moment(main: Clause) -> bool:
        """Whether "when he arrived" may follow."""
        if main.adjuncts and main.adjuncts[-1].kind == "time":
            return False
        if isinstance(main, Copula):
            return main.adjective.dimension in _STATES
        return type(main) is Active and not main.negative and main.verb.base not in _LASTING

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
        if isinstance(subject, Pronoun):
            return None if subject.thing else self.clause(room, tense, actor=Actor(subject, ANYBODY))
        classes = subject.noun.classes
        if not set("pa") & set(classes) or subject.determiner == "every":
            if not isinstance(before, Copula):
                return None
            return self._copula_of(Actor(self.again(subject), classes), before, tense)
        clause = self.clause(room, tense, actor=Actor(self.again(subject), classes))
        if isinstance(before, Active) and before.verb.base in _LOSSES and not isinstance(clause, Copula):
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
        frames = [each for each in before.verb.frames if set("pa") & set(each[0])]
        if not frames or before.subject is None or before.subject.agreement().person[0] != "3":
            return None
        somebody = self.phrase(self.pick(frames)[0], simple=True)
        clause = Active(subject=somebody, tense=tense, verb=before.verb, object=thing)
        clause.negative, clause.contracted = not before.negative, self.chance(0.5)
        return clause if self._clear(clause) else None

    def _copula_of(self, actor: Actor, before: Copula, tense: str) -> Clause | None:
        """… and it is new"""
        noun = before.subject
        assert isinstance(noun, NounPhrase)
        found = [
            each
            for each in self.predicates(actor.classes, noun)
            if each.dimension != before.adjective.dimension
        ]
        if not found:
            return None
        return Copula(subject=actor.phrase, tense=before.tense, adjective=self.pick(found))

    def _same_object(self, before: Clause, room: int, tense: str) -> Clause | None:
        """… and the boy found it"""
        if type(before) is not Active or not isinstance(before.object, NounPhrase):
            return None
        thing = before.object
        if "p" in thing.noun.classes or thing.determiner == "every" or before.verb.kind != "trans":
            return None
        if before.negative and thing.determiner == "a":  # "did not buy a hat and …": which one?
            return None
        verbs = [
            verb
            for verb in self.verbs["trans"]
            if verb is not before.verb
            and set(verb.objects_of("p")) & set(thing.noun.classes)
            and verb.base not in ("cross", "eat")
            and before.verb.base not in ("eat", "lose")
            and self._fits_tense(verb, tense)
        ]
        if before.verb.base == "lose":
            verbs = [verb for verb in self.verbs["trans"] if verb.base == "find" and self._fits_tense(verb, tense)]
        if not verbs:
            return None
        verb = self.pick(verbs)
        subject = self.phrase("p") if self.chance(0.6) else self.person("3s 3p")
        clause = self._active(verb, tense, Actor(subject, ANYBODY), negative=self.chance(0.25))
        clause.object = self.again(thing)
        self._fill(clause, room)
        return clause if self._clear(clause) else None

    # ---- the animal and the street ---------------------------------------------------------------------

    def crossing(self, room: int) -> tuple[Active, str, Copula]:
        """The animal didn't cross the street because it was too tired / too wide: il or elle."""
        animal, path = self.phrase("a", simple=True), self.phrase("h", simple=True)
        animal.plural = path.plural = False
        path.determiner = "the"
        verb = next(verb for verb in self.verbs["trans"] if verb.base == "cross")
        first = Active(subject=animal, tense="past", negative=True, verb=verb, object=path)
        blamed, words = self.pick(((animal, _CROSSING_STATE), (path, _CROSSING_PATH)))
        adjective = self.pick([a for a in self.adjectives if a.word in words])
        it = Pronoun("3s", blamed.noun.gender, thing=True)
        second = Copula(subject=it, tense="past", adjective=adjective, degree="too")
        avoid = frozenset({"width", "length", "danger", "energy", "health"})
        for least in (11, 12, 13):
            if room > least and self.chance(0.6):
                self._add_before(self.pick([each for each in (animal, path) if not each.before] or [path]), avoid)
        self._first = False
        return first, "because", second

    # ---- clauses ---------------------------------------------------------------------------------------

    def clause(
        self, room: int, tense: str, *, actor: Actor | None = None, question: bool = False
    ) -> Clause:
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
            if clause is not None and self._clear(clause):
                break
            self.used = before
        if not isinstance(clause, Report):
            self._fill(clause, room)
        return clause

    def later_clause(self, room: int, tense: str) -> Clause:
        """A clause for behind "and": no "they" or "them" in it, which would ask for somebody."""
        return self._later(lambda: self.clause(room, tense))

    def _core(self, room: int, tense: str, actor: Actor | None, question: bool) -> Clause | None:
        kinds = ["intrans"]
        if room >= 3:
            kinds += ["intrans", "copula", "clitic", "clitic"] + ["neutral"] * (self._first and room < 8)
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
        moment = isinstance(clause, Active) and clause.verb.base in _MOMENTS
        if moment and tense == "present" and not question and self.chance(0.7):  # "she loses a book": rare
            return None
        if question and clause.subject is not None and clause.subject.agreement().person[0] == "1":
            return None  # "do I see the cat" is no question to anybody
        self._negate(clause, room)
        if question and isinstance(clause.subject, NounPhrase) and clause.subject.determiner == "a":
            clause.subject.determiner = "the"
        every = isinstance(clause.subject, NounPhrase) and clause.subject.determiner == "every"
        return None if every and (clause.negative or question) else clause

    def _made(self, kind: str, tense: str, room: int, actor: Actor | None) -> Clause | None:
        if kind == "intrans":
            return self._intransitive(self.pick(("intrans", "intrans", "reflexive")), tense, room, actor)
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
            vague = ("some", "many", "every", "two", "three", "four", *["a"] * (clause.verb.base in _NEVER_ANY))
            if clause.object.determiner in vague:
                clause.object.determiner = "the"

    @staticmethod
    def _clear(clause: Clause) -> bool:
        """Whether English shows the tense: not "I read", which is present or past."""
        if not isinstance(clause, Active) or isinstance(clause, Modal) or clause.subject is None:
            return True
        third = clause.subject.agreement().person == "3s"
        helped = clause.negative or clause.question or clause.tense in ("progressive", "future")
        return helped or third or clause.verb.base != clause.verb.past

    def _fits_tense(self, verb: Verb, tense: str) -> bool:
        return tense != "progressive" or verb.base not in NEVER_PROGRESSIVE

    def _somebody(self, classes: str, pronoun: float = 0.35) -> tuple[NounPhrase | Pronoun, str]:
        """A subject of one of these classes and the classes that it has; people are often a pronoun."""
        if set(ANYBODY) & set(classes) and self.chance(pronoun):
            return self.person("" if self._first else "3s 3p"), ANYBODY
        phrase = self.phrase(classes)
        return phrase, phrase.noun.classes

    def _active(
        self, verb: Verb, tense: str, actor: Actor, negative: bool = False
    ) -> Active:
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
            if self._fits_tense(verb, tense) and (actor is None or _can(verb, actor.classes))
        ]
        return self.pick(verbs) if verbs else None

    def _acting(self, verb: Verb, room: int, actor: Actor | None) -> Actor:
        """The actor, or somebody who does such things."""
        if actor is not None:
            return actor
        subjects = self.pick(verb.frames)[0]
        return Actor(*self._somebody(subjects, 1.0 if room <= 2 else 0.6 if room <= 4 else 0.3))

    def _intransitive(self, kind: str, tense: str, room: int, actor: Actor | None) -> Clause | None:
        verb = self._verb(kind, tense, actor)
        if verb is None:
            return None
        return self._active(verb, tense, self._acting(verb, room, actor))

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
            person = self.other_person(actor.phrase, "" if self._first else "3p")
            return Active(subject=actor.phrase, tense=tense, verb=verb, object=person)
        clause = self._active(verb, tense, actor)
        if kind == "give":
            person = self.other_person(actor.phrase, "3p")
            clause.receiver = person if room < 8 or self.chance(0.4) else self.phrase("p")
        return clause

    def _copula(self, tense: str, room: int, actor: Actor | None) -> Clause | None:
        if tense == "future":
            return None
        if actor is None:
            letter = self.pick([each for each in "pppatcvukfdlhi" if any(each in n.classes for n in self.nouns)])
            if letter == "p" and self.chance(0.4 if room > 3 else 0.9):
                actor = Actor(self.person("" if self._first else "3s 3p"), ANYBODY)
            else:
                phrase = self.phrase(letter, simple=True)
                actor = Actor(phrase, phrase.noun.classes)
        found = self.predicates(actor.classes, actor.phrase)
        if isinstance(actor.phrase, Pronoun):  # what one says of "it" and "they" passes: they are named already
            found = [each for each in found if each.dimension in _STATES]
        if not found:
            return None
        passing = [each for each in found if each.dimension in _STATES]
        adjective = self.pick(passing if passing and self.chance(0.5) else found)
        return Copula(subject=actor.phrase, tense="past" if tense == "past" else "present", adjective=adjective)

    def _passive(self, tense: str, actor: Actor | None) -> Clause | None:
        if tense != "past" or actor is not None:
            return None
        verb = self.pick([verb for verb in self.verbs["trans"] if verb.passive])
        return Passive(subject=self.phrase(self.pick(verb.frames)[1]), tense="past", verb=verb)

    def _modal(self, room: int, actor: Actor | None) -> Clause | None:
        modal = self.pick(self.verbs["modal"])
        kind = self.pick(("trans", "trans", "intrans", "reflexive"))
        verb = self._verb(kind, "progressive", actor)
        if verb is None or (actor is not None and not _can(modal, actor.classes)):
            return None
        actor = self._acting(verb, room, actor)
        classes = verb.objects_of(actor.classes)
        if not _can(modal, actor.classes):
            return None
        thing = self.phrase(classes, simple=True) if classes else None
        return Modal(subject=actor.phrase, tense="present", modal=modal, verb=verb, object=thing)

    def _report(self, room: int, actor: Actor | None) -> Clause | None:
        verb = self.pick(self.verbs["say"])
        if actor is not None and not _can(verb, actor.classes):
            return None
        actor = self._acting(verb, room, actor)
        clause = Active(subject=actor.phrase, tense="present", verb=verb)
        size = len(clause.say()[0]) + 1
        if room - size < 2:
            return None
        first, self._first = self._first, False
        told = self.clause(room - size, self.pick(("present", "past")))
        self._first = first
        return Report(subject=actor.phrase, tense="present", verb=verb, complement=told)

    # ---- what more there is to say ---------------------------------------------------------------------

    def _fill(self, clause: Clause, room: int) -> None:
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
        verbs = [verb for verb in self.verbs["trans"] if _can(verb, letter) and verb.base != verb.past]
        verb = self.pick(verbs)
        thing = self.phrase(verb.objects_of(letter), simple=True)
        return Active(subject=None, tense="past", verb=verb, object=thing)

    def _add_place(self, clause: Active, room: int) -> int:
        if room < 3 or {adjunct.kind for adjunct in clause.adjuncts} & {"place", "with", "time"}:
            return 0
        subject = clause.subject
        animal = isinstance(subject, NounPhrase) and "a" in subject.noun.classes
        if isinstance(subject, NounPhrase) and subject.name or clause.negative and clause.verb.base in _MOMENTS:
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
        return 3

    def _add_with(self, clause: Active, room: int) -> int:
        said = {adjunct.kind for adjunct in clause.adjuncts}
        if room < 3 or "w" not in clause.verb.adjuncts or said & {"with", "time"}:
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
        if clause.degree is not None or clause.adjective.dimension in _UNGRADED:
            return 0
        clause.degree = self.pick(("too", "very") if clause.adjective.dimension in _TOO_MUCH else ("very",))
        return 1

    def _add_adverb(self, clause: Active) -> int:
        timed = any(adjunct.kind == "time" for adjunct in clause.adjuncts)
        if not self.adverbs or clause.adverb or clause.negative or clause.question or timed:
            return 0
        if clause.tense != "present" or isinstance(clause, Modal) or clause.verb.base in _MOMENTS:
            return 0
        clause.adverb = self.pick(self.adverbs)
        return 1

    def _add_time(self, clause: Clause, room: int) -> int:
        """yesterday, in August, in August 1992; tomorrow; today: once in a sentence"""
        if self._timed or (isinstance(clause, Active) and clause.adverb):
            return 0
        if isinstance(clause, Copula) and clause.adjective.dimension not in _STATES:
            return 0
        adjunct = self._time(clause.tense, room)
        if adjunct is None:
            return 0
        self._timed = True
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


def _can(verb: Verb, classes: str) -> bool:
    """Whether somebody of these classes does such a thing."""
    return any(set(subjects) & set(classes) for subjects, _ in verb.frames)


def _phrases(clause: Clause) -> list[NounPhrase]:
    """The noun phrases of a clause."""
    found: list[NounPhrase | Pronoun | None] = [clause.subject]
    if isinstance(clause, Active):
        found += [clause.object, clause.receiver]
    found += [adjunct.phrase for adjunct in clause.adjuncts]
    return [phrase for phrase in found if isinstance(phrase, NounPhrase)]


def _describes(clause: Clause) -> bool:
    """Whether it says how a thing is, not what happens or how somebody feels."""
    return isinstance(clause, Copula) and clause.adjective.dimension not in _STATES


def _tone(clause: Clause) -> bool:
    """Whether it says something good or neutral: between a clause that does and one that does not stands "but"."""
    dark = isinstance(clause, Copula) and _is_dark(clause.adjective, clause.degree)
    dark = dark or (isinstance(clause, Active) and clause.verb.base in _LOSSES)
    return dark == clause.negative


def _is_dark(adjective: Adjective, degree: str | None) -> bool:
    return degree == "too" or adjective.word in _DARK
