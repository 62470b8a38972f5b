"""Does a translator know what *it* is, where does it look, and what does the answer hang on? Over seeds.

``attnbook run pronouns`` trains the transformer of chapter 10 on the phrasebook and asks it for *il* or
*elle* in pairs of sentences that differ in one adjective alone. Then it measures, for every head, the weight
on a noun when it is meant and when it is not, cuts edges, switches heads off, and gives the decoder rows of
the memory, or French words, of another sentence.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from functools import cache, partial
from itertools import product
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from attnbook import nn
from attnbook.analysis import pronouns
from attnbook.analysis.pronouns import (
    WORDS,
    Case,
    Cut,
    Family,
    families,
    leads,
    looks,
    moves,
    patched,
    prefers,
)
from attnbook.data import phrasebook
from attnbook.data.vocabulary import Batches, Vocabulary, collate
from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least
from attnbook.experiments.transformer import ADAM
from attnbook.extras import needs
from attnbook.training.fit import fit, translation_loss
from attnbook.training.schedules import warmup_linear
from attnbook.translation.search import translate

ABOUT = "what “it” stands for: il or elle, where the heads look, and what happens when an edge is cut"
UNTRAINED = 8  # models that set the bar for chance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sizes and steps; the defaults are those of the chapters."""
    add = parser.add_argument
    add("--pairs", type=int, default=304, metavar="N", help="test pairs, a multiple of 8 (default 304)")
    add("--few-pairs", type=int, default=96, metavar="N", help="for each head and edge (default 96)")
    add("--train-pairs", type=int, default=20_000, metavar="N", help="sentence pairs (default 20000)")
    add("--d-model", type=int, default=96, metavar="D", help="size of a word (default 96)")
    add("--heads", type=int, default=4, metavar="N", help="heads a layer (default 4)")
    add("--layers", type=int, default=2, metavar="N", help="layers each side (default 2)")
    add("--d-ff", type=int, default=192, metavar="D", help="inner size (default 192)")
    add("--dropout", type=float, default=0.0, metavar="P", help="default 0")
    add("--norm", choices=("post", "pre"), default="pre", help="default pre")
    add("--learning-rate", type=float, default=0.002, metavar="R", help="the highest (default 0.002)")
    add("--warmup", type=int, default=100, metavar="N", help="steps up (default 100)")
    add("--smoothing", type=float, default=0.1, metavar="P", help="of labels (default 0.1)")
    add("--batch-size", type=int, default=64, metavar="N", help="sentences a step (default 64)")
    add("--steps", type=int, default=1500, metavar="N", help="default 1500")


@cache
def corpus(n: int) -> tuple[list, Vocabulary, Vocabulary]:
    """Training pairs and the two vocabularies."""
    src, tgt = (Vocabulary(words) for words in phrasebook.vocabulary("small"))
    return phrasebook.sample(n, 0, "small", (2, 20), "train"), src, tgt


def transformer(options: argparse.Namespace, seed: int) -> nn.Transformer:
    """As it is before training."""
    _, src, tgt = corpus(options.train_pairs)
    set_seed(seed)
    return nn.Transformer(
        len(src), len(tgt), options.d_model, options.heads, options.layers, options.d_ff,
        dropout=options.dropout, norm=options.norm,
    )  # fmt: skip


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict:
    """Train with this seed; all seeds are asked about the same sentences.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "train_pairs", "batch_size", "steps", "warmup", "layers")
    for name in ("pairs", "few_pairs"):
        if getattr(options, name) < 8 or getattr(options, name) % 8:
            raise ValueError(
                f"--{name.replace('_', '-')}: expected a multiple of 8, got {getattr(options, name)}"
            )
    if not options.learning_rate > 0:
        raise ValueError(f"--learning-rate: expected above 0, got {options.learning_rate}")
    train, src, tgt = corpus(options.train_pairs)
    asked = families(options.pairs, 0)
    pairs = [family.pair for family in asked]
    cases = [pair[side] for side in (0, 1) for pair in pairs]  # all "too tired", then all "too wide"

    model = transformer(options, seed)
    history = fit(
        model, Batches(train, src, tgt, options.batch_size, seed=seed), steps=options.steps,
        loss=partial(translation_loss, smoothing=options.smoothing),
        optimiser=ADAM, learning_rate=options.learning_rate,
        schedule=warmup_linear(options.warmup, options.steps, hold=0.5),
        seed=seed, device=device, description="transformer",
    )  # fmt: skip
    untrained = [transformer(options, 1000 + each).to(device) for each in range(UNTRAINED)]
    return {
        "sentences": len(cases),
        "baselines": pronouns.baselines(cases),
        "training loss": fmean(history.losses[-50:]),
        "transformer": answers(model, cases, src, tgt),
        "looks": where(model, untrained, cases, src, tgt),
        "cut": cut_everywhere(model, cases, src, tgt),
        "patched": exchange(model, asked, src, tgt),
        "probe": probe(model, untrained[0], pairs, src, tgt),
        "weight and effect": compare(model, pairs[: options.few_pairs], src, tgt),
    }


def answers(model, cases: Sequence[Case], src: Vocabulary, tgt: Vocabulary) -> dict:
    """How often the right pronoun is the likelier one, also by kind, and how often it is written."""
    right = leads(model, cases, src, tgt) > 0
    n = len(cases) // 2
    written = 0
    for case, (words, _) in zip(
        cases, translate(model, [case.pair.src for case in cases], src, tgt), strict=True
    ):
        after = words[words.index("parce") + 2 :] if "parce" in words else []
        written += bool(after) and after[0] == case.right
    kinds = {
        f"{'subject' if subject else 'object'}, {pronoun}": float(
            right[[case.subject == subject and case.right == pronoun for case in cases]].float().mean()
        )
        for subject, pronoun in product((True, False), pronouns.PRONOUNS)
    }
    return {
        "right": float(right.float().mean()),
        "both of a pair": float((right[:n] & right[n:]).float().mean()),
        "written": written / len(cases),
        "by kind": kinds,
    }


def fixed_distance(cases: Sequence[Case]) -> float:
    """How often the best single distance from *it* is the referent."""
    distances = [case.referent - case.it for case in cases]
    return max(map(distances.count, set(distances))) / len(cases)


def where(model, untrained, cases: Sequence[Case], src: Vocabulary, tgt: Vocabulary) -> dict:
    """The mean weight on each noun when it is meant and when it is not, by layer and head.

    Beside the difference stands its standard error over the pairs, and in untrained models the largest one.
    """
    numbers: dict = {"fixed distance from it": fixed_distance(cases)}
    n = len(cases) // 2
    few = [*cases[:n][:100], *cases[n:][:100]]
    for part, query, name in (
        ("encoder", "it", "it"),
        ("encoder", "adjective", "adjective"),
        ("cross", "place", "pronoun"),
        ("decoder", "place", "pronoun, own words"),
    ):
        look = looks(model, cases, src, tgt, part, query)
        liking = prefers(look)
        found = moves(look)
        chance = [
            (meant - not_meant).mean(dim=0).abs().max()
            for other in untrained
            for meant, not_meant in moves(looks(other, few, src, tgt, part, query)).values()
        ]
        numbers[f"from {name}"] = {
            _head(part, layer, head): {
                **{f"to {word}": float(look[word][:, layer, head].mean()) for word in WORDS if word in look},
                **{
                    noun: {
                        "meant": float(meant[:, layer, head].mean()),
                        "not meant": float(not_meant[:, layer, head].mean()),
                        "standard error": float(
                            (meant - not_meant)[:, layer, head].std() / math.sqrt(len(meant))
                        ),
                    }
                    for noun, (meant, not_meant) in found.items()
                },
                "prefers the referent": float(liking[layer, head]),
            }
            for layer, head in product(*map(range, liking.shape))
        } | {"largest difference, untrained": float(max(chance))}
    return numbers


def _head(part: str, layer: int, head: int) -> str:
    """Counted from 1, as the book's pictures do."""
    return f"{part} {layer + 1}.{head + 1}"


def change(before: Tensor, after: Tensor, cases: Sequence[Case]) -> dict[str, float]:
    """Share of right answers that became wrong, in all and by kind, of how many, and how far the lead fell
    (logits).
    """
    right = before > 0
    found = {"lead lost": float((before - after).mean()), "of": int(right.sum())}
    subject = torch.tensor([case.subject for case in cases])
    for name, kind in (("flipped", right), ("flipped, too tired", subject), ("flipped, too wide", ~subject)):
        asked = right & kind
        found[name] = float((after[asked] <= 0).float().mean()) if asked.any() else float("nan")
    return found


def cut_everywhere(model, cases: Sequence[Case], src: Vocabulary, tgt: Vocabulary) -> dict:
    """What cutting each edge in all heads and layers does, and switching off each head."""
    before = leads(model, cases, src, tgt)
    everything: dict[str, list[Cut]] = {}
    for query in ("it", "adjective"):
        for key in WORDS:
            if key != query:
                everything[f"encoder {query} to {key}"] = [Cut("encoder", query, key)]
    everything["encoder it and adjective to both nouns"] = [
        Cut("encoder", query, key) for query in ("it", "adjective") for key in ("referent", "other")
    ]
    for key in WORDS:
        everything[f"cross pronoun to {key}"] = [Cut("cross", "place", key)]
    for key, name in (("referent_said", "referent"), ("other_said", "other")):
        everything[f"decoder pronoun to {name}"] = [Cut("decoder", "place", key)]
    everything["pronoun to referent, both languages"] = [
        Cut("cross", "place", "referent"), Cut("decoder", "place", "referent_said")
    ]  # fmt: skip
    found = {
        "edge": {
            name: change(before, leads(model, cases, src, tgt, cuts), cases)
            for name, cuts in everything.items()
        }
    }
    n_heads = model.encoder[0].attention.n_heads
    found["head"] = {
        _head(part, layer, head): change(
            before, leads(model, cases, src, tgt, [Cut(part, layer=layer, head=head)]), cases
        )
        for part in ("encoder", "decoder", "cross")
        for layer in range(len(model.encoder))
        for head in range(n_heads)
    }
    return found


def exchange(model, asked: Sequence[Family], src: Vocabulary, tgt: Vocabulary) -> dict:
    """What happens when rows of the memory, or the French so far, come from another sentence.

    The other sentence has another adjective, which makes the other noun the one that is meant; or a noun of
    the other gender in place of the one that is meant; or in place of the one that is not, which should
    change nothing.
    """
    cases = [family.pair[side] for side in (0, 1) for family in asked]
    before = leads(model, cases, src, tgt)
    given = {
        "adjective": [family.pair[1 - side] for side in (0, 1) for family in asked],
        "noun meant": [family.with_other("meant")[side] for side in (0, 1) for family in asked],
        "noun not meant": [family.with_other("not meant")[side] for side in (0, 1) for family in asked],
    }
    rest = {"adjective": "adjective", "noun meant": "referent", "noun not meant": "other"}
    rows: dict[str, tuple[str, ...] | None] = {word: (word,) for word in WORDS} | {"every word": None}
    found: dict = {}
    for name, donors in given.items():
        found[name] = {
            row: change(before, patched(model, cases, donors, src, tgt, words), cases)
            for row, words in rows.items()
        }
        others = tuple(word for word in WORDS if word != rest[name])
        found[name]["all these but the changed word"] = change(
            before, patched(model, cases, donors, src, tgt, others), cases
        )
        found[name]["the French so far"] = change(
            before, patched(model, cases, donors, src, tgt, written=True), cases
        )
        found[name]["changed word and the French so far"] = change(
            before, patched(model, cases, donors, src, tgt, (rest[name],), written=True), cases
        )
    return found


def probe(model, untrained, pairs, src: Vocabulary, tgt: Vocabulary) -> dict[str, float]:
    """How often a logistic regression reads off the memory of *it* whether it is the animal.

    Fitted on the first two thirds of the pairs, counted on the rest; beside it the same of a model as it is
    before training, whose memories are a blind mixture of the words.
    """
    with needs("experiments"):
        from sklearn.linear_model import LogisticRegression
        from sklearn.preprocessing import StandardScaler

    @torch.no_grad()
    def memories(reader) -> np.ndarray:
        device = next(reader.parameters()).device
        reader.eval()
        rows = []
        for pair in pairs:
            for case in pair:
                batch = collate([case.pair], src, tgt).to(device)
                memory, _ = reader.encode(batch.src, batch.src_mask)
                rows.append(memory[0, case.it].cpu().numpy())
        return np.stack(rows)

    wanted = np.array([case.subject for pair in pairs for case in pair])
    end = 2 * (2 * len(pairs) // 3)
    found = {}
    for name, reader in (("it", model), ("it, untrained", untrained)):
        x = memories(reader)
        scale = StandardScaler().fit(x[:end])
        line = LogisticRegression(max_iter=1000).fit(scale.transform(x[:end]), wanted[:end])
        found[name] = float(line.score(scale.transform(x[end:]), wanted[end:]))
    return found


def compare(model, pairs, src: Vocabulary, tgt: Vocabulary) -> dict:
    """Rank correlation of an edge's mean weight and of what cutting it in that head alone costs."""
    with needs("experiments"):
        from scipy.stats import spearmanr

    cases = [pair[side] for side in (0, 1) for pair in pairs]
    before = leads(model, cases, src, tgt)
    found = {}
    for part, query, name in (("encoder", "it", "from it"), ("cross", "place", "from the pronoun")):
        look = looks(model, cases, src, tgt, part, query)
        layers, n_heads = look["it"].shape[1:]
        weights, losses = [], []
        for layer, head, word in product(range(layers), range(n_heads), WORDS):
            after = leads(model, cases, src, tgt, [Cut(part, query, word, layer, head)])
            weights.append(float(look[word][:, layer, head].mean()))
            losses.append(float((before - after).abs().mean()))
        heaviest = max(range(len(weights)), key=weights.__getitem__)
        found[name] = {
            "rank correlation": float(spearmanr(weights, losses).statistic),
            "edges": len(weights),
            "heaviest edge": {"weight": weights[heaviest], "moves the lead by": losses[heaviest]},
            "edge that moves the lead most": {
                "weight": weights[losses.index(max(losses))], "moves the lead by": max(losses)
            },
            "mean of all": fmean(losses),
        }  # fmt: skip
    return found
