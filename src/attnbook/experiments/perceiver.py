"""How many queries does it take? A Perceiver of 1 to 16 latents reads scenes of two digits.

Inputs are the 144 places of a scene of chapter 6 with their coordinates, annotated by the network of
``06_captioner``. What has to be said is the caption: first digit, second digit, relation, all three right.
Readers differ in how they get from 144 places to one vector: N latents that ask them
(:class:`attnbook.nn.Perceiver`), self-attention among all places and then a mean, or a small network on
each place and then a mean (``mean pool``, no attention at all).
"""

from __future__ import annotations

import argparse
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.experiments.options import at_least
from attnbook.experiments.rate_grid import at_best_rate, trained
from attnbook.experiments.words_and_digits import annotated
from attnbook.nn import EncoderLayer, Perceiver

ABOUT = "a Perceiver's few queries on many inputs: accuracy and cost against the number of queries"

LATENTS = (1, 4, 16)
NAMES = ("mean pool", *(f"{n} latents" for n in LATENTS), "self-attention")
PLACES = 144
D = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every reader gets the same scenes, batches, steps and rates to choose from."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[2e-3, 4e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .002 .004)")  # fmt: skip
    add("--steps", type=int, default=400, metavar="N", help="of each model (default 400)")
    add("--scenes", type=int, default=2500, metavar="N", help="to train on (default 2500)")
    add("--tests", type=int, default=500, metavar="N", help="scenes to test on (default 500)")


def pairs_compared(name: str, inputs: int = PLACES) -> int:
    """Scores that attention computes for one scene, self-attention among latents included."""
    if name == "mean pool":
        return 0
    if name == "self-attention":
        return inputs**2
    n = int(name.split()[0])
    return n * inputs + n**2


class Reader(nn.Module):
    """144 places to logits of first digit, second digit, and relation."""

    def __init__(self, name: str, d_input: int = 66, d: int = D):
        super().__init__()
        self.name = name
        if name == "mean pool":
            self.body: nn.Module = nn.Sequential(
                nn.Linear(d_input, 2 * d), nn.GELU(), nn.Linear(2 * d, 2 * d), nn.GELU(), nn.Linear(2 * d, d)
            )
        elif name == "self-attention":
            self.project = nn.Linear(d_input, d)
            self.body = EncoderLayer(d, 4, 2 * d, 0.0, "pre", "gelu")
        else:
            self.body = Perceiver(d_input, d, int(name.split()[0]), n_heads=4)
        self.head = nn.Sequential(nn.LayerNorm(d), nn.Linear(d, 2 * d), nn.GELU(), nn.Linear(2 * d, 22))

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """(batch, 144, 66) to logits (batch, 10), (batch, 10), (batch, 2)."""
        if self.name == "mean pool":
            x = self.body(inputs)
        elif self.name == "self-attention":
            x, _ = self.body(self.project(inputs), need_weights=False)
        else:
            x, _ = self.body(inputs)
        return self.head(x.mean(dim=1)).split([10, 10, 2], dim=-1)


def answers(n: int, part: str) -> Tensor:
    """(n, 3) of int: first digit, second digit, 1 for *above*."""
    given, _, _ = annotated(n, 0, part)
    return torch.tensor([[*scene.digits, int(scene.caption[2] == "above")] for scene in given])


def loss_of(model: Reader, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean over the three questions, in nats."""
    logits = model(batch[0])
    return torch.stack([F.cross_entropy(one, batch[1][:, i]) for i, one in enumerate(logits)]).mean()


def train(model: Reader, options: argparse.Namespace, rate: float, seed: int) -> list[list[float]]:
    """Train in place; the validations on the way."""
    rows, right = annotated(options.scenes, 0, "train")[1], answers(options.scenes, "train")
    held = annotated(300, 0, "validation")[1], answers(300, "validation")

    def batch(step: int) -> tuple[Tensor, Tensor]:
        chosen = torch.randint(len(rows), (32,), generator=torch.Generator().manual_seed(step))
        return rows[chosen], right[chosen]

    return trained(
        model, batch, loss_of, lambda each: loss_of(each, held).item(),
        steps=options.steps, rate=rate, seed=seed,
    )  # fmt: skip


@torch.no_grad()
def accuracy(model: Reader, n: int) -> dict[str, float]:
    """Shares of right answers on test scenes, and of scenes with all three right."""
    rows, right = annotated(n, 0, "test")[1], answers(n, "test")
    said = torch.stack([logits.argmax(dim=-1) for logits in model(rows)], dim=1) == right
    names = ("first digit", "second digit", "relation")
    found = {name: said[:, i].float().mean().item() for i, name in enumerate(names)}
    return {**found, "all three": said.all(dim=1).float().mean().item(), "n": float(n)}


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Accuracy, pairs compared and parameters of every reader.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 64, "scenes")
    at_least(options, 20, "steps")
    at_least(options, 1, "tests")
    found: dict[str, dict] = {"accuracy": {}, "pairs": {}, "parameters": {}, "runs": {}}
    for name in NAMES:
        key = {"name": name, "scenes": options.scenes}
        model, found["runs"][name] = at_best_rate(
            "perceiver", key, partial(Reader, name), train, options, seed
        )
        found["accuracy"][name] = accuracy(model, options.tests)
        found["pairs"][name] = pairs_compared(name)
        found["parameters"][name] = sum(parameter.numel() for parameter in model.parameters())
    return found
