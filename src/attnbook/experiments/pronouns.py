"""Does a translator know what *it* is, where does it look, and what does the answer hang on? Over seeds.

``attnbook run pronouns`` trains the transformer of chapter 10 and the recurrent translator of chapter 4 on
the phrasebook, and asks both for *il* or *elle* in pairs of sentences that differ in one adjective alone. In
the transformer it then measures where *it* and its adjective look, cuts edges, switches heads off, and puts
the partner sentence's memory in the place of a word's own.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import cache, partial
from itertools import product
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

from attnbook import nn
from attnbook.analysis import pronouns
from attnbook.analysis.pronouns import WORDS, Case, Cut, leads, looks, minimal_pairs, patched, prefers
from attnbook.data import first_phrasebook as phrasebook
from attnbook.data.vocabulary import Batches, Vocabulary, collate
from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least
from attnbook.experiments.transformer import ADAM
from attnbook.extras import needs
from attnbook.training.fit import fit, translation_loss
from attnbook.training.schedules import warmup_linear
from attnbook.translation.search import translate

ABOUT = "what “it” stands for: il or elle, where the heads look, and what happens when an edge is cut"
UNTRAINED = 8  # models whose best head sets the bar for chance


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sizes and steps; the defaults are those of the chapters."""
    add = parser.add_argument
    add("--pairs", type=int, default=304, metavar="N", help="test pairs, a multiple of 8 (default 304)")
    add("--few-pairs", type=int, default=96, metavar="N", help="for each head and edge (default 96)")
    add("--train-pairs", type=int, default=20_000, metavar="N", help="sentence pairs (default 20000)")
    add("--d-model", type=int, default=96, metavar="D", help="transformer: size of a word (default 96)")
    add("--heads", type=int, default=4, metavar="N", help="transformer: heads a layer (default 4)")
    add("--layers", type=int, default=2, metavar="N", help="transformer: layers each side (default 2)")
    add("--d-ff", type=int, default=192, metavar="D", help="transformer: inner size (default 192)")
    add("--dropout", type=float, default=0.0, metavar="P", help="transformer (default 0)")
    add("--norm", choices=("post", "pre"), default="pre", help="transformer (default pre)")
    add("--learning-rate", type=float, default=0.003, metavar="R", help="transformer (default 0.003)")
    add("--warmup", type=int, default=100, metavar="N", help="transformer: steps up (default 100)")
    add("--smoothing", type=float, default=0.1, metavar="P", help="transformer: of labels (default 0.1)")
    add("--batch-size", type=int, default=48, metavar="N", help="transformer: sentences a step (default 48)")
    add("--steps", type=int, default=900, metavar="N", help="transformer (default 900)")
    add("--recurrent-steps", type=int, default=1000, metavar="N", help="recurrent (default 1000)")


@cache
def corpus(n: int) -> tuple[list, Vocabulary, Vocabulary]:
    """Training pairs and the two vocabularies."""
    src, tgt = (Vocabulary(words) for words in phrasebook.vocabulary("small"))
    return phrasebook.sample(n, 0, "small", (5, 20), "train"), src, tgt


def transformer(options: argparse.Namespace, seed: int) -> nn.Transformer:
    """As it is before training."""
    _, src, tgt = corpus(options.train_pairs)
    set_seed(seed)
    return nn.Transformer(
        len(src), len(tgt), options.d_model, options.heads, options.layers, options.d_ff,
        dropout=options.dropout, norm=options.norm,
    )  # fmt: skip


def recurrent(options: argparse.Namespace, seed: int) -> nn.Seq2Seq:
    """Chapter 4's translator before training: GRUs, additive attention."""
    _, src, tgt = corpus(options.train_pairs)
    set_seed(seed)
    encoder = nn.GRUEncoder(len(src), 128, 128, bidirectional=True)
    score = nn.AdditiveScore(128, encoder.d_memory, 128)
    return nn.Seq2Seq(encoder, nn.GRUDecoder(len(tgt), 128, 128, encoder.d_memory, score))


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict:
    """Train both models with this seed; all are asked about the same sentences.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "train_pairs", "batch_size", "steps", "recurrent_steps", "warmup", "layers")
    for name in ("pairs", "few_pairs"):
        if getattr(options, name) < 8 or getattr(options, name) % 8:
            raise ValueError(
                f"--{name.replace('_', '-')}: expected a multiple of 8, got {getattr(options, name)}"
            )
    if not options.learning_rate > 0:
        raise ValueError(f"--learning-rate: expected above 0, got {options.learning_rate}")
    train, src, tgt = corpus(options.train_pairs)
    pairs = minimal_pairs(options.pairs, 0)
    cases = [pair[side] for side in (0, 1) for pair in pairs]  # all "too tired", then all "too wide"
    numbers: dict = {"sentences": len(cases), "baselines": pronouns.baselines(cases)}

    model = transformer(options, seed)
    fit(
        model, Batches(train, src, tgt, options.batch_size, seed=seed), steps=options.steps,
        loss=partial(translation_loss, smoothing=options.smoothing),
        optimiser=ADAM, learning_rate=options.learning_rate,
        schedule=warmup_linear(options.warmup, options.steps, hold=0.5),
        seed=seed, device=device, description="transformer",
    )  # fmt: skip
    numbers["transformer"] = answers(model, cases, src, tgt)
    reader = recurrent(options, seed)
    fit(
        reader, Batches(train, src, tgt, 64, seed=seed), steps=options.recurrent_steps, learning_rate=2e-3,
        schedule=lambda step: min(1.0, 2 * (1 - step / options.recurrent_steps)),
        seed=seed, device=device, description="recurrent",
    )  # fmt: skip
    numbers["recurrent"] = answers(reader, cases, src, tgt)

    untrained = [transformer(options, 1000 * (seed + 1) + i).to(device) for i in range(UNTRAINED)]
    numbers |= {
        "looks": where(model, untrained, cases, src, tgt),
        "cut": cut_everywhere(model, cases, src, tgt),
        "patched": exchange(model, pairs, src, tgt),
        "probe": probe(model, untrained[0], pairs, src, tgt),
        "weight and effect": compare(model, pairs[: options.few_pairs], src, tgt),
    }
    return numbers


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
    """Mean weights by layer and head, and how often a head gives the referent more than the other noun."""
    numbers: dict = {"fixed distance from it": fixed_distance(cases)}
    referents = torch.tensor([case.referent for case in cases])[:, None, None]
    subject = torch.tensor([case.subject for case in cases])[:, None, None]
    few = list(cases)[:: max(1, len(cases) // 200)]
    for part, query, name in (
        ("encoder", "it", "it"),
        ("encoder", "adjective", "adjective"),
        ("cross", "place", "pronoun"),
    ):
        look = looks(model, cases, src, tgt, part, query)
        liking = prefers(look)
        most = (look["most"] == referents).float().mean(dim=0)
        chance = [prefers(looks(other, few, src, tgt, part, query)) for other in untrained]
        numbers[f"from {name}"] = {
            _head(part, layer, head): {
                **{f"to {word}": float(look[word][:, layer, head].mean()) for word in WORDS},
                "to subject": float(
                    torch.where(subject, look["referent"], look["other"])[:, layer, head].mean()
                ),
                "to object": float(
                    torch.where(subject, look["other"], look["referent"])[:, layer, head].mean()
                ),
                "prefers the referent": float(liking[layer, head]),
                "looks most at the referent": float(most[layer, head]),
            }
            for layer, head in product(*map(range, liking.shape))
        } | {
            "best head": float(liking.max()),
            "best untrained head": max(float(each.max()) for each in chance),
            "best head, looks most": float(most.max()),
        }
    return numbers


def _head(part: str, layer: int, head: int) -> str:
    """Counted from 1, as the book's pictures do."""
    return f"{part} {layer + 1}.{head + 1}"


def change(before: Tensor, after: Tensor, cases: Sequence[Case]) -> dict[str, float]:
    """Share of right answers that became wrong, in all and by kind, and how far the lead fell (logits)."""
    right = before > 0
    found = {"lead lost": float((before - after).mean())}
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


def exchange(model, pairs, src: Vocabulary, tgt: Vocabulary) -> dict:
    """What happens when a word's memory comes from the partner sentence, where the other pronoun is right."""
    cases = [pair[side] for side in (0, 1) for pair in pairs]
    before = leads(model, cases, src, tgt)
    found = {word: change(before, patched(model, pairs, src, tgt, [word]), cases) for word in WORDS}
    rest = ["it", "referent", "other", "verb"]
    return found | {"all but the adjective": change(before, patched(model, pairs, src, tgt, rest), cases)}


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
