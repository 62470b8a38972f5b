"""Activation patching: which layer, at which position, carries what makes two texts' answers differ?

A model reads two texts that differ in a word or two. Then it reads the first again, and at one layer and one
position the vector that it computed is replaced by the one that it computed in the second text. If the answer
moves towards the second's, that vector carried the difference, and what comes after reads it there.

The method is Vig et al. 2020, https://arxiv.org/abs/2004.12265 ("causal mediation analysis"), and Meng et al.
2022, https://arxiv.org/abs/2202.05262 ("causal tracing"). It works on any torch model: this book's, or one of
Hugging Face, whatever kernel its attention has.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

Inputs = Tensor | Mapping[str, Tensor]


@dataclass(frozen=True)
class Patched:
    """A map of layer × position.

    Attributes
    ----------
    answer : Tensor (n_layers, positions)
        The answer with one vector patched: after each layer in turn, at each position in turn.
    before, source : float
        The answer to the first text as it is, and to the text that the vectors come from.
    layers : list of str
        The name of the module whose output was patched in each row.
    """

    answer: Tensor
    before: float
    source: float
    layers: list[str]

    @property
    def moved(self) -> Tensor:
        """(n_layers, positions): 0 where the answer stayed, 1 where it became the source's.

        Raises
        ------
        ValueError
            If both texts have the same answer, so that nothing could move.
        """
        if self.before == self.source:
            raise ValueError(f"source: expected a text with another answer, got {self.source:.4g} for both")
        return (self.answer - self.before) / (self.source - self.before)


@torch.no_grad()
def patch(
    model: nn.Module,
    text: Inputs,
    source: Inputs,
    answer: Callable[[Any], Tensor],
    *,
    layers: str | Sequence[str] | None = None,
    positions: Sequence[int | Sequence[int]] | None = None,
) -> Patched:
    """Copy vectors from one text into another, one layer and position at a time, and ask for the answer.

    Parameters
    ----------
    model : torch.nn.Module
        Runs in evaluation mode, and is left as it was.
    text, source : Tensor, or dict of Tensor
        One text each, as the model takes it, ``model(text)`` or ``model(**text)``, with a first dimension of
        1; tokens of both must be equally many, so that a position means the same in both.
    answer : callable
        From the model's output for a batch to one number a text, (batch,): a difference of two logits, say.
    layers : str or list of str, optional
        The modules whose outputs are patched, by their dotted names; one name of a list of modules means all
        in it, such as "encoder.block" of a T5. Left out: the model's longest list of modules.
    positions : list, optional
        Each entry is one position, or several that are patched together. Left out: each alone.

    Returns
    -------
    Patched

    Raises
    ------
    ValueError
        In one sentence: texts of different lengths or more than one each, modules or positions that are not
        there, or an answer of another shape.
    """
    chosen = _modules(model, layers)
    length = _length("text", text)
    if _length("source", source) != length:
        raise ValueError(
            f"source: expected {length} tokens, as text has, got {_length('source', source)}; "
            "a position has to mean the same in both"
        )
    asked = range(length) if positions is None else positions
    groups = [[each] if isinstance(each, int) else list(each) for each in asked]
    if not groups:
        raise ValueError("positions: expected at least one, got none")
    for group in groups:
        if not group or not all(isinstance(each, int) and 0 <= each < length for each in group):
            raise ValueError(f"positions: expected numbers from 0 to {length - 1}, got {group}")
    was_training = model.training
    model.eval()
    try:
        kept: dict[str, Tensor] = {}
        before = _answered(model, text, answer, 1)
        with _hooked(chosen, lambda name, vectors: kept.setdefault(name, vectors.clone())):
            said = _answered(model, source, answer, 1)
        copies = _repeated(text, len(groups))
        rows = []
        for name, module in chosen.items():
            if name not in kept:
                raise ValueError(f"layers: {name} did not run when the model read source")
            if kept[name].dim() != 3 or kept[name].shape[1] != length:
                raise ValueError(
                    f"layers: expected outputs of shape (1, {length}, d_model), got "
                    f"{tuple(kept[name].shape)} of {name}"
                )

            def replaced(name: str, vectors: Tensor) -> Tensor:
                vectors = vectors.clone()
                for row, group in enumerate(groups):
                    vectors[row, group] = kept[name][0, group]
                return vectors

            with _hooked({name: module}, replaced):
                rows.append(_answered(model, copies, answer, len(groups)))
    finally:
        model.train(was_training)
    return Patched(torch.stack(rows), float(before), float(said), list(chosen))


def _modules(model: nn.Module, layers: str | Sequence[str] | None) -> dict[str, nn.Module]:
    """The modules that are patched, by name."""
    lists = {name: each for name, each in model.named_modules() if isinstance(each, nn.ModuleList)}
    if layers is None:
        if not lists:
            raise ValueError(
                "layers: expected names of modules, since this model keeps its layers in no nn.ModuleList"
            )
        layers = max(lists, key=lambda name: len(lists[name]))
    found: dict[str, nn.Module] = {}
    known = dict(model.named_modules())
    for name in [layers] if isinstance(layers, str) else layers:
        if name not in known:
            raise ValueError(f"layers: expected names of modules, got {name!r}; see model.named_modules()")
        inside = lists.get(name)
        if inside is None:
            found[name] = known[name]
        else:
            found |= {f"{name}.{place}": each for place, each in enumerate(inside)}
    if not found:
        raise ValueError("layers: expected at least one module, got none")
    return found


def _length(argument: str, inputs: Inputs) -> int:
    """Tokens of one text."""
    if isinstance(inputs, Mapping):
        tensors = [value for value in inputs.values() if isinstance(value, Tensor)]
        first = inputs.get("input_ids", tensors[0] if tensors else None)
    else:
        first = inputs
    if not isinstance(first, Tensor) or first.dim() < 2 or len(first) != 1 or not first.shape[1]:
        given = tuple(first.shape) if isinstance(first, Tensor) else type(first).__name__
        raise ValueError(f"{argument}: expected one text, (1, tokens), got {given}")
    return first.shape[1]


def _repeated(inputs: Inputs, times: int) -> Inputs:
    """The same text several times, as a batch."""
    if isinstance(inputs, Mapping):
        return {name: value.repeat_interleave(times, dim=0) for name, value in inputs.items()}
    return inputs.repeat_interleave(times, dim=0)


def _answered(model: nn.Module, inputs: Inputs, answer: Callable[[Any], Tensor], texts: int) -> Tensor:
    """One number a text."""
    out = model(**inputs) if isinstance(inputs, Mapping) else model(inputs)
    said = torch.as_tensor(answer(out)).detach().float().cpu()
    if said.shape != (texts,):
        raise ValueError(
            f"answer: expected one number a text, shape ({texts},), got {tuple(said.shape)}; "
            "take the position and the word from the model's output, not the text"
        )
    return said


@contextmanager
def _hooked(modules: Mapping[str, nn.Module], change: Callable[[str, Tensor], Tensor]) -> Iterator[None]:
    """While this runs, what each module returns first goes through ``change``."""

    def hook(name: str):
        def changed(module, inputs, output):
            if isinstance(output, tuple):
                return (change(name, output[0]), *output[1:])
            return change(name, output)

        return changed

    handles = [module.register_forward_hook(hook(name)) for name, module in modules.items()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
