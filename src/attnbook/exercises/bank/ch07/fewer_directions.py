"""7.12: the best form of low rank in place of W_Qᵀ W_K."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong


def best(matrix: torch.Tensor, rank: int) -> torch.Tensor:
    """The nearest matrix of this rank, by the squared distance."""
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    return u[:, :rank] @ torch.diag(s[:rank]) @ vh[:rank]


def from_values(change):
    """A cut in which the singular values are changed."""

    def cut(W_q, W_k, rank):
        u, s, vh = torch.linalg.svd(W_q.T @ W_k, full_matrices=False)
        return u @ torch.diag(change(s, rank)) @ vh

    return cut


# How the rank is brought down: (W_q, W_k, rank) → (d_model, d_model).
CUT = Mistakes(
    "cut",
    right=lambda W_q, W_k, rank: best(W_q.T @ W_k, rank),
    rows=Wrong(
        lambda W_q, W_k, rank: W_q[:rank].T @ W_k[:rank],
        "You keep the first rows of W_q and W_k. Which rows come first means nothing: rotate both matrices "
        "together, and other rows stand there although no score has changed.",
    ),
    separately=Wrong(
        lambda W_q, W_k, rank: best(W_q, rank).T @ best(W_k, rank),
        "You bring down W_q and W_k each by itself. A direction that is small in one of them may matter in "
        "the product: only the form W_qᵀ W_k counts.",
    ),
    smallest=Wrong(
        from_values(
            lambda s, rank: torch.where(torch.arange(len(s)) >= len(s[s > 1e-4 * s[0]]) - rank, s, 0)
        ),
        "You keep the *smallest* singular values that are not zero. The largest ones hold most of the form.",
    ),
    no_values=Wrong(
        from_values(lambda s, rank: (torch.arange(len(s)) < rank).to(s.dtype)),
        "The singular values are missing between U and Vᵀ, so that every direction counts the same.",
    ),
    squared=Wrong(
        from_values(lambda s, rank: torch.where(torch.arange(len(s)) < rank, s * s, 0)),
        "The singular values stand in it twice, once with U and once with Vᵀ.",
    ),
    not_cut=Wrong(
        lambda W_q, W_k, rank: W_q.T @ W_k,
        "That is the whole form: its rank is still d_k.",
    ),
)
# Which product is the form: (W_q, W_k) → (W_q, W_k).
FORM = Mistakes(
    "form",
    right=lambda W_q, W_k: (W_q, W_k),
    exchanged=Wrong(
        lambda W_q, W_k: (W_k, W_q),
        "That is W_kᵀ W_q, the transposed form: in it word y asks word x. Wanted is x · M y, with x the "
        "query.",
    ),
)


def fewer_directions(W_q, W_k, rank, *, cut=CUT.right, form=FORM.right):
    return cut(*form(W_q, W_k), rank)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        d_k = draw.random.randint(4, 6)
        d_model = d_k + draw.random.randint(2, 5)
        found.append(
            Case(
                {
                    # Directions of different strength, so that no two singular values are alike.
                    "W_q": draw.normal(d_k, d_model) * torch.linspace(0.4, 1.6, d_k)[:, None],
                    "W_k": draw.normal(d_k, d_model),
                    "rank": draw.random.randint(2, d_k - 2),
                }
            )
        )
    return found


def has_the_rank(args, outputs) -> bool:
    """No more than ``rank`` singular values are above rounding."""
    values = torch.linalg.svdvals(outputs["M"])
    return bool((values[args["rank"] :] < 1e-3 * values[0]).all())


EXERCISE = Function(
    id="7.12",
    title="★ Fewer directions",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="fewer_directions(W_q, W_k, rank)",
    outputs=(Output("M", ("d_model", "d_model")),),
    reference=fewer_directions,
    cases=cases,
    tolerance=(1e-3, 1e-3),
    properties=(Property("the form has the rank that was asked for", has_the_rank),),
    mistakes=(CUT, FORM),
    hints=(
        "What decides about scores is one matrix, made of both.",
        "`torch.linalg.svd` gives U, the singular values in falling order, and Vᵀ.",
        "`U[:, :rank] @ torch.diag(s[:rank]) @ Vh[:rank]` of the product.",
    ),
)
