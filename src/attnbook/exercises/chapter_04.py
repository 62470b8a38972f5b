"""Exercises of chapter 4, Bahdanau's attention."""

from __future__ import annotations

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
from attnbook.exercises.spec import Case, Draw, Nearby, Output, Property

ENGLISH = [
    "the",
    "agreement",
    "on",
    "the",
    "European",
    "Economic",
    "Area",
    "was",
    "signed",
    "in",
    "August",
    "1992",
]
FRENCH = [
    "l'",
    "accord",
    "sur",
    "la",
    "zone",
    "économique",
    "européenne",
    "a",
    "été",
    "signé",
    "en",
    "août",
    "1992",
]
# For each French word the English words that it translates, counted from 0.
GOLD = ((0,), (1,), (2,), (3,), (6,), (5,), (4,), (7,), (7,), (8,), (9,), (10,), (11,))

SCORES = Output("scores", ("batch", "src"))
CONTEXT = Output("context", ("batch", "d_annotation"))
WEIGHTS = Output("weights", ("batch", "src"))

WEIGHTS_NOT_NEGATIVE = Property(
    "no weight is negative", lambda args, outputs: bool((outputs["weights"] >= 0).all())
)


def _padding_gets_nothing(args, outputs) -> bool:
    return bool((outputs["weights"][~args["mask"]].abs() < 1e-6).all())


def _weights_add_up(args, outputs) -> bool:
    sums = outputs["weights"].sum(-1)
    return torch.allclose(sums, args["mask"].any(-1).to(sums.dtype), atol=1e-4)


PADDING = Property("padding, where the mask is False, gets the weight 0", _padding_gets_nothing)
ADD_UP = Property("the weights over each source sentence add up to 1", _weights_add_up)


def source_mask(draw: Draw, batch: int, length: int) -> torch.Tensor:
    """True on words, False on the padding after them; no sentence without words, none without padding."""
    mask = torch.zeros(batch, length, dtype=torch.bool)
    for row in range(batch):
        mask[row, : draw.random.randint(1, length - 1)] = True
    return mask


# What a case says of its padding.
PADDED_CASES = {
    "full": {"group": "plain", "note": "no padding"},
    "padded": {"group": "mask", "note": "sentences end in padding"},
    "empty": {"group": "edge", "note": "one sentence is padding throughout"},
}


def padding_mask(draw: Draw, kind: str, batch: int, length: int) -> torch.Tensor:
    """A mask of one of the kinds of ``PADDED_CASES``."""
    mask = torch.ones(batch, length, dtype=torch.bool) if kind == "full" else source_mask(draw, batch, length)
    if kind == "empty":
        mask[draw.random.randrange(batch)] = False
    return mask


# 4.3


def additive_scores(
    query, annotations, W, U, v, *, squash="tanh inside", end="v", join="sum", key="annotations"
):
    from_query = (query @ W.T)[:, None, :]  # (batch, 1, d_attention)
    from_key = annotations @ U.T  # (batch, src, d_attention)
    if key == "missing":
        from_key = torch.zeros_like(from_key)
    elif key == "no query":
        from_query = torch.zeros_like(from_query)
    hidden = from_query * from_key if join == "product" else from_query + from_key
    if squash == "tanh inside":
        hidden = torch.tanh(hidden)
    elif squash == "sigmoid":
        hidden = torch.sigmoid(hidden)
    elif squash == "relu":
        hidden = torch.relu(hidden)
    elif squash == "each":
        hidden = torch.tanh(from_query) + torch.tanh(from_key)
    scores = {"v": lambda: hidden @ v, "sum": lambda: hidden.sum(-1), "mean": lambda: hidden.mean(-1)}[end]()
    return torch.tanh(scores) if squash == "tanh outside" else scores


def score_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        batch, src, d_query, d_annotation, d_attention = draw.sizes(5, 2, 9)
        cases.append(
            Case(
                {
                    "query": draw.normal(batch, d_query),
                    "annotations": draw.normal(batch, src, d_annotation),
                    "W": draw.normal(d_attention, d_query, scale=0.7),
                    "U": draw.normal(d_attention, d_annotation, scale=0.7),
                    "v": draw.normal(d_attention) + 0.3,
                }
            )
        )
    return cases


# 4.4


def attend(scores, annotations, mask, *, placed="before", empty="zeros", over="src", mix="sum"):
    weights = masked_softmax(scores, mask, placed=placed, empty=empty, dim=-1 if over == "src" else 0)
    context = (weights[:, :, None] * annotations).sum(1)
    if mix == "mean":
        context = context / annotations.shape[1]
    elif mix == "scores":
        context = (scores[:, :, None] * annotations).sum(1)
    elif mix == "hard":
        context = annotations[torch.arange(len(annotations)), weights.argmax(-1)]
    return context, weights


def attend_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("full", "padded", "padded", "empty"):
        batch, src, d_annotation = draw.sizes(3, 3, 9)
        mask = padding_mask(draw, kind, batch, src)
        cases.append(
            Case(
                {
                    "scores": draw.normal(batch, src, scale=1.5),
                    "annotations": draw.normal(batch, src, d_annotation),
                    "mask": mask,
                },
                **PADDED_CASES[kind],
            )
        )
    return cases


# 4.5


def bahdanau(
    state, query, annotations, mask, *, key="annotations", squash="inside", placed="before", start="query"
):
    asked = query @ state["W"].T
    from_key = annotations @ state["U"].T  # (batch, src, d_attention)
    if key == "query":
        from_key = torch.zeros_like(from_key)
    hidden = asked[:, None, :] + from_key
    if start == "no query":
        hidden = from_key
    scores = (torch.tanh(hidden) if squash == "inside" else hidden) @ state["v"]
    if squash == "outside":
        scores = torch.tanh(scores)
    weights = masked_softmax(scores, mask, placed=placed)
    return (weights[:, :, None] * annotations).sum(1), weights


def bahdanau_cases(draw: Draw) -> list[Case]:
    cases = []
    for kind in ("full", "padded", "padded"):
        batch, src, d_query, d_annotation, d_attention = draw.sizes(5, 3, 9)
        full = torch.ones(batch, src, dtype=torch.bool)
        cases.append(
            Case(
                {
                    "query": draw.normal(batch, d_query),
                    "annotations": draw.normal(batch, src, d_annotation),
                    "mask": full if kind == "full" else source_mask(draw, batch, src),
                },
                group="plain" if kind == "full" else "mask",
                note="no padding" if kind == "full" else "sentences end in padding",
                init={"d_query": d_query, "d_annotation": d_annotation, "d_attention": d_attention},
                state={
                    "W": draw.normal(d_attention, d_query, scale=0.7),
                    "U": draw.normal(d_attention, d_annotation, scale=0.7),
                    "v": draw.normal(d_attention),
                },
                cotangents=[draw.normal(batch, d_annotation), draw.normal(batch, src)],
            )
        )
    return cases


# 4.6


def join_directions(forward, backward, lengths, *, turn="words", order="forward first", join="concatenated"):
    if turn == "words":
        turned = torch.zeros_like(backward)
        for row, length in enumerate(lengths.tolist()):
            turned[row, :length] = backward[row, :length].flip(0)
    elif turn == "padding too":
        turned = backward.flip(1)
    elif turn == "features":
        turned = backward.flip(2)
    elif turn == "batch":
        turned = backward.flip(0)
    else:
        turned = backward
    if turn == "forward":
        forward = forward.flip(1)
    if join == "added":
        return forward + turned
    if join == "averaged":
        return (forward + turned) / 2
    if join == "along the sentence":
        return torch.cat([forward, turned] if order == "forward first" else [turned, forward], dim=1)
    return torch.cat([forward, turned] if order == "forward first" else [turned, forward], dim=2)


def direction_cases(draw: Draw) -> list[Case]:
    cases = []
    for padded in (False, True, True):
        size, *others = draw.sizes(3, 3, 8)
        while 2 * size in others:  # the annotations' axes are batch, src and 2 · size
            size, *others = draw.sizes(3, 3, 8)
        batch, src = sorted(others)
        lengths = torch.full((batch,), src)
        if padded:
            # batch < src, so that every sentence but one can have a length of its own.
            shorter = draw.random.sample(range(2, src), min(batch - 1, src - 2))
            lengths[: len(shorter)] = torch.tensor(shorter)
        real = (torch.arange(src)[None, :] < lengths[:, None])[:, :, None]
        cases.append(
            Case(
                {
                    "forward": draw.normal(batch, src, size) * real,
                    "backward": draw.normal(batch, src, size) * real,
                    "lengths": lengths,
                },
                group="mask" if padded else "plain",
                note="sentences of different lengths, zeros on the padding"
                if padded
                else "all of one length",
            )
        )
    return cases


# 4.7


def alignment_error_rate(
    guess, sure, possible, *, sides="both", below="guess and sure", rate="error", union="with sure"
):
    allowed = possible if union == "as given" else possible | sure
    hits_sure, hits_possible = int((guess & sure).sum()), int((guess & allowed).sum())
    total = int(guess.sum()) + int(sure.sum())
    if below == "guess and possible":
        total = int(guess.sum()) + int(allowed.sum())
    elif below == "guess":
        total = 2 * int(guess.sum())
    elif below == "cells":
        total = guess.numel()
    if sides == "sure twice":
        hits_possible = hits_sure
    elif sides == "possible twice":
        hits_sure = hits_possible
    share = (hits_sure + hits_possible) / total if total else 1.0
    return share if rate == "agreement" else 1 - share


def aer_cases(draw: Draw) -> list[Case]:
    cases = []
    for _ in range(3):
        while True:
            tgt, src = draw.sizes(2, 5, 10)
            kinds = draw.uniform(tgt, src)
            sure = kinds < 0.15
            possible = (kinds >= 0.15) & (kinds < 0.35)  # without the sure ones
            noise = draw.uniform(tgt, src)
            guess = (sure & (noise < 0.7)) | (possible & (noise < 0.5)) | (noise > 0.93)
            hits = {int((guess & sure).sum()), int((guess & possible).sum()), 0}
            sizes = {int(guess.sum()), int(sure.sum()), int((sure | possible).sum())}
            if len(hits) == 3 and len(sizes) == 3:
                break
        cases.append(Case({"guess": guess, "sure": sure, "possible": possible}))
    return cases


# 4.8


def gold_alignment() -> torch.Tensor:
    """The gold alignment of the sentence of 4.8, (tgt, src), True where two words belong together."""
    gold = torch.zeros(len(FRENCH), len(ENGLISH), dtype=torch.bool)
    for row, columns in enumerate(GOLD):
        for column in columns:
            gold[row, column] = True
    return gold


def diagonal_alignment(tgt: int, src: int) -> torch.Tensor:
    """The guess that looks at neither language: target word i with source word ⌊i · src / tgt⌋."""
    guess = torch.zeros(tgt, src, dtype=torch.bool)
    for row in range(tgt):
        guess[row, row * src // tgt] = True
    return guess


def diagonal_error() -> float:
    gold = gold_alignment()
    return alignment_error_rate(diagonal_alignment(*gold.shape), gold, gold)


EXERCISES = (
    Exercise(
        id="4.1",
        title="Reading an alignment picture",
        name="answer_picture",
        kind="choice",
        points=1,
        minutes=3,
        difficulty="easy",
        signature='answer_picture = "a"',
        outputs=(Output("answer_picture", kind="option"),),
        variant=lambda: "d",
        nearby=(
            Nearby(
                "a",
                "A model that read the source backwards would turn the whole band. Here the words before "
                "and after those three lie on the usual diagonal.",
            ),
            Nearby(
                "b",
                "A missing mask shows as weight on columns to the right of the last word. These three "
                "columns are words.",
            ),
            Nearby(
                "c",
                "An unsure model spreads the weight of a row over several columns. Each of these rows "
                "has one dark cell: the model is sure, and it is right.",
            ),
        ),
        hints=(
            "Read the three rows one by one: which English word is the dark cell above?",
            "zone – Area, économique – Economic, européenne – European. In which order do the two "
            "languages say it?",
            "French puts these adjectives after the noun, English before it.",
        ),
    ),
    Exercise(
        id="4.2",
        title="A score that has nothing to say",
        name="weight_of_each_word",
        kind="prediction",
        points=1,
        minutes=3,
        difficulty="easy",
        signature="weight_of_each_word = 0.5",
        outputs=(Output("weight_of_each_word", kind="number"),),
        variant=lambda: 0.2,
        tolerance=(0.0, 0.005),
        nearby=(
            Nearby(
                1 / 8,
                "That shares the weight among all eight positions, padding included. What does the mask "
                "do to the three of padding before the softmax?",
                0.004,
            ),
            Nearby(
                0.0,
                "A score of 0 is not a weight of 0: exp(0) is 1, for each of the words.",
                0.02,
            ),
            Nearby(
                1.0, ("One word alone would get the weight 1. Here five words have the same score."), 0.02
            ),
        ),
        hints=(
            "With v = 0 every score is the same. Which one does not matter.",
            "Equal scores give equal weights, to all positions that the mask leaves in.",
            "Five words share a weight of 1.",
        ),
    ),
    Exercise(
        id="4.3",
        title="The additive score",
        name="additive_scores",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="additive_scores(query, annotations, W, U, v)",
        outputs=(SCORES,),
        variant=additive_scores,
        cases=score_cases,
        tolerance=(1e-4, 5e-5),
        axes=(
            Axis(
                "squash",
                {
                    "tanh outside": (
                        "The tanh is applied to the finished score. It belongs inside, between the two "
                        "layers; outside, it presses every score between −1 and 1, so no word can ever "
                        "win clearly."
                    ),
                    "none": (
                        "There is no tanh. Then the two layers are one linear map, and the query adds "
                        "the same number to every score, which the softmax cancels: the weights no "
                        "longer depend on the query."
                    ),
                    "sigmoid": "The hidden layer goes through a sigmoid; the paper has a tanh.",
                    "relu": "The hidden layer goes through a ReLU; the paper has a tanh.",
                    "each": (
                        "The tanh is applied to the two terms one by one, and then they are added. The "
                        "query and the annotation must meet inside it; else the query's part cancels in "
                        "the softmax."
                    ),
                },
            ),
            Axis(
                "end",
                {
                    "sum": (
                        "The hidden layer is summed up; the vector v is missing. It says how much each "
                        "hidden unit counts."
                    ),
                    "mean": (
                        "The hidden layer is averaged; the vector v is missing. It says how much each "
                        "hidden unit counts."
                    ),
                },
            ),
            Axis(
                "join",
                {
                    "product": (
                        "The two terms are multiplied. The score is called additive because they are added."
                    )
                },
            ),
            Axis(
                "key",
                {
                    "missing": (
                        "The annotations are not used: every word of the source gets the same score."
                    ),
                    "no query": (
                        "The query is not used: the scores are the same at every step of the decoder."
                    ),
                },
            ),
        ),
        possible=lambda switches: (
            not (
                ("join" in switches and ("key" in switches or switches.get("squash") == "each"))
                or ("key" in switches and switches.get("squash") == "each")
            )
        ),
        forbidden=("AdditiveScore", "attnbook.nn"),
        hints=(
            "`query @ W.T` is (batch, d_attention), `annotations @ U.T` is (batch, src, d_attention).",
            "`[:, None, :]` gives the query's part an axis of length 1, so that it is added to each "
            "source word.",
            "tanh of the sum, and then `@ v` takes the last axis away.",
        ),
    ),
    Exercise(
        id="4.4",
        title="The context of a batch",
        name="attend",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="attend(scores, annotations, mask)",
        outputs=(CONTEXT, WEIGHTS),
        variant=attend,
        cases=attend_cases,
        properties=(WEIGHTS_NOT_NEGATIVE, PADDING, ADD_UP),
        axes=(
            Axis(
                "placed",
                {
                    "ignored": MASK_IGNORED,
                    "inverted": MASK_INVERTED,
                    "after": MASK_AFTER,
                    "zero": MASK_ZERO,
                },
            ),
            Axis("empty", {"nan": EMPTY_NAN, "uniform": EMPTY_UNIFORM}),
            Axis(
                "over",
                {
                    "batch": (
                        "The softmax runs over the batch: the sentences compete with each other for a "
                        "position. It should run over the words of each source sentence."
                    ),
                },
            ),
            Axis(
                "mix",
                {
                    "mean": (
                        "The context is divided by the length of the source. The weights add up to 1 already."
                    ),
                    "scores": "The context mixes the annotations with the scores instead of the weights.",
                    "hard": (
                        "The context is the one annotation with the largest weight. It should be the "
                        "mean of all of them, each by its weight."
                    ),
                },
            ),
        ),
        possible=lambda switches: (
            empty_row_reached(switches)
            and not (switches.get("mix") == "hard" and "placed" in switches)
            and not (
                "over" in switches and ("placed" in switches or "empty" in switches or "mix" in switches)
            )
        ),
        hints=(
            "Scores at padding become −∞; softmax over the last axis; weighted sum over the source.",
            "`weights[:, None, :] @ annotations` is (batch, 1, d_annotation): one axis too many, "
            "`.squeeze(1)`.",
            "A sentence without words gives NaN weights: `.nan_to_num(0.0)` makes them zeros.",
        ),
    ),
    Exercise(
        id="4.5",
        title="The attention that never looks",
        name="BahdanauAttention",
        kind="bug",
        form="module",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="BahdanauAttention(d_query, d_annotation, d_attention)",
        outputs=(CONTEXT, WEIGHTS),
        variant=bahdanau,
        cases=bahdanau_cases,
        tolerance=(1e-4, 5e-5),
        properties=(WEIGHTS_NOT_NEGATIVE, PADDING, ADD_UP),
        axes=(
            Axis(
                "key",
                {
                    "query": (
                        "The weights do not depend on the annotations: every word of the source gets the "
                        "same score, so the context is the plain mean of the sentence. It trains, it "
                        "looks like attention, and it never looks. Where should U be used?"
                    ),
                },
            ),
            Axis(
                "squash",
                {
                    "outside": "The tanh is applied to the finished score, instead of to the hidden layer.",
                    "none": (
                        "The tanh is gone. Without it, the query adds the same to every score and cancels."
                    ),
                },
            ),
            Axis(
                "placed",
                {"ignored": MASK_IGNORED, "inverted": MASK_INVERTED, "after": MASK_AFTER, "zero": MASK_ZERO},
            ),
            Axis(
                "start",
                {"no query": ("The query is no longer used: the weights are the same at every step.")},
            ),
        ),
        possible=lambda switches: (
            not ("key" in switches and ("squash" in switches or "start" in switches))
            and not (switches.get("squash") == "none" and "start" in switches)
        ),
        forbidden=("AdditiveScore", "attnbook.nn"),
        hints=(
            "Print the weights for two different sets of annotations. What do you see?",
            "Which of the three parameters is made and never used?",
            "The hidden layer should be tanh of a part from the query *plus* a part from each annotation.",
        ),
    ),
    Exercise(
        id="4.6",
        title="Two readers of one sentence",
        name="join_directions",
        kind="function",
        points=3,
        minutes=15,
        difficulty="hard",
        signature="join_directions(forward, backward, lengths)",
        outputs=(Output("annotations", ("batch", "src", "both directions")),),
        variant=join_directions,
        cases=direction_cases,
        axes=(
            Axis(
                "turn",
                {
                    "not": (
                        "The backward states are not turned round. Its first state belongs to the *last* "
                        "word, so your first annotation joins what was read of the first word with what "
                        "was read of the last."
                    ),
                    "padding too": (
                        "The backward states are turned round together with the padding. In a short "
                        "sentence the padding then comes first, and every state stands at the wrong word."
                    ),
                    "features": (
                        "The features are turned round instead of the words: the wrong axis is flipped."
                    ),
                    "batch": (
                        "The sentences of the batch are turned round instead of the words: the wrong "
                        "axis is flipped."
                    ),
                    "forward": "The forward states are turned round instead of the backward ones.",
                },
            ),
            Axis("order", {"backward first": "The two halves are exchanged: forward comes first."}),
            Axis(
                "join",
                {
                    "added": (
                        "The two directions are added. They should stand side by side, so that the score "
                        "can tell them apart."
                    ),
                    "averaged": (
                        "The two directions are averaged. They should stand side by side, so that the "
                        "score can tell them apart."
                    ),
                    "along the sentence": (
                        "The two directions are joined along the sentence: it is now twice as long. They "
                        "should be joined along the features."
                    ),
                },
            ),
        ),
        possible=lambda switches: not ("order" in switches and switches.get("join") in ("added", "averaged")),
        hints=(
            "The backward reader begins at the last word: its state number 0 belongs to word number "
            "length − 1.",
            "`backward[row, :length].flip(0)` turns round the words of one sentence and leaves its "
            "padding alone.",
            "`torch.cat([forward, turned], dim=2)` puts the two side by side.",
        ),
    ),
    Exercise(
        id="4.7",
        title="Alignment error rate",
        name="alignment_error_rate",
        kind="function",
        points=3,
        minutes=12,
        difficulty="medium",
        signature="alignment_error_rate(guess, sure, possible)",
        outputs=(Output("error", kind="number"),),
        variant=alignment_error_rate,
        cases=aer_cases,
        properties=(
            Property(
                "the error lies between 0 and 1", lambda args, outputs: -1e-6 <= outputs["error"] <= 1 + 1e-6
            ),
        ),
        axes=(
            Axis(
                "sides",
                {
                    "sure twice": (
                        "The possible links are never counted: both terms above the line use the sure ones."
                    ),
                    "possible twice": (
                        "The sure links are never counted by themselves: both terms above the line use "
                        "the possible ones."
                    ),
                },
            ),
            Axis(
                "below",
                {
                    "guess and possible": (
                        "Below the line stand |A| + |P|. It should be |A| + |S|: nobody has to find the "
                        "links that are only possible."
                    ),
                    "guess": (
                        "Below the line stands the guess twice. The sure links count there too: they are "
                        "what you had to find."
                    ),
                    "cells": (
                        "You divide by the number of all word pairs. Most of them are empty in every "
                        "alignment, so any guess looks good."
                    ),
                },
            ),
            Axis(
                "rate",
                {
                    "agreement": (
                        "That is the agreement, which is large when the guess is good. The error is 1 "
                        "less it."
                    )
                },
            ),
            Axis(
                "union",
                {
                    "as given": (
                        "A sure link is a possible link as well. Here `possible` comes without the sure "
                        "ones, so P is `possible | sure`."
                    ),
                },
            ),
        ),
        possible=lambda switches: (
            not (switches.get("sides") == "sure twice" and "union" in switches)
            or switches.get("below") == "guess and possible"
        ),
        forbidden=("attnbook.translation.metrics",),
        hints=(
            "AER = 1 − (|A ∩ S| + |A ∩ P|) / (|A| + |S|), with A the guess, S the sure links, P the "
            "possible ones.",
            "For boolean tensors, `&` is the intersection, `|` the union, `.sum()` the number of links.",
            "P must hold S: `allowed = possible | sure`.",
        ),
    ),
    Exercise(
        id="4.8",
        title="How far a diagonal gets",
        name="diagonal_aer",
        kind="measurement",
        points=2,
        minutes=10,
        difficulty="medium",
        signature="diagonal_aer = 0.5",
        outputs=(Output("diagonal_aer", kind="number"),),
        variant=diagonal_error,
        tolerance=(0.0, 0.005),
        nearby=(
            Nearby(
                1 - diagonal_error(),
                "That is the share of links that agree. The error rate is 1 less it.",
                0.005,
            ),
        ),
        hints=(
            "A loop over the French words fills the guess: row i, column `i * src // tgt`.",
            "`alignment_error_rate(guess, gold, gold)`: with one gold alignment, sure and possible are "
            "the same.",
            "Both have 13 rows and 12 columns. Count by hand how many of the 13 links agree.",
        ),
    ),
)
