"""Time and memory of the cheaper attentions of chapter 13, in one run.

    python benchmarks/efficient.py [--repeats 9] [--tokens 8192]

Three rows, one head of 64 numbers, causal, on one thread of the CPU:

- the memory of ``tiled_attention`` at its worst moment is at most 1/8 of the plain form's, which makes the
  matrix of scores, without gradients and in a training step;
- ``windowed_attention`` with a window of 256 is at least 4 times as fast as the plain form;
- linear attention in chunks takes at most 1.5 times as long as its matrix products alone.

Times are processor seconds of this process. All take turns, in reversed order every other time, and the
medians are compared. Memory is counted by torch's profiler, beyond the inputs.
"""

import argparse
import os

os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # the profiler's own log lines would bury the table

import torch

from attnbook.experiments.attention_budget import D_HEAD, WAYS, WINDOW, inputs, peak_bytes, take_turns
from attnbook.nn import linear_attention

MEMORY, SPEED, PRODUCTS = 1 / 8, 4.0, 1.5
CHUNK = 128


def products_of_chunks(query, key, value):
    """The matrix products of linear attention in chunks, and nothing else: scores within a chunk, their
    product with the values, what a chunk adds to the state, and what its queries read from one.
    """
    q, k, v = (x.unflatten(-2, (-1, CHUNK)) for x in (query, key, value))
    state = torch.zeros(*k.shape[:-2], D_HEAD, D_HEAD)  # as many states as chunks, as they would be kept

    def run():
        scores = q @ k.transpose(-2, -1)
        return scores @ v, k.transpose(-2, -1) @ v, q @ state

    return run


def main() -> int:
    """Print the rows; 1 if one is out of its limit."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=9, help="turns of each (default 9)")
    parser.add_argument("--tokens", type=int, default=8192, help="length of the text (default 8192)")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    n = arguments.tokens
    print(f"torch {torch.__version__}, {n} tokens, window {WINDOW}, chunks of {CHUNK}, one thread")
    given = inputs(n)
    learning = inputs(n, gradients=True)
    with torch.no_grad():
        calls = {name: lambda way=way: way(*given) for name, way in WAYS.items() if name != "tiles"}
        calls["linear, in chunks"] = lambda: linear_attention(*given, chunk_size=CHUNK)
        calls["its products"] = products_of_chunks(*given)
        seconds = take_turns(calls, arguments.repeats)
        held = {name: peak_bytes(lambda name=name: WAYS[name](*given)) for name in ("plain", "tiles")}
    step = {
        name: peak_bytes(lambda name=name: torch.autograd.grad(WAYS[name](*learning).sum(), learning))
        for name in ("plain", "tiles")
    }
    for name, each in seconds.items():
        print(f"{name:22}{1e3 * each:9.1f} ms")
    linear = seconds["linear, in chunks"] / seconds["its products"]
    rows = [
        ("memory, tiles / plain", held["tiles"] / held["plain"], "at most", MEMORY),
        ("in a training step", step["tiles"] / step["plain"], "at most", MEMORY),
        ("time, plain / window", seconds["plain"] / seconds["window"], "at least", SPEED),
        ("time, linear / its products", linear, "at most", PRODUCTS),
    ]  # fmt: skip
    missed = 0
    for what, ratio, side, limit in rows:
        within = ratio <= limit if side == "at most" else ratio >= limit
        missed += not within
        print(f"{what:30}{ratio:8.3f}   {side} {limit:g}: {'within' if within else 'BEYOND'}")
    return int(missed > 0)


if __name__ == "__main__":
    raise SystemExit(main())
