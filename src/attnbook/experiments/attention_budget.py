"""What attention costs as a text grows: the plain form, tiles, torch's own kernel, a window, and a state.

One head of 64 numbers, one text, causal, as in a language model. Five ways over the same queries, keys and
values: chapter 7's function, which makes the (n, n) matrix; the same result in tiles
(:mod:`attnbook.nn.tiled`); torch's fused kernel; a window of 256, gathered
(:mod:`attnbook.nn.sliding_window`); and linear attention in chunks (:mod:`attnbook.nn.linear`). The first
three give the same numbers, the last two other ones.

Seconds are the process's, on one thread. The ways take turns, and the median counts. Memory is the most that
is held at one moment beyond the inputs, without gradients and in a training step. The law cost = c nᵏ is
fitted to the four longest texts.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile

from attnbook.experiments.attention_cost import exponent
from attnbook.experiments.options import at_least
from attnbook.nn import linear_attention, scaled_dot_product_attention, tiled_attention, windowed_attention

ABOUT = "time and memory of plain, tiled, fused, windowed and linear attention, by length"

WINDOW, D_HEAD = 256, 64
SECONDS, BYTES, TRAINING = "processor seconds", "bytes", "bytes in a training step"
Way = Callable[[Tensor, Tensor, Tensor], Tensor]
WAYS: dict[str, Way] = {
    "plain": lambda q, k, v: scaled_dot_product_attention(q, k, v, causal=True)[0],
    "tiles": lambda q, k, v: tiled_attention(q, k, v, causal=True),
    "torch's kernel": lambda q, k, v: scaled_dot_product_attention(q, k, v, causal=True, need_weights=False)[
        0
    ],
    "window": lambda q, k, v: windowed_attention(q, k, v, WINDOW, causal=True),
    "linear": lambda q, k, v: linear_attention(q, k, v)[0],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of ``attnbook run attention_budget``."""
    add = parser.add_argument
    add("--shortest", type=int, default=128, metavar="N", help="tokens (default 128)")
    add("--longest", type=int, default=8192, metavar="N", help="tokens (default 8192)")
    add("--repeats", type=int, default=5, metavar="N", help="turns, of which the median counts (default 5)")


def inputs(n: int, gradients: bool = False) -> tuple[Tensor, Tensor, Tensor]:
    """Query, key and value of one head, (1, 1, n, 64) each."""
    draw = torch.Generator().manual_seed(n)
    made = [torch.randn(1, 1, n, D_HEAD, generator=draw) for _ in range(3)]
    query, key, value = (each.requires_grad_(gradients) for each in made)
    return query, key, value


def peak_bytes(call: Callable[[], Any]) -> int:
    """The most bytes that were held at one moment of the call, beyond what was there before it."""
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        call()
    recorded: Any = profiler.profiler  # its types are torch's own business
    events = [event for event in recorded.kineto_results.events() if event.name() == "[memory]"]
    changes = [(event.start_ns(), event.nbytes()) for event in events]
    held = peak = 0
    for _, change in sorted(changes, key=lambda each: each[0]):
        held += change
        peak = max(peak, held)
    return peak


def take_turns(calls: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median processor seconds of each call, all in turn, in reversed order every other time."""
    for call in calls.values():
        call()
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(repeats):
        names = list(calls) if turn % 2 == 0 else list(reversed(calls))
        for name in names:
            started = time.process_time()
            calls[name]()
            seconds[name].append(time.process_time() - started)
    return {name: statistics.median(each) for name, each in seconds.items()}


def at_length(n: int, repeats: int) -> dict[str, Mapping[str, float]]:
    """Seconds and bytes of each way at one length."""
    with torch.no_grad():
        given = inputs(n)
        calls = {name: lambda way=way: way(*given) for name, way in WAYS.items()}
        inner = max(1, 2048 // n)  # short calls are repeated, so that the clock's own step does not count
        many = {name: lambda call=call: [call() for _ in range(inner)] for name, call in calls.items()}
        seconds = {name: each / inner for name, each in take_turns(many, repeats).items()}
        held = {name: peak_bytes(call) for name, call in calls.items()}
    given = inputs(n, gradients=True)
    training = {
        name: peak_bytes(lambda way=way: torch.autograd.grad(way(*given).sum(), given))
        for name, way in WAYS.items()
    }
    return {SECONDS: seconds, BYTES: held, TRAINING: training}


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
    at_least(options, 1, "shortest", "repeats")
    lengths = [options.shortest * 2**i for i in range(20) if options.shortest * 2**i <= options.longest]
    if len(lengths) < 4:
        raise ValueError(
            f"--longest: expected at least 8 times --shortest ({options.shortest}), got {options.longest}"
        )
    costs: dict[str, dict[str, dict[str, float]]] = {kind: {} for kind in (SECONDS, BYTES, TRAINING)}
    for n in lengths:
        for kind, row in at_length(n, options.repeats).items():
            for name, cost in row.items():
                costs[kind].setdefault(name, {})[str(n)] = cost
    far = lengths[-4:]
    fitted = {
        kind: {name: exponent(far, [row[str(n)] for n in far]) for name, row in rows.items()}
        for kind, rows in costs.items()
    }
    return {**costs, "exponent": fitted}
