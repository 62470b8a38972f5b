"""The byte-pair tokenizer: round trips, merges counted by hand, one pattern in two languages."""

import json
import re
import shutil
import subprocess
from collections import Counter
from itertools import chain, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from attnbook.data.byte_pairs import PIECE, BytePairTokenizer, learn_merges, merge, pieces

TEXT = "low lower lowest, newer wider; the lower the newer. 1984 and 2024 été déjà\n\n" * 3
TOKENIZER = BytePairTokenizer.train(TEXT, 60)


@settings(deadline=None)
@given(st.text() | st.text("low ert\n\t1984é’"))
def test_round_trip_of_any_string(text):
    numbers = TOKENIZER.encode(text)
    assert TOKENIZER.decode(numbers) == text
    assert b"".join(pieces(text)) == text.encode()
    assert b"".join(TOKENIZER.tokens[number] for number in numbers) == text.encode()


@settings(deadline=None)
@given(st.text("abc \n", min_size=1), st.integers(0, 12))
def test_merges_are_the_most_frequent_pairs_counted_slowly(text, n_merges):
    words = [[bytes([byte]) for byte in piece] for piece in pieces(text)]
    tokenizer = BytePairTokenizer.train(text, n_merges)
    for left, right in tokenizer.merges:
        counts = Counter(pair for word in words for pair in pairwise(word))
        pair = tokenizer.tokens[left], tokenizer.tokens[right]
        assert counts[pair] == max(counts.values())
        for word in words:
            place = 0
            while place < len(word) - 1:
                if (word[place], word[place + 1]) == pair:
                    word[place : place + 2] = [pair[0] + pair[1]]
                place += 1
    assert [tokenizer.tokens[number] for number in tokenizer.encode(text)] == list(chain.from_iterable(words))


def test_by_hand():
    assert learn_merges("aaab aaab", 2) == [(97, 97), (97, 98)]
    assert merge((1, 1, 1), (1, 1), 9) == (9, 1)
    tokenizer = BytePairTokenizer([(97, 97), (256, 98)])
    assert tokenizer.encode("aaab") == [256, 97, 98]  # the earlier merge goes first
    assert tokenizer.tokens[257] == b"aab"
    assert len(tokenizer) == 258
    assert learn_merges("a b", 5) == [(32, 98)]  # nothing is left to merge
    assert pieces("It is 42, été!") == [b"It", b" is", b" 42", b",", " été".encode(), b"!"]


def test_equal_pairs_go_by_number():
    assert learn_merges("zy ab", 1) == [(32, 97)]


def test_half_a_character_is_shown_as_such():
    first, _ = BytePairTokenizer([]).encode("é")
    assert BytePairTokenizer([]).decode([first]) == "�"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs Node")
@settings(deadline=None, max_examples=5)
@given(st.lists(st.text() | st.text("ab 1,\n\t\r\x0b\x85\xa0é "), min_size=60, max_size=60))
def test_javascript_cuts_the_same(texts):
    program = (
        "const {pattern, texts} = JSON.parse(require('fs').readFileSync(0));"
        "const cut = (text) => Array.from(new TextEncoder().encode(text), (byte) =>"
        " String.fromCharCode(byte)).join('').match(new RegExp(pattern, 'g')) ?? [];"
        "console.log(JSON.stringify(texts.map(cut)));"
    )
    ran = subprocess.run(
        ["node", "-e", program],
        input=json.dumps({"pattern": PIECE, "texts": texts}),
        capture_output=True,
        text=True,
        check=True,
    )
    assert [[piece.decode("latin-1") for piece in pieces(text)] for text in texts] == json.loads(ran.stdout)


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda: TOKENIZER.encode(b"bytes"), TypeError, "text: expected a string"),
        (lambda: TOKENIZER.encode("\ud800"), ValueError, "text: character 0 is half a character"),
        (lambda: TOKENIZER.decode([400]), ValueError, "numbers: expected tokens from 0 to"),
        (lambda: TOKENIZER.decode([-1]), ValueError, "numbers: expected tokens from 0 to"),
        (lambda: BytePairTokenizer([(1, 256)]), ValueError, "merges: expected two tokens below 256"),
        (lambda: BytePairTokenizer([(1, 2), (1, 2)]), ValueError, "merges: expected each pair once"),
        (lambda: BytePairTokenizer.train("a", -1), ValueError, "n_merges"),
    ],
)
def test_bad_input_gets_one_sentence(call, error, sentence):
    with pytest.raises(error, match=re.escape(sentence)):
        call()
