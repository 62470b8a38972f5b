"""What does a memory of fixed size forget? Recall by linear attention, the delta rule, and hybrids.

Three tasks of :mod:`attnbook.experiments.recall_parts`:

- *overwriting*: 8 keys are written 4 times each, in a random order, and only the last value counts. The
  memory need not be large, but it must replace. Whoever knows all four values and not their order is right
  in a quarter of the reads, or a little more where a value comes twice.
- *capacity*: 4 to 64 keys are written once each. Nothing must be replaced; the question is how many fit.
- *hybrid*: 48 keys, models of four layers: all of one kind, or three delta layers and a full one on top.

Each model gets the rate of the grid with the lowest validation error on seed 0, the same texts in the same
order, and the same steps, at the end of which the rate has fallen to 0. Within a task the models differ in
their attention alone. A delta rule has one matrix more (d_model × heads), and so has a gate; models of four
layers give it back in their feed-forward networks, as closely as its width allows.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.devices import seed as set_seed
from attnbook.experiments.kept_trials import SEARCH_SEED, kept
from attnbook.experiments.options import at_least
from attnbook.experiments.recall_parts import Reader, Texts, count, draw
from attnbook.training import schedules
from attnbook.training.fit import Diverged, fit

ABOUT = "associative recall: linear attention, gates, the delta rule, full attention, and hybrids of them"

SOLVED = 0.05  # of the reads wrong
LOOKS = 10  # validations in a training
TEXTS = 100  # of a validation, and of the test at each number of keys
FEATURES = ("linear, ELU + 1", "linear, ELU + 1, normalised", "delta, ELU + 1")


@dataclass(frozen=True)
class Task:
    """Texts of a task, the sizes of its models, and which stacks of layers are compared."""

    stacks: dict[str, tuple[str, ...]]
    n_keys: tuple[int, ...]  # at which it is tested; trained on the last, or on all up to it
    n_writes: int = 1
    all_sizes: bool = False
    batch: int = 32
    d_model: int = 32
    n_heads: int = 2
    d_ff: int | None = None


def alone(*names: str) -> dict[str, tuple[str, ...]]:
    """Models of one layer."""
    return {name: (name,) for name in names}


TASKS = {
    "overwriting": Task(
        alone("full, no positions", "full, ALiBi", "linear", "gated", "delta", "gated delta", *FEATURES),
        n_keys=(8,), n_writes=4,
    ),
    "capacity": Task(
        alone("full", "linear", "delta", *FEATURES), n_keys=(8, 16, 32, 64), all_sizes=True, batch=16,
    ),
    "hybrid": Task(
        {
            "4 full": ("full",) * 4,
            "3 delta, 1 full": ("delta",) * 3 + ("full",),
            "4 delta": ("delta",) * 4,
        },
        n_keys=(48,), batch=16, d_ff=64,
    ),
}  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The same steps and rates to choose from for every model of a task."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[3e-3, 6e-3, 12e-3], metavar="R",
        help="tried on seed 0; the lowest validation error wins (default .003 .006 .012)")  # fmt: skip
    add("--steps", type=int, default=400, metavar="N", help="of each model of one layer (default 400)")
    add("--deep-steps", type=int, default=300, metavar="N", help="of four layers (default 300)")
    add("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS), metavar="T",
        help=f"which of {', '.join(TASKS)} (default all)")  # fmt: skip


def build(task: Task, stack: str) -> Reader:
    """A model of the task, with feed-forward networks as wide as the parameters of the first one allow."""

    def reader(names: tuple[str, ...], d_ff: int | None) -> Reader:
        return Reader(names, task.d_model, task.n_heads, d_ff)

    names, d_ff = task.stacks[stack], task.d_ff
    if d_ff is not None:
        first = next(iter(task.stacks.values()))
        spare = count(reader(first, d_ff)) - count(reader(names, d_ff))
        d_ff += round(spare / len(names) / (2 * task.d_model + 1))  # a unit has a row, a column and a bias
    return reader(names, d_ff)


def texts(task: Task, seed: int) -> Callable[[int], Texts]:
    """The batch of a step, the same for every model."""

    def batch(step: int) -> Texts:
        generator = torch.Generator().manual_seed(1_000_003 * seed + step)
        most = task.n_keys[-1]
        n = int(torch.randint(4, most + 1, (1,), generator=generator)) if task.all_sizes else most
        return draw(task.batch, n, task.n_writes, generator)

    return batch


def loss_of(model: nn.Module, batch: Texts) -> Tensor:
    """Nats a read."""
    batch = batch.to(next(model.parameters()).device)
    return F.cross_entropy(model(batch).flatten(0, 1), batch.answers.flatten())


@torch.no_grad()
def accuracy(model: nn.Module, batch: Texts) -> float:
    """Share of the reads that are right."""
    batch = batch.to(next(model.parameters()).device)
    return (model(batch).argmax(dim=-1) == batch.answers).float().mean().item()


def held_out(task: Task, part: int) -> list[Texts]:
    """Texts that no training sees, at each number of keys: part 1 to validate, part 2 to test."""
    return [
        draw(TEXTS, n, task.n_writes, torch.Generator().manual_seed(10**12 + 100 * part + n))
        for n in task.n_keys
    ]


def trial(task: str, stack: str, steps: int, rate: float, seed: int, device: torch.device) -> dict:
    """Train one model, or take from the cache what was found before: see :func:`trained`."""
    wanted = [task, stack, steps, rate, seed, device.type]
    return kept("recall", wanted, lambda: trained(task, stack, steps, rate, seed, device))


def trained(task: str, stack: str, steps: int, rate: float, seed: int, device: torch.device) -> dict:
    """Train one model: its errors on the way as [step, share], and its accuracy on the test at each number of
    keys.
    """
    set_seed(seed)
    settings = TASKS[task]
    model = build(settings, stack).to(device)
    validation = held_out(settings, 1)
    try:
        history = fit(
            model, texts(settings, seed), steps=steps, loss=loss_of, learning_rate=rate, seed=seed,
            schedule=schedules.warmup_linear(min(50, steps // 8), steps, hold=0.3),
            validate=lambda m: 1 - sum(accuracy(m, batch) for batch in validation) / len(validation),
            validate_every=max(1, steps // LOOKS), precision="float32", progress=False,
        )  # fmt: skip
    except Diverged:
        return {"curve": [[steps, 1.0]], "test": {str(n): 0.0 for n in settings.n_keys}}
    model.eval()
    tested = zip(settings.n_keys, held_out(settings, 2), strict=True)
    return {
        "curve": [list(pair) for pair in history.validations],
        "test": {str(n): accuracy(model, batch) for n, batch in tested},
    }


def rank(found: dict) -> tuple[float, float]:
    """Lowest is best: the error at the end, and where that is equal the sum of errors on the way."""
    return found["curve"][-1][1], sum(error for _, error in found["curve"])


def solved_at(curve: list[list[float]]) -> float | None:
    """The first validation at which at most ``SOLVED`` of the reads were wrong; None for never."""
    return next((step for step, error in curve if error <= SOLVED), None)


def by_most_frequent(task: Task) -> float:
    """Accuracy on the test of a reader that knows how often each value was written for a key, not when."""
    right = []
    for batch in held_out(task, 2):
        reads = batch.answers.shape[1]
        written, asked = batch.keys[:, :-reads], batch.keys[:, -reads:]
        times = torch.zeros(*asked.shape, int(batch.values.max()) + 1)
        same = (asked.unsqueeze(2) == written.unsqueeze(1)).float()
        values = batch.values[:, None, :-reads].expand_as(same)
        times.scatter_add_(2, values, same)
        best = times == times.amax(
            dim=2, keepdim=True
        )  # where several are as frequent, one of them by chance
        right.append((best.gather(2, batch.answers.unsqueeze(2)).squeeze(2) / best.sum(dim=2)).mean().item())
    return sum(right) / len(right)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Accuracy of all models of all tasks, with what was needed to compare them.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 20, "steps", "deep_steps")
    for rate in options.learning_rates:
        if not (rate > 0 and math.isfinite(rate)):
            raise ValueError(f"--learning-rates: expected numbers above 0, got {rate}")
    rates = sorted(set(options.learning_rates))
    found: dict[str, dict] = {}
    for name in options.tasks:
        task = TASKS[name]
        steps = options.steps if task.d_ff is None else options.deep_steps
        rows: dict[str, dict] = {
            "accuracy": {}, "curve": {}, "learning rate": {}, "rates tried": {}, "parameters": {},
        }  # fmt: skip
        for stack in task.stacks:
            tried = {r: trial(name, stack, steps, r, SEARCH_SEED, device) for r in rates}
            rate = min(rates, key=lambda r: rank(tried[r]))
            run = trial(name, stack, steps, rate, seed, device)
            rows["accuracy"][stack] = run["test"]
            rows["curve"][stack] = run["curve"]
            rows["learning rate"][stack] = rate
            rows["rates tried"][stack] = [[r, tried[r]["curve"][-1][1]] for r in rates]
            rows["parameters"][stack] = count(build(task, stack))
        found[name] = rows
    return found
