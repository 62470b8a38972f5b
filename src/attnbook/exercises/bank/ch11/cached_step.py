"""11.8: several new tokens at once, attended with the keys and values of earlier ones."""

import torch

from attnbook.exercises.mistakes import HEAD_SCALE, MERGE, MIX, SPLIT
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# What is attended to, and what is kept: (old, new) → two tensors (batch, n_heads, …, d_head).
CACHE = Mistakes(
    "cache",
    right=lambda old, new: (torch.cat([old, new], dim=2),) * 2,
    before=Wrong(
        lambda old, new: (torch.cat([new, old], dim=2),) * 2,
        "The new keys and values are put in front of the old ones. They come later, so they go to the end.",
    ),
    forgotten=Wrong(
        lambda old, new: (torch.cat([old, new], dim=2), new.clone()),
        "You attend to all keys, and hand back the new ones alone: at the next step the earlier tokens are "
        "lost.",
    ),
    not_grown=Wrong(
        lambda old, new: (torch.cat([old, new], dim=2), old.clone()),
        "You attend to all keys, and hand back the cache as it came in: the next step will not know these "
        "tokens.",
    ),
)
PAST = Mistakes(
    "past",
    right=lambda new, keys: torch.ones(new, keys, dtype=torch.bool).tril(keys - new),
    upper_left=Wrong(
        lambda new, keys: torch.ones(new, keys, dtype=torch.bool).tril(),
        "The causal mask starts in the upper left corner: the first new token may see the first key only, "
        "although all cached keys come before it. With old keys the diagonal moves to the right by their "
        "number.",
    ),
    none=Wrong(
        lambda new, keys: torch.ones(new, keys, dtype=torch.bool),
        "Nothing is masked. With one new token that is right. With several, the first of them attends to "
        "those behind it.",
    ),
    one_late=Wrong(
        lambda new, keys: torch.ones(new, keys, dtype=torch.bool).tril(keys - new - 1),
        "A new token may not attend to itself in your mask: the diagonal lies one place too far to the left.",
    ),
)
VALUES = Mistakes(
    "values",
    right="W_v",
    W_k=Wrong("W_k", "The values are made with W_k as well: they are made with W_v."),
)


def cached_step(
    x, key, value, W_q, W_k, W_v, W_o,
    *, cache=CACHE.right, past=PAST.right, values=VALUES.right, split=SPLIT.right, merge=MERGE.right,
    scale=HEAD_SCALE.right, output=MIX.right,
):  # fmt: skip
    n_heads, d_head = key.shape[1], key.shape[3]
    for_values = {"W_k": W_k, "W_v": W_v}[values]
    q, k, v = (split(x @ W.T, n_heads) for W in (W_q, W_k, for_values))
    keys, kept_keys = cache(key, k)
    values, kept_values = cache(value, v)
    before, after = scale(d_head, d_model=x.shape[-1], n_keys=keys.shape[2])
    scores = q @ keys.mT / before
    mask = past(x.shape[1], keys.shape[2]).expand(scores.shape)
    context = output(merge(masked_softmax(scores, mask) / after @ values), W_o)
    return context, kept_keys, kept_values


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("some", "one", "empty"):
        d_head, n_heads = 3, draw.random.choice([2, 4])
        d_model = d_head * n_heads
        batch, new = draw.random.sample([size for size in (5, 7, 8)], 2)
        if kind == "one":
            new = 1
        past = draw.random.randint(9, 11) if kind != "empty" else 0
        if past + new == d_model:  # no two sizes of one kind
            past += 1
        found.append(
            Case(
                {
                    "x": draw.normal(batch, new, d_model),
                    "key": draw.normal(batch, n_heads, past, d_head),
                    "value": draw.normal(batch, n_heads, past, d_head),
                    **{
                        name: draw.normal(d_model, d_model, scale=0.6)
                        for name in ("W_q", "W_k", "W_v", "W_o")
                    },
                },
                group="edge" if kind == "empty" else "plain",
                note={"some": "several new tokens", "one": "one new token", "empty": "an empty cache"}[kind],
            )
        )
    return found


EXERCISE = Function(
    id="11.8",
    title="Several tokens, and a past",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="cached_step(x, key, value, W_q, W_k, W_v, W_o)",
    outputs=(
        Output("context", ("batch", "new", "d_model")),
        Output("key", ("batch", "n_heads", "keys", "d_head")),
        Output("value", ("batch", "n_heads", "keys", "d_head")),
    ),
    reference=cached_step,
    cases=cases,
    tolerance=(5e-4, 1e-4),
    mistakes=(CACHE, PAST, VALUES, SPLIT, MERGE, HEAD_SCALE, MIX),
    together=2,
    forbidden=("attnbook.nn", "scaled_dot_product_attention", "MultiheadAttention"),
    hints=(
        "Queries, keys and values of the new tokens are (batch, n_heads, new, d_head). The old ones have the "
        "same shape but for their number: join them along `dim=2`.",
        "Query i is token past + i: it may attend to keys 0 to past + i.",
        "`torch.ones(new, keys, dtype=torch.bool).tril(past)`. The rest is multi-head attention: divide by "
        "√d_head, softmax, mix, merge the heads, times W_o.T.",
    ),
)
