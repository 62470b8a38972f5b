"""10.8: a decoder's question to the source sentence, with its normalisation and its shortcut."""

import torch

from attnbook.exercises.bank.ch10._layers import (
    NORM_AFFINE,
    NORM_SPREAD,
    head_sizes,
    layer_parameters,
    plain_norm,
    wiring_with_attention,
)
from attnbook.exercises.cases import PADDED_CASES, padding_mask
from attnbook.exercises.mistakes import HEAD_SCALE, MASK_OR_NAN, MERGE, MIX, PROJECT, SPLIT
from attnbook.exercises.references import multi_head
from attnbook.exercises.spec import Case, Draw, Mistakes, Module, Output, Wrong

ASKS = Mistakes(
    "asks",
    right=lambda query, memory, mask: (memory, mask),
    itself=Wrong(
        # The mask of the source does not fit here, so that it is left out.
        lambda query, memory, mask: (query, torch.ones(query.shape[:2], dtype=torch.bool)),
        "Keys and values come from the target sentence: that is self-attention once more. "
        "They have to come from the memory, which is all that the decoder ever learns of "
        "the source.",
    ),
)
VALUES = Mistakes(
    "values",
    right="W_v",
    W_k=Wrong("W_k", "The keys' table is used for the values as well: values are made with W_v."),
)
NORMALISED = Mistakes(
    "normalised",
    right=("x",),
    none=Wrong((), "x is not normalised: the queries are made from x as it comes in."),
    both=Wrong(
        ("x", "memory"),
        "The memory is normalised with the target's gamma and beta as well. The encoder has "
        "normalised it already, at its end; only x is normalised here.",
    ),
    memory=Wrong(("memory",), "The memory is normalised, and x is not. It should be the other way round."),
    after=Wrong(
        ("sum",),
        "The normalisation stands after the sum: that is post-norm. Here it stands before "
        "attention, and the sum is left as it is.",
    ),
)
SHORTCUT = Mistakes(
    "shortcut",
    right=lambda x, query, context: x + context,
    none=Wrong(
        lambda x, query, context: context,
        "The shortcut is missing: x has to be added to what attention found.",
    ),
    normalised=Wrong(
        lambda x, query, context: query + context,
        "The shortcut starts from the normalised x. It should carry x as it came in, past "
        "the normalisation and attention.",
    ),
    twice=Wrong(lambda x, query, context: 2 * x + context, "x is added twice."),
)
CUT = SPLIT.only("at_once")
TURNED = PROJECT.only("turned")


def cross_attention(
    state, x, memory, mask,
    *, asks=ASKS.right, values=VALUES.right, normalised=NORMALISED.right, shortcut=SHORTCUT.right,
    placed=MASK_OR_NAN.right, scale=HEAD_SCALE.right, split=CUT.right, spread=NORM_SPREAD.right,
    project=TURNED.right, merge=MERGE.right, output=MIX.right, affine=NORM_AFFINE.right,
):  # fmt: skip
    def norm(rows, name):
        return plain_norm(rows, state["gamma"], state["beta"], spread, affine) if name in normalised else rows

    # Heads are not in the state: the module knows them from its constructor, and here d_head is always 3.
    n_heads = x.shape[-1] // 3
    query = norm(x, "x")
    memory, mask = asks(query, norm(memory, "memory"), mask)
    matrices = (state["W_q"], state["W_k"], state[values], state["W_o"])
    options = {"split": split, "scale": scale, "placed": placed, "project": project, "merge": merge}
    context, weights = multi_head(query, memory, *matrices, n_heads, mask, output=output, **options)
    return norm(shortcut(x, query, context), "sum"), weights


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("full", "padded", "padded"):
        while True:
            (batch, tgt, src), n_heads = head_sizes(draw, 3)
            if src > 2:  # padding needs room
                break
        d_model = 3 * n_heads
        found.append(
            Case(
                {
                    "x": draw.normal(batch, tgt, d_model, scale=1.5) + 0.5,
                    "memory": draw.normal(batch, src, d_model) + 0.3,
                    "mask": padding_mask(draw, kind, batch, src),
                },
                **PADDED_CASES[kind],
                init={"d_model": d_model, "n_heads": n_heads},
                state=layer_parameters(draw, d_model, ("",)),
                cotangents=[draw.normal(batch, tgt, d_model), draw.normal(batch, n_heads, tgt, src)],
            )
        )
    return found


EXERCISE = Module(
    id="10.8",
    title="Asking the other sentence",
    points=4,
    minutes=20,
    difficulty="hard",
    signature="CrossAttention(d_model, n_heads)",
    outputs=(
        Output("x", ("batch", "tgt", "d_model")),
        Output("weights", ("batch", "n_heads", "tgt", "src")),
    ),
    reference=cross_attention,
    cases=cases,
    tolerance=(5e-4, 1e-4),
    mistakes=(
        *(ASKS, VALUES, NORMALISED, SHORTCUT, MASK_OR_NAN, HEAD_SCALE, CUT, NORM_SPREAD),
        *(TURNED, MERGE, MIX, NORM_AFFINE),
    ),
    together=2,
    possible=lambda switches: (
        wiring_with_attention(switches)
        and not (len(switches) == 2 and {"project", "merge", "output", "affine"} & set(switches))
    ),
    forbidden=("scaled_dot_product_attention", "MultiheadAttention", "LayerNorm", "attnbook.nn"),
    hints=(
        "One line of the layer: x + attention(norm(x), memory). Only the queries come from x.",
        "Queries are (batch, n_heads, tgt, d_head), keys and values (batch, n_heads, src, d_head). The "
        "mask (batch, src) needs two more axes: `mask[:, None, None, :]`.",
        "norm(x) is 10.2 with epsilon = 1e-5; the rest is 8.4. Return x + merged @ W_o.T and the weights.",
    ),
)
