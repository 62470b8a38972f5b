"""Matrices of weights in a results file: a row is one line of text, not a line a number."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


def as_lines(matrix: Tensor, decimals: int = 2) -> list[str]:
    """(rows, columns) as one string a row."""
    return [" ".join(f"{number:.{decimals}f}" for number in row) for row in matrix.tolist()]


def from_lines(lines: Sequence[str]) -> Tensor:
    """What ``as_lines`` wrote, up to its decimals."""
    return torch.tensor([[float(number) for number in line.split()] for line in lines])
