"""Short product reviews made from templates, in which one or two words decide the label.

Every review holds one verdict among sentences that say nothing of it. The verdict is one word
("superb", "dreadful") or two words that decide together ("fell apart", "stood out"); each half of
a pair also stands in neutral sentences, so that neither half alone gives the label away. Which
neutral sentences surround a verdict does not depend on the label.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

PADDING = "<pad>"
UNKNOWN = "<unk>"

THINGS = ("radio", "kettle", "lamp", "phone", "camera", "speaker", "printer", "clock", "keyboard", "fan")
PEOPLE = ("brother", "sister", "aunt", "neighbour", "father", "friend")
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
COLOURS = ("black", "white", "green", "silver", "blue")
PLACES = ("kitchen", "office", "bedroom", "garage", "hall")

GOOD = ("superb", "excellent", "delightful", "flawless", "wonderful", "brilliant")
BAD = ("dreadful", "awful", "useless", "faulty", "terrible", "hopeless")

ONE_WORD = (
    "the {thing} is {verdict}",
    "what a {verdict} {thing}",
    "my {person} calls it {verdict}",
    "it is {verdict} for the {place}",
    "in the {place} it was {verdict}",
)
NEGATED = (
    "the {thing} is not {verdict}",
    "it is not {verdict} for the {place}",
    "in the {place} it was not {verdict}",
)
# (words, label): the two words that decide stand next to each other inside the sentence.
TWO_WORDS = (
    ("the {thing} fell apart on {day}", ("fell", "apart"), 0),
    ("it fell apart in the {place}", ("fell", "apart"), 0),
    ("the {thing} stood out in the {place}", ("stood", "out"), 1),
    ("on {day} it stood out", ("stood", "out"), 1),
)
NEUTRAL = (
    "the box came on a {day}",
    "i ordered the {colour} one for my {person}",
    "apart from the cable it holds one part",
    "the price fell on {day}",
    "it stood on a shelf in the {place}",
    "i took it out of the box on {day}",
    "my {person} has the same {thing}",
    "it weighs as much as a {thing}",
    "the manual has a {colour} cover",
    "we keep it in the {place}",
    "it is not for the {place}",
    "there is a {colour} switch on the side",
    "the cable runs to the {place}",
)
FILLERS = {"thing": THINGS, "person": PEOPLE, "day": DAYS, "colour": COLOURS, "place": PLACES}


@dataclass(frozen=True)
class Review:
    """One review.

    Attributes
    ----------
    words : tuple of str
    label : int
        1 for a good verdict, 0 for a bad one.
    deciding : tuple of int
        Positions of the words that decide the label. In a negated review these are *not* and the verdict.
    """

    words: tuple[str, ...]
    label: int
    deciding: tuple[int, ...]

    def __str__(self) -> str:
        return " ".join(self.words)


def reviews(
    count: int, *, seed: int = 0, neutral: tuple[int, int] = (1, 4), negated: float = 0.0
) -> list[Review]:
    """Make reviews; half of them good, half bad (one more bad when ``count`` is odd), in random order.

    Parameters
    ----------
    count : int
        How many, at least 1.
    seed : int
        The same seed gives the same reviews on every machine.
    neutral : (fewest, most)
        Neutral sentences around the verdict.
    negated : float, 0 to 1
        Share of reviews whose verdict is turned round by *not* ("is not superb": label 0).

    Returns
    -------
    list of Review

    Raises
    ------
    ValueError
        If ``count``, ``neutral`` or ``negated`` is out of range.
    """
    if count < 1:
        raise ValueError(f"count: expected at least 1 review, got {count}")
    fewest, most = neutral
    if not 0 <= fewest <= most <= len(NEUTRAL):
        raise ValueError(
            f"neutral: expected (fewest, most) with 0 <= fewest <= most <= {len(NEUTRAL)}, got {neutral}"
        )
    if not 0.0 <= negated <= 1.0:
        raise ValueError(f"negated: expected a share from 0 to 1, got {negated}")
    draw = random.Random(seed)
    labels = [position % 2 for position in range(count)]
    draw.shuffle(labels)
    return [_review(draw, label, draw.randint(fewest, most), draw.random() < negated) for label in labels]


def _review(draw: random.Random, label: int, n_neutral: int, negated: bool) -> Review:
    """One review: a verdict at a random place among neutral sentences."""
    verdict, decides = _verdict(draw, label, negated)
    sentences = [_filled(draw, template) for template in draw.sample(NEUTRAL, n_neutral)]
    place = draw.randint(0, len(sentences))
    before = [word for sentence in sentences[:place] for word in sentence]
    after = [word for sentence in sentences[place:] for word in sentence]
    start = next(
        position
        for position in range(len(verdict))
        if tuple(verdict[position : position + len(decides)]) == decides
    )
    deciding = tuple(len(before) + start + offset for offset in range(len(decides)))
    return Review(tuple(before + verdict + after), label, deciding)


def _verdict(draw: random.Random, label: int, negated: bool) -> tuple[list[str], tuple[str, ...]]:
    """The sentence that decides, and the words in it that do."""
    if negated:
        word = draw.choice(BAD if label == 1 else GOOD)
        return _filled(draw, draw.choice(NEGATED), verdict=word), ("not", word)
    if draw.random() < 0.25:
        template, words, _ = draw.choice([entry for entry in TWO_WORDS if entry[2] == label])
        return _filled(draw, template), words
    word = draw.choice(GOOD if label == 1 else BAD)
    return _filled(draw, draw.choice(ONE_WORD), verdict=word), (word,)


def _filled(draw: random.Random, template: str, **fixed: str) -> list[str]:
    """A template's words, its blanks filled at random."""
    fillers = {name: draw.choice(words) for name, words in FILLERS.items()}
    return template.format(**fillers, **fixed).split()


def vocabulary(texts: Sequence[Sequence[str]], *, at_least: int = 1) -> dict[str, int]:
    """A number for each word: 0 is padding, 1 any word not listed, then words in alphabetical order.

    Parameters
    ----------
    texts : sequence of sequences of str
        Each text as its words.
    at_least : int
        Words seen fewer times are left out, and become the unknown word.
    """
    counts: dict[str, int] = {}
    for words in texts:
        for word in words:
            counts[word] = counts.get(word, 0) + 1
    known = sorted(word for word, times in counts.items() if times >= at_least)
    return {word: number for number, word in enumerate([PADDING, UNKNOWN, *known])}


def as_tensors(texts: Sequence[Sequence[str]], numbers: dict[str, int]) -> tuple[Tensor, Tensor]:
    """Word numbers, padded to the longest text, and the mask that tells words from padding.

    Parameters
    ----------
    texts : sequence of sequences of str
        At least one text.
    numbers : dict
        From :func:`vocabulary`.

    Returns
    -------
    word_ids : (texts, longest), int64
    mask : (texts, longest), bool
        True where there is a word.

    Raises
    ------
    ValueError
        If there is no text.
    """
    if not texts:
        raise ValueError("texts: expected at least one text, got none")
    longest = max(1, max(len(words) for words in texts))
    rows = [[numbers.get(word, numbers[UNKNOWN]) for word in words] for words in texts]
    word_ids = torch.tensor([row + [numbers[PADDING]] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[True] * len(row) + [False] * (longest - len(row)) for row in rows])
    return word_ids, mask
