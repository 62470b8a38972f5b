"""8.6: what each head adds to the output."""

import torch

from attnbook.exercises.bank.ch08._sizes import head_sizes
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# Strips of the matrix, one for each head: (matrix, n_heads, d_head) → (n_heads, d_model, d_head).
STRIPS = Mistakes(
    "strips",
    right=lambda matrix, n_heads, d_head: matrix.unflatten(1, (n_heads, d_head)).permute(1, 0, 2),
    dealt=Wrong(
        lambda matrix, n_heads, d_head: matrix.unflatten(1, (d_head, n_heads)).permute(2, 0, 1),
        "Every n_heads-th column goes to a head. The heads stand side by side in runs of d_head numbers, "
        "so a head meets d_head neighbouring columns.",
    ),
    first=Wrong(
        lambda matrix, n_heads, d_head: matrix[:, :d_head].expand(n_heads, -1, -1),
        "All heads are multiplied with the first strip of W_o. Head h has a strip of its own, columns h · "
        "d_head to (h + 1) · d_head.",
    ),
)
TURNED = Mistakes(
    "turned",
    right=lambda W_o: W_o,
    transposed=Wrong(
        lambda W_o: W_o.T,
        "W_o is used on its side, or cut into rows instead of columns. As in `torch.nn.Linear`, a row of "
        "W_o makes one number of the output: `merged @ W_o.T`.",
    ),
)


def head_parts(heads, W_o, *, strips=STRIPS.right, turned=TURNED.right):
    n_heads, d_head = heads.shape[1], heads.shape[3]
    return torch.einsum("bhnd,hod->bhno", heads, strips(turned(W_o), n_heads, d_head))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        (batch, length), n_heads, d_head = head_sizes(draw, 2)
        d_model = n_heads * d_head
        found.append(
            Case({"heads": draw.normal(batch, n_heads, length, d_head), "W_o": draw.normal(d_model, d_model)})
        )
    return found


EXERCISE = Function(
    id="8.6",
    title="What each head adds",
    points=3,
    minutes=12,
    difficulty="medium",
    signature="head_parts(heads, W_o)",
    outputs=(Output("parts", ("batch", "n_heads", "length", "d_model")),),
    reference=head_parts,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(STRIPS, TURNED),
    hints=(
        "The sum of your parts over the heads has to be `merge_heads(heads) @ W_o.T`.",
        "`W_o[:, h * d_head : (h + 1) * d_head]` is the strip of head h: (d_model, d_head).",
        "A loop over the heads, `heads[:, h] @ strip.T`, and `torch.stack(..., dim=1)`.",
    ),
)
