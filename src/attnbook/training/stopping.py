"""Validation now and then: the best weights so far, and when to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from attnbook.training.evaluating import evaluating
from attnbook.training.history import History


class Validation:
    """Asks ``validate`` every few steps, and keeps the weights with which its answer was lowest.

    Parameters
    ----------
    validate : callable or None
        ``validate(model)`` → number; None never asks.
    every : int
        Steps between two questions.
    patience : int or None
        How many answers in a row may bring no improvement; None never stops.
    """

    def __init__(
        self, validate: Callable[[nn.Module], float] | None, every: int, patience: int | None
    ) -> None:
        self.validate, self.every, self.patience = validate, every, patience
        self.best: dict[str, Any] = {"value": float("inf"), "step": None, "weights": None, "waited": 0}

    @torch.no_grad()
    def look(self, model: nn.Module, history: History, last: bool) -> None:
        """After a step: ask if it is time, or if the step was the last; enter the answer in the history."""
        done = len(history.losses)
        if self.validate is None or not (done % self.every == 0 or last):
            return
        with evaluating(model):
            value = float(self.validate(model))
        history.validations.append((done, value))
        if value < self.best["value"]:
            weights = {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
            self.best.update(value=value, step=done, weights=weights, waited=0)
        else:
            self.best["waited"] += 1
            history.stopped_early = self.patience is not None and self.best["waited"] >= self.patience

    def restore(self, model: nn.Module) -> None:
        """Give the model its best weights back, if there were any."""
        if self.best["weights"] is not None:
            model.load_state_dict(self.best["weights"])
