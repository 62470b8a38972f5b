"""9.5: the bias of ALiBi, whatever the number of heads."""

import math

import torch

from attnbook.exercises.spec import Case, Draw, Function, Mistakes, Output, Wrong


def slopes_of(n, first=1):
    """2^(−8h/n) for n heads h, counted from ``first``."""
    return [2 ** (-8 * h / n) for h in range(first, n + first)]


def power_below(n_heads):
    """The largest power of 2 that is not above ``n_heads``."""
    return 2 ** math.floor(math.log2(n_heads))


def power_above(n_heads):
    """The smallest power of 2 that is not below ``n_heads``."""
    return 2 ** math.ceil(math.log2(n_heads))


def filled_up(n_heads, first=1, between=0):
    """The slopes of the power below, and every other one of the next power, beginning with ``between``."""
    power = power_below(n_heads)
    return slopes_of(power, first) + slopes_of(2 * power, first)[between::2][: n_heads - power]


SLOPES = Mistakes(
    "slopes",
    right=lambda n_heads: filled_up(n_heads),
    reversed=Wrong(
        lambda n_heads: filled_up(n_heads)[::-1],
        "The slopes stand in reverse order. The first head has the steepest and sees least far; the last "
        "has 2^(−8), for a power of 2.",
    ),
    from_0=Wrong(
        lambda n_heads: filled_up(n_heads, first=0),
        "The heads are counted from 0, so the first slope is 1. It is 2^(−8/n): the exponent of head h "
        "counted from 0 is −8(h + 1)/n.",
    ),
    eight=Wrong(
        lambda n_heads: [2.0**-h for h in range(1, n_heads + 1)],
        "The slopes are 1/2, 1/4, 1/8, … whatever the number of heads. That is the paper's example for 8 "
        "heads; for n heads the exponents go in steps of 8/n.",
    ),
    any_n=Wrong(
        lambda n_heads: slopes_of(n_heads),
        "2^(−8h/n) is used for every number of heads. When n is no power of 2, take all slopes of the "
        "power below, and fill up from the power above.",
    ),
    power_above=Wrong(
        lambda n_heads: slopes_of(power_above(n_heads))[:n_heads],
        "When n is no power of 2, you take the first n slopes of the power above. All slopes of the power "
        "*below* come first, then every other one of the power above.",
    ),
    twice=Wrong(
        lambda n_heads: filled_up(n_heads, between=1),
        "The slopes that fill up are ones that are there already. Of the power above take the first, the "
        "third, the fifth: those lie in between.",
    ),
)
DISTANCE = Mistakes(
    "distance",
    right=lambda i, j: -(i - j).abs(),
    bonus=Wrong(
        lambda i, j: (i - j).abs(),
        "Distance raises your scores. It should lower them: at distance 0 the bias is 0, and everywhere "
        "else it is below 0.",
    ),
    signed=Wrong(
        lambda i, j: j - i,
        "Keys after the query get a bonus. What counts is how far, not to which side: |i − j|.",
    ),
    key_place=Wrong(
        lambda i, j: j.expand(len(i), len(j)),
        "The slope is multiplied with the key's position, not with the distance. Under a causal softmax that "
        "is the same, since a constant for each query cancels; the bias that was asked for is −slope · "
        "|i − j|.",
    ),
    clamped=Wrong(
        lambda i, j: (j - i).clamp(max=0),
        "Keys after the query cost nothing. Under a causal mask nobody would notice; here both directions "
        "count.",
    ),
)
# Where the first query and the first key stand.
BEGIN = Mistakes(
    "begin",
    right=lambda start: (start, 0),
    keys=Wrong(
        lambda start: (0, start),
        "`start` is added to the keys. It is the first *query* that stands at position `start`; the "
        "keys begin "
        "at 0, since the words before it are among them.",
    ),
    at_0=Wrong(
        lambda start: (0, 0),
        "Query 0 is taken for the first word. It stands at position `start`; keys stand at 0, 1, 2, …",
    ),
)


def alibi(n_heads, queries, keys, start, *, slopes=SLOPES.right, distance=DISTANCE.right, begin=BEGIN.right):
    first_query, first_key = begin(start)
    i = torch.arange(queries)[:, None] + first_query
    j = torch.arange(keys) + first_key
    return torch.tensor(slopes(n_heads))[:, None, None] * distance(i, j)


def cases(draw: Draw) -> list[Case]:
    found = []
    for kind in ("power", "power", "other", "other", "later"):
        n_heads = {
            "power": draw.random.choice([2, 4] if not found else [8, 16]),
            "other": draw.random.choice([3, 6] if len(found) < 3 else [5, 7, 12]),
            "later": draw.random.choice([4, 8]),
        }[kind]
        start = draw.random.randint(2, 5) if kind == "later" else 0
        while True:
            queries, extra = draw.random.randint(3, 9), draw.random.randint(2, 7)
            keys = start + queries + extra
            if len({n_heads, queries, keys}) == 3:
                break
        found.append(
            Case(
                {"n_heads": n_heads, "queries": queries, "keys": keys, "start": start},
                group={"power": "plain", "other": "edge", "later": "edge"}[kind],
                note={
                    "power": "the number of heads is a power of 2",
                    "other": "the number of heads is no power of 2",
                    "later": "the first query is not the first word",
                }[kind],
            )
        )
    return found


EXERCISE = Function(
    id="9.5",
    title="The price of distance",
    points=3,
    minutes=15,
    difficulty="medium",
    signature="alibi(n_heads, queries, keys, start)",
    outputs=(Output("bias", ("n_heads", "queries", "keys")),),
    reference=alibi,
    cases=cases,
    mistakes=(SLOPES, DISTANCE, BEGIN),
    together=2,
    meaningless=((DISTANCE["key_place"], BEGIN),),
    forbidden=("attnbook.nn",),
    hints=(
        "Two tables: the slopes (n_heads,), and the distances (queries, keys). Their product needs two "
        "more axes: `slopes[:, None, None]`.",
        "`power = 2 ** math.floor(math.log2(n_heads))` is the largest power of 2 that is not above n_heads.",
        "A helper `of(n)` that lists 2^(−8/n), 2^(−16/n), …, 2^(−8); then `of(power)` and the first few "
        "of `of(2 * power)[0::2]`. Distances: `(i - j).abs()`, with i beginning at `start`.",
    ),
)
