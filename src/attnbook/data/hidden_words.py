"""Sentences with hidden words, for a model that has to name them.

Every sentence starts with <bos>; a hidden word is replaced by <mask>. Training hides words at random, and
anew each time a sentence comes by; a :class:`Probe` hides every word of a sentence once, one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from attnbook.arguments import whole_number
from attnbook.data.vocabulary import Vocabulary, pad

MASK = "<mask>"


@dataclass(frozen=True)
class HiddenBatch:
    """Padded sentences, some of whose words are hidden.

    Attributes
    ----------
    tokens : (batch, length) of int
        What the model sees.
    mask : (batch, length) of bool
        True for tokens, False for padding.
    hidden : (batch, length) of bool
        True where <mask> stands for a word.
    answers : (hidden words,) of int
        The words, in the order of ``tokens[hidden]``.
    """

    tokens: Tensor
    mask: Tensor
    hidden: Tensor
    answers: Tensor

    def to(self, device: torch.device | str) -> HiddenBatch:
        """The same batch on another device."""
        return HiddenBatch(*(part.to(device) for part in (self.tokens, self.mask, self.hidden, self.answers)))


class HiddenWords:
    """Batches without end, sentences of like length together; ``batches(step)`` gives the batch of any step.

    Parameters
    ----------
    sentences : sequence of list of str
    vocabulary : Vocabulary
        Holds "<mask>".
    batch_size : int
    share : float
        Of the words of a sentence, how many are hidden on average; at least one is.
    seed : int
        Batches depend on seed and step alone.

    Raises
    ------
    ValueError
        If there is no sentence, one without words, no "<mask>", or a number is out of range.
    """

    def __init__(
        self,
        sentences: Sequence[Sequence[str]],
        vocabulary: Vocabulary,
        batch_size: int = 64,
        share: float = 0.2,
        seed: int = 0,
    ) -> None:
        _check(sentences, vocabulary)
        whole_number("batch_size", batch_size)
        if not 0 < share < 1:
            raise ValueError(f"share: expected a number between 0 and 1, got {share}")
        self.vocabulary, self.batch_size, self.share, self.seed = vocabulary, batch_size, share, seed
        self.rows = [vocabulary.encode(sentence, bos=True) for sentence in sentences]
        by_length = sorted(range(len(self.rows)), key=lambda i: (len(self.rows[i]), i))
        self.groups = [by_length[i : i + batch_size] for i in range(0, len(by_length), batch_size)]

    def __call__(self, step: int) -> HiddenBatch:
        """The batch of this step, counted from 0."""
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + step)
        group = self.groups[int(torch.randint(len(self.groups), (1,), generator=generator))]
        words, mask = pad([self.rows[i] for i in group])  # (batch, length)
        draw = torch.rand(words.shape, generator=generator).masked_fill(~mask, 2.0)
        draw[:, 0] = 2.0  # <bos> stays
        hidden = (draw < self.share) | (draw == draw.amin(dim=1, keepdim=True))
        tokens = words.masked_fill(hidden, self.vocabulary.numbers[MASK])
        return HiddenBatch(tokens, mask, hidden, words[hidden])


@dataclass(frozen=True)
class Probe:
    """Sentences of one length, each as often as it has words, with another word hidden each time.

    Attributes
    ----------
    tokens : (rows, length) of int
        Rows of the first sentence first; length counts <bos>.
    place : (rows,) of int
        Where the hidden word stands, from 1 on: <bos> is at 0.
    answers : (rows,) of int
    sentence : (rows,) of int
        Index of the row's sentence in the list that :func:`probes` was given.
    """

    tokens: Tensor
    place: Tensor
    answers: Tensor
    sentence: Tensor

    def to(self, device: torch.device | str) -> Probe:
        """The same probe on another device."""
        return Probe(*(part.to(device) for part in (self.tokens, self.place, self.answers, self.sentence)))


def probes(sentences: Sequence[Sequence[str]], vocabulary: Vocabulary, hide: bool = True) -> list[Probe]:
    """Hide each word of each sentence once; one probe for each length that occurs, so nothing is padded.

    Words that the vocabulary lacks are not hidden, since they could not be named. With ``hide=False`` the
    rows are the same, and all words stay visible.

    Raises
    ------
    ValueError
        If there is no sentence, one without words, or no "<mask>".
    """
    _check(sentences, vocabulary)
    by_length: dict[int, list[int]] = {}
    for i, sentence in enumerate(sentences):
        by_length.setdefault(len(sentence), []).append(i)
    found = []
    for length, group in sorted(by_length.items()):
        words = torch.tensor([vocabulary.encode(sentences[i], bos=True) for i in group])
        row = torch.arange(len(group)).repeat_interleave(length)  # (rows,)
        place = torch.arange(1, length + 1).repeat(len(group))  # (rows,)
        known = words[row, place] != vocabulary.unk
        row, place = row[known], place[known]
        tokens, answers = words[row], words[row, place]
        if hide:
            tokens = tokens.scatter(1, place[:, None], vocabulary.numbers[MASK])
        found.append(Probe(tokens, place, answers, torch.tensor(group)[row]))
    return found


def _check(sentences: Sequence[Sequence[str]], vocabulary: Vocabulary) -> None:
    if MASK not in vocabulary:
        raise ValueError(f'vocabulary: expected one with {MASK!r}; build Vocabulary(["{MASK}", *words])')
    if not sentences:
        raise ValueError("sentences: expected at least one, got none")
    empty = next((i for i, sentence in enumerate(sentences) if not sentence), None)
    if empty is not None:
        raise ValueError(f"sentences: sentence {empty} has no words; leave it out")
