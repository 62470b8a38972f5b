"""Melodies longer than those in training: content scores, location-aware ones, and CTC.

Three recognisers of the same melodies (:mod:`attnbook.data.tones`) share one encoder: a convolution that
halves the frames and a bidirectional GRU. Two of them spell with a decoder that attends: by content alone
(Bahdanau's score), or by content and the last weights (:class:`attnbook.nn.LocationAwareScore`). The third
has no attention: connectionist temporal classification (CTC) gives every frame a note or a blank, and sums
over all ways to spread the notes. Each is trained on 5 to 12 notes and tested on more.

Each gets the rate of the grid with the lowest validation loss on seed 0, the same melodies in the same order,
and the same steps, at the end of which the rate has fallen to 0. The control ``last weights hidden`` is the
location-aware speller as it was trained, to whom the last weights are shown as zeros: what it loses is what
it had from them.
"""

from __future__ import annotations

import argparse
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from attnbook.data.tones import HOP, NOTES, Melody, melodies, spectrogram
from attnbook.experiments.matrices import as_lines
from attnbook.experiments.options import at_least
from attnbook.experiments.rate_grid import at_best_rate, trained
from attnbook.nn import AdditiveScore, LocationAwareScore, masked_softmax

ABOUT = "melodies longer than in training: attention by content, location-aware attention, and CTC"

RANGES = {"5-12": (5, 12), "13-24": (13, 24), "25-40": (25, 40)}  # notes a melody
NAMES = ("content", "location-aware", "CTC")
BOS = EOS = len(NOTES)  # one token before the first note and after the last
D = 48


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every recogniser gets the same melodies, batches, steps and rates to choose from."""
    add = parser.add_argument
    add("--learning-rates", type=float, nargs="+", default=[3e-3, 6e-3], metavar="R",
        help="tried on seed 0; the lowest validation loss wins (default .003 .006)")  # fmt: skip
    add("--steps", type=int, default=300, metavar="N", help="of each model (default 300)")
    add("--melodies", type=int, default=4000, metavar="N", help="to train on (default 4000)")
    add("--tests", type=int, default=150, metavar="N", help="melodies of each length (default 150)")


class Listener(nn.Module):
    """Spectrograms to annotations, one for two frames."""

    def __init__(self, bands: int = 25, d: int = D):
        super().__init__()
        self.halve = nn.Conv1d(bands, d, 3, stride=2, padding=1)
        self.rnn = nn.GRU(d, d, batch_first=True, bidirectional=True)

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, frames, bands) to annotations (batch, ⌈frames / 2⌉, 2 d) and their mask."""
        x = torch.relu(self.halve(frames.transpose(1, 2))).transpose(1, 2)
        lengths = (lengths + 1) // 2
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        memory, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=x.shape[1])
        mask = torch.arange(x.shape[1], device=x.device) < lengths.to(x.device).unsqueeze(1)
        return memory, mask


class Speller(nn.Module):
    """Listener and a decoder that attends before each note; the score may read the last weights."""

    def __init__(self, location_aware: bool, d: int = D):
        super().__init__()
        self.listener = Listener(d=d)
        self.score = LocationAwareScore(d, 2 * d, d) if location_aware else AdditiveScore(d, 2 * d, d)
        self.hidden_location = False
        self.embedding = nn.Embedding(len(NOTES) + 1, d)
        self.rnn = nn.GRUCell(d + 2 * d, d)
        self.output = nn.Linear(d + 2 * d, len(NOTES) + 1)
        self.d = d

    def step(self, token: Tensor, state: Tensor, previous: Tensor, heard: tuple) -> tuple:
        """One note further: logits, the state, and this step's weights."""
        memory, mask, prepared = heard
        if isinstance(self.score, LocationAwareScore):
            seen = torch.zeros_like(previous) if self.hidden_location else previous
            scores = self.score.compare(state, prepared, seen)
        else:
            scores = self.score.compare(state.unsqueeze(1), prepared).squeeze(1)
        weights = masked_softmax(scores, mask)
        context = (weights.unsqueeze(1) @ memory).squeeze(1)
        state = self.rnn(torch.cat([self.embedding(token), context], dim=-1), state)
        return self.output(torch.cat([state, context], dim=-1)), state, weights

    def start(self, frames: Tensor, lengths: Tensor) -> tuple:
        """What ``step`` needs before the first note."""
        memory, mask = self.listener(frames, lengths)
        heard = memory, mask, self.score.prepare(memory)
        return memory.new_zeros(len(memory), self.d), memory.new_zeros(memory.shape[:2]), heard

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Nats a note, the end counted as one."""
        state, weights, heard = self.start(batch["frames"], batch["lengths"])
        logits = []
        for token in F.pad(batch["notes"], (1, -1), value=BOS).unbind(dim=1):
            scored, state, weights = self.step(token, state, weights, heard)
            logits.append(scored)
        right = batch["notes"].masked_fill(~batch["counts"], -100)
        return F.cross_entropy(torch.stack(logits, dim=1).flatten(0, 1), right.flatten())

    @torch.no_grad()
    def transcribe(self, batch: dict[str, Tensor], most: int = 80) -> tuple[list[list[int]], Tensor]:
        """The likeliest note at each step until the end, and all weights (batch, steps, annotations)."""
        state, weights, heard = self.start(batch["frames"], batch["lengths"])
        token = torch.full((len(state),), BOS)
        said, where, ended = [], [], torch.zeros(len(state), dtype=torch.bool)
        while len(said) < most and not ended.all():
            logits, state, weights = self.step(token, state, weights, heard)
            token = logits.argmax(dim=-1)
            ended = ended | (token == EOS)
            said.append(token)
            where.append(weights)
        rows = torch.stack(said, dim=1).tolist()
        return [row[: row.index(EOS)] if EOS in row else row for row in rows], torch.stack(where, dim=1)


class FrameLabels(nn.Module):
    """Listener, and for each annotation a note or a blank: CTC (Graves and others, 2006)."""

    def __init__(self, d: int = D):
        super().__init__()
        self.listener = Listener(d=d)
        self.hidden = nn.Linear(2 * d, 3 * d)
        self.output = nn.Linear(3 * d, len(NOTES) + 1)  # the last one is the blank

    def forward(self, frames: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """Log-probabilities (batch, annotations, notes + 1) and the mask."""
        memory, mask = self.listener(frames, lengths)
        return self.output(torch.relu(self.hidden(memory))).log_softmax(dim=-1), mask

    def loss(self, batch: dict[str, Tensor]) -> Tensor:
        """Nats a note, the end counted as one for the sake of comparison."""
        log_probs, mask = self(batch["frames"], batch["lengths"])
        n_notes = batch["counts"].sum(dim=1) - 1
        total = F.ctc_loss(log_probs.transpose(0, 1), batch["notes"], mask.sum(dim=1), n_notes,
                           blank=len(NOTES), reduction="sum")  # fmt: skip
        return total / batch["counts"].sum()

    @torch.no_grad()
    def transcribe(self, batch: dict[str, Tensor]) -> tuple[list[list[int]], None]:
        """The likeliest label of each frame, repeats merged, blanks left out."""
        log_probs, mask = self(batch["frames"], batch["lengths"])
        rows = []
        for labels, seen in zip(log_probs.argmax(dim=-1), mask, strict=True):
            merged = torch.unique_consecutive(labels[seen]).tolist()
            rows.append([label for label in merged if label < len(NOTES)])
        return rows, None


def build(name: str) -> Any:
    """One of the three.

    Raises
    ------
    ValueError
        If the name is none of ``NAMES``.
    """
    if name not in NAMES:
        raise ValueError(f"name: expected one of {', '.join(NAMES)}, got {name!r}")
    return FrameLabels() if name == "CTC" else Speller(name == "location-aware")


def as_batch(heard: list[Melody], frames: list[Tensor] | None = None) -> dict[str, Tensor]:
    """Spectrograms with their lengths; notes with <eos>, and which of them count."""
    frames = frames or [spectrogram(melody.wave) for melody in heard]
    notes = [torch.tensor([*melody.notes, EOS]) for melody in heard]
    return {
        "frames": pad_sequence(frames, batch_first=True),
        "lengths": torch.tensor([len(row) for row in frames]),
        "notes": pad_sequence(notes, batch_first=True),
        "counts": pad_sequence([torch.ones(len(row), dtype=torch.bool) for row in notes], batch_first=True),
    }


def edits(said: list[int], right: list[int] | tuple[int, ...]) -> int:
    """Fewest notes to insert, leave out or replace."""
    row = list(range(len(right) + 1))
    for i, one in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(right, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (one != other))
    return row[-1]


def errors(model: Any, heard: list[Melody]) -> dict[str, float]:
    """Edits over notes, share of melodies that are wholly right, and of those with too many or few notes."""
    said = []
    for i in range(0, len(heard), 50):
        said += model.transcribe(as_batch(heard[i : i + 50]))[0]
    pairs = [(row, melody.notes) for row, melody in zip(said, heard, strict=True)]
    return {
        "note error": sum(edits(*pair) for pair in pairs) / sum(len(right) for _, right in pairs),
        "melodies right": sum(tuple(row) == right for row, right in pairs) / len(pairs),
        "other length": sum(len(row) != len(right) for row, right in pairs) / len(pairs),
        "n": float(len(pairs)),
    }


@torch.no_grad()
def mass_on_note(model: Speller, heard: list[Melody]) -> float:
    """Weight on the annotations within the note that is to be written, the right notes fed."""
    batch = as_batch(heard)
    state, weights, memory = model.start(batch["frames"], batch["lengths"])
    total = []
    for place, token in enumerate(F.pad(batch["notes"], (1, -1), value=BOS).unbind(dim=1)):
        _, state, weights = model.step(token, state, weights, memory)
        for row, melody in enumerate(heard):
            if place < len(melody.notes):
                first, last = (round(sample / (2 * HOP)) for sample in melody.spans[place])
                total.append(weights[row, first : last + 1].sum().item())
    return sum(total) / len(total)


def example(model: Speller) -> dict[str, Any]:
    """What it writes of one melody of 30 notes, and the weights (steps, annotations)."""
    melody = melodies(1, 3, (30, 30))[0]
    said, weights = model.transcribe(as_batch([melody]))
    return {
        "notes": list(melody.notes),
        "first annotations": [round(first / (2 * HOP)) for first, _ in melody.spans],
        "said": said[0],
        "weights": as_lines(weights[0, : len(said[0])]),
    }


@cache
def training_melodies(n: int) -> tuple[list[Tensor], list[Melody]]:
    """The melodies of all models, with their spectrograms made once."""
    heard = melodies(n, seed=0)
    return [spectrogram(melody.wave) for melody in heard], heard


def train(model: Any, options: argparse.Namespace, rate: float, seed: int) -> list[list[float]]:
    """Train in place; the validations on the way."""
    frames, heard = training_melodies(options.melodies)
    validation = as_batch(melodies(200, seed=1))

    def batch(step: int) -> dict[str, Tensor]:
        rows = torch.randint(len(heard), (32,), generator=torch.Generator().manual_seed(step)).tolist()
        return as_batch([heard[row] for row in rows], [frames[row] for row in rows])

    return trained(
        model, batch, lambda m, each: m.loss(each), lambda m: m.loss(validation).item(),
        steps=options.steps, rate=rate, seed=seed,
    )  # fmt: skip


def recogniser(name: str, options: argparse.Namespace, seed: int) -> tuple[Any, dict[str, Any]]:
    """One of the three at its best rate, and how that was found."""
    key = {"name": name, "melodies": options.melodies}
    return at_best_rate("speech", key, lambda: build(name), train, options, seed)


def run_seed(options: argparse.Namespace, seed: int, device: torch.device) -> dict[str, dict]:
    """Note errors of the three by length, and of the location-aware one without its last weights.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    at_least(options, 32, "melodies")
    at_least(options, 20, "steps")
    at_least(options, 1, "tests")
    tests = {name: melodies(options.tests, 2, length) for name, length in RANGES.items()}
    found: dict[str, dict] = {"errors": {}, "mass on the note": {}, "runs": {}, "parameters": {}}
    for name in NAMES:
        model, found["runs"][name] = recogniser(name, options, seed)
        found["errors"][name] = {length: errors(model, heard) for length, heard in tests.items()}
        found["parameters"][name] = sum(parameter.numel() for parameter in model.parameters())
        if isinstance(model, Speller):
            found["mass on the note"][name] = {
                length: mass_on_note(model, heard[:50]) for length, heard in tests.items()
            }
            if seed == 0:
                found.setdefault("example", {})[name] = example(model)
        if name == "location-aware":
            model.hidden_location = True
            found["errors"]["last weights hidden"] = {
                length: errors(model, heard) for length, heard in tests.items()
            }
    return found
