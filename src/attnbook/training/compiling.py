"""The model in machine code, by torch.compile."""

from __future__ import annotations

import os
import shutil
import sys
from typing import cast

import torch
from torch import nn


def compiled(model: nn.Module, device: torch.device) -> nn.Module:
    """The model in machine code that fits batches of any shape: sentences come in many lengths.

    Raises
    ------
    ValueError
        If there is no C++ compiler where one is needed.
    """
    if device.type == "cpu":
        name = os.environ.get("CXX") or ("clang++" if sys.platform == "darwin" else "g++")
        if shutil.which(name) is None:
            raise ValueError(
                f"compile: torch.compile needs a C++ compiler, and {name} is not on the PATH; "
                "install one, or leave compile=False"
            )
    return cast(nn.Module, torch.compile(model, dynamic=True))
