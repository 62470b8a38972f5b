"""11.10 (starred): a cache of fixed size, with the first tokens kept and positions counted inside it.

Xiao et al. (2023), "Efficient streaming language models with attention sinks", arXiv 2309.17453, section 3.2.
"""

import torch

from attnbook.exercises.mistakes import KEY_SCALE
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def rotate(x: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
    """Rotary positions: x (batch, length, d), pairs of neighbours, turned by positions (length,)."""
    d = x.shape[-1]
    angle = positions[:, None].float() * 10000 ** (-torch.arange(0, d, 2) / d)
    first, second = x[..., ::2], x[..., 1::2]
    turned = [first * angle.cos() - second * angle.sin(), first * angle.sin() + second * angle.cos()]
    return torch.stack(turned, dim=-1).flatten(-2)


# Which of the n tokens are kept: (n, sinks, window) → their numbers, in order.
KEPT = Mistakes(
    "kept",
    right=lambda n, sinks, window: torch.tensor([i for i in range(n) if i < sinks or i >= n - window]),
    window=Wrong(
        lambda n, sinks, window: torch.arange(max(0, n - window), n),
        "Only the window is kept. The first tokens, the sinks, stay in the cache too.",
    ),
    all=Wrong(
        lambda n, sinks, window: torch.arange(n),
        "All tokens are attended to. Those between the sinks and the window have been dropped.",
    ),
    in_total=Wrong(
        lambda n, sinks, window: torch.tensor([i for i in range(n) if i < sinks or i >= n - window + sinks]),
        "Your window is shorter by the number of sinks. It holds the last `window` tokens, and the sinks "
        "come on top.",
    ),
    twice=Wrong(
        lambda n, sinks, window: torch.cat(
            [torch.arange(min(sinks, n)), torch.arange(max(0, n - window), n)]
        ),
        "When the text is short, sinks and window overlap, and these tokens stand in your cache twice.",
    ),
)
# Positions of the keys, and of the query: (kept, n) → (length,), (1,).
PLACE = Mistakes(
    "place",
    right=lambda kept, n: (torch.arange(len(kept)), torch.tensor([len(kept) - 1])),
    text=Wrong(
        lambda kept, n: (kept, torch.tensor([n - 1])),
        "Positions are those in the text. As the text grows, the distance to the sinks then grows without "
        "end, beyond all that was trained. Count places in the cache.",
    ),
    query_in_text=Wrong(
        lambda kept, n: (torch.arange(len(kept)), torch.tensor([n - 1])),
        "The keys are numbered inside the cache, and the query still stands at its place in the text: both "
        "have to be counted the same way.",
    ),
    query_behind=Wrong(
        lambda kept, n: (torch.arange(len(kept)), torch.tensor([len(kept)])),
        "The query stands one place behind the last key. It belongs to the same token as the last key, and "
        "has its position.",
    ),
    keys_alone=Wrong(
        lambda kept, n: (torch.arange(len(kept)), torch.tensor([0])),
        "The query is not rotated: it stands at position 0 in your code. It has the position of the last "
        "key.",
    ),
    none=Wrong(
        lambda kept, n: (torch.zeros(len(kept)), torch.tensor([0])),
        "Nothing is rotated, so that the order of the tokens plays no part.",
    ),
)
SCALE = KEY_SCALE.only("none", "d_k")


def attend_rolling(
    query, keys, values, sinks, window, *, kept=KEPT.right, place=PLACE.right, scale=SCALE.right
):
    n = keys.shape[1]
    chosen = kept(n, sinks, window)
    of_keys, of_query = place(chosen, n)
    k = rotate(keys[:, chosen], of_keys)
    q = rotate(query[:, None], of_query)
    scores = scale(q @ k.mT, query.shape[-1])  # (batch, 1, kept)
    return (torch.softmax(scores, dim=-1) @ values[:, chosen])[:, 0]


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("long", "long", "short"):
        sinks, window = draw.random.randint(2, 3), draw.random.randint(5, 7)
        n = draw.random.randint(16, 24) if kind == "long" else sinks + window - 2
        batch, d = draw.random.choice([3, 5, 7]), draw.random.choice([4, 6, 8])
        found.append(
            Case(
                {
                    "query": draw.normal(batch, d, scale=2.0),
                    "keys": draw.normal(batch, n, d, scale=1.5),
                    "values": draw.normal(batch, n, d),
                    "sinks": sinks,
                    "window": window,
                },
                group="plain" if kind == "long" else "edge",
                note="a short text" if kind == "short" else "",
            )
        )
    return found


EXERCISE = Function(
    id="11.10",
    title="★ A conversation without end",
    points=4,
    minutes=25,
    difficulty="hard",
    signature="attend_rolling(query, keys, values, sinks, window)",
    outputs=(Output("context", ("batch", "d_head")),),
    reference=attend_rolling,
    cases=cases,
    tolerance=(5e-4, 1e-4),
    mistakes=(KEPT, PLACE, SCALE),
    # Distances alone count: where nothing is dropped in between, cache and text give the same.
    meaningless=(
        (KEPT["window"], PLACE["text"]),
        (KEPT["all"], PLACE["text"]),
        (KEPT["all"], PLACE["query_in_text"]),
    ),
    together=2,
    forbidden=("attnbook.nn", "scaled_dot_product_attention"),
    hints=(
        "Which numbers from 0 to n − 1 are below `sinks`, or at least n − `window`? Each once.",
        "The kept keys stand at positions 0, 1, 2, … of the cache; the query has the position of the last of "
        "them.",
        "`rotate(keys[:, kept], torch.arange(len(kept)))`, `rotate(query[:, None], torch.tensor([len(kept) - "
        "1]))`, then attention with √d.",
    ),
)
