"""3.9: how many words can be read back from the sum of their vectors."""

import torch

from attnbook.exercises.spec import Draw, Measurement, Nearby


def recovered_share(size: int = 64, words: int = 40, vocabulary: int = 1000, trials: int = 50) -> float:
    """The share of the words of a random sentence that can be read back from the sum of their vectors.

    Mean over ``trials`` sentences: each word of the vocabulary has a random vector of +1 and -1; the
    sentence is the sum of ``words`` different ones; read back are the ``words`` vectors with the largest
    dot product with that sum.
    """
    draw = Draw(0)
    total = 0.0
    for _ in range(trials):
        vectors = draw.integers(vocabulary, size, high=2).float() * 2 - 1
        sentence = draw.permutation(vocabulary)[:words]
        thought = vectors[sentence].sum(dim=0)
        guess = (vectors @ thought).topk(words).indices
        total += torch.isin(guess, sentence).float().mean().item()
    return total / trials


EXERCISE = Measurement(
    id="3.9",
    title="How many words fit into one vector",
    points=3,
    minutes=15,
    difficulty="hard",
    signature="share_read_back = 0.5",
    reference=recovered_share,
    tolerance=0.05,
    nearby=(
        Nearby(
            1.0,
            "All words came back. Did you read back from the vectors of the sentence alone, instead of "
            "from the whole vocabulary?",
            0.01,
        ),
        Nearby(
            40 / 1000,
            "That is what guessing at random would give. Are the dot products taken with the sum of the "
            "sentence's vectors?",
            0.02,
        ),
    ),
    hints=(
        "`vectors = torch.randint(0, 2, (1000, 64)).float() * 2 - 1` gives every word its vector.",
        "`torch.randperm(1000)[:40]` is a sentence; the thought is the sum of its rows.",
        "`(vectors @ thought).topk(40).indices` are the words that fit best; `torch.isin` tells which "
        "were there. Take the mean over 50 sentences.",
    ),
)
