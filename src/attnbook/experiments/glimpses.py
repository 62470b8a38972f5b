"""Does it pay to choose where to look? Three networks read one digit among clutter.

The recurrent attention model (Mnih et al. 2014, https://arxiv.org/abs/1406.6247) sees a small window of the
canvas at a time and chooses where to put the next one. Beside it stand two controls: the same network with
its windows anywhere, at random, and a convolutional network of as many multiplications, which sees the whole
canvas.

All see the same batches for the same number of steps. In the first of these both recurrent models, which are
one until then, are *shown* where to look: every second window is put on the digit, give or take a few pixels,
and the others anywhere. The paper's have no such help, and millions of steps. Without it, a network that
recognises nothing yet cannot learn where to look, since looking anywhere is worth the same to it. Each learning
rate is tried, and the one with the better accuracy on validation scenes is tested.
"""

from __future__ import annotations

import argparse
import copy
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.data.scenes import SIDE, digit_images
from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least
from attnbook.nn.glimpses import Glimpses, RecurrentAttentionModel, glimpse_loss
from attnbook.training.evaluating import evaluating
from attnbook.training.schedules import warmup_linear

ABOUT = "a digit among clutter: learned glimpses, random glimpses and a convolutional network of equal cost"

CLASSES, CANVAS, PIECES, PIECE = 5, 20, 3, 3  # the digits 0 to 4; three 3 × 3 pieces of other digits
BATCH, TEST, SHOWN = 64, 1000, 6
INK = (
    3.0  # what full ink is multiplied by: most pixels are 0, and a network learns faster from larger numbers
)
SHOWN_SHARE, JITTER = 0.375, 3  # of the steps; pixels by which a window that is shown misses the digit
RATES = (2e-3, 4e-3)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long each network is trained."""
    parser.add_argument("--steps", type=int, default=1600, metavar="N", help="steps (default 1600)")


def cluttered_digits(n: int, generator: torch.Generator, part: str) -> tuple[Tensor, Tensor, Tensor]:
    """Canvases with one digit anywhere, and pieces of other digits.

    Parameters
    ----------
    n : int
    generator : torch.Generator
    part : "train", "validation" or "test"
        Of which digit images digit and pieces are made.

    Returns
    -------
    image : (n, CANVAS, CANVAS)
        From 0 to ``INK``.
    label : (n) of int
    corner : (n, 2) of int
        Row and column of the digit's upper left pixel.
    """
    digits = digit_images(part)
    ours = digits.labels < CLASSES
    images, labels = digits.images[ours] * INK, digits.labels[ours]
    canvas = torch.zeros(n, CANVAS, CANVAS)

    def anywhere(size: int) -> Tensor:
        return torch.randint(CANVAS - size + 1, (n, 2), generator=generator)

    def paste(patch: Tensor, corner: Tensor) -> None:
        steps = torch.arange(patch.shape[-1])
        rows = (corner[:, :1] + steps).unsqueeze(2)
        columns = (corner[:, 1:] + steps).unsqueeze(1)
        each = torch.arange(n)[:, None, None]
        canvas[each, rows, columns] = torch.maximum(canvas[each, rows, columns], patch)

    for _ in range(PIECES):
        source = images[torch.randint(len(images), (n,), generator=generator)]
        windows = source.unfold(1, PIECE, 1).unfold(2, PIECE, 1)
        top, left = torch.randint(SIDE - PIECE + 1, (2, n), generator=generator)
        paste(windows[torch.arange(n), top, left], anywhere(PIECE))
    chosen = torch.randint(len(images), (n,), generator=generator)
    corner = anywhere(SIDE)
    paste(images[chosen], corner)
    return canvas, labels[chosen], corner


class ConvNet(nn.Module):
    """Three convolutions and two layers, of about as many multiplications as the recurrent model."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 24, 3, padding=1),
            nn.ReLU(),
        )
        width = CANVAS // 4
        self.layers = nn.Sequential(nn.Linear(24 * width**2, 64), nn.ReLU(), nn.Linear(64, CLASSES))

    def forward(self, image: Tensor) -> Tensor:
        """image (batch, CANVAS, CANVAS) → logits (batch, CLASSES)."""
        return self.layers(self.convolutions(image.unsqueeze(1)).flatten(1))

    def multiply_adds(self, canvas: int = CANVAS) -> int:
        """For one image: a convolution's weights are used once at every place of its output."""
        total, width = 0, canvas
        for layer in self.convolutions:
            if isinstance(layer, nn.Conv2d):
                width = (width - 1) // layer.stride[0] + 1
                total += layer.weight.numel() * width**2
        first = self.layers[0].out_features * self.convolutions[4].out_channels * width**2
        return total + first + self.layers[2].weight.numel()


def recurrent() -> RecurrentAttentionModel:
    """A new recurrent attention model: 3 glimpses of two windows, 10 × 10 and 30 × 30 pixels."""
    return RecurrentAttentionModel(CLASSES, size=10, scales=2, growth=3, n_glimpses=3, deviation=0.2)


def look(model: RecurrentAttentionModel, image: Tensor, locations: Tensor | None = None) -> Glimpses:
    """The first glimpse in the middle of the canvas, where the wide window sees all of it."""
    return model(image, image.new_zeros(len(image), 2), locations)


def shown_locations(corner: Tensor, generator: torch.Generator) -> Tensor:
    """Two windows for each digit, (batch, 2, 2): near its middle or anywhere, each with probability ½."""
    n = len(corner)
    off = torch.randint(-JITTER, JITTER + 1, (n, 2, 2), generator=generator)
    near = (corner.unsqueeze(1) + (SIDE - 1) / 2 + off) / (CANVAS - 1) * 2 - 1
    anywhere = 2 * torch.rand(n, 2, 2, generator=generator) - 1
    return torch.where(torch.rand(n, 2, 1, generator=generator) < 0.5, near.clamp(-1, 1), anywhere)


def loss_of(model: nn.Module, image: Tensor, label: Tensor, locations: Tensor | None = None) -> Tensor:
    """Cross-entropy, and for a recurrent model what teaches it to look."""
    if isinstance(model, RecurrentAttentionModel):
        return glimpse_loss(look(model, image, locations), label)[0]
    return nn.functional.cross_entropy(model(image), label)


def accuracy(model: nn.Module, image: Tensor, label: Tensor) -> float:
    """Share of right answers."""
    with evaluating(model), torch.no_grad():
        logits = look(model, image).logits if isinstance(model, RecurrentAttentionModel) else model(image)
    return (logits.argmax(dim=1) == label).float().mean().item()


class Training:
    """A network on its way: steps on batches that are the same for every network of a seed."""

    def __init__(self, model: nn.Module, rate: float, steps: int, seed: int, device: torch.device):
        self.model, self.steps, self.done, self.device = model.to(device), steps, 0, device
        self.optimiser = torch.optim.Adam(self.model.parameters(), lr=rate)
        self.rate, self.schedule = rate, warmup_linear(0, steps, hold=0.5)
        self.batches = torch.Generator().manual_seed(seed)

    def go_on(self, until: int, shown: bool = False) -> nn.Module:
        """Train up to step ``until``; with ``shown``, windows are put on the digit or anywhere."""
        for step in range(self.done, until):
            image, label, corner = cluttered_digits(BATCH, self.batches, "train")
            locations = shown_locations(corner, self.batches).to(self.device) if shown else None
            for group in self.optimiser.param_groups:
                group["lr"] = self.rate * self.schedule(step)
            loss = loss_of(self.model, image.to(self.device), label.to(self.device), locations)
            self.optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
            self.optimiser.step()
        self.done = until
        return self.model


def trained(kind: str, rate: float, steps: int, seed: int, device: torch.device) -> dict[str, nn.Module]:
    """The networks of one seed and rate: "learned" and "random" together, or "convolutional"."""
    set_seed(seed)
    if kind == "convolutional":
        return {kind: Training(ConvNet(), rate, steps, seed, device).go_on(steps)}
    start = Training(recurrent(), rate, steps, seed, device)
    start.go_on(round(SHOWN_SHARE * steps), shown=True)
    found = {}
    for policy in ("learned", "random"):
        branch = copy.deepcopy(start)
        branch.model.policy = policy
        found[policy] = branch.go_on(steps)
    return found


def on_the_digit(found: Glimpses, corner: Tensor) -> Tensor:
    """(batch, n_glimpses): whether the middle of each window is at most two pixels off the digit's middle."""
    pixels = (found.locations + 1) / 2 * (CANVAS - 1)
    middle = corner.unsqueeze(1) + (SIDE - 1) / 2
    return (pixels - middle).abs().amax(dim=-1) <= 2


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Test accuracy of each network, where the recurrent ones looked, and some paths.

    Raises
    ------
    ValueError
        If ``--steps`` is not at least 1.
    """
    at_least(options, 1, "steps")
    image, label, corner = cluttered_digits(TEST, torch.Generator().manual_seed(10_000), "test")
    image, label, corner = image.to(device), label.to(device), corner.to(device)
    validation = cluttered_digits(TEST, torch.Generator().manual_seed(20_000), "validation")
    best: dict[str, tuple[float, float, nn.Module]] = {}
    for kind in ("recurrent", "convolutional"):
        for rate in RATES:
            for name, model in trained(kind, rate, options.steps, seed, device).items():
                score = accuracy(model, validation[0].to(device), validation[1].to(device))
                if name not in best or score > best[name][0]:
                    best[name] = (score, rate, model)
    found: dict[str, Any] = {
        "accuracy": {name: accuracy(model, image, label) for name, (_, _, model) in best.items()},
        "rate": {name: rate for name, (_, rate, _) in best.items()},
        "on the digit": {},
    }
    set_seed(seed)  # the random windows of the test
    for name in ("learned", "random"):
        model = best[name][2]
        with evaluating(model), torch.no_grad():
            looks = look(model, image)
        hits = on_the_digit(looks, corner).float().mean(dim=0).tolist()
        found["on the digit"][name] = {f"glimpse {t + 1}": hit for t, hit in enumerate(hits)}
        found[f"paths, {name}"] = {
            str(k): {
                "locations": [[round(x, 3) for x in at] for at in looks.locations[k].tolist()],
                "said": str(looks.logits[k].argmax().item()),
            }
            for k in range(SHOWN)
        }
    return found
