"""How values are named in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from attnbook.worker.values import Foreign


def join(names: Sequence[str]) -> str:
    """Names as code: "`a`, `b` and `c`"."""
    quoted = [f"`{name}`" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]


def text(value: Any) -> str:
    """At most 600 characters of something that may not be text."""
    return str(value)[:600]


def dtype(dtype: torch.dtype) -> str:
    """``float32``."""
    return str(dtype).removeprefix("torch.")


def kind(value: Any) -> str:
    """What a learner returned: "a float32 tensor of shape (2, 3)"."""
    if isinstance(value, Foreign):
        return f"an object of type {value.kind}"
    if isinstance(value, torch.Tensor):
        return f"a {dtype(value.dtype)} tensor of shape {tuple(value.shape)}"
    if isinstance(value, (list, tuple)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"the {type(value).__name__} {short(value)}"


def short(value: Any) -> str:
    """A number or another small value, at most 80 characters."""
    shown = f"{value:.4f}" if isinstance(value, float) else repr(value)
    return shown if len(shown) <= 80 else shown[:77] + "…"


def told_apart(wanted: Any, got: Any) -> tuple[str, str]:
    """Two values that are not equal, with as many digits as it takes to see it."""
    first, second = short(wanted), short(got)
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (wanted, got)):
        return first, second
    digits = 3
    while digits < 12 and (first == second or (0 < abs(wanted) < 0.01 and digits == 3)):
        digits += 1
        first, second = f"{wanted:.{digits}g}", f"{got:.{digits}g}"
    return first, second
