"""Language models: the transformer's decoder alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from attnbook import nn


def gpt(vocab: int, **configuration: Any) -> nn.GPT:
    """``nn.GPT`` over a vocabulary of ``vocab`` tokens."""
    return nn.GPT(vocab, **configuration)


ARCHITECTURES: dict[str, Callable[..., torch.nn.Module]] = {"gpt": gpt}
