"""What stands in the place of a 3 × 3 convolution: accuracy on digits, parameters, multiply-adds.

One small network in which the two middle layers are exchanged: 3 × 3 and 1 × 1 convolutions, a 3 × 3
convolution followed by squeeze-and-excitation or by a non-local block, and stand-alone self-attention with a
window of 3 × 3, once more without its relative positions. All layers have 32 channels in and out;
parameters and multiply-adds of one layer are counted by formula. Trained by the rule of
:mod:`attnbook.experiments.digit_training` on all 1,197 digits, each layer at its own best rate.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.experiments import digit_training
from attnbook.experiments.digit_training import Batches, digits, measured
from attnbook.experiments.options import at_least
from attnbook.nn import NonLocalBlock, SqueezeExcitation, StandAloneSelfAttention2d

ABOUT = "convolution, squeeze-and-excitation, non-local block and stand-alone attention in one place"

CHANNELS, SIDE, HEADS, REDUCTION = 32, 8, 4, 4


class ContextOnly(nn.Module):
    """A layer that returns (context, weights), in a chain of layers that return one tensor."""

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """What the layer makes of x, without its weights."""
        return self.layer(x)[0]


class WithoutPositions(StandAloneSelfAttention2d):
    """Stand-alone attention that knows which pixels are in its window, and not where they stand."""

    def offsets(self) -> Tensor:
        """Zeros in the place of the learned offsets."""
        return torch.zeros_like(super().offsets())


def convolution(size: int) -> nn.Module:
    """A convolution with a window of size · size."""
    return nn.Conv2d(CHANNELS, CHANNELS, size, padding=size // 2)


def stand_alone(window: int, kind: type[StandAloneSelfAttention2d] = StandAloneSelfAttention2d) -> nn.Module:
    """Stand-alone self-attention with a window of window · window."""
    return ContextOnly(kind(CHANNELS, CHANNELS, window, HEADS))


LAYERS: dict[str, Callable[[], nn.Module]] = {
    "3 × 3 convolution": partial(convolution, 3),
    "1 × 1 convolution": partial(convolution, 1),
    "3 × 3 convolution, squeeze-and-excitation": lambda: nn.Sequential(
        convolution(3), ContextOnly(SqueezeExcitation(CHANNELS, REDUCTION))
    ),
    "3 × 3 convolution, non-local block": lambda: nn.Sequential(
        convolution(3), ContextOnly(NonLocalBlock(CHANNELS))
    ),
    "stand-alone attention, 3 × 3": partial(stand_alone, 3),
    "stand-alone attention, 3 × 3, no positions": partial(stand_alone, 3, WithoutPositions),
}


def formulas(name: str, d: int = CHANNELS, pixels: int = SIDE**2) -> dict[str, int]:
    """Parameters and multiply-adds of one layer with d channels in and out on a map of this many pixels.

    Biases, softmax, means and the products of squeeze-and-excitation with the map are not counted as
    multiply-adds; neighbours outside the picture are.
    """
    size = 7 if "7 × 7" in name else 1 if "1 × 1" in name else 3
    window = size * size
    if name.startswith("stand-alone"):
        per_head = d // HEADS
        placed = 0 if name.endswith("no positions") else 1
        projections = 3 * d * per_head  # three grouped 1 × 1 convolutions
        return {
            "parameters": projections + HEADS * 2 * size * per_head // 2,
            "multiply-adds": pixels * (projections + (2 + placed) * window * d),
        }
    parameters, products = window * d * d + d, pixels * window * d * d
    if name.endswith("excitation"):
        parameters, products = parameters + 2 * d * d // REDUCTION, products + 2 * d * d // REDUCTION
    if name.endswith("block"):
        half = d // 2
        parameters += 4 * d * half + 3 * half + d
        products += pixels * 4 * d * half + 2 * pixels * pixels * half
    return {"parameters": parameters, "multiply-adds": products}


def network(layer: Callable[[], nn.Module]) -> nn.Module:
    """A stem, the layer twice, each followed by batch normalisation and ReLU, the mean, and ten logits."""
    return nn.Sequential(
        nn.Conv2d(1, CHANNELS, 3, padding=1),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(),
        layer(),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(),
        layer(),
        nn.BatchNorm2d(CHANNELS),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(CHANNELS, 10),
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long each network is trained."""
    add = parser.add_argument
    add("--steps", type=int, default=400, metavar="N", help="training steps of 32 digits (default 400)")


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Test accuracy with each layer, and what the layer costs.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps")
    test = digit_training.on(digits("test"), device)
    accuracy, training = {}, {}
    for name, layer in LAYERS.items():
        model, training[name] = digit_training.train_at_best_rate(
            partial(network, layer),
            lambda chosen: Batches(digits("train")),
            digits("validation"),
            ("layer", name),
            steps=options.steps,
            seed=seed,
            first_seed=options.first_seed,
            device=device,
        )
        accuracy[name] = measured(model, test)["accuracy"]
    return {
        "accuracy": accuracy,
        "layer": {name: formulas(name) for name in LAYERS},
        "training": training,
        "test digits": len(test[1]),
    }
