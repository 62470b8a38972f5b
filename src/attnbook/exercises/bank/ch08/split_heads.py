"""8.2: the numbers of a word, cut into heads."""

from attnbook.exercises.bank.ch08._sizes import head_sizes
from attnbook.exercises.mistakes import SPLIT
from attnbook.exercises.spec import Case, Draw, Function, Output, Wrong

CUT = SPLIT.also(
    not_exchanged=Wrong(
        lambda x, n_heads: x.reshape(*x.shape[:2], n_heads, -1),
        "The words are cut into heads, and the axes are left as they are: (batch, length, n_heads, "
        "d_head). Heads have to come before words, so that attention runs in each.",
    )
)


def split_heads(x, n_heads, *, split=CUT.right):
    return split(x, n_heads)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        (batch, length), n_heads, d_head = head_sizes(draw, 2)
        found.append(Case({"x": draw.normal(batch, length, n_heads * d_head), "n_heads": n_heads}))
    return found


EXERCISE = Function(
    id="8.2",
    title="Splitting into heads",
    points=2,
    minutes=8,
    difficulty="easy",
    signature="split_heads(x, n_heads)",
    outputs=(Output("heads", ("batch", "n_heads", "length", "d_head")),),
    reference=split_heads,
    cases=cases,
    mistakes=(CUT,),
    forbidden=("attnbook.nn",),
    hints=(
        "Two steps: cut the last axis into n_heads pieces of d_head numbers; exchange two axes.",
        "After the cut the shape is (batch, length, n_heads, d_head).",
        "`x.view(batch, length, n_heads, d_head).transpose(1, 2)`",
    ),
)
