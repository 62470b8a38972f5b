"""Do words that are used alike get vectors that lie close? Skip-gram, counting and chance, over seeds.

``--data phrasebook``: on sentences of the phrasebook, how often a near neighbour of a word is a word of the
same kind (a noun in the plural, a verb in -ing …), by size of the text; whether the step from *dog* to *dogs*
also leads from *cat* to *cats*, and whether the step is needed for it; and, on generated reviews, whether
praise lies nearer to praise than to complaint.

``--data tatoeba``: the first question, and where a word's opposite lies, on sentences that people wrote.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from attnbook.data import phrasebook
from attnbook.data.corpora import tatoeba
from attnbook.data.phrasebook.lexicon import ADJECTIVES, NOUNS, VERBS
from attnbook.data.reviews import BAD, GOOD, reviews
from attnbook.experiments.options import at_least
from attnbook.nn.word_vectors import SkipGram, positive_pmi

ABOUT = "word vectors from neighbouring words: skip-gram, counting, and how often neighbours are alike"

SENTENCES = (250, 1000, 4000)
REVIEWS = 1500
SEEN_OFTEN = 10  # tatoeba: words seen fewer times are left out
OPPOSITES = (
    *(("big", "small"), ("old", "new"), ("old", "young"), ("good", "bad"), ("hot", "cold")),
    *(("long", "short"), ("black", "white"), ("happy", "sad"), ("rich", "poor"), ("early", "late")),
    *(("easy", "difficult"), ("open", "close"), ("buy", "sell"), ("win", "lose"), ("love", "hate")),
    *(("always", "never"), ("before", "after"), ("man", "woman"), ("boy", "girl"), ("day", "night")),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Text, sizes and steps."""
    add = parser.add_argument
    add("--data", choices=("phrasebook", "tatoeba"), default="phrasebook", help="made or real sentences")
    add("--d-embed", type=int, default=16, metavar="D", help="numbers in a vector (default 16)")
    add("--window", type=int, default=2, metavar="N", help="words on either side that count (default 2)")
    add("--negatives", type=int, default=5, metavar="K", help="words drawn for each pair (default 5)")
    add("--steps", type=int, default=800, metavar="N", help="training steps (default 800)")
    add("--batch", type=int, default=512, metavar="N", help="pairs a step (default 512)")
    add("--learning-rate", type=float, default=0.02, metavar="R", help="Adam's (default 0.02)")


def result_name(options: argparse.Namespace) -> str:
    """Stem of the results file."""
    return "word_vectors" if options.data == "phrasebook" else "word_vectors_tatoeba"


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Shares for one text and one start.

    Raises
    ------
    ValueError
        If a size or a step is out of range.
    """
    at_least(options, 1, "d_embed", "window", "negatives", "steps", "batch")
    if not options.learning_rate > 0:
        raise ValueError(f"--learning-rate: expected above 0, got {options.learning_rate}")
    return (_phrasebook if options.data == "phrasebook" else _tatoeba)(options, seed, device)


# ---- text ------------------------------------------------------------------------------------------


def kinds() -> dict[str, str]:
    """The grammatical kind of each noun, adjective and verb form of the phrasebook that has only one."""
    found: dict[str, set[str]] = {}

    def put(word: str | None, kind: str) -> None:
        if word:
            found.setdefault(word, set()).add(kind)

    for noun in NOUNS:
        put(noun.singular, "noun, singular")
        put(noun.plural, "noun, plural")
    for adjective in ADJECTIVES:
        put(adjective.word, "adjective")
    for verb in VERBS:
        put(verb.base, "verb")
        put(verb.third, "verb in -s")
        put(verb.ing, "verb in -ing")
        put(verb.past, "verb, past")
        put(verb.participle, "participle")
    return {word: next(iter(names)) for word, names in sorted(found.items()) if len(names) == 1}


def verdicts() -> dict[str, str]:
    """The words of praise and of complaint in the generated reviews."""
    return {word: "praise" for word in GOOD} | {word: "complaint" for word in BAD}


def numbered(sentences: Sequence[Sequence[str]], at_least: int = 1) -> dict[str, int]:
    """A number for each word that is seen at least so often, in alphabetical order."""
    seen = Counter(word for sentence in sentences for word in sentence)
    return {word: n for n, word in enumerate(sorted(w for w, times in seen.items() if times >= at_least))}


def pairs(
    sentences: Sequence[Sequence[str]], numbers: Mapping[str, int], window: int
) -> tuple[Tensor, Tensor]:
    """Every word with every word at most ``window`` places from it, as two lists of numbers (pairs,).

    Words without a number are left out before places are counted.
    """
    word, near = [], []
    for sentence in sentences:
        ids = [numbers[each] for each in sentence if each in numbers]
        for place, middle in enumerate(ids):
            for other in range(max(0, place - window), min(len(ids), place + window + 1)):
                if other != place:
                    word.append(middle)
                    near.append(ids[other])
    return torch.tensor(word), torch.tensor(near)


def table(word: Tensor, near: Tensor, vocab: int) -> Tensor:
    """How often each word stood near each other one, (vocab, vocab)."""
    return torch.bincount(word * vocab + near, minlength=vocab * vocab).view(vocab, vocab).float()


# ---- vectors ---------------------------------------------------------------------------------------


def train(
    model: SkipGram,
    word: Tensor,
    near: Tensor,
    *,
    steps: int,
    batch: int,
    negatives: int,
    learning_rate: float,
) -> list[float]:
    """Adam on pairs drawn from the text; other words drawn by how often they occur, to the power 3/4.

    Returns the losses. The power is that of Mikolov et al. 2013, section 2.2.
    """
    odds = torch.bincount(near, minlength=model.middle.num_embeddings).double().pow(0.75)
    optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
    losses = []
    for _ in range(steps):
        chosen = torch.randint(len(word), (batch,), device=word.device)
        drawn = torch.multinomial(odds, batch * negatives, replacement=True).view(batch, negatives)
        loss = model(word[chosen], near[chosen], drawn)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def shortened(matrix: Tensor, size: int) -> Tensor:
    """The rows of a matrix in ``size`` numbers: singular vectors times the roots of singular values."""
    u, s, _ = torch.svd_lowrank(matrix, q=min(size + 10, *matrix.shape), niter=6)
    return u[:, :size] * s[:size].sqrt()


def vectors(
    options: argparse.Namespace, word: Tensor, near: Tensor, vocab: int, device: torch.device
) -> dict[str, Tensor]:
    """A vector for each word by each method."""
    counted = table(word, near, vocab)
    model = SkipGram(vocab, options.d_embed).to(device)
    train(
        model, word.to(device), near.to(device), steps=options.steps, batch=options.batch,
        negatives=options.negatives, learning_rate=options.learning_rate,
    )  # fmt: skip
    return {
        "random": torch.randn(vocab, options.d_embed),
        "counts": counted,
        "PPMI": positive_pmi(counted),
        "PPMI, shortened": shortened(positive_pmi(counted), options.d_embed),
        "skip-gram": model.middle.weight.detach().cpu(),
    }


# ---- questions -------------------------------------------------------------------------------------


def nearest(found: Tensor, row: int, n: int) -> list[int]:
    """The ``n`` rows whose direction is nearest to that of ``row`` (cosine), the nearest first."""
    unit = nn.functional.normalize(found, dim=-1)
    likeness = unit @ unit[row]
    likeness[row] = -2.0
    return likeness.topk(n).indices.tolist()


def alike(found: Tensor, numbers: Mapping[str, int], group: Mapping[str, str], n: int = 3) -> float:
    """Share of same-group words among each word's ``n`` nearest; words without a group take no part."""
    words = [word for word in numbers if word in group]
    rows = nn.functional.normalize(found[[numbers[word] for word in words]], dim=-1)
    likeness = rows @ rows.T
    likeness.fill_diagonal_(-2.0)
    hits = [
        group[words[other]] == group[word]
        for word, others in zip(words, likeness.topk(n, dim=-1).indices.tolist(), strict=True)
        for other in others
    ]
    return sum(hits) / len(hits)


def chance(numbers: Mapping[str, int], group: Mapping[str, str]) -> float:
    """What :func:`alike` is on average when neighbours are drawn at random."""
    sizes = Counter(group[word] for word in numbers if word in group)
    total = sum(sizes.values())
    return sum(size / total * (size - 1) / (total - 1) for size in sizes.values())


def plurals(found: Tensor, numbers: Mapping[str, int]) -> dict[str, float]:
    """How often *dogs* − *dog* + *cat* lands on *cats*, over all pairs of nouns, and how often *cat* does.

    The three words of the question are left out as answers, as is usual. The second number is the baseline of
    Linzen 2016, https://arxiv.org/abs/1606.07736.
    """
    known = [
        (n.singular, n.plural) for n in NOUNS if n.singular in numbers and n.plural and n.plural in numbers
    ]
    known = [(one, many) for one, many in known if one != many]
    unit = nn.functional.normalize(found, dim=-1)
    right = {"with the step": 0, "without the step": 0}
    asked = 0
    for one_a, many_a in known:
        for one_b, many_b in known:
            if one_a == one_b:
                continue
            a, step, b = numbers[one_a], numbers[many_a], numbers[one_b]
            asked += 1
            for name, query in (
                ("with the step", unit[step] - unit[a] + unit[b]),
                ("without the step", unit[b]),
            ):
                likeness = unit @ query
                likeness[[a, step, b]] = -9.0
                right[name] += int(likeness.argmax()) == numbers[many_b]
    return {name: count / asked for name, count in right.items()}


def opposites(found: Tensor, numbers: Mapping[str, int], n: int = 10) -> float:
    """How often a word's opposite is among its ``n`` nearest, both ways."""
    asked = [(a, b) for pair in OPPOSITES for a, b in (pair, pair[::-1]) if a in numbers and b in numbers]
    return sum(numbers[b] in nearest(found, numbers[a], n) for a, b in asked) / len(asked)


# ---- runs ------------------------------------------------------------------------------------------


def _phrasebook(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    group = kinds()
    result: dict[str, dict] = {"same kind": {}, "plural": {}, "same verdict": {}, "chance": {}}
    for size in SENTENCES:
        sentences = [pair.src for pair in phrasebook.sample(size, seed=seed, subset="small", length=(4, 16))]
        numbers = numbered(sentences)
        torch.manual_seed(seed)
        found = vectors(options, *pairs(sentences, numbers, options.window), len(numbers), device)
        for name, each in found.items():
            result["same kind"].setdefault(name, {})[str(size)] = alike(each, numbers, group)
        result["chance"][str(size)] = chance(numbers, group)
    result["plural"] = {name: plurals(each, numbers) for name, each in found.items() if name != "random"}
    texts = [review.words for review in reviews(REVIEWS, seed=seed)]
    numbers = numbered(texts)
    torch.manual_seed(seed)
    found = vectors(options, *pairs(texts, numbers, options.window), len(numbers), device)
    result["same verdict"] = {name: alike(each, numbers, verdicts()) for name, each in found.items()}
    result["chance"]["verdict"] = chance(numbers, verdicts())
    return result


def _tatoeba(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    sentences = sorted({tuple(pair.src) for pair in tatoeba.pairs()})
    numbers = numbered(sentences, SEEN_OFTEN)
    group = {word: kind for word, kind in kinds().items() if word in numbers}
    torch.manual_seed(seed)
    found = vectors(options, *pairs(sentences, numbers, options.window), len(numbers), device)
    return {
        "same kind": {name: alike(each, numbers, group) for name, each in found.items()},
        "opposite among ten": {name: opposites(each, numbers) for name, each in found.items()},
        "chance": {"same kind": chance(numbers, group), "opposite": 10 / (len(numbers) - 1)},
        "text": {"sentences": len(sentences), "words": len(numbers), "with a kind": len(group)},
    }
