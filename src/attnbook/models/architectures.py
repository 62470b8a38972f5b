"""The architectures of all families by name: what a stored model is built with before it gets its weights."""

from __future__ import annotations

import pkgutil
from collections.abc import Callable, Mapping, Sized
from importlib import import_module
from typing import Any

import torch

from attnbook.models import families


def _of_all_families() -> dict[str, Callable[..., torch.nn.Module]]:
    """A file in ``families/`` is found by being there; two may not share a name."""
    found: dict[str, Callable[..., torch.nn.Module]] = {}
    for module in pkgutil.iter_modules(families.__path__):
        own = import_module(f"{families.__name__}.{module.name}").ARCHITECTURES
        twice = sorted(found.keys() & own.keys())
        if twice:
            raise ValueError(f"ARCHITECTURES: {module.name} names {twice}, which another family has")
        found |= own
    return found


ARCHITECTURES = _of_all_families()


def build(
    architecture: str, configuration: Mapping[str, Any], vocabularies: Mapping[str, Sized] | None = None
) -> torch.nn.Module:
    """An untrained model.

    Parameters
    ----------
    architecture : str
        A key of ``ARCHITECTURES``.
    configuration : mapping
        Its arguments.
    vocabularies : mapping, optional
        Name → anything with a length, for models that read or write words: ``{"src": …, "tgt": …}`` for a
        translator.

    Raises
    ------
    ValueError
        If the architecture is unknown, or its arguments do not fit.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"architecture: expected one of {', '.join(ARCHITECTURES)}, got {architecture!r}")
    sizes = {f"n_{name}": len(words) for name, words in (vocabularies or {}).items()}
    return ARCHITECTURES[architecture](**sizes, **configuration)
