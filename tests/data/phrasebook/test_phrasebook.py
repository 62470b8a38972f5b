"""The phrasebook's French, held to rules that these tests state for themselves, word by word."""

import subprocess
import sys
from collections import defaultdict

import pytest

from attnbook.data import phrasebook
from attnbook.data.phrasebook.lexicon import ADJECTIVES, NOUNS, VERBS

VOWELS = set("aàâeéèêiîoôuœ")
ASPIRATED = {"héros", "hibou", "hiboux", "haricot", "haricots"}
ELIDING = {"le", "la", "je", "me", "te", "se", "ne", "de", "que"}
ELIDED = {"l'", "j'", "m'", "t'", "s'", "n'", "d'", "qu'"}


@pytest.fixture(scope="module")
def pairs():
    """Sentences of all subsets and lengths."""
    return [
        pair
        for subset, n in (("small", 1500), ("medium", 1500), ("full", 3000))
        for pair in phrasebook.sample(n, 5, subset, (2, 60))
    ]


def elides_before(word):
    return word[0] in VOWELS or (word[0] == "h" and word not in ASPIRATED)


def following(pairs):
    """Each French word with the word after it."""
    for pair in pairs:
        yield from ((pair, i, word, pair.tgt[i + 1]) for i, word in enumerate(pair.tgt[:-1]))


def test_elision_is_made_before_every_vowel_and_never_elsewhere(pairs):
    elided = 0
    for pair, _, word, after in following(pairs):
        if word in ELIDING:
            assert not elides_before(after), (word, after, pair.tgt)
        if word in ELIDED and word != "s'":
            assert elides_before(after), (word, after, pair.tgt)
            elided += 1
        if word == "s'":  # se before a vowel, or si before il
            assert elides_before(after), (word, after, pair.tgt)
        if word == "si":
            assert after not in ("il", "ils"), pair.tgt
    assert elided > 1500
    assert not any(pair.tgt[-1] in ELIDED | {"le", "la", "de", "du", "ne"} for pair in pairs)


def test_before_h_aspire_nothing_elides(pairs):
    before = {word for _, _, word, after in following(pairs) if after in ASPIRATED}
    assert "le" in before
    assert not before & (ELIDED | {"cet", "bel", "vieil", "nouvel"})


def test_contractions_are_never_missed(pairs):
    contracted = 0
    for pair, i, word, after in following(pairs):
        if word in ("de", "à") and after in ("le", "les"):
            # only a clitic pronoun may stay: "essaie de le voir", before an infinitive
            assert pair.tgt[i + 2] in INFINITIVES, pair.tgt
        contracted += word in ("du", "des", "au", "aux")
    assert contracted > 500


INFINITIVES = {verb.infinitive for verb in VERBS}
GENDER = {}
for noun in NOUNS:
    GENDER[noun.french] = (noun.gender, "s")
    if noun.french_plural and noun.french_plural != noun.french:
        GENDER[noun.french_plural] = (noun.gender, "p")
for word in ("souris", "héros"):  # the same in both numbers
    del GENDER[word]
# "traverse" and the like are verbs only, but a few nouns look like other words: leave them out
for word in ("livre", "est", "a", "as", "loi"):
    GENDER.pop(word, None)
DETERMINERS = {
    "le": {("m", "s")}, "la": {("f", "s")}, "un": {("m", "s")}, "une": {("f", "s")}, "du": {("m", "s")},
    "au": {("m", "s")}, "les": {("m", "p"), ("f", "p")}, "aux": {("m", "p"), ("f", "p")},
    "ces": {("m", "p"), ("f", "p")}, "ce": {("m", "s")}, "cet": {("m", "s")}, "cette": {("f", "s")},
    "ma": {("f", "s")}, "ta": {("f", "s")}, "sa": {("f", "s")}, "mes": {("m", "p"), ("f", "p")},
    "chaque": {("m", "s"), ("f", "s")}, "deux": {("m", "p"), ("f", "p")}, "trois": {("m", "p"), ("f", "p")},
}  # fmt: skip


def test_determiner_right_before_a_noun_agrees_with_it(pairs):
    checked = 0
    for pair, i, word, after in following(pairs):
        if word in DETERMINERS and after in GENDER and not (i and pair.tgt[i - 1] == "de"):
            assert GENDER[after] in DETERMINERS[word], (word, after, pair.tgt)
            checked += 1
    assert checked > 4000


FORMS = defaultdict(set)  # French form → (gender, number) that it can have
for adjective in ADJECTIVES:
    cells = (("m", "s"), ("f", "s"), ("m", "p"), ("f", "p"))
    for form, cell in zip(adjective.forms, cells, strict=True):
        FORMS[form].add(cell)
    if adjective.before_vowel:
        FORMS[adjective.before_vowel].add(("m", "s"))
SPECIAL = {adjective.before_vowel: adjective.forms[0] for adjective in ADJECTIVES if adjective.before_vowel}
BEFORE = {form for adjective in ADJECTIVES if adjective.kind == "pre" for form in adjective.forms} | set(
    SPECIAL
)


def test_adjective_before_its_noun_agrees_and_has_its_vowel_form(pairs):
    checked = 0
    for pair, _, word, after in following(pairs):
        if word in BEFORE and after in GENDER:
            assert GENDER[after] in FORMS[word], (word, after, pair.tgt)
            checked += 1
        if word in SPECIAL:
            assert elides_before(after), pair.tgt
    for pair, _, word, after in following(pairs):
        if word in SPECIAL.values() and after in GENDER and GENDER[after] == ("m", "s"):
            assert not elides_before(after), (word, after, pair.tgt)
    assert checked > 1000


def test_adjective_after_its_noun_agrees(pairs):
    """A noun and the adjective right behind it, where the English adjective stood before its noun."""
    words = {adjective.word.lower() for adjective in ADJECTIVES if adjective.kind != "pre"}
    checked = 0
    for pair in pairs:
        source = {t: s for s, t, _ in sorted(pair.alignment)}
        for i, word in enumerate(pair.tgt[:-1]):
            after = pair.tgt[i + 1]
            s = source.get(i + 1)
            attribute = s is not None and pair.src[s].lower() in words and s < source.get(i, -1)
            if word in GENDER and attribute and after in FORMS:
                assert GENDER[word] in FORMS[after], (word, after, pair.tgt)
                checked += 1
    assert checked > 500


# participles by hand: gender and number of the form, for three verbs whose four forms all differ
PARTICIPLES = {
    stem + ending: cell
    for stem in ("signé", "écrit", "lu", "publié", "trouvé", "traduit")
    for ending, cell in (("", ("m", "s")), ("e", ("f", "s")), ("s", ("m", "p")), ("es", ("f", "p")))
}


def test_passive_participle_agrees_with_its_subject(pairs):
    """la lettre a été écrite: a clause that begins with determiner, noun, "a été" or "ont été"."""
    checked = 0
    for pair in pairs:
        for i in range(2, len(pair.tgt) - 2):
            determiner, noun, auxiliary, been, participle = pair.tgt[i - 2 : i + 3]
            first = i == 2 or pair.tgt[i - 3] in ("et", "mais", "quand", "si")  # where a clause begins
            passive = auxiliary in ("a", "ont") and been == "été" and participle in PARTICIPLES
            if first and passive and determiner in DETERMINERS and noun in GENDER:
                assert PARTICIPLES[participle] == GENDER[noun], pair.tgt
                checked += 1
    assert checked > 100


FEMININE = {"apple": "f", "law": "f", "letter": "f", "car": "f", "picture": "f"}
MASCULINE = {"book": "m", "report": "m", "agreement": "m", "cake": "m", "hat": "m", "bread": "m"}


def test_participle_agrees_with_the_pronoun_before_it():
    """the boy read the letter and the girl found it / … l' a trouvée: "it" is the one thing named before."""
    seen = defaultdict(int)
    genders = FEMININE | MASCULINE
    clitics = {("l'", "a"), ("l'", "ai"), ("l'", "as"), ("l'", "ont"), ("l'", "avons")}
    for pair in phrasebook.sample(8000, 9, "small", (9, 16)):
        things = [word for word in pair.src if word in genders]
        if len(things) != 1 or pair.src.count("it") != 1 or "pas" in pair.tgt:
            continue
        if {"too", "him", "her", "did", "do", "does", "doing"} & set(pair.src):  # what else "l'" can be
            continue
        for clitic, auxiliary, participle in zip(pair.tgt, pair.tgt[1:], pair.tgt[2:], strict=False):
            if (clitic, auxiliary) in clitics:
                assert participle.endswith("e") == (genders[things[0]] == "f"), pair
                seen[genders[things[0]]] += 1
    assert min(seen["f"], seen["m"]) >= 10, seen


def test_negation_has_both_halves(pairs):
    count = 0
    for pair in pairs:
        negations = sum(word.endswith("n't") or word == "not" for word in pair.src)
        assert sum(word in ("ne", "n'") for word in pair.tgt) == negations, pair
        assert pair.tgt.count("pas") == negations, pair
        count += negations
    assert count > 600


def test_alignment_is_in_range_and_leaves_no_content_word_out(pairs):
    function = {"the", "a", "an", "to", "on", "is", "am", "are", "will", "for", "do", "does"}
    for pair in pairs:
        assert all(
            0 <= s < len(pair.src) and 0 <= t < len(pair.tgt) and kind in ("S", "P")
            for s, t, kind in pair.alignment
        )
        sure = {s for s, _, kind in pair.alignment if kind == "S"}
        lost = {pair.src[s] for s in range(len(pair.src)) if s not in sure}
        assert lost <= function, (lost, pair)
        assert {t for _, t, _ in pair.alignment} == set(range(len(pair.tgt))), pair
        assert len({(s, t) for s, t, _ in pair.alignment}) == len(pair.alignment)


def test_nouns_and_their_translations_are_linked(pairs):
    verbs = {form for verb in VERBS for form in (verb.base, verb.third)}  # "answer" is both
    french = {noun.singular: noun.french for noun in NOUNS} | {
        noun.plural: noun.french_plural for noun in NOUNS if noun.plural
    }
    french = {word: translation for word, translation in french.items() if word not in verbs}
    checked = 0
    for pair in pairs:
        for s, word in enumerate(pair.src):
            if word in french:
                targets = {pair.tgt[t] for a, t, kind in pair.alignment if a == s and kind == "S"}
                assert targets == {french[word]}, (word, targets, pair)
                checked += 1
    assert checked > 10000


def test_the_books_sentences():
    examples = phrasebook.examples()
    said = {name: (" ".join(pair.src), " ".join(pair.tgt)) for name, pair in examples.items()}
    assert said["love"] == ("I love you", "je t' aime")
    assert said["doing"] == ("I am doing it", "je le fais")
    assert said["agreement"] == (
        "the agreement on the European Economic Area was signed in August 1992",
        "l' accord sur la zone économique européenne a été signé en août 1992",
    )
    crossing = "the animal didn't cross the street because it was too "
    french = "l' animal n' a pas traversé la rue parce qu' "
    assert said["tired"] == (crossing + "tired", french + "il était trop fatigué")
    assert said["wide"] == (crossing + "wide", french + "elle était trop large")
    assert examples["love"].alignment == {(0, 0, "S"), (1, 2, "S"), (2, 1, "S")}
    words = {(s, t) for s, t, _ in examples["agreement"].alignment}
    # European – européenne, Economic – économique, Area – zone cross
    assert {(4, 6), (5, 5), (6, 4)} <= words
    assert {(7, 7), (7, 8), (8, 9)} <= words


def test_the_reason_decides_the_pronoun():
    found = defaultdict(set)
    for pair in phrasebook.sample(4000, 3, "small", (11, 12)):
        if "cross" in pair.src and "because" in pair.src and "it" in pair.src and pair.src[-2] == "too":
            animal = next(word for word in pair.src if word in ("animal", "dog", "cat", "horse", "cow"))
            path = next(word for word in pair.src if word in ("street", "river", "bridge", "field"))
            blamed = animal if pair.src[-1] in ("tired", "sick") else path
            it = pair.tgt[pair.tgt.index("parce") + 2]
            feminine = {"cow", "street", "river"}
            assert it == ("elle" if blamed in feminine else "il"), pair
            found[it].add(blamed)
    assert {"cow", "street"} <= found["elle"]
    assert {"dog", "bridge"} <= found["il"]


def test_an_english_sentence_has_one_translation():
    seen = {}
    for seed in range(4):
        for subset in phrasebook.SUBSETS:
            for pair in phrasebook.sample(2000, seed, subset, (2, 9)):
                assert seen.setdefault(tuple(pair.src), pair.tgt) == pair.tgt


@pytest.mark.parametrize(("subset", "least"), [("small", 190), ("medium", 330), ("full", 400)])
def test_vocabulary_is_all_that_is_said_and_little_more(subset, least):
    src, tgt = phrasebook.vocabulary(subset)
    assert len(src) >= least
    assert len(tgt) >= least
    pairs = phrasebook.sample(8000, 1, subset, (2, 40))
    said = {word for pair in pairs for word in pair.src}, {word for pair in pairs for word in pair.tgt}
    assert said[0] <= set(src)
    assert said[1] <= set(tgt)
    assert len(said[0]) >= 0.98 * len(src)
    assert len(said[1]) >= 0.93 * len(tgt)
    assert list(src) == sorted(src)


def test_small_is_part_of_medium_is_part_of_full():
    for side in (0, 1):
        small, medium, full = (set(phrasebook.vocabulary(subset)[side]) for subset in phrasebook.SUBSETS)
        assert small < medium < full


def test_lengths_are_as_asked_and_even():
    pairs = phrasebook.sample(560, 0, "small", (5, 60))
    counts = defaultdict(int)
    for pair in pairs:
        counts[len(pair.src)] += 1
    assert counts == dict.fromkeys(range(5, 61), 10)


def test_short_sentences_run_out_and_longer_ones_make_up_the_number():
    pairs = phrasebook.sample(1000, 0, "small", (2, 4))
    assert len({tuple(pair.src) for pair in pairs}) == 1000
    assert sum(len(pair.src) == 2 for pair in pairs) < 200
    with pytest.raises(ValueError, match="different sentences of 2 to 2 words"):
        phrasebook.sample(1000, 0, "small", (2, 2))


def test_parts_never_share_a_sentence():
    parts = {
        part: {
            tuple(pair.src)
            for seed in (0, 1)
            for pair in phrasebook.sample(1200, seed, "small", (3, 8), part)
        }
        for part in phrasebook.PARTS
    }
    assert not parts["train"] & parts["test"]
    assert not parts["train"] & parts["validation"]
    assert not parts["validation"] & parts["test"]


def test_the_same_seed_says_the_same_and_another_seed_something_else():
    first = phrasebook.sample(50, 3, "full")
    assert phrasebook.sample(50, 3, "full") == first
    assert phrasebook.sample(50, 4, "full") != first


def test_hash_order_changes_nothing():
    code = (
        "from attnbook.data import phrasebook as p; from zlib import crc32;"
        "print(crc32(repr([(x.src, x.tgt, sorted(x.alignment)) for x in p.sample(200, 0, 'full', (2, 40))])"
        ".encode()), p.vocabulary('full')[1][:50])"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "n: expected a whole number"),
        ({"n": 1.5}, "n: expected a whole number"),
        ({"n": 1, "subset": "tiny"}, "subset: expected one of small, medium, full, got 'tiny'"),
        ({"n": 1, "length": (1, 5)}, r"length: expected \(fewest, most\)"),
        ({"n": 1, "length": (9, 5)}, r"length: expected \(fewest, most\)"),
        ({"n": 1, "length": (5, 61)}, r"length: expected \(fewest, most\)"),
        ({"n": 1, "length": 5}, r"length: expected \(fewest, most\)"),
        ({"n": 1, "part": "dev"}, "part: expected one of train, validation, test, or None, got 'dev'"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        phrasebook.sample(**arguments)
    if "subset" in arguments:
        with pytest.raises(ValueError, match="subset"):
            phrasebook.vocabulary("tiny")
