"""4.8: the error of a guess that looks at neither language."""

import torch

from attnbook.exercises.bank.ch04.alignment_error_rate import alignment_error_rate
from attnbook.exercises.spec import Measurement, Nearby

ENGLISH = [
    "the",
    "agreement",
    "on",
    "the",
    "European",
    "Economic",
    "Area",
    "was",
    "signed",
    "in",
    "August",
    "1992",
]
FRENCH = [
    "l'",
    "accord",
    "sur",
    "la",
    "zone",
    "économique",
    "européenne",
    "a",
    "été",
    "signé",
    "en",
    "août",
    "1992",
]
# For each French word the English words that it translates, counted from 0.
GOLD = ((0,), (1,), (2,), (3,), (6,), (5,), (4,), (7,), (7,), (8,), (9,), (10,), (11,))


def gold_alignment() -> torch.Tensor:
    """The gold alignment of the sentence, (tgt, src), True where two words belong together."""
    gold = torch.zeros(len(FRENCH), len(ENGLISH), dtype=torch.bool)
    for row, columns in enumerate(GOLD):
        for column in columns:
            gold[row, column] = True
    return gold


def diagonal_alignment(tgt: int, src: int) -> torch.Tensor:
    """The guess that looks at neither language: target word i with source word ⌊i · src / tgt⌋."""
    guess = torch.zeros(tgt, src, dtype=torch.bool)
    for row in range(tgt):
        guess[row, row * src // tgt] = True
    return guess


def diagonal_error() -> float:
    """The diagonal guess's alignment error rate."""
    gold = gold_alignment()
    return alignment_error_rate(diagonal_alignment(*gold.shape), gold, gold)


EXERCISE = Measurement(
    id="4.8",
    title="How far a diagonal gets",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="diagonal_aer = 0.5",
    reference=diagonal_error,
    tolerance=0.005,
    nearby=(
        Nearby(
            1 - diagonal_error(),
            "That is the share of links that agree. The error rate is 1 less it.",
            0.005,
        ),
    ),
    hints=(
        "A loop over the French words fills the guess: row i, column `i * src // tgt`.",
        "`alignment_error_rate(guess, gold, gold)`: with one gold alignment, sure and possible are the same.",
        "Both have 13 rows and 12 columns. Count by hand how many of the 13 links agree.",
    ),
)
