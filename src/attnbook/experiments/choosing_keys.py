"""May a query choose its keys before it has read them? Full attention, a window, blocks by their mean key.

A text has 128 places. Each holds a key (one of 128 symbols, all different), a value (one of 32) and a
question: the key of an earlier place, drawn evenly from all of them. The answer is the value there. So one
layer of attention is enough, and how far back an answer stands is known. A model is one layer of one head
beside a shortcut, without positions, and it may attend to

- ``full``: all places so far;
- ``window``: the last 32;
- ``blocks``: its own block of 8 and the 3 earlier ones whose mean key fits best (:mod:`attnbook.nn.block_selection`);
- ``blocks and means``: as before, and to the mean keys and values of all earlier blocks, each through a gate;
- ``random blocks``: its own block and 3 others drawn by chance at every call, the control.

All are trained so, each at the rate of the grid with the lowest validation loss on seed 0, with the same texts,
sizes and steps. The full model is then asked again with blocks by mean keys, by chance, or a window: choosing
after training only.
"""  # noqa: E501

from __future__ import annotations

import argparse
import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.devices import seed as set_seed
from attnbook.experiments.kept_trials import SEARCH_SEED, best_rate, kept
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.nn import BlockSelectionAttention, MultiHeadAttention, selected_keys
from attnbook.training.fit import Diverged, fit

ABOUT = "choosing keys: full attention, a window, and blocks chosen by their mean key"

LENGTH, VALUES, D_MODEL = 128, 32, 64
BLOCK, N_BLOCKS = 8, 4
WINDOW = BLOCK * N_BLOCKS
NAMES = ("full", "window", "blocks", "blocks and means", "random blocks")
AFTER = ("window", "blocks", "random blocks")  # of the full model, without further training
FAR = 64  # answers are counted from this place on: all models then leave keys out
NOTHING = -100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every model gets the same texts, batches, steps and rates to choose from."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[6e-3, 12e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .006 .012)")  # fmt: skip
    add("--steps", type=int, default=400, metavar="N", help="of each model (default 400)")
    add("--batch-size", type=int, default=16, metavar="N", help="texts a step (default 16)")


def texts(n: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Keys, values, questions and answers, each (n, 128), and how far back the answer stands.

    The first place has nothing to ask for: its answer is ``NOTHING``.
    """
    keys = torch.rand(n, LENGTH, generator=generator).argsort(dim=1)
    values = torch.randint(VALUES, (n, LENGTH), generator=generator)
    place = torch.arange(LENGTH)
    asked = (torch.rand(n, LENGTH, generator=generator) * place).long()  # an earlier place
    answers = values.gather(1, asked)
    answers[:, 0] = NOTHING
    return {
        "keys": keys, "values": values, "questions": keys.gather(1, asked), "answers": answers,
        "distance": place - asked,
    }  # fmt: skip


class Reader(nn.Module):
    """One layer of attention over places that hold a key, a value and a question.

    Parameters
    ----------
    name : one of ``NAMES``

    Raises
    ------
    ValueError
        If the name is none of them.
    """

    def __init__(self, name: str):
        super().__init__()
        if name not in NAMES:
            raise ValueError(f"name: expected one of {', '.join(NAMES)}, got {name!r}")
        self.name = name
        self.key, self.question = nn.Embedding(LENGTH, D_MODEL), nn.Embedding(LENGTH, D_MODEL)
        self.value = nn.Embedding(VALUES, D_MODEL)
        self.norm, self.last_norm = nn.LayerNorm(D_MODEL), nn.LayerNorm(D_MODEL)
        self.attention: Any = MultiHeadAttention(D_MODEL, 1)
        if name not in ("full", "window"):
            self.attention = BlockSelectionAttention(
                D_MODEL, 1, BLOCK, N_BLOCKS, compressed=name == "blocks and means"
            )
        if name == "random blocks":
            self.attention.chooses = "random"
        self.output = nn.Linear(D_MODEL, VALUES)

    def forward(self, text: dict[str, Tensor]) -> Tensor:
        """Scores of the values at every place, (batch, 128, 32)."""
        x = self.key(text["keys"]) + self.value(text["values"]) + self.question(text["questions"])
        inside = self.norm(x)
        if isinstance(self.attention, BlockSelectionAttention):
            said, _ = self.attention(inside)
        else:
            mask = latest(WINDOW, x.device) if self.name == "window" else None
            said, _ = self.attention(inside, mask=mask, causal=True, need_weights=False)
        return self.output(self.last_norm(x + said))


def latest(window: int, device: torch.device) -> Tensor:
    """The mask of a window: a place and those before it, ``window`` in all, (128, 128)."""
    return torch.ones(LENGTH, LENGTH, dtype=torch.bool, device=device).triu(1 - window)


def error(model: nn.Module, text: dict[str, Tensor]) -> Tensor:
    """Mean cross-entropy in nats over all answers."""
    return F.cross_entropy(model(text).flatten(0, 1), text["answers"].flatten(), ignore_index=NOTHING)


def on(device: torch.device, text: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same texts there."""
    return {name: each.to(device) for name, each in text.items()}


def fresh(n: int, seed: int, device: torch.device) -> dict[str, Tensor]:
    """Texts that no model is trained on."""
    return on(device, texts(n, torch.Generator().manual_seed(1_000_003 + seed)))


@torch.no_grad()
def measured(model: Reader, device: torch.device, n: int = 128) -> dict[str, float]:
    """Right answers at the places from 64 on: all, those that stand at most 31 places back, those farther."""
    text = fresh(n, 1, device)
    right = (model(text).argmax(dim=-1) == text["answers"])[:, FAR:]
    near = text["distance"][:, FAR:] < WINDOW
    return {
        "all": right.float().mean().item(),
        "near": right[near].float().mean().item(),
        "far": right[~near].float().mean().item(),
    }


def asked_after(full: Reader, name: str) -> Reader:
    """The full model's weights, with another choice of keys."""
    changed = Reader(name).to(next(full.parameters()).device)
    changed.load_state_dict(full.state_dict())
    return changed.eval()


@torch.no_grad()
def found_by_choice(model: Reader, device: torch.device, n: int = 128) -> float:
    """Share of far answers, at the places from 64 on, whose key is among those chosen by mean keys."""
    text = fresh(n, 1, device)
    x = model.key(text["keys"]) + model.value(text["values"]) + model.question(text["questions"])
    inside = model.norm(x)
    attention: Any = model.attention
    mask = selected_keys(attention.W_q(inside), attention.W_k(inside), BLOCK, N_BLOCKS)
    asked = torch.arange(LENGTH, device=device) - text["distance"]
    chosen = mask.gather(2, asked.unsqueeze(-1))[..., 0]
    far = text["distance"] >= WINDOW
    return chosen[:, FAR:][far[:, FAR:]].float().mean().item()


def trial(name: str, options: argparse.Namespace, rate: float, seed: int, device: torch.device) -> dict:
    """Train one model, or take from the cache what was found before."""
    wanted = [name, rate, seed, options.steps, options.batch_size, device.type]
    return kept("choosing_keys", wanted, lambda: trained(name, options, rate, seed, device))


def trained(name: str, options: argparse.Namespace, rate: float, seed: int, device: torch.device) -> dict:
    """Train one model and measure it; an infinite loss if it diverged."""
    set_seed(seed)
    model, steps = Reader(name).to(device), options.steps
    validation = fresh(64, 0, device)

    def batches(step: int) -> dict[str, Tensor]:
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        return on(device, texts(options.batch_size, generator))

    @torch.no_grad()
    def validate(each: nn.Module) -> float:
        return error(each, validation).item()

    found: dict = {"validation": math.inf, "curve": [], "right": {}}
    try:
        history = fit(
            model, batches, steps=steps, loss=error, learning_rate=rate, seed=seed,
            schedule=lambda step: min(1.0, (step + 1) / 50, 2 * (1 - step / steps)),
            validate=validate, validate_every=max(1, steps // 8), precision="float32", progress=False,
        )  # fmt: skip
    except Diverged:
        pass
    else:
        model.eval()
        found["validation"] = history.validations[-1][1]
        found["curve"] = [list(pair) for pair in history.validations]
        found["right"] = measured(model, device)
        if name == "full":
            found["after"] = {each: measured(asked_after(model, each), device) for each in AFTER}
        if name in ("full", "blocks"):
            found["chosen"] = found_by_choice(model, device)
    return found


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Right answers of the five, and of the full model with keys chosen afterwards.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "batch_size")
    at_least(options, 20, "steps")
    learning_rates_above_zero(options.learning_rates)
    found: dict[str, dict] = {
        "right": {}, "validation": {}, "learning rate": {}, "rates tried": {}, "curve": {}, "chosen": {},
    }  # fmt: skip
    for name in NAMES:
        rate, tried = best_rate(
            {r: trial(name, options, r, SEARCH_SEED, device)["validation"] for r in options.learning_rates}
        )
        run = trial(name, options, rate, seed, device)
        found["right"][name] = run["right"]
        found["validation"][name], found["curve"][name] = run["validation"], run["curve"]
        found["learning rate"][name], found["rates tried"][name] = rate, tried
        if "after" in run:
            found["after"] = run["after"]
        if "chosen" in run:
            found["chosen"][name] = run["chosen"]
    return found
