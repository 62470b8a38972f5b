"""How many patterns can be told apart again, after a tenth of each was flipped?

Random patterns of −1 and 1 are stored; each probe is a stored pattern in which every tenth position, drawn
anew, has the wrong sign, and it counts when *all* positions come back. Compared are the classical network
with Hebb's rule and with the pseudo-inverse (positions one after the other, until none changes), and the
modern one (patterns of length 1, one step, then the sign) with two values of β. The control is the nearest
stored pattern, found by comparing with all of them.

The same with real digits of 8 × 8 pixels, ink or no ink, which are alike as random patterns are not: one of
each class, and then more. Last, what β does: weights, steps, and the states in which several patterns mix.
"""

from __future__ import annotations

import argparse

import torch
from torch import Tensor

from attnbook.data.scenes import digit_images
from attnbook.experiments.options import at_least
from attnbook.nn import classical_retrieval, hopfield_retrieval, hopfield_weights

ABOUT = "patterns that classical and modern Hopfield networks complete, against their number and size"

SIZES = (32, 64, 128, 256)  # d
STORED = (2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 256, 1024, 4096)
DIGITS = (2, 3, 4, 6, 8, 10, 20, 50, 100, 200, 500, 1000)
PROBES = 50
FLIPPED = 0.1
BETAS = (2, 4, 8, 16, 32)
STEPS = (1, 2, 3, 5)
RETRIEVED_WITH = (16, 64)  # β of the modern network
METHODS = (
    "Hebb",
    "pseudo-inverse",
    *(f"modern, beta {beta}" for beta in RETRIEVED_WITH),
    "nearest pattern",
)
MOST_CLASSICAL = 4  # patterns a position up to which the classical networks are tried


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How often each number of patterns is tried."""
    parser.add_argument(
        "--probes", type=int, default=PROBES, metavar="N", help=f"of each number stored (default {PROBES})"
    )


def random_patterns(n: int, d: int, generator: torch.Generator) -> Tensor:
    """(n, d) of −1 and 1."""
    return torch.randint(2, (n, d), generator=generator).float() * 2 - 1


def digit_patterns(n: int, generator: torch.Generator) -> Tensor:
    """(n, 64): n different digits, ink 1 and no ink −1; the first ten are of the ten classes."""
    pool = digit_images("train")
    order = torch.randperm(len(pool.labels), generator=generator)
    flat = torch.where(pool.images[order].flatten(1) > 0.5, 1.0, -1.0)
    firsts = [int((pool.labels[order] == label).nonzero()[0]) for label in range(10)]
    rest = [i for i in range(len(flat)) if i not in firsts]
    chosen: list[Tensor] = []
    seen: set[tuple[float, ...]] = set()
    for i in [*firsts, *rest]:
        written = tuple(flat[i].tolist())
        if written not in seen:  # two drawings with the same ink cannot be told apart
            seen.add(written)
            chosen.append(flat[i])
        if len(chosen) == n:
            break
    return torch.stack(chosen)


def damaged(patterns: Tensor, probes: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Numbers of stored patterns (probes,), and each with a tenth of its positions flipped (probes, d)."""
    chosen = torch.randint(len(patterns), (probes,), generator=generator)
    probe = patterns[chosen].clone()
    wrong = torch.rand(probe.shape, generator=generator).argsort(dim=1)[:, : round(FLIPPED * probe.shape[1])]
    return chosen, probe.scatter(1, wrong, -probe.gather(1, wrong))


def modern(probe: Tensor, patterns: Tensor, beta: float, steps: int = 1) -> Tensor:
    """The sign of what the modern network retrieves; patterns and probes are scaled to length 1."""
    scale = patterns.shape[1] ** -0.5
    return hopfield_retrieval(probe * scale, patterns * scale, beta=beta, steps=steps)[0].sign()


def recall(patterns: Tensor, probes: int, generator: torch.Generator) -> dict[str, float]:
    """Share of the probes that come back whole, by method."""
    chosen, probe = damaged(patterns, probes, generator)
    wanted = patterns[chosen]
    back = {
        **{f"modern, beta {beta}": modern(probe, patterns, beta) for beta in RETRIEVED_WITH},
        "nearest pattern": patterns[(probe @ patterns.T).argmax(dim=1)],
    }
    if len(patterns) <= MOST_CLASSICAL * patterns.shape[1]:
        back["Hebb"] = classical_retrieval(probe, hopfield_weights(patterns), sweeps=20)
        back["pseudo-inverse"] = classical_retrieval(
            probe, hopfield_weights(patterns, "pseudo-inverse"), sweeps=20
        )
    return {name: (found == wanted).all(dim=1).double().mean().item() for name, found in back.items()}


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Recall by size and number stored, of random patterns and of digits, and by β and steps. On the CPU.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "probes")
    generator = torch.Generator().manual_seed(seed)
    found: dict[str, dict] = {"random": {}, "digits": {}, "beta": {}}
    for d in SIZES:
        found["random"][str(d)] = {
            str(n): recall(random_patterns(n, d, generator), options.probes, generator) for n in STORED
        }
    for n in DIGITS:
        found["digits"][str(n)] = recall(digit_patterns(n, generator), options.probes, generator)
    patterns = random_patterns(1024, 64, generator)
    chosen, probe = damaged(patterns, options.probes, generator)
    for beta in BETAS:
        found["beta"][str(beta)] = {
            str(steps): (modern(probe, patterns, beta, steps) == patterns[chosen])
            .all(dim=1).double().mean().item()
            for steps in STEPS
        }  # fmt: skip
    return found
