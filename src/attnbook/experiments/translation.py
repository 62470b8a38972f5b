"""Translate English to French with a recurrent encoder–decoder, with or without attention, over seeds.

``attnbook run translation --attention additive --data phrasebook --seeds 3`` trains and measures; the same
command goes on where it was cut off. Under ``torchrun --nproc-per-node N -m attnbook.cli run translation …``
each of the N processes takes its own batches and gradients are averaged.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn as torch_nn

from attnbook import nn
from attnbook.data import phrasebook
from attnbook.data.corpora import hansards, tatoeba
from attnbook.data.corpora.fetch import CACHE
from attnbook.data.pairs import Pair, part_of, read_pairs
from attnbook.data.vocabulary import Batches, Vocabulary, collate
from attnbook.training.evaluating import evaluating
from attnbook.training.fit import History, fit, translation_loss
from attnbook.translation.metrics import (
    alignment_error_rate,
    bleu,
    bleu_by_length,
    diagonal,
    exact,
    links_from_weights,
)
from attnbook.translation.search import translate

ABOUT = "translate English to French: BLEU by length, AER where there are gold alignments"
ATTENTIONS = ("none", "additive", "dot", "general", "concat", "location")
ALIGNMENTS = {"global": None, "local-m": "monotonic", "local-p": "predictive"}
# Shortest and longest source sentence of each bucket, in words.
BUCKETS = {
    "phrasebook": ((5, 8), (9, 12), (13, 16), (17, 20), (21, 30), (31, 40)),
    "tatoeba": ((2, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 15), (16, 20), (21, 60)),
}


def add_corpus_arguments(parser: argparse.ArgumentParser) -> None:
    """What to train and to test on, for every translator."""
    parser.add_argument(
        "--data", default="phrasebook", help="phrasebook, tatoeba, or a file of source TAB target"
    )
    parser.add_argument("--subset", choices=phrasebook.SUBSETS, default="small", help="of the phrasebook")
    parser.add_argument(
        "--pairs", type=int, default=20_000, help="phrasebook pairs to train on (default 20000)"
    )
    parser.add_argument(
        "--longest", type=int, default=20, help="longest source sentence in training (default 20)"
    )
    parser.add_argument("--test-pairs", type=int, default=600, help="test pairs at most (default 600)")
    parser.add_argument(
        "--vocabulary", type=int, default=6000, help="words kept a side, but for the phrasebook"
    )
    parser.add_argument("--beam", type=int, default=1, help="beam width of the test; 1 (default) is greedy")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``attnbook run translation``."""
    parser.add_argument("--attention", choices=ATTENTIONS, default="additive", help="default: additive")
    add_corpus_arguments(parser)
    parser.add_argument("--unit", choices=("gru", "lstm"), default="gru", help="recurrent unit (default gru)")
    parser.add_argument("--query", choices=("previous", "current"), default="previous",
                        help="ask before the state's update (Bahdanau) or after it (Luong)")  # fmt: skip
    parser.add_argument("--alignment", choices=tuple(ALIGNMENTS), default="global",
                        help="ask the whole sentence (global, the default) or a window of it")  # fmt: skip
    parser.add_argument("--window", type=int, default=4, metavar="D",
                        help="with local alignments: half width of the window (default 4)")  # fmt: skip
    parser.add_argument("--input-feeding", action="store_true", help="with --query current: feed the last h̃")
    parser.add_argument(
        "--hidden", type=int, default=128, help="size of states and word vectors (default 128)"
    )
    parser.add_argument("--dropout", type=float, default=0.0)
    parser.add_argument("--steps", type=int, default=1000, help="optimisation steps (default 1000)")
    parser.add_argument(
        "--batch-size", type=int, default=64, help="sentences a step and process (default 64)"
    )
    parser.add_argument("--learning-rate", type=float, default=2e-3)


def result_name(options: argparse.Namespace) -> str:
    """The stem of the results file, such as translation_phrasebook_additive."""
    data = options.data if options.data in BUCKETS else Path(options.data).stem
    extras = [
        options.alignment if options.alignment != "global" else "",
        options.query if options.query != "previous" else "",
        "feeding" if options.input_feeding else "",
        options.unit if options.unit != "gru" else "",
    ]
    return "_".join(["translation", data, options.attention, *filter(None, extras)])


def build(options: argparse.Namespace, n_src: int, n_tgt: int) -> nn.Seq2Seq:
    """The model that the options describe, for vocabularies of these sizes.

    Raises
    ------
    ValueError
        If a window is asked for and there is no attention to look through it.
    """
    if options.attention == "none" and options.alignment != "global":
        raise ValueError(f"--alignment: {options.alignment} needs an attention; name one with --attention")
    size = options.hidden
    encoder, decoder = {
        "gru": (nn.GRUEncoder, nn.GRUDecoder),
        "lstm": (nn.LSTMEncoder, nn.LSTMDecoder),
    }[options.unit]
    reader = encoder(n_src, size, size, bidirectional=True, dropout=options.dropout)
    width = reader.d_memory
    # The dot product needs equal sizes on both sides; the decoder is then as wide as the memory.
    state = width if options.attention == "dot" else size
    score = {
        "none": lambda: None,
        "additive": lambda: nn.AdditiveScore(state, width, size),
        "dot": nn.DotScore,
        "general": lambda: nn.GeneralScore(state, width),
        "concat": lambda: nn.ConcatScore(state, width, size),
        # It has one row a place, so places beyond the longest training sentence cannot be looked at.
        "location": lambda: nn.LocationScore(state, options.longest),
    }[options.attention]()
    if options.alignment != "global":
        score = nn.LocalAttention(score, options.window, ALIGNMENTS[options.alignment], d_query=state)
    writer = decoder(
        n_tgt, size, state, width, score,
        input_feeding=options.input_feeding, dropout=options.dropout, query=options.query,
    )  # fmt: skip
    return nn.Seq2Seq(reader, writer)


def corpus(options: argparse.Namespace) -> tuple[list[Pair], list[Pair], list[Pair], Vocabulary, Vocabulary]:
    """(training, validation and test pairs, source and target vocabulary).

    Half of the phrasebook's test sentences are as long as those in training, half up to twice as long.

    Raises
    ------
    ValueError
        If no pair is left for one of the parts, or ``--longest`` leaves none.
    """
    if options.data == "phrasebook":
        if not 5 <= options.longest < phrasebook.LONGEST:
            raise ValueError(
                f"--longest: expected 5 to {phrasebook.LONGEST - 1} words for the phrasebook, which needs "
                f"room for longer test sentences, got {options.longest}"
            )
        words = phrasebook.vocabulary(options.subset)
        inside, half = (5, options.longest), max(1, options.test_pairs // 2)
        train = phrasebook.sample(options.pairs, 0, options.subset, inside, "train")
        validation = phrasebook.sample(200, 1, options.subset, inside, "validation")
        test = phrasebook.sample(half, 2, options.subset, inside, "test")
        longer = (options.longest + 1, min(phrasebook.LONGEST, 2 * options.longest))
        test += phrasebook.sample(half, 3, options.subset, longer, "test")
        return train, validation, test, Vocabulary(words[0]), Vocabulary(words[1])
    if options.data == "tatoeba":
        parts = {part: tatoeba.pairs(part) for part in ("train", "validation", "test")}
    else:
        parts = {"train": [], "validation": [], "test": []}
        for pair in read_pairs(options.data):
            parts[part_of(pair.src)].append(pair)
        for part, found in parts.items():
            if not found:
                raise ValueError(
                    f"--data: {options.data} has no pair for {part}; give some hundred pairs or more"
                )
    train = [pair for pair in parts["train"] if len(pair.src) <= options.longest]
    if not train:
        raise ValueError(f"--longest: no training sentence has at most {options.longest} words; raise it")
    src = Vocabulary.of((pair.src for pair in train), most=options.vocabulary)
    tgt = Vocabulary.of((pair.tgt for pair in train), most=options.vocabulary)
    # All long sentences, which are few, and as many of the others as there is room for.
    long = [pair for pair in parts["test"] if len(pair.src) > options.longest]
    rest = [pair for pair in parts["test"] if len(pair.src) <= options.longest]
    stride = max(1, len(rest) // max(1, options.test_pairs - len(long)))
    short = [pair for pair in parts["validation"] if len(pair.src) <= options.longest]
    return train, short[:: max(1, len(short) // 500)], rest[::stride] + long, src, tgt


@torch.no_grad()
def forced_alignments(
    model, pairs: list[Pair], src: Vocabulary, tgt: Vocabulary
) -> list[set[tuple[int, int]]]:
    """Where the model looks most while it is fed the right translation: one set of links a pair."""
    device = next(model.parameters()).device
    links = []
    with evaluating(model):
        for start in range(0, len(pairs), 64):
            chunk = pairs[start : start + 64]
            batch = collate(chunk, src, tgt).to(device)
            _, weights = model(batch.src, batch.tgt[:, :-1], batch.src_mask)
            for row, pair in enumerate(chunk):
                links.append(links_from_weights(weights[row, : len(pair.tgt), : len(pair.src)].cpu()))
    return links


def measure(
    model, test: list[Pair], src: Vocabulary, tgt: Vocabulary, options, alignments=forced_alignments
) -> dict[str, Any]:
    """BLEU, by length too, exact matches, and AER where the pairs have gold alignments.

    ``alignments(model, pairs, src, tgt)`` says where the model looks; None for a model that looks nowhere.
    """
    found = translate(model, [pair.src for pair in test], src, tgt, width=options.beam)
    ours, theirs = [words for words, _ in found], [pair.tgt for pair in test]
    lengths = [len(pair.src) for pair in test]
    inside = [i for i, length in enumerate(lengths) if length <= options.longest]
    beyond = [i for i, length in enumerate(lengths) if length > options.longest]
    numbers: dict[str, Any] = {
        "bleu": bleu([ours[i] for i in inside], [theirs[i] for i in inside]),
        "exact": exact([ours[i] for i in inside], [theirs[i] for i in inside]),
        "bleu by length": bleu_by_length(
            ours, theirs, lengths, BUCKETS.get(options.data, BUCKETS["tatoeba"])
        ),
    }
    if beyond:
        numbers["bleu long"] = bleu([ours[i] for i in beyond], [theirs[i] for i in beyond])
    gold = [test[i] for i in inside if test[i].alignment is not None]
    if gold:
        right = [pair.alignment for pair in gold]
        lines = [diagonal(len(pair.src), len(pair.tgt)) for pair in gold]
        numbers["aer diagonal"] = alignment_error_rate(lines, right)
        if alignments is not None:
            numbers["aer"] = alignment_error_rate(alignments(model, gold, src, tgt), right)
    numbers["examples"] = [
        {"src": " ".join(test[i].src), "tgt": " ".join(theirs[i]), "translation": " ".join(ours[i])}
        for i in (*inside[:2], *beyond[:1])
    ]
    return numbers


def lower_case(pairs: list[Pair]) -> list[Pair]:
    """The same pairs without capitals."""
    return [
        Pair([word.lower() for word in pair.src], [word.lower() for word in pair.tgt], pair.alignment)
        for pair in pairs
    ]


def hansards_error(model, src: Vocabulary, tgt: Vocabulary) -> float:
    """AER of a Tatoeba model fed with parliament's sentences: longer, and full of words that it never saw."""
    pairs = lower_case(hansards.pairs("test"))
    links = forced_alignments(model, pairs, src, tgt)
    return alignment_error_rate(links, [pair.alignment for pair in pairs])


def speed(history: History, device: torch.device) -> float:
    """Steps a second; on one thread of a CPU, a second of processor time, which other work does not slow."""
    alone = device.type == "cpu" and torch.get_num_threads() == 1
    return len(history.losses) / (history.cpu_seconds if alone else history.seconds)


def checkpoint_path(options: argparse.Namespace, seed: int, name: str, add_arguments) -> Path:
    """One file in the package's cache for the options that ``add_arguments`` made, and this seed."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    own = {action.dest for action in parser._actions} - {"help"}
    wanted = {key: str(value) for key, value in sorted(vars(options).items()) if key in own}
    wanted["processes"] = os.environ.get("WORLD_SIZE", "1")
    digest = hashlib.sha256(json.dumps(wanted).encode()).hexdigest()[:12]
    return CACHE / "checkpoints" / f"{name}_{digest}_seed{seed}.pt"


def forget(checkpoints: list[Path], joined: bool) -> None:
    """Remove checkpoints once the results file will hold their seed."""
    if joined:
        dist.barrier()
    if os.environ.get("RANK", "0") == "0":
        for checkpoint in checkpoints:
            checkpoint.unlink(missing_ok=True)


def train(model, parts, options: argparse.Namespace, seed: int, **choices) -> History:
    """Fit a translator to :func:`corpus`'s parts; ``choices`` go to ``fit``. Validation uses plain
    cross-entropy.
    """
    pairs, validation, _, src, tgt = parts
    device = next(model.parameters()).device
    held_out = [batch.to(device) for batch in Batches(validation, src, tgt, 100)]

    def validation_loss(model: torch_nn.Module) -> float:
        return sum(translation_loss(model, batch).item() for batch in held_out) / len(held_out)

    return fit(
        model,
        Batches(pairs, src, tgt, options.batch_size, seed=seed),
        steps=options.steps,
        learning_rate=options.learning_rate,
        seed=seed,
        validate=validation_loss,
        validate_every=max(1, options.steps // 10),
        checkpoint_every=100,
        **choices,
    )


def facts(model, parts, history: History) -> dict[str, Any]:
    """What every translator's results hold beside :func:`measure`'s."""
    pairs, _, test, src, tgt = parts
    return {
        "validation loss": history.validations[-1][1],
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "steps per second": speed(history, next(model.parameters()).device),
        "pairs": {"train": len(pairs), "test": len(test)},
        "words": {"src": len(src), "tgt": len(tgt)},
    }


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Train with this seed and measure on the test pairs; a run that was cut off goes on."""
    joined = join(device)
    parts = corpus(options)
    _, _, test, src, tgt = parts
    model = build(options, len(src), len(tgt)).to(device)
    checkpoint = checkpoint_path(options, seed, result_name(options), add_arguments)
    history = train(
        model,
        parts,
        options,
        seed,
        schedule=lambda step: min(1.0, 2 * (1 - step / options.steps)),  # the second half goes down to 0
        checkpoint=checkpoint,
        description=f"{options.attention}, seed {seed}",
    )
    alignments = None if options.attention == "none" else forced_alignments
    numbers = measure(model, test, src, tgt, options, alignments)
    if options.data == "tatoeba" and options.attention != "none":
        numbers["aer hansards"] = hansards_error(model, src, tgt)
    forget([checkpoint], joined)
    return numbers | facts(model, parts, history)


def join(device: torch.device) -> bool:
    """Under torchrun, meet the other processes; True if there are any."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return False
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return True
