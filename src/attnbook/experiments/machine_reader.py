"""Guess the next character of Shakespeare: the machine reader, an LSTM, self-attention, and counting.

Cheng, Dong & Lapata 2016 put intra-attention into an LSTM and measured it as a language model
(https://arxiv.org/abs/1601.06733, section 5.1). Here, on tiny Shakespeare and much smaller: an LSTM, the
machine reader (LSTMN), and one layer of causal self-attention without and with learned positions, all with
about as many parameters and the same steps. The baselines count: how often each character followed the last
0 to 4 characters (Witten & Bell 1991, https://doi.org/10.1109/18.87000).
"""

from __future__ import annotations

import argparse
import math
import time
from collections import Counter, defaultdict

import torch
from torch import Tensor, nn

from attnbook.data.corpora import fetch
from attnbook.experiments.options import at_least
from attnbook.nn import LSTMN, LearnedPositions, SelfAttention
from attnbook.training.fit import fit

ABOUT = "next character of Shakespeare: LSTM, machine reader, self-attention, and counting"

# Width of each model, chosen so that all have about 41,000 parameters.
WIDTHS = {"LSTM": 64, "machine reader": 55, "self-attention": 97, "with positions": 91}
WINDOW = 48  # characters a model sees at once
SETTLED = 16  # characters of a window that are read, not counted: every model then has some context
ORDERS = (1, 2, 3, 5)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every model gets the same windows in the same order."""
    add = parser.add_argument
    add("--steps", type=int, default=500, metavar="N", help="training steps (default 500)")
    add("--batch", type=int, default=32, metavar="N", help="windows a step (default 32)")
    add("--learning-rate", type=float, default=5e-3, metavar="R", help="Adam's, at its highest (0.005)")
    add("--test", type=int, default=400, metavar="N", help="test windows (default 400)")


def text() -> tuple[Tensor, Tensor, list[str]]:
    """Training and test characters as numbers, and the characters: the last tenth of the plays is the test.

    Raises
    ------
    FileNotFoundError
        If the corpus is neither here nor to be downloaded.
    """
    plays = fetch("tinyshakespeare").read_text(encoding="utf-8")
    characters = sorted(set(plays))
    number = {character: place for place, character in enumerate(characters)}
    coded = torch.tensor([number[character] for character in plays])
    cut = len(coded) * 9 // 10
    return coded[:cut], coded[cut:], characters


class Predictor(nn.Module):
    """Character vectors, one layer that reads from the left, and scores for the next character.

    Parameters
    ----------
    name : str
        A key of ``WIDTHS``.
    size : int
        Numbers in a character's vector and in a state.
    vocab : int
    """

    def __init__(self, name: str, size: int, vocab: int):
        super().__init__()
        self.name = name
        self.embedding = nn.Embedding(vocab, size)
        self.positions = LearnedPositions(WINDOW, size) if name == "with positions" else nn.Identity()
        if name == "LSTM":
            self.layer = nn.LSTM(size, size, batch_first=True)
        elif name == "machine reader":
            self.layer = LSTMN(size, size)
        else:
            self.layer = SelfAttention(size)
        self.output = nn.Linear(size, vocab)

    def forward(self, characters: Tensor) -> Tensor:
        """(batch, length) to scores (batch, length, vocab): place i sees characters 0 to i."""
        return self.output(self.look(characters)[0])

    def look(self, characters: Tensor) -> tuple[Tensor, Tensor | None]:
        """The layer's output (batch, length, size), and its weights if it has any."""
        x = self.positions(self.embedding(characters))
        if isinstance(self.layer, SelfAttention):
            return self.layer(x, causal=True)
        if isinstance(self.layer, LSTMN):
            return self.layer(x)
        return self.layer(x)[0], None


def windows(characters: Tensor, starts: Tensor) -> Tensor:
    """(starts, WINDOW + 1) characters from each start on."""
    return characters[starts.unsqueeze(1) + torch.arange(WINDOW + 1)]


def bits(model: Predictor, batch: Tensor) -> Tensor:
    """How many bits each right next character cost: (batch, WINDOW)."""
    logits = model(batch[:, :-1])
    return nn.functional.cross_entropy(logits.transpose(1, 2), batch[:, 1:], reduction="none") / math.log(2)


class Counts:
    """How often each character followed the last n − 1 characters, smoothed with shorter contexts.

    Witten & Bell: after a context that was seen N times with T different characters behind it, the
    probability of a character is (its count + T · its probability after the shorter context) / (N + T).

    Parameters
    ----------
    characters : Tensor
    order : int
        n: 1 looks at no context, 2 at one character.
    """

    def __init__(self, characters: Tensor, order: int):
        self.order, self.vocab = order, int(characters.max()) + 1
        sequence = characters.tolist()
        self.counts: list[dict[tuple[int, ...], Counter]] = []
        for context in range(order):
            found: dict[tuple[int, ...], Counter] = defaultdict(Counter)
            for place in range(context, len(sequence)):
                found[tuple(sequence[place - context : place])][sequence[place]] += 1
            self.counts.append(found)
        self.totals = [{key: sum(row.values()) for key, row in found.items()} for found in self.counts]

    def probability(self, before: tuple[int, ...], character: int) -> float:
        """Of ``character`` after ``before``, of which the last order − 1 count."""
        share = 1 / self.vocab
        for context in range(self.order):
            key = before[len(before) - context :]
            row = self.counts[context].get(key)
            if row is None:
                break
            share = (row[character] + len(row) * share) / (self.totals[context][key] + len(row))
        return share

    def bits(self, batch: Tensor) -> float:
        """Mean bits of the counted characters of windows (batch, WINDOW + 1)."""
        costs = [
            -math.log2(self.probability(tuple(row[place - self.order + 1 : place]), row[place]))
            for row in batch.tolist()
            for place in range(SETTLED + 1, WINDOW + 1)
        ]
        return sum(costs) / len(costs)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Bits a character on test windows, where a window's first characters are not counted.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 1, "steps", "batch", "test")
    if not options.learning_rate > 0:
        raise ValueError(f"--learning-rate: expected above 0, got {options.learning_rate}")
    training, test, characters = text()
    stride = (len(test) - WINDOW - 1) // options.test
    held_out = windows(test, torch.arange(options.test) * stride)
    found: dict[str, dict] = {"bits": {}, "parameters": {}, "steps per CPU second": {}, "look": {}}
    for name, size in WIDTHS.items():
        torch.manual_seed(seed)
        model = Predictor(name, size, len(characters)).to(device)
        starts = torch.Generator().manual_seed(seed)
        batches = [
            windows(training, torch.randint(len(training) - WINDOW, (options.batch,), generator=starts))
            for _ in range(options.steps)
        ]
        started = time.process_time()
        fit(
            model, batches, steps=options.steps, learning_rate=options.learning_rate, seed=seed,
            schedule=lambda step: min((step + 1) / 20, 1.0, 2 * (1 - step / options.steps)), progress=False,
            loss=lambda model, batch: bits(model, batch).mean() * math.log(2),
        )  # fmt: skip
        found["steps per CPU second"][name] = options.steps / (time.process_time() - started)
        found["parameters"][name] = sum(parameter.numel() for parameter in model.parameters())
        with torch.no_grad():
            costs = torch.cat([bits(model, part.to(device)).cpu() for part in held_out.split(100)])
            found["bits"][name] = costs[:, SETTLED:].mean().item()
            _, weights = model.look(held_out[:100, :-1].to(device))
        if weights is not None:
            # Share of the look that rests on the character itself, on the one before it, and so on. The
            # machine reader has no row for the character itself.
            rows = weights[:, SETTLED:].mean(dim=0).cpu()  # (WINDOW - SETTLED, WINDOW)
            found["look"][name] = {
                str(back): torch.stack(
                    [rows[place, SETTLED + place - back] for place in range(len(rows))]
                ).mean().item()
                for back in range(5)
            }  # fmt: skip
    for order in ORDERS:
        found["bits"][f"counting {order}"] = Counts(training, order).bits(held_out)
    return found
