"""Does attention explain the answer? The tests of both sides, on reviews whose deciding word is known.

Readers of :class:`attnbook.nn.PooledReader` learn from :mod:`attnbook.data.reviews`, where nothing but one
or two *deciding* words tells the label: the truth that explanations are held against. Asked are

1. whether other weights would do: permuted and adversarial ones (Jain & Wallace 2019,
   https://arxiv.org/abs/1902.10186), and the four tests of Wiegreffe & Pinter (2019,
   https://arxiv.org/abs/1908.04626): equal weights, another seed, weights handed to a reader of single
   words, and an adversary that is trained as a whole;
2. which of six explanations name a deciding word, and how often any two name the same word.

Every reader is trained with four poolings: its query is compared with the states themselves (dot) or with
a hidden layer over them (additive, as in the papers), and begins at zero or at random. Two further
readers show first what the measures can see: one into which the effect was built, and one in which
every state is the same, so that no weight can matter. An untrained reader is asked as well.

On equal terms: each reader has the learning rate of one small grid with the lowest validation loss, the same
examples and the same number of steps, and stays as it was where its validation loss was lowest. In training
one word in ten is hidden, so that a hidden word is nothing new to a reader.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.analysis.importance import (
    attention_weights,
    gradient_times_input,
    hidden_words,
    patched_states,
    rolled_out,
)
from attnbook.analysis.other_weights import adversarial_weights, change_when_permuted, jensen_shannon
from attnbook.data.reviews import BAD, GOOD, Review, as_tensors, reviews, vocabulary
from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least
from attnbook.nn import PooledReader
from attnbook.training.fit import fit
from attnbook.training.schedules import warmup_linear

ABOUT = "does attention explain the answer: other weights, and explanations against the word that decides"

HIDDEN = 1  # the token of an unknown word stands for a hidden one
D_MODEL, BATCH, TRAINING, VALIDATION, TEST = 32, 32, 1500, 300, 300
RATES = (0.003, 0.01)
SHARE_HIDDEN = 0.1
DONORS = 16  # other reviews that give a state
READERS = {"words alone": "none", "recurrent": "recurrent", "self-attention": "attention"}
POOLINGS = {
    "dot, from zero": ("dot", 0.0),
    "dot, at random": ("dot", 1.0),
    "additive, from zero": ("additive", 0.0),
    "additive, at random": ("additive", 1.0),
}
FAIR_TEST = ("words alone", "recurrent")  # the readers of Wiegreffe & Pinter's tests, with additive scores
TWIN = {
    **dict(zip(GOOD, BAD, strict=True)),
    **dict(zip(BAD, GOOD, strict=True)),
    **{"fell": "stood", "apart": "out", "stood": "fell", "out": "apart"},
}
EXPLANATIONS: dict[str, Callable[[PooledReader, Texts], Tensor]] = {
    "weights": lambda model, texts: attention_weights(model, texts.tokens, texts.mask),
    "roll-out": lambda model, texts: rolled_out(model, texts.tokens, texts.mask),
    "gradient × input": lambda model, texts: gradient_times_input(model, texts.tokens, texts.mask),
    "hiding a word": lambda model, texts: hidden_words(model, texts.tokens, texts.mask, HIDDEN),
    "patching, from other reviews": lambda model, texts: patched_states(
        model,
        texts.tokens,
        texts.mask,
        [(texts.tokens.roll(row, 0), texts.mask.roll(row, 0)) for row in range(1, DONORS + 1)],
    ),
    "patching, from the twin": lambda model, texts: patched_states(
        model, texts.tokens, texts.mask, [(texts.twins, texts.mask)]
    ),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long each reader is trained, and how much its adversary is paid for being unlike it."""
    add = parser.add_argument
    add("--steps", type=int, default=400, metavar="N", help="training steps (default 400)")
    add("--unlike", type=float, default=0.3, metavar="L",
        help="weight of the divergence in the adversary's loss (default 0.3)")  # fmt: skip


@dataclass(frozen=True)
class Texts:
    """Reviews as tensors.

    Attributes
    ----------
    tokens, twins : (texts, words) of int
        The reviews, and the same reviews with the opposite verdict.
    mask, deciding : (texts, words) of bool
        True for words; True for the words that decide.
    labels : (texts,)
        0.0 and 1.0.
    """

    tokens: Tensor
    twins: Tensor
    mask: Tensor
    deciding: Tensor
    labels: Tensor


def twin(review: Review) -> tuple[str, ...]:
    """The words of a review whose verdict was exchanged for its opposite, word for word."""
    return tuple(TWIN[word] if i in review.deciding else word for i, word in enumerate(review.words))


def as_texts(found: list[Review], numbers: dict[str, int], device: torch.device | str = "cpu") -> Texts:
    """Reviews as tensors; ``numbers`` is their vocabulary."""
    tokens, mask = as_tensors([review.words for review in found], numbers)
    twins, _ = as_tensors([twin(review) for review in found], numbers)
    deciding = torch.zeros_like(mask)
    for row, review in enumerate(found):
        deciding[row, list(review.deciding)] = True
    labels = torch.tensor([float(review.label) for review in found])
    return Texts(*(each.to(device) for each in (tokens, twins, mask, deciding, labels)))


def material(seed: int, device: torch.device | str = "cpu") -> tuple[dict[str, int], Texts, Texts, Texts]:
    """Vocabulary, and reviews for training, validation and test; each seed has its own."""
    counts = (TRAINING, VALIDATION, TEST)
    parts = [reviews(count, seed=3 * seed + part) for part, count in enumerate(counts)]
    numbers = vocabulary([review.words for review in parts[0]])
    training, validation, test = (as_texts(part, numbers, device) for part in parts)
    return numbers, training, validation, test


def _batches(texts: Texts, seed: int) -> Callable[[int], tuple[Tensor, ...]]:
    """Random batches (tokens, mask, labels), some words hidden, cut to the longest text."""
    generator = torch.Generator().manual_seed(seed)

    def batch(step: int) -> tuple[Tensor, ...]:
        rows = torch.randint(len(texts.labels), (BATCH,), generator=generator)
        tokens, mask = texts.tokens.cpu()[rows], texts.mask.cpu()[rows]
        longest = int(mask.sum(dim=1).max())
        hide = (torch.rand(tokens.shape, generator=generator) < SHARE_HIDDEN) & mask
        found = (tokens.masked_fill(hide, HIDDEN)[:, :longest], mask[:, :longest], texts.labels.cpu()[rows])
        return tuple(each.to(texts.tokens.device) for each in found)

    return batch


def _loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
    tokens, mask, labels = batch
    return nn.functional.binary_cross_entropy_with_logits(model(tokens, mask)[0], labels)


def _validation(texts: Texts) -> Callable[[nn.Module], float]:
    @torch.no_grad()
    def loss(model: nn.Module) -> float:
        model.eval()
        return _loss(model, (texts.tokens, texts.mask, texts.labels)).item()

    return loss


def _trained(
    make: Callable[[], nn.Module], training: Texts, validation: Texts, steps: int, rates, seed: int, **more
) -> tuple[nn.Module, float]:
    """The model with the lowest validation loss of one a learning rate, and that rate."""
    found = []
    for rate in rates:
        set_seed(seed)
        model = make().to(training.tokens.device)
        options = {"loss": _loss, "validate": _validation(validation), **more}
        fit(model, _batches(training, seed), steps=steps, learning_rate=rate, seed=seed,
            schedule=warmup_linear(0, steps, hold=0.5), validate_every=50, keep_best=True, progress=False,
            **options)  # fmt: skip
        model.eval()
        found.append((_validation(validation)(model), rate, model))
    _, rate, model = min(found, key=lambda each: each[:2])
    return model, rate


def train(
    mixer: str,
    numbers: dict[str, int],
    training: Texts,
    validation: Texts,
    *,
    score: str = "additive",
    start: float = 1.0,
    attends: bool = True,
    steps: int = 400,
    rates: tuple[float, ...] = RATES,
    seed: int = 0,
) -> tuple[PooledReader, float]:
    """A reader, trained at the best of these learning rates, and that rate."""

    def make() -> PooledReader:
        return PooledReader(len(numbers), mixer, D_MODEL, score, start, attends)

    model, rate = _trained(make, training, validation, steps, rates, seed)
    assert isinstance(model, PooledReader)
    return model, rate


def adversary(
    base: PooledReader, training: Texts, validation: Texts, steps: int, rate: float, unlike: float, seed: int
) -> PooledReader:
    """A reader of the same kind that learns to give ``base``'s answers with other weights.

    Wiegreffe & Pinter's trained adversary: minimise the total variation distance of the outputs, less a
    multiple of the divergence of the weights. Theirs is the Kullback–Leibler divergence, without a bound;
    this is the Jensen–Shannon divergence, with which the results are reported.
    """

    def loss(model: nn.Module, batch: tuple[Tensor, ...]) -> Tensor:
        tokens, mask, _ = batch
        with torch.no_grad():
            wanted, own = base(tokens, mask)
        logits, weights = model(tokens, mask)
        apart = jensen_shannon(own, weights).mean()
        return (logits.sigmoid() - wanted.sigmoid()).abs().mean() - unlike * apart

    @torch.no_grad()
    def validate(model: nn.Module) -> float:
        return loss(model, (validation.tokens, validation.mask, validation.labels)).item()

    def make() -> PooledReader:
        return PooledReader(base.vocab, base.mixer, base.d_model, base.score, base.start)

    model, _ = _trained(make, training, validation, steps, [rate], seed, loss=loss, validate=validate)
    assert isinstance(model, PooledReader)
    return model


class WithWeightsOf(nn.Module):
    """A reader of single words that has to use the weights of another reader, which does not learn.

    Wiegreffe & Pinter's diagnostic: what do the weights know that helps a model without context?
    """

    def __init__(self, other: PooledReader):
        super().__init__()
        self.words = PooledReader(other.vocab, "none", other.d_model)
        self.other = [other]  # in a list: its parameters are not this model's

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (batch,) and weights (batch, words)."""
        with torch.no_grad():
            weights = self.other[0](tokens, mask)[1]
        return self.words.read(self.words.embedding(tokens), mask, weights)


class BuiltIn(PooledReader):
    """A reader whose explanation is known, because nothing in it was learned.

    A verdict's vector says which it is in the first number and *that* it is one in the second; the query
    asks for the second. ``blurred`` gives the first number of the verdict to every state: then each of them
    holds the answer, the weights stay where they were, and none of them can matter.
    """

    def __init__(self, numbers: dict[str, int], blurred: bool = False):
        super().__init__(len(numbers), "none", D_MODEL)
        self.blurred = blurred
        with torch.no_grad():
            self.embedding.weight.mul_(0.01)
            for sign, words in ((1.0, GOOD), (-1.0, BAD)):
                for word in words:
                    self.embedding.weight[numbers[word], :2] = torch.tensor([sign, 1.0])
            self.pooling.query.zero_()[1] = 6 * D_MODEL**0.5
            self.output.weight.zero_()[0, 0] = 6.0
            self.output.bias.zero_()

    def mix(self, vectors: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """The word vectors themselves, or with the verdict in each of them."""
        if not self.blurred:
            return vectors, None
        verdict = (vectors[..., :1] * mask.unsqueeze(2)).sum(dim=1, keepdim=True)
        return torch.cat([verdict.expand_as(vectors[..., :1]), vectors[..., 1:]], dim=2), None


@torch.no_grad()
def accuracy(model: nn.Module, texts: Texts) -> float:
    """Share of the texts whose label the model gives."""
    return ((model(texts.tokens, texts.mask)[0] > 0) == (texts.labels > 0)).float().mean().item()


def top_words(model: PooledReader, texts: Texts) -> dict[str, Tensor]:
    """The most important word's position (texts,) by each explanation that this reader allows."""
    return {
        name: explain(model, texts).masked_fill(~texts.mask, -1.0).argmax(dim=1)
        for name, explain in EXPLANATIONS.items()
        if not (name == "roll-out" and model.mixer != "attention")
    }


def named(top: dict[str, Tensor], texts: Texts) -> dict[str, float]:
    """Share of the texts in which the most important word is one that decides."""
    return {
        name: texts.deciding.gather(1, place.unsqueeze(1)).float().mean().item()
        for name, place in top.items()
    }


def same(top: dict[str, Tensor], texts: Texts) -> dict[str, float]:
    """For each two explanations, the share of texts where both name the same word; a deciding pair is one."""
    first = texts.deciding.float().argmax(dim=1)
    one = {
        name: torch.where(texts.deciding.gather(1, place.unsqueeze(1)).squeeze(1), first, place)
        for name, place in top.items()
    }
    return {f"{a} | {b}": (one[a] == one[b]).float().mean().item() for a, b in combinations(one, 2)}


def _other_weights(model: PooledReader, texts: Texts, seed: int) -> dict[str, float]:
    """Jain & Wallace's two tests, averages over the texts."""
    with torch.no_grad():
        states, _ = model.mix(model.embedding(texts.tokens), texts.mask)
        answer, own = model.read(states, texts.mask)
    adversarial = adversarial_weights(model, states, texts.mask)
    with torch.no_grad():
        moved = (model.read(states, texts.mask, adversarial)[0].sigmoid() - answer.sigmoid()).abs()
    uniform = texts.mask / texts.mask.sum(dim=1, keepdim=True)
    return {
        "permuted, answer moves": change_when_permuted(model, states, texts.mask, seed=seed).mean().item(),
        "adversarial, divergence": jensen_shannon(own, adversarial).mean().item(),
        "adversarial, answer moves": moved.mean().item(),
        "heaviest weight": own.amax(dim=1).mean().item(),
        "divergence from equal": jensen_shannon(own, uniform).mean().item(),
    }


def _divergence(a: nn.Module, b: nn.Module, texts: Texts) -> float:
    with torch.no_grad():
        return jensen_shannon(a(texts.tokens, texts.mask)[1], b(texts.tokens, texts.mask)[1]).mean().item()


def _controls(numbers: dict[str, int], seed: int, device: torch.device) -> dict[str, dict[str, Any]]:
    """What the measures show where the answer is known: only reviews whose verdict is one word."""
    single = [review for review in reviews(2 * TEST, seed=3 * seed + 2) if len(review.deciding) == 1][:TEST]
    texts = as_texts(single, numbers, device)
    found = {}
    for name, blurred in (("built in", False), ("nothing to find", True)):
        model = BuiltIn(numbers, blurred).to(device).eval()
        found[name] = {
            "accuracy": accuracy(model, texts),
            **_other_weights(model, texts, seed),
            "names": named(top_words(model, texts), texts),
        }
    return found


def _fair_test(
    model: PooledReader,
    rate: float,
    numbers,
    training: Texts,
    validation: Texts,
    test: Texts,
    options: argparse.Namespace,
    seed: int,
) -> dict[str, Any]:
    """Wiegreffe & Pinter's four tests of one trained reader."""
    more: dict[str, Any] = {"score": model.score, "start": model.start, "steps": options.steps}
    equal, _ = train(model.mixer, numbers, training, validation, seed=seed, attends=False, **more)
    again, _ = train(model.mixer, numbers, training, validation, rates=(rate,), seed=seed + 1000, **more)
    other = adversary(model, training, validation, options.steps, rate, options.unlike, seed + 2000)
    guided = {}
    for name, source in (("its own", model), ("another seed's", again), ("the adversary's", other)):
        guided[name], _ = _trained(
            lambda source=source: WithWeightsOf(source), training, validation, options.steps, RATES, seed
        )
    alone, _ = train("none", numbers, training, validation, seed=seed, attends=False, **more)
    return {
        "equal weights": accuracy(equal, test),
        "another seed": {
            "accuracy": accuracy(again, test),
            "divergence": _divergence(model, again, test),
            "names": named({"weights": EXPLANATIONS["weights"](again, test).argmax(1)}, test)["weights"],
        },
        "adversary": {
            "accuracy": accuracy(other, test),
            "divergence": _divergence(model, other, test),
            "names": named({"weights": EXPLANATIONS["weights"](other, test).argmax(1)}, test)["weights"],
        },
        "words alone, with weights": {
            "equal": accuracy(alone, test),
            **{name: accuracy(each, test) for name, each in guided.items()},
        },
    }


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """All measures on one draw of reviews; every share is of ``TEST`` reviews that no reader learned from.

    Raises
    ------
    ValueError
        If ``--steps`` is not at least 1.
    """
    at_least(options, 1, "steps")
    numbers, training, validation, test = material(seed, device)
    twins = Texts(test.twins, test.tokens, test.mask, test.deciding, 1 - test.labels)
    chance = test.deciding.sum(dim=1) / test.mask.sum(dim=1)
    found: dict[str, Any] = {
        "controls": _controls(numbers, seed, device),
        "chance": chance.mean().item(),
        "readers": {},
        "untrained": {},
        "fair test": {},
    }
    for name, mixer in READERS.items():
        for pooling, (score, start) in POOLINGS.items():
            model, rate = train(mixer, numbers, training, validation, score=score, start=start,
                                steps=options.steps, seed=seed)  # fmt: skip
            top = top_words(model, test)
            found["readers"].setdefault(name, {})[pooling] = {
                "accuracy": accuracy(model, test),
                "accuracy on twins": accuracy(model, twins),
                "rate": rate,
                **_other_weights(model, test, seed),
                "names": named(top, test),
                "same": same(top, test),
            }
        set_seed(seed)
        untrained = PooledReader(len(numbers), mixer, D_MODEL, score, start).to(device).eval()
        found["untrained"][name] = named(top_words(untrained, test), test)
        if name in FAIR_TEST:  # the last pooling, that of the papers
            found["fair test"][name] = _fair_test(
                model, rate, numbers, training, validation, test, options, seed
            )
    return found
