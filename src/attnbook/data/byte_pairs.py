"""Byte-pair encoding: a tokenizer whose tokens are learned from a text, and which can write any text.

Gage 1994 (a compression method), Sennrich et al. 2016 (for translation), Radford et al. 2019 (over bytes,
as here). Text becomes its bytes in UTF-8, so nothing is unknown. Training merges the most frequent pair of
neighbouring tokens into a new token, again and again; encoding repeats the merges in the same order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from attnbook.arguments import whole_number

# A word, a number or punctuation, each with the space before it, or white space. It reads bytes as characters
# 0 to 255, so it means the same in JavaScript: new RegExp(PIECE, "g"). Bytes of 128 and more, of which
# accented letters are made, count as letters.
PIECE = r" ?[A-Za-z\x80-\xff]+| ?[0-9]+| ?[^ \t\r\nA-Za-z0-9\x80-\xff]+|[ \t\r\n]+"
N_BYTES = 256

Pair = tuple[int, int]


def pieces(text: str) -> list[bytes]:
    """The text cut into words with the space before them; no token reaches over a cut.

    Joined again they are the text in UTF-8.

    Raises
    ------
    TypeError, ValueError
        If text is no string, or holds half a character (a lone surrogate), which UTF-8 cannot write.
    """
    if not isinstance(text, str):
        raise TypeError(f"text: expected a string, got {type(text).__name__}")
    try:
        as_characters = text.encode("utf-8").decode("latin-1")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"text: character {error.start} is half a character (a lone surrogate); leave it out"
        ) from None
    return [piece.encode("latin-1") for piece in re.findall(PIECE, as_characters)]


def merge(tokens: Sequence[int], pair: Pair, new: int) -> tuple[int, ...]:
    """The tokens with every occurrence of the pair, from the left, replaced by the token ``new``."""
    merged: list[int] = []
    for token in tokens:
        if merged and (merged[-1], token) == pair:
            merged[-1] = new
        else:
            merged.append(token)
    return tuple(merged)


def learn_merges(text: str, n_merges: int) -> list[Pair]:
    """The ``n_merges`` pairs that were most frequent, each after the merges before it.

    Of equally frequent pairs the one with the smaller numbers comes first. The list is shorter if the text
    has nothing left to merge.
    """
    words = Counter(tuple(piece) for piece in pieces(text))  # tokens → how often
    merges: list[Pair] = []
    for new in range(N_BYTES, N_BYTES + n_merges):
        counts: Counter[Pair] = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                counts[pair] += times
        if not counts:
            break
        best = min(counts, key=lambda pair: (-counts[pair], pair))
        merges.append(best)
        words = Counter({merge(word, best, new): n for word, n in words.items()})
    return merges


class BytePairTokenizer:
    """From text to numbers and back.

    Tokens 0 to 255 are the bytes; token 256 + i is the i-th merge.

    Parameters
    ----------
    merges : iterable of (int, int)
        Which two tokens each further token joins.

    Attributes
    ----------
    merges : list of (int, int)
    tokens : list of bytes
        What each token stands for; a token may hold a part of a character.

    Raises
    ------
    ValueError
        If a merge is no pair of earlier tokens, or comes twice.
    """

    def __init__(self, merges: Iterable[Sequence[int]]) -> None:
        self.merges: list[Pair] = []
        self.tokens = [bytes([byte]) for byte in range(N_BYTES)]
        self._numbers: dict[Pair, int] = {}
        for place, merged in enumerate(merges):
            pair = tuple(merged)
            if len(pair) != 2 or not all(isinstance(t, int) and 0 <= t < len(self.tokens) for t in pair):
                raise ValueError(
                    f"merges: expected two tokens below {len(self.tokens)} at place {place}, got {merged}"
                )
            left, right = pair
            if (left, right) in self._numbers:
                raise ValueError(f"merges: expected each pair once, got {merged} twice")
            self._numbers[left, right] = len(self.tokens)
            self.merges.append((left, right))
            self.tokens.append(self.tokens[left] + self.tokens[right])
        self._encoded: dict[bytes, tuple[int, ...]] = {}

    @classmethod
    def train(cls, text: str, n_merges: int) -> BytePairTokenizer:
        """A tokenizer of the most frequent pairs of this text.

        Parameters
        ----------
        text : str
        n_merges : int
            How many tokens beside the 256 bytes; fewer if the text has nothing left to merge.
        """
        whole_number("n_merges", n_merges, 0)
        return cls(learn_merges(text, n_merges))

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> list[int]:
        """The numbers of the text's tokens.

        Raises
        ------
        TypeError, ValueError
            As :func:`pieces`.
        """
        numbers: list[int] = []
        for piece in pieces(text):
            if piece not in self._encoded:
                self._encoded[piece] = self._encode_piece(piece)
            numbers += self._encoded[piece]
        return numbers

    def _encode_piece(self, piece: bytes) -> tuple[int, ...]:
        tokens = tuple(piece)
        while True:
            known = [self._numbers[pair] for pair in pairwise(tokens) if pair in self._numbers]
            if not known:
                return tokens
            first = min(known)  # the merge that was learned first
            tokens = merge(tokens, self.merges[first - N_BYTES], first)

    def decode(self, numbers: Iterable[int]) -> str:
        """The text of the tokens; bytes that make no whole character are shown as �.

        Raises
        ------
        ValueError
            If a number is that of no token.
        """
        found = [int(number) for number in numbers]
        strange = next((number for number in found if not 0 <= number < len(self.tokens)), None)
        if strange is not None:
            raise ValueError(f"numbers: expected tokens from 0 to {len(self.tokens) - 1}, got {strange}")
        return b"".join(self.tokens[number] for number in found).decode("utf-8", errors="replace")
