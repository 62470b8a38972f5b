"""Draw a small digit that lies anywhere on a larger canvas: DRAW with attention and without, and a VAE.

Gregor et al. 2015 (https://arxiv.org/abs/1502.04623) at a size for a CPU: scikit-learn's 8 × 8 digits,
made black and white and put at a random place on 20 × 20 pixels. All models get the same digits at the same
places in the same order, the same number of steps, and a learning rate that each chooses from the same grid.

Beside the bound in nats it is measured *where the windows go*: how far from the digit, how far from another
picture's digit (what a window that ignores its picture would get), and by how much a window moves when the
digit is moved and nothing else is changed.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.experiments.options import at_least
from attnbook.extras import needs
from attnbook.nn import DRAW, VAE
from attnbook.training.fit import fit

ABOUT = (
    "DRAW with attention, with windows kept inside, without attention, and a VAE, on digits placed anywhere"
)

SIDE, DIGIT, STEPS = 20, 8, 6
TRAINED, VALIDATED = 1297, 200  # digits; the other 300 are the test
RATES = (0.002, 0.004, 0.008)
EXACT = 5  # draws of z for each test picture
# The state of the model without attention has 34 numbers in place of 96, which makes its parameters as many:
# it reads and writes 400 pixels at each step, which takes large matrices. The fourth has the state of 96.
SMALL = 34
WHOLE: dict[str, Any] = {"read_size": None, "write_size": None}
MODELS: dict[str, Callable[[], nn.Module]] = {
    "with attention": lambda: DRAW(SIDE, SIDE, STEPS, start=faint()),
    "windows kept inside": lambda: DRAW(SIDE, SIDE, STEPS, inside=True, start=faint()),
    "without attention": lambda: DRAW(SIDE, SIDE, STEPS, SMALL, start=faint(), **WHOLE),
    "without, same state": lambda: DRAW(SIDE, SIDE, STEPS, start=faint(), **WHOLE),
    "VAE": lambda: VAE(SIDE, SIDE, hidden=147, latent=48, start=faint()),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every model gets the same."""
    add = parser.add_argument
    add("--steps", type=int, default=2500, metavar="N", help="training steps (default 2500)")
    add("--grid-steps", type=int, default=250, metavar="N", help="steps for each learning rate (default 250)")
    add("--batch", type=int, default=64, metavar="N", help="pictures a step (default 64)")


@cache
def digits(seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """scikit-learn's 1,797 digits, 8 × 8, each pixel 0 or 1: training, validation, test.

    Parameters
    ----------
    seed : int
        Of the split.
    """
    with needs("experiments"):
        from sklearn.datasets import load_digits
    pixels, _ = load_digits(return_X_y=True)
    images = torch.as_tensor(pixels, dtype=torch.float32).reshape(-1, DIGIT, DIGIT)
    images = (images >= 8).float()  # of 16 greys
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    ends = (TRAINED, VALIDATED, len(images) - TRAINED - VALIDATED)
    training, validation, test = images[order].split(ends)
    return training, validation, test


@cache
def faint() -> float:
    """The logit of the average pixel of the training pictures: how every model's canvas begins."""
    training, _, _ = digits()
    ink = training.mean().item() * (DIGIT / SIDE) ** 2
    return math.log(ink / (1 - ink))


def corners(count: int, generator: torch.Generator) -> Tensor:
    """Where to put the digits' upper left corners, at random: (count, 2), row and column."""
    return torch.randint(SIDE - DIGIT + 1, (count, 2), generator=generator)


def placed(images: Tensor, corner: Tensor) -> Tensor:
    """Digits (count, 8, 8) at their places on empty canvases (count, 20, 20).

    Raises
    ------
    ValueError
        If a digit would leave the canvas.
    """
    if corner.numel() and not (corner.min() >= 0 and corner.max() <= SIDE - DIGIT):
        raise ValueError(
            f"corner: expected places from 0 to {SIDE - DIGIT}, got {corner.min()} to {corner.max()}; "
            "draw them with corners(...)"
        )
    canvas = images.new_zeros(len(images), SIDE, SIDE)
    within = torch.arange(DIGIT)
    rows = (corner[:, :1] + within)[:, :, None]  # (count, 8, 1)
    columns = (corner[:, 1:] + within)[:, None, :]  # (count, 1, 8)
    canvas[torch.arange(len(images))[:, None, None], rows, columns] = images
    return canvas


def middles(pictures: Tensor) -> Tensor:
    """The middle of the ink, x and y in pixels: (count, height, width) to (count, 2)."""
    ink = pictures.sum(dim=(1, 2)).clamp(min=1e-6)
    where = torch.arange(pictures.shape[-1], dtype=pictures.dtype)
    x = (pictures.sum(dim=1) * where).sum(dim=-1) / ink
    y = (pictures.sum(dim=2) * where).sum(dim=-1) / ink
    return torch.stack([x, y], dim=-1)


def by_step(values: Tensor) -> dict[str, float]:
    """(steps,) under the numbers of the steps, from 1."""
    return {str(step): value for step, value in enumerate(values.tolist(), 1)}


def distance(window: Tensor, middle: Tensor) -> Tensor:
    """Mean distance of windows (count, steps, 5) from points (count, 2), in pixels: (steps,)."""
    return (window[..., :2] - middle[:, None]).norm(dim=-1).mean(dim=0)


def follows(first: Tensor, second: Tensor, moved: Tensor) -> Tensor:
    """By how many pixels a window moves when its digit is moved by one: (steps,).

    The slope of least squares of the windows' movement on the digits', x and y together: 1 where a window
    goes with the digit, 0 where it stays.

    Parameters
    ----------
    first, second : (count, steps, 5)
        Windows on the same digits in two places.
    moved : (count, 2)
        By how much each digit was moved, x and y.
    """
    movement = second[..., :2] - first[..., :2]  # (count, steps, 2)
    return (movement * moved[:, None]).sum(dim=(0, 2)) / (moved**2).sum()


def share_inside(canvases: Tensor, first: Tensor, corner: Tensor) -> Tensor:
    """Share of each step's change that falls into the digit's own 8 × 8 pixels: (steps,).

    Parameters
    ----------
    canvases : (count, steps, 20, 20)
        In logits.
    first : (20, 20)
        The canvas before the first step.
    corner : (count, 2)
    """
    before = torch.cat([first.expand(len(canvases), 1, -1, -1), canvases[:, :-1]], dim=1)
    change = (torch.sigmoid(canvases) - torch.sigmoid(before)).abs()
    box = placed(torch.ones(len(corner), DIGIT, DIGIT), corner)[:, None]
    return ((change * box).sum(dim=(2, 3)) / change.sum(dim=(2, 3)).clamp(min=1e-9)).mean(dim=0)


@torch.no_grad()
def where_windows_go(model: DRAW, seed: int) -> dict[str, Any]:
    """Of the test digits, each in two places: distances, movement, size, and share of the change.

    A model without windows has the share alone.
    """
    _, _, test = digits()
    generator = torch.Generator().manual_seed(1000 + seed)
    corner, elsewhere = corners(len(test), generator), corners(len(test), generator)
    noise = torch.randn(len(test), model.steps, model.latent, generator=generator)
    drawn = model(placed(test, corner), noise)
    again = model(placed(test, elsewhere), noise)
    middle = middles(placed(test, corner))
    found: dict[str, Any] = {
        "change inside": by_step(share_inside(drawn.canvases, model.first_canvas, corner)),
    }
    dreamt = model.generate(noise)
    dream = middles(torch.sigmoid(dreamt.canvases[:, -1]))
    for name, window, moved in (
        ("read", drawn.read, again.read),
        ("write", drawn.write, again.write),
        ("write, from noise", dreamt.write, None),
    ):
        if window is None:
            continue
        point = middle if moved is not None else dream
        span = (window[..., 2] * 4).mean(dim=0)  # N − 1 = 4 strides from the first filter to the last
        outside = ((window[..., :2] < 0) | (window[..., :2] > SIDE - 1)).any(dim=-1).float().mean(dim=0)
        found[name] = {
            "distance": by_step(distance(window, point)),
            "distance from another's": by_step(distance(window, point.roll(1, dims=0))),
            "span": by_step(span),
            "centre outside": by_step(outside),
        }
        if moved is not None:
            shift = (elsewhere - corner).flip(-1).float()  # x, y
            found[name]["follows"] = by_step(follows(window, moved, shift))
    return found


def mean_bound(model: Any, pictures: Tensor) -> Tensor:
    """What is trained: the mean bound of some pictures."""
    return model.bound(pictures).mean()


def train(
    build: Callable[[], nn.Module], seed: int, steps: int, rate: float, batch: int
) -> tuple[nn.Module, dict[str, float]]:
    """A model trained with one learning rate, and its bound on validation digits by step, in nats.

    The rate rises over 50 steps, stays for half of the run and then falls to 0 in a straight line. The
    weights are those of the best validation.
    """
    training, validation, _ = digits()
    torch.manual_seed(seed)
    model: Any = build()
    generator = torch.Generator().manual_seed(seed)
    batches = [
        placed(
            training[torch.randint(len(training), (batch,), generator=generator)], corners(batch, generator)
        )
        for _ in range(steps)
    ]
    fixed = torch.Generator().manual_seed(7)
    held = placed(validation, corners(len(validation), fixed))
    z_size = (len(held), STEPS, model.latent) if isinstance(model, DRAW) else (len(held), model.latent)
    noise = torch.randn(z_size, generator=fixed)  # the same at each validation
    curve: dict[str, float] = {}
    every = max(1, steps // 10)

    def validate(model: Any) -> float:
        nats = model.bound(held, noise).mean().item()
        curve[str(every * (len(curve) + 1))] = nats
        return nats

    fit(
        model, batches, steps=steps, learning_rate=rate, seed=seed, clip=5.0, progress=False,
        loss=mean_bound,
        schedule=lambda step: min((step + 1) / 50, 1.0, 2 * (1 - step / steps)),
        validate=validate, validate_every=every, keep_best=True,
    )  # fmt: skip
    return model.eval(), curve


def choose(options: argparse.Namespace, name: str, seed: int) -> dict[str, float]:
    """The validation bound of a short run with each learning rate."""
    found = {}
    for rate in RATES:
        _, curve = train(MODELS[name], seed, options.grid_steps, rate, options.batch)
        found[str(rate)] = min(curve.values())
    return found


@torch.no_grad()
def test_bound(model: Any, seed: int) -> float:
    """Mean bound of the test digits in nats, each in one place, with ``EXACT`` draws of z."""
    _, _, test = digits()
    pictures = placed(test, corners(len(test), torch.Generator().manual_seed(1000 + seed)))
    torch.manual_seed(2000 + seed)
    return torch.stack([model.bound(pictures) for _ in range(EXACT)]).mean().item()


def frequencies_bound() -> float:
    """Nats of the test digits if each pixel of the canvas is on as often as in training, for comparison.

    Over all places, each of which is equally likely.
    """
    training, _, test = digits()
    places = SIDE - DIGIT + 1
    every = torch.cartesian_prod(torch.arange(places), torch.arange(places))
    mean = placed(training.mean(dim=0).expand(len(every), -1, -1).contiguous(), every).mean(dim=0)
    mean = mean.clamp(1e-4, 1 - 1e-4)
    on = placed(test.mean(dim=0).expand(len(every), -1, -1).contiguous(), every).mean(dim=0)
    return -(on * mean.log() + (1 - on) * (1 - mean).log()).sum().item()


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """By model: bound on test digits, curve, chosen rate, parameters, CPU seconds, and where windows go.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "grid_steps", "batch")
    found: dict[str, dict] = {
        key: {}
        for key in (
            *("bound", "validation", "rate", "grid", "parameters", "CPU seconds"),
            *("windows", "untrained windows"),
        )
    }
    for name, build in MODELS.items():
        found["grid"][name] = choose(options, name, seed)
        rate = min(RATES, key=lambda rate: found["grid"][name][str(rate)])
        started = time.process_time()
        model, curve = train(build, seed, options.steps, rate, options.batch)
        found["CPU seconds"][name] = time.process_time() - started
        found["rate"][name] = rate
        found["validation"][name] = curve
        found["parameters"][name] = sum(parameter.numel() for parameter in model.parameters())
        found["bound"][name] = test_bound(model, seed)
        if isinstance(model, DRAW):
            torch.manual_seed(seed)
            untrained: Any = build()
            found["windows"][name] = where_windows_go(model, seed)
            found["untrained windows"][name] = where_windows_go(untrained, seed)
    _, _, test = digits()
    corner = corners(len(test), torch.Generator().manual_seed(1000 + seed))
    middle = middles(placed(test, corner))
    found["baseline"] = {
        "pixel frequencies": frequencies_bound(),
        "distance of the canvas's middle": (middle - (SIDE - 1) / 2).norm(dim=-1).mean().item(),
        "area of the box": (DIGIT / SIDE) ** 2,
    }
    return found
