"""Can a network learn where to look? One handwritten digit on a canvas of nine times its size.

The recurrent attention model (Mnih et al. 2014, https://arxiv.org/abs/1406.6247) takes three glimpses of two
windows each, one of 8 × 8 pixels and one of 24 × 24 that is shrunk to 8 × 8. The first stands in the middle
of the canvas, so that its wide window sees nearly all of it, and the two others are chosen. The canvas is
clear, or four pieces of other digits lie on it. Compared are

- ``on the digit``: both windows are put on the digit, in training and in the test (the ceiling);
- ``in the middle`` and ``at random``: both windows stand there (the floor);
- ``learned, stopped``: in the first steps windows are put near the digit or anywhere; then REINFORCE teaches
  the layer that predicts the next location, and its gradient stops there;
- ``learned``: the same, with the gradient going on into the state;
- ``learned, not shown``: the same without the first steps, which use what only the maker of a scene knows;
- ``convolutional``: a convolutional network of as many multiplications, which sees the whole canvas.

All see the same scenes for the same number of steps. A linear read-out of the state behind the first glimpse
says whether the network knows where the digit is.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.data.scenes import SIDE, digit_images
from attnbook.devices import seed as set_seed
from attnbook.experiments.kept_trials import SEARCH_SEED, best_rate, kept
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.nn.glimpses import Glimpses, RecurrentAttentionModel, glimpse_loss, multiply_adds
from attnbook.training.schedules import warmup_linear

ABOUT = (
    "a digit on a large canvas: glimpses that are learned, given or at random, and a convolutional network"
)

CLASSES, CANVAS, PIECE = 10, 24, 4
PIECES = {"clear": 0, "cluttered": 4}
N_GLIMPSES, DEVIATION = 3, 0.2  # σ in units of half a canvas: 2.3 pixels
BATCH, TEST, SHOWN = 64, 1000, 6
INK = 3.0  # what full ink is multiplied by: most pixels are 0
SHOWN_SHARE, JITTER = 0.3, 0.25  # of the steps; by how much a window that is shown may miss, as a location
NEAR = 2  # pixels by which a window on the digit may miss its middle
KINDS = ("on the digit", "in the middle", "at random", "learned, stopped", "learned", "learned, not shown",
         "convolutional")  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long each network is trained, and the rates to choose from."""
    add = parser.add_argument
    add("--steps", type=int, default=800, metavar="N", help="steps of 64 scenes (default 800)")
    add("--learning-rates", type=float, nargs="+", default=[2e-3, 4e-3], metavar="R",
        help="tried on seed 0 and clear scenes (default .002 .004)")  # fmt: skip
    add("--scenes", nargs="+", choices=PIECES, default=list(PIECES), help="on which canvases (default both)")
    add("--kinds", nargs="+", choices=KINDS, default=list(KINDS), help="which networks (default all)")


# ---- scenes ----------------------------------------------------------------------------------------


def scenes(n: int, generator: torch.Generator, part: str, pieces: int) -> tuple[Tensor, Tensor, Tensor]:
    """Canvases with one digit anywhere, and pieces of other digits.

    Parameters
    ----------
    n : int
    generator : torch.Generator
    part : "train", "validation" or "test"
        Of which digit images digit and pieces are made.
    pieces : int
        How many, of 4 × 4 pixels.

    Returns
    -------
    image : (n, CANVAS, CANVAS)
        From 0 to ``INK``.
    label : (n) of int
    middle : (n, 2)
        Row and column of the digit's middle, from −1 to 1 as the locations of glimpses.
    """
    digits = digit_images(part)
    images, labels = digits.images * INK, digits.labels
    canvas = torch.zeros(n, CANVAS, CANVAS)
    every = torch.arange(n)

    def paste(patch: Tensor) -> Tensor:
        side = patch.shape[-1]
        corner = torch.randint(CANVAS - side + 1, (n, 2), generator=generator)
        rows = (corner[:, :1] + torch.arange(side)).unsqueeze(2)
        columns = (corner[:, 1:] + torch.arange(side)).unsqueeze(1)
        at = (every[:, None, None], rows, columns)
        canvas[at] = torch.maximum(canvas[at], patch)
        return corner

    for _ in range(pieces):
        source = images[torch.randint(len(images), (n,), generator=generator)]
        windows = source.unfold(1, PIECE, 1).unfold(2, PIECE, 1)
        top, left = torch.randint(SIDE - PIECE + 1, (2, n), generator=generator)
        paste(windows[every, top, left])
    chosen = torch.randint(len(images), (n,), generator=generator)
    corner = paste(images[chosen])
    return canvas, labels[chosen], (corner + (SIDE - 1) / 2) / (CANVAS - 1) * 2 - 1


# ---- networks --------------------------------------------------------------------------------------


class ConvNet(nn.Module):
    """Three convolutions and two layers, of about as many multiplications as the recurrent model."""

    def __init__(self):
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.Conv2d(1, 8, 5, stride=2, padding=2),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(16, 16, 3, padding=1),
            nn.ReLU(),
        )
        self.layers = nn.Sequential(nn.Linear(16 * (CANVAS // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, CLASSES))

    def forward(self, image: Tensor) -> Tensor:
        """image (batch, CANVAS, CANVAS) → logits (batch, CLASSES)."""
        return self.layers(self.convolutions(image.unsqueeze(1)).flatten(1))

    def multiply_adds(self) -> int:
        """For one image: a convolution's weights are used once at every place of its output."""
        total, width = 0, CANVAS
        for layer in self.convolutions:
            if isinstance(layer, nn.Conv2d):
                width = (width - 1) // layer.stride[0] + 1
                total += layer.weight.numel() * width**2
        return total + sum(layer.weight.numel() for layer in self.layers if isinstance(layer, nn.Linear))


def recurrent(kind: str) -> RecurrentAttentionModel:
    """An untrained network that takes glimpses."""
    return RecurrentAttentionModel(
        CLASSES, size=SIDE, scales=2, growth=3, n_glimpses=N_GLIMPSES, deviation=DEVIATION,
        stop_gradient=kind == "learned, stopped",
    )  # fmt: skip


def build(kind: str) -> nn.Module:
    """An untrained network of this kind."""
    return ConvNet() if kind == "convolutional" else recurrent(kind)


def anywhere(n: int, generator: torch.Generator) -> Tensor:
    """Locations over the whole canvas, (n, N_GLIMPSES − 1, 2)."""
    return 2 * torch.rand(n, N_GLIMPSES - 1, 2, generator=generator) - 1


def told(kind: str, middle: Tensor, generator: torch.Generator, shown: bool = False) -> Tensor | None:
    """Where the windows behind the first are put, (n, N_GLIMPSES − 1, 2); None where the network chooses."""
    on = middle.unsqueeze(1).expand(-1, N_GLIMPSES - 1, 2)
    if kind == "on the digit":
        return on
    if kind == "in the middle":
        return torch.zeros_like(on)
    if kind == "at random":
        return anywhere(len(middle), generator)
    if not shown:
        return None
    near = on + JITTER * anywhere(len(middle), generator)
    half = torch.rand(len(middle), N_GLIMPSES - 1, 1, generator=generator) < 0.5
    return torch.where(half, near, anywhere(len(middle), generator)).clamp(-1, 1)


def look(model: RecurrentAttentionModel, image: Tensor, locations: Tensor | None) -> Glimpses:
    """Three glimpses, the first in the middle."""
    return model(image, image.new_zeros(len(image), 2), locations)


def trained(
    kind: str, canvas: str, rate: float, steps: int, seed: int, device: torch.device
) -> tuple[nn.Module, list[float]]:
    """A network, and its training accuracy over each tenth of the steps."""
    set_seed(seed)
    model = build(kind).to(device).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=rate)
    generator = torch.Generator().manual_seed(seed)
    placed = torch.Generator().manual_seed(seed + 1000)  # so that all kinds see the same scenes
    schedule = warmup_linear(0, steps, hold=0.5)
    right: list[float] = []
    for step in range(steps):
        image, label, middle = scenes(BATCH, generator, "train", PIECES[canvas])
        shown = kind in ("learned", "learned, stopped") and step < SHOWN_SHARE * steps
        at = told(kind, middle, placed, shown)
        image, label, at = image.to(device), label.to(device), None if at is None else at.to(device)
        for group in optimiser.param_groups:
            group["lr"] = rate * schedule(step)
        if isinstance(model, RecurrentAttentionModel):
            found = look(model, image, at)
            logits = found.logits
            loss = (
                nn.functional.cross_entropy(logits, label)
                if at is not None
                else glimpse_loss(found, label)[0]
            )
        else:
            logits = model(image)
            loss = nn.functional.cross_entropy(logits, label)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        right.append((logits.argmax(dim=1) == label).float().mean().item())
    tenth = max(1, steps // 10)
    return model.eval(), [sum(right[i : i + tenth]) / tenth for i in range(0, tenth * 10, tenth) if right[i:]]


# ---- measures --------------------------------------------------------------------------------------


def on_the_digit(locations: Tensor, middle: Tensor) -> Tensor:
    """(batch, n_glimpses) of bool: the window's middle is at most ``NEAR`` pixels off the digit's."""
    off = (locations - middle.unsqueeze(1)) * (CANVAS - 1) / 2
    return off.abs().amax(dim=-1) <= NEAR + 1e-4


@torch.no_grad()
def known_location(model: RecurrentAttentionModel, canvas: str, device: torch.device) -> float:
    """Share of test scenes in which a linear read-out of the state behind the first glimpse finds the digit;
    it is fitted to 3,000 other scenes by least squares.
    """

    def state(part: str, n: int, seed: int) -> tuple[Tensor, Tensor]:
        image, _, middle = scenes(n, torch.Generator().manual_seed(seed), part, PIECES[canvas])
        g = model.glimpse(image.to(device), torch.zeros(n, 2, device=device))
        hidden = torch.relu(model.keep(torch.zeros(n, model.keep.in_features, device=device)) + model.take(g))
        return torch.cat([hidden.cpu(), torch.ones(n, 1)], dim=1), middle

    hidden, middle = state("train", 3000, 30_000)
    # a little ridge, since some units are always 0
    gram = hidden.T @ hidden + 1e-2 * torch.eye(hidden.shape[1])
    weights = torch.linalg.solve(gram, hidden.T @ middle)
    hidden, middle = state("test", TEST, 10_000)
    return on_the_digit((hidden @ weights).unsqueeze(1), middle).float().mean().item()


@torch.no_grad()
def measured(model: nn.Module, kind: str, canvas: str, device: torch.device) -> dict[str, Any]:
    """Accuracy on validation and test scenes; for a recurrent model where it looked, what it says with the
    windows put elsewhere, whether it knows where the digit is, and some paths.
    """
    found: dict[str, Any] = {}
    for part, seed in (("validation", 20_000), ("test", 10_000)):
        image, label, middle = scenes(TEST, torch.Generator().manual_seed(seed), part, PIECES[canvas])
        image, label = image.to(device), label.to(device)
        if not isinstance(model, RecurrentAttentionModel):
            found[part] = (model(image).argmax(dim=1) == label).float().mean().item()
            continue

        def right(at: Tensor | None, image: Tensor = image, label: Tensor = label) -> tuple[float, Glimpses]:
            seen = look(model, image, None if at is None else at.to(device))
            return (seen.logits.argmax(dim=1) == label).float().mean().item(), seen

        generator = torch.Generator().manual_seed(seed)
        found[part], seen = right(told(kind, middle, generator))
    if isinstance(model, RecurrentAttentionModel):  # the test scenes are the last
        hits = on_the_digit(seen.locations.cpu(), middle).float().mean(dim=0).tolist()
        found["hits"] = hits
        elsewhere = {name: told(name, middle, generator) for name in ("on the digit", "at random")}
        found["with windows"] = {name: right(at)[0] for name, at in elsewhere.items()}
        found["known location"] = known_location(model, canvas, device)
        found["paths"] = [
            {
                "locations": [[round(x, 3) for x in at] for at in seen.locations[k].tolist()],
                "said": int(seen.logits[k].argmax()),
            }
            for k in range(SHOWN)
        ]
    return found


# ---- the run ---------------------------------------------------------------------------------------


def trial(
    kind: str, canvas: str, rate: float, seed: int, options: argparse.Namespace, device: torch.device
) -> dict[str, Any]:
    """Train and measure one network, or take from the package's cache what was found before."""
    wanted = {
        "kind": kind, "canvas": canvas, "rate": rate, "seed": seed, "steps": options.steps,
        "device": device.type,
    }  # fmt: skip

    def anew() -> dict[str, Any]:
        model, curve = trained(kind, canvas, rate, options.steps, seed, device)
        return {**measured(model, kind, canvas, device), "curve": curve, "rate": rate}

    return kept("glimpses", wanted, anew)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Every network of one seed, at the rate that was best for its kind on seed 0 and clear scenes.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps")
    learning_rates_above_zero(options.learning_rates)
    found: dict[str, Any] = {
        "multiplications": {
            "recurrent": multiply_adds(recurrent("learned")),
            "convolutional": ConvNet().multiply_adds(),
        }
    }
    for canvas in options.scenes:
        for kind in options.kinds:
            right = {
                r: trial(kind, "clear", r, SEARCH_SEED, options, device)["validation"]
                for r in options.learning_rates
            }
            rate, tried = best_rate(right, highest=True)
            run = trial(kind, canvas, rate, seed, options, device)
            found.setdefault(canvas, {})[kind] = {**run, "rates tried": tried}
    return found
