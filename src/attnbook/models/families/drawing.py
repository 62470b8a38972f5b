"""Networks that draw: DRAW."""

from __future__ import annotations

from collections.abc import Callable

import torch

from attnbook import nn

ARCHITECTURES: dict[str, Callable[..., torch.nn.Module]] = {"draw": nn.DRAW}
