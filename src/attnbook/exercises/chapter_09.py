"""Exercises of chapter 9, positions."""

from __future__ import annotations

import itertools
import math

import torch

from attnbook.exercises.by_strings import Axis, Exercise
from attnbook.exercises.chapter_02 import NO_SCALE, SCALE_BY_D, masked_softmax
from attnbook.exercises.spec import Case, Draw, Nearby, Output, Property

TRAINED, WIDE = 32, 128  # 9.3: positions seen in training, and d_model

ANGLE_I = (
    "The exponent of the angles is i/d. It is 2i/d, with i counting the pairs: 0, 1, 2, …; your slowest pair "
    "turns too fast."
)
ANGLE_ONE_UP = (
    "The pairs are counted from 1. With i from 0, the first pair has the exponent 0 and turns by 1 radian a "
    "position."
)
PAIRS_HALVES = (
    "A number is paired with the one half a row further on: 0 with d/2, 1 with d/2 + 1. Here pairs are "
    "neighbours, (0, 1), (2, 3), …. Both ways are in use, and what was trained with one does not work with "
    "the other."
)


def _even(draw: Draw, *others: int, low: int = 4, high: int = 12) -> int:
    """An even size from low to high that is none of the others."""
    return draw.random.choice([size for size in range(low, high + 1, 2) if size not in others])


def angles(positions: torch.Tensor, size: int, *, exponent="2i", base=10000.0) -> torch.Tensor:
    """``positions · base^(−2i / size)`` for the pairs i, float64: (…, size / 2)."""
    i = torch.arange(size // 2, dtype=torch.float64)
    power = {
        "2i": 2 * i / size,
        "i": i / size,
        "from 1": 2 * (i + 1) / size,
        "to the end": 2 * i / (size - 2),
        "one": 0 * i,
        "odd columns": (2 * i + 1) / size,
    }[exponent]
    return positions.to(torch.float64).unsqueeze(-1) / base**power


def turn(x, angle, *, pairs="neighbours", direction="forwards", angle_order="pairs"):
    """Turn each pair of the last axis by its angle, (…, size / 2)."""
    if direction == "back":
        angle = -angle
    if pairs == "halves":
        first, second = x.chunk(2, dim=-1)
    else:
        first, second = x[..., 0::2], x[..., 1::2]
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    if angle_order == "concatenated":  # column c gets the angle of pair c modulo size / 2
        cos, sin = torch.cat([cos, cos], dim=-1), torch.cat([sin, sin], dim=-1)
        new_first = first * cos[..., 0::2] - second * sin[..., 0::2]
        new_second = first * sin[..., 1::2] + second * cos[..., 1::2]
    else:
        new_first, new_second = first * cos - second * sin, first * sin + second * cos
    if pairs == "halves":
        return torch.cat([new_first, new_second], dim=-1)
    return torch.stack([new_first, new_second], dim=-1).flatten(-2)


# 9.2


def sinusoids(
    length, d_model, start, *, layout="sin cos", exponent="2i", base="10000", first="0", begin="start"
):
    begins = (0 if begin == "ignored" else start) + (1 if first == "1" else 0)
    position, number = torch.arange(begins, begins + length), float(base)
    each = ("2i", "odd columns") if exponent == "column" else (exponent, exponent)
    sin = angles(position, d_model, exponent=each[0], base=number).sin()
    cos = angles(position, d_model, exponent=each[1], base=number).cos()
    if layout == "halves":
        return torch.cat([sin, cos], dim=-1).float()
    parts = [cos, sin] if layout == "cos sin" else [sin, cos]
    return torch.stack(parts, dim=-1).flatten(-2).float()


def sinusoid_cases(draw: Draw) -> list[Case]:
    cases = []
    for later in (False, False, True, True):
        length = draw.random.randint(5, 14)
        d_model = _even(draw, length)
        start = draw.random.randint(3, 40) if later else 0
        cases.append(
            Case(
                {"length": length, "d_model": d_model, "start": start},
                group="edge" if later else "plain",
                note=f"the first row is position {start}" if later else "the first row is position 0",
            )
        )
    return cases


# 9.3


def unfinished(turn_is: float = 2 * math.pi, step: int = 2) -> int:
    """How many of the pairs stay below ``turn_is`` radians over the positions seen in training."""
    fastest_first = [10000 ** (-step * i / WIDE) for i in range(WIDE // 2)]
    return sum((TRAINED - 1) * speed < turn_is for speed in fastest_first)


# 9.4


def move_on(encoding, k, *, direction="forwards", pairs="neighbours", exponent="2i", how="turned"):
    d_model = encoding.shape[-1]
    if how == "added":
        return encoding + sinusoids(1, d_model, k)
    angle = angles(torch.tensor([k]), d_model, exponent=exponent)
    if direction == "plus":
        cos, sin = angle.cos().float(), angle.sin().float()
        if pairs == "halves":
            a, b = encoding.chunk(2, dim=-1)
            return torch.cat([a * cos + b * sin, b * cos + a * sin], dim=-1)
        a, b = encoding[..., 0::2], encoding[..., 1::2]
        return torch.stack([a * cos + b * sin, b * cos + a * sin], dim=-1).flatten(-2)
    # (sin, cos) lies mirrored against (cos, sin): forwards in position is a turn by minus the angle
    mirrored = "forwards" if direction == "back" else "back"
    return turn(encoding, angle, pairs=pairs, direction=mirrored)


def move_cases(draw: Draw) -> list[Case]:
    cases = []
    for back in (False, False, True):
        rows = draw.random.randint(3, 9)
        d_model = _even(draw, rows)
        position = draw.integers(rows, high=60) + 10
        angle = angles(position, d_model)
        table = torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(-2).float()
        k = draw.random.randint(2, 9)
        cases.append(
            Case(
                {"encoding": table, "k": -k if back else k},
                group="edge" if back else "plain",
                note="k is below 0: back, not on" if back else "",
            )
        )
    return cases


def _pairs_keep_length(args, outputs) -> bool:
    moved = outputs["moved"].unflatten(-1, (-1, 2))
    return bool((moved.square().sum(-1) - 1).abs().max() < 1e-3)


# 9.5


def slopes(n_heads, *, rule="paper"):
    power = 2 ** math.floor(math.log2(n_heads))
    if rule == "any n":
        return [2 ** (-8 * (h + 1) / n_heads) for h in range(n_heads)]
    if rule == "eight":
        return [2.0 ** -(h + 1) for h in range(n_heads)]
    if rule == "power above":
        above = power if power == n_heads else 2 * power
        return [2 ** (-8 * (h + 1) / above) for h in range(n_heads)]
    from_zero = rule == "from 0"
    found = [2 ** (-8 * (h + (not from_zero)) / power) for h in range(power)]
    between = range(1, 2 * power, 2) if rule == "twice" else range(0, 2 * power, 2)
    found += [2 ** (-8 * (h + (not from_zero)) / (2 * power)) for h in between][: n_heads - power]
    return found[::-1] if rule == "reversed" else found


def alibi(n_heads, queries, keys, start, *, rule="paper", distance="absolute", begin="start"):
    i = torch.arange(queries)[:, None] + (0 if begin == "ignored" else start)
    j = torch.arange(keys)
    gap = {
        "absolute": -(i - j).abs(),
        "bonus": (i - j).abs(),
        "signed": j - i,
        "clamped": (j - i).clamp(max=0),
    }[distance]
    return torch.tensor(slopes(n_heads, rule=rule))[:, None, None] * gap


def alibi_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("power", "power", "other", "other", "later"):
        n_heads = {
            "power": draw.random.choice([2, 4] if not cases else [8, 16]),
            "other": draw.random.choice([3, 6] if len(cases) < 3 else [5, 7, 12]),
            "later": draw.random.choice([4, 8]),
        }[kind]
        start = draw.random.randint(2, 5) if kind == "later" else 0
        while True:
            queries, extra = draw.random.randint(3, 9), draw.random.randint(2, 7)
            keys = start + queries + extra
            if len({n_heads, queries, keys}) == 3:
                break
        cases.append(
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
    return cases


# 9.6


def rotate(
    x, positions, *, pairs="neighbours", direction="forwards", exponent="2i", order="pairs", place="given"
):
    if place == "counted":
        positions = torch.arange(x.shape[2]).expand(positions.shape)
    elif place == "first":
        positions = positions[:1].expand(positions.shape)
    angle = angles(positions, x.shape[-1], exponent=exponent).unsqueeze(1)  # (batch, 1, length, d_head / 2)
    if place == "heads":
        angle = angles(torch.arange(x.shape[1]), x.shape[-1], exponent=exponent).unsqueeze(1)
    return turn(x, angle, pairs=pairs, direction=direction, angle_order=order)


def rotate_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("counted", "counted", "padded", "anywhere"):
        batch, n_heads, length = draw.sizes(3, 2, 9)
        while length < 3:
            batch, n_heads, length = draw.sizes(3, 2, 9)
        d_head = _even(draw, batch, n_heads, length)
        positions = torch.arange(length).repeat(batch, 1)
        if kind == "padded":  # the words of shorter sentences stand at the right
            empty = [0, 2, *(draw.random.randrange(length - 1) for _ in range(batch - 2))]
            draw.random.shuffle(empty)
            positions = (positions - torch.tensor(empty)[:, None]).clamp(min=0)
        elif kind == "anywhere":
            positions = draw.integers(batch, length, high=40)
        cases.append(
            Case(
                {"x": draw.normal(batch, n_heads, length, d_head), "positions": positions},
                group={"counted": "plain", "padded": "mask", "anywhere": "edge"}[kind],
                note={
                    "counted": "each sentence stands at positions 0, 1, 2, …",
                    "padded": "short sentences are padded on the left, and their first word is position 0",
                    "anywhere": "positions in any order",
                }[kind],
            )
        )
    return cases


def _rows_keep_length(args, outputs) -> bool:
    return torch.allclose(outputs["turned"].norm(dim=-1), args["x"].norm(dim=-1), rtol=1e-3, atol=1e-4)


# 9.7


def cached_attention(
    query, key, value, *, key_place="its own", query_place="its own", values="as they are", scale="root"
):
    length, d_head = query.shape[1:]
    t, j = torch.arange(length)[:, None], torch.arange(length)  # steps, cached words
    keys_at = {"its own": j + 0 * t, "zero": 0 * (j + t), "again": j * (t - j + 1)}[key_place]
    queries_at = {"its own": t[:, 0], "zero": 0 * t[:, 0], "ahead": t[:, 0] + 1}[query_place]
    k = turn(key[:, None], angles(keys_at, d_head))  # (batch, steps, cached, d_head)
    q = turn(query, angles(queries_at, d_head)).unsqueeze(-2)  # (batch, steps, 1, d_head)
    by = {"root": math.sqrt(d_head), "none": 1.0, "d": float(d_head)}[scale]
    scores = (q * k).sum(-1) / by
    if values == "turned":
        value = turn(value, angles(j, value.shape[-1]))
    return masked_softmax(scores, j <= t) @ value


def cached_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        batch, length = draw.random.randint(2, 4), draw.random.randint(5, 9)
        d_head = _even(draw, batch, length)
        d_v = _even(draw, batch, length, d_head)
        cases.append(
            Case(
                {
                    "query": draw.normal(batch, length, d_head, scale=1.5),
                    "key": draw.normal(batch, length, d_head),
                    "value": draw.normal(batch, length, d_v),
                }
            )
        )
    return cases


# 9.8


def relative_scores(
    query, key, table,
    *, distance="j - i", clip="outermost", offset="middle", scale="root", asks="query", content="added"
):  # fmt: skip
    d_k = query.shape[-1]
    most = table.shape[0] // 2
    gap = torch.arange(key.shape[1]) - torch.arange(query.shape[1])[:, None]  # (queries, keys)
    if distance == "backwards":
        gap = -gap
    elif distance == "absolute":
        gap = gap.abs()
    edge = most - 1 if clip == "inside" else most
    rows = gap.clamp(-edge, edge) + (0 if offset == "none" else most)
    vectors = table[rows]  # (queries, keys, d_k)
    if content == "alone":
        vectors = 0 * vectors
    if clip == "zero":
        vectors = vectors * (gap.abs() <= most)[:, :, None]
    if asks == "key":
        relative = torch.einsum("bkd,qkd->bqk", key, vectors)
    else:
        relative = torch.einsum("bqd,qkd->bqk", query, vectors)
    product = 0.0 if content == "left out" else query @ key.mT
    root = math.sqrt(d_k)
    if scale == "product only":
        return product / root + relative
    return (product + relative) / {"root": root, "none": 1.0, "d": float(d_k)}[scale]


def relative_cases(draw: Draw) -> list[Case]:
    cases = []
    for clipped in (False, True, True):
        batch = draw.random.randint(2, 5)
        queries, keys = draw.random.sample([6, 7, 8, 9], 2)
        most = draw.random.randint(2, 3) if clipped else max(queries, keys)
        d_k = draw.random.choice([5, 10, 11])
        cases.append(
            Case(
                {
                    "query": draw.normal(batch, queries, d_k),
                    "key": draw.normal(batch, keys, d_k),
                    "table": draw.normal(2 * most + 1, d_k),
                },
                group="edge" if clipped else "plain",
                note="some distances are beyond the table"
                if clipped
                else "the table has a row for each distance",
            )
        )
    return cases


# 9.9


def reach(accuracy, lengths, share, *, seeds="every", bar="its own", gaps="stop"):
    if seeds == "mean":
        accuracy = accuracy.mean(dim=1, keepdim=True)
    start = accuracy[:, :, :1]
    if bar == "shared":
        start = start.mean(dim=1, keepdim=True)
    elif bar == "absolute":
        start = torch.ones_like(start)
    kept = accuracy >= share * start  # (models, seeds, lengths)
    kept = kept.any(dim=1) if seeds == "any" else kept.all(dim=1)
    if gaps == "largest":
        last = (kept * torch.arange(1, len(lengths) + 1)).amax(dim=1) - 1
    else:
        last = kept.int().cumprod(dim=1).sum(dim=1) - 1
    return lengths[last]


REACH_APART = (  # what each case of 9.9 tells apart
    {},
    {"seeds": "mean"},
    {"seeds": "any"},
    {"bar": "absolute"},
    {"bar": "shared"},
    {"gaps": "largest"},
    {"seeds": "any", "bar": "shared"},
    {"bar": "absolute", "gaps": "largest"},
)


def reach_cases(draw: Draw) -> list[Case]:
    cases = []
    while len(cases) < 4:
        models, seeds, n_lengths = draw.random.randint(9, 12), draw.random.randint(3, 4), 7
        share = draw.random.choice([0.6, 0.7])
        trained = draw.uniform(models, seeds, 1, low=0.65, high=0.99)
        # From model to model, a length is passed by nearly every seed, or by one in three.
        keeps = draw.uniform(models, seeds, n_lengths) < draw.uniform(models, 1, 1, low=0.35, high=1.0)
        near = draw.uniform(models, 1, 1) < 0.5  # to the bar
        gap = 0.01 + draw.uniform(models, seeds, n_lengths, high=0.25) * torch.where(near, 0.4, 1.0)
        ratio = torch.where(keeps, share + gap, share - gap)
        ratio[:, :, 0] = 1.0
        lengths = draw.random.choice([8, 16, 32]) * torch.tensor([1, 2, 3, 4, 6, 8, 12])
        args = {"accuracy": trained * ratio, "lengths": lengths, "share": share}
        found = [reach(**args, **switches) for switches in REACH_APART]
        if not any(torch.equal(one, other) for one, other in itertools.combinations(found, 2)):
            cases.append(Case(args))
    return cases


EXERCISES = (
    Exercise(
        id="9.1",
        title="Two words change places",
        name="changed",
        kind="prediction",
        points=1,
        minutes=5,
        difficulty="easy",
        signature="changed = 1",
        outputs=(Output("changed", kind="number"),),
        variant=lambda: 3,
        tolerance=(0.0, 0.4),
        nearby=(
            Nearby(
                0,
                "So it would be without a mask: every word looks at the same five words. Under the causal "
                "mask, the place decides who is before you.",
                0.4,
            ),
            Nearby(
                2,
                "Those are the words that moved. Whom does the word between them see now?",
                0.4,
            ),
            Nearby(
                4,
                "One of these four sees the same words as before, in another order. Without positions, "
                "order does not count.",
                0.4,
            ),
            Nearby(
                5,
                "That is right for a layer with positions, whose table tells who stands where. Here a word "
                "knows only *which* words it may look at.",
                0.4,
            ),
        ),
        hints=(
            "For each word, write down the set of words that it may look at, before and after.",
            "Before: A sees A; B sees A, B; C sees A, B, C; and so on. After: the sentence is A D C B E.",
            "Two of the five sets are the same as before.",
        ),
    ),
    Exercise(
        id="9.2",
        title="The table of waves",
        name="sinusoids",
        kind="function",
        points=2,
        minutes=10,
        difficulty="easy",
        signature="sinusoids(length, d_model, start)",
        outputs=(Output("table", ("length", "d_model")),),
        variant=sinusoids,
        cases=sinusoid_cases,
        tolerance=(1e-4, 5e-5),
        axes=(
            Axis(
                "layout",
                {
                    "halves": (
                        "All sines stand in the left half and all cosines in the right half. In the paper's "
                        "equation they alternate: sin, cos, sin, cos. The authors' program has halves; a "
                        "model does not mind, as long as it is always the same one."
                    ),
                    "cos sin": (
                        "Cosine comes first in each pair. The sine belongs in the even columns, 0, 2, 4, …"
                    ),
                },
            ),
            Axis(
                "exponent",
                {
                    "i": ANGLE_I,
                    "column": (
                        "The exponent grows from each column to the next. The sine and the cosine of a pair "
                        "share one angle; otherwise a pair is no point on a circle."
                    ),
                    "to the end": (
                        "Your slowest pair turns by exactly 1/10000 a position: the exponents run from 0 to "
                        "1. In the paper's equation the last is (d − 2)/d. The authors' program does what "
                        "you do."
                    ),
                },
            ),
            Axis("base", {"1000": "The base is 1,000. It is 10,000: your slow pairs turn too fast."}),
            Axis(
                "first",
                {"1": "The positions are one too high: you count from 1. The first word stands at 0."},
            ),
            Axis(
                "begin",
                {"ignored": "Your table always begins at position 0. Its first row is position `start`."},
            ),
        ),
        possible=lambda switches: (
            len(switches) <= 3 and not (switches.get("layout") == "halves" and "column" in switches.values())
        ),
        forbidden=("attnbook.nn",),
        hints=(
            "First the angles, a table (length, d_model / 2): one row a position, one column a pair.",
            "`torch.arange(start, start + length)[:, None]`, divided by `10000 ** (2 * i / d_model)` with i "
            "= 0, 1, … as a row.",
            "To make sine and cosine alternate, assign to `table[:, 0::2]` and `table[:, 1::2]`.",
        ),
    ),
    Exercise(
        id="9.3",
        title="Waves that never came round",
        name="unfinished",
        kind="measurement",
        points=2,
        minutes=8,
        difficulty="easy",
        signature="unfinished = 10",
        outputs=(Output("unfinished", kind="number"),),
        variant=unfinished,
        tolerance=(0.0, 0.4),
        nearby=(
            Nearby(
                WIDE // 2 - unfinished(),
                "That is how many pairs did complete a turn. Asked are the others.",
                0.4,
            ),
            Nearby(
                unfinished(turn_is=math.pi),
                "That counts the pairs that did not get half round. A full turn is 2π.",
                0.4,
            ),
            Nearby(
                unfinished(turn_is=1.0),
                "You compare with 1. Angles are in radians, and a full turn is 2π of them.",
                0.4,
            ),
            Nearby(
                unfinished(step=1),
                "Your slow pairs are too fast: the exponent is 2i/d_model, with i from 0 to 63.",
                0.4,
            ),
            Nearby(
                WIDE - 2 * (WIDE // 2 - unfinished()),
                "That counts columns. A pair is two of them, a sine and a cosine.",
                0.4,
            ),
        ),
        hints=(
            "Pair i turns by 10000^(−2i/128) radians from each position to the next.",
            "From position 0 to position 31 that is 31 steps.",
            "Count the pairs whose angle after 31 steps is below 2π.",
        ),
    ),
    Exercise(
        id="9.4",
        title="k places further on",
        name="move_on",
        kind="function",
        points=3,
        minutes=15,
        difficulty="medium",
        signature="move_on(encoding, k)",
        outputs=(Output("moved", ("rows", "d_model")),),
        variant=move_on,
        cases=move_cases,
        tolerance=(1e-4, 1e-4),
        properties=(
            Property(
                "each pair stays on its circle: the squares of its two numbers add up to 1",
                _pairs_keep_length,
            ),
        ),
        axes=(
            Axis(
                "direction",
                {
                    "back": (
                        "Your rows are those k places *back*. A pair is (sin, cos), so forwards is the other "
                        "way round than for (cos, sin): look at where the minus stands."
                    ),
                    "plus": (
                        "A minus is missing. sin(a + b) is a sum of two products, cos(a + b) a difference."
                    ),
                },
            ),
            Axis("pairs", {"halves": PAIRS_HALVES}),
            Axis(
                "exponent",
                {
                    "i": ANGLE_I,
                    "one": (
                        "All pairs are turned by the same angle, k. Each has a speed of its own: "
                        "k · 10000^(−2i/d) for pair i."
                    ),
                },
            ),
            Axis(
                "how",
                {
                    "added": (
                        "You add the encoding of k. The sine of a sum is not the sum of the sines: a step "
                        "is a turn."
                    ),
                },
            ),
        ),
        possible=lambda switches: len(switches) == 1 or "how" not in switches,
        forbidden=("attnbook.nn",),
        hints=(
            "You need not find out the positions: sin(a + b) and cos(a + b) come from sin a, cos a and b.",
            "sin(a + b) = sin a cos b + cos a sin b;  cos(a + b) = cos a cos b − sin a sin b.",
            "`encoding[:, 0::2]` holds sin a of every pair, `encoding[:, 1::2]` cos a; b is `k / 10000 ** "
            "(2 * i / d_model)`, one number a pair.",
        ),
    ),
    Exercise(
        id="9.5",
        title="The price of distance",
        name="alibi",
        kind="function",
        points=3,
        minutes=15,
        difficulty="medium",
        signature="alibi(n_heads, queries, keys, start)",
        outputs=(Output("bias", ("n_heads", "queries", "keys")),),
        variant=alibi,
        cases=alibi_cases,
        axes=(
            Axis(
                "rule",
                {
                    "reversed": (
                        "The slopes stand in reverse order. The first head has the steepest and sees least "
                        "far; the last has 2^(−8), for a power of 2."
                    ),
                    "from 0": (
                        "The heads are counted from 0, so the first slope is 1. It is 2^(−8/n): the exponent "
                        "of head h counted from 0 is −8(h + 1)/n."
                    ),
                    "eight": (
                        "The slopes are 1/2, 1/4, 1/8, … whatever the number of heads. That is the paper's "
                        "example for 8 heads; for n heads the exponents go in steps of 8/n."
                    ),
                    "any n": (
                        "2^(−8h/n) is used for every number of heads. When n is no power of 2, take all "
                        "slopes of the power below, and fill up from the power above."
                    ),
                    "power above": (
                        "When n is no power of 2, you take the first n slopes of the power above. All "
                        "slopes of the power *below* come first, then every other one of the power above."
                    ),
                    "twice": (
                        "The slopes that fill up are ones that are there already. Of the power above take "
                        "the first, the third, the fifth: those lie in between."
                    ),
                },
            ),
            Axis(
                "distance",
                {
                    "bonus": (
                        "Distance raises your scores. It should lower them: at distance 0 the bias is 0, "
                        "and everywhere else it is below 0."
                    ),
                    "signed": (
                        "Keys after the query get a bonus. What counts is how far, not to which side: |i − "
                        "j|."
                    ),
                    "clamped": (
                        "Keys after the query cost nothing. Under a causal mask nobody would notice; here "
                        "both directions count."
                    ),
                },
            ),
            Axis(
                "begin",
                {
                    "ignored": (
                        "Query 0 is taken for the first word. It stands at position `start`; keys stand at "
                        "0, 1, 2, …"
                    )
                },
            ),
        ),
        possible=lambda switches: len(switches) <= 2,
        forbidden=("attnbook.nn",),
        hints=(
            "Two tables: the slopes (n_heads,), and the distances (queries, keys). Their product needs two "
            "more axes: `slopes[:, None, None]`.",
            "`power = 2 ** math.floor(math.log2(n_heads))` is the largest power of 2 that is not above "
            "n_heads.",
            "A helper `of(n)` that lists 2^(−8/n), 2^(−16/n), …, 2^(−8); then `of(power)` and the first few "
            "of `of(2 * power)[0::2]`. Distances: `(i - j).abs()`, with i beginning at `start`.",
        ),
    ),
    Exercise(
        id="9.6",
        title="Rotary positions for a padded batch",
        name="rotate",
        kind="function",
        points=4,
        minutes=18,
        difficulty="medium",
        signature="rotate(x, positions)",
        outputs=(Output("turned", ("batch", "n_heads", "length", "d_head")),),
        variant=rotate,
        cases=rotate_cases,
        tolerance=(1e-4, 1e-4),
        properties=(Property("turning changes no vector's length", _rows_keep_length),),
        axes=(
            Axis("pairs", {"halves": PAIRS_HALVES}),
            Axis(
                "direction",
                {
                    "back": (
                        "The pairs are turned the wrong way. (1, 0) should become (cos, sin): the minus "
                        "belongs to the first number of a pair."
                    )
                },
            ),
            Axis("exponent", {"i": ANGLE_I, "from 1": ANGLE_ONE_UP}),
            Axis(
                "order",
                {
                    "concatenated": (
                        "The two numbers of a pair get different angles, so the pair is not turned but "
                        "warped. Your cosines are laid out for halves, θ0 θ1 … θ0 θ1 …, and your pairs are "
                        "neighbours."
                    )
                },
            ),
            Axis(
                "place",
                {
                    "counted": (
                        "You count 0, 1, 2, … yourself. The positions are given, and differ from sentence "
                        "to sentence."
                    ),
                    "first": "All sentences get the positions of the first one. Each has a row of its own.",
                    "heads": (
                        "The heads are taken for positions: head 0 is not turned, head 1 by one step. A word "
                        "is turned by its own position, in all heads alike."
                    ),
                },
            ),
        ),
        possible=lambda switches: len(switches) <= 3 and not ({"pairs", "order"} <= set(switches)),
        forbidden=("attnbook.nn",),
        hints=(
            "Angles first: `positions[..., None] / 10000 ** (2 * i / d_head)` is (batch, length, d_head / "
            "2).",
            "The same angles hold for all heads: `angle[:, None]` is (batch, 1, length, d_head / 2).",
            "With `a, b = x[..., 0::2], x[..., 1::2]`, a pair becomes (a cos − b sin, a sin + b cos). "
            "`torch.stack(..., dim=-1).flatten(-2)` puts pairs back in their columns.",
        ),
    ),
    Exercise(
        id="9.7",
        title="The cache that forgets where it is",
        name="cached_attention",
        kind="bug",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="cached_attention(query, key, value)",
        outputs=(Output("context", ("batch", "length", "d_v")),),
        variant=cached_attention,
        cases=cached_cases,
        tolerance=(1e-4, 1e-4),
        axes=(
            Axis(
                "key_place",
                {
                    "zero": (
                        "Every key is turned as if it were the first word. Then the score depends on where "
                        "the query stands, and not on how far away the key is."
                    ),
                    "again": (
                        "The whole cache is turned again at each step, so an old key has turned many times "
                        "over. A key is turned once, when it comes in."
                    ),
                },
            ),
            Axis(
                "query_place",
                {
                    "zero": (
                        "Every query is turned as if it were the first word. It stands at step t, like the "
                        "key that comes in with it."
                    ),
                    "ahead": (
                        "The query is turned one position too far: the cache is already one longer when its "
                        "length is read. A word is at distance 0 from itself."
                    ),
                },
            ),
            Axis(
                "values",
                {
                    "turned": (
                        "The values are turned, too. Position should decide who is looked at, not what is "
                        "brought back: queries and keys alone are turned."
                    )
                },
            ),
            Axis("scale", {"none": NO_SCALE, "d": SCALE_BY_D}),
        ),
        possible=lambda switches: len(switches) <= 2,
        forbidden=("attnbook.nn",),
        hints=(
            "The first word comes out right, and the others do not. What is the same for the first word in "
            "both ways?",
            "`turn` has a `start`. Look at each place where it is called.",
            "At step t the cache holds the keys of positions 0 to t − 1. At which position does the new key "
            "stand?",
        ),
    ),
    Exercise(
        id="9.8",
        title="A learned vector for each distance",
        name="relative_scores",
        kind="function",
        points=4,
        minutes=20,
        difficulty="hard",
        signature="relative_scores(query, key, table)",
        outputs=(Output("scores", ("batch", "queries", "keys")),),
        variant=relative_scores,
        cases=relative_cases,
        tolerance=(1e-4, 1e-4),
        axes=(
            Axis(
                "distance",
                {
                    "backwards": (
                        "The distance is i − j. It is j − i: negative for keys before the query, whose "
                        "vectors stand in the upper rows of the table."
                    ),
                    "absolute": (
                        "Keys before and after the query share a vector. The table has rows for both sides."
                    ),
                },
            ),
            Axis(
                "clip",
                {
                    "inside": (
                        "The distances are cut off one too early: the first and the last row of the table "
                        "are never used."
                    ),
                    "zero": (
                        "Keys beyond the table get no vector. They share the outermost one of their side."
                    ),
                },
            ),
            Axis(
                "offset",
                {
                    "none": (
                        "The distance itself is used as the row. Distance 0 stands in the middle of the "
                        "table; torch reads a negative row from the end, without an error."
                    )
                },
            ),
            Axis(
                "scale",
                {
                    "none": NO_SCALE,
                    "d": SCALE_BY_D,
                    "product only": (
                        "Only q · k is divided by √d_k. The vector of the distance is added to the *key*, "
                        "so its part is divided as well."
                    ),
                },
            ),
            Axis(
                "asks",
                {
                    "key": (
                        "The vector of the distance is compared with the key. It is added to the key, and "
                        "the query is compared with both."
                    )
                },
            ),
            Axis(
                "content",
                {
                    "left out": (
                        "Only the distance counts in your scores. The product of query and key comes "
                        "first; the distance adds to it."
                    ),
                    "alone": (
                        "The table changes nothing in your scores: they are those of attention without "
                        "positions."
                    ),
                },
            ),
        ),
        possible=lambda switches: (
            len(switches) <= 2
            and not ("content" in switches and switches.get("scale") == "product only")
            # without the table, nothing else that is done with it shows
            and not (switches.get("content") == "alone" and not set(switches) <= {"content", "scale"})
        ),
        forbidden=("attnbook.nn",),
        hints=(
            "Distances first: `j - i` as a table (queries, keys), with `j = torch.arange(keys)` and `i = "
            "torch.arange(queries)[:, None]`.",
            "The table has 2m + 1 rows, for distances −m … m. `clamp` to that range, then add m: a row "
            "number.",
            '`table[rows]` is (queries, keys, d_k). `torch.einsum("bqd,qkd->bqk", query, table[rows])` '
            "compares each query with the vectors of its own row.",
        ),
    ),
    Exercise(
        id="9.9",
        title="How far does it reach?",
        name="reach",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="reach(accuracy, lengths, share)",
        outputs=(Output("reached", ("models",)),),
        variant=reach,
        cases=reach_cases,
        axes=(
            Axis(
                "seeds",
                {
                    "mean": (
                        "You average over the seeds first. One bad seed disappears in a mean; asked is the "
                        "length that *every* seed reaches."
                    ),
                    "any": (
                        "One seed that holds out is enough for you. The best of several runs is what luck "
                        "gives; asked is the length that every seed reaches."
                    ),
                },
            ),
            Axis(
                "bar",
                {
                    "absolute": (
                        "The accuracy is compared with the share itself. The bar is that share of what the "
                        "same run reached at the length of training."
                    ),
                    "shared": (
                        "All seeds have one bar, from their mean at the length of training. Each seed has a "
                        "bar of its own."
                    ),
                },
            ),
            Axis(
                "gaps",
                {
                    "largest": (
                        "A model that fails at one length and passes at a longer one is counted up to the "
                        "longer. The first failure ends the count."
                    )
                },
            ),
        ),
        possible=lambda switches: (
            len(switches) <= 2 and not (switches.get("seeds") == "mean" and switches.get("bar") == "shared")
        ),
        hints=(
            "`accuracy[:, :, :1]` is what each run reached at the length of training: (models, seeds, 1).",
            "A table of True and False, (models, seeds, lengths); then `.all(dim=1)`.",
            "`.int().cumprod(dim=1)` keeps the ones up to the first zero; their sum says how many lengths "
            "were reached.",
        ),
    ),
)
