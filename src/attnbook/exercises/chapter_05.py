"""Exercises of chapter 5, Luong's attention: many scores, global and local."""

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
    masked_softmax,
    softmax,
)
from attnbook.exercises.chapter_04 import source_mask
from attnbook.exercises.spec import Case, Draw, Nearby, Output, Property

SCORES = Output("scores", ("batch", "tgt", "src"))
WEIGHTS = Output("weights", ("batch", "tgt", "src"))

NOT_NEGATIVE = Property("no weight is negative", lambda args, outputs: bool((outputs["weights"] >= 0).all()))


def real_places(lengths: torch.Tensor, src: int) -> torch.Tensor:
    """True for the first ``lengths[b]`` of ``src`` places, (batch, 1, src)."""
    return (torch.arange(src) < lengths[:, None])[:, None, :]


def _padding_gets_nothing(args, outputs) -> bool:
    weights = outputs["weights"]
    real = real_places(args["lengths"], weights.shape[-1])
    return bool((weights * ~real).abs().max() < 1e-6)


def _outside_gets_nothing(args, outputs) -> bool:
    weights = outputs["weights"]
    t, s = torch.arange(weights.shape[1])[:, None], torch.arange(weights.shape[2])
    return bool((weights * ((s - t).abs() > args["window"])).abs().max() < 1e-6)


PADDING = Property("padding gets the weight 0", _padding_gets_nothing)
OUTSIDE = Property("places more than D from t get the weight 0", _outside_gets_nothing)


# 5.2: the weight that is left after the Gaussian, for equal scores, p_t = 3.5 and D = 2


def weight_left(centre: float = 3.5, window: int = 2, length: int = 8, sigma: float | None = None) -> float:
    """Sum of local-p's weights over a sentence in which all scores are equal."""
    sigma = window / 2 if sigma is None else sigma
    inside = [s for s in range(length) if abs(s - centre) <= window]
    return sum(math.exp(-((s - centre) ** 2) / (2 * sigma**2)) for s in inside) / len(inside)


# 5.4


def general_scores(query, keys, W, *, scaled="no", end="scores", matrix="used"):
    asked = query @ W if matrix == "used" else query @ (W / W.norm())
    scores = asked @ keys.transpose(1, 2)
    if matrix == "tanh":
        scores = torch.tanh(query @ W) @ keys.transpose(1, 2)
    if scaled == "root":
        scores = scores / math.sqrt(keys.shape[-1])
    elif scaled == "size":
        scores = scores / keys.shape[-1]
    if end == "weights":
        return softmax(scores)
    if end == "tanh":
        return torch.tanh(scores)
    return scores


def general_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        batch, tgt, src, d_query, d_key = draw.sizes(5, 2, 9)
        cases.append(
            Case(
                {
                    "query": draw.normal(batch, tgt, d_query),
                    "keys": draw.normal(batch, src, d_key),
                    "W": draw.normal(d_query, d_key),
                }
            )
        )
    return cases


# 5.5


def local_m_weights(
    scores, lengths, window, *, side="both", edge="inside", padding="left out", placed="before", empty="zeros"
):
    tgt, src = scores.shape[1:]
    t, s = torch.arange(tgt)[:, None], torch.arange(src)
    distance = s - t
    if edge == "one less":
        may = distance.abs() < window
    elif edge == "width":
        may = distance.abs() <= window // 2
    else:
        may = distance.abs() <= window
    if side == "past":
        may = may & (distance <= 0)
    elif side == "future":
        may = may & (distance >= 0)
    may = may.expand(scores.shape)
    if padding == "left out":
        may = may & real_places(lengths, src)
    return masked_softmax(scores, may, placed=placed, empty=empty)


def local_m_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("full", "padded", "padded", "runs off"):
        batch, src = draw.sizes(2, 2, 4)[0], draw.random.randint(6, 8)
        window = draw.random.choice((2, 3))
        tgt = src - 1 if kind != "runs off" else src + window + 2
        shortest = max(3, tgt - window) if kind == "padded" else 3  # "runs off" alone has empty rows
        lengths = torch.full((batch,), src)
        if kind != "full":
            lengths = torch.tensor([draw.random.randint(shortest, src - 1) for _ in range(batch)])
        cases.append(
            Case(
                {
                    "scores": draw.normal(batch, tgt, src, scale=1.5),
                    "lengths": lengths,
                    "window": window,
                },
                group={"full": "plain", "padded": "mask", "runs off": "edge"}[kind],
                note={
                    "full": "no padding",
                    "padded": "sentences end in padding",
                    "runs off": "the last windows hold no word of the sentence",
                }[kind],
            )
        )
    return cases


# 5.6


def luong_step(
    word, state, memory, mask, W, W_a, W_c, *, asks="new", placed="before", joined="new", squash="tanh"
):
    new = torch.tanh(torch.cat([word, state], dim=-1) @ W.T)
    asking = new if asks == "new" else state
    scores = ((asking @ W_a)[:, None, :] * memory).sum(-1)
    weights = masked_softmax(scores, mask, placed=placed)
    context = (weights[:, :, None] * memory).sum(1)
    beside = {"new": new, "old": state}[joined]
    attentional = torch.cat([context, beside], dim=-1) @ W_c.T
    return torch.tanh(attentional) if squash == "tanh" else attentional, new, weights


def luong_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("full", "padded", "padded"):
        batch, src, d_word, d_state, d_memory = draw.sizes(5, 3, 9)
        full = torch.ones(batch, src, dtype=torch.bool)
        cases.append(
            Case(
                {
                    "word": draw.normal(batch, d_word),
                    "state": draw.normal(batch, d_state),
                    "memory": draw.normal(batch, src, d_memory),
                    "mask": full if kind == "full" else source_mask(draw, batch, src),
                    "W": draw.normal(d_state, d_word + d_state, scale=0.5),
                    "W_a": draw.normal(d_state, d_memory),
                    "W_c": draw.normal(d_state, d_memory + d_state, scale=0.5),
                },
                group="plain" if kind == "full" else "mask",
                note="no padding" if kind == "full" else "sentences end in padding",
            )
        )
    return cases


# 5.7


def local_p_weights(
    query,
    scores,
    lengths,
    W_p,
    v_p,
    window,
    *,
    length="words",
    middle="real",
    sigma="half",
    total="as it is",
    outside="nothing",
    bend="tanh",
):
    src = scores.shape[-1]
    hidden = query @ W_p.T
    if bend == "tanh":
        hidden = torch.tanh(hidden)
    share = torch.sigmoid(hidden @ v_p)  # (batch, tgt)
    long = {"words": lengths, "padded": torch.full_like(lengths, src), "less one": lengths - 1}[length]
    centre = long[:, None] * share
    if middle == "rounded":
        centre = centre.round()
    distance = torch.arange(src) - centre[:, :, None]
    may = real_places(lengths, src).expand(scores.shape)
    if outside == "nothing":
        may = may & (distance.abs() <= window)
    spread = {"half": window / 2, "whole": window, "variance": math.sqrt(window / 2)}[sigma]
    bell = torch.exp(-(distance**2) / (2 * spread**2))
    weights = masked_softmax(scores, may) * bell
    if total == "one":
        weights = weights / weights.sum(-1, keepdim=True).clamp_min(1e-9)
    elif total == "scores":
        weights = masked_softmax(scores * bell, may)
    return centre, weights


def local_p_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("full", "padded", "padded"):
        batch, tgt, d_query, d_attention = draw.sizes(4, 2, 6)
        src, window = draw.random.randint(11, 14), draw.random.choice((3, 4))
        lengths = torch.full((batch,), src)
        if kind == "padded":
            lengths = torch.tensor([draw.random.randint(window + 3, src - 2) for _ in range(batch)])
        cases.append(
            Case(
                {
                    "query": draw.normal(batch, tgt, d_query),
                    "scores": draw.normal(batch, tgt, src),
                    "lengths": lengths,
                    "W_p": draw.normal(d_attention, d_query),
                    "v_p": draw.normal(d_attention, scale=0.6),
                    "window": window,
                },
                group="plain" if kind == "full" else "mask",
                note="no padding" if kind == "full" else "sentences end in padding",
            )
        )
    return cases


def _less_than_one(args, outputs) -> bool:
    return bool((outputs["weights"].sum(-1) < 1 + 1e-5).all())


def _within_the_sentence(args, outputs) -> bool:
    centre = outputs["centre"]
    return bool(((centre >= 0) & (centre <= args["lengths"][:, None])).all())


# 5.8


def decode_with_feeding(
    words,
    first,
    memory,
    W,
    W_c,
    *,
    feed="attentional",
    start="zeros",
    asks="new",
    carry="state",
    order="context",
):
    state, fed = first, first if start == "state" else torch.zeros_like(first)
    written = []
    for word in words.unbind(1):
        old = state
        state = torch.tanh(torch.cat([word, fed, state], dim=-1) @ W.T)
        asking = state if asks == "new" else old
        weights = softmax((memory @ asking[:, :, None]).squeeze(-1))
        context = (weights[:, :, None] * memory).sum(1)
        pair = [context, state] if order == "context" else [state, context]
        attentional = torch.tanh(torch.cat(pair, dim=-1) @ W_c.T)
        written.append(attentional)
        fed = {
            "attentional": attentional,
            "state": state,
            "context": context,
            "nothing": torch.zeros_like(fed),
        }[feed]
        if carry == "attentional":
            state = attentional
    return torch.stack(written, dim=1)


def feeding_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        batch, tgt, src, d_word, d = draw.sizes(5, 3, 8)
        cases.append(
            Case(
                {
                    "words": draw.normal(batch, tgt, d_word),
                    "first": torch.tanh(draw.normal(batch, d)),
                    "memory": draw.normal(batch, src, d),
                    "W": draw.normal(d, d_word + 2 * d, scale=0.5),
                    "W_c": draw.normal(d, 2 * d, scale=0.5),
                }
            )
        )
    return cases


# 5.9


def narrow_scores() -> torch.Tensor:
    """The scores of the notebook's cell in 5.9: a peak at the fifth of twelve words, and a second, lower."""
    places = torch.arange(12.0)
    return 3.0 - 0.8 * (places - 4).abs() + 2.4 * (places == 8)


def least_window(centre: float = 4.0, share: float = 0.9) -> int:
    """The least D whose window around ``centre`` holds this share of the weights."""
    weights = softmax(narrow_scores())
    distance = (torch.arange(12.0) - centre).abs()
    return next(D for D in range(1, 12) if float(weights[distance <= D].sum()) >= share)


EXERCISES = (
    Exercise(
        id="5.1",
        title="Which score fits these shapes",
        name="scores_that_work",
        kind="choice",
        points=1,
        minutes=4,
        difficulty="easy",
        signature='scores_that_work = "a"',
        outputs=(Output("scores_that_work", kind="option"),),
        variant=lambda: "b",
        nearby=(
            Nearby(
                "a",
                "Dot multiplies number with number: which of the key's 192 numbers has no partner among "
                "the query's 96? And how many of the 30 words does a table of 20 rows know?",
            ),
            Nearby(
                "c",
                "Dot multiplies the first number of the query with the first of the key, and so on. The "
                "query runs out after 96 numbers; the key has 192.",
            ),
            Nearby(
                "d",
                "Location has one row for each place, 20 of them. The words at places 20 to 29 get the "
                "score minus infinity, so a share of exactly 0.",
            ),
        ),
        hints=(
            "Go through the four one by one. Which of them multiplies query and key with nothing in between?",
            "A matrix between query and key, or next to each of them, can turn any size into any other.",
            "Location never looks at the keys, only at how many there are. How many rows does it have?",
        ),
    ),
    Exercise(
        id="5.2",
        title="What the Gaussian leaves",
        name="sum_of_weights",
        kind="prediction",
        points=1,
        minutes=6,
        difficulty="easy",
        signature="sum_of_weights = 0.5",
        outputs=(Output("sum_of_weights", kind="number"),),
        variant=weight_left,
        tolerance=(0.0, 0.02),
        nearby=(
            Nearby(
                1.0,
                "That holds after the softmax. Then each weight is multiplied with a factor below 1, and "
                "nothing is divided by the new sum.",
                0.02,
            ),
            Nearby(
                4 * weight_left(),
                "You added the factors of the Gaussian. Each of them multiplies a weight of 1/4 first.",
                0.04,
            ),
            Nearby(
                weight_left(sigma=2.0),
                "You took σ = D. The paper has σ = D/2, so here σ is 1.",
                0.02,
            ),
        ),
        hints=(
            "Which whole numbers lie between 1.5 and 5.5? They share the weight equally.",
            "Their distances from 3.5 are 1.5, 0.5, 0.5 and 1.5, and σ = D/2 = 1.",
            "The factors are exp(−1.5²/2) and exp(−0.5²/2). Each weight is 1/4 times its factor.",
        ),
    ),
    Exercise(
        id="5.3",
        title="Reading a picture of weights",
        name="answer_pictures",
        kind="choice",
        points=1,
        minutes=5,
        difficulty="easy",
        signature='answer_pictures = "a"',
        outputs=(Output("answer_pictures", kind="option"),),
        variant=lambda: "c",
        nearby=(
            Nearby(
                "a",
                "Global attention gives every word some share, however small: no cell is exactly 0. Is that "
                "so in this picture?",
            ),
            Nearby(
                "b",
                "A window that stands at t moves one place a row, whatever the sentence. In this picture "
                "it jumps.",
            ),
            Nearby(
                "d",
                "Location gives the same row for every memory, but it is a softmax: its rows add up to 1. "
                "Look at the sums beside the picture.",
            ),
        ),
        hints=(
            "Look at the sums of the rows first. Which kinds of attention add up to 1?",
            "Then look at the white cells: how far do the coloured ones reach, and around which place?",
            "One kind of attention multiplies its weights with a Gaussian and does not divide by the sum.",
        ),
    ),
    Exercise(
        id="5.4",
        title="The general score",
        name="general_scores",
        kind="function",
        points=2,
        minutes=8,
        difficulty="easy",
        signature="general_scores(query, keys, W)",
        outputs=(SCORES,),
        variant=general_scores,
        cases=general_cases,
        tolerance=(1e-4, 5e-5),
        axes=(
            Axis(
                "scaled",
                {
                    "root": (
                        "The scores are divided by √d. That came in 2017, with the transformer; Luong's "
                        "scores are not divided."
                    ),
                    "size": "The scores are divided by d. Luong's scores are not divided by anything.",
                },
            ),
            Axis(
                "end",
                {
                    "weights": (
                        "You return the weights: a softmax has gone over the scores already. The exercise "
                        "asks for the scores."
                    ),
                    "tanh": (
                        "A tanh has gone over the scores. It presses them between −1 and 1, so no word can "
                        "win by much; the general score has no tanh."
                    ),
                },
            ),
            Axis(
                "matrix",
                {
                    "tanh": (
                        "A tanh stands between W and the keys. That belongs to the additive score; the "
                        "general score is a plain product of three."
                    ),
                    "normed": "W is divided by its length. It should be used as it is.",
                },
            ),
        ),
        possible=lambda switches: not (switches.get("end") == "weights" and len(switches) > 2),
        forbidden=("GeneralScore", "attnbook.nn"),
        hints=(
            "`query @ W` has the size of a key: (batch, tgt, d_key).",
            "Each of these rows is then multiplied with each key: `@ keys.transpose(1, 2)`.",
            "One line, two products, no softmax.",
        ),
    ),
    Exercise(
        id="5.5",
        title="A window that runs off the sentence",
        name="local_m_weights",
        kind="function",
        points=3,
        minutes=15,
        difficulty="medium",
        signature="local_m_weights(scores, lengths, window)",
        outputs=(WEIGHTS,),
        variant=local_m_weights,
        cases=local_m_cases,
        properties=(NOT_NEGATIVE, PADDING, OUTSIDE),
        axes=(
            Axis(
                "side",
                {
                    "past": (
                        "The window ends at t: it has a left half only. It reaches D places to both sides."
                    ),
                    "future": "The window begins at t: it has a right half only. It reaches D to both sides.",
                },
            ),
            Axis(
                "edge",
                {
                    "one less": (
                        "The two outermost places are missing: a place at a distance of exactly D belongs "
                        "to the window. There are 2D + 1 places, not 2D − 1."
                    ),
                    "width": (
                        "Your window is D places wide, D/2 to each side. D is the reach to *each* side."
                    ),
                },
            ),
            Axis(
                "padding",
                {
                    "used": (
                        "Places beyond the end of a sentence get weight: `lengths` is not used. The window "
                        "cuts off at the sentence's last word, not at the end of the batch."
                    )
                },
            ),
            Axis(
                "placed",
                {"ignored": MASK_IGNORED, "inverted": MASK_INVERTED, "after": MASK_AFTER, "zero": MASK_ZERO},
            ),
            Axis("empty", {"nan": EMPTY_NAN, "uniform": EMPTY_UNIFORM}),
        ),
        possible=lambda switches: (
            # the opposite of a window is never empty; and a mask that is not used has no mistakes of its own
            not ("empty" in switches and "placed" in switches)
            and not (switches.get("placed") == "ignored" and {"side", "edge", "padding"} & set(switches))
        ),
        forbidden=("LocalAttention", "attnbook.nn"),
        hints=(
            "Make the distances s − t first: `torch.arange(src) - torch.arange(tgt)[:, None]`, (tgt, src).",
            "A place may be looked at if its distance is at most D *and* it lies before the sentence's end.",
            "Scores elsewhere become −∞, then softmax. Rows where nothing is left give NaN: make them zeros.",
        ),
    ),
    Exercise(
        id="5.6",
        title="The state that asks",
        name="luong_step",
        kind="bug",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="luong_step(word, state, memory, mask, W, W_a, W_c)",
        outputs=(
            Output("attentional", ("batch", "d_state")),
            Output("new", ("batch", "d_state")),
            Output("weights", ("batch", "src")),
        ),
        variant=luong_step,
        cases=luong_cases,
        tolerance=(1e-4, 5e-5),
        properties=(NOT_NEGATIVE,),
        axes=(
            Axis(
                "asks",
                {
                    "old": (
                        "The weights come from the state before the update, which does not know the word "
                        "that was just read. Luong's decoder updates first and asks afterwards. Everything "
                        "has the right shape, so nothing complains."
                    ),
                },
            ),
            Axis(
                "joined",
                {
                    "old": (
                        "The context is put beside the old state. The attentional vector joins it with the "
                        "state that asked, the new one."
                    )
                },
            ),
            Axis(
                "placed",
                {"ignored": MASK_IGNORED, "inverted": MASK_INVERTED, "after": MASK_AFTER, "zero": MASK_ZERO},
            ),
            Axis("squash", {"none": "The tanh around W_c [c; h] is gone."}),
        ),
        forbidden=("GRUDecoder", "attnbook.nn"),
        hints=(
            "Change the word and watch the weights. Do they move?",
            "Two states are in play. Which of them has read the word?",
            "In Luong's decoder the order is: update, ask, mix, join.",
        ),
    ),
    Exercise(
        id="5.7",
        title="Predict where, then look",
        name="local_p_weights",
        kind="function",
        points=4,
        minutes=20,
        difficulty="hard",
        signature="local_p_weights(query, scores, lengths, W_p, v_p, window)",
        outputs=(Output("centre", ("batch", "tgt")), WEIGHTS),
        variant=local_p_weights,
        cases=local_p_cases,
        properties=(
            NOT_NEGATIVE,
            PADDING,
            Property("p_t lies between 0 and the sentence's length", _within_the_sentence),
            Property("no row of weights adds up to more than 1", _less_than_one),
        ),
        axes=(
            Axis(
                "length",
                {
                    "padded": (
                        "S is the width of the batch, padding included. Then p_t depends on the longest "
                        "sentence beside this one. S is the number of words of each sentence, in `lengths`."
                    ),
                    "less one": (
                        "p_t runs from 0 to S − 1. That would be sensible, and the paper multiplies by S."
                    ),
                },
            ),
            Axis(
                "middle",
                {
                    "rounded": (
                        "p_t is rounded to a whole place. It stays real: a rounded number has no useful "
                        "gradient, and W_p and v_p would never learn."
                    )
                },
            ),
            Axis(
                "sigma",
                {
                    "whole": "The Gaussian has σ = D, too wide. The paper sets σ = D/2.",
                    "variance": (
                        "D/2 stands where σ² belongs. The exponent is −(s − p_t)² / (2σ²) with σ = D/2."
                    ),
                },
            ),
            Axis(
                "total",
                {
                    "one": (
                        "The weights are divided by their sum after the Gaussian. The paper leaves them as "
                        "they are, so that a row adds up to less than 1."
                    ),
                    "scores": (
                        "The Gaussian is multiplied with the scores, before the softmax. It multiplies the "
                        "weights, after it: negative scores would grow."
                    ),
                },
            ),
            Axis(
                "outside",
                {
                    "all": (
                        "Words outside of [p_t − D, p_t + D] take part. The softmax goes over the window "
                        "alone; the Gaussian comes on top."
                    )
                },
            ),
            Axis("bend", {"none": "The tanh between W_p and v_p is missing."}),
        ),
        possible=lambda switches: (
            not (switches.get("total") == "one" and len(switches) > 3) and len(switches) <= 4
        ),
        forbidden=("LocalAttention", "attnbook.nn"),
        hints=(
            "`torch.sigmoid(torch.tanh(query @ W_p.T) @ v_p)` is a share of the way, (batch, tgt).",
            "Distances: `torch.arange(src) - centre[:, :, None]`, (batch, tgt, src). Window and padding make "
            "one mask; scores elsewhere become −∞, then softmax.",
            "Last, multiply with `exp(−distance² / (2σ²))`, σ = window / 2, and leave the sums alone.",
        ),
    ),
    Exercise(
        id="5.8",
        title="Tell the next step where you looked",
        name="decode_with_feeding",
        kind="function",
        points=3,
        minutes=18,
        difficulty="hard",
        signature="decode_with_feeding(words, first, memory, W, W_c)",
        outputs=(Output("attentional", ("batch", "tgt", "d")),),
        variant=decode_with_feeding,
        cases=feeding_cases,
        tolerance=(1e-4, 5e-5),
        axes=(
            Axis(
                "feed",
                {
                    "nothing": (
                        "Nothing is fed: the place of h̃ in the input stays zero at every step, so the next "
                        "state never hears of the context."
                    ),
                    "state": (
                        "You feed the plain state h. It goes into the update anyway; what has to be fed is "
                        "the attentional vector h̃, which holds the context too."
                    ),
                    "context": "You feed the context c. The paper feeds the attentional vector h̃.",
                },
            ),
            Axis(
                "start",
                {
                    "state": (
                        "Before the first word you feed the first state. Nothing was looked at yet, so the "
                        "fed vector starts as zeros."
                    )
                },
            ),
            Axis(
                "asks",
                {"old": "The weights come from the state before the update. Update first, then ask."},
            ),
            Axis(
                "carry",
                {
                    "attentional": (
                        "The attentional vector takes the state's place in the next update. The state goes "
                        "on as h; h̃ comes in beside it."
                    )
                },
            ),
            Axis(
                "order",
                {"state": "Context and state have changed places: W_c expects [c; h], the context first."},
            ),
        ),
        possible=lambda switches: (
            not (switches.get("carry") == "attentional" and switches.get("feed") == "state")
        ),
        forbidden=("GRUDecoder", "attnbook.nn"),
        hints=(
            "Keep two things from step to step: `state` and `fed`. The second starts as zeros.",
            "A step: state from [word; fed; state], weights from `memory` and the new state, context, "
            "attentional vector from [context; state].",
            "At the end of the step `fed = attentional`. Collect the attentional vectors and stack them.",
        ),
    ),
    Exercise(
        id="5.9",
        title="How wide is wide enough",
        name="least_window",
        kind="measurement",
        points=2,
        minutes=8,
        difficulty="medium",
        signature="least_window = 1",
        outputs=(Output("least_window", kind="number"),),
        variant=least_window,
        tolerance=(0.0, 0.1),
        nearby=(
            Nearby(
                least_window() - 1,
                "One step more: this window still holds less than 90 % of the weight.",
                0.1,
            ),
            Nearby(
                2 * least_window() + 1,
                "That is the number of places in the window, 2D + 1. D is its reach to each side.",
                0.1,
            ),
        ),
        hints=(
            "Softmax first. Then, for D = 1, 2, 3 …, add the weights of the places whose distance from 4 is "
            "at most D.",
            "`weights[(places - 4).abs() <= D].sum()` is what the window holds.",
            "The second peak stands at place 8. How far is that from 4?",
        ),
    ),
)
