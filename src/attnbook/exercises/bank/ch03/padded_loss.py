"""3.5: cross-entropy up to the stop word, whatever stands behind it."""

import math

import torch

from attnbook.exercises.mistakes import AVERAGE
from attnbook.exercises.spec import (
    Case,
    Draw,
    Function,
    Mistakes,
    Output,
    Property,
    Wrong,
)


def stops_before(ends):
    """How many stop words stand before each position, (batch, length)."""
    return ends.int().cumsum(dim=1) - ends.int()


def up_to(last):
    """True up to the position ``last``, (batch) → a function of ``ends``."""
    return lambda ends: torch.arange(ends.shape[1]) <= last(ends)[:, None]


# Which positions count: ends (batch, length), True where a stop word stands → (batch, length).
WHICH = Mistakes(
    "which",
    right=lambda ends: stops_before(ends) == 0,
    ignored=Wrong(
        torch.ones_like,
        "Everything is counted, also what stands behind the stop word: `stop` is never used.",
    ),
    inverted=Wrong(
        lambda ends: stops_before(ends) > 0,
        "The selection is the wrong way round: the loss is that of what stands *behind* the stop word.",
    ),
    without_the_stop=Wrong(
        lambda ends: stops_before(ends) + ends.int() == 0,
        "The stop word itself is left out. To end a sentence has to be learned as well, so it counts; only "
        "what comes behind it does not.",
    ),
    all_but_stops=Wrong(
        lambda ends: ~ends,
        "Only the stop words are left out, wherever they stand, and the words behind the first one still "
        "count. The sentence is over at its first stop word, which itself counts.",
    ),
    last_stop=Wrong(
        up_to(lambda ends: torch.where(ends, torch.arange(ends.shape[1]), -1).amax(1) % ends.shape[1]),
        "A sentence goes on to the *last* stop word of its row. It is over at the first one.",
    ),
    argmax_of_nothing=Wrong(
        up_to(lambda ends: ends.int().argmax(1)),
        "A sentence without a stop word is cut after its first word: `argmax` of a row in which nothing is "
        "True is 0. Such a sentence was too long for the batch, and all of its positions count.",
    ),
)
# The logarithms of the shares.
LOGARITHM = Mistakes(
    "logarithm",
    right=lambda scores: torch.log_softmax(scores, dim=-1),
    base_2=Wrong(
        lambda scores: torch.log_softmax(scores, dim=-1) / math.log(2),
        "The logarithm is taken to base 2: your loss is in bits. Here, as in torch, it is natural.",
    ),
    positions=Wrong(
        lambda scores: torch.log_softmax(scores, dim=1),
        "The softmax runs over the positions of the sentence: words at different places compete with each "
        "other. It should run over the vocabulary, the last axis.",
    ),
    no_softmax=Wrong(
        lambda scores: scores,
        "The raw scores are used as if they were logarithms of shares. A log-softmax over the words has "
        "to come first.",
    ),
)


def padded_loss(scores, target, stop, *, share=AVERAGE.right, which=WHICH.right, logarithm=LOGARITHM.right):
    losses = -logarithm(scores).gather(-1, target[..., None]).squeeze(-1)  # (batch, length)
    return share(losses, which(target == stop))


def cases(draw: Draw) -> list[Case]:
    """Sentences that end with the row; sentences with words behind their end, and one without a stop word."""
    found = []
    for early in (False, True, True):
        words, *others = draw.sizes(3, 5, 11)
        batch, length = sorted(others)  # so that each sentence can have a length of its own
        stop = draw.random.randrange(words)
        target = (stop + draw.integers(batch, length, low=1, high=words)) % words  # no stop yet
        if early:
            ends = draw.random.sample(range(1, length - 1), min(batch - 1, length - 2))
            for row, end in enumerate(ends):
                target[row, end] = stop
            target[0, draw.random.randrange(ends[0] + 1, length)] = stop  # a second one
        else:
            target[:, -1] = stop
        found.append(
            Case(
                {"scores": draw.normal(batch, length, words, scale=2.0), "target": target, "stop": stop},
                group="mask" if early else "plain",
                note="words stand behind the stop word" if early else "each row ends with the stop word",
            )
        )
    return found


EXERCISE = Function(
    id="3.5",
    title="A loss that does not count padding",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="padded_loss(scores, target, stop)",
    outputs=(Output("loss", ()),),
    reference=padded_loss,
    cases=cases,
    properties=(Property("a loss is not negative", lambda args, outputs: bool(outputs["loss"] >= -1e-5)),),
    mistakes=(AVERAGE, WHICH, LOGARITHM),
    meaningless=(
        (WHICH["ignored"], AVERAGE["all_positions"]),
        (WHICH["ignored"], AVERAGE["sentences"]),
        (WHICH["inverted"], AVERAGE["sentences"]),
    ),
    hints=(
        "Which positions count? Count the stop words that stand *before* each position.",
        "`ends = (target == stop).int()`: `ends.cumsum(1)` counts the stop words up to and with each "
        "position; take `ends` away from it, and where 0 is left the sentence is not over.",
        "With that as `mask`: `torch.log_softmax(scores, dim=-1)`, `.gather(-1, target[..., None])`, times "
        "the mask, added up, and divided by `mask.sum()`.",
    ),
)
