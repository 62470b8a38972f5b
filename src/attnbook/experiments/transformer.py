"""Translate English to French with a transformer, or compare some that differ in one thing, over seeds.

``attnbook run transformer --data phrasebook --seeds 3`` trains one by the rule of
:mod:`attnbook.experiments.training_rule`, and measures it. ``--vary positions`` trains one for each scheme of
positions, ``--vary parts`` leaves out one part at a time, and ``--vary norms`` crosses post- and pre-norm
with and without warm-up. All variants take the same number of steps, each at the learning rate of
``--learning-rates`` with which its validation loss was lowest on seed 0. The same command goes on where it
was cut off.

A transformer has a cross-attention for each layer and head, so its alignments have to be taken from one of
them. Row i of the weights is where the decoder looked to *write* word i; row i + 1, where it looked while it
*read* word i, as its last input. The head and the row with the lowest error rate on other sentences
(validation, or the development part of Hansards) are measured on the test sentences.
"""

from __future__ import annotations

import argparse
import copy
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from attnbook import nn
from attnbook.data.corpora import hansards
from attnbook.data.pairs import Pair
from attnbook.data.vocabulary import Batches, Vocabulary, collate
from attnbook.data.word_pairs import WordPairs
from attnbook.devices import seed as set_seed
from attnbook.experiments import shipping, training_rule, translators
from attnbook.experiments.options import at_least
from attnbook.training.evaluating import evaluating
from attnbook.training.fit import Diverged, fit, translation_loss
from attnbook.training.schedules import warmup_inverse_sqrt, warmup_linear
from attnbook.translation.metrics import alignment_error_rate

ABOUT = "translate with a transformer: BLEU by length, AER; positions, parts and norms compared"
VARIANTS: dict[str, dict[str, dict[str, Any]]] = {
    "positions": {
        "sinusoidal": {"positions": "sinusoidal"},
        "relative": {"positions": "relative"},
        "rotary": {"positions": "rotary"},
    },
    "parts": {
        "whole": {},
        "1 head": {"heads": 1},
        "16 heads": {"heads": 16},
        "no label smoothing": {"smoothing": 0.0},
        "word vectors not times √d": {"unscaled": True},
        "output not tied": {"untied": True},
        "no positions": {"positions": "none"},
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
    translators.add_corpus_arguments(parser)
    training_rule.add_training_arguments(parser)
    add = parser.add_argument
    add("--vary", choices=tuple(VARIANTS), default=None, help="compare schemes of positions, parts, or norms")
    add("--d-model", type=int, default=96, metavar="D", help="numbers a word (default 96)")
    add("--heads", type=int, default=4, metavar="N", help="heads a layer; divides D (default 4)")
    add("--layers", type=int, default=2, metavar="N", help="of encoder and decoder each (default 2)")
    add("--d-ff", type=int, default=192, metavar="D", help="width inside the feed-forward (default 192)")
    add("--dropout", type=float, default=0.0, help="default 0")
    add("--norm", choices=("pre", "post"), default="pre", help="where layer norm stands (default pre)")
    add("--positions", choices=nn.transformer.POSITIONS, default="sinusoidal")
    add("--unscaled", action="store_true", help="do not multiply word vectors with √D")
    add("--untied", action="store_true", help="give the output layer weights of its own")
    add("--smoothing", type=float, default=0.1, help="label smoothing (default 0.1)")
    add("--warmup", type=int, default=100, metavar="N", help="steps until the highest rate (default 100)")
    add("--steps", type=int, default=900, help="with --vary: optimisation steps of each (default 900)")
    add("--clip", type=float, default=1.0, metavar="L",
        help="with --vary: longest gradient that is left as it is; 0 leaves all (default 1)")  # fmt: skip
    add("--curve", choices=("linear", "inverse-sqrt"), default="linear",
        help="with --vary, after warm-up: flat, then down to 0 (default), or 1/√step")  # fmt: skip


def result_name(options: argparse.Namespace) -> str:
    """The stem of the results file, such as transformer_phrasebook or transformer_norms_6_layers."""
    data = translators.corpus_name(options)
    if options.vary is None:
        return f"transformer_{data}"
    depth = f"{options.layers}_layers" if options.layers != 2 else ""
    return "_".join(filter(None, ["transformer", options.vary, depth, data if data != "phrasebook" else ""]))


class Variant(nn.Transformer):
    """The transformer, with word vectors as they are where asked."""

    def __init__(self, *sizes: int, scaled: bool = True, **options: Any):
        super().__init__(*sizes, **options)
        self.scaled = scaled

    def embed(self, embedding: torch.nn.Embedding, tokens: Tensor, start: int = 0) -> Tensor:
        """Word vectors times √d or not, plus positions where they are added: (batch, length, d_model)."""
        if self.scaled:
            return super().embed(embedding, tokens, start)
        x = embedding(tokens)
        return self.dropout(x if self.positions is None else self.positions(x, start))


def build(options: argparse.Namespace, n_src: int, n_tgt: int) -> Variant:
    """The model that the options describe, for vocabularies of these sizes.

    Raises
    ------
    ValueError
        If a size is out of range, or the heads do not divide D.
    """
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
        positions=options.positions,
        max_length=longest_text(options),
        scaled=not options.unscaled,
    )


def longest_text(options: argparse.Namespace) -> int:
    """For learned positions: as far as a translation may go."""
    return 2 * max(options.longest, 60) + 20


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
        gold = [pair.alignment or frozenset() for pair in pairs]
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


def measured(model: Variant, data: translators.Corpus, options: argparse.Namespace) -> dict[str, Any]:
    """Every score of a trained model."""
    numbers = translators.measure(model, data, options, None)
    gold = [pair for pair in data.test if pair.alignment is not None and len(pair.src) <= options.longest]
    if gold:
        numbers |= aligning_head(model, data.validation, gold, data.src, data.tgt)
    if options.data == "tatoeba":
        parliament = {part: translators.lower_case(hansards.pairs(part)) for part in ("dev", "test")}
        found = aligning_head(model, parliament["dev"], parliament["test"], data.src, data.tgt)
        numbers |= {key.replace("aer", "aer hansards", 1): value for key, value in found.items()}
    return numbers | translators.facts(model, data)


def method(options: argparse.Namespace) -> training_rule.Method:
    """What the rule of training needs to know."""
    loss = partial(translation_loss, smoothing=options.smoothing)
    choices = {"optimiser": ADAM, "loss": loss}
    return training_rule.Method(result_name(options), partial(build, options), choices, options.warmup)


def trained(options: argparse.Namespace, seed: int, device: torch.device) -> shipping.Trained:
    """The translator of this seed, to ship.

    Raises
    ------
    ValueError
        If the options ask for what ``nn.Transformer`` alone does not have.
    """
    if options.vary is not None or options.unscaled:
        raise ValueError("--ship: stores nn.Transformer as it is; leave out --vary and --unscaled")
    data = translators.corpus(options)
    model, _ = training_rule.chosen(method(options), data, options, seed, device, add_arguments)
    return shipping.Trained(
        "transformer",
        configuration(options),
        model,
        partial(scores, model, data, options),
        dict(shipping.TRANSLATORS_ROOM),
        {"src": data.src, "tgt": data.tgt},
        WordPairs((pair.src for pair in data.train), data.src),
    )


def configuration(options: argparse.Namespace) -> dict[str, Any]:
    """What ``models.build`` needs to make the model again, beside the vocabularies."""
    return {
        "d_model": options.d_model,
        "n_heads": options.heads,
        "n_layers": options.layers,
        "d_ff": options.d_ff,
        "dropout": options.dropout,
        "norm": options.norm,
        "tied": not options.untied,
        "positions": options.positions,
        "max_length": longest_text(options),
    }


def scores(model: Any, data: translators.Corpus, options: argparse.Namespace) -> dict[str, Any]:
    """What a shipped model scored: the validation loss and every measure, without examples."""
    numbers = {"validation loss": translators.Validation(model, data)(model)}
    numbers |= measured(model, data, options)
    del numbers["examples"]
    return numbers


def train_variant(
    options: argparse.Namespace, seed: int, device: torch.device, data: translators.Corpus, name: str
) -> dict[str, Any]:
    """Train one variant for its number of steps, at its best learning rate, and measure it."""
    rates = sorted(set(options.learning_rates))
    search = training_rule.SEARCH_SEED
    tried = []
    if len(rates) > 1:
        for rate in rates:
            _, loss, _ = at_rate(options, rate, search, device, data, name)
            tried.append([rate, loss])
    rate = training_rule.best_rate(tried) if tried else rates[0]
    model, loss, losses = at_rate(options, rate, seed, device, data, name)
    found = {
        "learning rate": rate,
        "rates tried": tried,
        "diverged": float(loss is None),
        "training losses": [round(sum(losses[i : i + 25]) / 25, 4) for i in range(0, len(losses) - 24, 25)],
    }
    if loss is not None:
        found["validation loss"] = loss
    return measured(model, data, options) | found


def at_rate(
    options: argparse.Namespace,
    rate: float,
    seed: int,
    device: torch.device,
    data: translators.Corpus,
    name: str,
) -> tuple[Variant, float | None, list[float]]:
    """The variant trained at this rate, its validation loss (None if training diverged), its losses.

    A run that was finished before comes from its checkpoint.
    """
    set_seed(seed)  # each variant begins from the same numbers, whichever came before
    model = build(options, len(data.src), len(data.tgt)).to(device)
    try:
        history = fit(
            model,
            Batches(data.train, data.src, data.tgt, options.batch_size, seed=training_rule.ORDER_SEED),
            steps=options.steps,
            learning_rate=rate,
            schedule=schedule(options),
            clip=options.clip or None,
            seed=seed,
            checkpoint=variant_checkpoint(options, seed, rate),
            checkpoint_every=200,
            description=f"{name}, rate {rate:g}, seed {seed}",
            **method(options).choices,
        )
    except Diverged:
        return model, None, []
    return model, translators.Validation(model, data)(model), history.losses


def variant_checkpoint(options: argparse.Namespace, seed: int, rate: float) -> Path:
    """Where a variant's training goes on from."""
    return training_rule.checkpoint_path(options, seed, f"{result_name(options)}_rate{rate:g}", add_arguments)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Train with this seed, or every variant with this seed, and measure on the test pairs."""
    variants = {"": {}} if options.vary is None else VARIANTS[options.vary]
    wanted = {name: with_options(options, changed) for name, changed in variants.items()}
    at_least(options, 0, "warmup", "clip")
    training_rule.check_training(options)
    for one in wanted.values():  # before any training: a bad option is found at once
        build(one, 5, 5)
        if options.vary is not None:
            schedule(one)
    joined = training_rule.join(device)
    data = translators.corpus(options)
    if options.vary is None:
        model, numbers = training_rule.chosen(method(options), data, options, seed, device, add_arguments)
        return numbers | measured(model, data, options)
    numbers = {name: train_variant(one, seed, device, data, name) for name, one in wanted.items()}
    # Kept until all variants are measured: a run that was cut off goes on. Those of the seed on which the
    # rates are chosen stay, for the seeds that follow.
    if seed != training_rule.SEARCH_SEED:
        rates = options.learning_rates
        mine = [variant_checkpoint(one, seed, rate) for one in wanted.values() for rate in rates]
        training_rule.forget(mine, joined)
    return numbers


def with_options(options: argparse.Namespace, changed: dict[str, Any]) -> argparse.Namespace:
    """A copy of the options with some of them changed."""
    twin = copy.copy(options)
    vars(twin).update(changed)
    return twin
