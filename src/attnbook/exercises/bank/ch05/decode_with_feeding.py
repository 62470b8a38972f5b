"""5.9: input feeding, the attentional vector in the next step's input."""

import torch

from attnbook.exercises.bank.ch05 import luong_step
from attnbook.exercises.mistakes import softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

FEED = Mistakes(
    "feed",
    right=lambda attentional, state, context: attentional,
    nothing=Wrong(
        lambda attentional, state, context: torch.zeros_like(attentional),
        "Nothing is fed: the place of h̃ in the input stays zero at every step, so the next state never "
        "hears of the context.",
    ),
    state=Wrong(
        lambda attentional, state, context: state,
        "You feed the plain state h. It goes into the update anyway; what has to be fed is the attentional "
        "vector h̃, which holds the context too.",
    ),
    context=Wrong(
        lambda attentional, state, context: context,
        "You feed the context c. The paper feeds the attentional vector h̃.",
    ),
)
START = Mistakes(
    "start",
    right=torch.zeros_like,
    state=Wrong(
        lambda first: first,
        "Before the first word you feed the first state. Nothing was looked at yet, so the fed vector "
        "starts as zeros.",
    ),
)
ASKS = luong_step.ASKS.reworded(
    old="The weights come from the state before the update. Update first, then ask."
)
CARRY = Mistakes(
    "carry",
    right=lambda state, attentional: state,
    attentional=Wrong(
        lambda state, attentional: attentional,
        "The attentional vector takes the state's place in the next update. The state goes on as h; h̃ "
        "comes in beside it.",
    ),
)
ORDER = Mistakes(
    "order",
    right=lambda context, state: [context, state],
    state_first=Wrong(
        lambda context, state: [state, context],
        "Context and state have changed places: W_c expects [c; h], the context first.",
    ),
)


def decode_with_feeding(
    words, first, memory, W, W_c,
    *, feed=FEED.right, start=START.right, asks=ASKS.right, carry=CARRY.right, order=ORDER.right,
):  # fmt: skip
    state, fed = first, start(first)
    written = []
    for word in words.unbind(1):
        new = torch.tanh(torch.cat([word, fed, state], dim=-1) @ W.T)
        weights = softmax((memory @ asks(state, new)[:, :, None]).squeeze(-1))
        context = (weights[:, :, None] * memory).sum(1)
        attentional = torch.tanh(torch.cat(order(context, new), dim=-1) @ W_c.T)
        written.append(attentional)
        fed = feed(attentional, new, context)
        state = carry(new, attentional)
    return torch.stack(written, dim=1)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, tgt, src, d_word, d = draw.sizes(5, 3, 8)
        found.append(
            Case(
                {
                    "words": draw.normal(batch, tgt, d_word),
                    "first": torch.tanh(draw.normal(batch, d)),
                    "memory": draw.normal(batch, src, d),
                    "W": draw.normal(d, d_word + 2 * d, scale=0.5),
                    "W_c": draw.normal(d, 2 * d, scale=0.5),
                }
            )
        )
    return found


EXERCISE = Function(
    id="5.9",
    title="Tell the next step where you looked",
    points=3,
    minutes=18,
    difficulty="hard",
    signature="decode_with_feeding(words, first, memory, W, W_c)",
    outputs=(Output("attentional", ("batch", "tgt", "d")),),
    reference=decode_with_feeding,
    cases=cases,
    tolerance=(1e-4, 5e-5),
    mistakes=(FEED, START, ASKS, CARRY, ORDER),
    meaningless=((CARRY["attentional"], FEED["state"]),),
    forbidden=("GRUDecoder", "attnbook.nn"),
    hints=(
        "Keep two things from step to step: `state` and `fed`. The second starts as zeros.",
        "A step: state from [word; fed; state], weights from `memory` and the new state, context, "
        "attentional vector from [context; state].",
        "At the end of the step `fed = attentional`. Collect the attentional vectors and stack them.",
    ),
)
