"""14.8 (starred): other weights that give exactly the same context.

Jain & Wallace (2019), arXiv 1902.10186, search for such weights; with two words more than a state has numbers
there is one line of them.
"""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong


def _line(states):
    """The direction (words,) in which neither the context nor the sum of the weights changes."""
    rows = torch.cat([states.T, torch.ones(1, len(states), dtype=states.dtype)])
    return torch.linalg.svd(rows).Vh[-1]


# (weights (words,), direction (words,)) → how far to go along the direction.
STEP = Mistakes(
    "step",
    right=lambda weights, line: max(_both(weights, line), key=abs),
    shorter=Wrong(
        lambda weights, line: min(_both(weights, line), key=abs),
        "You go to the nearer end of the line. The weights at the other end are more unlike the first ones.",
    ),
    half=Wrong(
        lambda weights, line: max(_both(weights, line), key=abs) / 2,
        "You stop half way. Go on until the first weight becomes 0.",
    ),
    beyond=Wrong(
        lambda weights, line: 1.5 * max(_both(weights, line), key=abs),
        "You go too far, and a weight becomes negative. Such a row is none that a softmax could make.",
    ),
    nowhere=Wrong(
        lambda weights, line: 0.0,
        "You return the weights that were given.",
    ),
)


def _both(weights, line):
    """How far one may go forwards (positive) and backwards (negative) until a weight is 0."""
    forwards = (weights / -line)[line < 0].min().item()
    backwards = (weights / -line)[line > 0].max().item()
    return forwards, backwards


def other_weights(weights, states, *, step=STEP.right):
    found = []
    for row, text in zip(weights.double(), states.double(), strict=True):
        line = _line(text)
        found.append(row + step(row, line) * line)
    return torch.stack(found).float()


def cases(draw: Draw) -> list[Case]:
    found = []
    for words in draw.sizes(3, 4, 8):
        batch = draw.random.choice((2, 3))
        rows, texts = [], []
        while len(rows) < batch:
            row = torch.softmax(draw.normal(words), dim=0)
            text = draw.normal(words, words - 2)
            forwards, backwards = _both(row.double(), _line(text.double()))
            if abs(abs(forwards) - abs(backwards)) > 0.05:  # which end is further is beyond doubt
                rows.append(row)
                texts.append(text)
        found.append(Case({"weights": torch.stack(rows), "states": torch.stack(texts)}))
    return found


EXERCISE = Function(
    id="14.8",
    title="★ Other weights, the same answer",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="other_weights(weights, states)",
    outputs=(Output("other", ("batch", "words")),),
    reference=other_weights,
    cases=cases,
    mistakes=(STEP,),
    tolerance=(1e-3, 1e-3),
    forbidden=("attnbook.analysis",),
    properties=(
        Property(
            "The weights of a text should add up to 1. Yours do not.",
            lambda args, outputs: bool(((outputs["other"].sum(1) - 1).abs() < 1e-3).all()),
        ),
        Property(
            "Your weights give another context. The step must be along an n with Σ n_j · state_j = 0.",
            lambda args, outputs: bool(
                (
                    torch.einsum("bw,bwd->bd", outputs["other"] - args["weights"], args["states"]).abs()
                    < 1e-2
                ).all()
            ),
        ),
    ),
    hints=(
        "What may be added to the weights? A vector n with Σ n_j · state_j = 0 (same context) and Σ n_j = 0 "
        "(still a share of 1).",
        "Stack states.T and a row of ones: a matrix of (d + 1, words), words = d + 2. The last row of "
        "`torch.linalg.svd(matrix).Vh` is its only null direction.",
        "Go along n, forwards or backwards, until the first weight is 0; take the longer of the two ways.",
    ),
)
