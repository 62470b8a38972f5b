"""A file from which a run that was killed goes on as if nothing had happened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
from torch import nn

from attnbook.files import replacing
from attnbook.training.history import History
from attnbook.training.precision import Precision
from attnbook.training.random_state import random_state, set_random_state
from attnbook.training.stopping import Validation


def save_tensors(path: str | os.PathLike[str], content: Any) -> None:
    """Keep what ``torch.load`` gives back, in one step: whoever reads ``path`` never sees half of it."""
    with replacing(path, "wb") as file:
        torch.save(content, file)


class Checkpoint:
    """The whole state of a run, in one file or, with ``path=None``, in none.

    Parameters
    ----------
    path : path or None
    every : int
        Steps between two savings.
    identity : dict
        What a run must have in common with the file to go on from it: shapes of the parameters, seed, ….
    model, optimiser, precision, history, validation
        The parts of the run that the file holds.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        every: int,
        identity: dict[str, Any],
        *,
        model: nn.Module,
        optimiser: torch.optim.Optimizer,
        precision: Precision,
        history: History,
        validation: Validation,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.every, self.identity = every, identity
        self.model, self.optimiser, self.precision = model, optimiser, precision
        self.history, self.validation = history, validation

    def is_due(self, last: bool) -> bool:
        """Whether to save after this step, the last one always."""
        return self.path is not None and (len(self.history.losses) % self.every == 0 or last)

    def save(self) -> None:
        """Write the file, whole or not at all."""
        assert self.path is not None
        content = {
            "identity": self.identity,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "scaler": self.precision.scaler.state_dict(),
            "random": random_state(),
            "losses": self.history.losses,
            "validations": self.history.validations,
            "stopped_early": self.history.stopped_early,
            "seconds": self.history.seconds,
            "cpu_seconds": self.history.cpu_seconds,
            "best": self.validation.best,
        }
        save_tensors(self.path, content)

    def resume(self) -> None:
        """Go on from the file, if there is one.

        Raises
        ------
        ValueError
            If it cannot be read, or belongs to another run; the parts are then as they were.
        """
        if self.path is None or not self.path.exists():
            return
        device = next(self.model.parameters()).device
        try:
            stored = torch.load(self.path, map_location=device, weights_only=True)
            theirs = stored["identity"]
        except Exception as error:
            raise ValueError(
                f"checkpoint: {self.path} cannot be read ({type(error).__name__}); delete it to start afresh"
            ) from None
        for key, ours in self.identity.items():
            if theirs.get(key) != ours:
                here, there = (ours, theirs.get(key)) if key != "parameters" else ("others", "some")
                raise ValueError(
                    f"checkpoint: {self.path} belongs to another run ({key}: {there!r} there, {here!r} "
                    "here); name another file, or delete it"
                )
        self.model.load_state_dict(stored["model"])
        self.optimiser.load_state_dict(stored["optimiser"])
        self.precision.scaler.load_state_dict(stored["scaler"])
        self.history.losses[:] = stored["losses"]
        self.history.validations[:] = [tuple(row) for row in stored["validations"]]
        self.history.stopped_early = stored["stopped_early"]
        self.history.seconds, self.history.cpu_seconds = stored["seconds"], stored["cpu_seconds"]
        self.history.resumed_from = len(self.history.losses)
        self.validation.best.update(stored["best"])
        set_random_state(stored["random"])
