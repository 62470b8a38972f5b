"""What one look of every target word costs: the whole sentence against a window, as sentences grow.

A sentence of n words into one of n words, the general score, p_t predicted. Three ways: global attention;
a window that scores everything and throws most of it away (``LocalAttention``); a window that scores only
itself (``GatheredLocalAttention``). The keys' own products, paid once a sentence by all three, are left out.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from attnbook import nn

ABOUT = "operations, memory and time of global attention and of a window, by length"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``attnbook run attention_cost``."""
    parser.add_argument("--shortest", type=int, default=64, metavar="N", help="words (default 64)")
    parser.add_argument("--longest", type=int, default=4096, metavar="N", help="words (default 4096)")
    parser.add_argument("--window", type=int, default=10, metavar="D", help="half width (default 10)")
    parser.add_argument("--hidden", type=int, default=128, help="size of states and keys (default 128)")
    parser.add_argument("--repeats", type=int, default=5, help="timings, of which the least counts")


def looks(n: int, size: int, window: int, seed: int) -> dict[str, Callable[[], Any]]:
    """For a sentence of n words into n words, one call for each way of looking."""
    torch.manual_seed(seed)
    score = nn.GeneralScore(size, size)
    masked = nn.LocalAttention(score, window, "predictive")
    gathered = nn.GatheredLocalAttention(score, window, "predictive")
    gathered.load_state_dict(masked.state_dict())
    everywhere = nn.Attention(score)
    query, key = torch.randn(1, n, size), torch.randn(1, n, size)
    with torch.no_grad():
        prepared = score.prepare(key)
    return {
        "global": lambda: everywhere(query, key, key, prepared=prepared),
        "window, masked": lambda: masked(query, key, key, prepared=prepared),
        "window, gathered": lambda: gathered(query, key, key, prepared=prepared, need_weights=False),
    }


def operations(look: Callable[[], Any]) -> int:
    """Multiplications and additions inside matrix products."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        look()
    return counter.get_total_flops()


def peak_memory(look: Callable[[], Any]) -> int:
    """The most bytes that were held at one moment of the call, beyond its inputs."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler, torch.no_grad():
        look()
    changes = [
        (event.start_ns(), event.nbytes())
        for event in profiler.profiler.kineto_results.events()
        if event.name() == "[memory]"
    ]
    held = peak = 0
    for _, change in sorted(changes, key=lambda each: each[0]):
        held += change
        peak = max(peak, held)
    return peak


def processor_seconds(look: Callable[[], Any], repeats: int) -> float:
    """Of one call: the least of ``repeats`` means over calls that fill a tenth of a second."""
    with torch.no_grad():
        look()
        started = time.process_time()
        look()
        calls = max(1, math.ceil(0.1 / max(1e-5, time.process_time() - started)))
        means = []
        for _ in range(repeats):
            started = time.process_time()
            for _ in range(calls):
                look()
            means.append((time.process_time() - started) / calls)
    return min(means)


def exponent(lengths: list[int], costs: list[float]) -> float:
    """k of the law cost = c nᵏ: the slope of a straight line through the logarithms, by least squares."""
    x = torch.tensor(lengths, dtype=torch.float64).log()
    y = torch.tensor(costs, dtype=torch.float64).log()
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / (x * x).sum())


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, Any]:
    """Measure every length, and fit the exponents to the four longest.

    Raises
    ------
    ValueError
        If there are fewer than four lengths, or the device is not a CPU.
    """
    if device.type != "cpu":
        raise ValueError(
            f"--device: expected cpu, whose memory and time are measured here, got {device.type}"
        )
    lengths, n = [], options.shortest
    while n <= options.longest:
        lengths.append(n)
        n *= 2
    if options.shortest < 1 or len(lengths) < 4:
        raise ValueError(
            f"--longest: expected at least 8 times --shortest ({options.shortest}), got {options.longest}"
        )
    costs: dict[str, dict[str, dict[str, float]]] = {"operations": {}, "bytes": {}, "processor seconds": {}}
    for n in lengths:
        for name, look in looks(n, options.hidden, options.window, seed).items():
            costs["operations"].setdefault(name, {})[str(n)] = operations(look)
            costs["bytes"].setdefault(name, {})[str(n)] = peak_memory(look)
            costs["processor seconds"].setdefault(name, {})[str(n)] = processor_seconds(look, options.repeats)
    far = lengths[-4:]
    fitted = {
        kind: {name: exponent(far, [row[str(n)] for n in far]) for name, row in rows.items()}
        for kind, rows in costs.items()
    }
    return {**costs, "exponent": fitted}
