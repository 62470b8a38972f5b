"""The same translator in float32, in mixed precision and compiled: speed, loss and BLEU beside each other.

``attnbook run scale_up`` trains the transformer of chapter 10 in each way, from the same weights and on the
same batches, and takes a few steps of a wider one. Seconds are of processor time, which other work on the
machine changes less than wall time; those of the compiler, a program of its own, are counted with them.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from functools import partial
from itertools import pairwise
from statistics import median

import torch

from attnbook import nn
from attnbook.analysis import operations
from attnbook.data import phrasebook
from attnbook.data.vocabulary import Batches, Vocabulary
from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least
from attnbook.experiments.transformer import ADAM
from attnbook.training.fit import fit, translation_loss
from attnbook.training.schedules import warmup_linear
from attnbook.translation.metrics import bleu
from attnbook.translation.search import translate

ABOUT = "float32, mixed precision and torch.compile side by side: steps a second, loss, BLEU"
WAYS = {
    "float32": {"precision": "float32"},
    "mixed": {"precision": "mixed"},
    "compiled": {"precision": "float32", "compile": True},
}
CHAPTER = {"d_model": 96, "n_heads": 4, "n_layers": 2, "d_ff": 192}
WIDE = {"d_model": 512, "n_heads": 8, "n_layers": 2, "d_ff": 2048}
BATCH = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Steps and sizes."""
    add = parser.add_argument
    add("--steps", type=int, default=200, metavar="N", help="of the chapter's transformer (default 200)")
    add("--wide-steps", type=int, default=8, metavar="N", help="of the wider one (default 8)")
    add("--train-pairs", type=int, default=20_000, metavar="N", help="default 20000")
    add("--test-pairs", type=int, default=200, metavar="N", help="default 200")


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict:
    """Train in each way with this seed.

    Raises
    ------
    ValueError
        If a number is out of range, or there is no C++ compiler where one is needed.
    """
    at_least(options, 4, "steps", "wide_steps", "train_pairs", "test_pairs")
    src, tgt = (Vocabulary(words) for words in phrasebook.vocabulary("small"))
    train = phrasebook.sample(options.train_pairs, 0, "small", (5, 20), "train")
    test = phrasebook.sample(options.test_pairs, 2, "small", (5, 20), "test")
    batches = Batches(train, src, tgt, BATCH, seed=seed)
    numbers: dict = {}
    for way in WAYS:
        model = build(CHAPTER, src, tgt, seed)
        found = timed(model, batches, options.steps, seed, device, way, CHAPTER)
        ours = [words for words, _ in translate(model, [pair.src for pair in test], src, tgt)]
        numbers[way] = found | {"bleu": bleu(ours, [pair.tgt for pair in test])}
    for way in ("float32", "mixed"):
        model = build(WIDE, src, tgt, seed)
        numbers[f"wide, {way}"] = timed(model, batches, options.wide_steps, seed, device, way, WIDE)
    return numbers


def build(sizes: dict, src: Vocabulary, tgt: Vocabulary, seed: int) -> nn.Transformer:
    """A pre-norm transformer of these sizes, the same for each way."""
    set_seed(seed)
    return nn.Transformer(len(src), len(tgt), **sizes, dropout=0.0, norm="pre")


def processor_seconds() -> float:
    """Of this process and of those that it started and that have ended."""
    return sum(os.times()[:4])


def timed(model, batches, steps: int, seed: int, device, way: str, sizes: dict) -> dict[str, float]:
    """Train; a step takes the median of the second half, and what all steps took beyond that is the start."""
    stamps: list[float] = []
    counted: list[float] = []
    before_all = processor_seconds()

    def batch(step: int):
        stamps.append(time.process_time())
        found = batches(step)
        rows, longest = found.src.shape
        work = operations.training_step(
            longest, found.tgt.shape[1] - 1, rows, d_model=sizes["d_model"], d_ff=sizes["d_ff"],
            n_layers=sizes["n_layers"], tgt_vocab=model.tgt_vocab,
        )  # fmt: skip
        counted.append(work.total)
        return found

    # A compiled model is kept on the disk and found again; here each is compiled anew.
    with tempfile.TemporaryDirectory() as folder:
        before = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        started = time.monotonic()
        try:
            torch._dynamo.reset()
            history = fit(
                model, batch, steps=steps, learning_rate=3e-3,
                schedule=warmup_linear(max(1, steps // 8), steps, hold=0.5),
                loss=partial(translation_loss, smoothing=0.1),
                optimiser=ADAM,
                seed=seed, device=device, description=way, **WAYS[way],
            )  # fmt: skip
        finally:
            if before is None:
                del os.environ["TORCHINDUCTOR_CACHE_DIR"]
            else:
                os.environ["TORCHINDUCTOR_CACHE_DIR"] = before
    stamps.append(time.process_time())
    half = steps // 2
    took = [end - start for start, end in pairwise(stamps)]  # seconds a step
    step_seconds = median(took[half:])
    last = history.losses[-max(1, steps // 10) :]
    return {
        "loss": sum(last) / len(last),
        "steps per second": 1 / step_seconds,
        "seconds to start": max(0.0, processor_seconds() - before_all - steps * step_seconds),
        "operations per second": median(work / seconds for work, seconds in zip(counted, took, strict=True)),
        "wall seconds": time.monotonic() - started,
    }
