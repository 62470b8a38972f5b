"""8.5: a reshape that mixes words."""

import torch

from attnbook.exercises.mistakes import HEAD_SCALE, MERGE, MIX, SPLIT
from attnbook.exercises.references import multi_head
from attnbook.exercises.spec import Case, Draw, Module, Output

MATRICES = ("W_q", "W_k", "W_v", "W_o")


def self_attention(
    state, x, *, split=SPLIT.right, merge=MERGE.right, scale=HEAD_SCALE.right, output=MIX.right
):
    # Heads are not in the state: the module knows them from its constructor, and here d_head is always 3.
    n_heads = x.shape[-1] // 3
    mask = torch.ones(x.shape[:2], dtype=torch.bool)
    matrices = (state[name] for name in MATRICES)
    return multi_head(x, x, *matrices, n_heads, mask, split=split, merge=merge, scale=scale, output=output)[0]


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        while True:
            batch, length, n_heads = draw.sizes(3, 2, 7)
            if 3 * n_heads not in (batch, length):
                break
        d_model = 3 * n_heads
        found.append(
            Case(
                {"x": draw.normal(batch, length, d_model)},
                init={"d_model": d_model, "n_heads": n_heads},
                state={name: draw.normal(d_model, d_model, scale=0.6) for name in MATRICES},
                cotangents=[draw.normal(batch, length, d_model)],
            )
        )
    return found


EXERCISE = Module(
    id="8.5",
    title="The reshape that mixes words",
    bug=True,
    points=3,
    minutes=10,
    difficulty="medium",
    signature="SelfAttention(d_model, n_heads)",
    outputs=(Output("context", ("batch", "length", "d_model")),),
    reference=self_attention,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(SPLIT, MERGE, HEAD_SCALE, MIX),
    together=2,
    forbidden=("MultiheadAttention", "attnbook.nn"),
    hints=(
        "The printed test says that the answers do not follow the words. Which line lets words meet "
        "that should not?",
        "Print `torch.arange(24).view(1, 4, 6)` before and after the split with 3 heads.",
        "There are two places: into heads, and back. Both need a transpose.",
    ),
)
