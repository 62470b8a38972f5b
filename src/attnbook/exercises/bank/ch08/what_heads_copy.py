"""8.11: the matrix by which a head turns a word that it attends to into what it adds."""

from attnbook.exercises.bank.ch08._sizes import head_sizes
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# A head's part of W_v, (W_v, n_heads) → (n_heads, d_head, d_model).
ROWS = Mistakes(
    "rows",
    right=lambda W_v, n_heads: W_v.unflatten(0, (n_heads, -1)),
    columns=Wrong(
        lambda W_v, n_heads: W_v.unflatten(1, (n_heads, -1)).permute(1, 2, 0),
        "W_v is cut into columns, or used on its side. A head's values are made by d_head neighbouring "
        "*rows* of W_v, each of which reads the whole word.",
    ),
    dealt=Wrong(
        lambda W_v, n_heads: W_v.unflatten(0, (-1, n_heads)).transpose(0, 1),
        "Every n_heads-th row of W_v goes to a head. A head has d_head neighbouring rows.",
    ),
)
# A head's strip of W_o, (W_o, n_heads) → (n_heads, d_model, d_head).
STRIPS = Mistakes(
    "strips",
    right=lambda W_o, n_heads: W_o.unflatten(1, (n_heads, -1)).permute(1, 0, 2),
    rows=Wrong(
        lambda W_o, n_heads: W_o.unflatten(0, (n_heads, -1)).transpose(1, 2),
        "W_o is cut into rows, or used on its side. The heads stand side by side, so head h meets d_head "
        "neighbouring *columns* of W_o.",
    ),
    dealt=Wrong(
        lambda W_o, n_heads: W_o.unflatten(1, (-1, n_heads)).permute(2, 0, 1),
        "Every n_heads-th column of W_o goes to a head. A head has d_head neighbouring columns.",
    ),
)
RESULT = Mistakes(
    "result",
    right=lambda maps: maps,
    turned=Wrong(
        lambda maps: maps.mT,
        "Your matrices are transposed. Row i should make number i of what is added: `word @ matrix.T`, as "
        "with every matrix of this chapter.",
    ),
)


def what_heads_copy(W_v, W_o, n_heads, *, rows=ROWS.right, strips=STRIPS.right, result=RESULT.right):
    return result(strips(W_o, n_heads) @ rows(W_v, n_heads))


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        _, n_heads, d_head = head_sizes(draw, 1)
        d_model = n_heads * d_head
        matrices = {name: draw.normal(d_model, d_model, scale=0.6) for name in ("W_v", "W_o")}
        found.append(Case({**matrices, "n_heads": n_heads}))
    return found


EXERCISE = Function(
    id="8.11",
    title="★ From a word to what is added",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="what_heads_copy(W_v, W_o, n_heads)",
    outputs=(Output("matrices", ("n_heads", "d_model", "d_model")),),
    reference=what_heads_copy,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(ROWS, STRIPS, RESULT),
    forbidden=("attnbook.nn",),
    hints=(
        "A head that gives all its weight to one word adds strip · (rows · word). Which matrix is that?",
        "Head h has rows h · d_head to (h + 1) · d_head of W_v, and the same columns of W_o.",
        "`W_o[:, piece] @ W_v[piece]`, stacked over the heads; `piece` is a slice.",
    ),
)
