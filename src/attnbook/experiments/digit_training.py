"""How every classifier of single digits is trained and tested, so that their results can be compared.

Real handwritten digits (:func:`attnbook.data.scenes.digit_images`), n of the training part; Adam with
decoupled weight decay, batches of 32, a rise over the first tenth of the steps and a cosine to 0. The
learning rate is the one of ``RATES`` with the lowest validation loss on the run's first seed, for each model,
size and condition on its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.data.scenes import digit_images
from attnbook.training.fit import fit

RATES = (1e-3, 3e-3, 1e-2)
BATCH = 32
Digits = tuple[Tensor, Tensor]  # images (digits, 1, 8, 8), ink from 0 to 1; labels (digits,)


def digits(part: str, n: int | None = None, seed: int = 0) -> Digits:
    """All digits of a part, or ``n`` that the seed draws."""
    pool = digit_images(part)
    order = torch.randperm(len(pool.labels), generator=torch.Generator().manual_seed(seed))
    chosen = torch.arange(len(order)) if n is None else order[:n]
    return pool.images[chosen].unsqueeze(1), pool.labels[chosen]


def moved(images: Tensor, strength: float = 1.0) -> Tensor:
    """The same digits, each turned, slanted, stretched and shifted a little, by random amounts.

    Turned by up to 12°, slanted by up to a fifth, 0.85 to 1.15 times as large in each direction, shifted by
    up to one pixel; ``strength`` multiplies all of these.
    """

    def uniform(limit: float) -> Tensor:
        return (2 * torch.rand(len(images)) - 1) * limit * strength

    angle, slant, shift = uniform(math.radians(12)), uniform(0.2), 2 / images.shape[-1]
    tall, wide = 1 + uniform(0.15), 1 + uniform(0.15)
    cosine, sine = torch.cos(angle), torch.sin(angle)
    rows = [
        [cosine * wide, (slant - sine) * wide, uniform(shift)],
        [sine * tall, cosine * tall, uniform(shift)],
    ]
    matrix = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)  # (batch, 2, 3)
    grid = F.affine_grid(matrix, list(images.shape), align_corners=False).to(images.device)
    return F.grid_sample(images, grid, align_corners=False)


class Batches:
    """Batches by step: each epoch all digits, in a new random order; ``change`` is applied to each batch."""

    def __init__(self, given: Digits, change: Callable[[Tensor], Tensor] | None = None):
        self.images, self.labels = given
        self.change = change
        self.order = torch.empty(0, dtype=torch.long)

    def __call__(self, step: int) -> Digits:
        """The batch of this step; steps are asked for one after the other."""
        while len(self.order) < BATCH:
            self.order = torch.cat([self.order, torch.randperm(len(self.labels))])
        chosen, self.order = self.order[:BATCH], self.order[BATCH:]
        images = self.images[chosen]
        return images if self.change is None else self.change(images), self.labels[chosen]


def logits_of(model: nn.Module, images: Tensor) -> Tensor:
    """What the model says, (batch, classes), whether or not it returns weights beside it."""
    said = model(images)
    return said[0] if isinstance(said, tuple) else said


def loss(model: nn.Module, batch: Digits) -> Tensor:
    """Cross-entropy in nats a digit."""
    return F.cross_entropy(logits_of(model, batch[0]), batch[1])


@torch.no_grad()
def measured(model: nn.Module, given: Digits) -> dict[str, float]:
    """Loss in nats and share of right answers."""
    model.eval()
    said = logits_of(model, given[0])
    return {
        "loss": F.cross_entropy(said, given[1]).item(),
        "accuracy": (said.argmax(dim=-1) == given[1]).float().mean().item(),
    }


def rise_and_cosine(steps: int) -> Callable[[int], float]:
    """A factor on the learning rate: up along a line for a tenth of the steps, then a cosine to 0."""

    def factor(step: int) -> float:
        up = max(1, steps // 10)
        if step < up:
            return (step + 1) / up
        return 0.5 * (1 + math.cos(math.pi * (step - up) / max(1, steps - up)))

    return factor


def train(
    build: Callable[[], nn.Module],
    batches: Callable[[int], Any],
    *,
    steps: int,
    rate: float,
    seed: int,
    device: torch.device,
) -> tuple[nn.Module, float]:
    """A model built and trained with this seed, and its mean training loss over the last tenth of steps."""
    torch.manual_seed(seed)
    model = build()
    history = fit(
        model,
        batches,
        steps=steps,
        loss=loss,
        optimiser=partial(torch.optim.AdamW, weight_decay=0.05),
        learning_rate=rate,
        schedule=rise_and_cosine(steps),
        seed=seed,
        device=device,
        precision="float32",
        progress=False,
    )
    last = history.losses[-max(1, steps // 10) :]
    return model.eval(), sum(last) / len(last)


def train_at_best_rate(
    build: Callable[[], nn.Module],
    batches: Callable[[int], Callable[[int], Any]],
    validation: Digits,
    key: object,
    *,
    steps: int,
    seed: int,
    first_seed: int,
    device: torch.device,
    rates: Sequence[float] = RATES,
) -> tuple[nn.Module, dict[str, Any]]:
    """The model of this seed, at the rate with the lowest validation loss on the run's first seed.

    Parameters
    ----------
    build : callable
        ``build()`` returns an untrained model.
    batches : callable
        ``batches(seed)`` returns the batches of a seed.
    validation : images, labels
    key : object
        Under which the choice is remembered for the seeds that follow in this process.
    steps, seed, first_seed : int
    device : torch.device
    rates : sequence of float

    Returns
    -------
    model : nn.Module
    facts : dict
        The rate, the validation loss at each, the training loss at the end.
    """
    validation = on(validation, device)
    if (key, steps, first_seed) not in _CHOSEN:
        losses, runs = {}, {}
        for rate in rates:
            runs[rate] = train(
                build, batches(first_seed), steps=steps, rate=rate, seed=first_seed, device=device
            )
            losses[rate] = measured(runs[rate][0], validation)["loss"]
        best = min(losses, key=losses.__getitem__)
        _CHOSEN[key, steps, first_seed] = best, losses, runs[best]
    best, losses, first = _CHOSEN[key, steps, first_seed]
    if seed == first_seed:
        model, final = first
    else:
        model, final = train(build, batches(seed), steps=steps, rate=best, seed=seed, device=device)
    tried = {f"{rate:g}": value for rate, value in losses.items()}
    return model, {"rate": best, "validation loss": tried, "training loss": final}


_CHOSEN: dict[tuple[object, int, int], tuple[float, dict[float, float], tuple[nn.Module, float]]] = {}


def on(given: Digits, device: torch.device) -> Digits:
    """The same digits on a device."""
    return given[0].to(device), given[1].to(device)


def parameters(model: nn.Module) -> int:
    """How many numbers are learned."""
    return sum(parameter.numel() for parameter in model.parameters())
