"""The Vision Transformer that ships: it names a digit that a reader draws.

scikit-learn's digits were scanned as black and white pictures of 32 × 32 pixels, and each of the 8 × 8
numbers counts the black pixels of a square of 4 × 4. A drawing is brought to 8 × 8 in the same way. For
training that way is gone backwards and forwards again: enlarge, move at random, call black what is above a
random level (a high one makes thin strokes), and count.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from attnbook.experiments import digit_training
from attnbook.experiments.digit_training import Batches, Digits, digits, measured, moved
from attnbook.experiments.options import at_least
from attnbook.experiments.shipping import Trained
from attnbook.nn import ViT

ABOUT = "a Vision Transformer that is trained to name drawn digits of 8 × 8 pixels, to ship"

CONFIGURATION: dict[str, Any] = {
    "image_size": 8,
    "patch_size": 2,
    "n_classes": 10,
    "d_model": 48,
    "n_heads": 4,
    "n_layers": 3,
    "d_ff": 96,
}
RATE = 3e-3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long it is trained."""
    add = parser.add_argument
    add("--steps", type=int, default=5000, metavar="N", help="training steps of 32 digits (default 5000)")


def redrawn(images: Tensor) -> Tensor:
    """The same digits as if drawn again: (digits, 1, 8, 8) → the same shape, multiples of 1/16."""
    large = F.interpolate(images, scale_factor=4, mode="bilinear", align_corners=False)
    level = 0.25 + 0.4 * torch.rand(len(images), 1, 1, 1, device=images.device)
    black = (moved(large) > level).to(images.dtype)
    return F.avg_pool2d(black, 4)


def test_digits() -> dict[str, Digits]:
    """The test digits as they are, and drawn again."""
    images, labels = digits("test")
    torch.manual_seed(20)
    return {"as they are": (images, labels), "redrawn": (redrawn(images), labels)}


def train(options: argparse.Namespace, seed: int, device: torch.device) -> tuple[ViT, float]:
    """The model of a seed, and its training loss at the end."""
    model, final = digit_training.train(
        lambda: ViT(**CONFIGURATION),
        Batches(digits("train"), redrawn),
        steps=options.steps,
        rate=RATE,
        seed=seed,
        device=device,
    )
    assert isinstance(model, ViT)
    return model, final


def scores(model: ViT, device: torch.device) -> dict[str, float]:
    """Accuracy and loss on the test digits, under one name each."""
    found = {}
    for name, given in test_digits().items():
        for kind, value in measured(model, digit_training.on(given, device)).items():
            found[f"{kind}, {name}"] = value
    return found


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """What a model scores on test digits.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps")
    model, final = train(options, seed, device)
    return {**scores(model, device), "training loss": final, "parameters": digit_training.parameters(model)}


def trained(options: argparse.Namespace, seed: int, device: torch.device) -> Trained:
    """The model of this seed, to ship."""
    model, _ = train(options, seed, device)
    return Trained(
        "vision_transformer",
        CONFIGURATION,
        model,
        measure=lambda: scores(model, device),
        room={"accuracy, as they are": -0.03, "accuracy, redrawn": -0.03},
    )
