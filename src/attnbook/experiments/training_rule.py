"""The rule by which every translator is trained, so that their results can be compared.

1. The learning rate is the one of a small grid with the lowest validation loss, tried for each method on
   seed 0.
2. Training goes on until the validation loss is flat: when it has not fallen by the tolerance, a share of the
   best so far, for some validations in a row (the patience), the best weights come back and the rate is
   halved, a few times; then training ends. A cap on the steps may end it before; the results say so.
3. All runs see the same sentences in the same order; another seed is other initial weights. Each run keeps
   the curve on the way: the loss of each validation, and, where asked for, BLEU by length after ever more
   steps.

``--together`` trains all rates and seeds of a recurrent method at once, which on a GPU is many times faster
(:mod:`attnbook.experiments.together`).
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import nn

from attnbook.data.corpora.fetch import CACHE
from attnbook.data.vocabulary import Batch, Batches
from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.experiments.provenance import commit
from attnbook.experiments.together import FURTHER, Copies, snapshots, train_together
from attnbook.experiments.translators import MOST_WORDS, Corpus, Validation, buckets
from attnbook.files import write_text
from attnbook.training.checkpoint import save_tensors
from attnbook.training.fit import Diverged, fit
from attnbook.translation.metrics import bleu_by_length
from attnbook.translation.search import translate

SEARCH_SEED = 0  # on which the learning rate is chosen
ORDER_SEED = 0  # of the batches


def add_training_arguments(parser: argparse.ArgumentParser) -> None:
    """The rule of training."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[1e-3, 2e-3, 4e-3, 8e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .001 .002 .004 .008)")  # fmt: skip
    add("--batch-size", type=int, default=128, metavar="N", help="sentences a step and process (default 128)")
    add("--validate-every", type=int, default=200, metavar="N", help="steps (default 200)")
    add("--patience", type=int, default=3, metavar="N",
        help="validations without progress before the rate is halved (default 3)")  # fmt: skip
    add("--tolerance", type=float, default=0.01, metavar="P",
        help="share of the best loss that counts as progress (default .01)")  # fmt: skip
    add("--halvings", type=int, default=3, metavar="N", help="of the learning rate (default 3)")
    add("--most-steps", type=int, default=6000, metavar="N", help="end there, flat or not (default 6000)")
    add("--bleu-curve", action="store_true", help="also store BLEU by length after ever more steps")


def check_training(options: argparse.Namespace) -> None:
    """Refuse a rule that cannot be followed.

    Raises
    ------
    ValueError
        If a number is out of range; the sentence names the option.
    """
    at_least(options, 1, "batch_size", "validate_every", "patience", "most_steps")
    at_least(options, 0, "halvings")
    learning_rates_above_zero(options.learning_rates)
    if not 0 <= options.tolerance < 1:
        raise ValueError(f"--tolerance: expected a share from 0 up to 1, got {options.tolerance}")


@dataclass(frozen=True)
class Method:
    """How to build a translator and what its training needs beside the rule.

    Attributes
    ----------
    name : str
        The stem of the results file.
    build : callable
        ``build(n_src, n_tgt)`` returns the untrained model.
    choices : dict
        For ``fit``: an optimiser, a loss.
    warmup : int
        Steps in which the learning rate rises along a line.
    """

    name: str
    build: Callable[[int, int], nn.Module]
    choices: dict[str, Any]
    warmup: int = 0


@dataclass(frozen=True)
class Trial:
    """One training run: a method, a learning rate, a seed.

    Attributes
    ----------
    loss : float or None
        Validation loss of the weights; None if the run diverged.
    steps : int
    capped : bool
        Whether the cap on the steps ended the run before its loss was flat.
    curve : list of dict
        ``{"step", "loss"}`` of each validation, some with ``"bleu by length"``.
    weights : dict
        The model's state.
    """

    loss: float | None
    steps: int
    capped: bool
    curve: list[dict[str, Any]]
    weights: dict[str, torch.Tensor]


def checkpoint_path(options: argparse.Namespace, seed: int, name: str, add_arguments, *more: str) -> Path:
    """One file in the package's cache for the options that ``add_arguments`` made, and this seed."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    own = {action.dest for action in parser._actions} - {"help", "learning_rates"}
    wanted = {key: str(value) for key, value in sorted(vars(options).items()) if key in own}
    wanted |= {"processes": os.environ.get("WORLD_SIZE", "1"), "commit": commit(), "more": more}
    digest = hashlib.sha256(json.dumps(wanted).encode()).hexdigest()[:12]
    return CACHE / "checkpoints" / f"{name}_{digest}_seed{seed}.pt"


def chosen(
    method: Method, data: Corpus, options: argparse.Namespace, seed: int, device, add_arguments
) -> tuple[nn.Module, dict[str, Any]]:
    """The translator of this seed, trained at the learning rate that was best on seed 0.

    Returns
    -------
    model, numbers
        ``numbers`` holds loss, rate, steps, whether the cap was hit, the rates tried, and the curve.

    Raises
    ------
    ValueError
        If the rule cannot be followed, or training diverges at every rate.
    """
    check_training(options)
    rates = sorted(set(options.learning_rates))
    tried = []
    if len(rates) > 1:
        for each in rates:
            tried.append([each, trial(method, data, options, each, SEARCH_SEED, device, add_arguments).loss])
    rate = best_rate(tried) if tried else rates[0]
    run = trial(method, data, options, rate, seed, device, add_arguments)
    if run.loss is None:
        raise ValueError(f"--learning-rates: training diverged at {rate:g} with seed {seed}; add lower ones")
    model = method.build(len(data.src), len(data.tgt)).to(device)
    model.load_state_dict(run.weights)
    return model, {
        "validation loss": run.loss,
        "learning rate": rate,
        "steps": run.steps,
        "hit the cap": float(run.capped),
        # lists: neither is a number over seeds
        "rates tried": tried,
        "curve": run.curve,
    }


def best_rate(tried: list[list]) -> float:
    """The rate with the lowest loss, of [rate, loss] pairs; None as the loss says that the run diverged.

    Raises
    ------
    ValueError
        If all diverged.
    """
    finished = [(loss, rate) for rate, loss in tried if loss is not None]
    if not finished:
        rates = [rate for rate, _ in tried]
        raise ValueError(f"--learning-rates: training diverged at every rate of {rates}; add lower ones")
    return min(finished)[1]


def trial_path(
    method: Method, data: Corpus, options: argparse.Namespace, rate: float, seed: int, device, add_arguments
) -> Path:
    """Where the cache keeps the run."""
    more = (data.digest, torch.device(device).type)
    return checkpoint_path(options, seed, f"{method.name}_rate{rate:g}", add_arguments, *more)


def trial(
    method: Method, data: Corpus, options: argparse.Namespace, rate: float, seed: int, device, add_arguments
) -> Trial:
    """Train at this rate with this seed, or take the run from the cache if it was done before."""
    path = trial_path(method, data, options, rate, seed, device, add_arguments)
    if path.exists():
        return Trial(**torch.load(path, map_location=device, weights_only=True))
    set_seed(seed)  # whichever trial came before
    model = method.build(len(data.src), len(data.tgt)).to(device)
    try:
        run = until_flat(model, method, data, options, rate, seed, path)
    except Diverged:
        run = Trial(None, 0, False, [], {})
    if os.environ.get("RANK", "0") == "0":
        save_tensors(path, vars(run))
    stages = [Path(name) for name in glob.glob(f"{glob.escape(str(path.with_suffix('')))}.stage*")]
    forget(stages, dist.is_available() and dist.is_initialized())
    return run


def trials_together(method: Method, data: Corpus, options: argparse.Namespace, device, add_arguments) -> None:
    """Train all rates and seeds that the cache lacks at once, for :func:`chosen` to find."""
    check_training(options)
    rates = sorted(set(options.learning_rates))
    seeds = {*range(options.first_seed, options.first_seed + options.seeds)}
    seeds |= {SEARCH_SEED} if len(rates) > 1 else set()
    paths = {
        (rate, seed): trial_path(method, data, options, rate, seed, device, add_arguments)
        for seed in sorted(seeds)
        for rate in rates
    }
    missing = [pair for pair, path in paths.items() if not path.exists()]
    if not missing:
        return
    models = []
    for _, seed in missing:
        set_seed(seed)
        models.append(method.build(len(data.src), len(data.tgt)))
    copies = Copies(models, device)
    checkpoint = paths[missing[0]].with_suffix(".together.pt")
    precision = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")  # on a GPU: products of 10 bits, sums of 23
    try:
        runs = train_together(
            copies,
            [rate for rate, _ in missing],
            Batches(data.train, data.src, data.tgt, options.batch_size, seed=ORDER_SEED),
            Validation(models[0], data).batches,
            options,
            checkpoint,
            f"{method.name}, {len(missing)} runs",
        )
    finally:
        torch.set_float32_matmul_precision(precision)
    losses = {}
    for row, pair in enumerate(missing):
        model = models[row].to(device)
        model.load_state_dict(copies.weights(row))
        losses[pair] = None if runs.diverged[row] else Validation(model, data)(model)
    searched = [
        [rate, losses[rate, SEARCH_SEED]] for rate in rates if (rate, SEARCH_SEED) in losses
    ]  # all rates of seed 0 or none: they are trained together
    best = best_rate(searched) if len(searched) > 1 else None
    for row, pair in enumerate(missing):
        curve = runs.curves[row]
        if pair[0] == best or best is None:
            _add_bleu(curve, snapshots(checkpoint), copies, row, models[row], data, options)
        weights = {} if losses[pair] is None else copies.weights(row)
        run = Trial(losses[pair], runs.steps[row], not runs.flat[row], curve, weights)
        save_tensors(paths[pair], vars(run))
    forget([checkpoint, *snapshots(checkpoint).values()], joined=False)


def _add_bleu(curve, kept: dict[int, Path], copies: Copies, row: int, model, data: Corpus, options) -> None:
    """BLEU by length at the points of the curve whose weights were kept."""
    device = next(model.parameters()).device
    for point in curve:
        if point["step"] in kept:
            values = torch.load(kept[point["step"]], map_location=device, weights_only=True)
            model.load_state_dict(copies.weights(row, values))
            point["bleu by length"] = translated_bleu(model, data, options)


def translated_bleu(model: nn.Module, data: Corpus, options: argparse.Namespace) -> dict[str, float]:
    """BLEU by length on the test pairs, greedily translated."""
    translated = translate(model, [pair.src for pair in data.test], data.src, data.tgt, most=MOST_WORDS)
    return bleu_by_length(
        [words for words, _ in translated],
        [pair.tgt for pair in data.test],
        [len(pair.src) for pair in data.test],
        buckets(options),
    )


def until_flat(
    model: nn.Module,
    method: Method,
    data: Corpus,
    options: argparse.Namespace,
    rate: float,
    seed: int,
    checkpoint: Path,
) -> Trial:
    """Train in place until the validation loss is flat; see the top of the file.

    Each learning rate is one call of ``fit`` with patience, so each goes on from a checkpoint of its own.
    """
    watch = _Watch(model, data, options, checkpoint.with_name(f"{checkpoint.stem}.stage.json"))
    flat = False
    for stage in range(options.halvings + 1):
        start = watch.step
        history = fit(
            model,
            lambda number, start=start: watch.batch(start, number),
            steps=options.most_steps - start,
            learning_rate=rate / 2**stage,
            schedule=lambda step, start=start: min(1.0, (start + step + 1) / max(1, method.warmup)),
            seed=seed + 1_000 * stage,
            precision="float32",
            validate=watch,
            validate_every=options.validate_every,
            patience=options.patience,
            checkpoint=checkpoint.with_name(f"{checkpoint.stem}.stage{stage}.pt"),
            checkpoint_every=1000,
            description=f"{method.name}, rate {rate / 2**stage:g}, seed {seed}",
            **method.choices,
        )
        watch.step = start + len(history.losses)
        flat = history.stopped_early and stage == options.halvings
        if watch.step >= options.most_steps:
            break
    return Trial(
        loss=watch.loss(model),
        steps=watch.step,
        capped=not flat,
        curve=watch.curve,
        weights={name: tensor.detach().cpu() for name, tensor in model.state_dict().items()},
    )


class _Watch:
    """Hands out the batches, so that it knows the step, and the validation loss with a tolerance.

    A loss that lies less than the tolerance below the best is reported as the best itself, which ``fit`` does
    not count as progress. What was seen is kept in a file, from which a run that was cut off goes on.
    """

    def __init__(self, model, data: Corpus, options: argparse.Namespace, path: Path) -> None:
        self.batches = Batches(data.train, data.src, data.tgt, options.batch_size, seed=ORDER_SEED)
        self.loss = Validation(model, data)
        self.data, self.options, self.path = data, options, path
        self.processes = int(os.environ.get("WORLD_SIZE", "1"))
        self.step = 0
        self.seen: list[dict[str, Any]] = []
        if path.exists():
            self.seen = json.loads(path.read_text(encoding="utf-8"))

    def batch(self, start: int, number: int) -> Batch:
        """The batch that ``fit`` asks for; this learning rate began after ``start`` steps."""
        self.step = start + number // self.processes + 1
        return self.batches(start * self.processes + number)

    def __call__(self, model: nn.Module) -> float:
        """Called by ``fit`` every so many steps."""
        self.seen = [point for point in self.seen if point["step"] < self.step]
        best = min((point["best"] for point in self.seen), default=math.inf)
        loss = self.loss(model)
        if loss < (1 - self.options.tolerance) * best:
            best = loss
        point = {"step": self.step, "loss": loss, "best": best}
        last = max((seen["step"] for seen in self.seen if "bleu by length" in seen), default=0)
        if self.options.bleu_curve and self.step >= FURTHER * last:
            point["bleu by length"] = translated_bleu(model, self.data, self.options)
        self.seen.append(point)
        if os.environ.get("RANK", "0") == "0":
            write_text(self.path, json.dumps(self.seen))
        return max(loss, best)

    @property
    def curve(self) -> list[dict[str, Any]]:
        """What is stored: the best so far follows from the losses."""
        return [{key: value for key, value in point.items() if key != "best"} for point in self.seen]


# ---- several processes -------------------------------------------------------------------------------


def forget(checkpoints: list[Path], joined: bool) -> None:
    """Remove checkpoints once they are of no more use."""
    if joined:
        dist.barrier()
    if os.environ.get("RANK", "0") == "0":
        for checkpoint in checkpoints:
            checkpoint.unlink(missing_ok=True)


def join(device: torch.device) -> bool:
    """Under torchrun, meet the other processes; True if there are any."""
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        return False
    if not dist.is_initialized():
        if device.type == "cuda":
            torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
        dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    return True
