"""Exercises of chapter 10, the transformer."""

from __future__ import annotations

import math
from dataclasses import replace

import torch

from attnbook.exercises.chapter_02 import (
    MASK_AFTER,
    MASK_IGNORED,
    MASK_INVERTED,
    MASK_ZERO,
    masked_softmax,
)
from attnbook.exercises.chapter_03 import averaged, loss_cases, sentence_cases
from attnbook.exercises.chapter_04 import PADDED_CASES, padding_mask
from attnbook.exercises.chapter_08 import (
    OUTPUT_TURNED,
    SCALE_D_HEAD,
    SCALE_D_MODEL,
    SCALE_NONE,
    SPLIT_AT_ONCE,
    multi_head,
)
from attnbook.exercises.spec import Axis, Case, Draw, Exercise, Nearby, Output, Property

D_MODEL, D_FF = 512, 2048  # 10.1: the base model of Vaswani et al. 2017
MATRICES = ("W_q", "W_k", "W_v", "W_o")

VARIANCE_UNBIASED = (
    "The variance is divided by d_model − 1. Layer normalisation divides by d_model; `var` and `std` of "
    "torch take `unbiased=False` for that."
)


# 10.2


def layer_norm(
    x, gamma, beta, epsilon,
    *, over="numbers of a word", centre="mean", spread="variance", small="in the root", affine="gamma, beta",
):  # fmt: skip
    axes = {"words": (1,), "sentence": (1, 2), "batch": (0, 1)}.get(over, (-1,))
    centred = x - x.mean(dim=axes, keepdim=True)
    variance = x.var(dim=axes, keepdim=True, unbiased=spread == "unbiased")
    if spread == "not rooted":
        divisor = variance + epsilon
    elif small == "outside":
        divisor = torch.sqrt(variance) + epsilon
    else:
        divisor = torch.sqrt(variance + (0.0 if small == "none" else epsilon))
    normal = (x if centre == "none" else centred) / divisor
    if affine == "none":
        return normal
    if affine == "no gamma":
        return normal + beta
    if affine == "no beta":
        return normal * gamma
    if affine == "exchanged":
        return normal * beta + gamma
    if affine == "beta first":
        return (normal + beta) * gamma
    return normal * gamma + beta


def layer_norm_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("ordinary", "ordinary", "ordinary", "even"):
        batch, length, d_model = draw.sizes(3, 3, 9)
        x = draw.normal(batch, length, d_model, scale=1.4) + draw.normal(d_model)
        epsilon = draw.random.uniform(0.2, 0.4)
        if kind == "even":
            epsilon = 1e-5
            x[draw.random.randrange(batch), draw.random.randrange(length)] = 0.75
        cases.append(
            Case(
                {
                    "x": x,
                    "gamma": draw.uniform(d_model, low=0.5, high=2.0),
                    "beta": draw.normal(d_model) - 0.5,
                    "epsilon": epsilon,
                },
                group="edge" if kind == "even" else "plain",
                note="all numbers of one word are equal" if kind == "even" else "",
            )
        )
    return cases


# 10.3


def learning_rate(step, d_model, warmup, *, join="min", width="-1/2", rise="-3/2", count="from 1"):
    if count == "from 0":
        step = step + 1
    falling = step**-0.5
    rising = step * warmup ** {"-3/2": -1.5, "-1": -1.0, "-1/2": -0.5}[rise]
    joined = {
        "min": min(falling, rising),
        "max": max(falling, rising),
        "sum": falling + rising,
        "only rises": rising,
        "only falls": falling,
    }[join]
    return joined * {"-1/2": d_model**-0.5, "none": 1.0, "1/2": d_model**0.5, "-1": 1 / d_model}[width]


def schedule_cases(draw: Draw) -> list[Case]:
    cases = []
    for place in ("early", "early", "late", "late", "peak", "first"):
        warmup = draw.random.randint(60, 200)
        step = {
            "early": draw.random.randint(9, 40),
            "late": warmup + draw.random.randint(30, 300),
            "peak": warmup,
            "first": 1,
        }[place]
        cases.append(
            Case(
                {"step": step, "d_model": draw.random.randint(16, 96), "warmup": warmup},
                group="plain" if place in ("early", "late") else "edge",
                note={"peak": "the last step of the warm-up", "first": "the first step"}.get(place, ""),
            )
        )
    return cases


# 10.4


def both_ends(tokens, E, P, hidden, *, scale="root of d_model", place="first", logits="scores"):
    d_model, length = E.shape[1], tokens.shape[1]
    root = math.sqrt(d_model)
    words = E[tokens]  # (batch, tgt, d_model)
    by = {"none": 1.0, "divided": 1 / root, "d_model": float(d_model), "vocab": math.sqrt(E.shape[0])}
    words = words * by.get(scale, root)
    positions = {
        "first": P[:length],
        "none": torch.zeros_like(P[:length]),
        "last": P[-length:],
        "one late": P[1 : length + 1],
    }[place]
    x = words + (root * positions if scale == "positions too" else positions)
    scores = hidden @ E.T
    if logits == "scaled":
        scores = scores * root
    elif logits == "divided":
        scores = scores / root
    elif logits == "shares":
        scores = torch.softmax(scores, dim=-1)
    elif logits == "log shares":
        scores = torch.log_softmax(scores, dim=-1)
    return x, scores


def ends_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        batch, length, d_model, vocab = draw.sizes(4, 3, 10)
        max_length = length + draw.random.randint(2, 5)
        cases.append(
            Case(
                {
                    "tokens": draw.integers(batch, length, high=vocab),
                    "E": draw.normal(vocab, d_model, scale=0.6),
                    "P": draw.normal(max_length, d_model),
                    "hidden": draw.normal(batch, length, d_model),
                }
            )
        )
    return cases


# 10.5


def decoder_mask(
    lengths, past, new, *, order="not later", begin="after the past", padding="keys", meaning="may attend"
):
    keys = torch.arange(past + new)  # (keys,)
    queries = torch.arange(new) + (0 if begin == "at 0" else past)  # (new,)
    i, j = queries[:, None], keys[None, :]
    seen = {
        "not later": j <= i,
        "earlier": j < i,
        "one ahead": j <= i + 1,
        "not earlier": j >= i,
        "all": torch.ones(new, past + new, dtype=torch.bool),
    }[order]
    real_key = keys < lengths[:, None]  # (batch, keys)
    real_query = queries < lengths[:, None]  # (batch, new)
    if padding == "one more":
        real_key = keys <= lengths[:, None]
    mask = {
        "none": seen.expand(len(lengths), -1, -1),
        "queries": seen & real_query[:, :, None],
        "either": seen | real_key[:, None, :],
    }.get(padding, seen & real_key[:, None, :])
    if meaning == "turned":
        return mask.mT.contiguous()
    return ~mask if meaning == "may not" else mask.clone()


def mask_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("full", "padded", "padded"):
        while True:
            batch, new, past = draw.sizes(3, 3, 8)
            if batch != past + new:
                break
        size = past + new
        lengths = torch.full((batch,), size)
        if kind == "padded":
            # One sentence ends before the new words, one among them, one stays whole.
            lengths[0], lengths[1] = draw.random.randint(2, past), size - draw.random.randint(1, 2)
            for row in range(3, batch):
                lengths[row] = draw.random.randint(2, size)
            lengths = lengths[draw.permutation(batch)]
        cases.append(Case({"lengths": lengths, "past": past, "new": new}, **PADDED_CASES[kind]))
    return cases


# 10.6


def next_word_loss(state, tgt, *, pair="shifted", past="past and self"):
    E = state["E"]
    seen, wanted = {
        "shifted": (tgt[:, :-1], tgt[:, 1:]),
        "whole": (tgt, tgt),
        "same": (tgt[:, :-1], tgt[:, :-1]),
        "copy": (tgt[:, 1:], tgt[:, 1:]),
        "backwards": (tgt[:, 1:], tgt[:, :-1]),
    }[pair]
    x = E[seen] * math.sqrt(E.shape[1])
    scores = (x @ state["W_q"].T) @ (x @ state["W_k"].T).mT / math.sqrt(E.shape[1])
    n = seen.shape[1]
    everything = torch.ones(n, n, dtype=torch.bool)
    mask = {
        "past and self": everything.tril(),
        "one ahead": everything.tril(1),
        "all": everything,
    }[past]
    x = x + masked_softmax(scores, mask) @ (x @ state["W_v"].T)
    logits = x @ E.T
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())


def next_word_cases(draw: Draw) -> list[Case]:
    cases = []
    for case in sentence_cases(draw):
        d_model, vocab = draw.sizes(2, 4, 8)
        tgt = case.args["tgt"] % (vocab - 3) + 3
        tgt[:, 0], tgt[:, -1] = 1, 2
        cases.append(
            Case(
                {"tgt": tgt},
                init={"vocab": vocab, "d_model": d_model},
                state={
                    "E": draw.normal(vocab, d_model, scale=0.5),
                    **{name: draw.normal(d_model, d_model, scale=0.6) for name in MATRICES[:3]},
                },
                cotangents=[torch.tensor(1.0)],
            )
        )
    return cases


# 10.7


def smoothed_loss(logits, wanted, mask, epsilon, *, spread="all words", share="real words", form="logs"):
    vocab = logits.shape[-1]
    right = torch.nn.functional.one_hot(wanted, vocab).to(logits.dtype)  # (batch, tgt, vocab)
    target = {
        "all words": (1 - epsilon) * right + epsilon / vocab,
        "other words": (1 - epsilon) * right + epsilon / (vocab - 1) * (1 - right),
        "added": right + epsilon / vocab,
        "exchanged": epsilon * right + (1 - epsilon) / vocab,
        "whole": (1 - epsilon) * right + epsilon,
        "none": right,
    }[spread]
    logs = torch.log_softmax(logits, dim=-1)
    if form == "no softmax":
        logs = logits
    losses = -(target * logs).sum(dim=-1)  # (batch, tgt)
    if form == "mixed shares":
        losses = -torch.log((target * logs.exp()).sum(dim=-1))
    elif form == "less its own":
        losses = losses + torch.xlogy(target, target).sum(dim=-1)
    if share == "mask unused":
        return losses.mean()
    return averaged(losses, mask, share)


def smoothing_cases(draw: Draw) -> list[Case]:
    """Chapter 3's cases of a padded loss, and an epsilon."""
    cases = []
    for case in loss_cases(draw):
        scores, target, mask = case.args.values()
        args = {"logits": scores, "wanted": target, "mask": mask, "epsilon": draw.random.uniform(0.1, 0.4)}
        cases.append(replace(case, args=args))
    return cases


# 10.8 and 10.10: a sublayer and what is around it


def plain_norm(x, gamma, beta, spread="variance"):
    """Layer normalisation with the usual epsilon."""
    return layer_norm(x, gamma, beta, 1e-5, spread=spread)


def cross_attention(
    state, x, memory, mask,
    *, asks="x", values="W_v", normalised="x before", shortcut="x", placed="before", scale="root of d_head",
    cut="words first", spread="variance",
):  # fmt: skip
    # Heads are not in the state: the module knows them from its constructor, and here d_head is always 3.
    n_heads = x.shape[-1] // 3
    gamma, beta = state["gamma"], state["beta"]
    query = plain_norm(x, gamma, beta, spread) if normalised in ("x before", "both") else x
    if normalised in ("both", "memory"):
        memory = plain_norm(memory, gamma, beta, spread)
    W_v = state["W_k"] if values == "W_k" else state["W_v"]
    matrices = (state["W_q"], state["W_k"], W_v, state["W_o"])
    if asks == "itself":  # the mask of the source does not fit here, so that it is left out
        memory, mask = query, torch.ones(x.shape[:2], dtype=torch.bool)
    context, weights = multi_head(
        query, memory, *matrices, n_heads, mask, cut=cut, scale=scale, placed=placed
    )
    joined = {"x": x + context, "none": context, "normalised": query + context, "twice": 2 * x + context}
    result = joined[shortcut]
    return plain_norm(result, gamma, beta, spread) if normalised == "after" else result, weights


def head_sizes(draw: Draw, count: int) -> tuple[list[int], int]:
    """``count`` sizes and n_heads, all different, and d_model = 3 · n_heads different from all of them."""
    while True:
        *sizes, n_heads = draw.sizes(count + 1, 2, 8)
        if 3 * n_heads not in sizes:
            return sizes, n_heads


def layer_parameters(draw: Draw, d_model: int, names: tuple[str, ...]) -> dict[str, torch.Tensor]:
    """Four matrices of attention, and gamma and beta for each norm, by name."""
    return {
        **{name: draw.normal(d_model, d_model, scale=1.5 * d_model**-0.5) for name in MATRICES},
        **{f"gamma{name}": draw.uniform(d_model, low=0.5, high=2.0) for name in names},
        **{f"beta{name}": draw.normal(d_model, scale=0.5) for name in names},
    }


def cross_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("full", "padded", "padded"):
        while True:
            (batch, tgt, src), n_heads = head_sizes(draw, 3)
            if src > 2:  # padding needs room
                break
        d_model = 3 * n_heads
        cases.append(
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
    return cases


# 10.9


def sentence_lengths() -> torch.Tensor:
    """The lengths of 240 sentences, many short and few long: fixed, no random numbers."""
    number = torch.arange(240)
    return 4 + ((37 * number**2 + 11 * number) % 101) ** 2 // 400


def padding_share(lengths: torch.Tensor, size: int = 16) -> float:
    """The share of padding in batches of ``size`` sentences, taken in the order given."""
    batches = lengths.view(-1, size)
    return 1 - lengths.sum().item() / (size * batches.amax(dim=1).sum().item())


def mean_of_shares(lengths: torch.Tensor, size: int = 16) -> float:
    """The same, batch by batch, then averaged over the batches."""
    batches = lengths.view(-1, size).double()
    return 1 - (batches.mean(dim=1) / batches.amax(dim=1)).mean().item()


# 10.10


def encoder_layer(
    x, mask, parameters, n_heads, norm,
    *, place="as asked", shortcut="x", norms="two", feed="relu", heads="words first", scale="root of d_head",
    placed="before", output="W_o", spread="variance", padding="as all",
):  # fmt: skip
    p = parameters
    pre = {"post": False, "pre": True, "exchanged": norm == "post"}.get(place, norm == "pre")
    first, second = {"one": ("1", "1"), "exchanged": ("2", "1")}.get(norms, ("1", "2"))

    def attend(rows):
        matrices = (p[name] for name in MATRICES)
        options = {"cut": heads, "scale": scale, "output": output}
        if placed not in ("queries", "queries, NaN"):
            memory = x if place == "queries alone" else rows
            return multi_head(rows, memory, *matrices, n_heads, mask, placed=placed, **options)[0]
        context = multi_head(rows, rows, *matrices, n_heads, torch.ones_like(mask), **options)[0]
        return context.masked_fill(~mask[:, :, None], 0.0 if placed == "queries" else math.nan)

    def feed_forward(rows):
        b_1, b_2 = (0.0, 0.0) if feed == "no biases" else (p["b_1"], p["b_2"])
        inside = rows @ p["W_1"].T + b_1
        if feed == "relu last":
            return torch.relu(inside @ p["W_2"].T + b_2)
        return (inside if feed == "no relu" else torch.relu(inside)) @ p["W_2"].T + b_2

    def join(rows, sublayer, which, missing):
        def normal(t):
            return plain_norm(t, p[f"gamma_{which}"], p[f"beta_{which}"], spread)

        before = normal(rows) if pre else rows
        after = sublayer(before)
        start = before if shortcut == "normalised" else x if shortcut == "from the start" else rows
        if shortcut in ("none", missing):
            start = 0.0
        if place == "before the sum":
            return start + (after if pre else normal(after))
        return start + after if pre else normal(start + after)

    middle = join(x, attend, first, "first missing")
    result = join(middle, feed_forward, second, "second missing")
    return result * mask[:, :, None] if padding == "zeroed" else result


def encoder_cases(draw: Draw) -> list[Case]:
    cases = []
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
        cases.append(
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
    return cases


_SCALE = {"d_model": SCALE_D_MODEL, "none": SCALE_NONE, "d_head": SCALE_D_HEAD}
_PLACED = {"ignored": MASK_IGNORED, "inverted": MASK_INVERTED, "after": MASK_AFTER, "zero": MASK_ZERO}


def wiring_with_attention(switches) -> bool:
    """Single mistakes, and two together: one in how a layer is wired, one in its attention; or any one and a
    layer norm that was written wrongly before."""
    if len(switches) == 1:
        return True
    if "spread" in switches:
        return switches.get("normalised") != "none"
    wiring = {"normalised", "place", "shortcut"} & set(switches)
    return bool(wiring) and ("scale" in switches or switches.get("placed") == "ignored")


EXERCISES = (
    Exercise(
        id="10.1",
        title="Where the numbers are",
        name="share_attention",
        kind="prediction",
        points=1,
        minutes=4,
        difficulty="easy",
        signature="share_attention = 0.25",
        outputs=(Output("share_attention", kind="number"),),
        variant=lambda: 8 * D_MODEL**2 / (8 * D_MODEL**2 + 2 * D_MODEL * D_FF),
        tolerance=(0.0, 0.01),
        nearby=(
            Nearby(
                4 * D_MODEL**2 / (4 * D_MODEL**2 + 2 * D_MODEL * D_FF),
                "That is an encoder layer. A decoder layer attends twice: to its own sentence and to the "
                "source, each time with four matrices.",
                0.01,
            ),
            Nearby(
                6 * D_MODEL**2 / (6 * D_MODEL**2 + 2 * D_MODEL * D_FF),
                "That leaves out W_o, the fourth matrix of each attention.",
                0.01,
            ),
            Nearby(
                7 * D_MODEL**2 / (7 * D_MODEL**2 + 2 * D_MODEL * D_FF),
                "That leaves out one matrix. Cross-attention has the same four as self-attention: it makes"
                " its keys and values from the memory with tables of its own.",
                0.01,
            ),
            Nearby(
                8 * D_MODEL**2 / (8 * D_MODEL**2 + D_MODEL * D_FF),
                "That counts one matrix of the feed-forward network. It has two: one leads in, one leads "
                "out.",
                0.01,
            ),
            Nearby(
                50 / 58,
                "That gives each of the 8 heads three matrices of full size. A head's matrices have "
                "512 / 8 = 64 rows, so eight heads together fill one matrix of 512 · 512 each for query, "
                "key and value.",
                0.005,
            ),
        ),
        hints=(
            "Which sublayers has a decoder layer, and how many matrices has each? The number of heads "
            "changes nothing.",
            "Each matrix of attention has 512 · 512 numbers. W_1 and W_2 of the feed-forward network have "
            "2,048 · 512 each, as many as four of those.",
            "Two attentions with four matrices each, against a feed-forward network that is worth eight.",
        ),
    ),
    Exercise(
        id="10.2",
        title="Layer normalisation",
        name="layer_norm",
        kind="function",
        points=2,
        minutes=8,
        difficulty="easy",
        signature="layer_norm(x, gamma, beta, epsilon)",
        outputs=(Output("normalised", ("batch", "length", "d_model")),),
        variant=layer_norm,
        cases=layer_norm_cases,
        axes=(
            Axis(
                "over",
                {
                    "words": (
                        "Mean and variance are taken over the words of a sentence, for each number of the "
                        "vector on its own. Layer normalisation looks at one word at a time: the axis is "
                        "d_model, the last."
                    ),
                    "sentence": (
                        "One mean and one variance serve all words of a sentence. Each word has its own: "
                        "only the last axis is averaged over."
                    ),
                    "batch": (
                        "Mean and variance are taken over the batch, for each number of the vector on its "
                        "own: that is batch normalisation. A word would then depend on the other sentences"
                        " that happen to be in its batch."
                    ),
                },
            ),
            Axis(
                "centre",
                {
                    "none": "The mean is not subtracted: your rows have the right spread around the wrong "
                    "middle."
                },
            ),
            Axis(
                "spread",
                {
                    "unbiased": VARIANCE_UNBIASED,
                    "not rooted": (
                        "You divide by the variance itself. It is measured in squares: a vector twice as "
                        "large has four times the variance. Its root brings the spread to 1."
                    ),
                },
            ),
            Axis(
                "small",
                {
                    "outside": (
                        "epsilon is added to the root. It belongs to the variance, before the root is taken; "
                        "with a large epsilon the two differ much."
                    ),
                    "none": (
                        "epsilon is left out. A word whose numbers are all equal has the variance 0, and 0"
                        " / 0 is NaN."
                    ),
                },
            ),
            Axis(
                "affine",
                {
                    "none": (
                        "gamma and beta are not used. They stand at the end: one multiplies, one is added."
                    ),
                    "no gamma": "gamma is not used: it multiplies the normalised numbers.",
                    "no beta": "beta is not used: it is added at the very end.",
                    "exchanged": "gamma and beta are exchanged: gamma multiplies, beta is added.",
                    "beta first": ("beta is added before gamma multiplies, so that it is stretched, too."),
                },
            ),
        ),
        together=2,
        possible=lambda switches: not (switches.get("spread") == "not rooted" and "small" in switches),
        forbidden=("functional.layer_norm", "F.layer_norm", "LayerNorm", "attnbook.nn"),
        hints=(
            "Two numbers for each word: its mean and its variance over the last axis, with `keepdim=True`.",
            "`x.var(dim=-1, keepdim=True, unbiased=False)` divides by d_model.",
            "Subtract the mean, divide by the root of variance + epsilon, times gamma, plus beta.",
        ),
    ),
    Exercise(
        id="10.3",
        title="Warm up, then slow down",
        name="learning_rate",
        kind="function",
        points=2,
        minutes=8,
        difficulty="easy",
        signature="learning_rate(step, d_model, warmup)",
        outputs=(Output("rate", kind="number"),),
        variant=learning_rate,
        cases=schedule_cases,
        tolerance=(1e-4, 1e-9),
        axes=(
            Axis(
                "join",
                {
                    "max": (
                        "The larger of the two is taken. Then the rate is enormous at the first step and "
                        "grows without end after the warm-up; draw it."
                    ),
                    "sum": "The two parts are added. At each step only one of them counts, the smaller.",
                    "only rises": "The rate rises for ever: the part that falls, step^(−1/2), is missing.",
                    "only falls": (
                        "There is no warm-up: the part that rises is missing, so step 1 has the largest rate."
                    ),
                },
            ),
            Axis(
                "width",
                {
                    "none": "d_model is not used: all rates are multiplied by d_model^(−1/2).",
                    "1/2": "You multiply by √d_model. A wider model takes smaller steps: the power is −1/2.",
                    "-1": "You divide by d_model instead of its root: the power is −1/2.",
                },
            ),
            Axis(
                "rise",
                {
                    "-1": (
                        "The rising part is step / warmup. At the step `warmup` the two parts have to meet, "
                        "and step^(−1/2) is far below 1 there."
                    ),
                    "-1/2": (
                        "The rising part has the wrong power of warmup: −1/2 makes it cross the falling part "
                        "within the first few steps. At the step `warmup` the two have to meet."
                    ),
                },
            ),
            Axis(
                "count",
                {
                    "from 0": (
                        "The first step is treated as step 0: your rates come one step early. Here step "
                        "counts from 1, as in the paper."
                    )
                },
            ),
        ),
        together=2,
        possible=lambda switches: not (switches.get("join") == "only falls" and "rise" in switches),
        forbidden=("attnbook.training.schedules",),
        hints=(
            "Compute the falling part and the rising part, and take one of them.",
            "In Python a power is written `step**-0.5`.",
            "The rising part is `step * warmup**-1.5`; the smaller of the two, times `d_model**-0.5`.",
        ),
    ),
    Exercise(
        id="10.4",
        title="One table at both ends",
        name="both_ends",
        kind="function",
        points=2,
        minutes=10,
        difficulty="medium",
        signature="both_ends(tokens, E, P, hidden)",
        outputs=(Output("x", ("batch", "tgt", "d_model")), Output("logits", ("batch", "tgt", "vocab"))),
        variant=both_ends,
        cases=ends_cases,
        axes=(
            Axis(
                "scale",
                {
                    "none": (
                        "The word vectors are not multiplied by √d_model. They start small, so that the "
                        "positions drown them."
                    ),
                    "divided": "The word vectors are divided by √d_model; they have to be multiplied.",
                    "d_model": "The word vectors are multiplied by d_model instead of its root.",
                    "vocab": (
                        "You multiply by the root of the number of words. It is the length of a vector that "
                        "counts: E has the shape (vocab, d_model)."
                    ),
                    "positions too": (
                        "The positions are multiplied by √d_model as well. Only the words' vectors are: "
                        "first multiply, then add the positions."
                    ),
                },
            ),
            Axis(
                "place",
                {
                    "none": (
                        "The positions are missing: the same word gets the same vector wherever it stands."
                    ),
                    "last": "You took the last rows of P. The first word stands at position 0.",
                    "one late": "Your positions are counted from 1: the first word takes row 0 of P.",
                },
            ),
            Axis(
                "logits",
                {
                    "scaled": (
                        "The logits are multiplied by √d_model. The factor belongs to the way in alone."
                    ),
                    "divided": "The logits are divided by √d_model. On the way out E is used as it is.",
                    "shares": (
                        "You return shares. Logits are the scores before the softmax; the loss takes those."
                    ),
                    "log shares": (
                        "You return logarithms of shares. Logits are the scores before any softmax."
                    ),
                },
            ),
        ),
        together=2,
        possible=lambda switches: (
            not (switches.get("scale") == "positions too" and switches.get("place") == "none")
        ),
        forbidden=("attnbook.nn",),
        hints=(
            "`E[tokens]` looks up a row for each word: (batch, tgt, d_model).",
            "Multiply by `math.sqrt(E.shape[1])`, then add the first rows of P, as many as there are words.",
            "A logit is the dot product of a hidden vector with a row of E: `hidden @ E.T`.",
        ),
    ),
    Exercise(
        id="10.5",
        title="What the decoder may see",
        name="decoder_mask",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="decoder_mask(lengths, past, new)",
        outputs=(Output("mask", ("batch", "new", "past + new")),),
        variant=decoder_mask,
        cases=mask_cases,
        axes=(
            Axis(
                "order",
                {
                    "earlier": (
                        "A word may not see itself: j = i is missing. Each word may look at itself and at "
                        "earlier ones."
                    ),
                    "one ahead": (
                        "Each word sees one word too many, the next one: the one that it should guess."
                    ),
                    "not earlier": (
                        "The triangle lies the wrong way round: each word sees itself and what comes *after*."
                    ),
                    "all": "Nothing of the future is hidden: every word sees all real words.",
                },
            ),
            Axis(
                "begin",
                {
                    "at 0": (
                        "Your new words are counted from 0. They stand after the words read before: the "
                        "first new word is number `past` of its sentence."
                    )
                },
            ),
            Axis(
                "padding",
                {
                    "none": (
                        "Padding is not hidden: some rows still see keys beyond the length of their sentence."
                    ),
                    "queries": (
                        "Your mask strikes out the rows of padding. It is as a *key* that padding must not"
                        " be seen, so columns are struck out; what a row of padding finds is never read, "
                        "and a row that sees nothing brings NaN where the softmax is a plain one."
                    ),
                    "one more": (
                        "One place of padding is still seen: a sentence of 3 words has the keys 0, 1 and 2."
                    ),
                    "either": (
                        "The two conditions are joined with *or*. A key may be seen if it is not later *and* "
                        "real."
                    ),
                },
            ),
            Axis(
                "meaning",
                {
                    "may not": (
                        "Your mask says True where a key may *not* be seen. In this book True means *may "
                        "attend*."
                    ),
                    "turned": (
                        "Rows and columns are exchanged: rows are queries (the new words), columns are keys."
                    ),
                },
            ),
        ),
        together=2,
        possible=lambda switches: (
            not (switches.get("order") == "all" and ("begin" in switches or "padding" in switches))
            and not ({"begin", "padding"} <= set(switches))
        ),
        forbidden=("attnbook.nn",),
        hints=(
            "Number the places: keys 0, 1, … up to past + new − 1; queries from `past` on.",
            "`queries[:, None] >= keys[None, :]` is (new, past + new); `keys < lengths[:, None]` is (batch, "
            "past + new).",
            "Give the second an axis for the queries, `[:, None, :]`, and join the two with `&`.",
        ),
    ),
    Exercise(
        id="10.6",
        title="Too good to be true",
        name="NextWord",
        kind="bug",
        form="module",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="NextWord(vocab, d_model)",
        outputs=(Output("loss", ()),),
        variant=next_word_loss,
        cases=next_word_cases,
        tolerance=(1e-4, 5e-5),
        axes=(
            Axis(
                "pair",
                {
                    "whole": (
                        "The model reads the whole sentence and should give out the whole sentence: at each "
                        "place it has already read the answer. It learns to copy."
                    ),
                    "same": (
                        "The last word was taken off both sides: the model still reads, at each place, the "
                        "word that it should give out. Which word should it guess when it has read the first?"
                    ),
                    "copy": (
                        "The first word was taken off both sides: the model still reads, at each place, the "
                        "word that it should give out."
                    ),
                    "backwards": (
                        "The shift goes the wrong way: the model reads the next word and should say the one "
                        "before."
                    ),
                },
            ),
            Axis(
                "past",
                {
                    "one ahead": "The mask lets each word see the next one, which is the word to be guessed.",
                    "all": (
                        "Nothing hides the future any more: each word sees the words that it should guess."
                    ),
                },
            ),
        ),
        forbidden=("attnbook.nn",),
        hints=(
            "Print `seen` and `wanted` for one sentence, one under the other. What does the model read when "
            "it should say the third word?",
            "The mask is right: a word may see itself. So the word itself must not be the answer.",
            "Two words fall away: what is read lacks the last word, what is wanted lacks the first.",
        ),
    ),
    Exercise(
        id="10.7",
        title="A loss that leaves room for doubt",
        name="smoothed_loss",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="smoothed_loss(logits, wanted, mask, epsilon)",
        outputs=(Output("loss", ()),),
        variant=smoothed_loss,
        cases=smoothing_cases,
        tolerance=(1e-4, 5e-5),
        properties=(
            Property("a loss is not negative", lambda args, outputs: bool(outputs["loss"] >= -1e-5)),
        ),
        axes=(
            Axis(
                "spread",
                {
                    "other words": (
                        "epsilon is shared among the other words, vocab − 1 of them. Here, as in torch, all "
                        "vocab words get epsilon / vocab, the right one as well."
                    ),
                    "added": (
                        "The right word keeps its 1 and the others are added on top: your target adds up to "
                        "more than 1. What is given away has to be taken from the right word."
                    ),
                    "exchanged": (
                        "epsilon and 1 − epsilon are exchanged: nearly all of the target is spread out."
                    ),
                    "whole": (
                        "Each word gets the whole epsilon. It has to be divided among the words, so that the "
                        "target adds up to 1."
                    ),
                    "none": "epsilon is not used: this is the plain cross-entropy.",
                },
            ),
            Axis(
                "share",
                {
                    "mask unused": "Padding is counted as if it were words: the mask is never used.",
                    "all positions": (
                        "Padding counts with a loss of 0: you divide by all places. Divide by the number of "
                        "real words."
                    ),
                    "sum": "The losses are added up and not divided by the number of real words.",
                    "sentences": (
                        "The mean is taken sentence by sentence and then over the sentences, so a word of a "
                        "short sentence counts for more."
                    ),
                },
            ),
            Axis(
                "form",
                {
                    "mixed shares": (
                        "The shares are mixed first and the logarithm is taken of the mixture. It is the "
                        "target that is softened: each word's logarithm, times its part of the target, added "
                        "up."
                    ),
                    "no softmax": (
                        "The logits are used as if they were logarithms of shares. A log-softmax over the "
                        "words has to come first."
                    ),
                    "less its own": (
                        "Your loss is smaller by what the target costs with itself: that is the "
                        "Kullback–Leibler divergence (`kl_div` of torch). It has the same gradients and "
                        "another value; asked for is the cross-entropy."
                    ),
                },
            ),
        ),
        together=2,
        possible=lambda switches: (
            not (
                switches.get("form") in ("mixed shares", "less its own") and switches.get("spread") == "none"
            )
        ),
        forbidden=("CrossEntropyLoss", "attnbook.training.fit"),
        hints=(
            "Two losses for each word: that of the right word, and the mean over all words of the "
            "vocabulary.",
            "`logs = torch.log_softmax(logits, dim=-1)`; the right word's is "
            "`logs.gather(-1, wanted[..., None]).squeeze(-1)`, the mean is `logs.mean(-1)`.",
            "(1 − epsilon) times the first, plus epsilon times the second, negative; then add up over the "
            "real words and divide by their number.",
        ),
    ),
    Exercise(
        id="10.8",
        title="Asking the other sentence",
        name="CrossAttention",
        kind="module",
        points=4,
        minutes=20,
        difficulty="hard",
        signature="CrossAttention(d_model, n_heads)",
        outputs=(
            Output("x", ("batch", "tgt", "d_model")),
            Output("weights", ("batch", "n_heads", "tgt", "src")),
        ),
        variant=cross_attention,
        cases=cross_cases,
        tolerance=(5e-4, 1e-4),
        axes=(
            Axis(
                "asks",
                {
                    "itself": (
                        "Keys and values come from the target sentence: that is self-attention once more. "
                        "They have to come from the memory, which is all that the decoder ever learns of "
                        "the source."
                    )
                },
            ),
            Axis(
                "values",
                {"W_k": "The keys' table is used for the values as well: values are made with W_v."},
            ),
            Axis(
                "normalised",
                {
                    "none": "x is not normalised: the queries are made from x as it comes in.",
                    "both": (
                        "The memory is normalised with the target's gamma and beta as well. The encoder has "
                        "normalised it already, at its end; only x is normalised here."
                    ),
                    "memory": "The memory is normalised, and x is not. It should be the other way round.",
                    "after": (
                        "The normalisation stands after the sum: that is post-norm. Here it stands before "
                        "attention, and the sum is left as it is."
                    ),
                },
            ),
            Axis(
                "shortcut",
                {
                    "none": "The shortcut is missing: x has to be added to what attention found.",
                    "normalised": (
                        "The shortcut starts from the normalised x. It should carry x as it came in, past "
                        "the normalisation and attention."
                    ),
                    "twice": "x is added twice.",
                },
            ),
            Axis("placed", _PLACED),
            Axis("scale", _SCALE),
            Axis("cut", {"at once": SPLIT_AT_ONCE}),
            Axis("spread", {"unbiased": VARIANCE_UNBIASED}),
        ),
        together=2,
        possible=wiring_with_attention,
        forbidden=("scaled_dot_product_attention", "MultiheadAttention", "LayerNorm", "attnbook.nn"),
        hints=(
            "One line of the layer: x + attention(norm(x), memory). Only the queries come from x.",
            "Queries are (batch, n_heads, tgt, d_head), keys and values (batch, n_heads, src, d_head). The "
            "mask (batch, src) needs two more axes: `mask[:, None, None, :]`.",
            "norm(x) is 10.2 with epsilon = 1e-5; the rest is 8.4. Return x + merged @ W_o.T and the "
            "weights.",
        ),
    ),
    Exercise(
        id="10.9",
        title="Work for nothing",
        name="padding_sorted",
        kind="measurement",
        points=2,
        minutes=10,
        difficulty="medium",
        signature="padding_sorted = 0.5",
        outputs=(Output("padding_sorted", kind="number"),),
        variant=lambda: padding_share(sentence_lengths().sort().values),
        tolerance=(0.0, 0.0005),
        nearby=(
            Nearby(
                padding_share(sentence_lengths()),
                "That is the share without sorting: sort the lengths first, then cut them into batches.",
                0.003,
            ),
            Nearby(
                mean_of_shares(sentence_lengths().sort().values),
                "That is the mean of the batches' shares. Batches of long sentences hold more places: add up "
                "padding and places over all batches, then divide once.",
                0.0005,
            ),
            Nearby(
                1 - padding_share(sentence_lengths().sort().values),
                "That is the share of real words. Padding is the rest.",
                0.003,
            ),
            Nearby(
                padding_share(sentence_lengths().sort().values, 240),
                "That pads every sentence to the longest of all 240. A batch is padded to *its* longest.",
                0.003,
            ),
            Nearby(
                padding_share(sentence_lengths()[:16]),
                "That is the first batch alone, in the given order. Sort first, and count all fifteen "
                "batches.",
                0.003,
            ),
        ),
        hints=(
            "A batch has 16 · (its longest sentence) places.",
            "`lengths.sort().values.view(-1, 16)` is one batch a row; `.amax(dim=1)` is the longest of each.",
            "1 − (all real words) / (all places).",
        ),
    ),
    Exercise(
        id="10.10",
        title="A whole encoder layer",
        name="encoder_layer",
        kind="function",
        points=6,
        minutes=30,
        difficulty="hard",
        signature="encoder_layer(x, mask, parameters, n_heads, norm)",
        outputs=(Output("x", ("batch", "length", "d_model")),),
        variant=encoder_layer,
        cases=encoder_cases,
        tolerance=(5e-4, 1e-4),
        axes=(
            Axis(
                "place",
                {
                    "post": 'The layer is post-norm throughout: norm = "pre" changes nothing.',
                    "pre": 'The layer is pre-norm throughout: norm = "post" changes nothing.',
                    "exchanged": (
                        "Post and pre are exchanged. Pre: normalise what goes *into* a sublayer. Post: "
                        "normalise the sum of shortcut and sublayer."
                    ),
                    "before the sum": (
                        "In post-norm, what the sublayer found is normalised before x is added. The sum "
                        "comes first, then the normalisation."
                    ),
                    "queries alone": (
                        "In pre-norm, the queries are made from the normalised x, keys and values from x as "
                        "it is. In self-attention all three come from the normalised x."
                    ),
                },
            ),
            Axis(
                "shortcut",
                {
                    "none": "Both shortcuts are missing: what a sublayer finds is added to what went in.",
                    "first missing": "The shortcut around attention is missing.",
                    "second missing": "The shortcut around the feed-forward network is missing.",
                    "normalised": (
                        "In pre-norm, the shortcut starts from the normalised x. It should carry x as it "
                        "came in, past the normalisation and the sublayer."
                    ),
                    "from the start": (
                        "The second shortcut starts from the layer's input: what attention found is lost on "
                        "the way. It starts from what came out of the first half."
                    ),
                },
            ),
            Axis(
                "norms",
                {
                    "one": "One normalisation is used twice: the second has a gamma and a beta of its own.",
                    "exchanged": "The two normalisations are exchanged: number 1 belongs to attention.",
                },
            ),
            Axis(
                "feed",
                {
                    "no relu": (
                        "The feed-forward network has no ReLU. Two matrices one after the other are no more "
                        "than one matrix."
                    ),
                    "relu last": (
                        "The ReLU comes at the end of the feed-forward network, so that it can only add. It "
                        "stands between W_1 and W_2."
                    ),
                    "no biases": "The constants b_1 and b_2 of the feed-forward network are not used.",
                },
            ),
            Axis("heads", {"at once": SPLIT_AT_ONCE}),
            Axis("scale", _SCALE),
            Axis(
                "placed",
                {
                    **_PLACED,
                    "queries": (
                        "The mask strikes out rows instead of columns: padding asks nothing, and is still "
                        "looked at by the words. The mask (batch, length) has to lie along the keys."
                    ),
                    "queries, NaN": (
                        "The mask strikes out whole rows, and the softmax over nothing gives NaN. It has to "
                        "lie along the keys, the last axis of the scores."
                    ),
                },
            ),
            Axis(
                "output",
                {
                    "none": "W_o is missing: the heads are put side by side and not mixed.",
                    "turned": OUTPUT_TURNED,
                },
            ),
            Axis("spread", {"unbiased": VARIANCE_UNBIASED}),
            Axis(
                "padding",
                {
                    "zeroed": (
                        "Rows of padding are set to 0 at the end. They go through the layer like all others; "
                        "the mask keeps them from being looked at, and that is enough."
                    )
                },
            ),
        ),
        together=2,
        possible=wiring_with_attention,
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
    ),
)
