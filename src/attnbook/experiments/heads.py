"""What heads do, what each is worth, and what more of them buy at equal width, over seeds.

``attnbook run heads --data phrasebook`` trains a model that names hidden words (two layers of heads and
nothing besides) with 1, 2, 4 and 8 heads a layer, all of the same width and so with the same number of
parameters; of several learning rates each number of heads gets the one with the lowest validation loss on
seed 0. Those with 4 and 8 heads are examined: each head is named by a rule, switched off, averaged with its
neighbours, and switched off one after another. With ``--ship`` the model with 4 heads is stored.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from attnbook.analysis import heads, heads_agreement
from attnbook.data import phrasebook
from attnbook.data.corpora import tatoeba
from attnbook.data.hidden_words import HiddenWords, probes
from attnbook.data.phrasebook.relations import RELATIONS, relations
from attnbook.data.vocabulary import Vocabulary
from attnbook.devices import seed as set_seed
from attnbook.experiments.kept_trials import SEARCH_SEED, best_rate
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.experiments.shipping import Trained
from attnbook.nn import MaskedWordModel
from attnbook.training.fit import fit

ABOUT = "name the heads of a small model, switch them off, and compare 1 to 8 heads of equal width in all"

LENGTHS = (4, 14)
N_HEADS = (1, 2, 4, 8)
EXAMINED = (4, 8)
NAMES = ("previous word", "next word", "start marker", "last word", "same word", "rarest word")
UNTRAINED = 4  # models whose best head sets the bar for chance; as many again are held against it
FAR = "verb → subject"
DRAWN = 3000  # test sentences in which far subjects are looked for
FAR_FILE = Path(phrasebook.__file__).parents[1] / "far_subjects.txt"  # made by tools/far_subjects.py
# Models of this process by rate, seed, head count and options: the one that ships was trained for the
# results, and a trial of the search for a rate is also a run of its seed.
_FITTED: dict[tuple, tuple[MaskedWordModel, list[float]]] = {}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Data, sizes and steps; the models of all head counts get the same."""
    add = parser.add_argument
    add("--data", choices=("phrasebook", "tatoeba"), default="phrasebook", help="whose English")
    add("--heads", type=int, nargs="+", choices=N_HEADS, default=list(N_HEADS), help="heads a layer")
    add("--examine", type=int, nargs="*", choices=EXAMINED, default=list(EXAMINED),
        help="numbers of heads whose models are examined; none after the option: no model")  # fmt: skip
    add("--d-model", type=int, default=48, metavar="D", help="numbers a word; 8 divides it (default 48)")
    add("--layers", type=int, default=2, metavar="N", help="layers of heads (default 2)")
    add("--steps", type=int, default=1200, metavar="N", help="training steps (default 1200)")
    add("--batch", type=int, default=48, metavar="N", help="sentences a step (default 48)")
    add("--learning-rates", type=float, nargs="+", default=[0.005], metavar="R",
        help="Adam's highest, tried on seed 0; the lowest validation loss wins (default .005)")  # fmt: skip
    add("--sentences", type=int, default=5000, metavar="N", help="phrasebook: to train on (default 5000)")
    add("--test-sentences", type=int, default=150, metavar="N", help="to measure on (default 150)")
    add("--apart", type=int, default=DRAWN, metavar="N", help="phrasebook: to look for far subjects in")
    add("--vocabulary", type=int, default=2000, metavar="N", help="tatoeba: words kept (default 2000)")


def result_name(options: argparse.Namespace) -> str:
    """Stem of the results file: not all head counts are named in it."""
    some = "" if options.heads == list(N_HEADS) else "_" + "-".join(map(str, options.heads))
    return f"heads_{options.data}{some}"


@cache
def corpus(
    data: str, sentences: int, test_sentences: int, most: int
) -> tuple[list[list[str]], list[list[str]], Vocabulary]:
    """English sentences to train and to test on, none in both, and their words."""
    if data == "phrasebook":
        train = [pair.src for pair in phrasebook.sample(sentences, 0, "small", LENGTHS, "train")]
        words = phrasebook.vocabulary("small")[0]
        return train, held_out(test_sentences), heads.masked_vocabulary(words)
    train = list(dict.fromkeys(tuple(pair.src) for pair in tatoeba.pairs("train", LENGTHS)))
    test = [pair.src for pair in tatoeba.pairs("test", LENGTHS)]
    every = max(1, len(test) // test_sentences)  # sorted by length in the file, so take every n-th
    known = Vocabulary.of(train, most).words[4:]
    return [list(words) for words in train], test[::every][:test_sentences], heads.masked_vocabulary(known)


@cache
def held_out(n: int = 150) -> list[list[str]]:
    """Sentences of the phrasebook's test part; none of them is trained on."""
    return [pair.src for pair in phrasebook.sample(n, 1, "small", LENGTHS, "test")]


@cache
def far_subjects(sentences: int = DRAWN) -> list[list[str]]:
    """Of so many other test sentences those with something between a subject and its verb: "the dog of the
    man is …". Those of :data:`DRAWN` are kept in a file, since drawing them takes longer than all that is
    asked of them.
    """
    if sentences == DRAWN:
        return [line.split() for line in FAR_FILE.read_text(encoding="utf-8").splitlines()]
    return drawn_far_subjects(sentences)


def drawn_far_subjects(sentences: int) -> list[list[str]]:
    """The same, drawn now: for 3,000 the grammar makes twenty times as many, since one in twenty is a test
    sentence.
    """
    drawn = [pair.src for pair in phrasebook.sample(sentences, 2, "small", (6, LENGTHS[1]), "test")]
    return [words for words in drawn if apart(words)[FAR]]


def apart(words: list[str]) -> heads.Roles:
    """The role "verb → subject" for verbs with something between their subject and them."""
    pairs = relations(words)[FAR].items()
    return {FAR: {verb + 1: {subject + 1} for verb, subject in pairs if verb - subject > 1}}


@cache
def validation(data: str, n: int) -> list[list[str]]:
    """Sentences that are neither trained nor tested on, by which a learning rate is chosen."""
    if data == "phrasebook":
        return [pair.src for pair in phrasebook.sample(n, 1, "small", LENGTHS, "validation")]
    pairs = tatoeba.pairs("validation", LENGTHS)
    return [pair.src for pair in pairs[:: max(1, len(pairs) // n)]][:n]


def schedule(steps: int):
    """Up in 50 steps, level, and down to 0 over the last 60 %."""
    return lambda step: min((step + 1) / 50, 1.0, (steps - step) / (0.6 * steps))


def fitted(
    options: argparse.Namespace, seed: int, n_heads: int, device: torch.device, rate: float
) -> tuple[MaskedWordModel, list[float]]:
    """A model trained as the options say at this learning rate, and its losses."""
    told = sorted((name, str(value)) for name, value in vars(options).items())
    key = (rate, seed, n_heads, device, *told)
    if key in _FITTED:
        return _FITTED[key]
    train, _, vocabulary = corpus(options.data, options.sentences, options.test_sentences, options.vocabulary)
    set_seed(seed)
    model = MaskedWordModel(len(vocabulary), options.d_model, n_heads, options.layers, LENGTHS[1] + 1)
    history = fit(
        model,
        HiddenWords(train, vocabulary, options.batch, seed=seed),
        steps=options.steps,
        loss=heads.hidden_loss,
        learning_rate=rate,
        schedule=schedule(options.steps),
        device=device,
        seed=seed,
        description=f"{n_heads} heads",
    )
    _FITTED[key] = model.eval(), history.losses
    return _FITTED[key]


def own_rate(
    options: argparse.Namespace, n_heads: int, device: torch.device
) -> tuple[float, list[list[float]]]:
    """The learning rate with the lowest validation loss on seed 0, and [rate, loss] of all that were tried;
    where only one is given, that one, untried.
    """
    if len(options.learning_rates) == 1:
        return options.learning_rates[0], []
    *_, vocabulary = corpus(options.data, options.sentences, options.test_sentences, options.vocabulary)
    probed = probes(validation(options.data, options.test_sentences), vocabulary)
    return best_rate(
        {
            rate: heads.loss(fitted(options, SEARCH_SEED, n_heads, device, rate)[0], probed)
            for rate in options.learning_rates
        }
    )


def checked(options: argparse.Namespace) -> None:
    """Raise ValueError if a number is out of range."""
    at_least(options, 1, "layers", "steps", "batch", "sentences", "test_sentences", "apart", "vocabulary")
    if options.d_model < 8 or options.d_model % 8:
        raise ValueError(
            f"--d-model: expected a multiple of 8, got {options.d_model}; 8 heads share it evenly"
        )
    learning_rates_above_zero(options.learning_rates)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Train one model for each number of heads, and examine those of ``--examine``.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    checked(options)
    train, test, vocabulary = corpus(
        options.data, options.sentences, options.test_sentences, options.vocabulary
    )
    probed = probes(test, vocabulary)
    numbers: dict[str, dict] = {"heads": {}}
    for n_heads in options.heads:
        rate, tried = own_rate(options, n_heads, device)
        model, losses = fitted(options, seed, n_heads, device, rate)
        tenth = max(1, len(losses) // 10)
        found: dict[str, Any] = {
            "loss": heads.loss(model, probed),
            "accuracy": heads.accuracy(model, probed),
            "hidden words": sum(len(probe.place) for probe in probed),
            "parameters": sum(parameter.numel() for parameter in model.parameters()),
            "rate": rate,
            "rates tried": tried,
            "training loss, each tenth": [
                fmean(losses[start : start + tenth]) for start in range(0, len(losses), tenth)
            ],
        }
        if options.data == "phrasebook":
            far = far_subjects(options.apart)
            found |= {
                "agreement": agreements(model, test, far, vocabulary),
                "far subject": look_far(model, far, vocabulary),
            }
        numbers["heads"][str(n_heads)] = found
        if n_heads in options.examine:
            numbers[f"examined/{n_heads}"] = examine(model, train, test, vocabulary, options)
    return numbers


def trained(options: argparse.Namespace, seed: int, device: torch.device) -> Trained:
    """The model with 4 heads a layer of this seed, to ship."""
    checked(options)
    model, _ = fitted(options, seed, 4, device, own_rate(options, 4, device)[0])
    _, test, vocabulary = corpus(options.data, options.sentences, options.test_sentences, options.vocabulary)
    configuration = {
        "d_model": options.d_model,
        "n_heads": 4,
        "n_layers": options.layers,
        "max_length": LENGTHS[1] + 1,
    }

    def measure() -> dict[str, Any]:
        probed = probes(test, vocabulary)
        return {"loss": heads.loss(model, probed), "accuracy": heads.accuracy(model, probed)}

    room = {"loss": 0.15, "accuracy": -0.05}
    return Trained("masked_words", configuration, model, measure, room, {"words": vocabulary})


def agreements(
    model: MaskedWordModel, test: list[list[str]], far: list[list[str]], vocabulary: Vocabulary
) -> dict[str, dict]:
    """The share of verbs with the right number, and of how many: beside their subject, and misled by a noun
    between. Equally many verbs for one and for many in each, so guessing gives one half.
    """
    kinds = {
        "beside": [verb for verb in heads_agreement.verbs(test) if verb.nearest is None],
        "misled": [verb for verb in heads_agreement.verbs(far) if verb.misled],
    }
    found = {}
    for kind, all_verbs in kinds.items():
        chosen = heads_agreement.balanced(all_verbs)
        right = heads_agreement.agreement(model, chosen, vocabulary) if chosen else 0.0
        found[kind] = {"right": right, "verbs": len(chosen)}
    return found


def untrained(like: MaskedWordModel, seeds: Iterable[int]) -> list[MaskedWordModel]:
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


def look_far(model: MaskedWordModel, far: list[list[str]], vocabulary: Vocabulary) -> dict[str, Any]:
    """How often each head's largest weight falls on a subject that stands apart, asked from the hidden verb;
    one distance and untrained heads beside it.
    """
    probed, meant = probes(far, vocabulary), [apart(words) for words in far]
    goals = heads.targets(probed, meant, [FAR])
    measured = heads.hits(model, probed, goals)[FAR]
    chance = [heads.hits(each, probed, goals)[FAR] for each in untrained(model, range(100, 100 + UNTRAINED))]
    distance, share = heads.best_distance(probed, meant, FAR)
    return {
        "of each head": measured.tolist(),
        "hits": float(measured.max()),
        "one distance": share,
        "words": distance,
        "untrained": max(float(each.max()) for each in chance),
        "places": heads.places(goals)[FAR],
    }


def examine(
    model: MaskedWordModel,
    train: list[list[str]],
    test: list[list[str]],
    vocabulary: Vocabulary,
    options: argparse.Namespace,
) -> dict[str, Any]:
    """Names with their bars, asked from hidden and from visible words; what each head is worth; what is left
    of the model when heads are averaged, or switched off one after another.
    """
    grammar = options.data == "phrasebook"
    names = [*NAMES, *(RELATIONS if grammar else ())]
    frequency = Counter(word for sentence in train for word in sentence)
    meant = [heads.roles(words, frequency, relations(words) if grammar else None) for words in test]
    probed = probes(test, vocabulary)
    goals = heads.targets(probed, meant, names)
    n = heads.places(goals)
    distances = {name: heads.best_distance(probed, meant, name) for name in names}
    reach = {name: share for name, (_, share) in distances.items()}

    def by_rule(visible: bool) -> tuple[Mapping, Mapping, list[heads.HeadName], float]:
        measured = heads.hits(model, probed, goals, visible)
        fresh = untrained(model, range(100, 100 + 2 * UNTRAINED))
        chance = [heads.hits(each, probed, goals, visible) for each in fresh]
        bar = heads.bars(names, chance[:UNTRAINED], reach)
        nameless = [
            each.name == "no name" for held in chance[UNTRAINED:] for each in heads.name_heads(held, bar, n)
        ]
        return measured, bar, heads.name_heads(measured, bar, n), 1 - sum(nameless) / len(nameless)

    measured, bar, named, by_chance = by_rule(visible=False)
    seen, seen_bar, seen_named, _ = by_rule(visible=True)
    return {
        "places": n,
        "hits": {name: float(measured[name].max()) for name in names},
        "hits, visible": {name: [float(layer.max()) for layer in seen[name]] for name in names},
        "bar": bar,
        "bar, visible": seen_bar,
        "distance": {name: {"words": d, "share": share} for name, (d, share) in distances.items()},
        "named": {name: sum(each.name == name for each in named) for name in [*names, "no name"]},
        "named, visible, layer 1": {
            name: sum(each.name == name and each.layer == 0 for each in seen_named)
            for name in [*names, "no name"]
        },
        "named by chance": by_chance,
        **worth(model, test, vocabulary, named),
    }


def worth(
    model: MaskedWordModel, test: list[list[str]], vocabulary: Vocabulary, named: list[heads.HeadName]
) -> dict[str, Any]:
    """What the loss says without single heads, without the cheapest together, and with averaged weights."""
    probed = probes(test, vocabulary)
    means = heads.mean_outputs(model, probed)
    whole = heads.loss(model, probed)
    zero, mean = heads.costs(model, probed), heads.costs(model, probed, means)
    everyone = sorted(mean, key=lambda where: mean[where])
    cheapest = everyone[: 3 * len(everyone) // 4]
    few = probes(test[:60], vocabulary)
    path = heads.switch_off_greedily(model, few, means)

    def without(off: set[tuple[int, int]]) -> float:
        return heads.loss(model, probed, heads.Change(off, means)) - whole

    def averaged(layers: set[int]) -> float:
        return heads.loss(model, probed, heads.Change(averaged=layers)) - whole

    layers = range(len(model.layers))
    marker = heads.weight_on_start(model, probed)
    return {
        "list": [
            {
                "layer": each.layer,
                "head": each.head,
                "name": each.name,
                "closest": each.closest,
                "hits": each.hits,
                "low": each.low,
                "bar": each.bar,
                "cost zero": zero[each.layer, each.head],
                "cost mean": mean[each.layer, each.head],
                "weight on the start marker": float(marker[each.layer, each.head]),
            }
            for each in named
        ],
        "cost": {
            "largest": max(mean.values()),
            "smallest": min(mean.values()),
            "zero less mean": fmean(zero[each] - mean[each] for each in everyone),
        },
        "cheapest": {
            "heads": len(cheapest),
            "one at a time": sum(mean[each] for each in cheapest),
            "together": without(set(cheapest)),
        },
        "averaged": {f"layer {layer}": averaged({layer}) for layer in layers}
        | {"all layers": averaged(set(layers))},
        "one head left": {
            f"layer {layer}": min(
                without({e for e in everyone if e[0] == layer} - {kept})
                for kept in everyone
                if kept[0] == layer
            )
            for layer in layers
        },
        "all off": without(set(everyone)),
        "order": [list(each) for each, _ in path],
        "switched off": {"0": heads.loss(model, few)}
        | {str(count): lost for count, (_, lost) in enumerate(path, start=1)},
    }
