"""Exercises of chapter 7, self-attention."""

from __future__ import annotations

import math

import torch

from attnbook.exercises.by_strings import Axis, Exercise
from attnbook.exercises.chapter_02 import (
    EMPTY_NAN,
    EMPTY_UNIFORM,
    FORBIDDEN,
    MASK_AFTER,
    MASK_IGNORED,
    MASK_INVERTED,
    MASK_ZERO,
    NO_SCALE,
    NOT_NEGATIVE,
    ROWS_ADD_UP_MASKED,
    SCALE_BY_D,
    SOFTMAX_OVER_QUERIES,
    empty_row_reached,
    masked_cases,
    masked_softmax,
    softmax,
)
from attnbook.exercises.spec import Case, Draw, Nearby, Output, Property

# 7.2: the weights of five words before they are put in reverse order.
FIVE = (
    (0.50, 0.20, 0.15, 0.10, 0.05),
    (0.30, 0.25, 0.19, 0.14, 0.12),
    (0.12, 0.23, 0.31, 0.26, 0.08),
    (0.07, 0.13, 0.33, 0.29, 0.18),
    (0.42, 0.03, 0.11, 0.28, 0.16),
)
WIDE, NARROW = 3 * 64, 64  # 7.6: numbers of a word and of a key


# 7.3


def causal_self_attention(
    x, W_q, W_k, W_v, *, scale="sqrt", past="past and self", placed="before", over="keys", roles="right"
):
    if roles == "keys ask":
        W_q, W_k = W_k, W_q
    query, key = x @ W_q.T, x @ W_k.T
    value = x @ W_v.T
    scores = query @ key.mT
    if scale == "sqrt":
        scores = scores / math.sqrt(W_q.shape[0])
    elif scale == "d":
        scores = scores / W_q.shape[0]
    elif scale == "model":
        scores = scores / math.sqrt(x.shape[-1])
    n = x.shape[1]
    everything = torch.ones(n, n, dtype=torch.bool)
    mask = {
        "past and self": everything.tril(),
        "past only": everything.tril(-1),
        "one ahead": everything.tril(1),
        "future": everything.triu(),
        "none": everything,
    }[past]
    if over == "queries":
        weights = masked_softmax(scores, mask, dim=-2)
    else:
        weights = masked_softmax(scores, mask, placed=placed)
    return weights @ value


def causal_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(4):
        batch, n, d_model, d_k, d_v = draw.sizes(5, 3, 9)
        cases.append(
            Case(
                {
                    "x": draw.normal(batch, n, d_model),
                    "W_q": draw.normal(d_k, d_model, scale=0.8),
                    "W_k": draw.normal(d_k, d_model, scale=0.8),
                    "W_v": draw.normal(d_v, d_model, scale=0.8),
                }
            )
        )
    return cases


def _first_word_sees_itself(args, outputs) -> bool:
    first = args["x"][:, 0] @ args["W_v"].T
    return torch.allclose(outputs["context"][:, 0], first, atol=1e-3)


# 7.4


def masked_attention(query, key, value, mask, *, scale="sqrt", placed="before", empty="zeros", over="keys"):
    scores = query @ key.mT
    if scale == "sqrt":
        scores = scores / math.sqrt(query.shape[-1])
    elif scale == "d":
        scores = scores / query.shape[-1]
    if over == "queries":
        weights = softmax(scores.masked_fill(~mask, -1e9), -2) * mask
    else:
        weights = masked_softmax(scores, mask, placed=placed, empty=empty)
    return weights @ value, weights


# 7.5


def read_word(
    x, hidden_tape, memory_tape, weights, W, b, *, look="weights", cell="memory tape", gates="i f o new",
    out="tanh"
):  # fmt: skip
    if look == "last":
        h_summary, c_summary = hidden_tape[:, -1], memory_tape[:, -1]
    elif look == "mean":
        h_summary, c_summary = hidden_tape.mean(1), memory_tape.mean(1)
    else:
        h_summary = (weights[:, :, None] * hidden_tape).sum(1)
        c_summary = (weights[:, :, None] * memory_tape).sum(1)
    if cell == "hidden tape":
        c_summary = (weights[:, :, None] * hidden_tape).sum(1)
    elif cell == "last":
        c_summary = memory_tape[:, -1]
    i, f, o, new = (torch.cat([h_summary, x], dim=-1) @ W.T + b).chunk(4, dim=-1)
    if gates == "f i o new":
        i, f = f, i
    elif gates == "i o f new":
        f, o = o, f
    elif gates == "no sigmoid":
        c = f * c_summary + i * torch.tanh(new)
        return o * (torch.tanh(c) if out == "tanh" else c), c
    c = torch.sigmoid(f) * c_summary + torch.sigmoid(i) * torch.tanh(new)
    return torch.sigmoid(o) * (torch.tanh(c) if out == "tanh" else c), c


def read_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        batch, read, d, d_input = draw.sizes(4, 3, 8)
        cases.append(
            Case(
                {
                    "x": draw.normal(batch, d_input),
                    "hidden_tape": draw.normal(batch, read, d),
                    "memory_tape": draw.normal(batch, read, d, scale=1.5),
                    "weights": torch.softmax(draw.normal(batch, read, scale=2.0), dim=-1),
                    "W": draw.normal(4 * d, d + d_input, scale=0.6),
                    "b": draw.normal(4 * d, scale=0.5),
                }
            )
        )
    return cases


# 7.7


def multiplications(n, d_model, d_k, d_v, *, tables="three", scores="n n d_k", mix="n n d_v"):
    tables_cost = {
        "three": n * d_model * (2 * d_k + d_v),
        "none": 0,
        "two": n * d_model * (d_k + d_v),
        "one word": d_model * (2 * d_k + d_v),
        "square": 3 * n * d_model * d_model,
    }[tables]
    scores_cost = {"n n d_k": n * n * d_k, "n d_k": n * d_k, "n n": n * n, "model": n * n * d_model}[scores]
    mix_cost = {"n n d_v": n * n * d_v, "none": 0, "n d_v": n * d_v}[mix]
    return float(tables_cost + scores_cost + mix_cost)


def cost_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(4):
        n, d_model, d_k, d_v = (draw.random.randrange(low, low + 40) for low in (11, 60, 110, 160))
        draw_order = [d_model, d_k, d_v]
        draw.random.shuffle(draw_order)
        cases.append(Case({"n": n, "d_model": draw_order[0], "d_k": draw_order[1], "d_v": draw_order[2]}))
    return cases


# 7.8


def layers_needed(n, reach, *, way="first to last", steps="up", width="each side"):
    distance = {"first to last": n - 1, "words": n}[way]
    stride = {"each side": reach, "both sides": 2 * reach, "with itself": 2 * reach + 1}[width]
    if steps == "down":
        return float(distance // stride)
    if steps == "log":
        return float(math.ceil(math.log(distance, stride))) if stride > 1 else float(distance)
    return float(-(-distance // stride))


def layers_cases(draw: Draw) -> list[Case]:
    cases = []
    for exact in (False, True, False, True):
        reach = draw.random.randrange(3, 9)
        times = draw.random.randrange(9, 25)
        n = reach * times + 1 if exact else reach * times + draw.random.randrange(2, reach) + 1
        cases.append(Case({"n": n, "reach": reach}))
    return cases


CONTEXT_OF_WORDS = Output("context", ("batch", "n", "d_v"))

EXERCISES = (
    Exercise(
        id="7.1",
        title="Which mask is this?",
        name="answer_mask",
        kind="choice",
        points=1,
        minutes=3,
        difficulty="easy",
        signature='answer_mask = "a"',
        outputs=(Output("answer_mask", kind="option"),),
        variant=lambda: "c",
        nearby=(
            Nearby(
                "a",
                "A padding mask forbids the same columns to every row. Compare the first row of the "
                "picture with the last.",
            ),
            Nearby(
                "b",
                "The triangle is right, but add up the numbers of the second row. Before the softmax, a "
                "mask leaves rows that add up to 1.",
            ),
            Nearby(
                "d",
                "A window would also forbid words far to the left. Look at the last row: it reaches "
                "back to the first column.",
            ),
        ),
        hints=(
            "Which cells are zero: the same columns in each row, or others?",
            "Add up the numbers of each row. In which row do they make 1?",
            "The shares were divided among all five words, and then some of them were struck out.",
        ),
    ),
    Exercise(
        id="7.2",
        title="The sentence backwards",
        name="share_after",
        kind="prediction",
        points=1,
        minutes=5,
        difficulty="easy",
        signature="share_after = 0.5",
        outputs=(Output("share_after", kind="number"),),
        variant=lambda: FIVE[4][1],
        tolerance=(0.0, 0.004),
        nearby=(
            Nearby(
                FIVE[0][3],
                "That is the number that stood there before. Which words stand in these places now?",
                0.004,
            ),
            Nearby(
                FIVE[0][1],
                "Columns move as well, but so do rows: the one who asks from place 1 is another word now.",
                0.004,
            ),
            Nearby(
                FIVE[4][3],
                "The row is right: the last word asks from place 1 now. But the words that are asked have "
                "moved, too.",
                0.004,
            ),
            Nearby(
                FIVE[1][4],
                "Those are the right two words, with asking and being asked exchanged. Rows ask.",
                0.004,
            ),
        ),
        hints=(
            "Without positions, a share belongs to a pair of *words*, not to a pair of places.",
            "After turning round, which word stands at place 1, and which at place 4?",
            "Row of the fifth word, column of the second.",
        ),
    ),
    Exercise(
        id="7.3",
        title="Self-attention that does not look ahead",
        name="causal_self_attention",
        kind="function",
        points=4,
        minutes=15,
        difficulty="medium",
        signature="causal_self_attention(x, W_q, W_k, W_v)",
        outputs=(CONTEXT_OF_WORDS,),
        variant=causal_self_attention,
        cases=causal_cases,
        properties=(
            Property(
                "the first word sees only itself, so its context is its own value", _first_word_sees_itself
            ),
        ),
        axes=(
            Axis(
                "scale",
                {
                    "none": NO_SCALE,
                    "d": SCALE_BY_D,
                    "model": (
                        "The scores are divided by √d_model. What counts is the length of the vectors that "
                        "are compared, queries and keys: d_k."
                    ),
                },
            ),
            Axis(
                "past",
                {
                    "past only": (
                        "A word may not look at itself. The diagonal of the mask is False; then the first "
                        "word has nobody to look at."
                    ),
                    "one ahead": (
                        "The triangle begins one column too late: each word still sees the next one. That "
                        "is the word which a language model has to guess."
                    ),
                    "future": (
                        "The triangle is upside down: each word looks at itself and at those *after* it."
                    ),
                    "none": "Nothing is masked: every word looks at the whole sentence, the future included.",
                },
            ),
            Axis("placed", {"after": MASK_AFTER, "zero": MASK_ZERO}),
            Axis("over", {"queries": SOFTMAX_OVER_QUERIES}),
            Axis(
                "roles",
                {
                    "keys ask": (
                        "Queries and keys are exchanged: row i holds what the others think of word i, "
                        "instead of what word i thinks of the others."
                    )
                },
            ),
        ),
        possible=lambda switches: (
            not ("placed" in switches and switches.get("past") == "none")
            and not ("over" in switches and ("placed" in switches or "past" in switches))
            and not (switches.get("past") == "past only" and "placed" in switches)
        ),
        forbidden=("scaled_dot_product_attention", "attnbook.nn", "MultiheadAttention"),
        hints=(
            "Three products first: `x @ W_q.T` is (batch, n, d_k). The tables are stored as `nn.Linear` "
            "stores them.",
            "`torch.ones(n, n, dtype=torch.bool).tril()` is True on the diagonal and to its left.",
            "Scores, divided by the root of W_q.shape[0], then `masked_fill(~mask, -math.inf)`, softmax "
            "over the last axis, times the values.",
        ),
    ),
    Exercise(
        id="7.4",
        title="The future leaks",
        name="masked_attention",
        kind="bug",
        points=3,
        minutes=10,
        difficulty="medium",
        signature="masked_attention(query, key, value, mask)",
        outputs=(
            Output("context", ("batch", "queries", "d_v")),
            Output("weights", ("batch", "queries", "keys")),
        ),
        variant=masked_attention,
        cases=masked_cases,
        properties=(NOT_NEGATIVE, FORBIDDEN, ROWS_ADD_UP_MASKED),
        axes=(
            Axis("scale", {"none": NO_SCALE, "d": SCALE_BY_D}),
            Axis(
                "placed",
                {
                    "after": MASK_AFTER,
                    "ignored": MASK_IGNORED,
                    "inverted": MASK_INVERTED,
                    "zero": MASK_ZERO,
                },
            ),
            Axis("empty", {"nan": EMPTY_NAN, "uniform": EMPTY_UNIFORM}),
            Axis("over", {"queries": SOFTMAX_OVER_QUERIES}),
        ),
        possible=lambda switches: (
            empty_row_reached(switches)
            and not ("over" in switches and ("placed" in switches or "empty" in switches))
        ),
        forbidden=("scaled_dot_product_attention", "attnbook.nn"),
        hints=(
            "Two lines are wrong. Add up a row of the weights, and compare the size of the scores with "
            "section 7.8.",
            "A mask has to act before the shares are dealt out.",
            "Divide by the *root* of d_k; put −∞ where the mask is False, then softmax, then "
            "`nan_to_num(0.0)` for rows in which nothing is allowed.",
        ),
    ),
    Exercise(
        id="7.5",
        title="One word of the machine reader",
        name="read_word",
        kind="function",
        points=4,
        minutes=15,
        difficulty="hard",
        signature="read_word(x, hidden_tape, memory_tape, weights, W, b)",
        outputs=(Output("h", ("batch", "d")), Output("c", ("batch", "d"))),
        variant=read_word,
        cases=read_cases,
        axes=(
            Axis(
                "look",
                {
                    "last": (
                        "Only the last place of the tapes is used. That is an ordinary LSTM; the machine "
                        "reader mixes all places, by the weights."
                    ),
                    "mean": "All places count the same: the weights are not used.",
                },
            ),
            Axis(
                "cell",
                {
                    "hidden tape": (
                        "The cells' summary is made from the hidden tape. The same weights are used twice, "
                        "on two tapes."
                    ),
                    "last": (
                        "The new cell starts from the last cell alone. It should start from the mixture of "
                        "all cells on the memory tape."
                    ),
                },
            ),
            Axis(
                "gates",
                {
                    "f i o new": "Input and forget gate are exchanged: the first quarter of the rows is i.",
                    "i o f new": "Forget and output gate are exchanged: the order is i, f, o, new content.",
                    "no sigmoid": (
                        "The gates are not squeezed into 0 to 1: a sigmoid is missing, so they can turn "
                        "signs and blow numbers up."
                    ),
                },
            ),
            Axis(
                "out",
                {
                    "cell itself": (
                        "The state is the gated cell itself. A tanh stands between the cell and the "
                        "output gate."
                    )
                },
            ),
        ),
        possible=lambda switches: (
            not (
                (switches.get("look") == "last" and switches.get("cell") == "last")
                or (switches.get("look") == "mean" and switches.get("cell") == "hidden tape")
            )
        ),
        forbidden=("LSTMN", "attnbook.nn"),
        hints=(
            "`(weights[:, :, None] * hidden_tape).sum(1)` is (batch, d); the same for the memory tape.",
            "`torch.cat([h_summary, x], dim=-1) @ W.T + b` is (batch, 4·d); `.chunk(4, dim=-1)` cuts it "
            "into i, f, o and the new content.",
            "c = σ(f) · c_summary + σ(i) · tanh(new), and h = σ(o) · tanh(c).",
        ),
    ),
    Exercise(
        id="7.6",
        title="How large are the scores?",
        name="variance_of_scores",
        kind="measurement",
        points=2,
        minutes=8,
        difficulty="medium",
        signature="variance_of_scores = 1.0",
        outputs=(Output("variance_of_scores", kind="number"),),
        variant=lambda: NARROW / 9,
        tolerance=(0.0, 0.7),
        nearby=(
            Nearby(
                float(NARROW),
                "That is d_k, which holds for queries and keys of variance 1. Print their variance: it is "
                "smaller in a layer that torch has just made.",
                2.0,
            ),
            Nearby(
                NARROW / 3,
                "One factor of 1/3 is missing: queries *and* keys have variance 1/3.",
                1.5,
            ),
            Nearby(
                1 / 9,
                "That is the variance after dividing by √d_k. Asked for is the one before.",
                0.03,
            ),
            Nearby(
                math.sqrt(NARROW) / 3,
                "That is the standard deviation, the root of the variance.",
                0.15,
            ),
        ),
        hints=(
            "`layer.weight` of a fresh `nn.Linear(192, 64)`, rows drawn with `torch.randn(1000, 192)`.",
            "`(q @ k.T).var()`, with q and k of two layers that torch has just made.",
            "A query's numbers have variance 1/3. The products of two such numbers have 1/9, and 64 of "
            "them are added up.",
        ),
    ),
    Exercise(
        id="7.7",
        title="Count the multiplications",
        name="multiplications",
        kind="function",
        points=2,
        minutes=10,
        difficulty="medium",
        signature="multiplications(n, d_model, d_k, d_v)",
        outputs=(Output("multiplications", kind="number"),),
        variant=multiplications,
        cases=cost_cases,
        tolerance=(1e-9, 1e-3),
        axes=(
            Axis(
                "tables",
                {
                    "none": (
                        "The three tables are not counted. Each word's vector is multiplied with W_Q, W_K "
                        "and W_V."
                    ),
                    "two": "One of the tables of queries and keys is missing: both make d_k numbers a word.",
                    "one word": "The tables are counted for one word. All n words go through them.",
                    "square": (
                        "The tables are counted as if they were square. They make d_k or d_v numbers "
                        "from d_model."
                    ),
                },
            ),
            Axis(
                "scores",
                {
                    "n d_k": "Scores are counted for one query. Each of n words asks each of n words.",
                    "n n": "There are n² scores, and each of them is a dot product of d_k multiplications.",
                    "model": (
                        "The scores are counted with d_model multiplications each. What is compared are "
                        "queries and keys, of d_k numbers."
                    ),
                },
            ),
            Axis(
                "mix",
                {
                    "none": "The mixing of the values is not counted: n² weights, each times d_v numbers.",
                    "n d_v": "The mixing is counted for one query. Each of n words gets one of its own.",
                },
            ),
        ),
        hints=(
            "Three parts: the tables, the scores, the mixing.",
            "A product of (a, b) with (b, c) needs a · b · c multiplications. Write down the shapes.",
            "(n, d_model) with (d_model, d_k), twice; with (d_model, d_v), once; (n, d_k) with (d_k, n); "
            "(n, n) with (n, d_v).",
        ),
    ),
    Exercise(
        id="7.8",
        title="How deep must a narrow look be?",
        name="layers_needed",
        kind="function",
        points=2,
        minutes=10,
        difficulty="medium",
        signature="layers_needed(n, reach)",
        outputs=(Output("layers", kind="number"),),
        variant=layers_needed,
        cases=layers_cases,
        tolerance=(0.0, 1e-3),
        axes=(
            Axis(
                "way",
                {
                    "words": (
                        "You count n words. From the first to the last of n words there are n − 1 steps."
                    ),
                },
            ),
            Axis(
                "steps",
                {
                    "down": ("You round down. A rest that is shorter than the reach still needs a layer."),
                    "log": (
                        "That is a logarithm: it holds when each layer reaches several times as far as the "
                        "one below. Here every layer has the same reach."
                    ),
                },
            ),
            Axis(
                "width",
                {
                    "both sides": (
                        "You divide by the whole window. A signal that goes to the right gains the reach of "
                        "one side in each layer."
                    ),
                    "with itself": (
                        "You divide by the number of words in the window. A signal that goes to the right "
                        "gains the reach of one side in each layer."
                    ),
                },
            ),
        ),
        possible=lambda switches: len(switches) == 1,
        hints=(
            "With reach 2 and 5 words: layer 1 brings word 1 to word 3, layer 2 to word 5.",
            "How many steps of length `reach` cover the distance from word 1 to word n?",
            "`math.ceil((n - 1) / reach)`.",
        ),
    ),
)
