"""Which words stood beside each other in training, and how long the sentences were.

A trained model answers any sentence, with or without sense, and looks no different when it does. What can be
asked before it answers is whether the sentence is like those that it was trained on: of a length that it
met, and made of neighbours that it met. Of a small grammar's sentences few pairs of words ever stand side by
side, so this says a lot; of a newspaper's it would say little.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from attnbook.data.vocabulary import BOS, EOS, Vocabulary


class WordPairs:
    """Pairs of neighbours, the beginning and the end of a sentence among them.

    Parameters
    ----------
    sentences : iterable of list of str
        Those of training.
    vocabulary : Vocabulary
        Words that it lacks are ``<unk>``.

    Attributes
    ----------
    shortest, longest : int
        Words of the shortest and of the longest sentence.

    Raises
    ------
    ValueError
        If there is no sentence.
    """

    def __init__(self, sentences: Iterable[Sequence[str]], vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self._seen: set[tuple[int, int]] = set()
        lengths: set[int] = set()
        for words in sentences:
            lengths.add(len(words))
            self._seen.update(self._numbers(words))
        if not lengths:
            raise ValueError("sentences: expected at least one, got none")
        self.shortest, self.longest = min(lengths), max(lengths)

    def __len__(self) -> int:
        return len(self._seen)

    def _numbers(self, words: Sequence[str]) -> list[tuple[int, int]]:
        return list(pairwise(self.vocabulary.encode(words, bos=True, eos=True)))

    def unseen(self, words: Sequence[str]) -> list[tuple[str, str]]:
        """The neighbours in these words that never stood side by side; ``<bos>`` and ``<eos>`` are the ends.

        A word that the vocabulary lacks is left to whoever names it: pairs with it are not listed.
        """
        around = [BOS, *words, EOS]
        return [
            (around[i], around[i + 1])
            for i, pair in enumerate(self._numbers(words))
            if pair not in self._seen and Vocabulary.unk not in pair
        ]

    def packed(self) -> dict[str, Any]:
        """What JSON can hold: lengths, and one bit a pair, row by row, the highest bit first."""
        n = len(self.vocabulary)
        bits = bytearray((n * n + 7) // 8)
        for first, second in self._seen:
            place = first * n + second
            bits[place // 8] |= 128 >> place % 8
        return {
            "shortest": self.shortest,
            "longest": self.longest,
            "pairs": base64.b64encode(bits).decode(),
        }

    @classmethod
    def unpacked(cls, packed: dict[str, Any], vocabulary: Vocabulary) -> WordPairs:
        """What :meth:`packed` made, for the same vocabulary."""
        made = cls.__new__(cls)
        made.vocabulary = vocabulary
        made.shortest, made.longest = packed["shortest"], packed["longest"]
        bits, n = base64.b64decode(packed["pairs"]), len(vocabulary)
        made._seen = {divmod(place, n) for place in range(n * n) if bits[place // 8] & 128 >> place % 8}
        return made
