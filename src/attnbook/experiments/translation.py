"""Translate English to French with a recurrent encoder–decoder, with or without attention, over seeds.

``attnbook run translation --attention additive --data phrasebook --seeds 3`` trains by the rule of
:mod:`attnbook.experiments.training_rule` and measures; the same command goes on where it was cut off. With
``--ship NAME`` the model of the first seed becomes one of :mod:`attnbook.models`. Under ``torchrun
--nproc-per-node N -m attnbook.cli run translation …`` each of the N processes takes its own batches and
gradients are averaged.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import torch

from attnbook.experiments import shipping, training_rule, translators
from attnbook.experiments.options import at_least
from attnbook.models.families.translators import ALIGNMENTS, ATTENTIONS, QUERIES, recurrent

ABOUT = "translate English to French: loss, BLEU by length, endless outputs, AER where there are gold links"
PLAIN = {"alignment": "global", "query": "previous", "unit": "gru", "hidden": 128}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``attnbook run translation``."""
    add = parser.add_argument
    add("--attention", choices=ATTENTIONS, default="additive", help="default: additive")
    translators.add_corpus_arguments(parser)
    training_rule.add_training_arguments(parser)
    add("--unit", choices=("gru", "lstm"), default="gru", help="recurrent unit (default gru)")
    add("--query", choices=QUERIES, default="previous",
        help="ask before the state's update (Bahdanau), before it with the last word beside the state, "
        "or after it (Luong)")  # fmt: skip
    add("--alignment", choices=tuple(ALIGNMENTS), default="global",
        help="ask the whole sentence (global, the default) or a window of it")  # fmt: skip
    add("--window", type=int, default=4, metavar="D",
        help="with local alignments: half width of the window (default 4)")  # fmt: skip
    add("--input-feeding", action="store_true", help="with --query current: feed the last h̃")
    add("--identity", action="store_true", help="with general: W_a starts as the identity, as dot")
    add("--hidden", type=int, default=128, metavar="N",
        help="of word vectors and each direction's state; twice for the decoder (default 128)")  # fmt: skip
    add("--dropout", type=float, default=0.0)
    add("--together", action="store_true", help="train all rates and seeds at once: faster on a GPU")


def result_name(options: argparse.Namespace) -> str:
    """The stem of the results file, such as translation_phrasebook_additive."""
    extras = [str(getattr(options, key)) for key, plain in PLAIN.items() if getattr(options, key) != plain]
    extras += ["feeding"] if options.input_feeding else []
    extras += ["identity"] if options.identity else []
    extras += [f"to-{options.longest}"] if options.data == "phrasebook" and options.longest != 20 else []
    return "_".join(["translation", translators.corpus_name(options), options.attention, *extras])


def configuration(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of ``models.families.translators.recurrent``."""
    names = ("attention", "unit", "query", "alignment", "window", "input_feeding", "hidden", "longest")
    chosen = {name: getattr(options, name) for name in (*names, "dropout")}
    # runs that were stored before there was this option lack it
    return chosen | ({"identity": True} if getattr(options, "identity", False) else {})


def build(options: argparse.Namespace, n_src: int, n_tgt: int) -> torch.nn.Module:
    """The model that the options describe, for vocabularies of these sizes.

    Raises
    ------
    ValueError
        If two choices do not go together; the sentence names the option.
    """
    try:
        return recurrent(n_src, n_tgt, **configuration(options))
    except ValueError as error:
        raise ValueError(f"--{error}") from None


def method(options: argparse.Namespace) -> training_rule.Method:
    """What the rule of training needs to know."""
    return training_rule.Method(result_name(options), partial(build, options), {})


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Train with this seed and measure on the test pairs; a run that was cut off goes on."""
    at_least(options, 1, "hidden", "window", "pairs", "test_pairs")
    build(options, 5, 5)  # before any training: a bad option is found at once
    training_rule.join(device)
    data = translators.corpus(options)
    if options.together:
        training_rule.trials_together(method(options), data, options, device, add_arguments)
    model, numbers = training_rule.chosen(method(options), data, options, seed, device, add_arguments)
    alignments = None if options.attention == "none" else translators.forced_alignments
    numbers |= translators.measure(model, data, options, alignments)
    if options.data == "tatoeba" and options.attention != "none":
        numbers["aer hansards"] = translators.hansards_error(model, data.src, data.tgt)
    return numbers | translators.facts(model, data)


def trained(options: argparse.Namespace, seed: int, device: torch.device) -> shipping.Trained:
    """The translator of this seed, to ship."""
    data = translators.corpus(options)
    model, _ = training_rule.chosen(method(options), data, options, seed, device, add_arguments)
    alignments = None if options.attention == "none" else translators.forced_alignments
    room = dict(shipping.TRANSLATORS_ROOM)
    if alignments is None:
        del room["aer"]
    return shipping.Trained(
        "recurrent",
        configuration(options),
        model,
        lambda: translators.scores(model, data, options, alignments),
        room,
        {"src": data.src, "tgt": data.tgt},
    )
