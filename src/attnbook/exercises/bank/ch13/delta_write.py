"""13.7: the delta rule writes what the state does not know yet."""

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Property, Wrong


def _unit(key):
    return key / key.norm(dim=-1, keepdim=True)


KEY = Mistakes(
    "unit",
    right=_unit,
    raw=Wrong(
        lambda key: key,
        "The key is not brought to length 1. With a longer key even β = 1 overshoots, and what is "
        "read is not "
        "what was written.",
    ),
    sums_to_one=Wrong(
        lambda key: key / key.sum(-1, keepdim=True),
        "The key is divided by the sum of its numbers. Its Euclidean length has to be 1.",
    ),
)
# (value, told) → what is written, before β; `told` is what the state answers to the key.
ERROR = Mistakes(
    "error",
    right=lambda value, told: value - told,
    additive=Wrong(
        lambda value, told: value,
        "The value itself is written, whatever the state knows already: that is linear attention without the "
        "delta rule. Write the difference between the value and what the state answers to the key.",
    ),
    wrong_way=Wrong(
        lambda value, told: told - value,
        "The difference is taken the wrong way round, and each write makes the error larger.",
    ),
    sum=Wrong(
        lambda value, told: value + told,
        "What the state answers is added to the value, where it should be taken off.",
    ),
)
STEP = Mistakes(
    "step",
    right=lambda state, beta, wrote: state + beta[:, None, None] * wrote,
    no_beta=Wrong(
        lambda state, beta, wrote: state + wrote,
        "β is not used. With β = ½ half of the error remains after the write.",
    ),
    decay=Wrong(
        lambda state, beta, wrote: (1 - beta)[:, None, None] * state + beta[:, None, None] * wrote,
        "The whole state shrinks by 1 − β. The delta rule takes away only what stood under this key: "
        "all other "
        "keys keep their values.",
    ),
    replaced=Wrong(
        lambda state, beta, wrote: beta[:, None, None] * wrote,
        "The old state is lost: the correction has to be added to it.",
    ),
)


def delta_write(state, key, value, beta, *, unit=KEY.right, error=ERROR.right, step=STEP.right):
    key = unit(key)
    told = torch.einsum("bvk,bk->bv", state, key)
    wrote = error(value, told)[:, :, None] * key[:, None, :]
    new = step(state, beta, wrote)
    return new, torch.einsum("bvk,bk->bv", new, key)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("plain", "plain", "known"):
        batch, d_v, d_k = draw.sizes(3, 3, 9)
        state, key = draw.normal(batch, d_v, d_k), draw.uniform(batch, d_k, low=0.3, high=1.5)
        value = draw.normal(batch, d_v)
        if kind == "known":
            value = torch.einsum("bvk,bk->bv", state, _unit(key))
        found.append(
            Case(
                {
                    "state": state,
                    "key": key,
                    "value": value,
                    "beta": draw.uniform(batch, low=0.2, high=0.9),
                },
                group="edge" if kind == "known" else "plain",
                note="the state knows the value already" if kind == "known" else "",
            )
        )
    return found


EXERCISE = Function(
    id="13.7",
    title="Write what is missing",
    points=2,
    minutes=12,
    difficulty="medium",
    signature="delta_write(state, key, value, beta)",
    outputs=(Output("new", ("batch", "d_v", "d_k")), Output("recalled", ("batch", "d_v"))),
    reference=delta_write,
    cases=cases,
    mistakes=(KEY, ERROR, STEP),
    together=2,
    tolerance=(2e-4, 2e-5),
    forbidden=("attnbook.nn",),
    properties=(
        Property(
            "What is recalled should be what your new state answers to the key of length 1. It is not.",
            lambda args, outputs: bool(
                (torch.einsum("bvk,bk->bv", outputs["new"], _unit(args["key"])) - outputs["recalled"])
                .abs()
                .max()
                < 1e-3
            ),
        ),
    ),
    hints=(
        'First ask the state: what does it answer to this key, `torch.einsum("bvk,bk->bv", state, key)`?',
        "Write the difference between the value and that answer, times β, under the key.",
        "`state + beta[:, None, None] * (value - told)[:, :, None] * key[:, None, :]`, and then ask again.",
    ),
)
