"""One training loop for every model of the book: :func:`fit`.

It shows a bar, clips gradients, stops early, stops at the first number that is not finite and says why, and
keeps a checkpoint from which a run that was killed goes on as if nothing had happened. Under ``torchrun``
each process takes its own batches, and gradients are averaged.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from tqdm import tqdm

from attnbook.arguments import whole_number
from attnbook.devices import seed as set_seed


class Diverged(ValueError):
    """Training met a number that is not finite. The sentence names the step and the likely cause."""


@dataclass
class History:
    """What a run left behind.

    Attributes
    ----------
    losses : list of float
        Training loss of each step.
    validations : list of (int, float)
        After how many steps, and what ``validate`` returned.
    stopped_early : bool
        Whether ``patience`` ran out before ``steps``.
    best_step : int or None
        After how many steps validation was best; the model holds the weights of then if it stopped early.
    seconds : float
        Time spent in steps, over all resumed parts.
    cpu_seconds : float
        Processor time of that, over all threads: what other work on the machine does not change.
    resumed_from : int
        Steps that a checkpoint had already done; 0 for a run from the start.
    """

    losses: list[float] = field(default_factory=list)
    validations: list[tuple[int, float]] = field(default_factory=list)
    stopped_early: bool = False
    best_step: int | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    resumed_from: int = 0

    @property
    def steps_per_second(self) -> float:
        """Speed over the whole run, in optimisation steps a second."""
        return len(self.losses) / self.seconds if self.seconds else 0.0


def translation_loss(model: nn.Module, batch, smoothing: float = 0.0) -> Tensor:
    """Mean cross-entropy of the right next word, in nats, over the real target words of a ``Batch``."""
    logits, _ = model(batch.src, batch.tgt[:, :-1], batch.src_mask)  # (batch, tgt - 1, vocab)
    wanted = batch.tgt[:, 1:].masked_fill(~batch.tgt_mask[:, 1:], -100)  # -100: not counted
    return nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten(), label_smoothing=smoothing)


def fit(
    model: nn.Module,
    batches: Callable[[int], Any] | Sequence[Any],
    *,
    steps: int,
    loss: Callable[[nn.Module, Any], Tensor] = translation_loss,
    optimiser: Callable[..., torch.optim.Optimizer] = torch.optim.Adam,
    learning_rate: float = 1e-3,
    schedule: Callable[[int], float] | None = None,
    clip: float | None = 1.0,
    device: torch.device | str | None = None,
    seed: int | None = 0,
    precision: str = "auto",
    compile: bool = False,
    validate: Callable[[nn.Module], float] | None = None,
    validate_every: int = 200,
    patience: int | None = None,
    checkpoint: str | os.PathLike | None = None,
    checkpoint_every: int = 200,
    progress: bool = True,
    description: str = "training",
) -> History:
    """Train ``model`` in place.

    Parameters
    ----------
    model : torch.nn.Module
        Moved to ``device`` if one is given.
    batches : callable or sequence
        ``batches(step)`` gives the batch of step 0, 1, 2 …, as ``attnbook.data.vocabulary.Batches`` does; or
        a list, gone through again and again.
    steps : int
        Optimisation steps in all, those of a checkpoint included.
    loss : callable
        ``loss(model, batch)`` returns one number (a tensor without dimensions).
    optimiser : callable
        Called as ``optimiser(parameters, lr=learning_rate)``.
    learning_rate : float
    schedule : callable, optional
        ``schedule(step)`` multiplies the learning rate at each step, counted from 0.
    clip : float or None
        Largest length (2-norm) that the gradient of all parameters together keeps; None leaves it.
    device : torch.device or str, optional
        Where model and batches go; by default where the model is.
    seed : int or None
        Seeds Python, NumPy and torch before the first step; None leaves them as they are.
    precision : "auto", "float32" or "mixed"
        Mixed: matrix products in bfloat16 (or float16 with a scaled loss, where the GPU lacks bfloat16).
        Auto: mixed on CUDA, float32 elsewhere.
    compile : bool
        Have torch.compile write machine code for the model, for batches of any shape; ``validate`` and what
        comes after use the model itself. Its weights, their names and checkpoints are the same either way.
    validate : callable, optional
        ``validate(model)`` returns a number, lower is better; called every ``validate_every`` steps, with
        the model in evaluation mode and without gradients.
    patience : int, optional
        Stop when validation has not improved for this many calls, and go back to the best weights.
    checkpoint : path, optional
        File to keep the state in, every ``checkpoint_every`` steps and at the end, written whole or not at
        all. If it exists, training goes on from it: on a CPU, to the same bits as an unbroken run. With
        several processes the random numbers of the first are kept, so dropout may differ after a break.
    progress : bool
        Show a bar.
    description : str
        The bar's label.

    Returns
    -------
    History

    Raises
    ------
    Diverged
        At the first loss or gradient that is not finite; parameters are as they were before that step.
    ValueError
        If an argument is out of range, or the checkpoint belongs to another model, seed or optimiser.
    """
    _check(model, batches, steps, clip, precision, validate, validate_every, patience, checkpoint_every)
    runner = model
    model = getattr(model, "_orig_mod", model)  # what torch.compile returned has other names for the weights
    if device is not None:
        model.to(device)
    device = next(model.parameters()).device
    if compile and runner is model:
        runner = _compiled(model, device)
    if seed is not None:
        set_seed(seed)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    engine = optimiser(parameters, lr=learning_rate)
    mixed = precision == "mixed" or (precision == "auto" and device.type == "cuda")
    half = torch.bfloat16
    if mixed and device.type == "cuda" and not torch.cuda.is_bf16_supported():
        half = torch.float16
    scaler = torch.amp.GradScaler(device.type, enabled=mixed and half is torch.float16)

    rank, world = _processes()
    if world > 1:
        _same_start(model)
    identity = {
        "parameters": {name: list(parameter.shape) for name, parameter in model.named_parameters()},
        "optimiser": type(engine).__name__,
        "learning_rate": learning_rate,
        "seed": seed,
        "processes": world,
    }
    history = History()
    best: dict[str, Any] = {"value": float("inf"), "step": None, "weights": None, "waited": 0}
    path = Path(checkpoint) if checkpoint is not None else None
    if path is not None and path.exists():
        _load(path, identity, model, engine, scaler, history, best, device)

    training = model.training
    model.train()
    bar = tqdm(
        total=steps,
        initial=len(history.losses),
        desc=description,
        unit="step",
        disable=not progress or rank > 0,
    )
    clocks = _Clocks(history)
    try:
        while len(history.losses) < steps and not history.stopped_early:
            step = len(history.losses)
            number = step * world + rank
            batch = batches(number) if callable(batches) else batches[number % len(batches)]
            batch = batch.to(device) if hasattr(batch, "to") else batch
            if schedule is not None:
                for group in engine.param_groups:
                    group["lr"] = learning_rate * schedule(step)
            engine.zero_grad(set_to_none=True)
            with torch.autocast(device.type, half, enabled=mixed):
                value = loss(runner, batch)
            if not isinstance(value, Tensor) or value.ndim != 0:
                given = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
                raise ValueError(f"loss: expected a tensor without dimensions, got {given}; take the mean")
            scaler.scale(value).backward()
            scaler.unscale_(engine)
            if world > 1:
                value = _average(parameters, value)
            number_value = value.item()
            limit = float("inf") if clip is None else clip
            norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
            healthy = bool(np.isfinite(number_value)) and bool(torch.isfinite(norm))
            if not healthy and not (scaler.is_enabled() and np.isfinite(number_value)):
                raise Diverged(_cause(step, number_value, model, history.losses, engine))
            scaler.step(engine)  # with float16 a step whose scaled gradient overflowed is left out
            scaler.update()
            history.losses.append(number_value)
            bar.update()
            bar.set_postfix(loss=f"{number_value:.3f}", refresh=False)
            done = len(history.losses)
            if validate is not None and (done % validate_every == 0 or done == steps):
                _validate(model, validate, history, best, patience, done)
            if path is not None and (done % checkpoint_every == 0 or done == steps or history.stopped_early):
                clocks.count()
                if rank == 0:
                    _save(path, identity, model, engine, scaler, history, best)
    finally:
        bar.close()
        model.train(training)
        clocks.count()
    if history.stopped_early and best["weights"] is not None:
        model.load_state_dict(best["weights"])
    history.best_step = best["step"]
    return history


class _Clocks:
    """Adds wall and processor time since the last call to a history."""

    def __init__(self, history: History) -> None:
        self.history = history
        self.wall, self.cpu = time.monotonic(), time.process_time()

    def count(self) -> None:
        wall, cpu = time.monotonic(), time.process_time()
        self.history.seconds += wall - self.wall
        self.history.cpu_seconds += cpu - self.cpu
        self.wall, self.cpu = wall, cpu


def _check(
    model, batches, steps, clip, precision, validate, validate_every, patience, checkpoint_every
) -> None:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("model: expected at least one parameter to train, found none")
    if not callable(batches) and len(batches) == 0:
        raise ValueError("batches: expected at least one batch, got none")
    counts = {"steps": steps, "validate_every": validate_every, "checkpoint_every": checkpoint_every}
    if patience is not None:
        counts["patience"] = patience
        if validate is None:
            raise ValueError("patience: stopping early needs validate, a function of the model; give one")
    for name, value in counts.items():
        whole_number(name, value)
    if clip is not None and not clip > 0:
        raise ValueError(f"clip: expected a number above 0, or None, got {clip!r}")
    if precision not in ("auto", "float32", "mixed"):
        raise ValueError(f"precision: expected auto, float32 or mixed, got {precision!r}")


def _compiled(model: nn.Module, device: torch.device) -> nn.Module:
    """The model in machine code that fits batches of any shape: sentences come in many lengths."""
    if device.type == "cpu":
        name = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
        if shutil.which(name) is None:
            raise ValueError(
                f"compile: torch.compile needs a C++ compiler, and {name} is not on the PATH; "
                "install one, or leave compile=False"
            )
    return torch.compile(model, dynamic=True)


# ---- several processes -----------------------------------------------------------------------------


def _processes() -> tuple[int, int]:
    """(rank, number of processes); (0, 1) outside torchrun."""
    if dist.is_available() and dist.is_initialized():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def _same_start(model: nn.Module) -> None:
    """Every process begins with the weights of the first."""
    for tensor in model.state_dict().values():
        dist.broadcast(tensor, src=0)


def _average(parameters: list[nn.Parameter], value: Tensor) -> Tensor:
    """Mean gradient over the processes, in place, in one message; and the mean loss."""
    for parameter in parameters:
        if parameter.grad is None:  # every process must send the same number of values
            parameter.grad = torch.zeros_like(parameter)
    flat = torch.cat([parameter.grad.flatten() for parameter in parameters] + [value.detach().view(1)])
    dist.all_reduce(flat)
    flat /= dist.get_world_size()
    start = 0
    for parameter in parameters:
        parameter.grad.copy_(flat[start : start + parameter.numel()].view_as(parameter))
        start += parameter.numel()
    return flat[-1]


# ---- validation and early stop ---------------------------------------------------------------------


@torch.no_grad()
def _validate(model, validate, history: History, best: dict, patience: int | None, done: int) -> None:
    model.eval()
    value = float(validate(model))
    model.train()
    history.validations.append((done, value))
    if value < best["value"]:
        weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
        best.update(value=value, step=done, weights=weights, waited=0)
    else:
        best["waited"] += 1
        history.stopped_early = patience is not None and best["waited"] >= patience


# ---- not a number ----------------------------------------------------------------------------------


def _cause(step: int, value: float, model: nn.Module, losses: list[float], engine) -> str:
    """One sentence: where it happened, and the first of the usual causes that the evidence fits."""
    what = (
        f"step {step}: the loss is {value}"
        if not np.isfinite(value)
        else f"step {step}: a gradient is not finite"
    )
    sick = next((name for name, p in model.named_parameters() if not torch.isfinite(p).all()), None)
    rate = engine.param_groups[0]["lr"]
    recent = losses[-20:]
    grown = len(recent) >= 2 and recent[-1] > 2 * min(recent)
    if sick is not None:
        cause = (
            f"parameter {sick} already held numbers that are not finite, so the step before was too large: "
            f"lower the learning rate (now {rate:g}) or clip gradients"
        )
    elif grown:
        cause = (
            f"the loss rose from {min(recent):.3g} to {recent[-1]:.3g} just before, so the learning rate "
            f"(now {rate:g}) is likely too high: lower it"
        )
    elif np.isfinite(value):
        name = next(
            (n for n, p in model.named_parameters() if p.grad is not None and not p.grad.isfinite().all()),
            "?",
        )
        cause = (
            f"it is that of {name} while the loss is finite: likely a square root, logarithm or division at "
            "zero, whose slope has no bound; add a small number inside it"
        )
    else:
        cause = (
            "weights and earlier losses were finite: likely a batch with inf or NaN in it, a softmax over "
            "scores that are all masked, or the logarithm of zero"
        )
    return f"{what}; {cause}."


# ---- checkpoints -----------------------------------------------------------------------------------


def _random_state() -> dict[str, Any]:
    kind, keys, position, has_gauss, gauss = np.random.get_state()  # noqa: NPY002 - the one that seed() seeds
    state = {
        "torch": torch.get_rng_state(),
        "python": random.getstate(),
        "numpy": (kind, keys.tolist(), position, has_gauss, gauss),
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state_all()
    return state


def _set_random_state(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["torch"].cpu())
    version, numbers, gauss = state["python"]
    random.setstate((version, tuple(numbers), gauss))
    kind, keys, position, has_gauss, numpy_gauss = state["numpy"]
    keys = np.array(keys, dtype=np.uint32)
    np.random.set_state((kind, keys, position, has_gauss, numpy_gauss))  # noqa: NPY002
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([each.cpu() for each in state["cuda"]])


def _save(path: Path, identity, model, engine, scaler, history: History, best: dict) -> None:
    """Write beside the target, flush to the disk, then rename: the file is the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.part")
    content = {
        "identity": identity,
        "model": model.state_dict(),
        "optimiser": engine.state_dict(),
        "scaler": scaler.state_dict(),
        "random": _random_state(),
        "losses": history.losses,
        "validations": history.validations,
        "stopped_early": history.stopped_early,
        "seconds": history.seconds,
        "cpu_seconds": history.cpu_seconds,
        "best": best,
    }
    with temporary.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _load(path: Path, identity, model, engine, scaler, history: History, best: dict, device) -> None:
    try:
        stored = torch.load(path, map_location=device, weights_only=True)
        theirs = stored["identity"]
    except Exception as error:
        raise ValueError(
            f"checkpoint: {path} cannot be read ({type(error).__name__}); delete it to start afresh"
        ) from None
    for key, value in identity.items():
        if theirs.get(key) != value:
            ours_short, theirs_short = (value, theirs.get(key)) if key != "parameters" else ("others", "some")
            raise ValueError(
                f"checkpoint: {path} belongs to another run ({key}: {theirs_short!r} there, {ours_short!r} "
                "here); name another file, or delete it"
            )
    model.load_state_dict(stored["model"])
    engine.load_state_dict(stored["optimiser"])
    scaler.load_state_dict(stored["scaler"])
    history.losses[:] = stored["losses"]
    history.validations[:] = [tuple(row) for row in stored["validations"]]
    history.stopped_early = stored["stopped_early"]
    history.seconds, history.cpu_seconds = stored["seconds"], stored["cpu_seconds"]
    history.resumed_from = len(history.losses)
    best.update(stored["best"])
    _set_random_state(stored["random"])
