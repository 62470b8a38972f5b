"""What every translator of the book is trained and tested on, and how it is measured.

Chapters 3, 4, 5 and 10 compare translators, so all get the same sentences and the same measures: loss, BLEU,
chrF, exact matches, endless outputs and alignment error rate, by length of the source too. The rule by which
all are trained is in :mod:`attnbook.experiments.training_rule`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import nn as torch_nn

from attnbook.data import phrasebook
from attnbook.data.corpora import hansards, tatoeba
from attnbook.data.pairs import Pair, part_of, read_pairs
from attnbook.data.vocabulary import Batches, Vocabulary, collate
from attnbook.training.evaluating import evaluating
from attnbook.training.fit import translation_loss
from attnbook.translation.metrics import (
    alignment_error_rate,
    bleu,
    chrf,
    diagonal,
    endless,
    exact,
    links_from_weights,
)
from attnbook.translation.search import translate

SHORTEST = 2  # words of the shortest phrasebook sentence
MOST_WORDS = 80  # where the search stops an output
# Shortest and longest source sentence of each bucket, in words.
BUCKETS = {
    "phrasebook": ((2, 4), (5, 8), (9, 12), (13, 16), (17, 20), (21, 30), (31, 40), (41, 60)),
    "tatoeba": ((2, 4), (5, 6), (7, 8), (9, 10), (11, 12), (13, 15), (16, 20), (21, 60)),
}
Alignments = list[set[tuple[int, int]]]


def add_corpus_arguments(parser: argparse.ArgumentParser) -> None:
    """What to train and to test on."""
    add = parser.add_argument
    add("--data", default="phrasebook", help="phrasebook, tatoeba, or a file of source TAB target")
    add("--subset", choices=phrasebook.SUBSETS, default="small", help="of the phrasebook")
    add("--pairs", type=int, default=20_000, help="phrasebook pairs to train on (default 20000)")
    add("--longest", type=int, default=20, help="longest source sentence in training (default 20)")
    add("--test-pairs", type=int, default=1000, help="test pairs at most (default 1000)")
    add("--vocabulary", type=int, default=6000, help="words kept a side, but for the phrasebook")
    add("--beam", type=int, default=1, help="beam width of the test; 1 (default) is greedy")
    add("--second-beam", type=int, default=0, metavar="WIDTH",
        help="also store the quality of translations by this beam width (default 0: do not)")  # fmt: skip


# ---- data --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Corpus:
    """Sentence pairs to train, to validate and to test on, and the words of both languages."""

    train: list[Pair]
    validation: list[Pair]
    test: list[Pair]
    src: Vocabulary
    tgt: Vocabulary

    @cached_property
    def digest(self) -> str:
        """A short name of exactly these sentences and words."""
        content = [[pair.src, pair.tgt] for part in (self.train, self.validation, self.test) for pair in part]
        text = json.dumps([content, self.src.words, self.tgt.words])
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def corpus(options: argparse.Namespace) -> Corpus:
    """The sentences that the options name.

    Half of the phrasebook's test sentences are as long as those in training, half up to twice as long.

    Raises
    ------
    ValueError
        If no pair is left for one of the parts, or ``--longest`` leaves none.
    """
    if options.data == "phrasebook":
        return _phrasebook(options)
    if options.data == "tatoeba":
        parts = {part: tatoeba.pairs(part) for part in ("train", "validation", "test")}
    else:
        parts = {"train": [], "validation": [], "test": []}
        for pair in read_pairs(options.data):
            parts[part_of(pair.src)].append(pair)
        for part, pairs in parts.items():
            if not pairs:
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
    return Corpus(train, short[:: max(1, len(short) // 500)], rest[::stride] + long, src, tgt)


def _phrasebook(options: argparse.Namespace) -> Corpus:
    if not SHORTEST <= options.longest < phrasebook.LONGEST:
        raise ValueError(
            f"--longest: expected {SHORTEST} to {phrasebook.LONGEST - 1} words for the phrasebook, which "
            f"needs room for longer test sentences, got {options.longest}"
        )
    inside, half = (SHORTEST, options.longest), max(1, options.test_pairs // 2)
    longer = (options.longest + 1, min(phrasebook.LONGEST, 2 * options.longest))
    test = phrasebook.sample(half, 2, options.subset, inside, "test")
    test += phrasebook.sample(half, 3, options.subset, longer, "test")
    return Corpus(
        phrasebook.sample(options.pairs, 0, options.subset, inside, "train"),
        phrasebook.sample(500, 1, options.subset, inside, "validation"),
        test,
        *(Vocabulary(words) for words in phrasebook.vocabulary(options.subset)),
    )


def corpus_name(options: argparse.Namespace) -> str:
    """phrasebook, tatoeba, or the stem of the file of pairs."""
    return options.data if options.data in BUCKETS else Path(options.data).stem


# ---- measures ----------------------------------------------------------------------------------------


def buckets(options: argparse.Namespace) -> tuple[tuple[int, int], ...]:
    """Shortest and longest source sentence of each bucket, in words."""
    return BUCKETS.get(options.data, BUCKETS["tatoeba"])


@torch.no_grad()
def forced_alignments(model, pairs: list[Pair], src: Vocabulary, tgt: Vocabulary) -> Alignments:
    """Where the model's weight is largest while it is fed the right translation: links of each pair."""
    device = next(model.parameters()).device
    found = []
    with evaluating(model):
        for start in range(0, len(pairs), 64):
            chunk = pairs[start : start + 64]
            batch = collate(chunk, src, tgt).to(device)
            _, weights = model(batch.src, batch.tgt[:, :-1], batch.src_mask)
            weights = weights.cpu()
            found += [
                links_from_weights(weights[row, : len(p.tgt), : len(p.src)]) for row, p in enumerate(chunk)
            ]
    return found


def distances(alignments: Alignments, pairs: list[Pair]) -> dict[str, float]:
    """How far from the sure link the largest weight lies, in source words: the share of each distance.

    −1 is the word before, +1 the word after. Target words without a sure link are left out; of several sure
    links the nearest counts.
    """
    counts = {"further before": 0, "-1": 0, "0": 0, "+1": 0, "further after": 0}
    for links, pair in zip(alignments, pairs, strict=True):
        for s, t in links:
            sure = [
                s - source for source, target, kind in pair.alignment or () if target == t and kind == "S"
            ]
            if sure:
                nearest = min(sure, key=lambda distance: (abs(distance), distance))
                further = "further before" if nearest < 0 else "further after"
                counts[{-1: "-1", 0: "0", 1: "+1"}.get(nearest, further)] += 1
    total = max(1, sum(counts.values()))
    return {name: count / total for name, count in counts.items()}


def measure(
    model: torch_nn.Module,
    data: Corpus,
    options: argparse.Namespace,
    alignments: Callable[..., Alignments] | None = forced_alignments,
) -> dict[str, Any]:
    """Every number about translations and alignments, on the test pairs, by length of the source too.

    ``alignments(model, pairs, src, tgt)`` says where the model looks; None for a model without weights.
    BLEU is smoothed as sacrebleu does by default ("exp"), which matters for few sentences only.
    With ``--second-beam`` the same qualities stand once more under "beam of WIDTH".
    """

    def written(width: int) -> list[list[str]]:
        found = translate(
            model, [pair.src for pair in data.test], data.src, data.tgt, width=width, most=MOST_WORDS
        )
        return [words for words, _ in found]

    ours, theirs = written(options.beam), [pair.tgt for pair in data.test]
    lengths = [len(pair.src) for pair in data.test]
    inside = [i for i, length in enumerate(lengths) if length <= options.longest]
    beyond = [i for i, length in enumerate(lengths) if length > options.longest]
    by_length = {
        f"{low}-{high}": [i for i, length in enumerate(lengths) if low <= length <= high]
        for low, high in buckets(options)
    }
    by_length = {bucket: rows for bucket, rows in by_length.items() if rows}

    parts = {"": inside, " long": beyond}
    numbers = _qualities(ours, theirs, parts, by_length)
    if options.second_beam:
        more = _qualities(written(options.second_beam), theirs, parts, by_length)
        numbers[f"beam of {options.second_beam}"] = more
    numbers["sentences by length"] = {bucket: len(rows) for bucket, rows in by_length.items()}
    if all(pair.alignment is not None for pair in data.test):
        numbers |= _alignment_errors(model, data, inside, by_length, alignments)
    numbers["examples"] = [
        {"src": " ".join(data.test[i].src), "tgt": " ".join(theirs[i]), "translation": " ".join(ours[i])}
        for i in (*inside[:2], *beyond[:1])
    ]
    return numbers


def _qualities(
    outputs: list[list[str]],
    references: list[list[str]],
    parts: dict[str, list[int]],
    by_length: dict[str, list[int]],
) -> dict[str, Any]:
    """BLEU, chrF, exact matches and endless outputs of some rows: of each part that has any, and by length.

    ``parts`` and ``by_length`` hold row numbers; a part's name stands behind that of the measure.
    """

    def quality(rows: list[int]) -> dict[str, float]:
        mine, right = [outputs[i] for i in rows], [references[i] for i in rows]
        return {
            "bleu": bleu(mine, right),
            "chrf": chrf(mine, right),
            "exact": exact(mine, right),
            "endless": endless(mine, right, most=MOST_WORDS),
        }

    numbers: dict[str, Any] = {}
    for part, rows in parts.items():
        if rows:
            numbers |= {name + part: value for name, value in quality(rows).items()}
    by_bucket = {bucket: quality(rows) for bucket, rows in by_length.items()}
    for name in ("bleu", "chrf", "exact", "endless"):
        numbers[f"{name} by length"] = {bucket: scored[name] for bucket, scored in by_bucket.items()}
    return numbers


def _alignment_errors(model, data: Corpus, inside, by_length, alignments) -> dict[str, Any]:
    gold = [pair.alignment or frozenset() for pair in data.test]

    def error(links: Alignments, rows: list[int]) -> float:
        return alignment_error_rate([links[i] for i in rows], [gold[i] for i in rows])

    numbers: dict[str, Any] = {
        "aer diagonal": error([diagonal(len(pair.src), len(pair.tgt)) for pair in data.test], inside)
    }
    if alignments is not None:
        links = alignments(model, data.test, data.src, data.tgt)
        numbers["aer"] = error(links, inside)
        numbers["aer by length"] = {bucket: error(links, rows) for bucket, rows in by_length.items()}
        numbers["distance of the largest weight"] = distances(
            [links[i] for i in inside], [data.test[i] for i in inside]
        )
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
    return alignment_error_rate(links, [pair.alignment or frozenset() for pair in pairs])


def facts(model: torch_nn.Module, data: Corpus) -> dict[str, Any]:
    """What every translator's results hold beside its scores."""
    return {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "pairs": {"train": len(data.train), "validation": len(data.validation), "test": len(data.test)},
        "words": {"src": len(data.src), "tgt": len(data.tgt)},
    }


def scores(
    model: torch_nn.Module,
    data: Corpus,
    options: argparse.Namespace,
    alignments: Callable[..., Alignments] | None = forced_alignments,
) -> dict[str, Any]:
    """What a shipped model scored: the validation loss and :func:`measure`, without examples."""
    numbers = {"validation loss": Validation(model, data)(model)} | measure(model, data, options, alignments)
    del numbers["examples"]
    return numbers


class Validation:
    """Mean cross-entropy of the right next word on the validation pairs, in nats a word."""

    def __init__(self, model: torch_nn.Module, data: Corpus) -> None:
        device = next(model.parameters()).device
        self.batches = [batch.to(device) for batch in Batches(data.validation, data.src, data.tgt, 100)]
        self.words = [int(batch.tgt_mask[:, 1:].sum()) for batch in self.batches]

    @torch.no_grad()
    def __call__(self, model: torch_nn.Module) -> float:
        """The loss of this model, dropout off."""
        with evaluating(model):
            losses = [translation_loss(model, batch).item() for batch in self.batches]
        return sum(n * loss for n, loss in zip(self.words, losses, strict=True)) / sum(self.words)
