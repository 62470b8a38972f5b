"""9.7: a cache of keys in a model with rotary positions."""

import torch

from attnbook.exercises.bank.ch09._pairs import angles, even_size
from attnbook.exercises.bank.ch09.rotate import turn
from attnbook.exercises.mistakes import KEY_SCALE
from attnbook.exercises.references import masked_softmax
from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong

# Where a key stands: step t (steps, 1) and cached word j (cached,) → (steps, cached).
KEY_PLACE = Mistakes(
    "key_place",
    right=lambda t, j: j + 0 * t,
    zero=Wrong(
        lambda t, j: 0 * (j + t),
        "Every key is turned as if it were the first word, which is to say not turned at all. Then the score "
        "does not depend on how far away the key is.",
    ),
    again=Wrong(
        lambda t, j: j * (t - j + 1),
        "The whole cache is turned again at each step, so an old key has turned many times over. A key is "
        "turned once, when it comes in.",
    ),
)
QUERY_PLACE = Mistakes(
    "query_place",
    right=lambda t: t,
    zero=Wrong(
        lambda t: 0 * t,
        "Every query is turned as if it were the first word, which is to say not turned at all. It stands at "
        "step t, like the key that comes in with it.",
    ),
    ahead=Wrong(
        lambda t: t + 1,
        "The query is turned one position too far: the cache is already one longer when its length is "
        "read. A word is at distance 0 from itself.",
    ),
)
VALUES = Mistakes(
    "values",
    right=lambda value, j: value,
    turned=Wrong(
        lambda value, j: turn(value, angles(j, value.shape[-1])),
        "The values are turned, too. Position should decide who is looked at, not what is brought back: "
        "queries and keys alone are turned.",
    ),
)


def cached_attention(
    query, key, value,
    *, key_place=KEY_PLACE.right, query_place=QUERY_PLACE.right, values=VALUES.right, scale=KEY_SCALE.right,
):  # fmt: skip
    length, d_head = query.shape[1:]
    t, j = torch.arange(length)[:, None], torch.arange(length)  # steps, cached words
    k = turn(key[:, None], angles(key_place(t, j), d_head))  # (batch, steps, cached, d_head)
    q = turn(query, angles(query_place(t[:, 0]), d_head)).unsqueeze(-2)  # (batch, steps, 1, d_head)
    scores = scale((q * k).sum(-1), d_head)
    return masked_softmax(scores, j <= t) @ values(value, j)


def cases(draw: Draw) -> list[Case]:
    found = []
    for _ in range(3):
        batch, length = draw.random.randint(2, 4), draw.random.randint(5, 9)
        d_head = even_size(draw, batch, length)
        d_v = even_size(draw, batch, length, d_head)
        found.append(
            Case(
                {
                    "query": draw.normal(batch, length, d_head, scale=1.5),
                    "key": draw.normal(batch, length, d_head),
                    "value": draw.normal(batch, length, d_v),
                }
            )
        )
    return found


EXERCISE = Function(
    id="9.7",
    title="The cache that forgets where it is",
    bug=True,
    points=3,
    minutes=12,
    difficulty="medium",
    signature="cached_attention(query, key, value)",
    outputs=(Output("context", ("batch", "length", "d_v")),),
    reference=cached_attention,
    cases=cases,
    tolerance=(1e-4, 1e-4),
    mistakes=(KEY_PLACE, QUERY_PLACE, VALUES, KEY_SCALE),
    together=2,
    forbidden=("attnbook.nn",),
    hints=(
        "The first word comes out right, and the others do not. What is the same for the first word in "
        "both ways?",
        "`turn` has a `start`. Look at each place where it is called.",
        "At step t the cache holds the keys of positions 0 to t − 1. At which position does the new key "
        "stand?",
    ),
)
