"""Which words look at which digit? Cross-attention from a caption to a picture, trained on yes and no alone.

Pictures are chapter 6's scenes of two digits, their annotations those of the captioner that ships
(``06_captioner``), which are trained no further. The words of a caption are the queries, the places of the
picture the keys and values. Each digit of the caption is replaced half of the time by one that the picture
does not have, and the model is told whether it is there, never where anything stands.

The baseline ``pooled`` gives every word the same vector, the largest of each annotation's numbers over all
places. In training the first digit word always names the upper or left digit of the two, so a model might
attend by the word's place in the caption. The control is the caption with its digits exchanged: attention
by name has to look into the other box, attention by place into the same one. ``order mixed`` is a second
model of the same kind whose training captions have their digits exchanged half of the time.
"""

from __future__ import annotations

import argparse
from functools import cache, partial
from random import Random
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from attnbook import models
from attnbook.data.scenes import DIGITS, Scene, scenes, vocabulary
from attnbook.devices import seed as set_seed
from attnbook.experiments.matrices import as_lines
from attnbook.experiments.options import at_least
from attnbook.experiments.rate_grid import at_best_rate, trained
from attnbook.nn import MultiHeadAttention

ABOUT = "which words of a caption look at which digit of a picture: cross-attention, and one pooled vector"

NAMES = ("cross-attention", "order mixed", "pooled")
N_WORDS = 6  # of the longest caption
BATCH, D = 64, 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All models get the same scenes, captions, batches, steps and rates to choose from."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[2e-3, 5e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .002 .005)")  # fmt: skip
    add("--steps", type=int, default=400, metavar="N", help="of each model (default 400)")
    add("--scenes", type=int, default=2500, metavar="N", help="to train on (default 2500)")
    add("--tests", type=int, default=500, metavar="N", help="scenes to test on (default 500)")


@cache
def annotated(n: int, seed: int, part: str) -> tuple[list[Scene], Tensor, Tensor]:
    """Scenes, their annotations (n, L, 66), and which share of a place's pixels is in each box (n, 2, L)."""
    given = scenes(n, seed, part)
    encoder: Any = models.load("06_captioner").model.encoder
    with torch.no_grad():
        images = torch.stack([scene.image for scene in given]).unsqueeze(1)
        rows = torch.cat([encoder(batch) for batch in images.split(200)])
    boxes = torch.stack([torch.stack([box.mask() for box in scene.boxes]) for scene in given])
    return given, rows, avg_pool2d(boxes.float(), 2).flatten(2)


def said_of(scene: Scene, random: Random) -> tuple[tuple[str, ...], tuple[bool, bool]]:
    """The scene's caption, each of whose two digits is replaced half of the time by one that the picture has
    not; and which of the two are there.
    """
    absent = [word for digit, word in enumerate(DIGITS) if digit not in scene.digits]
    there = random.random() < 0.5, random.random() < 0.5
    first, second = (
        DIGITS[digit] if stays else random.choice(absent)
        for digit, stays in zip(scene.digits, there, strict=True)
    )
    return ("a", first, *scene.caption[2:-2], "a", second), there


def exchanged(caption: tuple[str, ...]) -> tuple[str, ...]:
    """The two digits of a caption in each other's place."""
    return (caption[0], caption[-1], *caption[2:-1], caption[1])


def as_tokens(captions: list[tuple[str, ...]]) -> tuple[Tensor, Tensor]:
    """(captions, 6) of int, padded at the end, and the places of their two digits, (captions, 2)."""
    words = vocabulary()
    tokens = torch.full((len(captions), N_WORDS), words.pad)
    for row, caption in enumerate(captions):
        tokens[row, : len(caption)] = torch.tensor(words.encode(caption))
    return tokens, torch.tensor([[1, len(caption) - 1] for caption in captions])


class Matcher(nn.Module):
    """For each word of a caption one number: above 0, the picture has it."""

    def __init__(self, name: str, d_annotation: int = 66, d: int = D):
        super().__init__()
        self.name = name
        self.words = nn.Embedding(len(vocabulary()), d)
        self.places = nn.Embedding(N_WORDS, d)  # in the caption
        self.picture = nn.Linear(d_annotation, d)
        self.attention = MultiHeadAttention(d, 1)
        self.pooled = nn.Linear(d, d)
        self.verdict = nn.Sequential(
            nn.LayerNorm(2 * d), nn.Linear(2 * d, 2 * d), nn.GELU(), nn.Linear(2 * d, 1)
        )

    def forward(self, tokens: Tensor, annotations: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits (batch, words) and weights (batch, words, L), None for the pooled one."""
        query = self.words(tokens) + self.places.weight
        weights = None
        if self.name != "pooled":
            picture = self.picture(annotations)
            context, weights = self.attention(query, picture, picture)
            weights = weights[:, 0]
        else:
            best = self.picture(annotations.amax(dim=1))
            context = self.pooled(best).unsqueeze(1).expand_as(query)
        return self.verdict(torch.cat([query, context], dim=-1)).squeeze(-1), weights


def train(model: Matcher, options: argparse.Namespace, rate: float, seed: int) -> list[list[float]]:
    """Train in place; the validations on the way."""
    given, rows, _ = annotated(options.scenes, 0, "train")
    checked, check_rows, _ = annotated(300, 0, "validation")
    held = as_batch(checked, check_rows, Random("validation captions"))

    def batch(step: int) -> tuple[Tensor, ...]:
        random = Random(f"captions {step}")
        chosen = [random.randrange(len(given)) for _ in range(BATCH)]
        return as_batch([given[row] for row in chosen], rows[chosen], random, model.name == "order mixed")

    return trained(
        model, batch, loss_of, lambda each: loss_of(each, held).item(),
        steps=options.steps, rate=rate, seed=seed,
    )  # fmt: skip


def as_batch(given: list[Scene], rows: Tensor, random: Random, mixed: bool = False) -> tuple[Tensor, ...]:
    """Tokens, places of the digits, annotations, and which digits are there, (batch, 2). Mixed: the two
    digits stand in each other's place half of the time.
    """
    captions, there = [], []
    for scene in given:
        caption, flags = said_of(scene, random)
        if mixed and random.random() < 0.5:
            caption, flags = exchanged(caption), flags[::-1]
        captions.append(caption)
        there.append(flags)
    return *as_tokens(captions), rows, torch.tensor(there).float()


def loss_of(model: Matcher, batch: tuple[Tensor, ...]) -> Tensor:
    """Nats a digit word."""
    tokens, places, rows, there = batch
    logits, _ = model(tokens, rows)
    return F.binary_cross_entropy_with_logits(logits.gather(1, places), there)


@torch.no_grad()
def judged(model: Matcher, n: int) -> dict[str, float]:
    """Share of digit words that are judged rightly, half of them absent."""
    given, rows, _ = annotated(n, 0, "test")
    tokens, places, rows, there = as_batch(given, rows, Random("test captions"))
    right = (model(tokens, rows)[0].gather(1, places) > 0) == there.bool()
    return {"right": right.float().mean().item(), "n": float(right.numel())}


@torch.no_grad()
def looks(model: Matcher, n: int) -> dict[str, dict[str, float]]:
    """Weight of each digit word in the box of the digit that it names, in the other box, and a box's area:
    for right captions, and for the same with their two digits exchanged. Scenes of two equal digits are left
    out.
    """
    given, rows, boxes = annotated(n, 0, "test")
    kept = [place for place, scene in enumerate(given) if scene.digits[0] != scene.digits[1]]
    line, found = torch.arange(len(kept)), {}
    for kind in ("right", "exchanged"):
        captions = [given[place].caption for place in kept]
        captions = captions if kind == "right" else [exchanged(caption) for caption in captions]
        tokens, places = as_tokens(captions)
        _, weights = model(tokens, rows[kept])
        assert weights is not None
        named, other = [], []
        for word in (0, 1):
            box = word if kind == "right" else 1 - word
            seen = weights[line, places[:, word]]
            named.append((seen * boxes[kept][:, box]).sum(dim=-1))
            other.append((seen * boxes[kept][:, 1 - box]).sum(dim=-1))
        here, there = torch.cat(named), torch.cat(other)
        found[kind] = {
            "named box": here.mean().item(),
            "spread": here.std().item(),
            "other box": there.mean().item(),
            "more in the named one": (here > there).float().mean().item(),
            "area": boxes[kept].mean().item(),
            "words": float(len(here)),
        }
    return found


@torch.no_grad()
def example(model: Matcher, n: int, scene: int = 0) -> dict[str, list[str]]:
    """Weights (2, 144) of the two digit words over one of the test scenes: caption, and digits exchanged."""
    given, rows, _ = annotated(n, 0, "test")
    found = {}
    for kind, said in (("right", given[scene].caption), ("exchanged", exchanged(given[scene].caption))):
        tokens, places = as_tokens([said])
        _, weights = model(tokens, rows[scene : scene + 1])
        assert weights is not None
        found[kind] = as_lines(weights[0, places[0]], 3)
    return found


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Verdicts of both models, and where the words of the attending one look.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 64, "scenes")
    at_least(options, 20, "steps")
    at_least(options, 10, "tests")
    found: dict[str, dict] = {"verdicts": {}, "looks": {}, "runs": {}}
    for name in NAMES:
        key = {"name": name, "scenes": options.scenes}
        model, found["runs"][name] = at_best_rate(
            "words_and_digits", key, partial(Matcher, name), train, options, seed
        )
        found["verdicts"][name] = judged(model, options.tests)
        if name != "pooled":
            found["looks"][name] = looks(model, options.tests)
            if seed == 0:
                found.setdefault("example", {})[name] = example(model, options.tests)
    set_seed(seed)
    found["looks"]["untrained"] = looks(Matcher("cross-attention").eval(), options.tests)
    return found
