"""10.9: the padding that is left when sentences are sorted by length."""

import torch

from attnbook.exercises.spec import Measurement, Nearby


def sentence_lengths() -> torch.Tensor:
    """The lengths of 240 sentences, many short and few long: fixed, no random numbers."""
    number = torch.arange(240)
    return 4 + ((37 * number**2 + 11 * number) % 101) ** 2 // 400


def padding_share(lengths: torch.Tensor, size: int = 16) -> float:
    """The share of padding in batches of ``size`` sentences, taken in the order given."""
    batches = lengths.view(-1, size)
    return 1 - lengths.sum().item() / (size * batches.amax(dim=1).sum().item())


def mean_of_shares(lengths: torch.Tensor, size: int = 16) -> float:
    """The same, batch by batch, then averaged over the batches."""
    batches = lengths.view(-1, size).double()
    return 1 - (batches.mean(dim=1) / batches.amax(dim=1)).mean().item()


SORTED = sentence_lengths().sort().values

EXERCISE = Measurement(
    id="10.9",
    title="Work for nothing",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="padding_sorted = 0.5",
    reference=lambda: padding_share(SORTED),
    tolerance=0.0005,
    nearby=(
        Nearby(
            padding_share(sentence_lengths()),
            "That is the share without sorting: sort the lengths first, then cut them into batches.",
            0.003,
        ),
        Nearby(
            mean_of_shares(SORTED),
            "That is the mean of the batches' shares. Batches of long sentences hold more places: add up "
            "padding and places over all batches, then divide once.",
            0.0005,
        ),
        Nearby(1 - padding_share(SORTED), "That is the share of real words. Padding is the rest.", 0.003),
        Nearby(
            padding_share(SORTED, 240),
            "That pads every sentence to the longest of all 240. A batch is padded to *its* longest.",
            0.003,
        ),
        Nearby(
            padding_share(sentence_lengths()[:16]),
            "That is the first batch alone, in the given order. Sort first, and count all fifteen batches.",
            0.003,
        ),
    ),
    hints=(
        "A batch has 16 · (its longest sentence) places.",
        "`lengths.sort().values.view(-1, 16)` is one batch a row; `.amax(dim=1)` is the longest of each.",
        "1 − (all real words) / (all places).",
    ),
)
