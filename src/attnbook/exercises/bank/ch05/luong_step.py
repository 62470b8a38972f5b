"""5.6: a step of Luong's decoder in which the wrong state asks."""

import torch

from attnbook.exercises.cases import PADDED_CASES, padding_mask
from attnbook.exercises.mistakes import MASK
from attnbook.exercises.properties import NOT_NEGATIVE
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

ASKS = Mistakes(
    "asks",
    right=lambda old, new: new,
    old=Wrong(
        lambda old, new: old,
        "The weights come from the state before the update, which does not know the word that was just "
        "read. Luong's decoder updates first and asks afterwards. Everything has the right shape, so "
        "nothing complains.",
    ),
)
JOINED = Mistakes(
    "joined",
    right=lambda old, new: new,
    old=Wrong(
        lambda old, new: old,
        "The context is put beside the old state. The attentional vector joins it with the state that "
        "asked, the new one.",
    ),
)
SQUASH = Mistakes(
    "squash",
    right=torch.tanh,
    none=Wrong(lambda attentional: attentional, "The tanh around W_c [c; h] is gone."),
)


def luong_step(
    word, state, memory, mask, W, W_a, W_c,
    *, asks=ASKS.right, joined=JOINED.right, placed=MASK.right, squash=SQUASH.right,
):  # fmt: skip
    new = torch.tanh(torch.cat([word, state], dim=-1) @ W.T)
    scores = ((asks(state, new) @ W_a)[:, None, :] * memory).sum(-1)
    weights = masked_softmax(scores, mask, placed=placed)
    context = (weights[:, :, None] * memory).sum(1)
    attentional = torch.cat([context, joined(state, new)], dim=-1) @ W_c.T
    return squash(attentional), new, weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded"):
        batch, src, d_word, d_state, d_memory = draw.sizes(5, 3, 9)
        found.append(
            Case(
                {
                    "word": draw.normal(batch, d_word),
                    "state": draw.normal(batch, d_state),
                    "memory": draw.normal(batch, src, d_memory),
                    "mask": padding_mask(draw, kind, batch, src),
                    "W": draw.normal(d_state, d_word + d_state, scale=0.5),
                    "W_a": draw.normal(d_state, d_memory),
                    "W_c": draw.normal(d_state, d_memory + d_state, scale=0.5),
                },
                **PADDED_CASES[kind],
            )
        )
    return found


EXERCISE = Function(
    id="5.6",
    title="The state that asks",
    bug=True,
    points=3,
    minutes=12,
    difficulty="medium",
    signature="luong_step(word, state, memory, mask, W, W_a, W_c)",
    outputs=(
        Output("attentional", ("batch", "d_state")),
        Output("new", ("batch", "d_state")),
        Output("weights", ("batch", "src")),
    ),
    reference=luong_step,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    properties=(NOT_NEGATIVE,),
    mistakes=(ASKS, JOINED, MASK, SQUASH),
    forbidden=("GRUDecoder", "attnbook.nn"),
    hints=(
        "Change the word and watch the weights. Do they move?",
        "Two states are in play. Which of them has read the word?",
        "In Luong's decoder the order is: update, ask, mix, join.",
    ),
)
