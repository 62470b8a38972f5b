"""What heads do, what each is worth, and what more of them buy at equal width, over seeds.

``attnbook run heads --data phrasebook`` trains a model that names hidden words (two layers of heads and
nothing besides) with 1, 2, 4 and 8 heads a layer, all of the same width and so with the same number of
parameters. For those with 4 and 8 heads it names each head by a rule, switches each off, averages their
weights, and switches off head after head.
"""

from __future__ import annotations

import argparse
from collections import Counter
from functools import cache
from statistics import fmean

import torch

from attnbook.analysis import heads
from attnbook.data import first_phrasebook as phrasebook
from attnbook.data.corpora import tatoeba
from attnbook.data.first_phrasebook.relations import RELATIONS, relations
from attnbook.data.hidden_words import HiddenWords, probes
from attnbook.data.vocabulary import Vocabulary
from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least
from attnbook.nn import MaskedWordModel
from attnbook.training.fit import fit

ABOUT = "name the heads of a small model, switch them off, and compare 1 to 8 heads of equal width in all"

LENGTHS = (4, 14)
N_HEADS = (1, 2, 4, 8)
EXAMINED = (4, 8)
NAMES = ("previous word", "next word", "start marker", "last word", "same word", "rarest word")
# Forms that differ in number alone: the model has agreed if it finds the right one the likelier of the two.
NUMBER = (("is", "are"), ("was", "were"), ("isn't", "aren't"), ("wasn't", "weren't"), ("doesn't", "don't"))
UNTRAINED = 8  # models whose best head sets the bar for chance; as many again are held against it


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, sizes and steps; the models of all head counts get the same."""
    add = parser.add_argument
    add("--data", choices=("phrasebook", "tatoeba"), default="phrasebook", help="whose English")
    add("--d-model", type=int, default=48, metavar="D", help="numbers a word; 8 divides it (default 48)")
    add("--layers", type=int, default=2, metavar="N", help="layers of heads (default 2)")
    add("--steps", type=int, default=1200, metavar="N", help="training steps (default 1200)")
    add("--batch", type=int, default=48, metavar="N", help="sentences a step (default 48)")
    add("--learning-rate", type=float, default=0.005, metavar="R", help="Adam's highest (default 0.005)")
    add("--sentences", type=int, default=8000, metavar="N", help="phrasebook: to train on (default 8000)")
    add("--test-sentences", type=int, default=300, metavar="N", help="to measure on (default 300)")
    add("--vocabulary", type=int, default=2000, metavar="N", help="tatoeba: words kept (default 2000)")


def result_name(options: argparse.Namespace) -> str:
    """Stem of the results file."""
    return f"heads_{options.data}"


@cache
def corpus(
    data: str, sentences: int, test_sentences: int, most: int
) -> tuple[list[list[str]], list[list[str]], Vocabulary]:
    """English sentences to train and to test on, none in both, and their words."""
    if data == "phrasebook":
        drawn = [
            phrasebook.sample(n, seed, "small", LENGTHS, part)
            for n, seed, part in ((sentences, 0, "train"), (test_sentences, 1, "test"))
        ]
        train, test = ([pair.src for pair in pairs] for pairs in drawn)
        return train, test, heads.masked_vocabulary(phrasebook.vocabulary("small")[0])
    train = list(dict.fromkeys(tuple(pair.src) for pair in tatoeba.pairs("train", LENGTHS)))
    test = [pair.src for pair in tatoeba.pairs("test", LENGTHS)]
    every = max(1, len(test) // test_sentences)  # sorted by length in the file, so take every n-th
    known = Vocabulary.of(train, most).words[4:]
    return [list(words) for words in train], test[::every][:test_sentences], heads.masked_vocabulary(known)


def schedule(steps: int):
    """Up in 50 steps, level, and down to 0 over the last 60 %."""
    return lambda step: min((step + 1) / 50, 1.0, (steps - step) / (0.6 * steps))


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Train one model for each number of heads, and examine those of :data:`EXAMINED`.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "layers", "steps", "batch", "sentences", "test_sentences", "vocabulary")
    if options.d_model < 8 or options.d_model % 8:
        raise ValueError(
            f"--d-model: expected a multiple of 8, got {options.d_model}; 8 heads share it evenly"
        )
    if not options.learning_rate > 0:
        raise ValueError(f"--learning-rate: expected above 0, got {options.learning_rate}")
    train, test, vocabulary = corpus(
        options.data, options.sentences, options.test_sentences, options.vocabulary
    )
    probed = probes(test, vocabulary)
    numbers: dict[str, dict] = {"heads": {}}
    for n_heads in N_HEADS:
        set_seed(seed)
        model = MaskedWordModel(len(vocabulary), options.d_model, n_heads, options.layers, LENGTHS[1] + 1)
        fit(
            model,
            HiddenWords(train, vocabulary, options.batch, seed=seed),
            steps=options.steps,
            loss=heads.hidden_loss,
            learning_rate=options.learning_rate,
            schedule=schedule(options.steps),
            device=device,
            seed=seed,
            description=f"{n_heads} heads",
        )
        numbers["heads"][str(n_heads)] = {
            "loss": heads.loss(model, probed),
            "accuracy": heads.accuracy(model, probed),
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
        }
        if options.data == "phrasebook":
            numbers["heads"][str(n_heads)] |= {
                "agreement beside": agreement(model, test, vocabulary, far=False),
                "agreement apart": agreement(model, far_subjects(), vocabulary, far=True),
                "far subject": look_far(model, vocabulary),
            }
        if n_heads in EXAMINED:
            numbers[f"examined/{n_heads}"] = examine(model, train, test, vocabulary, seed, options.data)
    return numbers


def meanings(sentences, train, grammar: bool) -> list[heads.Roles]:
    """The roles of each sentence; with ``grammar`` also those of the phrasebook's relations."""
    frequency = Counter(word for sentence in train for word in sentence)
    return [heads.roles(words, frequency, relations(words) if grammar else None) for words in sentences]


def untrained(like: MaskedWordModel, seeds) -> list[MaskedWordModel]:
    """Models of the same sizes as they are before training."""
    found = []
    for seed in seeds:
        set_seed(seed)
        fresh = MaskedWordModel(
            like.embedding.num_embeddings,
            like.embedding.embedding_dim,
            like.layers[0].n_heads,
            len(like.layers),
            like.positions.max_length,
        )
        found.append(fresh)
    return found


def examine(model, train, test, vocabulary: Vocabulary, seed: int, data: str) -> dict:
    """Names with their bars and nulls, costs, averages, and the path of switching off one after another."""
    grammar = data == "phrasebook"
    names = [*NAMES, *(RELATIONS if grammar else ())]
    meant = meanings(test, train, grammar)
    probed = probes(test, vocabulary)
    mixed = [heads.shuffled(words, each, seed) for words, each in zip(test, meant, strict=True)]
    mixed_probes, mixed_meant = probes([words for words, _ in mixed], vocabulary), [each for _, each in mixed]

    goals = heads.targets(probed, meant, names)
    measured = heads.hits(model, probed, goals)
    in_disorder = heads.hits(model, mixed_probes, heads.targets(mixed_probes, mixed_meant, names))
    chance = [heads.hits(each, probed, goals) for each in untrained(model, range(100, 100 + UNTRAINED))]
    distances = {name: heads.best_distance(probed, meant, name) for name in names}
    bar = heads.bars(names, chance, {name: share for name, (_, share) in distances.items()})
    named = heads.name_heads(measured, bar)
    by_chance = [
        each.name != "no name"
        for fresh in untrained(model, range(200, 200 + UNTRAINED))
        for each in heads.name_heads(heads.hits(fresh, probed, goals), bar)
    ]

    means = heads.mean_outputs(model, probed)
    whole = heads.loss(model, probed)
    zero, mean = heads.costs(model, probed), heads.costs(model, probed, means)
    listed = [
        {
            "layer": each.layer,
            "head": each.head,
            "name": each.name,
            "closest": each.closest,
            "hits": each.hits,
            "bar": each.bar,
            "in disorder": float(in_disorder[each.closest][each.layer, each.head]),
            "cost zero": zero[each.layer, each.head],
            "cost mean": mean[each.layer, each.head],
        }
        for each in named
    ]
    everyone = {(each.layer, each.head) for each in named}
    few = probes(test[:80], vocabulary)
    path = heads.switch_off_greedily(model, few, means)
    return {
        "list": listed,
        "named": {name: sum(each.name == name for each in named) for name in [*names, "no name"]},
        "named by chance": sum(by_chance) / len(by_chance),
        "hits": {name: float(measured[name].max()) for name in names},
        "bar": bar,
        "distance": {name: {"words": d, "share": share} for name, (d, share) in distances.items()},
        "in disorder": {name: float(in_disorder[name].max()) for name in names},
        "cost": {
            "dearest": max(mean.values()),
            "cheapest": min(mean.values()),
            "zero less mean": fmean(zero[each] - mean[each] for each in everyone),
        }
        | {
            kind: fmean(of_kind)
            for kind, of_kind in (
                ("with a name", [mean[e.layer, e.head] for e in named if e.name != "no name"]),
                ("without", [mean[e.layer, e.head] for e in named if e.name == "no name"]),
            )
            if of_kind
        },
        "averaged": {
            f"layer {layer}": heads.loss(model, probed, heads.Change(averaged={layer})) - whole
            for layer in range(len(model.layers))
        }
        | {
            "all layers": heads.loss(model, probed, heads.Change(averaged=set(range(len(model.layers)))))
            - whole
        },
        "one head left": {
            f"layer {layer}": min(
                heads.loss(
                    model, probed, heads.Change({e for e in everyone if e[0] == layer} - {kept}, means)
                )
                for kept in everyone
                if kept[0] == layer
            )
            - whole
            for layer in range(len(model.layers))
        },
        "all off": heads.loss(model, probed, heads.Change(everyone, means)) - whole,
        "order": [list(each) for each, _ in path],
        "switched off": {"0": heads.loss(model, few)}
        | {str(count): lost for count, (_, lost) in enumerate(path, start=1)},
    }


@cache
def far_subjects(sentences: int = 2000) -> list[list[str]]:
    """Test sentences with a subject that does not stand right before its verb: "the dog of the man is …"."""
    drawn = [pair.src for pair in phrasebook.sample(sentences, 2, "small", (6, LENGTHS[1]), "test")]
    return [
        words
        for words in drawn
        if any(verb - subject > 1 for verb, subject in relations(words)["verb → subject"].items())
    ]


def apart(words: list[str]) -> heads.Roles:
    """The role "verb → subject" for verbs that do not stand right behind their subject."""
    pairs = relations(words)["verb → subject"].items()
    return {"verb → subject": {verb + 1: {subject + 1} for verb, subject in pairs if verb - subject > 1}}


def look_far(model: MaskedWordModel, vocabulary: Vocabulary) -> dict[str, float]:
    """How well the best head finds subjects that stand apart; one distance and untrained heads beside it."""
    sentences = far_subjects()
    probed, meant = probes(sentences, vocabulary), [apart(words) for words in sentences]
    goals = heads.targets(probed, meant, ["verb → subject"])
    chance = [heads.hits(each, probed, goals) for each in untrained(model, range(100, 100 + UNTRAINED))]
    return {
        "hits": float(heads.hits(model, probed, goals)["verb → subject"].max()),
        "one distance": heads.best_distance(probed, meant, "verb → subject")[1],
        "untrained": max(float(each["verb → subject"].max()) for each in chance),
        "places": sum(len(each["verb → subject"]) for each in meant),
    }


@torch.no_grad()
def agreement(
    model: MaskedWordModel, sentences: list[list[str]], vocabulary: Vocabulary, far: bool
) -> dict[str, float]:
    """How often the right number is likelier than the wrong, for hidden verbs such as "is" and "are".

    Parameters
    ----------
    far : bool
        Count the verbs that do not stand right behind their subject, or those that do.

    Returns
    -------
    dict
        "right" and "singular" (the share of verbs that are singular: what always saying so would reach), and
        the count, "verbs". After "I" and "you" verbs are left out.
    """
    singular = {pair[0] for pair in NUMBER}
    other = {form: twin for pair in NUMBER for form, twin in (pair, pair[::-1])}
    found = [relations(words)["verb → subject"] for words in sentences]
    device = next(model.parameters()).device
    model.eval()
    right = ones = total = 0
    for probe in probes(sentences, vocabulary):
        wanted = []
        for row, (i, place) in enumerate(zip(probe.sentence.tolist(), probe.place.tolist(), strict=True)):
            word, subject = sentences[i][place - 1], found[i].get(place - 1)
            fits = word in other and subject is not None and (place - 1 - subject > 1) == far
            if fits and sentences[i][subject] not in ("I", "you"):
                wanted.append((row, word))
        if not wanted:
            continue
        rows = torch.tensor([row for row, _ in wanted])
        logits, _ = model(probe.tokens[rows].to(device))
        logits = logits[torch.arange(len(rows)), probe.place[rows]].cpu()  # (verbs, vocab)
        for line, (_, word) in enumerate(wanted):
            yes, no = vocabulary.numbers[word], vocabulary.numbers[other[word]]
            right += int(logits[line, yes] > logits[line, no])
            ones += word in singular
        total += len(wanted)
    return {"right": right / total, "singular": ones / total, "verbs": total}
