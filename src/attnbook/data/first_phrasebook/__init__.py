"""The first edition's sentences, for the chapters whose stored runs were made with them (0, 3, 5, 8 and 10).

It goes when the last of these chapters speaks of :mod:`attnbook.data.phrasebook`.

>>> from attnbook.data import first_phrasebook
>>> pair = first_phrasebook.sample(1, seed=0, subset="small", length=(5, 8))[0]
>>> pair.src, pair.tgt, pair.alignment  # two lists of words, and (source, target, "S" or "P") triples

Words come ready split. English is split at spaces, so "didn't" is one word. French is split at spaces and
after an apostrophe, which stays with the first part: "t' aime", "l' accord", "qu' elle"; "aujourd'hui" is
one word. Sentences have no capital at the start and no full stop; names keep their capitals.

The grammar covers adjectives that change sides ("the European Economic Area", "la zone économique
européenne") and those that do not ("petit", "vieux"), clitics, ne … pas, du/au/l', elision, agreement of
articles, adjectives and participles, dates, and pronouns whose French gender hangs on what they stand for.
"I" and "you" are masculine, and "you" is "tu". Sure links ("S") join words that translate each other;
possible links ("P") join a helper that only one language has: the "is" of "is eating", the "a" of "a mangé".
"""

from __future__ import annotations

from functools import cache
from random import Random

from attnbook.data.first_phrasebook.french import (
    FUTURE_ENDINGS,
    IMPERFECT_BE,
    PRESENT,
    participle_forms,
)
from attnbook.data.first_phrasebook.grammar import Adjunct, Clause, NounPhrase, Pronoun, align
from attnbook.data.first_phrasebook.sampler import LEVELS, STATIVE, Sampler
from attnbook.data.pairs import PARTS, Pair, part_of

SUBSETS = tuple(LEVELS)
LONGEST = 60


def sample(
    n: int,
    seed: int = 0,
    subset: str = "small",
    length: tuple[int, int] = (5, 20),
    part: str | None = None,
) -> list[Pair]:
    """Draw ``n`` different sentence pairs, about equally many of each length.

    Parameters
    ----------
    n : int
        How many pairs.
    seed : int
        The same seed gives the same pairs, in the same order, on every machine.
    subset : "small", "medium" or "full"
        Which words and constructions.
    length : (int, int)
        Fewest and most English words in a sentence, from 2 to 60. Very short sentences are few; the other
        lengths then make up the number.
    part : "train", "validation", "test" or None
        Keep to one part (see :func:`part_of`); None draws from all.

    Returns
    -------
    list of Pair

    Raises
    ------
    ValueError
        If a parameter is out of range, or so few sentences of these lengths exist that ``n`` different ones
        were not found.
    """
    shortest, longest = _check(n, subset, length, part)
    random = Random(f"{subset} {seed}")
    sampler = Sampler(subset, random)
    lengths = range(shortest, longest + 1)
    wanted = {size: n // len(lengths) + (i < n % len(lengths)) for i, size in enumerate(lengths)}
    misses = dict.fromkeys(lengths, 0)
    open_lengths = [size for size in lengths if wanted[size]]
    exhausted: set[int] = set()
    found: dict[tuple[str, ...], Pair] = {}
    while open_lengths:
        aim = open_lengths[random.randrange(len(open_lengths))]
        english, french = sampler.sentence(aim)
        size = len(english)
        src, tgt, alignment = align(english, french)
        fresh = wanted.get(size, 0) > 0 and tuple(src) not in found
        if fresh and (part is None or part_of(src) == part):
            found[tuple(src)] = Pair(src, tgt, alignment)
            wanted[size] -= 1
            misses[aim] = 0
        else:
            misses[aim] += 1
        if wanted.get(size) == 0 and size in open_lengths:
            open_lengths.remove(size)
        if misses[aim] > 400 and aim in open_lengths:  # no new sentence of this length comes any more
            open_lengths.remove(aim)
            exhausted.add(aim)
            others = [size for size in reversed(lengths) if size not in exhausted]
            if not others:
                raise ValueError(
                    f"n: {n} different sentences of {shortest} to {longest} words were asked for in "
                    f"{subset!r}" + (f", part {part!r}" if part else "") + f", and {len(found)} were found; "
                    "ask for fewer or for longer ones"
                )
            for i in range(wanted[aim]):  # the other lengths share what is missing
                wanted[others[i % len(others)]] += 1
            wanted[aim] = 0
            open_lengths = [size for size in lengths if wanted[size]]
    pairs = list(found.values())
    random.shuffle(pairs)
    return pairs


def _check(n, subset, length, part) -> tuple[int, int]:
    if isinstance(n, bool) or not isinstance(n, int) or n < 0:
        raise ValueError(f"n: expected a whole number from 0 up, got {n!r}")
    if subset not in LEVELS:
        raise ValueError(f"subset: expected one of {', '.join(SUBSETS)}, got {subset!r}")
    if part is not None and part not in PARTS:
        raise ValueError(f"part: expected one of {', '.join(PARTS)}, or None, got {part!r}")
    try:
        shortest, longest = length
        good = 2 <= shortest <= longest <= LONGEST
    except (TypeError, ValueError):
        good = False
    if not good:
        raise ValueError(f"length: expected (fewest, most) words between 2 and {LONGEST}, got {length!r}")
    return shortest, longest


@cache
def vocabulary(subset: str = "full") -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Every English and every French word that the subset's grammar can say, each in alphabetical order."""
    if subset not in LEVELS:
        raise ValueError(f"subset: expected one of {', '.join(SUBSETS)}, got {subset!r}")
    sampler = Sampler(subset, Random(0))
    src, tgt = _closed_class(sampler)
    for noun in sampler.nouns:
        src |= {noun.singular, noun.plural}
        tgt |= {noun.french, noun.french_plural}
    for adjective in sampler.adjectives:
        src.add(adjective.word)
        tgt |= {*adjective.forms, adjective.before_vowel}
    for kind, verbs in sampler.verbs.items():
        for verb in verbs:
            s, t = _verb_words(kind, verb, sampler.level)
            src |= s
            tgt |= t
    return tuple(sorted(src - {None, ""})), tuple(sorted(tgt - {None, ""}))


# articles, pronouns, helpers and prepositions, by the level from which the grammar uses them
_CLOSED = {
    1: (
        """I you he she it we they me him her us them am is are was were not isn't aren't wasn't weren't
        don't doesn't didn't the a an my your of on by with too very yesterday today Area Economic
        European""",
        """je j' tu il elle nous ils elles me m' te t' se s' le la l' les ne n' pas de d' du des que qu'
        un une mon ma mes ton ta tes sur par avec trop très hier aujourd'hui en zone""",
    ),
    2: (
        "his our their this these will won't tomorrow that to at",
        "son sa ses notre nos leur leurs ce cet cette ces lui demain qui à au aux",
    ),
    3: ("some many every two three four", "beaucoup chaque deux trois quatre"),
}


def _closed_class(sampler: Sampler) -> tuple[set, set]:
    """The words of :data:`_CLOSED`, forms of avoir and être, prepositions, conjunctions and dates."""
    src: set = set()
    tgt = {*PRESENT["avoir"], *PRESENT["être"], *IMPERFECT_BE, "été"}
    for level, (english, french) in _CLOSED.items():
        if level <= sampler.level:
            src |= set(english.split())
            tgt |= set(french.split())
    for table in (sampler.months, sampler.weekdays):
        for _, english, french in table:
            src.add(english)
            tgt.add(french)
    for _, year in sampler.years:
        src.add(year)
        tgt.add(year)
    for table in (sampler.places, sampler.conjunctions):
        for _, english, french, *_ in table:
            src.add(english)
            tgt |= set(french)
    for _, english, french in sampler.adverbs:
        src.add(english)
        tgt.add(french)
    return src, tgt


def _verb_words(kind: str, verb, level: int) -> tuple[set, set]:
    """The forms of a verb that the grammar uses in this subset."""
    plain = {verb.base, verb.third}
    if kind in ("modal", "say"):
        return {*plain, verb.particle}, {*verb.present, verb.preposition}
    src = {*plain, verb.past, verb.particle}
    if verb.passive:
        src.add(verb.participle)
    if verb.base not in STATIVE:
        src.add(verb.ing)
    tgt = {*verb.present, verb.preposition}
    if level >= 2:
        tgt |= {verb.future + ending for ending in FUTURE_ENDINGS}
        if kind in ("trans", "intrans", "reflexive"):
            tgt.add(verb.infinitive)
    forms = participle_forms(verb.past_participle)
    moves = kind == "reflexive" or verb.auxiliary == "être" or (kind == "trans" and not verb.preposition)
    tgt |= set(forms) if moves else {forms[0]}
    return src, tgt


def examples() -> dict[str, Pair]:
    """The sentences that the book comes back to, said by the same grammar, with their gold alignments.

    Keys: "love" (I love you), "agreement" (the European Economic Area), "tired" and "wide" (the animal that
    didn't cross the street), "doing" (I am doing it).
    """
    sampler = Sampler("small", Random(0))
    noun = {noun.singular: noun for noun in sampler.nouns}
    adjective = {adjective.word: adjective for adjective in sampler.adjectives}
    verb = {verb.base: verb for verbs in sampler.verbs.values() for verb in verbs}
    agreement = NounPhrase(noun["agreement"], topic=sampler.area())
    date = Adjunct("time", ("in", "August", "1992"),
                   (("en", (0,), "S"), ("août", (1,), "S"), ("1992", (2,), "S")))  # fmt: skip
    because = ("because", ("parce", "que"))

    def crossing(referent: str, reason: str) -> list:
        it = Pronoun("3s", noun[referent].gender, thing=True)
        street = NounPhrase(noun["street"])
        first = Clause(NounPhrase(noun["animal"]), verb["cross"], "past", negative=True, object=street)
        return [first, because, Clause(it, None, "past", adjective=adjective[reason], degree="too")]

    me, you = Pronoun("1s"), Pronoun("2s")
    sentences = {
        "love": [Clause(me, verb["love"], object=you)],
        "doing": [Clause(me, verb["do"], "progressive", object=Pronoun("3s", thing=True))],
        "agreement": [Clause(agreement, verb["sign"], "past", passive=True, adjuncts=[date])],
        "tired": crossing("animal", "tired"),
        "wide": crossing("street", "wide"),
    }
    return {name: Pair(*align(*sampler.say(parts))) for name, parts in sentences.items()}
