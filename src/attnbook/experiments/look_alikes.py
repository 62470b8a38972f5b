"""How often attention is got wrong, and what each mistake costs on a task that only attention solves well.

A source holds pairs of a letter and a digit, letters in random order; the target is the digits, in the order
of the alphabet ("c 7 a 2 b 9" gives "2 9 7"). So at each step the decoder has to find one letter, wherever it
stands. The same translator is trained with Bahdanau's attention (2015, https://arxiv.org/abs/1409.0473), with
one fixed vector in its place (Cho et al. 2014, https://arxiv.org/abs/1406.1078), and with each of the
look-alikes that chapter 4's lab names and links.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least
from attnbook.nn import AdditiveScore, GRUEncoder
from attnbook.training.evaluating import evaluating
from attnbook.training.fit import fit
from attnbook.training.schedules import warmup_linear

ABOUT = "what the common mistakes in attention cost: letters and digits, put in order"

LETTERS, FEWEST, MOST = 8, 4, 8
FIRST_LETTER = 11  # tokens: 0 is padding, 1 to 10 are the digits, 11 on the letters
BEGIN = 11  # of the target, whose other tokens are the digits
D_EMBED, D_STATE, D_ATTENTION = 16, 32, 32
BATCH, LEARNING_RATE, TEST = 64, 0.004, 1000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long each translator is trained."""
    parser.add_argument("--steps", type=int, default=1000, metavar="N", help="steps (default 1000)")


def letters_and_digits(n: int, generator: torch.Generator, padding: int = 0) -> tuple[Tensor, Tensor]:
    """Draw sources and targets.

    Parameters
    ----------
    n : int
        How many.
    generator : torch.Generator
    padding : int
        Further positions of padding behind every source.

    Returns
    -------
    src : (n, 2 MOST + padding) of int
        Letter, digit, letter, digit …; 0 is padding.
    tgt : (n, MOST) of int
        The digits in the order of their letters; 0 is padding.
    """
    pairs = torch.randint(FEWEST, MOST + 1, (n, 1), generator=generator)  # in each source
    real = torch.arange(MOST) < pairs  # (n, MOST)
    kept = torch.rand(n, LETTERS, generator=generator).argsort(1).argsort(1) < pairs  # which letters
    shuffled = torch.where(kept, torch.rand(n, LETTERS, generator=generator), 2.0).argsort(1)
    ordered = torch.where(kept, torch.arange(LETTERS), LETTERS).sort(1).indices
    digits = torch.randint(1, FIRST_LETTER, (n, LETTERS), generator=generator)  # one for each letter
    src = torch.stack([shuffled + FIRST_LETTER, digits.gather(1, shuffled)], dim=2) * real.unsqueeze(2)
    src = nn.functional.pad(src.flatten(1), (0, padding))
    return src, digits.gather(1, ordered) * real


class Additive(nn.Module):
    """Bahdanau's score, v tanh(W s + U h), for one query: (batch, S)."""

    def __init__(self):
        super().__init__()
        self.score = AdditiveScore(D_STATE, 2 * D_STATE, D_ATTENTION)

    def forward(self, word: Tensor, state: Tensor, annotations: Tensor) -> Tensor:
        return self.score(state.unsqueeze(1), annotations).squeeze(1)


class NoTanh(nn.Module):
    """v (W s + U h): the two layers with nothing between them."""

    def __init__(self):
        super().__init__()
        self.W = nn.Linear(D_STATE, D_ATTENTION, bias=False)
        self.U = nn.Linear(2 * D_STATE, D_ATTENTION, bias=False)
        self.v = nn.Linear(D_ATTENTION, 1, bias=False)

    def forward(self, word: Tensor, state: Tensor, annotations: Tensor) -> Tensor:
        return self.v(self.W(state).unsqueeze(1) + self.U(annotations)).squeeze(-1)


class TanhOutside(NoTanh):
    """tanh(v (W s + U h)): the tanh around the score, which keeps every score between −1 and 1."""

    def forward(self, word: Tensor, state: Tensor, annotations: Tensor) -> Tensor:
        return torch.tanh(super().forward(word, state, annotations))


class NoQuery(nn.Module):
    """tanh(w h + b): a score of the annotation alone, b one number for each position."""

    def __init__(self):
        super().__init__()
        self.w = nn.Linear(2 * D_STATE, 1, bias=False)
        self.b = nn.Parameter(torch.zeros(2 * MOST))

    def forward(self, word: Tensor, state: Tensor, annotations: Tensor) -> Tensor:
        return torch.tanh(self.w(annotations).squeeze(-1) + self.b[: annotations.shape[1]])


class NoAnnotations(nn.Module):
    """One score for each position, from the previous word and the state: it never looks."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(D_EMBED + D_STATE, 2 * MOST)

    def forward(self, word: Tensor, state: Tensor, annotations: Tensor) -> Tensor:
        return self.layer(torch.cat([word, state], dim=-1))[:, : annotations.shape[1]]


class Translator(nn.Module):
    """A bidirectional GRU, a decoder, and between them a score, or one fixed vector.

    Parameters
    ----------
    score : nn.Module or None
        ``score(word, state, annotations)`` gives (batch, S); None: the encoder's last states at every step.
    mask : bool
        Keep padding out of the softmax.
    over : "keys" or "queries"
        Along what the softmax runs. A decoder has one query at a time, and one share of one is 1.
    turned_back : bool
        Whether backward state j belongs to word j, and not to the word as far from the end.
    """

    def __init__(
        self,
        score: nn.Module | None = None,
        mask: bool = True,
        over: str = "keys",
        turned_back: bool = True,
    ):
        super().__init__()
        self.score, self.mask, self.over, self.turned_back = score, mask, over, turned_back
        self.encoder = GRUEncoder(FIRST_LETTER + LETTERS, D_EMBED, D_STATE, bidirectional=True)
        self.bridge = nn.Linear(D_STATE, D_STATE)
        self.embedding = nn.Embedding(BEGIN + 1, D_EMBED)
        self.unit = nn.GRUCell(D_EMBED + 2 * D_STATE, D_STATE)
        self.output = nn.Linear(3 * D_STATE, BEGIN)

    def annotations(self, src: Tensor) -> tuple[Tensor, Tensor]:
        """Annotations (batch, S, 2 D_STATE), and the last states of both directions (batch, 2, D_STATE)."""
        annotations, ends = self.encoder(src, src > 0)
        if not self.turned_back:
            forward, backward = annotations.chunk(2, dim=-1)
            lengths = (src > 0).sum(dim=1, keepdim=True)  # (batch, 1)
            from_the_end = (lengths - 1 - torch.arange(src.shape[1], device=src.device)).clamp(min=0)
            turned = backward.gather(1, from_the_end.unsqueeze(2).expand_as(backward))
            annotations = torch.cat([forward, turned], dim=-1)
        return annotations, ends

    def weights(self, word: Tensor, state: Tensor, annotations: Tensor, real: Tensor) -> Tensor:
        """Weights (batch, S) of one step; ValueError for the fixed vector, which has none."""
        if self.score is None:
            raise ValueError("score: the fixed vector compares nothing; ask a kind of attention for weights")
        scores = self.score(word, state, annotations)  # (batch, S)
        if self.over == "queries":
            return torch.softmax(scores.unsqueeze(1), dim=1).squeeze(1) * real
        return torch.softmax(scores.masked_fill(~real, -torch.inf) if self.mask else scores, dim=-1)

    def forward(self, src: Tensor, tgt: Tensor) -> Tensor:
        """Logits (batch, T, digits) with teacher forcing."""
        annotations, ends = self.annotations(src)
        state = torch.tanh(self.bridge(ends[:, 1]))
        before = nn.functional.pad(tgt[:, :-1], (1, 0), value=BEGIN)  # the word before each
        logits = []
        for word in self.embedding(before).unbind(dim=1):
            if self.score is None:
                context = ends.flatten(1)
            else:
                weights = self.weights(word, state, annotations, src > 0)
                context = torch.einsum("bj,bjd->bd", weights, annotations)
            state = self.unit(torch.cat([word, context], dim=-1), state)
            logits.append(self.output(torch.cat([state, context], dim=-1)))
        return torch.stack(logits, dim=1)


TRANSLATORS = {
    "Bahdanau's attention": lambda: Translator(Additive()),
    "no mask": lambda: Translator(Additive(), mask=False),
    "backward states not turned back": lambda: Translator(Additive(), turned_back=False),
    "tanh outside": lambda: Translator(TanhOutside()),
    "no tanh": lambda: Translator(NoTanh()),
    "no query": lambda: Translator(NoQuery()),
    "never looks": lambda: Translator(NoAnnotations()),
    "softmax over the queries": lambda: Translator(Additive(), over="queries"),
    "one fixed vector": lambda: Translator(None),
}


def loss(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean cross-entropy in nats over the real digits."""
    src, tgt = batch
    return nn.functional.cross_entropy(model(src, tgt).flatten(0, 1), tgt.flatten(), ignore_index=0)


def train(name: str, steps: int, seed: int, device: torch.device | str = "cpu") -> Translator:
    """One of ``TRANSLATORS``, trained. The same seed gives every translator the same batches."""
    set_seed(seed)
    model = TRANSLATORS[name]()
    generator = torch.Generator().manual_seed(seed)
    place = torch.device(device)

    def batch(step: int) -> tuple[Tensor, Tensor]:
        src, tgt = letters_and_digits(BATCH, generator)
        return src.to(place), tgt.to(place)

    schedule = warmup_linear(0, steps, hold=0.5)
    fit(model, batch, steps=steps, loss=loss, learning_rate=LEARNING_RATE, schedule=schedule, device=place,
        seed=seed, description=name, progress=False)  # fmt: skip
    return model


def accuracy(model: Translator, padding: int = 0) -> float:
    """Share of digits that are right, of ``TEST`` sources that no seed trains on."""
    src, tgt = letters_and_digits(TEST, torch.Generator().manual_seed(10_000), padding)
    place = next(model.parameters()).device
    with evaluating(model):
        best = model(src.to(place), tgt.to(place)).argmax(dim=-1).cpu()
    return (best == tgt)[tgt > 0].float().mean().item()


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Accuracy of every translator, and of those that can take it also behind padding not met in training.

    Raises
    ------
    ValueError
        If ``--steps`` is not at least 1.
    """
    at_least(options, 1, "steps")
    found: dict[str, dict[str, float]] = {"accuracy": {}, "accuracy, more padding": {}}
    for name in TRANSLATORS:
        model = train(name, options.steps, seed, device)
        found["accuracy"][name] = accuracy(model)
        if not isinstance(model.score, NoQuery | NoAnnotations):  # these two have a longest source
            found["accuracy, more padding"][name] = accuracy(model, padding=3 * MOST)
    return found
