"""8.3: the heads of a word, put side by side."""

from attnbook.exercises.bank.ch08._sizes import head_sizes
from attnbook.exercises.mistakes import MERGE
from attnbook.exercises.spec import Case, Draw, Function, Output, Wrong

BACK = MERGE.also(
    dealt=Wrong(
        lambda heads: heads.permute(0, 2, 3, 1).flatten(2),
        "The numbers of the heads alternate in your result: number 0 of each head, then number 1 of each. "
        "Each head's numbers should stay together.",
    ),
    added=Wrong(
        lambda heads: heads.sum(1),
        "The heads are added up. They should stand side by side; mixing them is the task of W_o.",
    ),
    averaged=Wrong(
        lambda heads: heads.mean(1),
        "The heads are averaged. They should stand side by side; mixing them is the task of W_o.",
    ),
)


def merge_heads(heads, *, merge=BACK.right):
    return merge(heads)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        (batch, length), n_heads, d_head = head_sizes(draw, 2)
        found.append(Case({"heads": draw.normal(batch, n_heads, length, d_head)}))
    return found


EXERCISE = Function(
    id="8.3",
    title="Putting the heads together",
    points=2,
    minutes=8,
    difficulty="medium",
    signature="merge_heads(heads)",
    outputs=(Output("merged", ("batch", "length", "d_model")),),
    reference=merge_heads,
    cases=cases,
    mistakes=(BACK,),
    forbidden=("attnbook.nn",),
    hints=(
        "Do the two steps of 8.2 backwards.",
        "First bring words before heads: (batch, length, n_heads, d_head).",
        "After a transpose, `view` complains that numbers do not lie next to each other; `reshape` "
        "copies them.",
    ),
)
