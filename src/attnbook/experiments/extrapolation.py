"""Trained on 32 places, asked on 256: which way of telling positions still answers?

A text is a row of symbols drawn at random, and at every place the same question is asked. Six questions, one
model each:

- ``back 3``: which symbol stood three places back?
- ``back 20``: which stood twenty places back?
- ``fourth``: which was the fourth symbol of the text?
- ``latest``: what followed when the symbol of this place was last here?
- ``earliest``: what followed when it was here for the first time?
- ``majority``: were more of the symbols so far from the first half of the alphabet, or from the second?

The model has two layers of causal self-attention and nothing else, so that what it knows of order comes from
its positions: learned, sinusoidal, relative, rotary, ALiBi, or none. A causal model's answer at a place does
not depend on what comes later, so one text of 256 places tests all lengths: the accuracy at places 33 to 64
is that of a text of this length.

The steps are fixed, and not every loss is flat after them: the results tell what so many steps teach.
:mod:`attnbook.experiments.longer_texts` uses the same readers for one question and for the repairs of rotary
positions.
"""

from __future__ import annotations

import argparse
import copy

import torch
from torch import Tensor, nn

from attnbook.nn import (
    ALiBi,
    LearnedPositions,
    MultiHeadAttention,
    RelativePositions,
    RotaryPositions,
    SinusoidalPositions,
    T5Bias,
    interpolated,
    rotary_frequencies,
    window_mask,
)
from attnbook.training.fit import fit

ABOUT = "six ways of telling positions, trained on 32 places and asked on 256"

SYMBOLS = 32
TRAINED = 32  # places of a text in training
LONGEST = 256
PLACES = ((8, 16), (16, 32), (32, 64), (64, 128), (128, 256))  # from, to: counted from 0, the end left out
FARTHEST = 16  # distances with a vector of their own, for relative positions
KINDS = ("none", "learned", "sinusoidal", "relative", "rotary", "alibi")
SCHEMES = (*KINDS, "t5")  # what a reader can be built with
# Training steps of each question: the two that need two looks, one after the other, take longer.
QUESTIONS = {"back 3": 400, "back 20": 600, "fourth": 400, "latest": 1200, "earliest": 1200, "majority": 300}
LONGER = 128  # places to which a rotary reader is brought by squeezing
TUNED = 100  # steps of further training there
NOTHING = -100  # no answer is asked for here: cross_entropy leaves such places out


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every kind of position gets the same texts, batches and steps."""
    add = parser.add_argument
    add("--effort", type=float, default=1.0, metavar="F", help="multiplies all training steps (default 1)")
    add("--batch", type=int, default=32, metavar="N", help="texts a step (default 32)")
    add("--learning-rate", type=float, default=3e-3, metavar="R", help="Adam's, at its highest (0.003)")


def texts(n: int, length: int, generator: torch.Generator) -> Tensor:
    """``n`` random texts: (n, length), symbols 0 … 31."""
    return torch.randint(SYMBOLS, (n, length), generator=generator)


def answers(text: Tensor, question: str) -> Tensor:
    """The right answer at every place of (n, length) texts: (n, length), ``NOTHING`` where there is none.

    Raises
    ------
    ValueError
        If the question is unknown; ``back`` goes with any distance, as in ``back 5``.
    """
    n, length = text.shape
    place = torch.arange(length)
    back = question.removeprefix("back ")
    if question.startswith("back ") and back.isdigit() and int(back) > 0:
        back = int(back)
        found = torch.full_like(text, NOTHING)
        found[:, back:] = text[:, : length - back] if length > back else found[:, back:]
        return found
    if question == "fourth":
        return text[:, 3:4].expand(n, length).masked_fill(place < 4, NOTHING)
    if question in ("latest", "earliest"):
        same = text.unsqueeze(2) == text.unsqueeze(1)  # (n, now, earlier)
        same &= place < place.unsqueeze(1)  # earlier places only
        # Where it stood: the largest or the smallest place among the same symbols.
        last = torch.where(same, place, -1).amax(dim=2)
        first = torch.where(same, place, length).amin(dim=2)
        stood = last if question == "latest" else first
        followed = text.gather(1, (stood + 1).clamp(0, length - 1))
        return followed.masked_fill(~same.any(dim=2), NOTHING)
    if question == "majority":
        lead = torch.where(text < SYMBOLS // 2, 1, -1).cumsum(dim=1)  # first half minus second half
        return (lead < 0).long().masked_fill(lead == 0, NOTHING)
    raise ValueError(f"question: expected one of {', '.join(QUESTIONS)}, got {question!r}")


class Layer(nn.Module):
    """Causal self-attention beside a shortcut; no feed-forward network."""

    def __init__(self, d_model: int, n_heads: int, positions: nn.Module | None):
        super().__init__()
        self.norm = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads, positions=positions)

    def forward(
        self, x: Tensor, need_weights: bool = False, reach: int | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """(batch, length, d_model) to the same shape, and the weights (batch, heads, length, length).

        With a ``reach``, keys more than so many places back are masked.
        """
        mask = None if reach is None else window_mask(x.shape[1], x.shape[1], reach, x.device)
        context, weights = self.attention(self.norm(x), mask=mask, causal=True, need_weights=need_weights)
        return x + context, weights


class Reader(nn.Module):
    """Two layers of causal self-attention over a text of symbols.

    Parameters
    ----------
    kind : one of ``SCHEMES``
        How positions are told.
    d_model, n_heads, n_layers : int
    where : layers counted from 0, optional
        Those whose attention has the positions, if the kind acts inside attention; all if left out.

    Attributes
    ----------
    reach : int or None
        How many places back a query may attend; None for all.

    Raises
    ------
    ValueError
        If the kind is unknown.
    """

    reach: int | None = None

    def __init__(
        self,
        kind: str,
        d_model: int = 64,
        n_heads: int = 4,
        n_layers: int = 2,
        where: tuple[int, ...] | None = None,
    ):
        super().__init__()
        if kind not in SCHEMES:
            raise ValueError(f"kind: expected one of {', '.join(SCHEMES)}, got {kind!r}")
        d_head = d_model // n_heads
        added = {
            "learned": lambda: LearnedPositions(LONGEST, d_model),
            "sinusoidal": lambda: SinusoidalPositions(d_model),
        }
        inside = {
            "relative": lambda: RelativePositions(d_head, FARTHEST),
            "rotary": lambda: RotaryPositions(d_head),
            "alibi": lambda: ALiBi(n_heads),
            # no bucket that training never meets
            "t5": lambda: T5Bias(n_heads, max_distance=TRAINED, bidirectional=False),
        }
        within = range(n_layers) if where is None else where
        self.kind = kind
        self.embedding = nn.Embedding(SYMBOLS, d_model)
        self.positions = added.get(kind, nn.Identity)()
        self.layers = nn.ModuleList(
            Layer(d_model, n_heads, inside[kind]() if kind in inside and layer in within else None)
            for layer in range(n_layers)
        )
        self.norm = nn.LayerNorm(d_model)
        self.output = nn.Linear(d_model, SYMBOLS)

    def forward(self, text: Tensor) -> Tensor:
        """Texts (batch, length) to scores of the answers, at every place (batch, length, 32)."""
        return self.look(text, need_weights=False)[0]

    def look(self, text: Tensor, need_weights: bool = True) -> tuple[Tensor, list[Tensor | None]]:
        """Scores of the answers, and each layer's weights (batch, heads, length, length)."""
        x = self.positions(self.embedding(text))
        rows = []
        for layer in self.layers:
            x, weights = layer(x, need_weights, self.reach)
            rows.append(weights)
        return self.output(self.norm(x)), rows


def build(kind: str, seed: int) -> Reader:
    """An untrained reader."""
    torch.manual_seed(seed)
    return Reader(kind)


def error(model: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
    """Mean cross-entropy, in nats, over the places where an answer is asked for."""
    text, right = batch
    return nn.functional.cross_entropy(model(text).flatten(0, 1), right.flatten(), ignore_index=NOTHING)


def train(
    model: nn.Module, question: str, *, steps: int, batch: int = 32, learning_rate: float = 3e-3,
    length: int = TRAINED, seed: int = 0, **options,
):  # fmt: skip
    """Adam on new texts at every step, the learning rate falling to 0. Returns the ``History``."""
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)

    def batches(step: int) -> tuple[Tensor, Tensor]:
        text = texts(batch, length, generator)
        return text.to(device), answers(text, question).to(device)

    def schedule(step: int) -> float:
        return min(1.0, (step + 1) / 50, 2 * (1 - step / steps))

    options = {"progress": False, **options}
    return fit(
        model, batches, steps=steps, learning_rate=learning_rate, seed=seed, schedule=schedule, loss=error,
        **options,
    )  # fmt: skip


@torch.no_grad()
def accuracy(model: nn.Module, question: str, n: int = 64, length: int = LONGEST) -> dict[str, float]:
    """Share of right answers by place, on texts that no reader was trained on: {"33–64": 0.91, …}."""
    device = next(model.parameters()).device
    text = texts(n, length, torch.Generator().manual_seed(1_000_003))
    right = answers(text, question)
    given = model(text.to(device)).cpu()
    given = given[..., :2].argmax(dim=-1) if question == "majority" else given.argmax(dim=-1)
    return share_right(given, right)


def share_right(given: Tensor, right: Tensor) -> dict[str, float]:
    """Share of right answers by place; places where nothing is asked are left out."""
    found = {}
    for first, last in PLACES:
        asked = right[:, first:last] != NOTHING
        if last <= right.shape[1] and asked.any():
            hits = (given[:, first:last] == right[:, first:last])[asked]
            found[f"{first + 1}–{last}"] = hits.float().mean().item()
    return found


def with_frequencies(model: Reader, frequencies: Tensor) -> Reader:
    """A copy of a reader with rotary positions, whose pairs turn with other frequencies (d_head / 2,)."""
    twin = copy.deepcopy(model)
    for layer in twin.layers:
        if layer.attention.positions is not None:
            layer.attention.positions = RotaryPositions(layer.attention.d_head, frequencies=frequencies)
    return twin


def squeezed(model: Reader, squeeze: float) -> Reader:
    """A copy of a rotary reader whose places stand closer by the factor ``squeeze``."""
    d_head = model.layers[0].attention.d_head
    return with_frequencies(model, interpolated(rotary_frequencies(d_head), 1 / squeeze))


def lengthened(model: Reader, options: argparse.Namespace, seed: int) -> dict[str, dict[str, float]]:
    """A rotary reader brought to ``LONGER`` places, by squeezing, by a little more training, and by both."""
    found = {}
    for name, start in (("as it is", model), ("squeezed", squeezed(model, TRAINED / LONGER))):
        found[name] = accuracy(start, "latest", length=LONGER)
        tuned = copy.deepcopy(start)
        train(
            tuned, "latest", steps=TUNED, length=LONGER, batch=8,
            learning_rate=options.learning_rate / 3, seed=seed + 1_000,
        )  # fmt: skip
        found[f"{name}, trained on"] = accuracy(tuned, "latest", length=LONGER)
    return found


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Accuracy of each kind of position by question and place.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    if options.batch < 1:
        raise ValueError(f"--batch: expected at least 1, got {options.batch}")
    for name in ("effort", "learning_rate"):
        if not getattr(options, name) > 0:
            raise ValueError(f"--{name.replace('_', '-')}: expected above 0, got {getattr(options, name)}")
    found: dict[str, dict] = {"accuracy": {}, "loss": {}, "lengthened": {}}
    for question, steps in QUESTIONS.items():
        rows = found["accuracy"].setdefault(question, {})
        losses = found["loss"].setdefault(question, {})
        for kind in KINDS:
            model = build(kind, seed).to(device)
            history = train(
                model, question,
                steps=max(1, round(options.effort * steps)), batch=options.batch,
                learning_rate=options.learning_rate, seed=seed,
            )  # fmt: skip
            rows[kind] = accuracy(model, question)
            losses[kind] = sum(history.losses[-20:]) / len(history.losses[-20:])
            if (kind, question) == ("rotary", "latest"):
                found["lengthened"] = lengthened(model, options, seed)
    return found
