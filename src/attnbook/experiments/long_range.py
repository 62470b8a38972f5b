"""Assign, wait, ask: how far back can a reader look a value up?

A program of ``length`` tokens assigns numbers to the variables a, b, c and d (``a=3``), between lines that
do nothing (comments). All assignments stand in its first half. The last token asks for one variable
(``a?``), and the answer is its value: one of eight, so that guessing is right one time in eight.

- ``once``: every variable is assigned once. What matters is which variable, not where.
- ``twice``: every variable is assigned twice, with different values, and the later one counts. Order matters.

Five readers with about the same number of parameters read the same programs for the same number of steps: a
plain RNN, an LSTM, an LSTM whose gates begin so that it forgets slowly, one layer of self-attention, and the
same with learned positions. Each reader has, at each length, the learning rate of a small grid that gave the
lowest validation loss on seed 0. On the shorter programs the slow LSTM gets a second chance: six times the
steps, at the same rate.
"""

from __future__ import annotations

import argparse
import math
from functools import cache, lru_cache
from random import Random

import torch
from torch import Tensor, nn

from attnbook.experiments.kept_trials import SEARCH_SEED, best_rate
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.nn import LearnedPositions, SelfAttention
from attnbook.training.fit import Diverged, fit

ABOUT = "assign, wait, ask: recurrent readers and self-attention of equal size, by distance"

VARIABLES = "abcd"
VALUES = 8
COMMENTS = ("#", "##", "pass", "...", "print", "wait", "tick", "noop")
# A token has two parts, each with a vector of its own, and is their sum: a=3 is (a, 3), the question a? is
# (a, ?), and a comment has nothing on its right.
LEFT = (*VARIABLES, *COMMENTS)
RIGHT = (*map(str, range(VALUES)), "", "?")
KINDS = ("once", "twice")
LENGTHS = (18, 32, 64)
BEYOND = (64, 96, 128, 256)  # tried on these by the readers that were trained on the first
PATIENT = (18, 32)  # lengths at which the slow LSTM gets six times the steps
BY_LENGTH = ("accuracy", "validation loss", "rate", "rates tried")  # kept of each reader at each length
TESTED_ON, VALIDATED_ON = 1_000_003, 1_000_004  # seeds of programs that no reader is trained on
# Width of each reader, chosen so that all have about as many parameters as self-attention of 64.
WIDTHS = {"RNN": 78, "LSTM": 40, "slow LSTM": 40, "self-attention": 64, "with positions": 64}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every reader gets the same programs, batches and steps."""
    add = parser.add_argument
    add("--kind", choices=KINDS, default="once", help="variables assigned once (default) or twice")
    add("--steps", type=int, default=400, metavar="N", help="training steps of a reader (default 400)")
    add("--batch", type=int, default=32, metavar="N", help="programs a step (default 32)")
    add("--learning-rates", type=float, nargs="+", default=[1e-3, 3e-3, 1e-2], metavar="R",
        help="Adam's highest, tried on seed 0; the lowest validation loss wins (.001 .003 .01)")  # fmt: skip


def result_name(options: argparse.Namespace) -> str:
    """Stem of the results file."""
    return f"long_range_{options.kind}"


def programs(n: int, length: int, seed: int, kind: str = "once") -> tuple[Tensor, Tensor]:
    """``n`` programs as the numbers of left and right parts (n, length, 2), and the right values (n,).

    Parameters
    ----------
    n : int
    length : int
        Tokens of a program, the question included: at least 10 for ``once``, 18 for ``twice``.
    seed : int
        The same seed gives the same programs.
    kind : "once" or "twice"

    Raises
    ------
    ValueError
        If the kind is unknown, or the length leaves no room for all assignments.
    """
    if kind not in KINDS:
        raise ValueError(f"kind: expected {' or '.join(KINDS)}, got {kind!r}")
    times = KINDS.index(kind) + 1
    room = (length - 1) // 2
    if room < times * len(VARIABLES):
        raise ValueError(
            f"length: expected at least {2 * times * len(VARIABLES) + 1} tokens for {kind!r}, got {length}"
        )
    random = Random(f"{kind} {length} {seed}")
    rows, answers = [], []
    for _ in range(n):
        row = [(len(VARIABLES) + random.randrange(len(COMMENTS)), RIGHT.index("")) for _ in range(length)]
        assigned = [variable for variable in range(len(VARIABLES)) for _ in range(times)]
        random.shuffle(assigned)
        values: dict[int, int] = {}
        for place, variable in zip(sorted(random.sample(range(room), len(assigned))), assigned, strict=True):
            value = random.randrange(VALUES)
            while value == values.get(variable):
                value = random.randrange(VALUES)
            values[variable] = value
            row[place] = (variable, value)
        asked = random.randrange(len(VARIABLES))
        row[-1] = (asked, RIGHT.index("?"))
        rows.append(row)
        answers.append(values[asked])
    return torch.tensor(rows), torch.tensor(answers)


# Readers that are compared with each other are trained on the same programs, which need not be made twice.
_kept_programs = lru_cache(maxsize=16)(programs)


def text(program: Tensor) -> str:
    """A program (length, 2) as one would write it."""
    return " ".join(_written(LEFT[left], RIGHT[right]) for left, right in program.tolist())


def _written(left: str, right: str) -> str:
    return f"{left}={right}" if right.isdigit() else left + right


class Tokens(nn.Module):
    """The vector of a token: one for its left part plus one for its right part."""

    def __init__(self, size: int):
        super().__init__()
        self.left = nn.Embedding(len(LEFT), size)
        self.right = nn.Embedding(len(RIGHT), size)

    def forward(self, programs: Tensor) -> Tensor:
        """(batch, length, 2) to (batch, length, size)."""
        return self.left(programs[..., 0]) + self.right(programs[..., 1])


class RecurrentReader(nn.Module):
    """Reads a program into one vector, and answers from it.

    Parameters
    ----------
    unit : torch.nn.RNN, torch.nn.LSTM, …
    size : int
        Numbers in a token's vector and in the state.
    slow : int, optional
        For an LSTM: begin with forget gates that keep a number for 1 to ``slow`` steps, spread evenly on a
        logarithmic scale (in the manner of Tallec & Ollivier 2018, https://arxiv.org/abs/1804.11188).
    """

    def __init__(self, unit: type[nn.RNNBase], size: int, slow: int | None = None):
        super().__init__()
        self.embedding = Tokens(size)
        self.rnn = unit(size, size, batch_first=True)
        self.output = nn.Linear(size, VALUES)
        if slow is not None:
            with torch.no_grad():
                keep = torch.exp(torch.linspace(0, math.log(slow), size)).clamp(min=1.5)  # steps
                self.rnn.bias_ih_l0.zero_(), self.rnn.bias_hh_l0.zero_()
                self.rnn.bias_ih_l0[:size] = -torch.log(keep - 1)  # input gates
                self.rnn.bias_ih_l0[size : 2 * size] = torch.log(keep - 1)  # forget gates

    def forward(self, words: Tensor) -> Tensor:
        """Programs (batch, length, 2) to scores of the values (batch, 8)."""
        states, _ = self.rnn(self.embedding(words))  # (batch, length, size)
        return self.output(states[:, -1])


class AttentiveReader(nn.Module):
    """One layer of self-attention; the question's row answers.

    Parameters
    ----------
    size : int
        Numbers in a token's vector, in query, key and value.
    positions : int, optional
        Places that get a learned vector; none if left out.
    """

    def __init__(self, size: int, positions: int | None = None):
        super().__init__()
        self.embedding = Tokens(size)
        self.positions = LearnedPositions(positions, size) if positions else nn.Identity()
        self.attention = SelfAttention(size)
        self.output = nn.Linear(size, VALUES)

    def forward(self, words: Tensor) -> Tensor:
        """Programs (batch, length, 2) to scores of the values (batch, 8)."""
        context, _ = self.look(words)
        return self.output(context[:, -1])

    def look(self, words: Tensor) -> tuple[Tensor, Tensor]:
        """Context (batch, length, size) and weights (batch, length, length)."""
        return self.attention(self.positions(self.embedding(words)))


def build(name: str, length: int, seed: int) -> nn.Module:
    """An untrained reader by its name in ``WIDTHS``, for programs of this length."""
    torch.manual_seed(seed)
    size = WIDTHS[name]
    if name.endswith("LSTM"):
        return RecurrentReader(nn.LSTM, size, slow=length if name == "slow LSTM" else None)
    if name == "RNN":
        return RecurrentReader(nn.RNN, size)
    return AttentiveReader(size, max(BEYOND) if name == "with positions" else None)


def train(
    model: nn.Module, kind: str, length: int, *, steps: int, batch: int = 32, learning_rate: float = 3e-3,
    seed: int = 0, **options,
):  # fmt: skip
    """Adam on new programs at every step, the learning rate falling to 0. Returns the ``History``."""
    examples, answers = _kept_programs(steps * batch, length, seed, kind)
    device = next(model.parameters()).device
    batches = [
        (one.to(device), other.to(device))
        for one, other in zip(examples.split(batch), answers.split(batch), strict=True)
    ]
    return fit(
        model, batches, steps=steps, learning_rate=learning_rate, seed=seed, progress=False,
        schedule=lambda step: min(1.0, 2 * (1 - step / steps)),
        loss=lambda model, batch: nn.functional.cross_entropy(model(batch[0]), batch[1]),
        **options,
    )  # fmt: skip


@torch.no_grad()
def _scores(model: nn.Module, kind: str, length: int, n: int, seed: int) -> tuple[Tensor, Tensor]:
    """Scores (n, 8) and right values (n,) of the programs with this seed."""
    words, right = _kept_programs(n, length, seed, kind)
    device = next(model.parameters()).device
    return model(words.to(device)).cpu(), right


def accuracy(model: nn.Module, kind: str, length: int, n: int = 500) -> float:
    """Share of right answers on ``n`` programs that no reader was trained on."""
    scores, right = _scores(model, kind, length, n, TESTED_ON)
    return (scores.argmax(dim=-1) == right).float().mean().item()


def validation_loss(model: nn.Module, kind: str, length: int, n: int = 500) -> float:
    """Cross-entropy (nats an answer) on ``n`` programs that are neither trained nor tested on."""
    return nn.functional.cross_entropy(*_scores(model, kind, length, n, VALIDATED_ON)).item()


@cache
def _trial(
    name: str, kind: str, length: int, steps: int, batch: int, rate: float, seed: int, device: torch.device
) -> tuple[nn.Module, float]:
    """A trained reader and its validation loss, infinite if training diverged; kept, since a trial of the
    search is also a run of its seed.
    """
    model = build(name, length, seed).to(device)
    try:
        train(model, kind, length, steps=steps, batch=batch, learning_rate=rate, seed=seed)
    except Diverged:
        return model, math.inf
    return model, validation_loss(model, kind, length)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Accuracy of each reader by length at its own learning rate, and, trained at one length, on longer
    programs; the rates, and all that were tried with their validation losses.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "batch")
    learning_rates_above_zero(options.learning_rates)
    found: dict[str, dict] = {part: {} for part in (*BY_LENGTH, "beyond", "parameters")}

    def trial(
        name: str, length: int, rate: float, of_seed: int, patience: int = 1
    ) -> tuple[nn.Module, float]:
        steps = patience * options.steps
        return _trial(name, options.kind, length, steps, options.batch, rate, of_seed, device)

    for name in WIDTHS:
        rows = {part: found[part].setdefault(name, {}) for part in BY_LENGTH}
        for length in LENGTHS:
            key = str(length)
            rows["rate"][key], rows["rates tried"][key] = best_rate(
                {rate: trial(name, length, rate, SEARCH_SEED)[1] for rate in options.learning_rates}
            )
            model, rows["validation loss"][key] = trial(name, length, rows["rate"][key], seed)
            rows["accuracy"][key] = accuracy(model, options.kind, length)
            if length == BEYOND[0]:
                found["beyond"][name] = {
                    str(longer): accuracy(model, options.kind, longer) for longer in BEYOND
                }
        found["parameters"][name] = sum(
            parameter.numel()
            for part, parameter in model.named_parameters()
            if not part.startswith("positions")
        )
    rows = found["accuracy"].setdefault("slow LSTM, 6 x the steps", {})
    for length in PATIENT:
        model, _ = trial("slow LSTM", length, found["rate"]["slow LSTM"][str(length)], seed, patience=6)
        rows[str(length)] = accuracy(model, options.kind, length)
    return found
