"""How far do sliding layers reach, and what does one full layer among them give back?

Four layers that differ in their attention alone: all full, all sliding (a window of 8), or three sliding ones
and then a full one. Two tasks whose distances are known:

- ``one mark``: a text of random symbols, one of which is marked. Every later word has to say which symbol it
  was. One thing has to travel, and nobody need ask for it.
- ``pairs``: 24 words that hold a key and a value each, then 24 words that ask for a key each. Which one will
  be asked is not known on the way, so whoever wants to pass them on has to pass on all.

Words further apart than L (w − 1) cannot have heard of each other through L windows of w: there, an accuracy
above chance would be a mistake in the code. Each pattern gets the rate of the grid with the lowest validation
loss on seed 0, the same batches and the same steps, at the end of which the rate has fallen to 0.
"""

from __future__ import annotations

import argparse
import math
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.devices import seed as set_seed
from attnbook.experiments.kept_trials import SEARCH_SEED, best_rate, kept
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.nn import EncoderLayer, RotaryPositions, SlidingWindowAttention
from attnbook.training import schedules
from attnbook.training.fit import Diverged, fit

ABOUT = "sliding and full layers in a pattern: how far a mark and how many pairs travel"

WINDOW, D_MODEL, HEADS, D_FF = 8, 32, 2, 64
PATTERNS = {"all full": "FFFF", "all sliding": "SSSS", "three sliding, one full": "SSSF"}
SYMBOLS, KEYS, PAIRS = 8, 32, 24
LENGTH = {"one mark": 48, "pairs": 2 * PAIRS}
VALIDATION, TEST = 1_000_001, 2_000_001  # the numbers of batches that are not trained on


class Batch(NamedTuple):
    """Words of two numbers each, what to answer (−100: nothing), and how far away the answer stands."""

    first: Tensor
    second: Tensor
    target: Tensor
    distance: Tensor


def one_mark(rows: int, seed: int) -> Batch:
    """A marked symbol among unmarked ones: (rows, length) each."""
    draw = torch.Generator().manual_seed(seed)
    length = LENGTH["one mark"]
    symbols = torch.randint(SYMBOLS, (rows, length), generator=draw)
    place = torch.randint(length // 4, (rows, 1), generator=draw)
    distance = torch.arange(length) - place
    target = symbols.gather(1, place).expand(rows, length).masked_fill(distance < 1, -100)
    return Batch((distance == 0).long(), symbols, target, distance)


def pairs(rows: int, seed: int) -> Batch:
    """Keys with their values, then the same keys in another order: (rows, length) each."""
    draw = torch.Generator().manual_seed(seed)
    keys = torch.rand(rows, KEYS, generator=draw).argsort(dim=1)[:, :PAIRS]
    values = torch.randint(SYMBOLS, (rows, PAIRS), generator=draw)
    order = torch.rand(rows, PAIRS, generator=draw).argsort(dim=1)
    asked = torch.full_like(values, SYMBOLS)  # in the place of a value
    silent = torch.full_like(values, -100)
    return Batch(
        torch.cat([keys, keys.gather(1, order)], dim=1),
        torch.cat([values, asked], dim=1),
        torch.cat([silent, values.gather(1, order)], dim=1),
        torch.cat([silent, torch.arange(PAIRS, 2 * PAIRS) - order], dim=1),
    )


TASKS = {"one mark": one_mark, "pairs": pairs}


class PatternReader(nn.Module):
    """Embeddings of a word's two numbers, layers in a pattern, and a score for each symbol."""

    def __init__(self, pattern: str):
        super().__init__()
        self.first, self.second = nn.Embedding(KEYS, D_MODEL), nn.Embedding(SYMBOLS + 1, D_MODEL)
        self.layers = nn.ModuleList(layer(letter) for letter in pattern)
        self.norm, self.output = nn.LayerNorm(D_MODEL), nn.Linear(D_MODEL, SYMBOLS)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        """(batch, length) of int twice to logits (batch, length, SYMBOLS)."""
        x = self.first(first) + self.second(second)
        for one in self.layers:
            x, _ = one(x, causal=True, need_weights=False)
        return self.output(self.norm(x))


def layer(letter: str) -> EncoderLayer:
    """A layer with full (F) or sliding (S) attention and rotary positions."""
    positions = RotaryPositions(D_MODEL // HEADS)
    made = EncoderLayer(D_MODEL, HEADS, D_FF, 0.0, "pre", "gelu", positions=positions)
    if letter == "S":
        made.attention = SlidingWindowAttention(D_MODEL, HEADS, WINDOW, positions=positions)  # pyright: ignore
    return made


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every pattern gets the same batches, steps and rates to choose from."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[4e-3, 8e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .004 .008)")  # fmt: skip
    add("--steps", type=int, default=250, metavar="N", help="of each model (default 250)")
    add("--batch-size", type=int, default=16, metavar="N", help="texts a step (default 16)")


def loss_of(model: nn.Module, batch: Batch) -> Tensor:
    """Nats an answer."""
    logits = model(batch.first, batch.second)
    return F.cross_entropy(logits.flatten(0, 1), batch.target.flatten(), ignore_index=-100)


@torch.no_grad()
def by_distance(model: nn.Module, batch: Batch) -> dict[str, list[int]]:
    """At each distance, how many answers are right and how many there are."""
    right = model(batch.first, batch.second).argmax(dim=-1) == batch.target
    asked = batch.target >= 0
    found = {}
    for distance in range(1, int(batch.distance.max()) + 1):
        here = asked & (batch.distance == distance)
        found[str(distance)] = [int((right & here).sum()), int(here.sum())]
    return found


def trial(task: str, name: str, rate: float, seed: int, steps: int, rows: int, device: str) -> dict:
    """Train one model, or take from the cache what was found before: its validation losses on the way, and
    what it answers rightly at each distance.
    """
    wanted = [task, name, rate, seed, steps, rows, device]
    return kept("layer_patterns", wanted, lambda: trained(task, name, rate, seed, steps, rows, device))


def trained(task: str, name: str, rate: float, seed: int, steps: int, rows: int, device: str) -> dict:
    """Train one model, as :func:`trial` says."""
    set_seed(seed)
    model = PatternReader(PATTERNS[name]).to(device)
    make = TASKS[task]
    there = torch.device(device)

    def on_device(rows: int, number: int) -> Batch:
        return Batch(*(part.to(there) for part in make(rows, number)))

    validation = on_device(200, VALIDATION)
    try:
        history = fit(
            model, lambda step: on_device(rows, 1000 * seed + step), steps=steps, loss=loss_of,
            learning_rate=rate, seed=seed, schedule=schedules.warmup_linear(steps // 10, steps, hold=0.3),
            validate=lambda m: loss_of(m, validation).item(), validate_every=max(1, steps // 5),
            precision="float32", progress=False,
        )  # fmt: skip
    except Diverged:
        return {"validation": [[steps, math.inf]], "right": {}}
    model.eval()
    curve = [list(pair) for pair in history.validations]
    return {"validation": curve, "right": by_distance(model, on_device(400, TEST))}


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """By task and pattern: right answers at each distance, the rate, and the losses that chose it.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "batch_size")
    at_least(options, 20, "steps")
    learning_rates_above_zero(options.learning_rates)
    found: dict[str, dict] = {"right": {}, "learning rate": {}, "rates tried": {}, "validation": {}}
    sizes = (options.steps, options.batch_size, device.type)
    for task in TASKS:
        for rows in found.values():
            rows[task] = {}
        for name in PATTERNS:
            losses = {
                r: trial(task, name, r, SEARCH_SEED, *sizes)["validation"][-1][1]
                for r in options.learning_rates
            }
            rate, tried = best_rate(losses)
            run = trial(task, name, rate, seed, *sizes)
            found["right"][task][name] = run["right"]
            found["learning rate"][task][name] = rate
            found["rates tried"][task][name] = tried
            found["validation"][task][name] = run["validation"]
    return found
