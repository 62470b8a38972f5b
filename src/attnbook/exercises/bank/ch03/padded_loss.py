"""3.5: cross-entropy over real words."""

import math

import torch

from attnbook.exercises.cases import loss_cases
from attnbook.exercises.mistakes import AVERAGE
from attnbook.exercises.spec import (
    Function,
    Mistakes,
    Output,
    Property,
    Wrong,
)

WHICH = Mistakes(
    "which",
    right=lambda mask: mask,
    ignored=Wrong(
        lambda mask: torch.ones_like(mask), "Padding is counted as if it were words: the mask is never used."
    ),
    inverted=Wrong(
        lambda mask: ~mask,
        "The mask is read the wrong way round: the loss is that of the padding. True marks a real word.",
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


def padded_loss(scores, target, mask, *, share=AVERAGE.right, which=WHICH.right, logarithm=LOGARITHM.right):
    losses = -logarithm(scores).gather(-1, target[..., None]).squeeze(-1)  # (batch, length)
    return share(losses, which(mask))


EXERCISE = Function(
    id="3.5",
    title="A loss that does not count padding",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="padded_loss(scores, target, mask)",
    outputs=(Output("loss", ()),),
    reference=padded_loss,
    cases=loss_cases,
    properties=(Property("a loss is not negative", lambda args, outputs: bool(outputs["loss"] >= -1e-5)),),
    mistakes=(AVERAGE, WHICH, LOGARITHM),
    meaningless=(
        (WHICH["ignored"], AVERAGE["all_positions"]),
        (WHICH["ignored"], AVERAGE["sentences"]),
    ),
    hints=(
        "Negative logarithm of the share that the right word got: one number for each position.",
        "`torch.log_softmax(scores, dim=-1)`, then `.gather(-1, target[..., None])` picks the right words.",
        "Multiply by the mask, add up, and divide by the number of real words: `mask.sum()`.",
    ),
)
