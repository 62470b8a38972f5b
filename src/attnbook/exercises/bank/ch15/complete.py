"""15.3: a modern Hopfield network that completes half a pattern."""

import torch

from attnbook.exercises.mistakes import OVER
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# (state, patterns, known) → scores (states, patterns) before β.
COMPARED = Mistakes(
    "compared",
    right=lambda state, patterns, known: (state * known) @ patterns.T,
    all=Wrong(
        lambda state, patterns, known: state @ patterns.T,
        "Positions that are not known take part in the scores: whatever stands there is compared too. "
        "Compare "
        "what is known, and nothing else.",
    ),
    unknown=Wrong(
        lambda state, patterns, known: (state * ~known) @ patterns.T,
        "The mask is read the wrong way round: you compare the positions that are *not* known.",
    ),
)
BETA = Mistakes(
    "sharp",
    right=lambda scores, beta: beta * scores,
    none=Wrong(
        lambda scores, beta: scores,
        "β is never used, so your weights do not depend on it.",
    ),
    divided=Wrong(
        lambda scores, beta: scores / beta,
        "The scores are divided by β. It is no temperature but one over it: the larger β, the sharper.",
    ),
    root=Wrong(
        lambda scores, beta: scores / patterns_root(scores),
        "The scores are divided by a root, as in a transformer. Here β takes the root's place.",
    ),
)
# (state, found, known) → the new state.
KEPT = Mistakes(
    "kept",
    right=lambda state, found, known: torch.where(known, state, found),
    overwritten=Wrong(
        lambda state, found, known: found,
        "What was known is overwritten by the average. It was known: keep it, and fill in the rest.",
    ),
    swapped=Wrong(
        lambda state, found, known: torch.where(known, found, state),
        "The wrong half is filled in: you keep what was not known and replace what was.",
    ),
    added=Wrong(
        lambda state, found, known: state * known + found,
        "The average is added to what was known. It belongs to the other positions alone.",
    ),
)


def patterns_root(scores: torch.Tensor) -> float:
    """The root of the number of patterns, which a wrong answer divides by."""
    return scores.shape[-1] ** 0.5


def complete(state, patterns, known, beta, *, compared=COMPARED.right, sharp=BETA.right, over=OVER.right,
             kept=KEPT.right):  # fmt: skip
    weights = torch.softmax(sharp(compared(state, patterns, known), beta), dim=over)
    return kept(state, weights @ patterns, known), weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        states, patterns, d = draw.sizes(3, 4, 9)
        stored = draw.normal(patterns, d)
        found.append(
            Case(
                {
                    "state": stored[draw.integers(states, high=patterns)] + draw.normal(states, d, scale=0.3),
                    "patterns": stored,
                    "known": draw.mask(states, d),
                    "beta": draw.random.choice((0.6, 1.4, 2.0)),
                }
            )
        )
    return found


EXERCISE = Function(
    id="15.3",
    title="Half a pattern",
    points=2,
    minutes=10,
    difficulty="easy",
    signature="complete(state, patterns, known, beta)",
    outputs=(Output("new", ("states", "d")), Output("weights", ("states", "patterns"))),
    reference=complete,
    cases=cases,
    mistakes=(COMPARED, BETA, OVER, KEPT),
    together=2,
    properties=(
        Property(
            "The weights of a state over the patterns should add up to 1. Yours do not.",
            lambda args, outputs: bool(((outputs["weights"].sum(-1) - 1).abs() < 1e-4).all()),
        ),
    ),
    forbidden=("attnbook.nn",),
    hints=(
        "A product with a mask of 0 and 1 takes positions out of a dot product.",
        "Scores (states, patterns), times β, softmax over the patterns; the patterns are keys and values.",
        "`torch.where(known, state, weights @ patterns)`.",
    ),
)
