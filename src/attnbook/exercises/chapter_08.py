"""Exercises of chapter 8, multi-head attention."""

from __future__ import annotations

import math

import torch

from attnbook.exercises.by_strings import Axis, Exercise
from attnbook.exercises.chapter_02 import (
    EMPTY_NAN,
    EMPTY_UNIFORM,
    MASK_AFTER,
    MASK_IGNORED,
    MASK_INVERTED,
    MASK_ZERO,
    empty_row_reached,
    masked_softmax,
)
from attnbook.exercises.chapter_04 import PADDED_CASES, padding_mask
from attnbook.exercises.spec import Case, Draw, Nearby, Output, Property

HEADS = Output("heads", ("batch", "n_heads", "length", "d_head"))
MERGED = Output("merged", ("batch", "length", "d_model"))
CONTEXT = Output("context", ("batch", "queries", "d_model"))
WEIGHTS = Output("weights", ("batch", "n_heads", "queries", "keys"))
PARTS = Output("parts", ("batch", "n_heads", "length", "d_model"))
SHARES = Output("shares", ("n_heads",))

SPLIT_AT_ONCE = (
    "The tensor is viewed as (batch, n_heads, length, d_head) at once. The shape is right, and the rows are "
    "not: a head gets several pieces of the same word, and other words not at all. Cut each word into heads "
    "first, (batch, length, n_heads, d_head), then exchange two axes."
)
SPLIT_DEALT = (
    "The numbers of a word are dealt out to the heads one by one, like cards: head 0 gets numbers 0, "
    "n_heads, 2·n_heads and so on. Each head should get a run of d_head neighbours: n_heads comes before "
    "d_head in the view."
)
MERGE_AT_ONCE = (
    "The heads are put together without exchanging the axes first. Memory still lies head after head, so a "
    "word of your result holds one head's numbers for several words. Bring (batch, length, n_heads, d_head) "
    "about, then reshape."
)
SCALE_D_MODEL = (
    "The scores are divided by √d_model. Each head compares vectors of d_head = d_model / n_heads numbers, "
    "so it is √d_head; your weights are flatter than they should be."
)
SCALE_NONE = "The scores are not divided by √d_head, so your weights are more peaked than they should be."
SCALE_D_HEAD = (
    "The scores are divided by d_head instead of √d_head: your weights are flatter than they should be."
)
OVER_QUERIES = (
    "The softmax runs over the queries instead of the keys: the columns of your weights add up to 1, not the "
    "rows. Look at its `dim`."
)
NO_OUTPUT = "The heads are put side by side and returned. The last step is missing: W_o, which mixes them."
OUTPUT_TURNED = (
    "The heads are multiplied with W_o the wrong way round. As in `torch.nn.Linear`, a row of W_o makes one "
    "number of the output: `merged @ W_o.T`."
)
NOT_NEGATIVE = Property("no weight is negative", lambda args, outputs: bool((outputs["weights"] >= 0).all()))


def _sizes(draw: Draw, count: int) -> tuple[list[int], int, int]:
    """``count`` lengths, n_heads and d_head, and d_model different from all of them."""
    while True:
        *lengths, n_heads, d_head = draw.sizes(count + 2, 2, 8)
        if n_heads * d_head not in lengths:
            return lengths, n_heads, d_head


# 8.2 and 8.3


def split_heads(x, n_heads, *, cut="words first"):
    batch, length, d_model = x.shape
    d_head = d_model // n_heads
    if cut == "at once":
        return x.reshape(batch, n_heads, length, d_head)
    if cut == "dealt":
        return x.reshape(batch, length, d_head, n_heads).permute(0, 3, 1, 2)
    if cut == "not exchanged":
        return x.reshape(batch, length, n_heads, d_head)
    return x.reshape(batch, length, n_heads, d_head).transpose(1, 2)


def split_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        (batch, length), n_heads, d_head = _sizes(draw, 2)
        cases.append(Case({"x": draw.normal(batch, length, n_heads * d_head), "n_heads": n_heads}))
    return cases


def merge_heads(heads, *, back="words first"):
    batch, n_heads, length, d_head = heads.shape
    if back == "at once":
        return heads.reshape(batch, length, n_heads * d_head)
    if back == "dealt":
        return heads.permute(0, 2, 3, 1).reshape(batch, length, n_heads * d_head)
    if back == "added":
        return heads.sum(1)
    if back == "averaged":
        return heads.mean(1)
    return heads.transpose(1, 2).reshape(batch, length, n_heads * d_head)


def merge_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        (batch, length), n_heads, d_head = _sizes(draw, 2)
        cases.append(Case({"heads": draw.normal(batch, n_heads, length, d_head)}))
    return cases


# 8.4


def multi_head(
    query, memory, W_q, W_k, W_v, W_o, n_heads, mask,
    *, cut="words first", back="words first", scale="root of d_head", over="keys", placed="before",
    empty="zeros", output="W_o",
):  # fmt: skip
    d_model = query.shape[-1]
    d_head = d_model // n_heads
    q, k, v = (
        split_heads(rows @ matrix.T, n_heads, cut=cut)
        for rows, matrix in ((query, W_q), (memory, W_k), (memory, W_v))
    )
    by = {
        "root of d_head": math.sqrt(d_head),
        "d_model": math.sqrt(d_model),
        "none": 1.0,
        "d_head": float(d_head),
    }[scale]
    scores = q @ k.transpose(-2, -1) / by  # (batch, n_heads, queries, keys)
    allowed = mask[:, None, None, :].expand(scores.shape)
    if over == "queries":
        weights = torch.softmax(scores.masked_fill(~allowed, -1e9), dim=-2) * allowed
    else:
        weights = masked_softmax(scores, allowed, placed=placed, empty=empty)
    merged = merge_heads(weights @ v, back=back)
    context = {"W_o": lambda: merged @ W_o.T, "none": lambda: merged, "turned": lambda: merged @ W_o}[
        output
    ]()
    return context, weights


def multi_head_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("full", "padded", "padded", "empty"):
        while True:
            (batch, queries, keys), n_heads, d_head = _sizes(draw, 3)
            if d_head > 2 and keys > 2:  # the root of 2 and 2 are close, and padding needs room
                break
        d_model = n_heads * d_head
        mask = padding_mask(draw, kind, batch, keys)
        matrices = {name: draw.normal(d_model, d_model, scale=0.6) for name in ("W_q", "W_k", "W_v", "W_o")}
        cases.append(
            Case(
                {
                    "query": draw.normal(batch, queries, d_model),
                    "memory": draw.normal(batch, keys, d_model),
                    **matrices,
                    "n_heads": n_heads,
                    "mask": mask,
                },
                **PADDED_CASES[kind],
            )
        )
    return cases


# 8.5


def self_attention(state, x, *, cut="words first", back="words first", scale="root of d_head", output="W_o"):
    # Heads are not in the state: the module knows them from its constructor, and here d_head is always 3.
    n_heads = x.shape[-1] // 3
    mask = torch.ones(x.shape[:2], dtype=torch.bool)
    matrices = (state[name] for name in ("W_q", "W_k", "W_v", "W_o"))
    return multi_head(x, x, *matrices, n_heads, mask, cut=cut, back=back, scale=scale, output=output)[0]


def self_attention_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        while True:
            batch, length, n_heads = draw.sizes(3, 2, 7)
            if 3 * n_heads not in (batch, length):
                break
        d_model = 3 * n_heads
        cases.append(
            Case(
                {"x": draw.normal(batch, length, d_model)},
                init={"d_model": d_model, "n_heads": n_heads},
                state={
                    name: draw.normal(d_model, d_model, scale=0.6) for name in ("W_q", "W_k", "W_v", "W_o")
                },
                cotangents=[draw.normal(batch, length, d_model)],
            )
        )
    return cases


# 8.6


def head_parts(heads, W_o, *, strips="columns", turned="no"):
    n_heads, d_head = heads.shape[1], heads.shape[3]
    matrix = W_o.T if turned == "yes" else W_o
    if strips == "dealt":
        blocks = matrix.unflatten(1, (d_head, n_heads)).permute(2, 0, 1)
    elif strips == "first":
        blocks = matrix[:, :d_head].expand(n_heads, -1, -1)
    else:
        blocks = matrix.unflatten(1, (n_heads, d_head)).permute(1, 0, 2)
    return torch.einsum("bhnd,hod->bhno", heads, blocks)


def parts_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        (batch, length), n_heads, d_head = _sizes(draw, 2)
        d_model = n_heads * d_head
        cases.append(
            Case({"heads": draw.normal(batch, n_heads, length, d_head), "W_o": draw.normal(d_model, d_model)})
        )
    return cases


# 8.7


def small_layer() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What three heads found for 40 words, W_o, and what should come out: all fixed, no random numbers."""
    word = torch.arange(40.0)
    heads = torch.stack(
        [
            torch.stack([torch.sin(word / 3), torch.cos(word / 3)], dim=-1),
            torch.stack([1.5 + 0.2 * torch.sin(word), 2.0 + 0.2 * torch.cos(word)], dim=-1),
            torch.stack([torch.sin(word / 5 + 1), torch.cos(word / 2)], dim=-1) * 0.6,
        ]
    )  # (n_heads, words, d_head)
    W_o = torch.eye(6) + 0.1 * torch.sin(torch.arange(36.0)).view(6, 6)
    wanted = heads.transpose(0, 1).flatten(1) @ W_o.T + 0.1 * torch.cos(torch.arange(240.0)).view(40, 6)
    return heads, W_o, wanted


def loss_without(off: int | None, by: str) -> float:
    """Mean squared error of the small layer with one head replaced by its mean, or by zeros."""
    heads, W_o, wanted = small_layer()
    if off is not None:
        heads = heads.clone()
        heads[off] = heads[off].mean(dim=0) if by == "mean" else 0.0
    output = heads.transpose(0, 1).flatten(1) @ W_o.T
    return float(((output - wanted) ** 2).mean())


def dearest(by: str = "mean") -> float:
    """By how much the loss rises without the head that is missed most."""
    return max(loss_without(head, by) for head in range(3)) - loss_without(None, by)


# 8.8


def share_at(weights, distance, *, sign="forwards", rows="that exist", how="largest", end="keys"):
    length = weights.shape[1]
    step = -distance if sign == "backwards" else distance
    table = weights.transpose(1, 2) if end == "queries" else weights
    places = [i for i in range(length) if 0 <= i + step < length]
    at = torch.tensor(places)
    if how == "mass":
        found = table[:, at, at + step].sum(dim=1)
    else:
        found = (table.argmax(dim=-1)[:, at] == at + step).float().sum(dim=1)
    return found / (length if rows == "all" else len(places))


def share_cases(draw: Draw) -> list[Case]:
    cases = []
    for distance in (-1, 1, -2, 2):
        n_heads, length = draw.random.randint(3, 5), draw.random.randint(11, 14)
        scores = draw.normal(n_heads, length, length)
        for head in range(n_heads):  # some heads look at the distance, some the other way
            for i in range(length):
                for step in (distance, -distance):
                    if 0 <= i + step < length and draw.random.random() < 0.5:
                        scores[head, i, i + step] += 3.0 if (head % 2 == 0) == (step == distance) else 1.0
        cases.append(Case({"weights": torch.softmax(scores, dim=-1), "distance": distance}))
    return cases


_CUT = {"at once": SPLIT_AT_ONCE, "dealt": SPLIT_DEALT}
_SCALE = {"d_model": SCALE_D_MODEL, "none": SCALE_NONE, "d_head": SCALE_D_HEAD}
_OUTPUT = {"none": NO_OUTPUT, "turned": OUTPUT_TURNED}

EXERCISES = (
    Exercise(
        id="8.1",
        title="Counting parameters",
        name="parameters",
        kind="prediction",
        points=1,
        minutes=4,
        difficulty="easy",
        signature="parameters = 1000",
        outputs=(Output("parameters", kind="number"),),
        variant=lambda: 4 * 256**2,
        tolerance=(0.0, 0.5),
        nearby=(
            Nearby(
                3 * 256**2,
                "Those are the projections for query, key and value. One more matrix mixes the heads at the "
                "end.",
                0.5,
            ),
            Nearby(
                3 * 8 * 256**2 + 256**2,
                "That gives each of the 8 heads three matrices of full size. A head works with 256 / 8 = 32 "
                "numbers, so its matrices have 32 rows.",
                0.5,
            ),
            Nearby(
                4 * 8 * 256**2,
                "That is eight whole layers. The heads share the size: each has matrices of 32 rows.",
                0.5,
            ),
            Nearby(
                3 * 32 * 256,
                "Those are the three matrices of one head. There are eight heads, and W_o.",
                0.5,
            ),
            Nearby(
                4 * 32 * 256,
                "That is one head with its strip of W_o. There are eight of them.",
                0.5,
            ),
        ),
        hints=(
            "Three matrices a head, and one for all heads together.",
            "A head's matrix turns 256 numbers into 256 / 8 = 32: 32 · 256 learned numbers.",
            "8 heads · 3 matrices · 32 · 256, and W_o with 256 · 256.",
        ),
    ),
    Exercise(
        id="8.2",
        title="Splitting into heads",
        name="split_heads",
        kind="function",
        points=2,
        minutes=8,
        difficulty="easy",
        signature="split_heads(x, n_heads)",
        outputs=(HEADS,),
        variant=split_heads,
        cases=split_cases,
        axes=(
            Axis(
                "cut",
                {
                    **_CUT,
                    "not exchanged": (
                        "The words are cut into heads, and the axes are left as they are: (batch, length, "
                        "n_heads, d_head). Heads have to come before words, so that attention runs in each."
                    ),
                },
            ),
        ),
        forbidden=("attnbook.nn",),
        hints=(
            "Two steps: cut the last axis into n_heads pieces of d_head numbers; exchange two axes.",
            "After the cut the shape is (batch, length, n_heads, d_head).",
            "`x.view(batch, length, n_heads, d_head).transpose(1, 2)`",
        ),
    ),
    Exercise(
        id="8.3",
        title="Putting the heads together",
        name="merge_heads",
        kind="function",
        points=2,
        minutes=8,
        difficulty="medium",
        signature="merge_heads(heads)",
        outputs=(MERGED,),
        variant=merge_heads,
        cases=merge_cases,
        axes=(
            Axis(
                "back",
                {
                    "at once": MERGE_AT_ONCE,
                    "dealt": (
                        "The numbers of the heads alternate in your result: number 0 of each head, then "
                        "number 1 of each. Each head's numbers should stay together."
                    ),
                    "added": (
                        "The heads are added up. They should stand side by side; mixing them is the task of "
                        "W_o."
                    ),
                    "averaged": (
                        "The heads are averaged. They should stand side by side; mixing them is the task of "
                        "W_o."
                    ),
                },
            ),
        ),
        forbidden=("attnbook.nn",),
        hints=(
            "Do the two steps of 8.2 backwards.",
            "First bring words before heads: (batch, length, n_heads, d_head).",
            "After a transpose, `view` complains that numbers do not lie next to each other; `reshape` "
            "copies them.",
        ),
    ),
    Exercise(
        id="8.4",
        title="Multi-head attention with a mask",
        name="multi_head",
        kind="function",
        points=4,
        minutes=20,
        difficulty="hard",
        signature="multi_head(query, memory, W_q, W_k, W_v, W_o, n_heads, mask)",
        outputs=(CONTEXT, WEIGHTS),
        variant=multi_head,
        cases=multi_head_cases,
        tolerance=(1e-4, 5e-5),
        properties=(NOT_NEGATIVE,),
        axes=(
            Axis("cut", _CUT),
            Axis("back", {"at once": MERGE_AT_ONCE}),
            Axis("scale", _SCALE),
            Axis(
                "placed",
                {"ignored": MASK_IGNORED, "inverted": MASK_INVERTED, "after": MASK_AFTER, "zero": MASK_ZERO},
            ),
            Axis("empty", {"nan": EMPTY_NAN, "uniform": EMPTY_UNIFORM}),
            Axis("over", {"queries": OVER_QUERIES}),
            Axis("output", _OUTPUT),
        ),
        possible=lambda switches: (
            empty_row_reached(switches)
            and len(switches) <= 2
            and not ("over" in switches and ("placed" in switches or "empty" in switches))
        ),
        forbidden=("scaled_dot_product_attention", "MultiheadAttention", "attnbook.nn"),
        hints=(
            "Project, split (8.2), score, mask, softmax, mix, merge (8.3), W_o.",
            "The mask is (batch, keys); scores are (batch, n_heads, queries, keys): `mask[:, None, None, "
            ":]`.",
            "Divide by the root of d_head. A sentence of padding gives NaN weights: `.nan_to_num(0.0)`.",
        ),
    ),
    Exercise(
        id="8.5",
        title="The reshape that mixes words",
        name="SelfAttention",
        kind="bug",
        form="module",
        points=3,
        minutes=10,
        difficulty="medium",
        signature="SelfAttention(d_model, n_heads)",
        outputs=(Output("context", ("batch", "length", "d_model")),),
        variant=self_attention,
        cases=self_attention_cases,
        tolerance=(1e-4, 5e-5),
        axes=(
            Axis("cut", _CUT),
            Axis("back", {"at once": MERGE_AT_ONCE}),
            Axis("scale", _SCALE),
            Axis("output", _OUTPUT),
        ),
        possible=lambda switches: len(switches) <= 2,
        forbidden=("MultiheadAttention", "attnbook.nn"),
        hints=(
            "The printed test says that the answers do not follow the words. Which line lets words meet "
            "that should not?",
            "Print `torch.arange(24).view(1, 4, 6)` before and after the split with 3 heads.",
            "There are two places: into heads, and back. Both need a transpose.",
        ),
    ),
    Exercise(
        id="8.6",
        title="What each head adds",
        name="head_parts",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="head_parts(heads, W_o)",
        outputs=(PARTS,),
        variant=head_parts,
        cases=parts_cases,
        tolerance=(1e-4, 5e-5),
        axes=(
            Axis(
                "strips",
                {
                    "dealt": (
                        "Every n_heads-th column goes to a head. The heads stand side by side in runs of "
                        "d_head numbers, so a head meets d_head neighbouring columns."
                    ),
                    "first": (
                        "All heads are multiplied with the first strip of W_o. Head h has a strip of its "
                        "own, columns h · d_head to (h + 1) · d_head."
                    ),
                },
            ),
            Axis(
                "turned",
                {
                    "yes": (
                        "W_o is used on its side, or cut into rows instead of columns. As in "
                        "`torch.nn.Linear`, a row of W_o makes one number of the output: `merged @ W_o.T`."
                    ),
                },
            ),
        ),
        hints=(
            "The sum of your parts over the heads has to be `merge_heads(heads) @ W_o.T`.",
            "`W_o[:, h * d_head : (h + 1) * d_head]` is the strip of head h: (d_model, d_head).",
            "A loop over the heads, `heads[:, h] @ strip.T`, and `torch.stack(..., dim=1)`.",
        ),
    ),
    Exercise(
        id="8.7",
        title="The dearest head",
        name="dearest_cost",
        kind="measurement",
        points=2,
        minutes=10,
        difficulty="medium",
        signature="dearest_cost = 0.5",
        outputs=(Output("dearest_cost", kind="number"),),
        variant=dearest,
        tolerance=(0.0, 0.003),
        nearby=(
            Nearby(
                dearest("zero"),
                "That is the cost by zeros. The second head says about the same for every word, and its "
                "zeros take that constant away as well; the mean keeps it.",
                0.003,
            ),
            Nearby(
                max(loss_without(head, "mean") for head in range(3)),
                "That is the loss without the head. The cost is how much it rises: less the loss with all "
                "heads.",
                0.003,
            ),
            Nearby(
                min(loss_without(head, "mean") for head in range(3)) - loss_without(None, "mean"),
                "That is the cheapest of the three heads.",
                0.003,
            ),
        ),
        hints=(
            "A loop over three heads: copy, replace head h by its mean over the words, compute the loss.",
            "`heads[h].mean(dim=0)` has d_head numbers, the same for every word.",
            "The largest loss of the three, less the loss with all heads.",
        ),
    ),
    Exercise(
        id="8.8",
        title="How often a head looks there",
        name="share_at",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="share_at(weights, distance)",
        outputs=(SHARES,),
        variant=share_at,
        cases=share_cases,
        axes=(
            Axis(
                "sign",
                {
                    "backwards": (
                        "The distance is counted the wrong way: −1 means the word before, so the column is "
                        "row + distance."
                    )
                },
            ),
            Axis(
                "rows",
                {
                    "all": (
                        "You divide by the number of all rows. The first word has no word before it; rows "
                        "without such a word do not count."
                    )
                },
            ),
            Axis(
                "how",
                {
                    "mass": (
                        "You average the weight at that distance. Asked is how often the largest weight of "
                        "a row is there."
                    )
                },
            ),
            Axis(
                "end",
                {
                    "queries": (
                        "The largest number is looked for in each column. A row belongs to a query; the "
                        "largest weight of a row is `argmax(dim=-1)`."
                    )
                },
            ),
        ),
        possible=lambda switches: (
            len(switches) <= 2
            # turned tables with turned distances are the same cells
            and not ({"sign", "end"} <= set(switches))
            and not ({"how", "end"} <= set(switches))
            and not ({"how", "sign"} <= set(switches))
        ),
        hints=(
            "`weights.argmax(dim=-1)` is, for each head and row, the place that is looked at most.",
            "Compare it with `torch.arange(length) + distance`, and leave out rows where that is no place.",
            "Mean over the rows that are left.",
        ),
    ),
    Exercise(
        id="8.9",
        title="A name by the rule",
        name="answer_name",
        kind="choice",
        points=1,
        minutes=4,
        difficulty="medium",
        signature='answer_name = "a"',
        outputs=(Output("answer_name", kind="option"),),
        variant=lambda: "c",
        nearby=(
            Nearby(
                "a",
                "94 % is high, and looking one word back would reach 95 % without knowing what a subject "
                "is. By the rule the hits have to pass 95 % + 10 points.",
            ),
            Nearby(
                "b",
                "62 % is above one half. But the best head of the untrained models reached 71 %, so chance "
                "is not ruled out.",
            ),
            Nearby(
                "d",
                "One of the four roles passes all parts of its bar.",
            ),
        ),
        hints=(
            "For each row, find the largest of: one half, the best untrained head, the best distance + 10 "
            "points (the last not for roles that are a distance themselves).",
            "verb → subject: its bar is 105 %. Can anything pass it?",
            "Which role's hits lie above its bar?",
        ),
    ),
)
