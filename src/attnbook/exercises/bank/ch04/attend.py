"""4.4: weights and contexts of a batch of padded sentences."""

import torch

from attnbook.exercises.bank.ch04._sentences import OUTPUTS, PROPERTIES
from attnbook.exercises.cases import PADDED_CASES, padding_mask
from attnbook.exercises.mistakes import EMPTY, EMPTY_UNREACHED, MASK
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Wrong

OVER = Mistakes(
    "over",
    right=-1,
    batch=Wrong(
        0,
        "The softmax runs over the batch: the sentences compete with each other for a position. It should "
        "run over the words of each source sentence.",
    ),
)
MIX = Mistakes(
    "mix",
    right=lambda weights, scores, annotations: (weights[:, :, None] * annotations).sum(1),
    mean=Wrong(
        lambda weights, scores, annotations: (
            (weights[:, :, None] * annotations).sum(1) / annotations.shape[1]
        ),
        "The context is divided by the length of the source. The weights add up to 1 already.",
    ),
    scores=Wrong(
        lambda weights, scores, annotations: (scores[:, :, None] * annotations).sum(1),
        "The context mixes the annotations with the scores instead of the weights.",
    ),
    hard=Wrong(
        lambda weights, scores, annotations: annotations[torch.arange(len(annotations)), weights.argmax(-1)],
        "The context is the one annotation with the largest weight. It should be the mean of all of them, "
        "each by its weight.",
    ),
)


def attend(
    scores, annotations, mask, *, placed=MASK.right, empty=EMPTY.right, over=OVER.right, mix=MIX.right
):
    weights = masked_softmax(scores, mask, placed=placed, empty=empty, dim=over)
    return mix(weights, scores, annotations), weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded", "empty"):
        batch, src, d_annotation = draw.sizes(3, 3, 9)
        mask = padding_mask(draw, kind, batch, src)
        found.append(
            Case(
                {
                    "scores": draw.normal(batch, src, scale=1.5),
                    "annotations": draw.normal(batch, src, d_annotation),
                    "mask": mask,
                },
                **PADDED_CASES[kind],
            )
        )
    return found


EXERCISE = Function(
    id="4.4",
    title="The context of a batch",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="attend(scores, annotations, mask)",
    outputs=OUTPUTS,
    reference=attend,
    cases=cases,
    properties=PROPERTIES,
    mistakes=(MASK, EMPTY, OVER, MIX),
    meaningless=(*EMPTY_UNREACHED, (MIX["hard"], MASK), (OVER, MASK), (OVER, EMPTY), (OVER, MIX)),
    hints=(
        "Scores at padding become −∞; softmax over the last axis; weighted sum over the source.",
        "`weights[:, None, :] @ annotations` is (batch, 1, d_annotation): one axis too many, `.squeeze(1)`.",
        "A sentence without words gives NaN weights: `.nan_to_num(0.0)` makes them zeros.",
    ),
)
