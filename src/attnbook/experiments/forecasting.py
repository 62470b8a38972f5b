"""Does attention forecast better than a line? Three real series and two generated kinds.

Every method tells the next 12 values, and all but seasonal naive see the same past less its last value:

- *seasonal naive* repeats the last season;
- *ridge* is one linear map from the window to all 12, its penalty chosen on the last fifth of the windows;
- *attention, untrained* compares the last window with every earlier one, as a query with keys, and mixes what
  followed them (Nadaraya and Watson's regression); only its bandwidth is chosen, on the same fifth;
- *attention, trained* is a small transformer encoder over patches of the window. Its learning rate is the one
  of the grid with the lowest error on that fifth, on the first split of seed 0.

Real series (statsmodels brings them): yearly sunspots, monthly CO₂ at Mauna Loa, monthly sea temperature of
El Niño. Walk-forward: the last two fifths are cut into five blocks; each is forecast from every start within
it by methods fitted on what came before it. The error is the mean absolute one, divided by that of seasonal
naive on the same block.

Generated: 300 series, each of a shape of its own, repeated with a period of its own from 8 to 40, plus
noise; and as a control the same with one period, 24, for all. Here ridge and the transformer are trained on
4,000 other series and see the whole past of 288 values; *ridge, own past* and untrained attention have
nothing but windows of 36 values from the series' own past, and *seasonal naive* takes the lag at which that
past is most like itself. The error is the mean absolute one; the noise alone makes 0.12.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from attnbook.devices import seed as set_seed
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.extras import needs
from attnbook.nn import EncoderLayer, LearnedPositions, masked_softmax
from attnbook.training import schedules
from attnbook.training.fit import fit

ABOUT = "forecasts by attention, trained and untrained, against ridge regression and seasonal naive"

SEASON = {"sunspots": 11, "co2": 12, "elnino": 12}
WINDOW, HORIZON = 36, 12
BLOCKS, TESTED = 5, 0.4  # blocks of a real series, and the part of it that they cover
PENALTIES = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
BANDWIDTHS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.8, 1.2, 2.0)
PAST, NOISE, PERIODS, ONE_PERIOD = 288, 0.15, (8, 40), 24
SERIES = {"training": 4_000, "validation": 200, "test": 300}
SEARCH_SEED = 0  # on which the transformer's learning rate is chosen
KINDS = ("own periods", "one period")


class Windows(NamedTuple):
    """What a method sees and what follows, both less the last value seen."""

    seen: Tensor  # (…, length)
    next: Tensor  # (…, HORIZON)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The transformer's training."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[1e-3, 3e-3, 1e-2], metavar="R",
        help="tried on the first split of seed 0 (default .001 .003 .01)")  # fmt: skip
    add("--steps", type=int, default=300, metavar="N",
        help="of each transformer; twice as many for generated series (default 300)")  # fmt: skip


def real_series(name: str) -> Tensor:
    """One of the three, (time,), in the units in which it is published.

    Raises
    ------
    MissingExtra
        If statsmodels is not installed.
    """
    with needs("experiments"):
        from statsmodels.datasets import co2, elnino, sunspots
    table: Any = {"sunspots": sunspots, "elnino": elnino, "co2": co2}[name].load_pandas().data
    if name == "sunspots":
        values = table["SUNACTIVITY"]
    elif name == "elnino":
        values = table.drop(columns="YEAR").to_numpy().ravel()
    else:  # weekly with gaps: months, and a line across the gaps
        values = table["co2"].resample("MS").mean().interpolate()
    return torch.tensor(list(values), dtype=torch.float32)


def windows(series: Tensor, length: int = WINDOW) -> Windows:
    """All windows of (…, time) with what follows them: (…, starts, length) and (…, starts, HORIZON)."""
    cut = series.unfold(-1, length + HORIZON, 1)
    return centred(cut[..., :length], cut[..., length:])


def centred(seen: Tensor, following: Tensor) -> Windows:
    """Both less the last value seen, which every method adds again."""
    last = seen[..., -1:]
    return Windows(seen - last, following - last)


def ridge(train: Windows, penalty: float) -> Tensor:
    """(…, length + 1, HORIZON): the linear map with the least squared error, its size penalised; the last row
    is the constant. In double precision.
    """
    x = nn.functional.pad(train.seen.double(), (0, 1), value=1.0)
    penalties = penalty * torch.eye(x.shape[-1], dtype=torch.float64)
    penalties[-1, -1] = 1e-9
    gram = x.transpose(-2, -1) @ x + penalties
    return torch.linalg.solve(gram, x.transpose(-2, -1) @ train.next.double())


def ridge_forecast(weights: Tensor, seen: Tensor) -> Tensor:
    """What the map of ``ridge`` tells."""
    return (nn.functional.pad(seen.double(), (0, 1), value=1.0) @ weights).float()


def attend(
    seen: Tensor,
    memory: Windows,
    bandwidth: float,
) -> tuple[Tensor, Tensor]:
    """Forecast (…, queries, HORIZON) and weights (…, queries, windows): every window of the past is a key,
    what followed it its value, and the score is minus the squared distance a value, over 2 · bandwidth².
    """
    distance = torch.cdist(seen, memory.seen).square() / seen.shape[-1]
    weights = masked_softmax(-distance / (2 * bandwidth**2))
    return weights @ memory.next, weights


class PatchTransformer(nn.Module):
    """Patches of the window as tokens, encoder layers, and one linear layer to the forecast."""

    def __init__(self, length: int, patch: int, d_model: int = 32, n_layers: int = 2):
        super().__init__()
        self.patch = patch
        self.embedding = nn.Linear(patch, d_model)
        self.positions = LearnedPositions(length // patch, d_model)
        self.layers = nn.ModuleList(
            EncoderLayer(d_model, 2, 2 * d_model, dropout=0.0, norm="pre") for _ in range(n_layers)
        )
        self.output = nn.Linear(d_model * (length // patch), HORIZON)

    def forward(self, seen: Tensor) -> Tensor:
        """(batch, length) to (batch, HORIZON)."""
        x = self.positions(self.embedding(seen.unfold(-1, self.patch, self.patch)))
        for layer in self.layers:
            x, _ = layer(x, need_weights=False)
        return self.output(x.flatten(1))


def train(model: nn.Module, data: Windows, steps: int, rate: float, seed: int) -> nn.Module:
    """By the mean absolute error, on batches of 64 that the step's number draws."""

    def batch(step: int) -> Windows:
        generator = torch.Generator().manual_seed(1_000_000 * (seed + 1) + step)
        drawn = torch.randint(len(data.seen), (64,), generator=generator)
        return Windows(data.seen[drawn], data.next[drawn])

    fit(
        model, batch, steps=steps, loss=lambda m, b: (m(b.seen) - b.next).abs().mean(), learning_rate=rate,
        schedule=schedules.warmup_linear(steps // 10, steps, hold=0.5), seed=seed, precision="float32",
        progress=False,
    )  # fmt: skip
    return model.eval()


def error(forecast: Tensor, following: Tensor) -> float:
    """Mean absolute error."""
    return (forecast - following).abs().double().mean().item()


def best(choices: tuple[float, ...], score: Callable[[float], float]) -> float:
    """The choice with the lowest score."""
    return min(choices, key=score)


def transformer(length: int, patch: int, data: Windows, steps: int, rate: float, seed: int) -> nn.Module:
    """Built and trained from a seed."""
    set_seed(seed)
    return train(PatchTransformer(length, patch), data, steps, rate, seed)


@torch.no_grad()
def told(model: nn.Module, seen: Tensor) -> Tensor:
    """Its forecast."""
    return model(seen)


@cache
def chosen_rate(name: str, rates: tuple[float, ...], steps: int) -> float:
    """The rate with the lowest error on the held-out windows of the first split, on seed 0."""
    if name in SEASON:
        (train, held, _, _), length, patch = blocks(real_series(name))[0], WINDOW, 4
    else:
        generator = torch.Generator().manual_seed(SEARCH_SEED)
        train, held = (whole(generated(name, SERIES[p], generator)) for p in ("training", "validation"))
        length, patch = PAST, 12
    return best(
        rates,
        lambda rate: error(
            told(transformer(length, patch, train, steps, rate, SEARCH_SEED), held.seen), held.next
        ),
    )


def blocks(series: Tensor) -> list[tuple[Windows, Windows, Windows, Windows]]:
    """(earlier windows, the last fifth of them, both together, the block's windows) for each block.

    In units of the standard deviation of what came before the block.
    """
    edges = [round(len(series) * (1 - TESTED + TESTED * b / BLOCKS)) for b in range(BLOCKS + 1)]
    cuts = []
    for start, end in pairwise(edges):
        scaled = series[:end] / series[:start].std()
        past = windows(scaled[:start])
        n = len(past.seen)
        # between the two parts lie HORIZON windows that would tell one the other's future
        first = Windows(*(tensor[: n - n // 5 - HORIZON] for tensor in past))
        held = Windows(*(tensor[n - n // 5 :] for tensor in past))
        cuts.append((first, held, past, windows(scaled[start - WINDOW :])))
    return cuts


def real(name: str, options: argparse.Namespace, seed: int) -> dict[str, dict]:
    """Errors on each block of a real series, by method; all but seasonal naive's own relative to it."""
    found: dict[str, dict] = {"seasonal naive": {}, "ridge": {}, "untrained": {}, "trained": {}}
    cuts = blocks(real_series(name))
    rate = chosen_rate(name, tuple(options.learning_rates), options.steps)
    for number, (first, held, past, block) in enumerate(cuts):

        def penalised(penalty: float, first: Windows = first, held: Windows = held) -> float:
            return error(ridge_forecast(ridge(first, penalty), held.seen), held.next)

        def mixed(bandwidth: float, first: Windows = first, held: Windows = held) -> float:
            return error(attend(held.seen, first, bandwidth)[0], held.next)

        season = SEASON[name]
        repeated = block.seen[:, -season:].repeat(1, 2)[:, :HORIZON]
        naive = error(repeated, block.next)
        weights = ridge(past, best(PENALTIES, penalised))
        mixture, _ = attend(block.seen, past, best(BANDWIDTHS, mixed))
        model = transformer(WINDOW, 4, past, options.steps, rate, seed)
        found["seasonal naive"][str(number)] = naive
        found["ridge"][str(number)] = error(ridge_forecast(weights, block.seen), block.next) / naive
        found["untrained"][str(number)] = error(mixture, block.next) / naive
        found["trained"][str(number)] = error(told(model, block.seen), block.next) / naive
    return {"error": found, "rate": {"trained": rate}}


def generated(kind: str, n: int, generator: torch.Generator) -> Tensor:
    """``n`` series (n, PAST + HORIZON): a wave and its first overtone, with strengths and phases of their
    own, in all of standard deviation 1, plus noise.

    Raises
    ------
    ValueError
        If the kind is none of ``KINDS``.
    """
    if kind not in KINDS:
        raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
    low, high = PERIODS if kind == "own periods" else (ONE_PERIOD, ONE_PERIOD)
    period = torch.randint(low, high + 1, (n, 1), generator=generator)
    time = torch.arange(PAST + HORIZON)
    strength, phase = (torch.rand(n, 1, 2, generator=generator) for _ in range(2))
    angle = 2 * math.pi * ((time / period).unsqueeze(-1) * torch.tensor([1, 2]) + phase)
    wave = (strength * angle.sin()).sum(-1) / (strength.square().sum(-1) / 2).sqrt()
    return wave + NOISE * torch.randn(n, PAST + HORIZON, generator=generator)


def whole(series: Tensor) -> Windows:
    """Generated series (n, PAST + HORIZON) as one window each."""
    return centred(series[:, :PAST], series[:, PAST:])


def likest_lag(past: Tensor) -> Tensor:
    """(n,) the lag from 6 to 48 at which each series (n, time) is most like itself."""
    lags = range(6, 49)
    gaps = torch.stack([(past[:, lag:] - past[:, :-lag]).square().mean(1) for lag in lags], dim=1)
    return gaps.argmin(dim=1) + lags[0]


def kind_of_series(kind: str, options: argparse.Namespace, seed: int) -> dict[str, dict]:
    """Errors on 300 new series of a kind, by method."""
    generator = torch.Generator().manual_seed(seed)
    parts = {part: generated(kind, n, generator) for part, n in SERIES.items()}
    past = {part: whole(series) for part, series in parts.items()}
    own = {part: windows(series[:, :PAST]) for part, series in parts.items() if part != "training"}
    last = {
        part: centred(series[:, PAST - WINDOW : PAST], series[:, PAST:]) for part, series in parts.items()
    }

    def own_ridge(part: str, penalty: float) -> Tensor:
        weights = ridge(own[part], penalty)  # one map a series
        return ridge_forecast(weights, last[part].seen.unsqueeze(1)).squeeze(1)

    def own_attention(part: str, bandwidth: float) -> Tensor:
        return attend(last[part].seen.unsqueeze(1), own[part], bandwidth)[0].squeeze(1)

    def held_out(forecast: Callable[[str, float], Tensor]) -> Callable[[float], float]:
        return lambda choice: error(forecast("validation", choice), last["validation"].next)

    def one_ridge(part: str, penalty: float) -> Tensor:
        return ridge_forecast(ridge(past["training"], penalty), past[part].seen)

    lag = likest_lag(parts["test"][:, :PAST])
    places = PAST - lag.unsqueeze(1) + torch.arange(HORIZON) % lag.unsqueeze(1)
    naive = parts["test"].gather(1, places)
    steps = 2 * options.steps
    rate = chosen_rate(kind, tuple(options.learning_rates), steps)
    model = transformer(PAST, 12, past["training"], steps, rate, seed)
    wanted = past["test"].next
    found = {
        "seasonal naive": error(naive, parts["test"][:, PAST:]),
        "ridge": error(one_ridge("test", best(PENALTIES, held_out(one_ridge))), wanted),
        "ridge, own past": error(own_ridge("test", best(PENALTIES, held_out(own_ridge))), wanted),
        "untrained": error(own_attention("test", best(BANDWIDTHS, held_out(own_attention))), wanted),
        "trained": error(told(model, past["test"].seen), wanted),
    }
    return {"error": found, "rate": {"trained": rate}}


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Errors by series and method. On the CPU.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 20, "steps")
    learning_rates_above_zero(options.learning_rates)
    return {
        "real": {name: real(name, options, seed) for name in SEASON},
        "generated": {kind: kind_of_series(kind, options, seed) for kind in KINDS},
    }
