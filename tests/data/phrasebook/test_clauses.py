"""Single clauses, in both languages and with their links."""

from random import Random

import pytest

from attnbook.data.phrasebook.alignment import align
from attnbook.data.phrasebook.clauses import Active, Copula, Passive, Report
from attnbook.data.phrasebook.phrases import NounPhrase, Pronoun
from attnbook.data.phrasebook.sampler import Sampler

WORDS = Sampler("full", Random(0))
NOUNS = {noun.singular: noun for noun in WORDS.nouns}
VERBS = {verb.base: verb for verbs in WORDS.verbs.values() for verb in verbs}
ADJECTIVES = {adjective.word: adjective for adjective in WORDS.adjectives}


def the(word, **options):
    return NounPhrase(NOUNS[word], **options)


def active(subject, verb, thing=None, tense="present", **options):
    return Active(subject=subject, verb=VERBS[verb], object=thing, tense=tense, **options)


YOU, SHE, THEY = Pronoun("2s"), Pronoun("3s", "f"), Pronoun("3p", "f")
PLAIN = {"negative": True, "contracted": False}
ECONOMIC = {"after": ADJECTIVES["European"], "relational": ADJECTIVES["economic"]}


@pytest.mark.parametrize(
    ("clause", "english", "french"),
    [
        (active(Pronoun("1s"), "sleep"), "I sleep", "je dors"),
        (active(Pronoun("1p"), "arrive", tense="past"), "we arrived", "nous sommes arrivés"),
        (
            active(YOU, "see", the("house"), question=True),
            "do you see the house",
            "est -ce que tu vois la maison",
        ),
        (
            active(SHE, "see", THEY, "past", question=True),
            "did she see them",
            "est -ce qu' elle les a vues",
        ),
        (
            active(the("girl"), "eat", the("apple"), **PLAIN),
            "the girl does not eat the apple",
            "la fille ne mange pas la pomme",
        ),
        (
            active(the("boy"), "buy", the("hat", determiner="a"), "past", **PLAIN),
            "the boy did not buy a hat",
            "le garçon n' a pas acheté de chapeau",
        ),
        (active(YOU, "rest", tense="future", **PLAIN), "you will not rest", "tu ne te reposeras pas"),
        (
            active(Pronoun("1s"), "sing", tense="progressive", negative=True),
            "I am not singing",
            "je ne chante pas",
        ),
        (
            active(the("doctor"), "sleep", tense="progressive", question=True),
            "is the doctor sleeping",
            "est -ce que le médecin dort",
        ),
        (
            Copula(subject=THEY, tense="past", adjective=ADJECTIVES["happy"], question=True),
            "were they happy",
            "est -ce qu' elles étaient heureuses",
        ),
        (
            Copula(subject=the("horse"), tense="present", adjective=ADJECTIVES["old"], degree="too", **PLAIN),
            "the horse is not too old",
            "le cheval n' est pas trop vieux",
        ),
        (
            Passive(subject=the("letter"), tense="past", verb=VERBS["sign"], question=True),
            "was the letter signed",
            "est -ce que la lettre a été signée",
        ),
        (
            active(the("Council", **ECONOMIC), "sign", the("law"), "past"),
            "the European Economic Council signed the law",
            "le conseil économique européen a signé la loi",
        ),
        (
            active(YOU, "love", the("Area", **ECONOMIC, before=ADJECTIVES["new"]), negative=True),
            "you don't love the new European Economic Area",
            "tu n' aimes pas la nouvelle zone économique européenne",
        ),
        (
            active(the("nurse"), "answer", THEY, "past", receiver=None),
            "the nurse answered them",
            "l' infirmière leur a répondu",
        ),
        (
            active(SHE, "wait", the("uncle"), question=True),
            "does she wait for the uncle",
            "est -ce qu' elle attend l' oncle",
        ),
        (
            active(SHE, "give", the("book"), "past", receiver=the("king")),
            "she gave the book to the king",
            "elle a donné le livre au roi",
        ),
        (
            Report(subject=SHE, tense="present", verb=VERBS["say"], complement=active(SHE, "sleep")),
            "she says that she sleeps",
            "elle dit qu' elle dort",
        ),
    ],
)
def test_a_clause_in_both_languages(clause, english, french):
    src, tgt, alignment = align(*clause.say())
    assert " ".join(src) == english
    assert " ".join(tgt) == french
    assert {t for _, t, _ in alignment} == set(range(len(tgt)))


def test_do_not_has_its_links():
    src, tgt, alignment = align(*active(the("girl"), "eat", the("apple"), **PLAIN).say())
    links = {(src[s], tgt[t], kind) for s, t, kind in alignment}
    assert links == {
        ("the", "la", "S"), ("girl", "fille", "S"), ("not", "ne", "S"), ("not", "pas", "S"),
        ("does", "mange", "P"), ("eat", "mange", "S"), ("apple", "pomme", "S"),
    }  # fmt: skip


def test_a_question_has_its_links():
    src, tgt, alignment = align(*active(YOU, "see", the("house"), "past", question=True).say())
    assert src == ["did", "you", "see", "the", "house"]
    assert tgt == ["est", "-ce", "que", "tu", "as", "vu", "la", "maison"]
    assert {
        (0, 0, "S"),
        (0, 1, "S"),
        (0, 2, "S"),
        (1, 3, "S"),
        (0, 4, "S"),
        (2, 4, "P"),
        (2, 5, "S"),
    } < alignment
    copula = Copula(subject=YOU, tense="present", adjective=ADJECTIVES["tired"], question=True)
    assert {(0, 0, "P"), (0, 4, "S")} < align(*copula.say())[2]  # "are" is "es"; "est-ce que" only asks


def test_a_gap_needs_the_noun_that_it_describes():
    with pytest.raises(ValueError, match="subject: a clause without a subject needs the head"):
        active(None, "sleep").say()
