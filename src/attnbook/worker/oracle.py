"""Runs an answer on one input and says what came back: the only part that touches the learner's objects.

It knows nothing of exercises: a *request* comes in, a *reply* goes out, both plain values (see
``values``). So it runs as well in the learner's notebook as alone in another process: it needs torch and
``values.py`` beside it, nothing else of the package.

Request
    ``{"form": "function" | "module" | "value", "args": [...], "init": [...], "state": {...},
    "cotangents": [...]}``; the last three for a module.

Reply
    ``{"status": ...}`` with

    - ``"returned"``: ``value``; ``mutated`` (positions of arguments that changed); ``device`` (the type
      of device on which outputs were, when it is not the inputs' one); for a module ``gradients``,
      from each parameter's name to a tensor or None
    - ``"raised"``: ``error``, a dict of ``type``, ``message``, ``where`` (lines of the learner's own code)
    - ``"unfinished"`` (it raised NotImplementedError), ``"missing"`` (None), ``"not callable"`` (with
      ``kind``), ``"signature"`` (with ``parameters``), ``"not a module"``, ``"instance"`` (of the class that
      was asked for), ``"no forward"`` (with ``near``, a method that is called almost so), ``"state"`` (with
      ``found``, from each parameter's name to its shape)
"""

from __future__ import annotations

import inspect
import linecache
import os
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any

import torch

from attnbook.worker.values import DTYPES, Foreign, copy, same

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OWN = {
    os.path.join(_PACKAGE, room) for room in ("worker", "exercises")
}  # a check's frames are not the learner's
_LIBRARIES = tuple(
    os.path.normcase(os.path.abspath(path))
    for path in {*sysconfig.get_paths().values(), *_OWN, os.path.dirname(torch.__file__)}
    if path and path != sysconfig.get_paths().get("data") and path != sysconfig.get_paths().get("scripts")
)


def answer(thing: Any, request: dict[str, Any]) -> dict[str, Any]:
    """Try ``thing`` on one request. Never raises because of what ``thing`` does, except on purpose by a
    stop that comes from outside (see ``watchdog``)."""
    if thing is None:
        return {"status": "missing"}
    with _ordinary_settings():
        return _answer(thing, request)


@contextmanager
def _ordinary_settings() -> Iterator[None]:
    """Torch's defaults while an answer runs, whatever a cell set for its own ends; then as they were."""
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    torch.set_default_dtype(torch.float32)
    if device.type != "cpu":
        torch.set_default_device(None)
    try:
        with torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(dtype)
        if device.type != "cpu":
            torch.set_default_device(device)


def _answer(thing: Any, request: dict[str, Any]) -> dict[str, Any]:
    form = request["form"]
    if form == "value":
        return {"status": "returned", "value": plain(thing), "mutated": []}
    if form == "module" and isinstance(thing, torch.nn.Module):
        return {"status": "instance"}
    if not callable(thing):
        return {"status": "not callable", "kind": type(thing).__name__}
    args = copy(list(request["args"]))
    to_bind = list(request["init"]) if form == "module" else args
    parameters = _does_not_bind(thing, to_bind)
    if parameters is not None:
        return {"status": "signature", "parameters": parameters}
    try:
        if form == "module":
            return _run_module(thing, request, args)
        value = thing(*args)
        return _returned(value, request["args"], args)
    except NotImplementedError:
        return {"status": "unfinished"}
    except (Exception, SystemExit, GeneratorExit) as error:
        return {"status": "raised", "error": describe(error)}


def _does_not_bind(thing: Any, args: list) -> str | None:
    """The parameters of ``thing`` as text, if it cannot be called with that many; else None."""
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return None
    try:
        signature.bind(*args)
    except TypeError:
        return str(signature)
    return None


def _run_module(thing: Any, request: dict[str, Any], args: list) -> dict[str, Any]:
    module = thing(*request["init"])
    if not isinstance(module, torch.nn.Module):
        return {"status": "not a module", "kind": type(module).__name__}
    parameters = dict(module.named_parameters())
    state = request["state"]
    shapes = {name: list(tensor.shape) for name, tensor in parameters.items()}
    if shapes != {name: list(tensor.shape) for name, tensor in state.items()}:
        return {"status": "state", "found": shapes}
    if getattr(module.forward, "__func__", None) is torch.nn.Module.forward:
        near = get_close_matches("forward", list(vars(type(module))), n=1)
        return {"status": "no forward", "near": near[0] if near else ""}
    with torch.no_grad():
        for name, parameter in parameters.items():
            parameter.copy_(state[name])
            parameter.requires_grad_(True)
    value = module(*args)
    reply = _returned(value, request["args"], args)
    reply["gradients"] = _gradients(value, parameters, request["cotangents"])
    return reply


def _gradients(value: Any, parameters: Mapping[str, torch.Tensor], cotangents: list) -> dict[str, Any]:
    outputs = list(value) if isinstance(value, (tuple, list)) else [value]
    total = None
    for output, cotangent in zip(outputs, cotangents, strict=False):
        if isinstance(output, torch.Tensor) and output.shape == cotangent.shape and output.requires_grad:
            part = (output * cotangent.to(output)).sum()
            total = part if total is None else total + part
    if total is None:
        return dict.fromkeys(parameters)
    found = torch.autograd.grad(total, list(parameters.values()), allow_unused=True)
    return {name: plain(gradient) for name, gradient in zip(parameters, found, strict=True)}


def _returned(value: Any, before: Any, after: list) -> dict[str, Any]:
    mutated = [i for i, (old, new) in enumerate(zip(before, after, strict=True)) if not same(old, new)]
    reply = {"status": "returned", "value": plain(value), "mutated": mutated}
    inputs = {tensor.device.type for tensor in _tensors(before)} or {"cpu"}
    outside = {tensor.device.type for tensor in _tensors(value)} - inputs
    if outside:
        reply["device"] = sorted(outside)[0]
    return reply


def _tensors(value: Any, depth: int = 0) -> list[torch.Tensor]:
    if isinstance(value, torch.Tensor):
        return [value]
    if isinstance(value, (list, tuple)) and depth < 4:
        return [tensor for part in value for tensor in _tensors(part, depth + 1)]
    return []


def plain(value: Any, depth: int = 0) -> Any:
    """The value as one that ``values.pack`` takes: tensors on the CPU without history, the rest by type."""
    if isinstance(value, torch.Tensor):
        if value.layout is not torch.strided:
            return Foreign("sparse tensor")
        if value.device.type == "meta":
            return Foreign("tensor on the meta device, which holds no numbers")
        if value.dtype not in DTYPES.values():
            return Foreign(f"{str(value.dtype).removeprefix('torch.')} tensor")
        tensor = value.detach().as_subclass(torch.Tensor)
        return tensor.to("cpu").resolve_conj().resolve_neg().contiguous().clone()
    if type(value).__module__ == "numpy":
        if type(value).__name__ == "ndarray" or not hasattr(value, "item"):
            return Foreign("numpy.ndarray")
        return plain(value.item(), depth + 1) if depth < 8 else Foreign("numpy scalar")
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str(value)[:10_000]
    if depth < 8 and isinstance(value, (list, tuple)):
        parts = [plain(part, depth + 1) for part in value[:20_000]]
        return parts if isinstance(value, list) else tuple(parts)
    return Foreign(type(value).__name__)


def describe(error: BaseException) -> dict[str, Any]:
    """Type, message and the lines of the learner's own code on the way to an error."""
    try:
        message = str(error)
    except Exception:
        message = "(its message cannot be printed)"
    where = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        if not _is_library(code.co_filename):
            source = linecache.getline(code.co_filename, trace.tb_lineno, trace.tb_frame.f_globals).strip()
            where.append(f"line {trace.tb_lineno} of {code.co_name}: {source}".rstrip(": "))
        trace = trace.tb_next
    if len(where) > 6:
        where = [*where[:3], f"… {len(where) - 5} more calls …", *where[-2:]]
    return {"type": type(error).__name__, "message": message[:600], "where": where}


def _is_library(filename: str) -> bool:
    if filename.startswith("<frozen"):
        return True
    return os.path.normcase(os.path.abspath(filename)).startswith(_LIBRARIES)
