"""From words to numbers and back, and from sentences to padded batches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

PAD, BOS, EOS, UNK = "<pad>", "<bos>", "<eos>", "<unk>"
SPECIAL = (PAD, BOS, EOS, UNK)


class Vocabulary:
    """Words with their numbers. The first four are <pad> 0, <bos> 1, <eos> 2, <unk> 3.

    Parameters
    ----------
    words : iterable of str
        Each word once, in the order of their numbers (which start at 4).

    Raises
    ------
    ValueError
        If a word comes twice, or is one of the four special ones.
    """

    pad, bos, eos, unk = range(4)

    def __init__(self, words: Iterable[str]) -> None:
        self.words = [*SPECIAL, *words]
        self.numbers = {word: number for number, word in enumerate(self.words)}
        if len(self.numbers) != len(self.words):
            twice = next(word for word, count in Counter(self.words).items() if count > 1)
            raise ValueError(
                f"words: expected each word once and none of {', '.join(SPECIAL)}, got {twice!r} twice"
            )

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], most: int | None = None, at_least: int = 1) -> Vocabulary:
        """The words of these sentences, the most frequent first (equals in alphabetical order).

        Parameters
        ----------
        sentences : iterable of list of str
        most : int, optional
            Keep at most this many words; the others will be read as <unk>.
        at_least : int
            Leave out words that come less often.
        """
        counts = Counter(word for sentence in sentences for word in sentence)
        ranked = sorted(
            (word for word in counts if counts[word] >= at_least), key=lambda word: (-counts[word], word)
        )
        return cls(ranked[:most])

    def __len__(self) -> int:
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self.numbers

    def encode(self, sentence: Sequence[str], *, bos: bool = False, eos: bool = False) -> list[int]:
        """Numbers of the words, <unk> for strangers; with <bos> before and <eos> after if asked for."""
        if isinstance(sentence, str):
            raise TypeError(
                f"sentence: expected a list of words, got one string {sentence!r}; split it first"
            )
        numbers = [self.numbers.get(word, self.unk) for word in sentence]
        return [self.bos] * bos + numbers + [self.eos] * eos

    def decode(self, numbers: Iterable[int]) -> list[str]:
        """Words of the numbers up to the first <eos>; <pad> and <bos> are left out."""
        words = []
        for number in numbers:
            if int(number) == self.eos:
                break
            if int(number) not in (self.pad, self.bos):
                words.append(self.words[int(number)])
        return words


@dataclass(frozen=True)
class Batch:
    """Padded sentences.

    Attributes
    ----------
    src : (batch, src) of int
    tgt : (batch, tgt) of int
        <bos>, the words, <eos>: feed ``tgt[:, :-1]`` and predict ``tgt[:, 1:]``.
    src_mask, tgt_mask : of bool, the shapes of src and tgt
        True for real tokens.
    """

    src: Tensor
    tgt: Tensor
    src_mask: Tensor
    tgt_mask: Tensor

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on another device."""
        return Batch(*(part.to(device) for part in (self.src, self.tgt, self.src_mask, self.tgt_mask)))


def pad(rows: Sequence[Sequence[int]], value: int = Vocabulary.pad) -> tuple[Tensor, Tensor]:
    """Rows of different lengths as one (rows, longest) tensor, and a mask that is True for what is real."""
    if not rows:
        raise ValueError("rows: expected at least one row, got none")
    longest = max(len(row) for row in rows)
    tokens = torch.full((len(rows), longest), value, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.bool)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row, dtype=torch.long)
        mask[i, : len(row)] = True
    return tokens, mask


def collate(pairs: Sequence, src_vocabulary: Vocabulary, tgt_vocabulary: Vocabulary) -> Batch:
    """One batch of these pairs, in this order."""
    src, src_mask = pad([src_vocabulary.encode(pair.src) for pair in pairs])
    tgt, tgt_mask = pad([tgt_vocabulary.encode(pair.tgt, bos=True, eos=True) for pair in pairs])
    return Batch(src, tgt, src_mask, tgt_mask)


class Batches:
    """Length-bucketed batches without end: sentences of like length together, so that little is padding.

    ``batches(step)`` gives the batch of any step. It depends on ``seed`` and ``step`` alone, so a training
    run that was cut off goes on with the batches that it would have seen. Each pass over the pairs shuffles
    them, sorts each stretch of ``pool`` batches by length, and shuffles the batches.

    Parameters
    ----------
    pairs : sequence of Pair
    src_vocabulary, tgt_vocabulary : Vocabulary
    batch_size : int
    seed : int
    pool : int
        Batches that are sorted together; 1 gives batches of mixed lengths.
    """

    def __init__(
        self,
        pairs: Sequence,
        src_vocabulary: Vocabulary,
        tgt_vocabulary: Vocabulary,
        batch_size: int = 64,
        seed: int = 0,
        pool: int = 50,
    ) -> None:
        if not pairs:
            raise ValueError("pairs: expected at least one pair, got none")
        if batch_size < 1 or pool < 1:
            raise ValueError(f"batch_size, pool: expected at least 1 each, got {batch_size} and {pool}")
        self.src = [src_vocabulary.encode(pair.src) for pair in pairs]
        self.tgt = [tgt_vocabulary.encode(pair.tgt, bos=True, eos=True) for pair in pairs]
        for side, rows, shortest in (("source", self.src, 1), ("target", self.tgt, 3)):
            empty = next((i for i, row in enumerate(rows) if len(row) < shortest), None)
            if empty is not None:
                raise ValueError(f"pairs: the {side} of pair {empty} has no words; leave such pairs out")
        self.batch_size, self.seed, self.pool = batch_size, seed, pool
        self._epoch: tuple[int, list[list[int]]] = (-1, [])

    def __len__(self) -> int:
        """Batches in one pass over the pairs."""
        return -(-len(self.src) // self.batch_size)

    def _plan(self, epoch: int) -> list[list[int]]:
        if self._epoch[0] != epoch:
            generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
            order = torch.randperm(len(self.src), generator=generator).tolist()
            size = self.batch_size * self.pool
            batches = []
            for start in range(0, len(order), size):
                near = sorted(
                    order[start : start + size], key=lambda i: (len(self.tgt[i]), len(self.src[i]), i)
                )
                batches += [near[i : i + self.batch_size] for i in range(0, len(near), self.batch_size)]
            mixed = torch.randperm(len(batches), generator=generator).tolist()
            self._epoch = (epoch, [batches[i] for i in mixed])
        return self._epoch[1]

    def __call__(self, step: int) -> Batch:
        """The batch of this step, counted from 0."""
        rows = self._plan(step // len(self))[step % len(self)]
        src, src_mask = pad([self.src[i] for i in rows])
        tgt, tgt_mask = pad([self.tgt[i] for i in rows])
        return Batch(src, tgt, src_mask, tgt_mask)

    def __iter__(self) -> Iterator[Batch]:
        """One pass over the pairs."""
        return (self(step) for step in range(len(self)))
