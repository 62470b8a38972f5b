"""13.6: one step of gated linear attention, as a recurrent network takes it."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# (state, gate) → the state after forgetting; state (batch, d_k, d_v), gate (batch, d_k).
FORGET = Mistakes(
    "forget",
    right=lambda state, gate: gate[:, :, None] * state,
    none=Wrong(
        lambda state, gate: state,
        "The gate is not used: nothing is forgotten.",
    ),
    complement=Wrong(
        lambda state, gate: (1 - gate)[:, :, None] * state,
        "You keep 1 − gate. A gate of 1 keeps everything here, and a gate of 0 forgets.",
    ),
    mean=Wrong(
        lambda state, gate: gate.mean(1)[:, None, None] * state,
        "The whole state decays by one number, the average of the gate. Each of the d_k rows has a gate of "
        "its own.",
    ),
    twice=Wrong(
        lambda state, gate: gate[:, :, None] ** 2 * state,
        "The gate is applied twice.",
    ),
)
WRITE = Mistakes(
    "write",
    right=lambda kept, state, key, value, gate: kept + key[:, :, None] * value[:, None, :],
    gated=Wrong(
        lambda kept, state, key, value, gate: kept + gate[:, :, None] * key[:, :, None] * value[:, None, :],
        "What is written in this step is multiplied by the gate as well. The gate is for what was "
        "there before.",
    ),
    replaced=Wrong(
        lambda kept, state, key, value, gate: key[:, :, None] * value[:, None, :],
        "The old state is thrown away: the step has to add to what the gate has left.",
    ),
    average=Wrong(
        lambda kept, state, key, value, gate: (
            kept + (1 - gate)[:, :, None] * key[:, :, None] * value[:, None, :]
        ),
        "You write with 1 − gate, as a GRU does. Here the product of key and value is added as it is.",
    ),
)
# (new, state, query, key) → out.
READ = Mistakes(
    "read",
    right=lambda new, state, query, key: torch.einsum("bk,bkv->bv", query, new),
    before=Wrong(
        lambda new, state, query, key: torch.einsum("bk,bkv->bv", query, state),
        "You read the state before this step wrote to it: a token should see itself.",
    ),
    key=Wrong(
        lambda new, state, query, key: torch.einsum("bk,bkv->bv", key, new),
        "You read with the key. Keys write, queries read.",
    ),
    scaled=Wrong(
        lambda new, state, query, key: torch.einsum("bk,bkv->bv", query, new) / query.shape[1] ** 0.5,
        "Your output is divided by √d_k. There is no softmax here, and the formula has no scale.",
    ),
)


def gated_step(state, query, key, value, gate, *, forget=FORGET.right, write=WRITE.right, read=READ.right):
    new = write(forget(state, gate), state, key, value, gate)
    return new, read(new, state, query, key)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, d_k, d_v = draw.sizes(3, 3, 9)
        found.append(
            Case(
                {
                    "state": draw.normal(batch, d_k, d_v),
                    "query": draw.normal(batch, d_k),
                    "key": draw.normal(batch, d_k),
                    "value": draw.normal(batch, d_v),
                    "gate": draw.uniform(batch, d_k, low=0.1, high=0.9),
                }
            )
        )
    return found


EXERCISE = Function(
    id="13.6",
    title="A step with a gate",
    points=2,
    minutes=10,
    difficulty="medium",
    signature="gated_step(state, query, key, value, gate)",
    outputs=(Output("new", ("batch", "d_k", "d_v")), Output("out", ("batch", "d_v"))),
    reference=gated_step,
    cases=cases,
    mistakes=(FORGET, WRITE, READ),
    meaningless=((FORGET, WRITE["replaced"]),),
    together=2,
    tolerance=(2e-4, 2e-5),
    forbidden=("attnbook.nn",),
    hints=(
        "Three things in this order: forget, write, read.",
        "The gate has one number for each row of the state: `gate[:, :, None] * state`.",
        'Write `key[:, :, None] * value[:, None, :]`; read with `torch.einsum("bk,bkv->bv", query, new)`.',
    ),
)
