"""One training loop for every model of the book: :func:`fit`.

It shows a bar, clips gradients, stops early, stops at the first number that is not finite and says why, and
keeps a checkpoint from which a run that was killed goes on as if nothing had happened. Under ``torchrun``
each process takes its own batches, and gradients are averaged. Each of these has a file of its own beside
this one.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from attnbook.arguments import whole_number
from attnbook.devices import seed as set_seed
from attnbook.training.checkpoint import Checkpoint
from attnbook.training.compiling import compiled
from attnbook.training.distributed import average, processes, same_start
from attnbook.training.diverged import Diverged, check_finite
from attnbook.training.history import Clocks, History
from attnbook.training.losses import translation_loss
from attnbook.training.precision import CHOICES, Precision
from attnbook.training.stopping import Validation

__all__ = ["Diverged", "History", "fit", "translation_loss"]


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
    keep_best: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
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
    keep_best : bool
        Go back to the best weights at the end, whether training stopped early or not.
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
    TypeError, ValueError
        If an argument is out of range, or the checkpoint belongs to another model, seed or optimiser.
    """
    _check(model, batches, clip, precision)
    _check_counts(steps, validate, validate_every, patience, checkpoint_every, keep_best)
    runner = model
    model = getattr(model, "_orig_mod", model)  # what torch.compile returned has other names for the weights
    if device is not None:
        model.to(device)
    device = next(model.parameters()).device
    if compile and runner is model:
        runner = compiled(model, device)
    if seed is not None:
        set_seed(seed)
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    engine = optimiser(parameters, lr=learning_rate)
    arithmetic = Precision(precision, device)
    rank, world = processes()
    if world > 1:
        same_start(model)
    history, validation = History(), Validation(validate, validate_every, patience)
    identity = {
        "parameters": {name: list(parameter.shape) for name, parameter in model.named_parameters()},
        "optimiser": type(engine).__name__,
        "learning_rate": learning_rate,
        "seed": seed,
        "processes": world,
    }
    saved = Checkpoint(checkpoint, checkpoint_every, identity, model=model, optimiser=engine,
                       precision=arithmetic, history=history, validation=validation)  # fmt: skip
    saved.resume()

    with _training(model), _progress(description, steps, history, progress and rank == 0) as bar:
        clocks = Clocks(history)
        while len(history.losses) < steps and not history.stopped_early:
            step = len(history.losses)
            batch = _batch(batches, step * world + rank, device)
            _set_learning_rate(engine, learning_rate, schedule, step)
            engine.zero_grad(set_to_none=True)
            with arithmetic.autocast():
                value = _one_number(loss(runner, batch))
            arithmetic.backward(value, engine)
            if world > 1:
                value = average(parameters, value)
            norm = torch.nn.utils.clip_grad_norm_(parameters, float("inf") if clip is None else clip)
            number = value.item()
            check_finite(number, norm, model, history.losses, engine, arithmetic.scaler.is_enabled())
            arithmetic.step(engine)
            history.losses.append(number)
            bar.update()
            bar.set_postfix(loss=f"{number:.3f}", refresh=False)
            last = len(history.losses) == steps
            validation.look(model, history, last)
            if saved.is_due(last or history.stopped_early):
                clocks.count()
                if rank == 0:
                    saved.save()
        clocks.count()
    if history.stopped_early or keep_best:
        validation.restore(model)
    history.best_step = validation.best["step"]
    return history


def _check(
    model: nn.Module, batches: Callable[[int], Any] | Sequence[Any], clip: float | None, precision: str
) -> None:
    if not any(parameter.requires_grad for parameter in model.parameters()):
        raise ValueError("model: expected at least one parameter to train, found none")
    if not callable(batches) and len(batches) == 0:
        raise ValueError("batches: expected at least one batch, got none")
    if clip is not None and not clip > 0:
        raise ValueError(f"clip: expected a number above 0, or None, got {clip!r}")
    if precision not in CHOICES:
        raise ValueError(f"precision: expected auto, float32 or mixed, got {precision!r}")


def _check_counts(
    steps: int,
    validate: Callable[[nn.Module], float] | None,
    validate_every: int,
    patience: int | None,
    checkpoint_every: int,
    keep_best: bool,
) -> None:
    whole_number("steps", steps)
    whole_number("validate_every", validate_every)
    whole_number("checkpoint_every", checkpoint_every)
    if validate is None and patience is not None:
        raise ValueError("patience: stopping early needs validate, a function of the model; give one")
    if validate is None and keep_best:
        raise ValueError("keep_best: the best weights need validate, a function of the model; give one")
    if patience is not None:
        whole_number("patience", patience)


@contextmanager
def _training(model: nn.Module) -> Iterator[None]:
    """With dropout; afterwards the model is in the mode in which it was."""
    before = model.training
    model.train()
    try:
        yield
    finally:
        model.train(before)


@contextmanager
def _progress(description: str, steps: int, history: History, shown: bool) -> Iterator[tqdm]:
    """A bar that stands at the steps already done."""
    done = len(history.losses)
    with tqdm(total=steps, initial=done, desc=description, unit="step", disable=not shown) as bar:
        yield bar


def _batch(batches: Callable[[int], Any] | Sequence[Any], number: int, device: torch.device) -> Any:
    batch = batches(number) if callable(batches) else batches[number % len(batches)]
    return batch.to(device) if hasattr(batch, "to") else batch


def _set_learning_rate(
    engine: torch.optim.Optimizer, learning_rate: float, schedule: Callable[[int], float] | None, step: int
) -> None:
    if schedule is not None:
        for group in engine.param_groups:
            group["lr"] = learning_rate * schedule(step)


def _one_number(value: Any) -> Tensor:
    if not isinstance(value, Tensor) or value.ndim != 0:
        given = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"loss: expected a tensor without dimensions, got {given}; take the mean")
    return value
