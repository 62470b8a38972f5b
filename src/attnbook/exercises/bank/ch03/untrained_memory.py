"""3.10: what a linear probe reads off a recurrent network that nobody trained."""

import torch
from torch import nn

from attnbook.exercises.spec import Measurement, Nearby

SYMBOLS, LENGTH, SIZE = 8, 12, 32


def probed(place: int, seeds: int = 5, sentences: int = 4000) -> float:
    """The share of right answers of a least-squares probe for the symbol at a place, counted from 0.

    Mean over ``seeds`` untrained GRUs; the probe is fitted to half of the sentences and asked about the rest.
    """
    shares = []
    for seed in range(seeds):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            embedding, gru = nn.Embedding(SYMBOLS, SIZE), nn.GRU(SIZE, SIZE, batch_first=True)
            tokens = torch.randint(SYMBOLS, (sentences, LENGTH))
        with torch.no_grad():
            _, last = gru(embedding(tokens))
        states = torch.cat([last[0], torch.ones(sentences, 1)], dim=1)
        wanted = nn.functional.one_hot(tokens[:, place], SYMBOLS).float()
        half = sentences // 2
        weights = torch.linalg.lstsq(states[:half], wanted[:half]).solution
        said = (states[half:] @ weights).argmax(dim=1)
        shares.append((said == tokens[half:, place]).float().mean().item())
    return sum(shares) / seeds


EXERCISE = Measurement(
    id="3.10",
    title="What nobody taught it ★",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="share_of_tenth = 0.5",
    reference=lambda: probed(9),
    tolerance=0.06,
    nearby=(
        Nearby(
            1 / SYMBOLS,
            "That is what guessing gives. Is the probe fitted to the symbols of the same sentences as the "
            "states, and is the place the tenth?",
            0.03,
        ),
        Nearby(
            1.0,
            "Nothing is lost? Then you probably read off the last symbol. The tenth of twelve has two others "
            "after it.",
            0.03,
        ),
    ),
    hints=(
        "`_, last = nn.GRU(32, 32, batch_first=True)(nn.Embedding(8, 32)(tokens))`, under `torch.no_grad()`; "
        "`last[0]` has one vector a sentence.",
        "The probe: append a column of ones to the vectors, and let `torch.linalg.lstsq` find the weights "
        "that come nearest to the one-hot answers of the first half.",
        "Its answer for the second half is the `argmax` of vectors @ weights. Compare with `tokens[:, 9]`.",
    ),
)
