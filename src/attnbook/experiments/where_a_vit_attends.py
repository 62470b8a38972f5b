"""Does the class token's attention lie on the thing that is named? Scenes with one whole digit among pieces.

A Vision Transformer learns from labels alone to name the whole digit (:mod:`attnbook.data.clutter`); nobody
tells it where the digit stands. Then, on scenes of digits that it has never seen: how much of a map lies in
the true box (chance: the box's area; a map that follows ink: the share of the ink), and what happens to the
accuracy when the four patches with the most of the map are erased. Maps: the class token's weights in the
last layer, attention roll-out, and two without attention, gradient × input and the class activation map of a
convolutional network that learned the same task (Zhou et al. 2016, https://arxiv.org/abs/1512.04150).

The same with four registers: do patches serve as sinks, and do registers take that from them?

``--ship NAME`` stores the Vision Transformer without registers in :mod:`attnbook.models`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from attnbook.analysis import patch_maps
from attnbook.data import clutter
from attnbook.experiments import digit_training
from attnbook.experiments.digit_training import Digits, measured
from attnbook.experiments.options import at_least
from attnbook.experiments.shipping import Trained
from attnbook.nn import ViT

ABOUT = "how much of a Vision Transformer's attention lies on the digit that it names, among clutter"

CONFIGURATION: dict[str, Any] = {
    "image_size": clutter.SIDE,
    "patch_size": clutter.CELL,
    "n_classes": 10,
    "d_model": 48,
    "n_heads": 4,
    "n_layers": 3,
    "d_ff": 96,
}
REGISTERS = 4
ERASED = 4  # patches: as many as the digit fills


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How long each network is trained, and on how many scenes it is asked."""
    add = parser.add_argument
    add("--steps", type=int, default=2000, metavar="N", help="training steps of 32 scenes (default 2000)")
    add("--scenes", type=int, default=1000, metavar="N", help="test scenes (default 1000)")


class ActivationMaps(nn.Module):
    """A convolutional network that ends in a map for each class: the logits are the maps' means."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(1, 24, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(24, 56, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(56, 90, 3, padding=1),
            nn.ReLU(),
        )
        self.classes = nn.Conv2d(90, 10, 1)

    def maps(self, images: Tensor) -> Tensor:
        """(batch, 1, 24, 24) → (batch, 10, 6, 6): one cell of a map a cell of the scene."""
        return self.classes(self.features(images))

    def forward(self, images: Tensor) -> Tensor:
        """(batch, 1, 24, 24) → logits (batch, 10)."""
        return self.maps(images).mean(dim=(2, 3))


def activation_map(model: nn.Module, images: Tensor) -> Tensor:
    """The positive part of the winning class's map: (batch, 36), each summing to 1."""
    assert isinstance(model, ActivationMaps)
    with torch.no_grad():
        maps = model.maps(images)
    best = maps.mean(dim=(2, 3)).argmax(dim=1)
    chosen = maps[torch.arange(len(images)), best].flatten(1)
    return patch_maps.normalised(chosen.clamp(min=0))


class Stream:
    """New training scenes at every step."""

    def __init__(self, seed: int):
        self.seed = seed

    def __call__(self, step: int) -> Digits:
        """The batch of this step."""
        made = clutter.scenes(digit_training.BATCH, seed=1_000_003 * (self.seed + 1) + step)
        return made.images, made.labels


MODELS = {
    "ViT": lambda: ViT(**CONFIGURATION),
    "ViT with registers": lambda: ViT(**CONFIGURATION, n_registers=REGISTERS),
    "CNN": ActivationMaps,
}


def trained_model(
    name: str,
    options: argparse.Namespace,
    seed: int,
    device: torch.device,
    rates: Sequence[float] = digit_training.RATES,
) -> tuple[nn.Module, dict[str, Any]]:
    """One of ``MODELS``, trained at the best of the rates, and the facts of its training."""
    validation = clutter.scenes(1000, seed=7, part="validation")
    return digit_training.train_at_best_rate(
        MODELS[name],
        Stream,
        (validation.images, validation.labels),
        ("scenes", name),
        rates=rates,
        steps=options.steps,
        seed=seed,
        first_seed=options.first_seed,
        device=device,
    )


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Accuracy, mass in the box, accuracy with patches erased, and what sinks there are.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "scenes")
    test = clutter.scenes(options.scenes, seed=11, part="test")
    images, labels, inside = test.images.to(device), test.labels.to(device), test.inside.to(device)
    models, training = {}, {}
    for name in MODELS:
        # With registers it gets the rate of the one without.
        rates = (training["ViT"]["rate"],) if name.endswith("registers") else digit_training.RATES
        models[name], training[name] = trained_model(name, options, seed, device, rates)
    maps = all_maps(models, images, seed)
    vit = models["ViT"]
    return {
        "accuracy": {name: measured(model, (images, labels))["accuracy"] for name, model in models.items()},
        "mass in the box": {
            name: spread(patch_maps.mass_inside(each, inside)) for name, each in maps.items()
        },
        "largest in the box": {
            name: inside.gather(1, each.argmax(dim=1, keepdim=True)).float().mean().item()
            for name, each in maps.items()
            if name != "area"  # all its numbers are equal
        },
        "accuracy with 4 patches erased": {
            name: measured(vit, (patch_maps.erased(images, chosen, clutter.CELL), labels))["accuracy"]
            for name, chosen in erasures(maps, images, inside, seed).items()
        },
        "sinks": {name: sinks(models[name], images) for name in ("ViT", "ViT with registers")},
        "training": training,
        "parameters": {name: digit_training.parameters(model) for name, model in models.items()},
        "test scenes": options.scenes,
    }


def spread(values: Tensor) -> dict[str, float]:
    """Mean, and half of its 95 % interval over scenes."""
    return {"mean": values.mean().item(), "half interval": 1.96 * values.std().item() / len(values) ** 0.5}


def all_maps(models: dict[str, Any], images: Tensor, seed: int) -> dict[str, Tensor]:
    """Every map that is compared, (scenes, 36) each."""
    vit = models["ViT"]
    n = clutter.CELLS**2
    with torch.no_grad():
        _, weights = vit(images, need_weights=True)
        torch.manual_seed(seed + 1000)
        _, before = ViT(**CONFIGURATION).to(images.device)(images, need_weights=True)
    by_layer = patch_maps.class_row(weights.mean(dim=2), n)  # (scenes, layers, 36)
    found = {f"layer {layer + 1}": by_layer[:, layer] for layer in range(by_layer.shape[1])}
    return {
        "area": torch.full_like(found["layer 1"], 1 / n),
        "ink": patch_maps.ink(images, clutter.CELL),
        "untrained, last layer": patch_maps.class_row(before[:, -1].mean(dim=1), n),
        "untrained, roll-out": patch_maps.class_row(patch_maps.attention_rollout(before), n),
        **found,
        "roll-out": patch_maps.class_row(patch_maps.attention_rollout(weights), n),
        "gradient × input": patch_maps.gradient_times_input(vit, images, clutter.CELL),
        "CNN, gradient × input": patch_maps.gradient_times_input(models["CNN"], images, clutter.CELL),
        "CNN, activation map": activation_map(models["CNN"], images),
    }


def erasures(maps: dict[str, Tensor], images: Tensor, inside: Tensor, seed: int) -> dict[str, Tensor]:
    """Which four patches are erased, (scenes, 36) of bool: by each map, in the box, or any with ink."""
    generator = torch.Generator().manual_seed(seed)
    lots = torch.rand(inside.shape, generator=generator).to(images.device)
    inked = maps["ink"] > 0.01
    last = max(name for name in maps if name.startswith("layer"))
    chosen = {name: patch_maps.highest(maps[name], ERASED) for name in (last, "roll-out", "gradient × input")}
    return {
        "nothing": torch.zeros_like(inside),
        "the box": inside,
        "any with ink": patch_maps.highest(lots * inked, ERASED),
        "clutter": patch_maps.highest(lots * (inked & ~inside), ERASED),
        **chosen,
    }


@torch.no_grad()
def sinks(model: Any, images: Tensor) -> dict[str, Any]:
    """Whether single patches stand out, by layer: in length, and in the attention that they receive.

    ``longest``: length of the longest patch token over that of the median one, mean over scenes.
    ``received``: the most attention that one patch receives, as a multiple of what it would be if all tokens
    received the same; ``empty``: how often that patch is an empty one. ``registers``, ``class``: the share of
    all patches' attention that goes to registers, and to the class token.
    """
    assert isinstance(model, ViT)
    n = clutter.CELLS**2
    z, found = model.embed(images), []
    for layer in model.layers:
        z, weights = layer(z)
        lengths = z[:, 1 : 1 + n].norm(dim=-1)
        received = weights.mean(dim=(1, 2))  # (scenes, tokens)
        best = received[:, 1 : 1 + n].max(dim=1)
        empty = patch_maps.ink(images, clutter.CELL).gather(1, best.indices.unsqueeze(1)) == 0
        asking = weights[:, :, 1 : 1 + n].mean(dim=(0, 1, 2))  # (tokens,): where patches attend to
        found.append(
            {
                "longest": (lengths.max(dim=1).values / lengths.median(dim=1).values).mean().item(),
                "received": (best.values * received.shape[1]).mean().item(),
                "empty": empty.float().mean().item(),
                "class": asking[0].item(),
                "registers": asking[1 + n :].sum().item(),
            }
        )
    return {f"layer {number + 1}": row for number, row in enumerate(found)}


def trained(options: argparse.Namespace, seed: int, device: torch.device) -> Trained:
    """The Vision Transformer of this seed, to ship."""
    model, _ = trained_model("ViT", options, seed, device)
    test = clutter.scenes(options.scenes, seed=11, part="test")

    return Trained(
        "vision_transformer",
        CONFIGURATION,
        model,
        measure=lambda: measured(model, digit_training.on((test.images, test.labels), device)),
        room={"accuracy": -0.04, "loss": 0.15},
    )
