"""Does a smaller cache cost quality? Language models with fewer heads of keys and values, or latent ones.

Four models of the phrasebook's English, which differ in their attention alone: as many heads of keys and
values as of queries, two heads of them, one head, and a latent vector (:mod:`attnbook.nn.latent`). What an
attention saves in parameters its feed-forward networks get, so that all four have the same number of them, up
to the width that fits best. Each gets the rate of the grid with the lowest validation loss on seed 0, the
same sentences in the same order, and the same steps, at the end of which the rate has fallen to 0.

The control, ``no attention``, sees one word alone and has the same number of parameters as well. The
difference between it and the four is what attention is worth here: a difference between the four that is not
small beside it would be one to speak of.
"""

from __future__ import annotations

import argparse
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from attnbook.data import phrasebook
from attnbook.data.vocabulary import Vocabulary, pad
from attnbook.devices import seed as set_seed
from attnbook.experiments.kept_trials import SEARCH_SEED, best_rate, kept
from attnbook.experiments.options import at_least, learning_rates_above_zero
from attnbook.nn import GPT, FeedForward, MultiHeadAttention, MultiHeadLatentAttention, RotaryPositions
from attnbook.training import schedules
from attnbook.training.fit import Diverged, fit

ABOUT = "language models with fewer keys and values: multi-head, grouped, multi-query and latent attention"

D_MODEL, HEADS, LAYERS, D_FF = 64, 8, 2, 128  # of the multi-head model; a head has 8 numbers
N_KV_HEADS = {"multi-head": 8, "grouped": 2, "multi-query": 1}
D_LATENT, D_ROTARY = 24, 8  # 32 numbers a token and layer, as many as two heads of keys and values
NAMES = (*N_KV_HEADS, "latent", "no attention")
SENTENCES = {"train": 12_000, "validation": 1_000, "test": 2_000}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every attention gets the same sentences, batches, steps and rates to choose from."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[3e-3, 6e-3, 12e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .003 .006 .012)")  # fmt: skip
    add("--steps", type=int, default=700, metavar="N", help="of each model (default 700)")
    add("--batch-size", type=int, default=32, metavar="N", help="sentences a step (default 32)")


class NoAttention(nn.Module):
    """In the place of attention: every word keeps what it has. The control."""

    def forward(self, x: Tensor, **_: object) -> tuple[Tensor, None]:
        """(batch, length, d_model) to zeros of the same shape, which the shortcut adds to the word."""
        return torch.zeros_like(x), None


def attention(name: str) -> nn.Module:
    """One of the five that are compared.

    Raises
    ------
    ValueError
        If the name is none of ``NAMES``.
    """
    if name in N_KV_HEADS:
        positions = RotaryPositions(D_MODEL // HEADS)
        return MultiHeadAttention(D_MODEL, HEADS, N_KV_HEADS[name], bias=False, positions=positions)
    if name == "latent":
        return MultiHeadLatentAttention(D_MODEL, HEADS, D_LATENT, D_ROTARY)
    if name == "no attention":
        return NoAttention()
    raise ValueError(f"name: expected one of {', '.join(NAMES)}, got {name!r}")


def numbers_in_cache(name: str) -> int:
    """Numbers that a token leaves in the cache of one layer."""
    if name == "latent":
        return D_LATENT + D_ROTARY
    return 2 * N_KV_HEADS.get(name, 0) * (D_MODEL // HEADS)


def count(module: nn.Module) -> int:
    """Its parameters."""
    return sum(parameter.numel() for parameter in module.parameters())


def build(name: str, vocab: int) -> GPT:
    """A GPT with this attention, its feed-forward networks as wide as the parameters of the multi-head model
    allow.
    """
    model = GPT(vocab, D_MODEL, HEADS, LAYERS, d_ff=D_FF, positions="rotary")
    spare = count(attention("multi-head")) - count(attention(name))
    d_ff = D_FF + round(spare / (2 * D_MODEL + 1))  # a unit has a row, a column and a bias
    for layer in model.layers:
        layer.attention = attention(name)
        layer.feed_forward = FeedForward(D_MODEL, d_ff, "gelu")
    return model


class Sentences:
    """The phrasebook's English as batches of word numbers, <bos> … <eos>."""

    def __init__(self, batch_size: int):
        self.vocabulary = Vocabulary(phrasebook.vocabulary("small")[0])
        self.batch_size = batch_size
        self.rows = {
            part: [
                self.vocabulary.encode(pair.src, bos=True, eos=True)
                for pair in phrasebook.sample(n, seed=0, length=(3, 16), part=part)
            ]
            for part, n in SENTENCES.items()
        }

    def __call__(self, step: int) -> tuple[Tensor, Tensor]:
        """The batch of a step, (batch, length) of int with its mask: sentences drawn by the step's number."""
        drawn = torch.randint(
            len(self.rows["train"]), (self.batch_size,), generator=torch.Generator().manual_seed(step)
        )
        return pad([self.rows["train"][i] for i in drawn])

    def part(self, name: str) -> list[tuple[Tensor, Tensor]]:
        """All of a part in batches of like length."""
        rows = sorted(self.rows[name], key=len)
        return [pad(rows[i : i + 100]) for i in range(0, len(rows), 100)]


def loss_sum(model: nn.Module, batch: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Negative log-likelihood in nats of all words of a batch but <bos>, and their number."""
    tokens, mask = batch
    device = next(model.parameters()).device
    tokens, mask = tokens.to(device), mask.to(device)
    logits, _ = model(tokens[:, :-1])  # padding stands at the end, where no real word sees it
    targets = tokens[:, 1:].masked_fill(~mask[:, 1:], -100)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="sum"), mask[:, 1:].sum()


def loss_of(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Nats a word of a batch, for training."""
    total, words = loss_sum(model, batch)
    return total / words


@torch.no_grad()
def nats_a_word(model: nn.Module, batches: list[tuple[Tensor, Tensor]]) -> float:
    """Nats a word over all words of the batches together."""
    sums = [loss_sum(model, batch) for batch in batches]
    return sum(total.item() for total, _ in sums) / sum(int(words) for _, words in sums)


def trial(
    name: str, data: Sentences, options: argparse.Namespace, rate: float, seed: int, device: torch.device
) -> dict:
    """Train one model, or take from the cache what was found before: see :func:`trained`."""
    wanted = {
        "name": name, "rate": rate, "seed": seed, "steps": options.steps, "batch": options.batch_size,
        "sentences": SENTENCES, "device": device.type,
    }  # fmt: skip
    return kept("fewer_keys", wanted, lambda: trained(name, data, options, rate, seed, device))


def trained(
    name: str, data: Sentences, options: argparse.Namespace, rate: float, seed: int, device: torch.device
) -> dict:
    """Train one model: its validation and test loss, infinite if it diverged, and the losses on the way."""
    set_seed(seed)
    model = build(name, len(data.vocabulary)).to(device)
    validation = data.part("validation")
    try:
        history = fit(
            model, data, steps=options.steps, loss=loss_of, learning_rate=rate, seed=seed,
            schedule=schedules.warmup_linear(min(100, options.steps // 10), options.steps, hold=0.3),
            validate=lambda m: nats_a_word(m, validation), validate_every=max(1, options.steps // 5),
            precision="float32", progress=False,
        )  # fmt: skip
    except Diverged:
        return {"validation": math.inf, "test": math.inf, "curve": []}
    model.eval()
    return {
        "validation": history.validations[-1][1],
        "test": nats_a_word(model, data.part("test")),
        "curve": [list(pair) for pair in history.validations],
    }


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Test loss of the five, with what was needed to compare them.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "batch_size")
    at_least(options, 20, "steps")
    learning_rates_above_zero(options.learning_rates)
    data = Sentences(options.batch_size)
    found: dict[str, dict] = {
        "test loss": {}, "parameters": {}, "numbers in cache": {}, "learning rate": {},
        "rates tried": {}, "validation": {},
    }  # fmt: skip
    for name in NAMES:
        losses = {
            r: trial(name, data, options, r, SEARCH_SEED, device)["validation"]
            for r in options.learning_rates
        }
        rate, tried = best_rate(losses)
        run = trial(name, data, options, rate, seed, device)
        found["test loss"][name] = run["test"]
        found["parameters"][name] = count(build(name, len(data.vocabulary)))
        found["numbers in cache"][name] = numbers_in_cache(name)
        found["learning rate"][name] = rate
        found["rates tried"][name] = tried
        found["validation"][name] = run["curve"]
    return found
