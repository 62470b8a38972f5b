"""A Vision Transformer against a convolutional network of the same size, by the number of training digits.

Both have about 26,800 parameters and are trained by the rule of :mod:`attnbook.experiments.digit_training`.
Three conditions: the digits as they are; each moved a little whenever it is seen; and, as a control, all
pixels of every digit put in one random order, the same for all digits. The order takes nothing from a layer
that connects every pixel with every pixel, and takes from a convolution that neighbours belong together.

``--ship NAME`` trains the Vision Transformer on moved digits for ``--ship-steps`` and stores it in
:mod:`attnbook.models`.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.experiments import digit_training
from attnbook.experiments.digit_training import Batches, digits, measured, moved
from attnbook.experiments.options import at_least
from attnbook.nn import ViT

ABOUT = "a Vision Transformer and a convolutional network of equal size, by the number of training digits"

SIZES = (50, 200, 500, 1197)
SHUFFLED_SIZES = (200, 1197)
STRENGTH = 0.6  # of the movements


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long each network is trained."""
    add = parser.add_argument
    add("--steps", type=int, default=1000, metavar="N", help="training steps of 32 digits (default 1000)")


def vision_transformer() -> ViT:
    """16 patches of 2 × 2 pixels, 3 layers of 4 heads."""
    return ViT(8, 2, 10, d_model=32, n_heads=4, n_layers=3, d_ff=64)


def convolutional() -> nn.Module:
    """Three 3 × 3 convolutions, a maximum over 2 × 2 after the second, the mean over all positions."""
    return nn.Sequential(
        nn.Conv2d(1, 20, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(20, 36, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(36, 60, 3, padding=1),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(60, 10),
    )


MODELS = {"ViT": vision_transformer, "CNN": convolutional}


def shuffled(images: Tensor) -> Tensor:
    """All pixels of each picture in one random order, the same for all pictures."""
    order = torch.randperm(images.shape[-1] ** 2, generator=torch.Generator().manual_seed(12))
    return images.flatten(2)[..., order].reshape(images.shape)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Test accuracy of each network in each condition, and how it was trained.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps")
    accuracy: dict[str, dict[str, dict[str, float]]] = {}
    trained: dict[str, dict[str, dict[str, Any]]] = {}
    conditions = {"as they are": SIZES, "moved": SIZES, "pixels shuffled": SHUFFLED_SIZES}
    for condition, sizes in conditions.items():
        view = shuffled if condition == "pixels shuffled" else lambda images: images
        change = partial(moved, strength=STRENGTH) if condition == "moved" else None

        def seen(part: str, n: int | None = None, seed: int = 0, view=view) -> digit_training.Digits:
            images, labels = digits(part, n, seed)
            return view(images), labels

        test = digit_training.on(seen("test"), device)
        for name, build in MODELS.items():
            for n in sizes:
                model, facts = digit_training.train_at_best_rate(
                    build,
                    lambda chosen, n=n, seen=seen, change=change: Batches(seen("train", n, chosen), change),
                    seen("validation"),
                    (condition, name, n),
                    steps=options.steps,
                    seed=seed,
                    first_seed=options.first_seed,
                    device=device,
                )
                right = measured(model, test)["accuracy"]
                accuracy.setdefault(condition, {}).setdefault(name, {})[str(n)] = right
                trained.setdefault(condition, {}).setdefault(name, {})[str(n)] = facts
    return {
        "accuracy": accuracy,
        "training": trained,
        "parameters": {name: digit_training.parameters(build()) for name, build in MODELS.items()},
        "test digits": len(digits("test")[1]),
    }
