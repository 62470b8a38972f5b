"""What a layer costs as the sentence grows: processor time of self-attention, an LSTM and a convolution.

Beside Vaswani et al. 2017, table 1, https://arxiv.org/abs/1706.03762. Times are those of one thread's
processor, the least of several repeats, and an exponent is fitted to the longer half: time ∝ length^exponent.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

from attnbook.nn import SelfAttention

ABOUT = "processor time of self-attention, an LSTM and a convolution, by length and width"

LENGTHS = (32, 64, 128, 256, 512, 1024, 2048)
WIDTHS = (64, 256)
KERNEL = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How often each time is taken."""
    parser.add_argument("--repeats", type=int, default=7, metavar="N", help="takes of each time (default 7)")


class Convolution(nn.Conv1d):
    """A convolution over (batch, length, d_model), as the other layers take it."""

    def __init__(self, d_model: int):
        super().__init__(d_model, d_model, KERNEL, padding=KERNEL // 2)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, length, d_model) to the same shape."""
        return super().forward(x.transpose(1, 2)).transpose(1, 2)


def layers(d_model: int) -> dict[str, nn.Module]:
    """The three layers at one width."""
    return {
        "self-attention": SelfAttention(d_model),
        "LSTM": nn.LSTM(d_model, d_model, batch_first=True),
        "convolution": Convolution(d_model),
    }


def multiplications(name: str, n: int, d: int) -> int:
    """Multiplications of numbers with each other in a forward pass, over n words of d numbers.

    Self-attention: three projections, n² scores of d products each, and n² weights times d numbers. LSTM:
    four gates, each with a matrix for the word and one for the state. Convolution: KERNEL matrices a word.

    Raises
    ------
    ValueError
        If the name is not one of the three.
    """
    counts = {
        "self-attention": 3 * n * d * d + 2 * n * n * d,
        "LSTM": 8 * n * d * d,
        "convolution": KERNEL * n * d * d,
    }
    if name not in counts:
        raise ValueError(f"name: expected one of {', '.join(counts)}, got {name!r}")
    return counts[name]


def fitted_exponent(lengths: list[int], times: list[float]) -> float:
    """Slope of the straight line through log length and log time."""
    x, y = [math.log(length) for length in lengths], [math.log(seconds) for seconds in times]
    middle_x, middle_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - middle_x) * (b - middle_y) for a, b in zip(x, y, strict=True))
    return above / sum((a - middle_x) ** 2 for a in x)


def least_seconds(call: Callable[[], object], repeats: int) -> float:
    """Processor seconds of a call: the least of ``repeats``, after one that does not count."""
    call()
    found = []
    for _ in range(repeats):
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    return max(min(found), 1e-9)


@torch.no_grad()
def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Milliseconds of each layer by length, and the exponents of the longer half.

    Raises
    ------
    ValueError
        If a number is out of range, or the device is not a CPU.
    """
    if options.repeats < 1:
        raise ValueError(f"--repeats: expected at least 1, got {options.repeats}")
    if device.type != "cpu":
        raise ValueError(f"--device: expected cpu, whose processor time is measured, got {device.type}")
    torch.set_num_threads(1)
    found: dict[str, dict] = {"milliseconds": {}, "exponent": {}}
    longer = len(LENGTHS) // 2
    for d_model in WIDTHS:
        milliseconds = found["milliseconds"].setdefault(f"d = {d_model}", {})
        exponents = found["exponent"].setdefault(f"d = {d_model}", {})
        for name, layer in layers(d_model).items():
            times = []
            for length in LENGTHS:
                x = torch.randn(1, length, d_model)
                times.append(least_seconds(lambda x=x, layer=layer: layer(x), options.repeats))
            milliseconds[name] = {
                str(length): 1000 * seconds for length, seconds in zip(LENGTHS, times, strict=True)
            }
            exponents[name] = fitted_exponent(list(LENGTHS[longer:]), times[longer:])
    return found
