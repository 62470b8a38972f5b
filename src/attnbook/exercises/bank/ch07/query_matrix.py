"""7.11: the W_Q that gives the scores one wants."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong

# What becomes of the division by √d_k: (scores, d_k) → scores.
SCALE = Mistakes(
    "scale",
    right=lambda scores, d_k: scores * math.sqrt(d_k),
    none=Wrong(
        lambda scores, d_k: scores,
        "The division by √d_k is left out: with your W_q the layer's scores are smaller than wanted by that "
        "factor.",
    ),
    divided=Wrong(
        lambda scores, d_k: scores / math.sqrt(d_k),
        "You divide by √d_k. The layer divides already; W_q has to make up for that.",
    ),
)
# Who asks: scores → scores.
DIRECTION = Mistakes(
    "direction",
    right=lambda scores: scores,
    turned=Wrong(
        lambda scores: scores.T,
        "Queries and keys are exchanged: with your W_q word j gives word i the score that i should give to "
        "j. Rows of the scores are queries.",
    ),
)
# The form M with x_i · M x_j = s_ij: (X, scores) → (d_model, d_model).
WORDS = Mistakes(
    "words",
    right=lambda X, scores: torch.linalg.inv(X) @ scores @ torch.linalg.inv(X).T,
    one_side=Wrong(
        lambda X, scores: torch.linalg.inv(X) @ scores,
        "X stands in the scores twice, once for the queries and once for the keys: S = X M Xᵀ. You have "
        "undone the first one only.",
    ),
    transposed=Wrong(
        lambda X, scores: torch.linalg.inv(X).T @ scores @ torch.linalg.inv(X),
        "The inverses stand on the wrong sides: X comes first in S = X M Xᵀ and Xᵀ last, so X⁻¹ has to stand "
        "on the left.",
    ),
)
# From the form to W_q, stored as nn.Linear does: (M, W_k) → (d_k, d_model).
SOLVED = Mistakes(
    "solved",
    right=lambda M, W_k: torch.linalg.inv(W_k).T @ M.T,
    form=Wrong(
        lambda M, W_k: M.T,
        "That is the form M itself, as if W_k did nothing. M = W_qᵀ W_k: solve it for W_q.",
    ),
    stored=Wrong(
        lambda M, W_k: M @ torch.linalg.inv(W_k),
        "That is W_qᵀ, the paper's W^Q. `nn.Linear` stores it transposed, and so should you.",
    ),
)


def query_matrix(
    X, W_k, scores, *, scale=SCALE.right, direction=DIRECTION.right, words=WORDS.right, solved=SOLVED.right
):
    wanted = scale(direction(scores), W_k.shape[0])
    return solved(words(X, wanted), W_k)


def invertible(draw: Draw, size: int) -> torch.Tensor:
    """A matrix that is far from singular."""
    q, _ = torch.linalg.qr(draw.normal(size, size))
    r, _ = torch.linalg.qr(draw.normal(size, size))
    return q @ torch.diag(draw.uniform(size, low=0.7, high=1.6)) @ r


def cases(draw: Draw) -> list[Case]:
    found = []
    for size in draw.sizes(3, 3, 7):
        found.append(
            Case(
                {
                    "X": invertible(draw, size),
                    "W_k": invertible(draw, size),
                    "scores": draw.normal(size, size, scale=2.0),
                }
            )
        )
    return found


def gives_these_scores(args, outputs) -> bool:
    """A layer with this W_q has the wanted scores.

    The inverses of X and W_k enlarge a difference in W_q that its tolerance allows, hence the wide one here.
    """
    X, W_k = args["X"], args["W_k"]
    made = (X @ outputs["W_q"].T) @ (X @ W_k.T).T / math.sqrt(W_k.shape[0])
    return torch.allclose(made, args["scores"], atol=5e-2)


EXERCISE = Function(
    id="7.11",
    title="★ Scores to order",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="query_matrix(X, W_k, scores)",
    outputs=(Output("W_q", ("d", "d")),),
    reference=query_matrix,
    cases=cases,
    tolerance=(1e-3, 2e-3),
    properties=(Property("a layer with this W_q has the scores that were wanted", gives_these_scores),),
    mistakes=(SCALE, DIRECTION, WORDS, SOLVED),
    together=2,
    hints=(
        "Write the layer's scores as one product of five matrices: X, W_qᵀ, W_k, Xᵀ, and a number.",
        "With M = W_qᵀ W_k it is S = X M Xᵀ / √d_k. Solve for M, then for W_q.",
        "M = √d_k · X⁻¹ S (X⁻¹)ᵀ, and W_qᵀ = M W_k⁻¹.",
    ),
)
