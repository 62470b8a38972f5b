"""Train many copies of one recurrent translator at once: other initial weights, other learning rates.

A step of a recurrent network is thousands of small operations, and a GPU spends its time in starting them.
Here each of them works on all copies together (``torch.vmap``), so that twelve runs take about as long as
one. Every copy has its own gradient, clipped by its own norm, its own Adam, and its own place in the rule of
:mod:`attnbook.experiments.training_rule`: the result is that of training one copy after the other.
"""

from __future__ import annotations

import copy
import glob
import math
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from types import MethodType
from typing import Any

import torch
from torch import Tensor, nn
from tqdm import tqdm

from attnbook.data.vocabulary import Batch
from attnbook.nn import GRUDecoder, GRUEncoder, Seq2Seq, gru_step, lstm_step
from attnbook.training.checkpoint import save_tensors
from attnbook.training.losses import translation_loss

BETAS, EPSILON = (0.9, 0.999), 1e-8  # Adam's, as torch.optim.Adam has them
CLIP = 1.0  # as fit's
SAVE_SECONDS = 60.0  # between two checkpoints
FURTHER = 1.25  # each point of a curve comes after so many times the steps of the last


class Copies:
    """Copies of one translator whose parameters lie in one matrix, a row a copy.

    Parameters
    ----------
    models : sequence of Seq2Seq
        Alike but for their weights.
    device : torch.device
    """

    def __init__(self, models: Sequence[Seq2Seq], device: torch.device) -> None:
        self.skeleton = _stepwise(models[0]).to("meta")
        sizes = {name: parameter.shape for name, parameter in models[0].named_parameters()}
        rows = [torch.cat([p.detach().flatten() for p in model.parameters()]) for model in models]
        self.values = torch.stack(rows).to(device)  # (copies, parameters)
        self.gradients = torch.zeros_like(self.values)
        self.parameters: dict[str, Tensor] = {}
        start = 0
        for name, shape in sizes.items():
            columns = slice(start, start + shape.numel())
            view = self.values[:, columns].unflatten(1, shape).requires_grad_()
            view.grad = self.gradients[:, columns].unflatten(1, shape)  # filled in place by backward()
            self.parameters[name] = view
            start += shape.numel()

    def losses(self, batch: Batch) -> Tensor:
        """``translation_loss`` of each copy: (copies,)."""

        def loss(parameters: dict[str, Tensor]) -> Tensor:
            def model(*inputs: Tensor) -> Any:
                return torch.func.functional_call(self.skeleton, parameters, inputs)

            return translation_loss(model, batch)

        return torch.vmap(loss, randomness="different")(self.parameters)

    def weights(self, row: int, values: Tensor | None = None) -> dict[str, Tensor]:
        """One copy's state, for ``load_state_dict``; of ``values`` (copies, parameters) if given."""
        flat = (self.values if values is None else values)[row].detach().cpu()
        parts = flat.split([values[row].numel() for values in self.parameters.values()])
        shapes = [values.shape[1:] for values in self.parameters.values()]
        named = zip(self.parameters, parts, shapes, strict=True)
        return {name: part.reshape(shape).clone() for name, part, shape in named}


class Runs:
    """What each copy has been through: its rate, its Adam, its best weights, how long it has waited.

    Parameters
    ----------
    copies : Copies
    rates : list of float
        The first learning rate of each copy.
    """

    def __init__(self, copies: Copies, rates: list[float]) -> None:
        zeros = torch.zeros_like(copies.values)
        self.copies = copies
        n = len(rates)
        self.rate = torch.tensor(rates, device=zeros.device).unsqueeze(1)  # (copies, 1); 0 once it is over
        self.best = [math.inf] * n  # by more than the tolerance
        self.kept = [math.inf] * n  # the loss of the weights that are kept, at this rate
        self.waited, self.stage, self.steps = [0] * n, [0] * n, [0] * n
        self.active, self.flat, self.diverged = [True] * n, [False] * n, [False] * n
        self.curves: list[list[dict[str, Any]]] = [[] for _ in rates]
        self.count = torch.zeros(n, 1, device=zeros.device)  # Adam's steps since the rate changed
        self.first, self.second = zeros, zeros.clone()  # Adam's moments
        self.best_values = copies.values.detach().clone()

    def step(self) -> None:
        """One step of Adam for every copy, from the gradients of the last ``backward``."""
        values, gradients = self.copies.values, self.copies.gradients
        norms = gradients.norm(dim=1, keepdim=True)  # (copies, 1)
        healthy = norms.isfinite()
        scaled = torch.where(healthy, gradients * (CLIP / (norms + 1e-6)).clamp(max=1.0), 0.0)
        self.count += 1
        self.first.lerp_(scaled, 1 - BETAS[0])
        self.second.mul_(BETAS[1]).addcmul_(scaled, scaled, value=1 - BETAS[1])
        spread = self.second.sqrt() / (1 - BETAS[1] ** self.count).sqrt() + EPSILON
        with torch.no_grad():
            values -= self.rate / (1 - BETAS[0] ** self.count) * self.first / spread
        gradients.zero_()

    def validated(self, row: int, step: int, loss: float, patience: int, tolerance: float, halvings: int):
        """Go on, halve the rate from the best weights, or end, as the rule says."""
        self.curves[row].append({"step": step, "loss": loss})
        self.steps[row] = step
        if not math.isfinite(loss):
            self.active[row], self.diverged[row] = False, True
            self.rate[row] = 0.0
            return
        if loss < (1 - tolerance) * self.best[row]:
            self.best[row] = loss
        reported = max(loss, self.best[row])
        if reported < self.kept[row]:
            self.kept[row], self.waited[row] = reported, 0
            self.best_values[row] = self.copies.values[row].detach()
            return
        self.waited[row] += 1
        if self.waited[row] < patience:
            return
        with torch.no_grad():
            self.copies.values[row] = self.best_values[row]
        self.first[row], self.second[row], self.count[row] = 0.0, 0.0, 0.0
        self.rate[row] /= 2
        self.stage[row] += 1
        self.waited[row], self.kept[row] = 0, math.inf
        if self.stage[row] > halvings:
            self.active[row], self.flat[row] = False, True
            self.rate[row] = 0.0

    def state(self) -> dict[str, Any]:
        """All of it, for a checkpoint."""
        own = {name: value for name, value in vars(self).items() if name != "copies"}
        return own | {"values": self.copies.values}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what :meth:`state` gave."""
        with torch.no_grad():
            self.copies.values.copy_(state.pop("values"))
        vars(self).update(state)


def train_together(
    copies: Copies,
    rates: list[float],
    batch: Callable[[int], Batch],
    validation: Sequence[Batch],
    options: Any,
    checkpoint: Path,
    description: str,
) -> Runs:
    """Train all copies until the last one's loss is flat, or the cap.

    Parameters
    ----------
    copies : Copies
    rates : list of float
        One a copy.
    batch : callable
        step → the batch that all of them see.
    validation : sequence of Batch
    options
        With ``most_steps``, ``validate_every``, ``patience``, ``tolerance``, ``halvings`` and ``bleu_curve``.
    checkpoint : Path
        From which a run that was cut off goes on. With ``bleu_curve``, :func:`snapshots` lie beside it.
    description : str
        The bar's label.
    """
    device = copies.values.device
    runs, done = Runs(copies, rates), 0
    if checkpoint.exists():
        stored = torch.load(checkpoint, map_location=device, weights_only=True)
        done = stored.pop("done")
        runs.load(stored)
    held_out = [each.to(device) for each in validation]
    words = [int(each.tgt_mask[:, 1:].sum()) for each in held_out]
    saved, last = time.monotonic(), max(snapshots(checkpoint), default=0)
    bar = tqdm(total=options.most_steps, initial=done, desc=description, unit="step")
    while done < options.most_steps and any(runs.active):
        with warnings.catch_warnings():  # rows of one matrix are not laid out as autograd would
            warnings.filterwarnings("ignore", message="grad and param do not obey")
            copies.losses(batch(done).to(device)).sum().backward()
        runs.step()
        done += 1
        bar.update()
        if done % options.validate_every and done < options.most_steps:
            continue
        with torch.no_grad():
            sums = sum(n * copies.losses(each) for n, each in zip(words, held_out, strict=True))
        if options.bleu_curve and done >= FURTHER * last:
            save_tensors(checkpoint.with_name(f"{checkpoint.stem}.at{done}.pt"), copies.values.detach())
            last = done
        for row, loss in enumerate((sums / sum(words)).tolist()):
            if runs.active[row]:
                runs.validated(row, done, loss, options.patience, options.tolerance, options.halvings)
        if time.monotonic() - saved > SAVE_SECONDS:
            save_tensors(checkpoint, runs.state() | {"done": done})
            saved = time.monotonic()
    bar.close()
    save_tensors(checkpoint, runs.state() | {"done": done})
    return runs


def snapshots(checkpoint: Path) -> dict[int, Path]:
    """After how many steps all copies' parameters were kept, and where."""
    prefix = f"{checkpoint.stem}.at"
    found = checkpoint.parent.glob(f"{glob.escape(prefix)}*.pt")
    return dict(sorted((int(path.stem.removeprefix(prefix)), path) for path in found))


# ---- the same model, in steps that torch.vmap can follow ---------------------------------------------


def _stepwise(model: Seq2Seq) -> Seq2Seq:
    """A copy in which the recurrent units are written out: vmap knows neither packing nor fused cells."""
    model = copy.deepcopy(model)
    model.encoder.forward = MethodType(_read, model.encoder)
    model.decoder.update = MethodType(_update, model.decoder)
    # One word after the other, also where the model itself has a fused pass over all of them.
    model.decoder.forward = MethodType(GRUDecoder.forward, model.decoder)
    return model


def _update(decoder: GRUDecoder, read: Tensor, hidden: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    cell = decoder.rnn
    return _unit(
        cell, read, hidden, [getattr(cell, f"{w}_{s}") for w in ("weight", "bias") for s in ("ih", "hh")]
    )


def _unit(
    rnn: nn.Module, read: Tensor, hidden: tuple[Tensor, ...], weights: list[Tensor]
) -> tuple[Tensor, ...]:
    if isinstance(rnn, nn.LSTM | nn.LSTMCell):
        return lstm_step(read, *hidden, *weights)
    return (gru_step(read, *hidden, *weights),)


def _read(encoder: GRUEncoder, src: Tensor, src_mask: Tensor) -> tuple[Tensor, Tensor]:
    """What ``GRUEncoder.forward`` returns: at padding the state stays as it is, and the memory is zero."""
    words = encoder.dropout(encoder.embedding(src))  # (batch, src, d_embed)
    memories, ends = [], []
    for suffix in ("", "_reverse") if encoder.rnn.bidirectional else ("",):
        names = [f"{w}_{s}_l0{suffix}" for w in ("weight", "bias") for s in ("ih", "hh")]
        weights = [getattr(encoder.rnn, name) for name in names]
        zero = words.new_zeros(len(src), encoder.d_hidden)
        hidden = (zero, zero) if isinstance(encoder.rnn, nn.LSTM) else (zero,)
        states: list[Tensor] = []
        places = range(src.shape[1])
        for place in reversed(places) if suffix else places:
            real = src_mask[:, place, None]
            new = _unit(encoder.rnn, words[:, place], hidden, weights)
            hidden = tuple(torch.where(real, n, h) for n, h in zip(new, hidden, strict=True))
            states.append(hidden[0])
        ends.append(hidden[0])
        memories.append(torch.stack(states[::-1] if suffix else states, dim=1))  # (batch, src, d_hidden)
    memory = torch.cat(memories, dim=-1) * src_mask.unsqueeze(-1)
    return memory, torch.stack(ends, dim=1)
