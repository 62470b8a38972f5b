"""Pictures drawn from words: a tiny flow-matching model whose cells attend to the words of a caption.

A picture has four cells of 8 × 8 pixels. A real digit stands in the upper left one, another to its right or
beneath it, and captions are those of chapter 6: "a three left of a seven". The model starts from noise and
learns the direction from noise to picture (Lipman and others, 2023, https://arxiv.org/abs/2210.02747): for
x_t = (1 − t) noise + t picture it is picture − noise. Cells attend to one another, and each of them to the
words, as in latent diffusion (https://arxiv.org/abs/2112.10752).

The baseline ``one vector`` is the same model, but every cell is given the mean of the encoded words instead
of attending to them. Ten of the hundred ordered pairs of digits never occur in training. What was drawn is
read by a classifier of single digits, whose own accuracy on real ones is told beside.
"""

from __future__ import annotations

import argparse
from functools import cache
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.data.scenes import DIGITS, SIDE, digit_images, vocabulary
from attnbook.devices import seed as set_seed
from attnbook.experiments.matrices import as_lines
from attnbook.experiments.options import at_least
from attnbook.experiments.rate_grid import at_best_rate, trained
from attnbook.nn import EncoderLayer, FeedForward, MultiHeadAttention

ABOUT = (
    "pictures of two digits drawn from captions by flow matching: cross-attention, or one vector of the text"
)

NAMES = ("cross-attention", "one vector")
GRID, CELLS, PIXELS = 2, 4, SIDE * SIDE
N_WORDS = 6  # of the longest caption
D = 64
INK = 8.0  # of a cell that holds something; a real digit has 7 to 35
# cells of the first and of the second digit, and what the caption says: the first stands in the corner
PLACES = [(0, 1, "left"), (0, 2, "above")]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Both models get the same pictures, captions, batches, steps and rates to choose from."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[2e-3, 4e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .002 .004)")  # fmt: skip
    add("--steps", type=int, default=600, metavar="N", help="of each model (default 600)")
    add(
        "--tests",
        type=int,
        default=300,
        metavar="N",
        help="pictures of seen and of unseen pairs (default 300)",
    )


def unseen(first: int, second: int) -> bool:
    """Whether the ordered pair of digits is kept from training."""
    return second == (first + 3) % 10


def caption(first: int, second: int, stands: str) -> tuple[str, ...]:
    """The words for two digits, "above" or "left"."""
    return ("a", DIGITS[first], *(("above",) if stands == "above" else ("left", "of")), "a", DIGITS[second])


def as_tokens(captions: list[tuple[str, ...]]) -> tuple[Tensor, Tensor]:
    """(captions, 6) of int and their mask."""
    words = vocabulary()
    tokens = torch.full((len(captions), N_WORDS), words.pad)
    for row, said in enumerate(captions):
        tokens[row, : len(said)] = torch.tensor(words.encode(said))
    return tokens, tokens != words.pad


def pictures(n: int, random: Random, part: str = "train") -> tuple[Tensor, Tensor, Tensor]:
    """``n`` pictures (n, 4, 64) with ink from −1 to 1, and their captions with masks; no unseen pair."""
    pool = digit_images(part)
    cells, said = torch.full((n, CELLS, PIXELS), -1.0), []
    while len(said) < n:
        one, two = (random.randrange(len(pool.labels)) for _ in range(2))
        digits = int(pool.labels[one]), int(pool.labels[two])
        if unseen(*digits):
            continue
        first, second, stands = random.choice(PLACES)
        cells[len(said), first] = 2 * pool.images[one].flatten() - 1
        cells[len(said), second] = 2 * pool.images[two].flatten() - 1
        said.append(caption(*digits, stands))
    return cells, *as_tokens(said)


class Block(nn.Module):
    """Cells attend to one another, then each to the words, or is given one vector of them."""

    def __init__(self, name: str, d: int):
        super().__init__()
        self.among = EncoderLayer(d, 4, 2 * d, 0.0, "pre", "gelu")
        self.norm = nn.LayerNorm(d)
        attends = name == "cross-attention"
        self.to_words = MultiHeadAttention(d, 1) if attends else None
        self.given: nn.Module = nn.Identity()
        if not attends:
            self.given = nn.Sequential(nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, d))
        self.norm_2, self.feed_forward = nn.LayerNorm(d), FeedForward(d, 2 * d, "gelu")

    def forward(self, x: Tensor, words: Tensor, mask: Tensor) -> tuple[Tensor, Tensor | None]:
        """Cells (batch, 4, d) and words (batch, 6, d) to cells and weights (batch, 4, 6)."""
        x, _ = self.among(x)
        weights = None
        if self.to_words is not None:
            context, weights = self.to_words(self.norm(x), words, words, mask.unsqueeze(1))
            weights = weights[:, 0]
        else:
            seen = mask.unsqueeze(-1)
            context = self.given((words * seen).sum(dim=1, keepdim=True) / seen.sum(dim=1, keepdim=True))
        x = x + context
        return x + self.feed_forward(self.norm_2(x)), weights


class Painter(nn.Module):
    """The direction from noise to picture, for a caption."""

    frequencies: Tensor

    def __init__(self, name: str, d: int = D, n_blocks: int = 2):
        super().__init__()
        self.words, self.word_places = nn.Embedding(len(vocabulary()), d), nn.Embedding(N_WORDS, d)
        self.reader = EncoderLayer(d, 4, 2 * d, 0.0, "pre", "gelu")
        self.cells, self.cell_places = nn.Linear(PIXELS, d), nn.Embedding(CELLS, d)
        self.time = nn.Sequential(nn.Linear(16, d), nn.GELU(), nn.Linear(d, d))
        self.blocks = nn.ModuleList(Block(name, d) for _ in range(n_blocks))
        self.output = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, PIXELS))
        self.register_buffer("frequencies", torch.pi * torch.arange(1, 9), persistent=False)

    def forward(
        self, x: Tensor, t: Tensor, tokens: Tensor, mask: Tensor
    ) -> tuple[Tensor, list[Tensor | None]]:
        """Cells (batch, 4, 64) at time t (batch,) to directions (batch, 4, 64), and each block's weights."""
        words, _ = self.reader(self.words(tokens) + self.word_places.weight, mask.unsqueeze(1))
        waves = t.unsqueeze(1) * self.frequencies
        time = self.time(torch.cat([waves.sin(), waves.cos()], dim=1))
        h = self.cells(x) + self.cell_places.weight + time.unsqueeze(1)
        weights = []
        for block in self.blocks:
            h, seen = block(h, words, mask)
            weights.append(seen)
        return self.output(h), weights


def loss_of(model: Painter, batch: tuple[Tensor, ...]) -> Tensor:
    """Mean squared error of the direction."""
    picture, tokens, mask, noise, t = batch
    at = t.view(-1, 1, 1)
    said, _ = model((1 - at) * noise + at * picture, t, tokens, mask)
    return F.mse_loss(said, picture - noise)


@torch.no_grad()
def paint(
    model: Painter, captions: list[tuple[str, ...]], noise: Tensor, steps: int = 25
) -> tuple[Tensor, list[Tensor]]:
    """Follow the direction from noise (captions, 4, 64) in equal steps: pictures with ink from −1 to 1, and
    at each step the last block's weights (captions, 4, 6), an empty list without attention.
    """
    tokens, mask = as_tokens(captions)
    x, looks = noise, []
    for step in range(steps):
        t = torch.full((len(x),), step / steps)
        direction, weights = model(x, t, tokens, mask)
        x = x + direction / steps
        if weights[-1] is not None:
            looks.append(weights[-1])
    return x.clamp(-1, 1), looks


@cache
@torch.enable_grad()
def judge() -> tuple[nn.Module, float]:
    """A classifier of single digits and its accuracy on real ones of the test part."""
    pool, test = digit_images("train"), digit_images("test")
    set_seed(0)
    model = nn.Sequential(nn.Linear(PIXELS, 128), nn.ReLU(), nn.Dropout(0.3), nn.Linear(128, 10))
    images = pool.images.flatten(1)
    trained(
        model,
        lambda step: torch.randint(len(images), (64,), generator=torch.Generator().manual_seed(step)),
        lambda m, rows: F.cross_entropy(m(images[rows]), pool.labels[rows]),
        lambda m: F.cross_entropy(m(test.images.flatten(1)), test.labels).item(),
        steps=800, rate=3e-3, seed=0,
    )  # fmt: skip
    model.eval()
    with torch.no_grad():
        right = (model(test.images.flatten(1)).argmax(dim=-1) == test.labels).float().mean().item()
    return model, right


@torch.no_grad()
def read(drawn: Tensor) -> list[tuple[str, ...] | None]:
    """The caption that fits each picture (n, 4, 64); None unless two cells hold ink, one above or beside the
    other.
    """
    ink = (drawn + 1) / 2
    filled = ink.sum(dim=-1) > INK
    labels = judge()[0](ink).argmax(dim=-1)
    plain = {(one, two): stands for one, two, stands in PLACES}
    found: list[tuple[str, ...] | None] = []
    for row, digits in zip(filled, labels, strict=True):
        cells = row.nonzero().flatten().tolist()
        pairs = [pair for pair in (tuple(cells), tuple(cells[::-1])) if pair in plain]
        if len(cells) != 2 or not pairs:
            found.append(None)
            continue
        one, two = pairs[0]
        found.append(caption(int(digits[one]), int(digits[two]), plain[one, two]))
    return found


def asked(n: int, new: bool) -> list[tuple[str, ...]]:
    """``n`` captions of pairs that training held, or of the ten that it did not."""
    random = Random(f"asked {new}")
    pairs = [(a, b) for a in range(10) for b in range(10) if unseen(a, b) == new]
    return [caption(*random.choice(pairs), random.choice(("above", "left"))) for _ in range(n)]


def scored(model: Painter, captions: list[tuple[str, ...]], seed: int) -> dict[str, float]:
    """Shares of pictures that show the caption, and of those with two digits in a plain relation."""
    noise = torch.randn(len(captions), CELLS, PIXELS, generator=torch.Generator().manual_seed(seed))
    drawn, _ = paint(model, captions, noise)
    seen = read(drawn)
    pairs = [(one, said) for one, said in zip(seen, captions, strict=True) if one is not None]
    return {
        "shows the caption": sum(one == said for one, said in pairs) / len(captions),
        "two digits": len(pairs) / len(captions),
        "relation": sum(one[2] == said[2] for one, said in pairs) / len(captions),
        "first digit": sum(one[1] == said[1] for one, said in pairs) / len(captions),
        "second digit": sum(one[-1] == said[-1] for one, said in pairs) / len(captions),
        "n": float(len(captions)),
    }


def looks_at(model: Painter, captions: list[tuple[str, ...]], seed: int) -> dict[str, float]:
    """Where the two cells that end up with digits look in the second half of the way: weight on the word of
    the digit that they show, on the word of the other, and what each would be if all words got the same.
    """
    noise = torch.randn(len(captions), CELLS, PIXELS, generator=torch.Generator().manual_seed(seed))
    drawn, looks = paint(model, captions, noise)
    weights = torch.stack(looks[len(looks) // 2 :]).mean(dim=0)
    own, other, even = [], [], []
    filled = ((drawn + 1) / 2).sum(dim=-1) > INK
    plain = {(one, two) for one, two, _ in PLACES}
    for row, (seen, said) in enumerate(zip(read(drawn), captions, strict=True)):
        if seen != said or said[1] == said[-1]:
            continue
        cells = filled[row].nonzero().flatten().tolist()
        cells = cells if tuple(cells) in plain else cells[::-1]
        words = (1, len(said) - 1)
        for place in (0, 1):
            own.append(weights[row, cells[place], words[place]].item())
            other.append(weights[row, cells[place], words[1 - place]].item())
            even.append(1 / len(said))
    if not own:
        return {"cells": 0.0}
    mean = {"own word": own, "other digit's word": other, "even": even}
    return {key: sum(column) / len(own) for key, column in mean.items()} | {"cells": float(len(own))}


def nearest(drawn: Tensor) -> Tensor:
    """Distance of each digit (n, 64) with ink from 0 to 1 to the nearest real one that training held."""
    return torch.cdist(drawn, digit_images("train").images.flatten(1)).amin(dim=1)


def new_digits(model: Painter, captions: list[tuple[str, ...]], seed: int) -> dict[str, float]:
    """Median distance to the nearest training digit: of drawn digits, and of real ones of the test part."""
    noise = torch.randn(len(captions), CELLS, PIXELS, generator=torch.Generator().manual_seed(seed))
    ink = (paint(model, captions, noise)[0] + 1) / 2
    drawn = ink[ink.sum(dim=-1) > INK]
    if not len(drawn):
        return {}
    real = digit_images("test").images.flatten(1)
    return {"drawn": nearest(drawn).median().item(), "real, unseen": nearest(real).median().item()}


EXAMPLES = (
    caption(3, 7, "left"),
    caption(3, 5, "left"),
    caption(3, 7, "above"),
    caption(7, 3, "above"),
    caption(0, 3, "left"),
    caption(8, 1, "above"),
)


def example(model: Painter) -> list[dict[str, Any]]:
    """Captions drawn from one and the same noise: ink from 0 to 16 (4, 64), and the mean weights of the
    second half of the way (4, words) where there are any.
    """
    noise = torch.randn(1, CELLS, PIXELS, generator=torch.Generator().manual_seed(0))
    drawn, looks = paint(model, list(EXAMPLES), noise.expand(len(EXAMPLES), -1, -1))
    found: list[dict[str, Any]] = []
    for row, said in enumerate(EXAMPLES):
        found.append({"caption": " ".join(said), "ink": as_lines(8 * (drawn[row] + 1), 0)})
        if looks:
            weights = torch.stack(looks[len(looks) // 2 :]).mean(dim=0)
            found[-1]["weights"] = as_lines(weights[row, :, : len(said)])
    return found


def train(model: Painter, options: argparse.Namespace, rate: float, seed: int) -> list[list[float]]:
    """Train in place; the validations on the way."""

    def noisy(cells: Tensor, step: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(step)
        return torch.randn(cells.shape, generator=generator), torch.rand(len(cells), generator=generator)

    def batch(step: int) -> tuple[Tensor, ...]:
        cells, tokens, mask = pictures(64, Random(f"pictures {step}"))
        return cells, tokens, mask, *noisy(cells, step)

    cells, tokens, mask = pictures(500, Random("validation"), "validation")
    held = cells, tokens, mask, *noisy(cells, 0)
    return trained(
        model, batch, loss_of, lambda m: loss_of(m, held).item(), steps=options.steps, rate=rate, seed=seed
    )


def painter(name: str, options: argparse.Namespace, seed: int) -> tuple[Painter, dict[str, Any]]:
    """One of the two at its best rate, and how that was found."""
    return at_best_rate("pictures_from_words", {"name": name}, lambda: Painter(name), train, options, seed)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """What both models draw, and where the cells of the attending one look.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 20, "steps")
    at_least(options, 1, "tests")
    found: dict[str, Any] = {"drawn": {}, "nearest": {}, "runs": {}, "parameters": {}}
    for name in NAMES:
        model, found["runs"][name] = painter(name, options, seed)
        found["drawn"][name] = {
            "seen pairs": scored(model, asked(options.tests, False), seed),
            "unseen pairs": scored(model, asked(options.tests, True), seed),
        }
        found["nearest"][name] = new_digits(model, asked(options.tests, False), seed)
        found["parameters"][name] = sum(parameter.numel() for parameter in model.parameters())
        if name == "cross-attention":
            found["looks"] = looks_at(model, asked(options.tests, False), seed)
        if seed == 0:
            found.setdefault("example", {})[name] = example(model)
    found["reader's accuracy on real digits"] = judge()[1]
    return found
