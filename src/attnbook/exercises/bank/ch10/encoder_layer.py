"""10.10: an encoder layer, post-norm and pre-norm."""

import math

import torch

from attnbook.exercises.bank.ch10._layers import (
    MATRICES,
    NORM_AFFINE,
    NORM_SPREAD,
    layer_parameters,
    plain_norm,
    wiring_with_attention,
)
from attnbook.exercises.cases import PADDED_CASES, padding_mask
from attnbook.exercises.mistakes import HEAD_SCALE, MASK_OR_NAN, MERGE, MIX, PROJECT, SPLIT
from attnbook.exercises.references import multi_head
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


# Half a layer: rows, sublayer(rows, memory), normal(rows), start(rows, normalised rows) → rows.
def post_norm(rows, sublayer, normal, start):
    return normal(start(rows, rows) + sublayer(rows, rows))


def pre_norm(rows, sublayer, normal, start):
    normalised = normal(rows)
    return start(rows, normalised) + sublayer(normalised, normalised)


def norm_before_the_sum(rows, sublayer, normal, start):
    return start(rows, rows) + normal(sublayer(rows, rows))


def queries_alone(rows, sublayer, normal, start):
    normalised = normal(rows)
    return start(rows, normalised) + sublayer(normalised, rows)


PLACE = Mistakes(
    "place",
    right={"post": post_norm, "pre": pre_norm},
    post=Wrong(
        {"post": post_norm, "pre": post_norm},
        'The layer is post-norm throughout: norm = "pre" changes nothing.',
    ),
    pre=Wrong(
        {"post": pre_norm, "pre": pre_norm},
        'The layer is pre-norm throughout: norm = "post" changes nothing.',
    ),
    exchanged=Wrong(
        {"post": pre_norm, "pre": post_norm},
        "Post and pre are exchanged. Pre: normalise what goes *into* a sublayer. Post: "
        "normalise the sum of shortcut and sublayer.",
    ),
    before_the_sum=Wrong(
        {"post": norm_before_the_sum, "pre": pre_norm},
        "In post-norm, what the sublayer found is normalised before x is added. The sum "
        "comes first, then the normalisation.",
    ),
    queries_alone=Wrong(
        {"post": post_norm, "pre": queries_alone},
        "In pre-norm, the queries are made from the normalised x, keys and values from x as "
        "it is. In self-attention all three come from the normalised x.",
    ),
)
SHORTCUT = Mistakes(
    "shortcut",
    right=lambda half, x, rows, normalised: rows,
    none=Wrong(
        lambda half, x, rows, normalised: 0.0,
        "Both shortcuts are missing: what a sublayer finds is added to what went in.",
    ),
    first_missing=Wrong(
        lambda half, x, rows, normalised: 0.0 if half == 1 else rows,
        "The shortcut around attention is missing.",
    ),
    second_missing=Wrong(
        lambda half, x, rows, normalised: 0.0 if half == 2 else rows,
        "The shortcut around the feed-forward network is missing.",
    ),
    normalised=Wrong(
        lambda half, x, rows, normalised: normalised,
        "In pre-norm, the shortcut starts from the normalised x. It should carry x as it "
        "came in, past the normalisation and the sublayer.",
    ),
    from_the_start=Wrong(
        lambda half, x, rows, normalised: x,
        "The second shortcut starts from the layer's input: what attention found is lost on "
        "the way. It starts from what came out of the first half.",
    ),
)
NORMS = Mistakes(
    "norms",
    right=("1", "2"),
    one=Wrong(("1", "1"), "One normalisation is used twice: the second has a gamma and a beta of its own."),
    exchanged=Wrong(("2", "1"), "The two normalisations are exchanged: number 1 belongs to attention."),
)
FEED = Mistakes(
    "feed",
    right=lambda x, W_1, b_1, W_2, b_2: torch.relu(x @ W_1.T + b_1) @ W_2.T + b_2,
    no_relu=Wrong(
        lambda x, W_1, b_1, W_2, b_2: (x @ W_1.T + b_1) @ W_2.T + b_2,
        "The feed-forward network has no ReLU. Two matrices one after the other are no more than one matrix.",
    ),
    relu_last=Wrong(
        lambda x, W_1, b_1, W_2, b_2: torch.relu((x @ W_1.T + b_1) @ W_2.T + b_2),
        "The ReLU comes at the end of the feed-forward network, so that it can only add. It "
        "stands between W_1 and W_2.",
    ),
    no_biases=Wrong(
        lambda x, W_1, b_1, W_2, b_2: torch.relu(x @ W_1.T) @ W_2.T,
        "The constants b_1 and b_2 of the feed-forward network are not used.",
    ),
)
CUT = SPLIT.only("at_once")
TURNED = PROJECT.only("turned")
PLACED = MASK_OR_NAN.also(
    queries=Wrong(
        lambda scores, mask, empty, dim: torch.softmax(scores, dim) * mask.mT,
        "The mask strikes out rows instead of columns: padding asks nothing, and is still "
        "looked at by the words. The mask (batch, length) has to lie along the keys.",
    ),
    queries_nan=Wrong(
        lambda scores, mask, empty, dim: torch.softmax(scores, dim).masked_fill(~mask.mT, math.nan),
        "The mask strikes out whole rows, and the softmax over nothing gives NaN. It has to "
        "lie along the keys, the last axis of the scores.",
    ),
)
OUTPUT = MIX.reworded(none="W_o is missing: the heads are put side by side and not mixed.")
PADDING = Mistakes(
    "padding",
    right=lambda result, mask: result,
    zeroed=Wrong(
        lambda result, mask: result * mask[:, :, None],
        "Rows of padding are set to 0 at the end. They go through the layer like all others; "
        "the mask keeps them from being looked at, and that is enough.",
    ),
)


def encoder_layer(
    x, mask, parameters, n_heads, norm,
    *, place=PLACE.right, shortcut=SHORTCUT.right, norms=NORMS.right, feed=FEED.right, split=CUT.right,
    scale=HEAD_SCALE.right, placed=PLACED.right, output=OUTPUT.right, spread=NORM_SPREAD.right,
    padding=PADDING.right, project=TURNED.right, merge=MERGE.right, affine=NORM_AFFINE.right,
):  # fmt: skip
    p = parameters

    def attend(rows, memory):
        matrices = (p[name] for name in MATRICES)
        options = {"split": split, "scale": scale, "placed": placed, "output": output}
        options |= {"project": project, "merge": merge}
        return multi_head(rows, memory, *matrices, n_heads, mask, **options)[0]

    def feed_forward(rows, _):
        return feed(rows, p["W_1"], p["b_1"], p["W_2"], p["b_2"])

    rows = x
    for half, (which, sublayer) in enumerate(zip(norms, (attend, feed_forward), strict=True), start=1):
        rows = place[norm](
            rows,
            sublayer,
            lambda t, which=which: plain_norm(t, p[f"gamma_{which}"], p[f"beta_{which}"], spread, affine),
            lambda rows, normalised, half=half: shortcut(half, x, rows, normalised),
        )
    return padding(rows, mask)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind, norm in (("full", "post"), ("full", "pre"), ("padded", "post"), ("padded", "pre")):
        while True:
            batch, length, n_heads, d_head, d_ff = draw.sizes(5, 3, 8)
            d_model = n_heads * d_head
            if d_model not in (batch, length):
                break
        parameters = {
            **layer_parameters(draw, d_model, ("_1", "_2")),
            "W_1": draw.normal(d_ff, d_model, scale=d_model**-0.5),
            "b_1": draw.normal(d_ff, scale=0.5),
            "W_2": draw.normal(d_model, d_ff, scale=d_ff**-0.5),
            "b_2": draw.normal(d_model, scale=0.5),
        }
        found.append(
            Case(
                {
                    "x": draw.normal(batch, length, d_model, scale=1.5) + 0.3,
                    "mask": padding_mask(draw, kind, batch, length),
                    "parameters": parameters,
                    "n_heads": n_heads,
                    "norm": norm,
                },
                group=PADDED_CASES[kind]["group"],
                note=f"{PADDED_CASES[kind]['note']}, {norm}-norm",
            )
        )
    return found


EXERCISE = Function(
    id="10.10",
    title="★ A whole encoder layer",
    points=6,
    minutes=30,
    difficulty="hard",
    signature="encoder_layer(x, mask, parameters, n_heads, norm)",
    outputs=(Output("x", ("batch", "length", "d_model")),),
    reference=encoder_layer,
    cases=cases,
    tolerance=(5e-4, 1e-4),
    mistakes=(
        PLACE,
        SHORTCUT,
        NORMS,
        FEED,
        CUT,
        HEAD_SCALE,
        PLACED,
        OUTPUT,
        NORM_SPREAD,
        PADDING,
        TURNED,
        MERGE,
        NORM_AFFINE,
    ),
    together=2,
    possible=lambda switches: (
        wiring_with_attention(switches)
        and not (len(switches) == 2 and {"project", "merge", "affine"} & set(switches))
    ),
    forbidden=(
        "scaled_dot_product_attention",
        "MultiheadAttention",
        "LayerNorm",
        "EncoderLayer",
        "TransformerEncoderLayer",
        "attnbook.nn",
    ),
    hints=(
        "Write it for post-norm first: attention (8.4 without the weights), add x, normalise (10.2, "
        "epsilon = 1e-5), feed-forward, add, normalise. Half of the inputs ask for that.",
        "The feed-forward network is `torch.relu(x @ W_1.T + b_1) @ W_2.T + b_2`.",
        "Pre-norm: x = x + attention(norm_1(x)), then x = x + feed_forward(norm_2(x)); nothing after the "
        "sums.",
        "Both sublayers go the same way: a small function inside, join(x, sublayer, gamma, beta), saves "
        "writing it twice.",
    ),
)
