"""Translate English to French with a transformer, or compare some that differ in one thing, over seeds.

``attnbook run transformer --data phrasebook --seeds 3`` trains and measures one; ``--vary heads`` trains one
for each number of heads at equal width, ``--vary parts`` leaves out one part at a time, and ``--vary norms``
crosses post- and pre-norm with and without warm-up. The same command goes on where it was cut off.

A transformer has a cross-attention for each layer and head, so its alignments have to be taken from one of
them. Row i of the weights is where the decoder looked to *write* word i; row i + 1, where it looked while it
*read* word i, as its last input. The head and the row with the lowest error rate on other sentences
(validation, or the development part of Hansards) are measured on the test sentences.
"""

from __future__ import annotations

import argparse
import copy
import math
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from attnbook import nn
from attnbook.data.corpora import hansards
from attnbook.data.pairs import Pair
from attnbook.data.vocabulary import Vocabulary, collate
from attnbook.devices import seed as set_seed
from attnbook.experiments import translation
from attnbook.training.evaluating import evaluating
from attnbook.training.fit import translation_loss
from attnbook.training.schedules import warmup_inverse_sqrt, warmup_linear
from attnbook.translation.metrics import alignment_error_rate

ABOUT = "translate with a transformer: BLEU by length, AER; heads, parts and norms compared"
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "heads": {f"{n} heads" if n > 1 else "1 head": {"heads": n} for n in (1, 4, 8, 16)},
    "parts": {
        "whole": {},
        "no label smoothing": {"smoothing": 0.0},
        "word vectors not times √d": {"unscaled": True},
        "output not tied": {"untied": True},
        "no positions": {"positions": "none"},
        "the paper's curve": {"curve": "inverse-sqrt"},
    },
    "norms": {
        "pre-norm": {"norm": "pre"},
        "pre-norm, no warm-up": {"norm": "pre", "warmup": 0},
        "post-norm": {"norm": "post"},
        "post-norm, no warm-up": {"norm": "post", "warmup": 0},
    },
}
ADAM = partial(torch.optim.Adam, betas=(0.9, 0.98), eps=1e-9)  # Vaswani et al. 2017, section 5.3
ROWS = {"writing": 0, "reading": 1}  # the row of the weights for word i is i + this


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``attnbook run transformer``; the defaults are the translator of chapter 10."""
    translation.add_corpus_arguments(parser)
    add = parser.add_argument
    add("--vary", choices=tuple(VARIANTS), default=None, help="compare: the number of heads, parts, or norms")
    add("--d-model", type=int, default=96, metavar="D", help="numbers a word (default 96)")
    add("--heads", type=int, default=4, metavar="N", help="heads a layer; divides D (default 4)")
    add("--layers", type=int, default=2, metavar="N", help="of encoder and decoder each (default 2)")
    add("--d-ff", type=int, default=192, metavar="D", help="width inside the feed-forward (default 192)")
    add("--dropout", type=float, default=0.0, help="default 0")
    add("--norm", choices=("pre", "post"), default="pre", help="where layer norm stands (default pre)")
    add("--positions", choices=("sinusoidal", "learned", "none"), default="sinusoidal")
    add("--unscaled", action="store_true", help="do not multiply word vectors with √D")
    add("--untied", action="store_true", help="give the output layer weights of its own")
    add("--smoothing", type=float, default=0.1, help="label smoothing (default 0.1)")
    add("--steps", type=int, default=900, help="optimisation steps (default 900)")
    add("--batch-size", type=int, default=48, help="sentences a step and process (default 48)")
    add("--learning-rate", type=float, default=3e-3, help="the highest (default 0.003)")
    add("--warmup", type=int, default=100, metavar="N", help="steps until the highest (default 100)")
    add("--curve", choices=("linear", "inverse-sqrt"), default="linear",
        help="after warm-up: flat, then a line down from half of the run (default), or 1/√step")  # fmt: skip


def result_name(options: argparse.Namespace) -> str:
    """The stem of the results file, such as transformer_phrasebook or transformer_norms_6_layers."""
    data = options.data if options.data in translation.BUCKETS else Path(options.data).stem
    if options.vary is None:
        return f"transformer_{data}"
    depth = f"{options.layers}_layers" if options.layers != 2 else ""
    return "_".join(filter(None, ["transformer", options.vary, depth, data if data != "phrasebook" else ""]))


class Variant(nn.Transformer):
    """The transformer, with word vectors as they are or without positions where asked."""

    def __init__(self, *sizes: int, scaled: bool = True, ordered: bool = True, **options: Any):
        super().__init__(*sizes, **options)
        self.factor, self.ordered = math.sqrt(self.d_model) if scaled else 1.0, ordered

    def embed(self, embedding: torch.nn.Embedding, tokens: Tensor, start: int = 0) -> Tensor:
        """Word vectors times the factor, plus positions or not: (batch, length, d_model)."""
        x = embedding(tokens) * self.factor
        return self.dropout(self.positions(x, start) if self.ordered else x)


def build(options: argparse.Namespace, n_src: int, n_tgt: int) -> Variant:
    """The model that the options describe, for vocabularies of these sizes.

    Raises
    ------
    ValueError
        If a size is out of range, or the heads do not divide D.
    """
    ordered = options.positions != "none"
    return Variant(
        n_src,
        n_tgt,
        options.d_model,
        options.heads,
        options.layers,
        options.d_ff,
        dropout=options.dropout,
        norm=options.norm,
        tied=not options.untied,
        positions=options.positions if ordered else "sinusoidal",
        max_length=2 * max(options.longest, 60) + 20,  # as far as a translation may go
        scaled=not options.unscaled,
        ordered=ordered,
    )


def schedule(options: argparse.Namespace):
    """The factor of the learning rate at each step.

    Raises
    ------
    ValueError
        If warm-up does not fit into the run, or is 0 where the curve needs one.
    """
    if options.curve == "linear":
        return warmup_linear(options.warmup, options.steps, hold=0.5)
    curve = warmup_inverse_sqrt(options.d_model, options.warmup)
    highest = curve(options.warmup - 1)
    return lambda step: curve(step) / highest


@torch.no_grad()
def head_alignments(
    model: nn.Transformer, pairs: list[Pair], src: Vocabulary, tgt: Vocabulary
) -> dict[tuple[int, int, str], list[set[tuple[int, int]]]]:
    """Where each layer's and head's cross-attention looks most, fed with the right translation.

    Returns
    -------
    dict
        (layer, head, "writing" or "reading") → one set of links a pair, layers and heads from 0.
    """
    device = next(model.parameters()).device
    places = [
        (layer, head, row)
        for layer in range(len(model.decoder))
        for head in range(model.decoder[layer].cross_attention.n_heads)
        for row in ROWS
    ]
    links: dict = {place: [] for place in places}
    with evaluating(model):
        for start in range(0, len(pairs), 64):
            chunk = pairs[start : start + 64]
            batch = collate(chunk, src, tgt).to(device)
            _, weights = model(batch.src, batch.tgt[:, :-1], batch.src_mask, need_weights=True)
            looked = torch.stack(weights.cross).argmax(dim=-1).tolist()  # (layers, batch, heads, tgt)
            for i, pair in enumerate(chunk):
                for layer, head, row in places:
                    sources = looked[layer][i][head][ROWS[row] :]
                    links[layer, head, row].append({(sources[t], t) for t in range(len(pair.tgt))})
    return links


def aligning_head(
    model: nn.Transformer, chosen_on: list[Pair], test: list[Pair], src: Vocabulary, tgt: Vocabulary
) -> dict[str, Any]:
    """AER on the test pairs of the layer, head and row with the lowest AER on the other pairs."""

    def errors(pairs: list[Pair]) -> dict[tuple[int, int, str], float]:
        gold = [pair.alignment for pair in pairs]
        found = head_alignments(model, pairs, src, tgt)
        return {place: alignment_error_rate(links, gold) for place, links in found.items()}

    seen, measured = errors(chosen_on), errors(test)
    best = min(seen, key=seen.get)

    def lowest(row: str) -> float:
        return measured[min((place for place in seen if place[2] == row), key=seen.get)]

    return {
        "aer": measured[best],
        "aer head": named(*best),
        "aer by row": {row: lowest(row) for row in ROWS},
        # a list: which head does what differs from seed to seed, so means over seeds would mean nothing
        "aer of all heads": [[named(*place), error] for place, error in measured.items()],
    }


def named(layer: int, head: int, row: str) -> str:
    """What the results call it: layers and heads counted from 1."""
    return f"layer {layer + 1}, head {head + 1}, {row}"


def train_one(
    options: argparse.Namespace, seed: int, device: torch.device, parts, checkpoint: Path, name: str
) -> dict[str, Any]:
    """Train one model and measure it."""
    _, validation, test, src, tgt = parts
    set_seed(seed)  # each variant begins from the same numbers, whichever came before
    model = build(options, len(src), len(tgt)).to(device)
    history = translation.train(
        model,
        parts,
        options,
        seed,
        optimiser=ADAM,
        loss=partial(translation_loss, smoothing=options.smoothing),
        schedule=schedule(options),
        checkpoint=checkpoint,
        description=f"{name}, seed {seed}",
    )
    numbers = translation.measure(model, test, src, tgt, options, None)
    gold = [pair for pair in test if pair.alignment is not None and len(pair.src) <= options.longest]
    if gold:
        numbers |= aligning_head(model, validation, gold, src, tgt)
    if options.data == "tatoeba":
        parliament = {part: translation.lower_case(hansards.pairs(part)) for part in ("dev", "test")}
        found = aligning_head(model, parliament["dev"], parliament["test"], src, tgt)
        numbers |= {key.replace("aer", "aer hansards", 1): value for key, value in found.items()}
    return numbers | translation.facts(model, parts, history) | {"last loss": history.losses[-1]}


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Train with this seed, or every variant with this seed, and measure on the test pairs."""
    variants = {None: {}} if options.vary is None else VARIANTS[options.vary]
    wanted = {name: with_options(options, changed) for name, changed in variants.items()}
    for one in wanted.values():  # before any training: a bad option is found at once
        schedule(one)
        build(one, 5, 5)
    joined = translation.join(device)
    parts = translation.corpus(options)
    numbers, checkpoints = {}, []
    for name, one in wanted.items():
        checkpoint = translation.checkpoint_path(one, seed, result_name(options), add_arguments)
        checkpoints.append(checkpoint)  # kept until all variants are measured: a run that was cut off goes on
        numbers[name] = train_one(one, seed, device, parts, checkpoint, name or result_name(options))
    translation.forget(checkpoints, joined)
    return numbers[None] if options.vary is None else numbers


def with_options(options: argparse.Namespace, changed: dict[str, Any]) -> argparse.Namespace:
    """A copy of the options with some of them changed."""
    twin = copy.copy(options)
    vars(twin).update(changed)
    return twin
