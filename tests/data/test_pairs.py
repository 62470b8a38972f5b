"""Pairs from files: what they hold, and what is wrong with a file, by line. Real corpora where they are."""

from collections import Counter
from zipfile import ZipFile

import pytest

from attnbook.data.corpora import hansards, tatoeba
from attnbook.data.pairs import parse_pairs, part_of, read_pairs, split_words


def test_words_are_split_as_the_phrasebook_splits_them():
    assert split_words("I didn't go, Tom!") == ["i", "didn't", "go", ",", "tom", "!"]
    assert split_words("Je t’aime aujourd'hui\u202f!", "fr") == ["je", "t'", "aime", "aujourd'hui", "!"]
    assert split_words("L'accord a-t-il été signé ?", "fr") == [
        "l'",
        "accord",
        "a",
        "-t-il",
        "été",
        "signé",
        "?",
    ]
    assert split_words("Va-t'en, rendez-vous.", "fr") == ["va-t'", "en", ",", "rendez", "-vous", "."]
    assert split_words("l' accord sur la zone", "fr") == ["l'", "accord", "sur", "la", "zone"]
    with pytest.raises(ValueError, match="language: expected en or fr, got 'de'"):
        split_words("ja", "de")


def test_a_file_of_pairs(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_bytes("\ufeffGo.\tVa !\tCC-BY\n\nI love you\tje t' aime\n".encode())
    pairs = read_pairs(path)
    assert [(pair.src, pair.tgt, pair.alignment) for pair in pairs] == [
        (["go", "."], ["va", "!"], None),
        (["i", "love", "you"], ["je", "t'", "aime"], None),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"a\tb\nno tab here\n",
            r"pairs\.tsv, line 2: expected source TAB target, found no tab in 'no tab here'",
        ),
        (b"a\tb\n\t\tc\n", r"line 2: the source is empty"),
        (b"a\tb\nc\t \n", r"line 2: the target is empty"),
        (b"a\tb\nc\t\xff\n", r"line 2: not UTF-8"),
        (b"\n\n", r"expected lines of source TAB target, found none"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path, content, message):
    path = tmp_path / "pairs.tsv"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_pairs(path)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no such file"):
        read_pairs(tmp_path / "none.tsv")


def test_parts_are_about_nine_to_one():
    counts = Counter(part_of([f"word{i}", "here"]) for i in range(20_000))
    assert 0.88 < counts["train"] / 20_000 < 0.92
    assert 0.04 < counts["validation"] / 20_000 < 0.06
    assert 0.04 < counts["test"] / 20_000 < 0.06


def test_tatoeba_is_read_and_parted_by_source(tmp_path, monkeypatch):
    lines = [f"Sentence {i}.\tPhrase {i}{mark}" for i in range(300) for mark in (".", " !")]
    path = tmp_path / "fra.zip"
    with ZipFile(path, "w") as archive:
        archive.writestr("fra.txt", "\n".join(lines))
    monkeypatch.setattr(tatoeba, "fetch", lambda name: path)
    tatoeba._all.cache_clear()
    try:
        train, test = tatoeba.pairs("train"), tatoeba.pairs("test")
        assert len(tatoeba.pairs()) == 600
        assert not {tuple(pair.src) for pair in train} & {tuple(pair.src) for pair in test}
        assert all(pair.tgt[-1] == "." for pair in test)  # the first translation of each
        assert {pair.tgt[-1] for pair in train} == {".", "!"}
        assert tatoeba.pairs(length=(4, 9)) == []
        tatoeba._all.cache_clear()
        path.write_bytes(b"not a zip")
        with pytest.raises(ValueError, match=r"expected a zip file with fra\.txt"):
            tatoeba.pairs()
    finally:
        tatoeba._all.cache_clear()


def write(folder, en="the house\nyes\n", fr="la maison\noui\n", wa="1 1 1 S\n1 2 2 P\n2 1 1\n"):
    for ending, text in (("en", en), ("fr", fr), ("wa", wa)):
        (folder / f"test.{ending}").write_text(text, encoding="utf-8")


def test_gold_alignments_count_from_zero(tmp_path):
    write(tmp_path, wa="1 1 1 S\n1 1 1 P\n1 2 2 P\n\n2 1 1\n")
    pairs = hansards.read(tmp_path, "test")
    assert pairs[0].src == ["the", "house"]
    assert pairs[0].alignment == {(0, 0, "S"), (1, 1, "P")}  # sure wins over possible
    assert pairs[1].alignment == {(0, 0, "S")}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"wa": "1 1 1 S\n1 x 1 S\n"}, r"test\.wa, line 2: expected sentence en fr \[S\|P\]"),
        ({"wa": "1 1\n"}, r"test\.wa, line 1: expected sentence"),
        ({"wa": "1 1 1 Q\n"}, r"line 1: expected S or P, got 'Q'"),
        ({"wa": "1 3 1 S\n"}, r"line 1: '1 3 1 S' points outside"),
        ({"wa": "1 0 1 S\n"}, r"points outside"),
        ({"wa": "3 1 1 S\n"}, r"points outside"),
        ({"fr": "la maison\n"}, r"2 English and 1 French lines"),
    ],
)
def test_bad_alignments_are_named_with_their_line(tmp_path, files, message):
    write(tmp_path, **files)
    with pytest.raises(ValueError, match=message):
        hansards.read(tmp_path, "test")


def test_part_of_hansards_is_checked():
    with pytest.raises(ValueError, match="part: expected dev or test, got 'train'"):
        hansards.pairs("train")


@pytest.mark.realdata
def test_the_real_corpora(corpora):
    assert len(tatoeba.pairs()) == 142_787
    train = {tuple(pair.src) for pair in tatoeba.pairs("train")}
    test = tatoeba.pairs("test")
    assert len({tuple(pair.src) for pair in test}) == len(test) > 4000
    assert not train & {tuple(pair.src) for pair in test}
    dev, gold = hansards.pairs("dev"), hansards.pairs("test")
    assert (len(dev), len(gold)) == (37, 223)
    assert all(pair.alignment for pair in gold)
    first = gold[1]
    assert (first.src, first.tgt) == (["oh", ",", "oh", "!"], ["oh", ",", "oh", "!"])


def test_an_empty_text_has_no_pairs():
    with pytest.raises(ValueError, match="nothing: expected lines"):
        parse_pairs("", "nothing")
