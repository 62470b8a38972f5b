"""Trained on 32 places, asked on 256: which way of telling positions still answers?

A text is a row of symbols drawn at random, and at every place the same question is asked. Six questions, one
model each:

- ``back 5``: which symbol stood five places back? (Five places are no whole number of turns of any rotary
  pair, nor half of one, so that the distance is not mistaken for another one near it.)
- ``back 20``: which stood twenty places back?
- ``fourth``: which was the fourth symbol of the text?
- ``latest``: what followed when the symbol of this place was last here?
- ``earliest``: what followed when it was here for the first time?
- ``majority``: were more of the symbols so far from the first half of the alphabet, or from the second?

The model has two layers of causal self-attention and nothing else, so that what it knows of order comes from
its positions: learned, sinusoidal, relative, rotary, ALiBi, T5's bias, or none. A causal model's answer at a
place does not depend on what comes later, so one text of 256 places tests all lengths: the accuracy at places
33 to 64 is that of a text of this length.

Every reader is trained alike: each learning rate of a small grid is tried on seed 0, and the lowest loss on
texts held out wins; the rate stays until that loss has stood still for some hundred steps (the patience),
then falls to 0. A cap may end it before, and the results say so. The patience is long, because a reader that
has to look twice may stand still for hundreds of steps before it finds how.
:mod:`attnbook.experiments.longer_texts` uses the same readers for one question and for the repairs of rotary
positions.
"""

from __future__ import annotations

import argparse
import copy
import math

import torch
from torch import Tensor, nn

from attnbook.experiments.options import at_least
from attnbook.experiments.rate_grid import at_best_rate
from attnbook.nn import (
    ALiBi,
    LearnedPositions,
    MultiHeadAttention,
    RelativePositions,
    RotaryPositions,
    SinusoidalPositions,
    T5Bias,
    window_mask,
)
from attnbook.training.fit import Diverged, fit

ABOUT = "seven ways of telling positions, trained on 32 places and asked on 256"

SYMBOLS = 32
TRAINED = 32  # places of a text in training
LONGEST = 256
PLACES = ((8, 16), (16, 32), (32, 64), (64, 128), (128, 256))  # from, to: counted from 0, the end left out
FARTHEST = 16  # distances with a vector of their own, for relative positions
SCHEMES = ("none", "learned", "sinusoidal", "relative", "rotary", "alibi", "t5")
QUESTIONS = ("back 5", "back 20", "fourth", "latest", "earliest", "majority")
NOTHING = -100  # no answer is asked for here: cross_entropy leaves such places out
HELD_OUT = 1_000_005  # seeds the texts on which the loss is measured
WARM_UP, COOL_DOWN = 50, 300  # steps until the highest rate, and from it to 0
EVERY = 100  # steps between two looks at the loss held out
PROGRESS = 0.01  # nats by which the loss must fall within the patience


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every kind of position gets the same texts, batches and rule of training."""
    add = parser.add_argument
    add("--batch", type=int, default=16, metavar="N", help="texts a step (default 16)")
    add("--learning-rates", type=float, nargs="+", default=[1e-3, 3e-3, 1e-2], metavar="R",
        help="tried on seed 0; the lowest loss wins (default .001 .003 .01)")  # fmt: skip
    add("--patience", type=int, default=800, metavar="N",
        help="steps without progress until the rate falls to 0 (default 800)")  # fmt: skip
    add("--steps", type=int, default=3000, metavar="N",
        help="the rate falls to 0 after these at the latest (default 3000)")  # fmt: skip


def texts(n: int, length: int, generator: torch.Generator) -> Tensor:
    """``n`` random texts: (n, length), symbols 0 … 31."""
    return torch.randint(SYMBOLS, (n, length), generator=generator)


def answers(text: Tensor, question: str) -> Tensor:
    """The right answer at every place of (n, length) texts: (n, length), ``NOTHING`` where there is none.

    Raises
    ------
    ValueError
        If the question is unknown; ``back`` goes with any distance, as in ``back 5``.
    """
    n, length = text.shape
    place = torch.arange(length)
    back = question.removeprefix("back ")
    if question.startswith("back ") and back.isdigit() and int(back) > 0:
        back = int(back)
        found = torch.full_like(text, NOTHING)
        found[:, back:] = text[:, : length - back] if length > back else found[:, back:]
        return found
    if question == "fourth":
        return text[:, 3:4].expand(n, length).masked_fill(place < 4, NOTHING)
    if question in ("latest", "earliest"):
        same = text.unsqueeze(2) == text.unsqueeze(1)  # (n, now, earlier)
        same &= place < place.unsqueeze(1)  # earlier places only
        # Where it stood: the largest or the smallest place among the same symbols.
        last = torch.where(same, place, -1).amax(dim=2)
        first = torch.where(same, place, length).amin(dim=2)
        stood = last if question == "latest" else first
        followed = text.gather(1, (stood + 1).clamp(0, length - 1))
        return followed.masked_fill(~same.any(dim=2), NOTHING)
    if question == "majority":
        lead = torch.where(text < SYMBOLS // 2, 1, -1).cumsum(dim=1)  # first half minus second half
        return (lead < 0).long().masked_fill(lead == 0, NOTHING)
    raise ValueError(f"question: expected one of {', '.join(QUESTIONS)}, got {question!r}")


class Layer(nn.Module):
    """Causal self-attention beside a shortcut; no feed-forward network."""

    def __init__(self, d_model: int, n_heads: int, positions: nn.Module | None):
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads, positions=positions)

    def forward(
        self, x: Tensor, need_weights: bool = False, reach: int | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """(batch, length, d_model) to the same shape, and the weights (batch, heads, length, length).

        With a ``reach``, keys more than so many places back are masked.
        """
        mask = None if reach is None else window_mask(x.shape[1], x.shape[1], reach, x.device)
        context, weights = self.attention(self.norm(x), mask=mask, causal=True, need_weights=need_weights)
        return x + context, weights


class Reader(nn.Module):
    """Two layers of causal self-attention over a text of symbols.

    Parameters
    ----------
    kind : one of ``SCHEMES``
        How positions are told.
    d_model, n_heads, n_layers : int
    where : layers counted from 0, optional
        Those whose attention has the positions, if the kind acts inside attention; all if left out.

    Attributes
    ----------
    reach : int or None
        How many places back a query may attend; None for all.

    Raises
    ------
    ValueError
        If the kind is unknown.
    """

    reach: int | None = None

    def __init__(
        self,
        kind: str,
        d_model: int = 64,
        n_heads: int = 4,
        n_layers: int = 2,
        where: tuple[int, ...] | None = None,
    ):
        super().__init__()
        if kind not in SCHEMES:
            raise ValueError(f"kind: expected one of {', '.join(SCHEMES)}, got {kind!r}")
        d_head = d_model // n_heads
        added = {
            "learned": lambda: LearnedPositions(LONGEST, d_model),
            "sinusoidal": lambda: SinusoidalPositions(d_model),
        }
        inside = {
            "relative": lambda: RelativePositions(d_head, FARTHEST),
            "rotary": lambda: RotaryPositions(d_head),
            "alibi": lambda: ALiBi(n_heads),
            # no bucket that training never meets
            "t5": lambda: T5Bias(n_heads, max_distance=TRAINED, bidirectional=False),
        }
        within = range(n_layers) if where is None else where
        self.kind = kind
        self.embedding = nn.Embedding(SYMBOLS, d_model)
        self.positions = added.get(kind, nn.Identity)()
        self.layers = nn.ModuleList(
            Layer(d_model, n_heads, inside[kind]() if kind in inside and layer in within else None)
            for layer in range(n_layers)
        )
        self.norm = nn.LayerNorm(d_model)
        self.output = nn.Linear(d_model, SYMBOLS)

    def forward(self, text: Tensor) -> Tensor:
        """Texts (batch, length) to scores of the answers, at every place (batch, length, 32)."""
        return self.look(text, need_weights=False)[0]

    def look(self, text: Tensor, need_weights: bool = True) -> tuple[Tensor, list[Tensor | None]]:
        """Scores of the answers, and each layer's weights (batch, heads, length, length)."""
        x = self.positions(self.embedding(text))
        rows = []
        for layer in self.layers:
            x, weights = layer(x, need_weights, self.reach)
            rows.append(weights)
        return self.output(self.norm(x)), rows


def build(kind: str, seed: int) -> Reader:
    """An untrained reader."""
    torch.manual_seed(seed)
    return Reader(kind)


def error(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean cross-entropy, in nats, over the places where an answer is asked for."""
    text, right = batch
    return nn.functional.cross_entropy(model(text).flatten(0, 1), right.flatten(), ignore_index=NOTHING)


def train(
    model: nn.Module, question: str, *, steps: int, batch: int = 32, learning_rate: float = 3e-3,
    length: int = TRAINED, seed: int = 0, **options,
):  # fmt: skip
    """Adam on new texts at every step, the learning rate falling to 0. Returns the ``History``."""
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)

    def batches(step: int) -> tuple[Tensor, Tensor]:
        text = texts(batch, length, generator)
        return text.to(device), answers(text, question).to(device)

    def schedule(step: int) -> float:
        return min(1.0, (step + 1) / 50, 2 * (1 - step / steps))

    options = {"progress": False, **options}
    return fit(
        model, batches, steps=steps, learning_rate=learning_rate, seed=seed, schedule=schedule, loss=error,
        **options,
    )  # fmt: skip


@torch.no_grad()
def accuracy(model: nn.Module, question: str, n: int = 64, length: int = LONGEST) -> dict[str, float]:
    """Share of right answers by place, on texts that no reader was trained on: {"33–64": 0.91, …}."""
    device = next(model.parameters()).device
    text = texts(n, length, torch.Generator().manual_seed(1_000_003))
    right = answers(text, question)
    given = model(text.to(device)).cpu()
    given = given[..., :2].argmax(dim=-1) if question == "majority" else given.argmax(dim=-1)
    return share_right(given, right)


def share_right(given: Tensor, right: Tensor) -> dict[str, float]:
    """Share of right answers by place; places where nothing is asked are left out."""
    found = {}
    for first, last in PLACES:
        asked = right[:, first:last] != NOTHING
        if last <= right.shape[1] and asked.any():
            hits = (given[:, first:last] == right[:, first:last])[asked]
            found[f"{first + 1}–{last}"] = hits.float().mean().item()
    return found


def with_frequencies(model: Reader, frequencies: Tensor) -> Reader:
    """A copy of a reader with rotary positions, whose pairs turn with other frequencies (d_head / 2,)."""
    twin = copy.deepcopy(model)
    for layer in twin.layers:
        if layer.attention.positions is not None:
            layer.attention.positions = RotaryPositions(layer.attention.d_head, frequencies=frequencies)
    return twin


@torch.no_grad()
def held_out_loss(model: nn.Module, question: str, length: int = TRAINED) -> float:
    """Cross-entropy on 64 texts that no reader was trained on, in nats."""
    text = texts(64, length, torch.Generator().manual_seed(HELD_OUT))
    device = next(model.parameters()).device
    return error(model, (text.to(device), answers(text, question).to(device))).item()


def until_flat(
    model: nn.Module, question: str, options: argparse.Namespace, rate: float, seed: int
) -> list[list[float]]:
    """Train in place by the rule at the top; [step, held-out loss] on the way. Empty if the run diverged."""
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    best = math.inf
    curve: list[list[float]] = []

    def batches(step: int) -> tuple[Tensor, Tensor]:
        text = texts(options.batch, TRAINED, generator)
        return text.to(device), answers(text, question).to(device)

    def progress(now: nn.Module) -> float:
        """The loss, but the best one so far while it lies less than ``PROGRESS`` below that."""
        nonlocal best
        loss = held_out_loss(now, question)
        curve.append([EVERY * (len(curve) + 1), loss])
        if loss < best - PROGRESS:
            best = loss
        return max(loss, best)

    common = {"learning_rate": rate, "loss": error, "precision": "float32", "progress": False}
    try:
        history = fit(
            model, batches, steps=options.steps, seed=seed,
            schedule=lambda step: min(1.0, (step + 1) / WARM_UP),
            validate=progress, validate_every=EVERY, patience=max(1, options.patience // EVERY), **common,
        )  # fmt: skip
        fit(
            model, batches, steps=COOL_DOWN, seed=seed + 1_000, schedule=lambda step: 1 - step / COOL_DOWN,
            **common,
        )  # fmt: skip
    except Diverged:
        return []
    curve.append([len(history.losses) + COOL_DOWN, held_out_loss(model, question)])
    return curve


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Accuracy of each kind of position by question and place; loss, steps and rate of each reader.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "batch", "patience", "steps")
    found: dict[str, dict] = {name: {} for name in ("accuracy", "loss", "steps", "hit the cap", "rates")}
    for question in QUESTIONS:
        for kind in SCHEMES:

            def train_one(model, options, rate, seed, question=question):
                return until_flat(model, question, options, rate, seed)

            key = {"question": question, "kind": kind, "batch": options.batch, "patience": options.patience}
            model, numbers = at_best_rate(
                "extrapolation", key, lambda kind=kind: Reader(kind).to(device), train_one, options, seed
            )
            steps, loss = numbers["validation"][-1]
            for name, value in (
                ("accuracy", accuracy(model, question)),
                ("loss", loss),
                ("steps", steps),
                ("hit the cap", float(steps == options.steps + COOL_DOWN)),
                ("rates", {"chosen": numbers["rate"], "tried": numbers["rates tried"]}),
            ):
                found[name].setdefault(question, {})[kind] = value
    return found
