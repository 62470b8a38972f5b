"""What pre-training on masked words buys: the number of a hidden verb, by how many sentences are labelled.

In a sentence of the phrasebook the verb that agrees with a noun is hidden: is it singular or plural? The
label is the number of its subject. Four answers, at each number of labelled sentences:

- "pre-trained": a small encoder that has learned to name hidden words in unlabelled sentences, trained on;
- "from scratch": the same network with random weights;
- "bag of words" and "word pairs": logistic regression on which words, or pairs of neighbours, occur.

"no labels" asks the pre-trained network which of the two forms of the verb it finds more probable. Test
sentences are in no training set; classes are balanced everywhere. The learning rate of both networks is the
one of a small grid with the most right answers on validation sentences, at --search labels of seed 0, each
its own; so is the regularisation of the regressions. A seed has its own weights and labelled sentences.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from attnbook.analysis.heads import hidden_loss
from attnbook.data import phrasebook
from attnbook.data.hidden_words import MASK, HiddenWords
from attnbook.data.phrasebook import lexicon
from attnbook.data.phrasebook.relations import relations
from attnbook.data.vocabulary import Vocabulary, pad
from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least
from attnbook.extras import needs
from attnbook.nn import MaskedWordModel
from attnbook.training.evaluating import evaluating
from attnbook.training.fit import fit
from attnbook.training.schedules import warmup_linear

ABOUT = "what pre-training on masked words buys, by the number of labelled sentences"

LENGTH = (4, 12)
SIZES = (20, 50, 100, 200, 500)
RATES = (5e-4, 1e-3, 2e-3, 4e-3)
STRENGTHS = (0.1, 1.0, 10.0)  # C of logistic regression
SINGULAR = ("is", "isn't", "was", "wasn't", "does", "doesn't")
PLURAL = ("are", "aren't", "were", "weren't", "do", "don't")
BATCH = 32


@dataclass(frozen=True)
class Example:
    """A sentence whose verb is hidden.

    Attributes
    ----------
    words : list of str
        With "<mask>" in place of the verb.
    place : int
        Of the verb, from 0.
    plural : int
        1 if its subject is plural, else 0.
    forms : (str, str)
        The verb in the singular and in the plural.
    """

    words: list[str]
    place: int
    plural: int
    forms: tuple[str, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How much text, and how long training takes."""
    add = parser.add_argument
    add("--sentences", type=int, default=8000, metavar="N", help="without labels (default 8,000)")
    add("--steps", type=int, default=3000, metavar="N", help="of pre-training, 64 sentences (default 3,000)")
    add("--fine-steps", type=int, default=300, metavar="N", help="with labels, 32 sentences (default 300)")
    add("--test", type=int, default=1000, metavar="N", help="test sentences (default 1,000)")
    add("--search", type=int, default=100, metavar="N", help="labels of the search (default 100)")


@cache
def _forms() -> dict[str, tuple[str, str]]:
    """Word → singular and plural form of the verb that it is a form of."""
    verbs = [verb for verb in lexicon.VERBS if verb.level == 1]
    pairs = [*zip(SINGULAR, PLURAL, strict=True), *((verb.third, verb.base) for verb in verbs)]
    return {form: pair for pair in pairs for form in pair}


@cache
def _numbers() -> dict[str, int]:
    """Noun → 1 if it is a plural; nouns whose forms are alike are left out."""
    nouns = [noun for noun in lexicon.NOUNS if noun.level == 1]
    singular = {noun.singular for noun in nouns}
    plural = {noun.plural for noun in nouns if noun.plural}
    return {**dict.fromkeys(singular - plural, 0), **{noun: 1 for noun in plural - singular}}


def hidden_verbs(sentences: Sequence[Sequence[str]]) -> list[Example]:
    """The first verb of each sentence that agrees with a noun and shows its number."""
    found = []
    for words in sentences:
        for verb, subject in sorted(relations(words)["verb → subject"].items()):
            number = _numbers().get(words[subject])
            forms = _forms().get(words[verb])
            if number is not None and forms is not None and words[verb] == forms[number]:
                hidden = [*words[:verb], MASK, *words[verb + 1 :]]
                found.append(Example(hidden, verb, number, forms))
                break
    return found


def balanced(examples: Sequence[Example], n: int) -> list[Example]:
    """The first n/2 of each class, in turn.

    Raises
    ------
    ValueError
        If there are too few of one class.
    """
    classes = [[example for example in examples if example.plural == number] for number in (0, 1)]
    if min(len(examples) for examples in classes) < (n + 1) // 2:
        raise ValueError(f"n: expected at most {2 * min(map(len, classes))} balanced examples, got {n}")
    return [example for pair in zip(*classes, strict=False) for example in pair][:n]


def _sentences(n: int, seed: int, part: str) -> list[list[str]]:
    return [pair.src for pair in phrasebook.sample(n, seed=seed, subset="small", length=LENGTH, part=part)]


def vocabulary() -> Vocabulary:
    """All words of the small subset, and the one that hides them."""
    return Vocabulary([MASK, *phrasebook.vocabulary("small")[0]])


class NumberOfVerb(nn.Module):
    """An encoder, and one linear layer that reads what it made of the hidden place."""

    def __init__(self, encoder: MaskedWordModel, d_model: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = nn.Linear(d_model, 2)

    def forward(self, tokens: Tensor, mask: Tensor, place: Tensor) -> Tensor:
        """tokens, mask (batch, length), place (batch,) → logits (batch, 2)."""
        x, _ = self.encoder.read(tokens, mask)
        return self.head(x[torch.arange(len(x), device=x.device), place])


def encoder(words: Vocabulary, device: torch.device) -> MaskedWordModel:
    """Two layers of four heads, as in chapter 8."""
    return MaskedWordModel(len(words), 64, 4, 2, LENGTH[1] + 1).to(device)


def pretrained(options: argparse.Namespace, seed: int, device: torch.device) -> tuple[MaskedWordModel, list]:
    """An encoder that has learned to name hidden words, and its loss in each tenth of training."""
    set_seed(seed)
    words = vocabulary()
    model = encoder(words, device)
    history = fit(
        model,
        HiddenWords(_sentences(options.sentences, seed, "train"), words, 64, seed=seed),
        steps=options.steps,
        loss=lambda _, batch: hidden_loss(model, batch),
        learning_rate=4e-3,
        schedule=warmup_linear(50 if options.steps > 50 else 0, options.steps),
        seed=seed,
        progress=False,
    )
    tenth = max(1, options.steps // 10)
    return model, [round(fmean(history.losses[at : at + tenth]), 3) for at in range(0, options.steps, tenth)]


Encoded = tuple[Tensor, Tensor, Tensor, Tensor]


def encoded(examples: Sequence[Example], words: Vocabulary, device: torch.device) -> Encoded:
    """tokens, mask, place (behind <bos>) and label of each."""
    tokens, mask = pad([words.encode(example.words, bos=True) for example in examples])
    place = torch.tensor([example.place + 1 for example in examples])
    label = torch.tensor([example.plural for example in examples])
    return tokens.to(device), mask.to(device), place.to(device), label.to(device)


def tuned(start: MaskedWordModel, labelled: Encoded, rate: float, steps: int, seed: int) -> NumberOfVerb:
    """A copy of the encoder with a new last layer, all of it trained on the labels."""
    set_seed(seed)
    model = NumberOfVerb(deepcopy(start), 64).to(labelled[0].device)

    def batch(step: int) -> Encoded:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        rows = torch.randperm(len(labelled[0]), generator=generator)[:BATCH]
        tokens, mask, place, label = (part[rows] for part in labelled)
        return tokens, mask, place, label

    fit(
        model, batch, steps=steps, learning_rate=rate, seed=seed, progress=False,
        loss=lambda each, given: cross_entropy(each(*given[:3]), given[3]),
        schedule=warmup_linear(min(30, steps - 1), steps),
    )  # fmt: skip
    return model


@torch.no_grad()
def right(model: NumberOfVerb, examples: Encoded) -> float:
    """Share of right answers."""
    with evaluating(model):
        said = model(*examples[:3]).argmax(dim=-1)
    return (said == examples[3]).float().mean().item()


@torch.no_grad()
def right_without_labels(model: MaskedWordModel, examples: Sequence[Example], words: Vocabulary) -> float:
    """Share of sentences in which the right form of the verb is the more probable one at the hidden place."""
    device = next(model.parameters()).device
    tokens, mask, place, label = encoded(examples, words, device)
    with evaluating(model):
        logits = model(tokens, mask)[0][torch.arange(len(tokens)), place]
    forms = torch.tensor([[words.numbers[form] for form in example.forms] for example in examples])
    return (logits.gather(1, forms.to(device)).argmax(dim=1) == label).float().mean().item()


def counted(pairs: bool, strength: float, train: Sequence[Example], test: Sequence[Example]) -> float:
    """Share of right answers of logistic regression on the words, or also the pairs of neighbours."""
    with needs("experiments"):
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline

    def analyzer(words: list[str]) -> list[str]:
        return [*words, *map(" ".join, pairwise(words))] if pairs else words

    split: Any = analyzer  # scikit-learn's own annotation allows a name alone
    model = make_pipeline(
        CountVectorizer(analyzer=split),
        LogisticRegression(C=strength, max_iter=2000),
    )
    model.fit([example.words for example in train], [example.plural for example in train])
    return float(model.score([example.words for example in test], [example.plural for example in test]))


@dataclass(frozen=True)
class _Sets:
    """The labelled sentences of a seed."""

    train: list[Example]
    validation: list[Example]
    test: list[Example]


def _sets(options: argparse.Namespace, seed: int) -> _Sets:
    """Labelled sentences are not among the unlabelled ones of this seed; validation and test are the same for
    every seed.
    """
    unlabelled = {tuple(words) for words in _sentences(options.sentences, seed, "train")}
    more = [
        words for words in _sentences(6 * max(SIZES), 1000 + seed, "train") if tuple(words) not in unlabelled
    ]
    test = hidden_verbs(_sentences(6 * options.test, 0, "test"))
    return _Sets(
        balanced(hidden_verbs(more), max(*SIZES, options.search)),
        balanced(hidden_verbs(_sentences(2000, 0, "validation")), 400),
        balanced(test, options.test),
    )


def _search(options: argparse.Namespace, device: torch.device) -> dict[str, dict[float, float]]:
    """Method → setting → share of right answers on the validation sentences, at --search labels of seed 0."""
    words, sets = vocabulary(), _sets(options, 0)
    train = sets.train[: options.search]
    labelled, validation = encoded(train, words, device), encoded(sets.validation, words, device)
    found: dict[str, dict[float, float]] = {}
    for name, start in _starts(options, 0, device).items():
        found[name] = {
            rate: right(tuned(start, labelled, rate, options.fine_steps, 0), validation) for rate in RATES
        }
    for name, pairs in (("bag of words", False), ("word pairs", True)):
        found[name] = {each: counted(pairs, each, train, sets.validation) for each in STRENGTHS}
    return found


_STARTS: dict[tuple[int, str], dict[str, MaskedWordModel]] = {}
_LOSSES: dict[int, list[float]] = {}


def _starts(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, MaskedWordModel]:
    """The two encoders that fine-tuning starts from, made once."""
    key = (seed, str(device))
    if key not in _STARTS:
        model, _LOSSES[seed] = pretrained(options, seed, device)
        set_seed(seed)
        _STARTS[key] = {"pre-trained": model, "from scratch": encoder(vocabulary(), device)}
    return _STARTS[key]


_SEARCHED: dict[str, dict[str, dict[float, float]]] = {}


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Share of right answers on the test sentences of each method at each number of labels.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "sentences", "steps", "fine_steps", "test", "search")
    words, sets = vocabulary(), _sets(options, seed)
    if str(device) not in _SEARCHED:
        _SEARCHED[str(device)] = _search(options, device)
    searched = _SEARCHED[str(device)]
    best = {name: max(tried, key=lambda each: tried[each]) for name, tried in searched.items()}
    starts = _starts(options, seed, device)
    test = encoded(sets.test, words, device)
    methods: dict[str, Callable[[list[Example]], float]] = {
        **{
            name: lambda train, start=start, rate=best[name]: right(
                tuned(start, encoded(train, words, device), rate, options.fine_steps, seed), test
            )
            for name, start in starts.items()
        },
        **{
            name: lambda train, pairs=pairs, strength=best[name]: counted(pairs, strength, train, sets.test)
            for name, pairs in (("bag of words", False), ("word pairs", True))
        },
    }
    return {
        "right": {
            name: {str(size): method(sets.train[:size]) for size in SIZES} for name, method in methods.items()
        },
        "no labels": right_without_labels(starts["pre-trained"], sets.test, words),
        "pre-training loss": _LOSSES[seed],
        "search": {name: {str(k): v for k, v in tried.items()} for name, tried in searched.items()},
        "n": len(sets.test),
    }
