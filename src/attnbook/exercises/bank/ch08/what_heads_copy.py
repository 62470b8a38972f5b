"""8.11: the matrix by which a head turns a word that it attends to into what it adds."""

from attnbook.exercises.bank.ch08._sizes import head_sizes
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# A head's part of W_v, (W_v, n_heads) → (n_heads, d_head, d_in).
ROWS = Mistakes(
    "rows",
    right=lambda W_v, n_heads: W_v.unflatten(0, (n_heads, -1)),
    dealt=Wrong(
        lambda W_v, n_heads: W_v.unflatten(0, (-1, n_heads)).transpose(0, 1),
        "Every n_heads-th row of W_v goes to a head. A head's values are made by d_head neighbouring rows.",
    ),
    first=Wrong(
        lambda W_v, n_heads: W_v.unflatten(0, (n_heads, -1))[:1].expand(n_heads, -1, -1),
        "All heads use the first rows of W_v. Head h has rows of its own, h · d_head to (h + 1) · d_head.",
    ),
)
# A head's strip of W_o, (W_o, n_heads) → (n_heads, d_out, d_head).
STRIPS = Mistakes(
    "strips",
    right=lambda W_o, n_heads: W_o.unflatten(1, (n_heads, -1)).permute(1, 0, 2),
    dealt=Wrong(
        lambda W_o, n_heads: W_o.unflatten(1, (-1, n_heads)).permute(2, 0, 1),
        "Every n_heads-th column of W_o goes to a head. A head has d_head neighbouring columns.",
    ),
    first=Wrong(
        lambda W_o, n_heads: W_o.unflatten(1, (n_heads, -1)).permute(1, 0, 2)[:1].expand(n_heads, -1, -1),
        "All heads use the first strip of W_o. Head h has its own columns, h · d_head to (h + 1) · d_head.",
    ),
)


def what_heads_copy(W_v, W_o, n_heads, *, rows=ROWS.right, strips=STRIPS.right):
    return strips(W_o, n_heads) @ rows(W_v, n_heads)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        (d_in, d_out), n_heads, d_head = head_sizes(draw, 2)
        W_v = draw.normal(n_heads * d_head, d_in, scale=0.6)
        W_o = draw.normal(d_out, n_heads * d_head, scale=0.6)
        found.append(Case({"W_v": W_v, "W_o": W_o, "n_heads": n_heads}))
    return found


EXERCISE = Function(
    id="8.11",
    title="★ From a word to what is added",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="what_heads_copy(W_v, W_o, n_heads)",
    outputs=(Output("matrices", ("n_heads", "d_out", "d_in")),),
    reference=what_heads_copy,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(ROWS, STRIPS),
    forbidden=("attnbook.nn",),
    hints=(
        "A head that gives all its weight to one word adds strip · (rows · word). Which matrix is that?",
        "Head h has rows h · d_head to (h + 1) · d_head of W_v, and the same columns of W_o.",
        "`W_o[:, piece] @ W_v[piece]`, stacked over the heads; `piece` is a slice.",
    ),
)
